"""Outliers among the exposures, from the numbers of pixels that change without each exposure."""

import numpy as np
import pytest

from badpix.formats.leave_one_out_file import read_outliers
from badpix.reliability.leave_one_out import changed_pixels
from badpix.reliability.outliers import outlier_table


def names(n_changed, factor=3.0, n_science=10000):
    table = outlier_table(n_changed, n_science, factor)
    return table.loc[table["outlier"], "exposure"].tolist()


@pytest.mark.parametrize(
    ("n_changed", "outliers"),
    [
        ({"a": 10, "b": 12, "c": 50}, ["c"]),
        ({"a": 10, "b": 12, "c": 33}, []),  # the median of the others is 11: 3 x 11 is not exceeded
        ({"a": 10, "b": 12, "c": 34}, ["c"]),
        ({"a": 0, "b": 0, "c": 10}, []),  # 10 of 10000 is 0.1 percent, not more
        ({"a": 0, "b": 0, "c": 11}, ["c"]),
        ({"a": 0, "b": 100}, []),  # fewer than MIN_EXPOSURES
        ({"a": 0, "b": 0, "c": 0, "d": 100, "e": 100}, ["d", "e"]),
        ({}, []),
    ],
)
def test_outliers(n_changed, outliers):
    assert names(n_changed) == outliers


def test_changed_pixels_by_hand():
    found = {"hot": np.array([[True, False, True]]), "rc": np.array([[False, False, True]])}
    without = {"hot": np.array([[True, True, False]]), "rc": np.array([[False, False, True]])}
    assert changed_pixels(found, without) == 2
    assert changed_pixels(found, found) == 0
    assert changed_pixels(found, {"hot": found["hot"]}) == 1, "a missing type has no pixels"


def test_no_table_no_outliers():
    assert read_outliers(None) == {}
