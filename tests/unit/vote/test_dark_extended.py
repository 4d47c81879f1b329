"""The searches of darks beyond the official algorithm, on statistics of a quiet detector with a few bad pixels."""

import numpy as np
import pytest
from astropy.io import fits

from badpix.formats.type_result import TypeResult
from badpix.instrument.readout import GroupTimes
from badpix.vote.dark_extended import DarkExtended, dark_results
from badpix.vote.dark_official import OFFICIAL_TESTS
from badpix.vote.searches.base import WHOLE_ARRAY, Context
from badpix.vote.searches.noise import read_noise_of_differences
from badpix.vote.searches.rate import RateSearch
from badpix.vote.searches.registry import configured_searches
from unit.vote.adding import add

SHAPE = (60, 80)
GROUP_TIME_S = 10.0
N_GROUPS = 30
SETTINGS = {
    "hot_rate_threshold": 5.0, "warm_rate_threshold": 0.5, "cold_rate_threshold": -0.5,
    "hot_rate_threshold_e_per_s": None, "warm_rate_threshold_e_per_s": None, "cold_rate_threshold_e_per_s": None,
    "hot_fraction": 0.75, "pedestal_test": "significance", "ramp_shape_search": True, "noisy_test": "cds",
    "noisy_fraction": 0.5, "telegraph_search": True, "slow_telegraph_search": True, "rc_fraction_threshold": 0.75,
    "low_pedestal_fraction": 0.75, "high_cr_fraction": 0.5, "ipc_neighbor_search": False,
}  # fmt: skip
# Median and scatter of a healthy detector's planes.
HEALTHY = {
    "SLOPE": (0.01, 0.05), "VAR_SLOPE": (0.0025, 0), "VAR_POISSON": (0, 0), "CDS_NOISE": (9.0, 1.0),
    "CDS_FIRST": (0.1, 9.0),
    "CDS_EARLY": (0.1, 3.0), "CDS_LATE": (0.1, 3.0), "PEDESTAL_T0": (0.0, 15.0),
}  # fmt: skip
COUNTS = {"NSAT": 0, "FIRST_SAT": -1, "NGOOD": N_GROUPS, "N_JUMP_DOWN": 0, "N_JUMP_DOWN_5SIG": 0, "N_JUMP_UP": 0}
PIXEL = (30, 40)
# Telegraph noise by downward jumps alone.
WITHIN_RAMPS = {"slow_telegraph_search": False}


def exposure(seed, pixels, n_integrations=1):
    """An open statistics file; `pixels` maps positions to the values of bad pixels (plane -> value)."""
    rng = np.random.default_rng(seed)
    images = {
        name: rng.normal(centre, width, (n_integrations, *SHAPE)).astype(np.float32)
        for name, (centre, width) in HEALTHY.items()
    }
    images |= {name: np.full((n_integrations, *SHAPE), value, np.int16) for name, value in COUNTS.items()}
    for position, planes in pixels.items():
        for name, value in planes.items():
            images[name][:, *position] = value
    primary = fits.PrimaryHDU()
    primary.header["TGROUP"] = primary.header["TFRAME"] = GROUP_TIME_S
    return fits.HDUList([primary] + [fits.ImageHDU(image, name=name) for name, image in images.items()])


def extended(n_exposures, amplifiers=WHOLE_ARRAY, **changes):
    """The searches, before any of `n_exposures` exposures of one integration is added."""
    context = Context(np.ones(SHAPE, bool), n_exposures, n_exposures, 1e-5, 1, amplifiers)
    return DarkExtended(configured_searches(SETTINGS | changes), context)


def results(exposures, **changes):
    beyond = extended(len(exposures), **changes)
    for seed, pixels in enumerate(exposures):
        add(beyond, exposure(seed, pixels))
    return beyond.results()


def types_of(planes, n=8, n_bad=None, what="found", **changes):
    """The types of PIXEL when it shows `planes` in `n_bad` (None: all) of `n` exposures."""
    exposures = [{PIXEL: planes} if n_bad is None or i < n_bad else {} for i in range(n)]
    return {
        name
        for name, result in results(exposures, **changes).items()
        if getattr(result, what) is not None and getattr(result, what)[PIXEL]
    }


