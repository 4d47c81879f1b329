"""Every instrument through the whole workflow: its own order of steps, array, read pattern, exposure types and names.

NIRISS, on which all other tests run, is left out. MIRI: two detectors in one run, no superbias, reset and rscd, the
last frame, outputs that take turns. NIRSpec: readout lines along y, an array without reference pixels; IRS2, whose
raw files have interleaved rows. FGS: exposures in segments.
"""

import os
import subprocess
import sys
from dataclasses import dataclass, field

import pytest
import yaml
from astropy.io import fits

import simulate
from badpix.score_files import read_findings, read_truth
from badpix.score_pixels import score_run
from badpix.score_tables import completeness_table, healthy_table, purity_table
from workflow.conftest import make_once, write_config
from workflow.runner import PROJECT, succeed

pytestmark = pytest.mark.pipeline

PRESET = yaml.safe_load((PROJECT / "config" / "presets" / "flight.yaml").read_text(encoding="utf-8"))
N_EXPOSURES, SEED = 3, 7
# What the documented rules cannot tell apart anywhere: DEAD by sigma_rate is all that is dim, noisy is the Poisson
# noise of hot pixels and some cosmic rays; hot pixels that do not saturate are found by no rule.
DOCUMENTED_IMPURE = {"DEAD", "noisy"}
DOCUMENTED_UNFOUND = {"hot"}


@dataclass(frozen=True)
class Case:
    """What is simulated, and what is known not to be told by the documented rules on this instrument."""

    simulation: dict
    headers: dict  # detector -> keywords of its mask
    impure: set = field(default_factory=set)
    unfound: set = field(default_factory=set)
    presets: tuple = ("documented", "flight")


CASES = {
    # The distance of the raw second group from the pedestal, which votes for MIRI: a low pedestal cancels in it, and
    # it holds the charge of hot pixels.
    "MIRI": Case(
        {"instrument": "MIRI", "detector": ["MIRIMAGE", "MIRIFUSHORT"], "subarray": "SUB64"},
        {
            "MIRIMAGE": ("MIRI", "SUB64", 72, 64, 1, 779, 1, 2),
            "MIRIFUSHORT": ("MIRI", "SUB64", 72, 64, 1, 779, 1, 2),
        },
        impure={"rc", "low_pedestal"},
        unfound={"low_pedestal"},
    ),
    "NIRSPEC": Case(
        {"instrument": "NIRSPEC", "detector": "NRS2", "subarray": "SUB512"},
        {"NRS2": ("NIRSPEC", "SUB512", 512, 32, 1025, 975, -2, -1)},
    ),
    # As few groups as possible, because it is a full frame: no jumps are counted, and three slopes are too few.
    "IRS2": Case(
        {
            "instrument": "NIRSPEC", "detector": "NRS1", "subarray": "FULL", "readpatt": "NRSIRS2RAPID", "flats": 0,
            "integrations": 1, "groups": 5,
        },
        {"NRS1": ("NIRSPEC", "FULL", 2048, 2048, 1, 1, 2, 1)},
        impure={"noisy"},
        unfound={"telegraph", "noisy"},
        presets=("documented",),
    ),
    "FGS": Case(
        {"instrument": "FGS", "detector": "GUIDER2", "subarray": "128X128", "segments": 2},
        {"GUIDER2": ("FGS", "128X128", 128, 128, 1921, 1921, 2, -1)},
    ),
}  # fmt: skip
KEYWORDS = ("INSTRUME", "SUBARRAY", "SUBSIZE1", "SUBSIZE2", "SUBSTRT1", "SUBSTRT2", "FASTAXIS", "SLOWAXIS")
MASKS = [(name, detector) for name, case in CASES.items() for detector in case.headers]
SCORES = [(name, detector, preset) for name, detector in MASKS for preset in CASES[name].presets]


