"""Every instrument: its simulation, and its runs from raw files and from processed files."""

import time
from dataclasses import dataclass, field, replace

import yaml

import simulate
from badpix.formats.truth_file import read_truth
from badpix.score.files import read_findings
from badpix.score.pixels import score_run
from badpix.simulate.simulation import Simulation
from workflow.conftest import write_config
from workflow.runner import PROJECT, succeed

PRESETS = {
    "official": {},
    "flight": yaml.safe_load((PROJECT / "config" / "presets" / "flight.yaml").read_text(encoding="utf-8")),
}
N_EXPOSURES = 3
# Common parameters of the simulations.
USUAL = Simulation(darks=N_EXPOSURES, flats=N_EXPOSURES, groups=20, seed=7)


@dataclass(frozen=True)
class Case:
    """A simulation, and the types that the official algorithm does not distinguish on this instrument.

    `runs` of the tests: (starting point, preset).
    """

    simulation: Simulation
    headers: dict  # detector -> keywords of its mask: those of KEYWORDS
    impure: set = field(default_factory=set)
    unfound: set = field(default_factory=set)
    runs: tuple = (("raw", "official"), ("products", "flight"))


KEYWORDS = ("INSTRUME", "SUBARRAY", "SUBSIZE1", "SUBSIZE2", "SUBSTRT1", "SUBSTRT2", "FASTAXIS", "SLOWAXIS")

CASES = {
    "NIRCAM": Case(
        replace(USUAL, instrument="NIRCAM", detectors=("NRCBLONG",), size=64),
        {"NRCBLONG": ("NIRCAM", "SUB64P", 64, 64, 1985, 1985, 1, -2)},
    ),
    # The distance of the raw second group from the pedestal, which votes for MIRI: a low pedestal cancels in it, and
    # it holds the charge of hot pixels.
    "MIRI": Case(
        replace(USUAL, instrument="MIRI", detectors=("MIRIMAGE", "MIRIFUSHORT"), subarray="SUB64"),
        {
            "MIRIMAGE": ("MIRI", "SUB64", 72, 64, 1, 779, 1, 2),
            "MIRIFUSHORT": ("MIRI", "SUB64", 72, 64, 1, 779, 1, 2),
        },
        impure={"rc", "low_pedestal"},
        unfound={"low_pedestal"},
    ),
    "NIRSPEC": Case(
        replace(USUAL, instrument="NIRSPEC", detectors=("NRS2",), subarray="SUB512"),
        {"NRS2": ("NIRSPEC", "SUB512", 512, 32, 1025, 975, -2, -1)},
    ),
    # As few groups as possible, because it is a full frame: no jumps are counted, and three slopes are too few. With 5
    # groups, all differences of an RC pixel may be jumps (docs/explanation/algorithm.md).
    "IRS2": Case(
        replace(
            USUAL, instrument="NIRSPEC", detectors=("NRS1",), subarray="FULL", readpatt="NRSIRS2RAPID", flats=0,
            integrations=1, groups=6,
        ),
        {"NRS1": ("NIRSPEC", "FULL", 2048, 2048, 1, 1, 2, 1)},
        impure={"noisy"},
        unfound={"telegraph", "noisy"},
        runs=(("raw", "official"),),
    ),
    "FGS": Case(
        replace(USUAL, instrument="FGS", detectors=("GUIDER2",), subarray="128X128", segments=2),
        {"GUIDER2": ("FGS", "128X128", 128, 128, 1921, 1921, 2, -1)},
    ),
}  # fmt: skip


def simulate_case(directory, case):
    """Write the raw files, the truth and the CRDS cache of `case` into `directory`."""
    simulate.main(directory, case.simulation)
    write_config(directory)


def results_of(directory, start, preset):
    """The folder of the results from a starting point: a folder per detector."""
    return directory / f"{start}_{preset}"


def starting_files(case, start, made):
    """The keys that name the inputs. `made` is the folder of results, with all products, of a run from raw files.

    raw: all exposures raw. products: all processed. mixture: the first of each kind raw, the others processed.
    """
    keys = {"darks": "darks", "flats": "flats"}
    if start != "raw":
        # In both places from the second on; the workflow takes what is processed where it can.
        which = "*" if start == "products" else "*_0000[!1]*"
        for kind, key, product in (
            ("darks", "dark_slope_files", "rateints"), ("darks", "dark_jump_files", "jump"),
            ("darks", "dark_fitopt_files", "fitopt"), ("flats", "flat_slope_files", "rateints"),
        ):  # fmt: skip
            keys[key] = f"{made}/*/{kind}/{which}_{product}.fits"
        if start == "products":
            keys["darks"] = keys["flats"] = None
            if case.simulation.instrument == "MIRI":
                keys["dark_uncal_files"] = "darks"
    if case.simulation.flats == 0:
        keys |= {key: None for key in keys if key.startswith("flat")}
    return keys


def run_case(directory, case, start, preset, made="raw_official"):
    """Run the workflow on the files of `case` in `directory`; returns the seconds and the Run.

    `made` is the folder of the run from raw files that the other starting points take their products from.
    """
    config = {
        "detectors": "all", "output_file": "made_bpm.fits", "keep_intermediates": start == "raw",
        "results": results_of(directory, start, preset).name,
    }  # fmt: skip
    config |= PRESETS[preset] | starting_files(case, start, made)
    begin = time.monotonic()
    run = succeed(directory, "--until", "bad_pixel_mask", config=config)
    return time.monotonic() - begin, run


def mask_path(directory, start, preset, detector):
    return results_of(directory, start, preset) / detector / "made_bpm.fits"


def score_case(directory, start, preset, detector):
    """The Score of a detector's mask against the truth."""
    mask = mask_path(directory, start, preset, detector)
    truth = read_truth(simulate.truth_path(directory, detector))
    return score_run(truth, read_findings(mask.with_name("evidence.fits"), mask), N_EXPOSURES)