SHOWS = {
    "hot": {"SLOPE": 20.0},
    "warm": {"SLOPE": 2.0},
    "rc": {"PEDESTAL_T0": 500.0},
    "low_pedestal": {"PEDESTAL_T0": -500.0},
    "inverse_rc": {"CDS_FIRST": -200.0, "CDS_EARLY": -100.0},
    "noisy": {"CDS_NOISE": 40.0},
    "high_cr": {"N_JUMP_DOWN": 4, "N_JUMP_UP": 4},
    "cold": {"SLOPE": -2.0},
}


@pytest.mark.parametrize("name", SHOWS)
@pytest.mark.parametrize("n", [5, 8, 20])
def test_each_type_is_found_and_no_further_type(name, n):
    assert types_of(SHOWS[name], n) == {name}


@pytest.mark.parametrize("name", sorted(SHOWS.keys() - {"warm", "inverse_rc", "cold"}))
def test_a_minority_is_listed_and_not_found(name):
    assert types_of(SHOWS[name], 8, n_bad=3) == set()
    assert name in types_of(SHOWS[name], 8, n_bad=3, what="intermittent")


# Type -> values that seven darks clearly show, and the planes that a fault of the eighth dark changes by up to a size.
FAULTS = {
    "hot": ({"SLOPE": 6.0}, {"SLOPE": 300.0}),  # light leak
    "warm": ({"SLOPE": 1.0}, {"SLOPE": 300.0}),
    "rc": ({"PEDESTAL_T0": 150.0}, {"PEDESTAL_T0": 4000.0}),  # drift of the bias
    "low_pedestal": ({"PEDESTAL_T0": -150.0}, {"PEDESTAL_T0": 4000.0}),
    "inverse_rc": ({"CDS_FIRST": -100.0, "CDS_EARLY": -40.0}, {"CDS_FIRST": 3000.0, "CDS_EARLY": 2000.0}),
    "noisy": ({"CDS_NOISE": 18.0}, {"CDS_NOISE": 3000.0}),  # electromagnetic interference
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("position", [0, 7])
def test_a_dark_with_a_fault_hides_nothing_that_seven_darks_show(name, position):
    shown, fault = FAULTS[name]
    beyond = extended(8)
    for seed in range(8):
        statistics = exposure(seed, {PIXEL: shown} if seed != position else {})
        if seed == position:
            for plane, size in fault.items():
                statistics[plane].data += np.linspace(0, size, SHAPE[1], dtype=np.float32)
        add(beyond, statistics)
    found = {kind: result.found for kind, result in beyond.results().items()}
    assert {kind for kind in found if found[kind][PIXEL]} == {name}
    assert sum(image.sum() for image in found.values()) == 1


def test_a_healthy_detector_has_no_bad_pixels():
    found = {name: int(result.found.sum()) for name, result in results([{}] * 8).items()}
    assert found == dict.fromkeys(found, 0) and found.keys() == set(SHOWS)


def test_rc_by_the_first_difference_or_by_the_early_differences():
    assert types_of({"CDS_FIRST": 300.0}) == {"rc"}
    assert types_of({"CDS_EARLY": 60.0}) == {"rc"}


def test_a_change_of_slope_that_is_small_against_the_slope_does_not_count():
    bent = {"CDS_FIRST": 2200.0, "CDS_EARLY": 2200.0, "CDS_LATE": 2000.0, "SLOPE": 200.0}
    assert types_of(bent) == {"hot"}
    assert types_of(bent | {"CDS_EARLY": 2700.0}) == {"hot", "rc"}


def test_a_pedestal_that_the_signal_of_the_pixel_explains_does_not_count():
    # 100 DN/s for 10 s are 1000 DN per group; half of them is the limit.
    assert types_of({"SLOPE": 100.0, "PEDESTAL_T0": 450.0}) == {"hot"}
    assert types_of({"SLOPE": 100.0, "PEDESTAL_T0": 550.0}) == {"hot", "rc"}


def test_saturated_without_a_slope_is_hot_and_has_no_pedestal():
    no_value = dict.fromkeys(("SLOPE", "VAR_POISSON", "CDS_NOISE", "CDS_FIRST", "CDS_EARLY", "CDS_LATE"), np.nan)
    assert types_of(no_value | {"NSAT": 29, "NGOOD": 1, "FIRST_SAT": 0, "PEDESTAL_T0": 5000.0}) == {"hot"}


def test_a_pixel_without_data_is_insufficient():
    no_value = dict.fromkeys(HEALTHY, np.nan) | {"NGOOD": 0}
    by_type = results([{PIXEL: no_value}] * 5)
    assert not any(result.found[PIXEL] for result in by_type.values())
    assert all(result.insufficient[PIXEL] for result in by_type.values())


def test_downward_jumps_without_upward_jumps_are_no_telegraph_noise():
    # In eight exposures 32 downward jumps need 16 upward jumps, or one fewer by chance.
    assert types_of({"N_JUMP_DOWN": 4, "N_JUMP_UP": 1}, **WITHIN_RAMPS) == set()
    assert types_of({"N_JUMP_DOWN": 4, "N_JUMP_UP": 2}, **WITHIN_RAMPS) == {"high_cr"}
    assert types_of({"N_JUMP_DOWN": 0, "N_JUMP_UP": 20}, **WITHIN_RAMPS) == set()


@pytest.mark.parametrize(("n_5sig", "flagged"), [([3, 3, 3, 0], False), ([3, 3, 3, 1], True), ([2, 2, 2, 0], True)])
def test_a_small_downward_jump_is_no_vote_beside_jumps_beyond_5_sigma(n_5sig, flagged):
    """Bad in three of eight exposures, and one jump down in a fourth; a weak signal has few jumps beyond 5 sigma."""
    n_down = [3, 3, 3, 1]
    bad = [{"N_JUMP_DOWN": n, "N_JUMP_DOWN_5SIG": c, "N_JUMP_UP": n} for n, c in zip(n_down, n_5sig, strict=True)]
    found = results([{PIXEL: planes} for planes in bad] + [{}] * 4, **WITHIN_RAMPS)["high_cr"]
    assert found.found[PIXEL] == flagged
    assert found.votes["jumps_down"][0][PIXEL] == (4 if flagged else 3)


def test_upward_jumps_that_cosmic_rays_make_are_no_second_level():
    """One pixel in eight is hit in each of eight exposures: 1.07 jumps up per pixel; 4 have a probability of 2.1%."""

    def types_with(n_up):
        hit = [{(row,): {"N_JUMP_UP": 1} for row in range(SHAPE[0]) if row % 8 == number} for number in range(8)]
        jumps = [{PIXEL: {"N_JUMP_DOWN": 1, "N_JUMP_UP": int(number < n_up)}} for number in range(8)]
        found = results([hits | jump for hits, jump in zip(hit, jumps, strict=True)], **WITHIN_RAMPS)
        return {name for name, result in found.items() if result.found[PIXEL]}

    assert types_with(4) == set()
    assert types_with(5) == {"high_cr"}


def test_a_noisy_pixel_is_not_hot_by_chance():
    """Its mean slope is 12 sigma of a quiet pixel, but its noise is five times the noise of a quiet pixel."""
    slopes = {"SLOPE": 0.24}
    found = results([{PIXEL: slopes, (10, 10): slopes | {"CDS_NOISE": 45.0}}] * 8, warm_rate_threshold=0.0)[
        "warm"
    ].found
    assert found[PIXEL] and not found[10, 10]


def test_shot_noise_is_subtracted():
    # 30 groups of 10 s: a Poisson variance p of the slope is p x 29 x 100 for a difference.
    planes = {"CDS_NOISE": np.array([[15.0, 9.0, 9.0, np.nan]]), "NGOOD": np.array([[30, 30, 30, 30]])}
    planes["VAR_POISSON"] = np.array([[144 / 2900, 0, -1, 0]])
    noise = np.exp(read_noise_of_differences(planes, GroupTimes(10.0, 10.0, 1), np.arange(4)))
    np.testing.assert_allclose(noise[0], [9, 9, 9, np.nan])
    # Shot noise larger than the noise leaves a tenth of the typical noise.
    planes["VAR_POISSON"][0, 0] = 1
    assert np.exp(read_noise_of_differences(planes, GroupTimes(10.0, 10.0, 1), np.arange(4)))[0, 0] == pytest.approx(
        0.9
    )


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({"hot_rate_threshold": None}, {"hot", "warm"}),
        ({"pedestal_test": "sigma"}, {"low_pedestal"}),  # the shape of the ramp also finds rc
        ({"ramp_shape_search": False}, {"inverse_rc"}),
        ({"noisy_test": "slopes"}, {"noisy"}),
        ({"telegraph_search": False, "slow_telegraph_search": False}, {"high_cr"}),
        ({"cold_rate_threshold": None}, {"cold"}),
    ],
)
def test_each_search_can_be_off(changes, gone):
    assert set(results([{}] * 3, **changes)) == set(SHOWS) - gone


