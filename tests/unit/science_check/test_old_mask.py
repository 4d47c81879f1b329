"""Old masks of the science check that are refused at the start of a run."""

import pytest

from badpix.science_check.old_mask import old_mask_problem
from unit.science_check.rate_files import write_mask


@pytest.mark.parametrize(
    ("detectors", "problem"),
    [
        (["NIS"], None),
        (["NRCA1"], "DETECTOR is NIS, and the run has masks of NRCA1; crds has the mask of each"),
        (["NIS", "NRCA2", "NRCA1"], "DETECTOR is NIS, and the run has masks of NRCA1, NRCA2; crds"),
    ],
)
def test_an_old_mask_is_of_the_detector_of_all_masks(tmp_path, detectors, problem):
    found = old_mask_problem(write_mask(tmp_path / "old.fits", {}), detectors)
    assert found is None if problem is None else problem in found


def test_a_file_that_is_no_mask(tmp_path):
    (tmp_path / "list.csv").write_text("x,y\n3,7\n")
    problem = old_mask_problem(str(tmp_path / "list.csv"), ["NIS"])
    assert problem.startswith(f"{tmp_path / 'list.csv'} is not a mask file: ")
