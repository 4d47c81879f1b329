"""Columns sorted at once, and their medians, against numpy."""

import numpy as np
import pytest

from badpix.numerics.column_sort import CHUNK, median_of_columns, sort_columns, sorting_network


@pytest.mark.parametrize("number", [*range(1, 40), 61, 149])
def test_columns_are_sorted(number):
    values = np.random.default_rng(number).normal(size=(number, CHUNK)).astype(np.float32)
    values[:, 0] = np.arange(number)[::-1]
    values[values > 1.5] = np.inf
    expected = np.sort(values, axis=0)
    sort_columns(values, sorting_network(number))
    assert np.array_equal(values, expected)


def test_a_network_sorts_whatever_the_order():
    """A network that sorts all sequences of zeros and ones sorts everything (Knuth, Sorting and Searching, 5.3.4)."""
    number = 11
    sequences = (np.arange(2**number) >> np.arange(number)[:, np.newaxis] & 1).astype(np.float32)
    for start in range(0, 2**number, CHUNK):
        part = sequences[:, start : start + CHUNK].copy()
        sort_columns(part, sorting_network(number))
        assert (np.diff(part, axis=0) >= 0).all()


def test_medians_of_the_first_rows():
    ordered = np.sort(np.random.default_rng(3).normal(size=(20, 30)).astype(np.float32), axis=0)
    number = np.arange(30, dtype=np.int32) % 21
    medians = np.zeros(25, np.float32)
    median_of_columns(ordered, number, 2, medians)
    for x in range(25):
        expected = np.median(ordered[: number[x], x]) if number[x] >= 2 else np.nan
        assert medians[x] == pytest.approx(expected, rel=1e-6, nan_ok=True)