def test_a_search_of_hot_pixels_that_is_off_has_no_run():
    context = Context(np.ones(SHAPE, bool), 1, 1, 1e-5, 1)
    with pytest.raises(ValueError, match="hot_rate_threshold is null"):
        RateSearch(None, 0.5, 0.75).start(context)


def test_each_amplifier_has_its_own_typical_noise():
    """A strip with four times the noise of the remaining strips is not a strip of noisy pixels."""
    beyond = extended(5, (np.s_[:, :20], np.s_[:, 20:]))
    for seed in range(5):
        statistics = exposure(seed, {PIXEL: {"CDS_NOISE": 30.0}, (3, 3): {"CDS_NOISE": 30.0}})
        statistics["CDS_NOISE"].data[:, :, :20] *= 4
        statistics["CDS_NOISE"].data[0, 3, 3] = 30.0
        add(beyond, statistics)
    found = beyond.results()["noisy"].found
    assert found[PIXEL] and found.sum() == 1


def test_saturated_in_the_first_group_has_no_pedestal():
    assert types_of({"PEDESTAL_T0": 500.0, "FIRST_SAT": 0, "NSAT": 3}) == set()


def test_a_slope_that_a_missed_cosmic_ray_may_have_is_not_intermittent(monkeypatch):
    """Differences of 90 DN: a jump of 5 x 90 DN in mid-ramp tilts 30 groups of 10 s by 1.5 x 450 / 300 = 2.25 DN/s."""
    monkeypatch.setitem(HEALTHY, "CDS_NOISE", (90.0, 5.0))
    assert "hot" not in types_of({"SLOPE": 2.2}, n_bad=1, what="intermittent")
    assert "hot" in types_of({"SLOPE": 2.5}, n_bad=1, what="intermittent")