@pytest.fixture(scope="session")
def run_of(tmp_path_factory):
    """A function: the finished runs of a case, below its directory the results of each preset. Read only."""

    def make(directory, case):
        options = {"darks": N_EXPOSURES, "flats": N_EXPOSURES, "groups": 20, "seed": SEED} | case.simulation
        simulate.main(directory, **options)
        write_config(directory)
        for preset in case.presets:
            config = {"detectors": "all"} | (PRESET if preset == "flight" else {})
            if not options["flats"]:
                config["flats"] = None
            succeed(directory, "--until", "bad_pixel_mask", config=config | {"output_file": f"{preset}_bpm.fits"})
            for detector in case.headers:
                results = directory / "results" / detector
                (directory / preset / detector).mkdir(parents=True)
                for name in ("evidence.fits", f"{preset}_bpm.fits"):
                    (results / name).rename(directory / preset / detector / name)

    def run(name):
        return make_once(tmp_path_factory, f"instrument_{name}", lambda directory: make(directory, CASES[name]))

    return run


@pytest.fixture
def score_of(run_of):
    """A function: the Score of a detector's mask."""

    def score(name, detector, preset):
        directory = run_of(name)
        findings = read_findings(
            directory / preset / detector / "evidence.fits", directory / preset / detector / f"{preset}_bpm.fits"
        )
        truth = simulate.truth_path(directory, detector)
        return score_run(read_truth(truth), findings, N_EXPOSURES)

    return score


def needs_light(name):
    """Whether a planted type is told by flats."""
    return name in ("dead", "low_qe", "open", "crds_flagged_dead", "next to open")


@pytest.mark.parametrize(("name", "detector", "preset"), SCORES)
def test_every_planted_type_is_found_as_itself(name, detector, preset, score_of):
    table = completeness_table(score_of(name, detector, preset)).set_index("type")
    wanted = table[table["expected"] != ""]
    case = CASES[name]
    if case.simulation.get("flats") == 0:
        wanted = wanted[[not needs_light(kind) for kind in wanted.index]]
    if preset == "documented":
        unfound = DOCUMENTED_UNFOUND | case.unfound
        assert (wanted.loc[sorted(unfound & set(wanted.index)), "completeness"] < 0.5).all(), "found after all"
        wanted = wanted.drop(index=list(unfound))
    assert wanted["planted"].min() >= 2
    assert wanted["completeness"].min() >= 0.98, wanted["completeness"]


@pytest.mark.parametrize(("name", "detector", "preset"), SCORES)
def test_nothing_is_found_as_what_it_is_not(name, detector, preset, score_of):
    score = score_of(name, detector, preset)
    table = purity_table(score).set_index("detection")
    healthy = healthy_table(score).set_index("type")["healthy_flagged"]
    if preset == "documented":
        impure = DOCUMENTED_IMPURE | CASES[name].impure
        table, healthy = (part.drop(index=list(impure & set(part.index))) for part in (table, healthy))
        healthy = healthy[[kind in table.index for kind in healthy.index]]
    assert table["purity"].dropna().min() >= 0.98, table
    assert healthy.max() <= 2, healthy


@pytest.mark.parametrize(("name", "detector"), MASKS)
def test_mask_is_of_its_detector_and_array(name, detector, run_of):
    directory = run_of(name)
    for preset in CASES[name].presets:
        header = fits.getheader(directory / preset / detector / f"{preset}_bpm.fits", 0)
        assert header["DETECTOR"] == detector
        assert tuple(header[key] for key in KEYWORDS) == CASES[name].headers[detector]


@pytest.mark.parametrize(("name", "detector"), MASKS)
def test_crds_certify(name, detector, run_of):
    directory = run_of(name)
    environment = os.environ | {
        "CRDS_PATH": str(directory / "crds_cache"), "CRDS_SERVER_URL": "https://jwst-serverless.invalid",
        "CRDS_OBSERVATORY": "jwst",
    }  # fmt: skip
    preset = CASES[name].presets[-1]
    mask = directory / preset / detector / f"{preset}_bpm.fits"
    command = [sys.executable, "-m", "crds.certify", "-z", str(mask)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 errors" in done.stdout + done.stderr


def test_irs2_mask_has_the_rows_of_raw_files(run_of):
    assert fits.getdata(run_of("IRS2") / "documented" / "NRS1" / "documented_bpm.fits", "DQ").shape == (3200, 2048)
