"""DEAD, LOW_QE, OPEN and ADJ_OPEN from small responses made by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from badpix.config.settings import with_max_dead_norm_signal
from badpix.formats.pixel_types import FLAT_TYPES
from badpix.vote.flat_types import find_dead, find_low_qe_and_open, flat_results
from badpix.vote.settings import FlatSettings

DEFAULTS = {
    "dead_search": True, "low_qe_and_open_search": True, "dead_search_type": "sigma_rate",
    "flat_mean_sigma_threshold": 3, "dead_sigma_threshold": 5.0, "max_dead_norm_signal": 0.05,
    "run_dead_flux_check": False, "flux_check": 45000, "max_low_qe_norm_signal": 0.5, "max_open_adj_norm_signal": 1.05,
    "open_neighbour_rule": "all", "open_includes_dead": False, "flat_vote_unit": "mean", "flat_vote_fraction": 0.75,
    "min_unlit_area": None, "min_valid": 1,
}  # fmt: skip
LOW, BRIGHT = 0.3, 1.2
ALL_DIRECT = ((0, -1), (0, 1), (-1, 0), (1, 0))


def settings(**changes):
    return FlatSettings.from_config(DEFAULTS | changes)


def everywhere(norm):
    return np.ones(norm.shape, bool)


def dead(norm, **changes):
    norm = np.asarray(norm, float)
    return find_dead(norm, everywhere(norm), settings(**changes)).tolist()


def positions(image):
    return {tuple(map(int, position)) for position in np.argwhere(image)}


def inside(shape, y, x):
    return 0 <= y < shape[0] and 0 <= x < shape[1]


def with_open(shape, y, x):
    """A flat of ones with a low pixel and brighter direct neighbours."""
    norm = np.ones(shape)
    for dy, dx in ALL_DIRECT:
        if inside(shape, y + dy, x + dx):
            norm[y + dy, x + dx] = BRIGHT
    norm[y, x] = LOW
    return norm


def low_qe_and_open(norm, science=None, **changes):
    science = everywhere(norm) if science is None else science
    return {k: positions(v) for k, v in find_low_qe_and_open(norm, science, settings(**changes)).items()}


# ---------------------------------------------------------------- DEAD

# A hundred 0.9, a hundred 1.1: mean 1, scatter 0.1; five sigma below is 0.5. A few below 0.6 lie beyond 3 sigma and
# are clipped.
HEALTHY = [0.9] * 100 + [1.1] * 100


def test_dead_by_sigma_is_below_the_clipped_mean():
    assert dead([[*HEALTHY, 0.0, 0.49, 0.51]]) == [[False] * 200 + [True, True, False]]


def test_dead_by_sigma_is_exclusive():
    # No scatter: the limit is the mean itself.
    assert dead([[1.0] * 20]) == [[False] * 20]


def test_dead_by_absolute_rate_is_exclusive():
    norm = [[-0.1, 0.0, 0.0499, 0.05, 0.0501, np.nan]]
    assert dead(norm, dead_search_type="absolute_rate") == [[True, True, True, False, False, False]]


def test_a_pixel_is_dead_by_any_configured_search():
    # 0.45 is below 0.5 (sigma) but not below 0.3; a sigma limit of 1 - 8 x 0.1 = 0.2 is below 0.25,
    # which is dead by 0.3.
    norm = [[*HEALTHY, 0.45, 0.25, np.nan]]
    for kinds, sigma, expected in (
        ("sigma_rate", 5.0, [True, True, False]),
        ("absolute_rate", 5.0, [False, True, False]),
        ("sigma_rate", 8.0, [False, False, False]),
        (["absolute_rate", "sigma_rate"], 5.0, [True, True, False]),
        (["sigma_rate", "absolute_rate"], 8.0, [False, True, False]),
    ):
        found = dead(norm, dead_search_type=kinds, dead_sigma_threshold=sigma, max_dead_norm_signal=0.3)
        assert found[0][200:] == expected, (kinds, sigma)


def test_reference_pixels_do_not_count():
    norm = np.array([[*HEALTHY, 0.0] + [0.0] * 300])
    science = np.arange(norm.size)[np.newaxis] <= 200
    # Three hundred zeros would pull the mean to 0.4 and blow up the scatter.
    assert positions(find_dead(norm, science, settings())) == {(0, 200)}


@pytest.mark.parametrize(
    ("value", "method", "of_detector", "expected"),
    [(None, "smoothed", 25.0, 0.05), (None, "mean", 25.0, 0.05), (None, "none", 25.0, 25.0), (None, "none", None, None),
     (0.1, "none", 25.0, 0.1), (0, "smoothed", None, 0)],
)  # fmt: skip
def test_threshold_that_applies(value, method, of_detector, expected):
    config = {"max_dead_norm_signal": value, "flat_mean_normalization_method": method}
    assert with_max_dead_norm_signal(config, of_detector)["max_dead_norm_signal"] == expected
    assert config["max_dead_norm_signal"] == value


def test_flux_check_removes_dead_pixels_that_were_bright_in_the_raw_ramp():
    norm, n_valid = np.zeros((1, 4)), np.ones((1, 4), int)
    raw = np.array([[44999.0, 45000.0, 45001.0, np.nan]])
    changes = {"dead_search_type": "absolute_rate", "low_qe_and_open_search": False}

    def found(run):
        results = flat_results(norm, n_valid, everywhere(norm), settings(run_dead_flux_check=run, **changes), raw)
        return results["DEAD"].found.tolist()

    assert found(True) == [[True, False, False, True]]
    assert found(False) == [[True] * 4]


def test_flux_check_needs_the_last_groups():
    norm = np.zeros((1, 4))
    with pytest.raises(ValueError, match="run_dead_flux_check is true"):
        flat_results(norm, norm + 1, everywhere(norm), settings(run_dead_flux_check=True))


# ---------------------------------------------------------------- LOW_QE, OPEN, ADJ_OPEN


def test_limits_of_low_response():
    # Between 0.05, included, and 0.5, excluded. Neighbours in a row are not all bright.
    norm = np.array([[1, 0.0499, 1, 0.05, 1, 0.4999, 1, 0.5, 1, np.nan, 1]])
    assert low_qe_and_open(norm) == {"LOW_QE": {(0, 3), (0, 5)}, "OPEN": set(), "ADJ_OPEN": set()}


def test_neighbours_must_be_above_the_limit():
    for brightness, is_open in ((1.05, False), (1.0501, True)):
        norm = np.full((3, 3), brightness)
        norm[1, 1] = LOW
        found = low_qe_and_open(norm)
        assert found["OPEN"] == ({(1, 1)} if is_open else set())
        assert found["LOW_QE"] == (set() if is_open else {(1, 1)})


@pytest.mark.parametrize("dim", ALL_DIRECT)
def test_one_dim_neighbour_makes_it_low_qe(dim):
    norm = with_open((3, 3), 1, 1)
    norm[1 + dim[0], 1 + dim[1]] = 1.0
    assert low_qe_and_open(norm) == {"LOW_QE": {(1, 1)}, "OPEN": set(), "ADJ_OPEN": set()}


@pytest.mark.parametrize("y", range(4))
@pytest.mark.parametrize("x", range(5))
def test_open_at_every_position_with_the_neighbours_there(y, x):
    """The middle, every edge and every corner of a small array."""
    shape = (4, 5)
    around = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if inside(shape, y + dy, x + dx)}
    found = low_qe_and_open(with_open(shape, y, x))
    assert found == {"LOW_QE": set(), "OPEN": {(y, x)}, "ADJ_OPEN": around - {(y, x)}}


def test_a_single_neighbour_is_not_enough():
    norm = np.array([[LOW, BRIGHT, 1.0]])
    assert low_qe_and_open(norm) == {"LOW_QE": {(0, 0)}, "OPEN": set(), "ADJ_OPEN": set()}


def test_next_to_reference_pixels_only_science_neighbours_count():
    # Column 0 is of reference pixels without response; the pixel beside it has three science neighbours.
    norm = with_open((5, 5), 2, 1)
    norm[:, 0] = 0.0
    science = everywhere(norm)
    science[:, 0] = False
    found = low_qe_and_open(norm, science)
    assert found["OPEN"] == {(2, 1)}
    assert found["ADJ_OPEN"] == {(1, 1), (3, 1), (1, 2), (2, 2), (3, 2)}, "reference pixels are not ADJ_OPEN"
    assert found["LOW_QE"] == set()


def test_a_low_reference_pixel_is_nothing():
    norm = with_open((5, 5), 2, 2)
    science = everywhere(norm)
    science[2, 2] = False
    assert low_qe_and_open(norm, science) == {"LOW_QE": set(), "OPEN": set(), "ADJ_OPEN": set()}


def test_a_neighbour_without_a_value_abstains():
    norm = with_open((3, 3), 1, 1)
    norm[0, 1] = norm[1, 0] = np.nan  # two bright neighbours remain
    assert low_qe_and_open(norm)["OPEN"] == {(1, 1)}
    norm[1, 2] = np.nan
    assert low_qe_and_open(norm)["LOW_QE"] == {(1, 1)}


def test_diagonal_open_pixels_stay_open():
    # Each pixel is among the eight neighbours of the second; OPEN takes priority over ADJ_OPEN.
    norm = np.full((4, 4), BRIGHT)
    norm[1, 1] = norm[2, 2] = LOW
    found = low_qe_and_open(norm)
    assert found["OPEN"] == {(1, 1), (2, 2)}
    assert found["ADJ_OPEN"] == {(y, x) for y in range(4) for x in range(4)} - found["OPEN"] - {(0, 3), (3, 0)}


def test_low_pixels_side_by_side_are_both_low_qe():
    norm = np.full((4, 4), BRIGHT)
    norm[1, 1] = norm[1, 2] = LOW
    assert low_qe_and_open(norm) == {"LOW_QE": {(1, 1), (1, 2)}, "OPEN": set(), "ADJ_OPEN": set()}


def test_adj_open_includes_low_and_dead_pixels():
    norm = with_open((5, 5), 2, 2)
    norm[1, 1], norm[3, 3] = LOW, 0.0
    found = low_qe_and_open(norm)
    assert found["OPEN"] == {(2, 2)} and found["LOW_QE"] == {(1, 1)}
    assert {(1, 1), (3, 3)} <= found["ADJ_OPEN"]


values = st.sampled_from([np.nan, 0.0, LOW, LOW, 1.0, BRIGHT, BRIGHT, BRIGHT])
TURNS = {"upside down": np.flipud, "mirrored": np.fliplr, "transposed": np.transpose, "turned": np.rot90}


@given(hnp.arrays(float, (5, 6), elements=values), hnp.arrays(bool, (5, 6)), st.sampled_from(sorted(TURNS)))
def test_the_scan_order_decides_nothing(norm, science, how):
    turn = TURNS[how]
    found = find_low_qe_and_open(norm, science, settings())
    turned = find_low_qe_and_open(turn(norm), turn(science), settings())
    for name, image in found.items():
        assert np.array_equal(turn(image), turned[name]), name
    assert not (found["OPEN"] & found["LOW_QE"]).any() and not (found["OPEN"] & found["ADJ_OPEN"]).any()
    assert not any((image & ~science).any() for image in found.values())


# ---------------------------------------------------------------- results


def test_a_pixel_without_a_response_is_insufficient_and_not_found():
    norm = np.array([[np.nan, 0.0, 0.0, 1.0, 1.0]])
    n_valid = np.array([[0, 2, 3, 2, 4]])
    results = flat_results(
        norm, n_valid, everywhere(norm), settings(dead_search_type="absolute_rate", min_valid=3)
    )  # fmt: skip
    assert results["DEAD"].found.tolist() == [[False, False, True, False, False]]
    for name in FLAT_TYPES:
        assert results[name].insufficient.tolist() == [[True, True, False, True, False]]


def test_adj_open_without_a_response_of_its_own():
    norm = with_open((3, 3), 1, 1)
    norm[0, 0] = np.nan
    result = flat_results(norm, everywhere(norm).astype(int), everywhere(norm), settings())["ADJ_OPEN"]
    assert result.found[0, 0] and not result.insufficient[0, 0]
    k, n_valid = result.votes["ADJ_OPEN"]
    assert (k <= n_valid).all(), "more yes than votes"


def test_a_search_that_is_off_finds_nothing_and_leaves_no_pixel_insufficient():
    norm = with_open((3, 4), 1, 1)
    norm[0, 0], norm[2, 3] = 0.0, np.nan
    n_valid, science = everywhere(norm).astype(int), everywhere(norm)
    absolute = {"dead_search_type": "absolute_rate"}
    dead_only = flat_results(norm, n_valid, science, settings(low_qe_and_open_search=False, **absolute))
    open_only = flat_results(norm, n_valid, science, settings(dead_search=False, **absolute))
    assert {name for name, v in dead_only.items() if v.found.any() or v.insufficient.any()} == {"DEAD"}
    assert not open_only["DEAD"].found.any() and not open_only["DEAD"].insufficient.any()
    assert positions(open_only["OPEN"].found) == {(1, 1)}
    assert all((v.votes["DEAD"][1] == 0).all() for name, v in open_only.items() if name == "DEAD")


@pytest.mark.parametrize(
    ("neighbours", "is_open"),
    [
        ((1.12, 1.12, 1.12, 1.12), True),
        ((1.12, 1.12, 1.12, 0.0), True),  # a dead neighbour
        ((1.12, 40.0, 1.12, 1.12), True),  # a hot neighbour
        ((1.12, np.nan, np.nan, 1.12), True),
        ((1.0, 1.0, 1.0, 1.0), False),
        ((40.0, 1.0, 1.0, 1.0), False),
        ((1.0, 1.0, 1.3, 1.0), False),
        ((40.0, 1.0, 1.4, 1.0), False),
        ((40.0, 40.0, 1.0, 40.0), False),
        ((1.12, 40.0, 40.0, 0.0), False),  # a single usual neighbour is no evidence
    ],
)
def test_neighbours_that_are_bad_themselves_are_no_evidence_of_an_open_pixel(neighbours, is_open):
    norm = np.ones((5, 5))
    norm[2, 2] = LOW
    for value, (dy, dx) in zip(neighbours, ALL_DIRECT, strict=True):
        norm[2 + dy, 2 + dx] = value
    found = low_qe_and_open(norm, open_neighbour_rule="robust")
    assert ((2, 2) in found["OPEN"]) == is_open == ((2, 2) not in found["LOW_QE"])


def test_the_robust_rule_at_the_corner_and_without_candidates():
    norm = with_open((4, 4), 0, 0)
    assert low_qe_and_open(norm, open_neighbour_rule="robust")["OPEN"] == {(0, 0)}
    assert low_qe_and_open(np.ones((4, 4)), open_neighbour_rule="robust")["OPEN"] == set()
