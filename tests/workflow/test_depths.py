"""Short darks of averaged groups, and a dark of fewer groups among them, through the whole workflow."""

import numpy as np
import pytest
from astropy.io import fits

import simulate
from badpix.formats.mask_file import read_warnings
from badpix.formats.truth_file import read_truth
from badpix.score.files import read_findings
from badpix.score.pixels import pool, score_run
from badpix.score.tables import completeness_table, healthy_table
from badpix.simulate.simulation import Simulation
from workflow.runner import succeed
from workflow.test_flight import PRESET

pytestmark = pytest.mark.pipeline

DARK_TYPES = ("hot", "hot_saturated", "rc", "telegraph", "noisy", "low_pedestal")


def test_short_darks_with_zero_frames_and_a_shallow_dark(tmp_path):
    """NIRCam, SHALLOW4: means of 4 frames. The iterative jump search would lose the telegraph pixels at 10 groups."""
    several = {"size": 64, "instrument": "NIRCAM", "readpatt": "SHALLOW4", "flats": 0}
    simulate.main(tmp_path, Simulation(darks=3, groups=10, **several))
    simulate.main(tmp_path, Simulation(darks=1, first_dark=4, groups=4, integrations=1, **several))
    with fits.open(next((tmp_path / "darks").glob("*00001_*"))) as hdus:
        assert {"SCI", "ZEROFRAME", "GROUP", "INT_TIMES"} <= {hdu.name for hdu in hdus}
    config = {"flats": None, "keep_history": False}
    run = succeed(tmp_path, config=PRESET | config)
    results = tmp_path / "results" / "NRCA1"
    findings = read_findings(results / "evidence.fits", results / "test_bpm.fits")
    score = pool([score_run(read_truth(tmp_path / "truth.fits"), findings)])
    found = completeness_table(score).set_index("type").loc[list(DARK_TYPES), "completeness"]
    assert dict(found) == dict.fromkeys(DARK_TYPES, 1.0)
    assert not np.any(healthy_table(score)["healthy_flagged"])
    # The integrations of the three deep darks.
    assert fits.getdata(results / "evidence.fits", "RATE_N").max() == 6
    warning = "the darks have different numbers of groups (1 of 4 groups, 3 of 10 groups): 1 dark of fewer than 7"
    assert f"Warning: NRCA1: {warning}" in run.output.split("Job stats:")[0]
    assert any(line.startswith(warning) for line in read_warnings(results / "test_bpm.fits"))
