"""Pixels that the exposures cannot decide on, beside clusters of outliers."""

from astropy.io import fits

from badpix.science_check.words import AREA, BETTER, OPEN, OUTLIERS
from unit.science_check.rate_files import SIZE
from unit.science_check.test_check import GOOD, darks, flagged, only, places, run

CLUSTERS = [(4 + 5 * i + dy, 50 + dx) for i in range(12) for dy in range(3) for dx in range(3)]


def test_single_open_pixels_are_no_clusters(tmp_path):
    """The new mask has 12 new clusters of outliers, and lost 200 pixels that may be dead: darks do not show them."""
    rates = darks(tmp_path)
    for path in rates.values():
        with fits.open(path, mode="update") as hdus:
            hdus["SCI"].data[:, *places(CLUSTERS)] += 30
    apart = [
        (y, x)
        for y in range(1, SIZE - 1, 3)
        for x in (*range(0, 10, 2), *range(33, 39, 2), *range(41, 48, 2), 56, 60, 62)
    ][:200]
    old = flagged(apart, "DEAD") | flagged(GOOD, "HOT")
    numbers = run(tmp_path, old, flagged(CLUSTERS, "HOT"), rates)
    assert numbers["counts"][AREA]["result"] == BETTER
    only_old, only_new, n_open, result = only(numbers, OUTLIERS)
    assert only_old > 100 and only_new == 0 and n_open > 190
    assert numbers["counts"][OUTLIERS]["cluster_of_difference"] > 8
    assert numbers["counts"][OUTLIERS]["cluster_with_open"] < 6
    assert result == OPEN and numbers["verdict"] == "not distinguishable"
