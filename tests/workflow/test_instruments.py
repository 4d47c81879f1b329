"""Every instrument through the whole workflow: its own order of steps, array, read pattern, exposure types and names.

NIRISS, on which all other tests run, is left out. NIRCam: a long-wave detector. MIRI: two detectors in one run, no
superbias, reset and rscd, the last frame, outputs that take turns. NIRSpec: readout lines along y, an array without
reference pixels; IRS2, whose raw files have interleaved rows. FGS: exposures in segments.
"""

import pytest
from astropy.io import fits

from badpix.delivery.certify import certify
from badpix.formats.certificate_file import PASSED
from badpix.score.tables import completeness_table, healthy_table, purity_table
from workflow.conftest import make_once
from workflow.instruments import CASES, KEYWORDS, mask_path, results_of, run_case, score_case, simulate_case
from workflow.products import images_of, same

pytestmark = pytest.mark.pipeline

# What the official rules cannot tell apart anywhere: DEAD by sigma_rate is all that is dim, noisy is the Poisson
# noise of hot pixels and some cosmic rays, and the jump step takes some RC ramps for jumps all along; hot pixels that
# do not saturate are found by no rule.
DOCUMENTED_IMPURE = {"DEAD", "noisy", "high_cr"}
DOCUMENTED_UNFOUND = {"hot"}

MASKS = [(name, detector) for name, case in CASES.items() for detector in case.headers]
RUNS = [(name, detector, *run) for name, detector in MASKS for run in CASES[name].runs]
FROM_PRODUCTS = [run[:2] for run in RUNS if run[2] == "products"]


@pytest.fixture(scope="session")
def run_of(tmp_path_factory):
    """A function: the directory with the finished runs of a case. Read only."""

    def make(directory, case):
        simulate_case(directory, case)
        for start, preset in case.runs:
            _, run = run_case(directory, case, start, preset)
            assert ("detector1_dark" in run.jobs) == (start == "raw")

    def run(name):
        return make_once(tmp_path_factory, f"instrument_{name}", lambda directory: make(directory, CASES[name]))

    return run


@pytest.fixture
def score_of(run_of):
    """A function: the Score of a detector's mask."""
    return lambda name, detector, start, preset: score_case(run_of(name), start, preset, detector)


def needs_light(name):
    """Whether a planted type is told by flats."""
    return name in ("dead", "low_qe", "open", "crds_flagged_dead", "next to open")


@pytest.mark.parametrize(("name", "detector", "start", "preset"), RUNS)
def test_every_planted_type_is_found_as_itself(name, detector, start, preset, score_of):
    table = completeness_table(score_of(name, detector, start, preset)).set_index("type")
    wanted = table[table["expected"] != ""]
    case = CASES[name]
    if case.simulation.flats == 0:
        wanted = wanted[[not needs_light(kind) for kind in wanted.index]]
    if preset == "official":
        unfound = DOCUMENTED_UNFOUND | case.unfound
        assert (wanted.loc[sorted(unfound & set(wanted.index)), "completeness"] < 0.5).all(), "found after all"
        wanted = wanted.drop(index=list(unfound))
    assert wanted["planted"].min() >= 2
    assert wanted["completeness"].min() >= 0.98, wanted["completeness"]


@pytest.mark.parametrize(("name", "detector", "start", "preset"), RUNS)
def test_nothing_is_found_as_what_it_is_not(name, detector, start, preset, score_of):
    score = score_of(name, detector, start, preset)
    table = purity_table(score).set_index("detection")
    healthy = healthy_table(score).set_index("type")["healthy_flagged"]
    if preset == "official":
        impure = DOCUMENTED_IMPURE | CASES[name].impure
        table, healthy = (part.drop(index=list(impure & set(part.index))) for part in (table, healthy))
        healthy = healthy[[kind in table.index for kind in healthy.index]]
    assert table["purity"].dropna().min() >= 0.98, table
    assert healthy.max() <= 2, healthy


@pytest.mark.parametrize(("name", "detector"), FROM_PRODUCTS)
def test_products_and_raw_files_give_the_same_mask(name, detector, run_of):
    directory = run_of(name)
    raw, products = (results_of(directory, *run) / detector for run in CASES[name].runs)
    paths = sorted(raw.glob("*/*_statistics.fits"))
    assert len(paths) >= 6
    for path in paths:
        before, after = images_of(path), images_of(products / path.relative_to(raw))
        # For which the raw file of a flat is needed.
        before.pop((path.name, "LAST_GROUPS"), None)
        assert before.keys() == after.keys()
        assert all(same(image, after[plane]) for plane, image in before.items()), path.name


@pytest.mark.parametrize(("name", "detector"), MASKS)
def test_mask_is_of_its_detector_and_array(name, detector, run_of):
    directory = run_of(name)
    for run in CASES[name].runs:
        header = fits.getheader(mask_path(directory, *run, detector), 0)
        assert header["DETECTOR"] == detector
        assert tuple(header[key] for key in KEYWORDS) == CASES[name].headers[detector]


@pytest.mark.parametrize(("name", "detector"), MASKS)
def test_crds_certify(name, detector, run_of):
    """With the keywords of the instrument in the rules of the cache."""
    directory = run_of(name)
    mask = mask_path(directory, *CASES[name].runs[-1], detector)
    found = certify(mask, [], {"path": str(directory / "crds_cache"), "server_url": None, "context": None})
    assert (found.status, found.errors) == (PASSED, ()), found
    assert "0 errors" in found.output


def test_irs2_mask_has_the_rows_of_raw_files(run_of):
    assert fits.getdata(mask_path(run_of("IRS2"), "raw", "official", "NRS1"), "DQ").shape == (3200, 2048)