class Official:
    """Stands for DarkVote: each test that is not replaced finds its type in all pixels."""

    def results(self, science, replaced=()):
        tests = {}
        for test in OFFICIAL_TESTS:
            if test.name not in replaced:
                tests.setdefault(test.pixel_type, []).append(test.name)
        return {name: TypeResult(science.copy(), ~science, dict.fromkeys(votes)) for name, votes in tests.items()}


@pytest.mark.parametrize(
    ("changes", "rc_tests", "kept"),
    [
        ({}, [], {"hot"}),
        ({"noisy_test": "slopes"}, [], {"hot", "noisy"}),
        ({"telegraph_search": False}, [], {"hot", "high_cr"}),
        ({"pedestal_test": "sigma"}, ["high_pedestal"], {"hot", "low_pedestal", "rc"}),
        ({"ramp_shape_search": False}, ["rc_jumps"], {"hot", "rc"}),
    ],
)
def test_searches_replace_or_complete_the_official_tests(changes, rc_tests, kept):
    science = np.ones(SHAPE, bool)
    beyond = extended(3, **changes)
    for seed in range(3):
        add(beyond, exposure(seed, {}))
    by_type = dark_results(Official(), beyond, science)
    # The searches find nothing here, so all pixels found are those of the official tests.
    assert {name for name, result in by_type.items() if result.found.any()} == kept
    assert {"high_pedestal", "rc_jumps"} & by_type["rc"].votes.keys() >= set(rc_tests)


def test_the_order_of_the_types_is_fixed():
    science, order = np.ones(SHAPE, bool), ["hot", "low_pedestal", "high_cr", "noisy", "warm", "rc", "inverse_rc"]
    beyond = extended(1)
    add(beyond, exposure(0, {}))
    assert list(dark_results(Official(), beyond, science))[: len(order)] == order


def test_without_searches_the_types_are_the_official_ones():
    science = np.ones(SHAPE, bool)
    assert list(dark_results(Official(), None, science)) == ["hot", "rc", "low_pedestal", "high_cr", "noisy"]
