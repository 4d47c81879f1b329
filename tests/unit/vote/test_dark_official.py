"""The vote over the darks by the official tests, with arithmetic by hand. Images are a row of a few pixels."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from badpix.vote.dark_official import (
    DarkVote,
    Pedestal,
    _ratio_reached,
    can_count_jumps,
    integration_votes,
    pedestal_plane,
)
from badpix.vote.settings import DarkSettings
from badpix.vote.slope_scatter import SlopeScatter
from unit.vote.adding import add

N_GROUPS = 20  # windows of five groups
DEFAULTS = {
    "dark_vote_unit": "exposure", "pedestal_source": "t0", "min_valid": 1, "min_clean_slopes": 5,
    "early_cutoff_fraction": 0.25, "dark_stdev_clipping_sigma": 5.0, "dark_max_clipping_iters": 5,
    "dark_noisy_threshold": 5, "max_saturated_fraction": 0.5, "max_jump_limit": 10, "jump_ratio_threshold": 5,
    "pedestal_sigma_threshold": 5, "rc_fraction_threshold": 0.8, "low_pedestal_fraction": 0.8, "high_cr_fraction": 0.8,
}  # fmt: skip
HEALTHY = {
    "SLOPE": 1.0, "NJUMP": 0, "NJUMP_EARLY": 0, "NJUMP_LATE": 0, "NGOOD": 20, "NGOOD_EARLY": 5, "NGOOD_LATE": 5,
    "NSAT": 0, "FIRST_SAT": -1, "PEDESTAL_T0": 100.0,
}  # fmt: skip
# Planes of a pixel with each behaviour, in one integration. Pedestals are 100 +- 2 DN: limits at 90 and 110.
SHOWS = {
    "hot": {"NSAT": 20, "NGOOD": 0, "NGOOD_EARLY": 0, "NGOOD_LATE": 0, "FIRST_SAT": 0, "SLOPE": np.nan,
            "PEDESTAL_T0": np.nan},
    "high_pedestal": {"PEDESTAL_T0": 111.0},
    "rc_jumps": {"NJUMP": 10, "NJUMP_EARLY": 5, "NJUMP_LATE": 1},
    "low_pedestal": {"PEDESTAL_T0": 89.0},
    "high_cr": {"NJUMP": 10, "NJUMP_EARLY": 3, "NJUMP_LATE": 3},
    "nothing": {},
    "no_data": {"NGOOD": 0, "NGOOD_EARLY": 0, "NGOOD_LATE": 0, "SLOPE": np.nan, "PEDESTAL_T0": np.nan},
}  # fmt: skip


def settings(**changes):
    return DarkSettings.from_config(DEFAULTS | changes)


def planes(*pixels):
    """Planes (1, x) of one integration; a pixel is a dict of the values that differ from a healthy pixel."""
    columns = {name: [{**HEALTHY, **pixel}[name] for pixel in pixels] for name in HEALTHY}
    return {
        name: np.array([values], np.float32 if name in ("SLOPE", "PEDESTAL_T0") else np.int16)
        for name, values in columns.items()
    }


def exposure(*integrations):
    """An open statistics file; an integration is a list of pixels, each a name from SHOWS or a dict."""
    stack = [planes(*(SHOWS[p] if isinstance(p, str) else p for p in pixels)) for pixels in integrations]
    rows = [{"N_GROUPS": N_GROUPS, "PEDESTAL_T0_MEAN": 100.0, "PEDESTAL_T0_STD": 2.0} for _ in stack]
    images = [fits.ImageHDU(np.stack([image[name] for image in stack]), name=name) for name in HEALTHY]
    return fits.HDUList([fits.PrimaryHDU(), *images, fits.BinTableHDU(Table(rows=rows), name="INTEGRATIONS")])


def counted(exposures, **changes):
    vote = DarkVote((1, exposures[0]["SLOPE"].shape[-1]), settings(**changes))
    for statistics in exposures:
        add(vote, statistics)
    return vote


def results(exposures, **changes):
    return (vote := counted(exposures, **changes)).results(np.ones(vote.shape, bool))


def votes(*pixels, n_groups=N_GROUPS, counts_jumps=True, **changes):
    """Test -> (yes, valid) lists of one integration with pedestals of 100 +- 2 DN."""
    image = planes(*pixels)
    pedestal = Pedestal(image["PEDESTAL_T0"], 100.0, 2.0)
    found = integration_votes(image, pedestal, n_groups, settings(**changes), counts_jumps)
    return {test: (yes[0].tolist(), valid[0].tolist()) for test, (yes, valid) in found.items()}


def test_pedestal_must_be_beyond_the_limit():
    # 100 + 5 x 2 = 110 and 100 - 5 x 2 = 90 exactly are within.
    found = votes(*({"PEDESTAL_T0": dn} for dn in (89.5, 90, 100, 110, 110.5)))
    assert found["high_pedestal"][0] == [False, False, False, False, True]
    assert found["low_pedestal"][0] == [True, False, False, False, False]


def test_pedestal_tests_abstain_without_a_pedestal_and_when_saturated_in_group_1():
    pixels = ({"PEDESTAL_T0": np.nan}, {"PEDESTAL_T0": 500, "FIRST_SAT": 0}, {"PEDESTAL_T0": 500, "FIRST_SAT": 1})
    found = votes(*pixels)
    assert found["high_pedestal"][1] == found["low_pedestal"][1] == [False, False, True]
    assert found["high_pedestal"][0][2]


def test_saturated_means_in_all_groups():
    found = votes({"NSAT": 19, "NGOOD": 1}, {"NSAT": 20, "NGOOD": 0}, {"NSAT": 0, "NGOOD": 0})
    assert found["saturated"] == ([False, True, False], [True, True, False])


def test_the_jump_limit_itself_counts():
    found = votes(*({"NJUMP": n} for n in (9, 10, 11)))
    assert found["many_jumps"] == ([False, True, True], [True, True, True])


@pytest.mark.parametrize(
    ("early", "good_early", "late", "good_late", "yes"),
    [
        (5, 5, 1, 5, True),  # 1.0 / 0.2 = 5, the threshold
        (4, 5, 1, 5, False),  # 0.8 / 0.2 = 4
        (2, 2, 1, 5, True),  # 1.0 / 0.2: the rate is per group that could hold a jump
        (2, 5, 1, 5, False),  # 0.4 / 0.2 = 2
        (1, 5, 0, 5, True),  # 0.2 / 1e-6
        (0, 5, 0, 5, False),  # 0 / 1e-6
    ],
)
def test_ratio_of_rates(early, good_early, late, good_late, yes):
    pixel = {"NJUMP": 10, "NJUMP_EARLY": early, "NGOOD_EARLY": good_early, "NJUMP_LATE": late, "NGOOD_LATE": good_late}
    assert votes(pixel)["rc_jumps"] == ([yes], [True])
    assert votes(pixel | {"NJUMP": 9})["rc_jumps"] == ([False], [True]), "the ratio alone is no vote"


@pytest.mark.parametrize(("threshold", "yes"), [(1e6, True), (1.01e6, False)])
def test_a_late_rate_of_zero_counts_as_a_millionth(threshold, yes):
    pixel = {"NJUMP": 10, "NJUMP_EARLY": 5, "NJUMP_LATE": 0}  # 1.0 / 1e-6
    assert votes(pixel, jump_ratio_threshold=threshold)["rc_jumps"] == ([yes], [True])


def test_no_usable_group_in_a_window_is_no_ratio():
    found = votes({"NJUMP": 10, "NGOOD_LATE": 0}, {"NJUMP": 10, "NGOOD_EARLY": 0}, {"NJUMP": 10, "NGOOD": 0})
    assert found["rc_jumps"][1] == [False, False, False]
    assert found["many_jumps"][1] == [True, True, False]


@pytest.mark.parametrize(
    ("n_groups", "fraction", "valid"),
    [(3, 0.5, False), (4, 0.5, True), (4, 0.2, False), (5, 0.2, True)],  # windows of 1, 2, 0 and 1 groups
)
def test_short_ramps_abstain_from_the_jump_tests(n_groups, fraction, valid):
    n_good = np.full((1, 3), n_groups)
    assert can_count_jumps(n_good, n_groups, settings(early_cutoff_fraction=fraction, max_jump_limit=2)) == valid
    found = votes(SHOWS["rc_jumps"], n_groups=n_groups, counts_jumps=valid)
    assert found["many_jumps"][1] == found["rc_jumps"][1] == [valid]
    assert found["saturated"][1] == found["high_pedestal"][1] == [True]


@pytest.mark.parametrize(("n_good", "valid"), [((10, 3), False), ((11, 0), True), ((0, 0), False)])
def test_ramps_that_cannot_reach_the_limit_of_jumps_abstain(n_good, valid):
    # Of MIRI's 14 groups the last and the first two may be DO_NOT_USE: 11 usable groups have at most 10 jumps.
    assert can_count_jumps(np.array([n_good]), 14, settings()) == valid
    pixels = [{"NGOOD": n} for n in n_good]
    high_cr = results([exposure(pixels)])["high_cr"]
    assert high_cr.insufficient[0].tolist() == [not valid or n == 0 for n in n_good]


def test_a_shallow_dark_has_no_vote_on_jumps():
    """Two darks show a telegraph pixel; the third is too short to show it, and would be the no that hides it."""
    for shallow, found in ((False, False), (True, True)):
        vote = DarkVote((1, 1), settings())
        for pixel in ("high_cr", "high_cr", "nothing"):
            add(vote, exposure([pixel]), shallow=shallow and pixel == "nothing")
        results_of_set = vote.results(np.ones((1, 1), bool))
        assert results_of_set["high_cr"].found.all() == found
        assert results_of_set["low_pedestal"].votes["low_pedestal"][1].item() == 3


def test_the_pedestal_that_votes():
    miri = ["PEDESTAL", "PEDESTAL_T0", "PEDESTAL_REL", "PEDESTAL_REL_T0"]
    assert [pedestal_plane(source, miri[:2]) for source in ("t0", "fitopt")] == ["PEDESTAL_T0", "PEDESTAL"]
    assert [pedestal_plane(source, miri) for source in ("t0", "fitopt")] == ["PEDESTAL_REL_T0", "PEDESTAL_REL"]


# Of 8: 0.5 is 4, and 0.8 is 6.4.
@pytest.mark.parametrize(
    ("shown", "found_as", "needed"),
    [("hot", "hot", 4), ("high_pedestal", "rc", 7), ("rc_jumps", "rc", 7), ("low_pedestal",) * 2 + (7,),
     ("high_cr",) * 2 + (7,)],
)  # fmt: skip
@pytest.mark.parametrize("unit", ["exposure", "integration"])
def test_each_type_below_at_and_above_the_votes_needed(shown, found_as, needed, unit):
    # Pixels 0, 1, 2 show it in needed - 1, needed, needed + 1 of 8 exposures.
    numbers = range(needed - 1, needed + 2)
    darks = [exposure([shown if i < number else "nothing" for number in numbers]) for i in range(8)]
    result = results(darks, dark_vote_unit=unit)
    assert result[found_as].found.tolist() == [[False, True, True]]
    # rc_jumps are many jumps too; no further type is found.
    absent = {"hot", "rc", "low_pedestal", "high_cr"} - {found_as} - ({"high_cr"} if shown == "rc_jumps" else set())
    assert not any(result[name].found.any() for name in absent)


def test_rc_by_pedestal_or_jumps_each_with_its_own_votes():
    # Of five darks four are needed. The last pixel has two votes for each: no test has enough.
    darks = [
        exposure(["high_pedestal" if i < 4 else "nothing", "rc_jumps" if i < 4 else "nothing",
                  ("high_pedestal", "high_pedestal", "rc_jumps", "rc_jumps", "nothing")[i]])
        for i in range(5)
    ]  # fmt: skip
    result = results(darks)["rc"]
    assert result.found.tolist() == [[True, True, False]]
    votes = {test: k[0].tolist() for test, (k, _) in result.votes.items()}
    assert votes == {"high_pedestal": [4, 0, 2], "rc_jumps": [0, 4, 2]}


def test_by_exposure_and_by_integration_differ():
    # Pixel 0: 4 of 4, 0 of 1, 0 of 1: one exposure of three, four integrations of six.
    # Pixel 1: 1 of 4, 1 of 1, 1 of 1: two exposures of three, three integrations of six.
    low, no = "low_pedestal", "nothing"
    # Pixel 2: saturated in 4 of 4, 0 of 1, 0 of 1.
    first = exposure([low, low, "hot"], [low, no, "hot"], [low, no, "hot"], [low, no, "hot"])
    darks = [first, exposure([no, low, no]), exposure([no, low, no])]
    by_exposure = results(darks, low_pedestal_fraction=0.6)["low_pedestal"]
    by_integration = results(darks, low_pedestal_fraction=0.6, dark_vote_unit="integration")["low_pedestal"]
    assert by_exposure.found.tolist() == [[False, True, False]]
    assert by_integration.found.tolist() == [[True, False, False]]
    assert [image[0, :2].tolist() for image in by_exposure.votes["low_pedestal"]] == [[1, 2], [3, 3]]
    assert [image[0, :2].tolist() for image in by_integration.votes["low_pedestal"]] == [[4, 3], [6, 6]]
    for unit in ("exposure", "integration"):
        hot = results(darks, dark_vote_unit=unit)["hot"]
        assert hot.found[0, 2], "saturation votes by integration whatever the unit of votes"
        assert [int(image[0, 2]) for image in hot.votes["saturated"]] == [4, 6]


def test_an_exposure_votes_yes_with_half_of_its_valid_integrations():
    low, no, blank = "low_pedestal", "nothing", "no_data"
    # Yes in 1 of 2 (a third without data), 1 of 3, 1 of 1, 1 of 2 valid integrations; no valid integration.
    pixels = [(low, no, blank), (low, no, no), (low, blank, blank), (no, blank, low), (blank, blank, blank)]
    darks = [exposure(*([pixel[i] for pixel in pixels] for i in range(3)))]
    k, n_valid = results(darks)["low_pedestal"].votes["low_pedestal"]
    assert k.tolist() == [[1, 0, 1, 1, 0]]
    assert n_valid.tolist() == [[1, 1, 1, 1, 0]]


def test_exposures_without_data_abstain():
    # Three of four valid votes are 0.75.
    darks = [exposure(["low_pedestal"])] * 3 + [exposure(["nothing"])] + [exposure(["no_data"])] * 4
    assert results(darks, low_pedestal_fraction=0.75)["low_pedestal"].found.tolist() == [[True]]
    assert results(darks, low_pedestal_fraction=0.76)["low_pedestal"].found.tolist() == [[False]]


def test_a_pixel_without_valid_votes_is_insufficient_and_not_found():
    blank_pedestal = {"PEDESTAL_T0": np.nan}
    darks = [exposure(["no_data", blank_pedestal, "nothing", "hot"]) for _ in range(6)]
    insufficient = {name: result.insufficient[0].tolist() for name, result in results(darks).items()}
    assert insufficient.pop("hot") == [True, False, False, False]
    assert insufficient.pop("low_pedestal") == [True, True, False, True]
    # The jumps of rc are valid without a pedestal.
    assert insufficient == dict.fromkeys(("rc", "high_cr", "noisy"), [True, False, False, True])


def test_min_valid_at_its_limit():
    darks = [exposure(["low_pedestal"])] * 3 + [exposure(["no_data"])] * 2
    for min_valid, classified in ((2, True), (3, True), (4, False)):
        result = results(darks, min_valid=min_valid)["low_pedestal"]
        assert (result.found.item(), result.insufficient.item()) == (classified, not classified)


def test_reference_pixels_are_neither_found_nor_insufficient():
    vote = counted([exposure(["hot", "no_data"])] * 3)
    for result in vote.results(np.zeros((1, 2), bool)).values():
        assert not (result.found | result.insufficient).any()


@given(hnp.arrays(np.float32, (7, 1, 3), elements=st.floats(-1e4, 1e4, width=32)), hnp.arrays(bool, (7, 1, 3)))
def test_running_scatter_is_that_of_numpy(slopes, clean):
    scatter = SlopeScatter((1, 3))
    for slope, use in zip(slopes, clean, strict=True):
        scatter.add(np.where(use, slope, np.nan), use, 20)
    for x in range(3):
        values = slopes[clean[:, 0, x], 0, x].astype(np.float64)
        std, n = scatter.result()
        assert n[0, x] == len(values)
        assert std[0, x] == pytest.approx(np.std(values) if len(values) else 0, rel=1e-6, abs=1e-6)


def noise_darks(*pixels):
    """A dark per slope; a pixel is a list of slopes, where a negative slope stands for a slope with a jump."""
    columns = zip(*pixels, strict=True)
    return [exposure([{"SLOPE": abs(s), "NJUMP": int(s < 0)} for s in slopes]) for slopes in columns]


def test_noise_needs_enough_clean_slopes():
    # With jumps in 1, 2 and 3 of 6 slopes, 5, 4 and 3 are left; NaN is no slope either.
    darks = noise_darks([1, 3, 1, 3, 1, -900], [1, 3, 1, 3, -900, -900], [1, 3, 1, np.nan, -900, 1])
    vote = counted(darks)
    std, n_clean = vote.noise()
    assert n_clean.tolist() == [[5, 4, 4]]
    assert std[0, 0] == pytest.approx(np.sqrt(0.96))  # mean 1.8; (3 x 0.64 + 2 x 1.44) / 5
    assert np.isnan(std[0, 1:]).all()
    noisy = vote.results(np.ones((1, 3), bool))["noisy"]
    assert noisy.insufficient.tolist() == [[False, True, True]]
    assert not noisy.found.any()


def test_noisy_is_beyond_the_clipped_scatter_of_scatters():
    # Scatters: 20 pixels of 1, 20 of 3, one of 7 and one of 7.5, one of 100 that the clipping takes out.
    scatters = [1.0] * 20 + [3.0] * 20 + [7.0, 7.5, 100.0]
    darks = noise_darks(*([200 - s, 200 + s] * 3 for s in scatters))
    # The 42 left: sum 94.5, mean 2.25; squares 20 + 180 + 49 + 56.25 = 305.25.
    width = np.sqrt(305.25 / 42 - 2.25**2)
    threshold = (7.2 - 2.25) / width
    noisy = results(darks, dark_noisy_threshold=threshold)["noisy"]
    assert np.flatnonzero(noisy.found).tolist() == [41, 42]
    assert noisy.votes["noisy"][0].sum() == 2 and (noisy.votes["noisy"][1] == 1).all()


names = st.sampled_from(sorted(SHOWS))
# Exposures of integrations of two pixels.
some_darks = st.lists(st.lists(st.tuples(names, names), min_size=1, max_size=2), min_size=1, max_size=4)


def outcome(exposures, unit):
    """All results as a list of images: found and insufficient, then k and n_valid of every vote count."""
    by_type = results([exposure(*integrations) for integrations in exposures], dark_vote_unit=unit, min_clean_slopes=2)
    counts = [count for result in by_type.values() for pair in result.votes.values() for count in pair]
    assert (np.array(counts[0::2]) <= np.array(counts[1::2])).all(), "more yes than votes"
    images = [image for result in by_type.values() for image in (result.found, result.insufficient)]
    return [image.tolist() for image in (*images, *counts)]


@given(some_darks, st.sampled_from(["exposure", "integration"]), st.randoms(use_true_random=False), st.integers(0, 4))
@hypothesis_settings(max_examples=25, deadline=None)
def test_neither_the_order_nor_an_exposure_that_abstains_changes_anything(exposures, unit, random, where):
    before = outcome(exposures, unit)
    random.shuffle(exposures)
    exposures.insert(where, [("no_data", "no_data")])
    assert outcome(exposures, unit) == before


@pytest.mark.parametrize(
    ("early", "n_early", "late", "n_late", "threshold", "reached"),
    [
        (3, 5, 1, 5, 3, True),  # (3/5) / (1/5) is 2.9999999999999996 in floating point
        (1, 9, 1, 45, 5, True),
        (7, 10, 7, 50, 5, True),
        (7, 10, 7, 49, 5, False),  # 4.9
        (1, 5, 0, 5, 200_000, True),  # a late rate of 0 counts as 1e-6: 0.2 / 1e-6
        (1, 5, 0, 5, 200_001, False),
        (0, 5, 0, 5, 1, False),
    ],
)
def test_the_ratio_of_jump_rates_is_exact(early, n_early, late, n_late, threshold, reached):
    counts = {"NJUMP_EARLY": early, "NGOOD_EARLY": n_early, "NJUMP_LATE": late, "NGOOD_LATE": n_late}
    planes = {name: np.array([[value]], dtype=np.int16) for name, value in counts.items()}
    assert bool(_ratio_reached(planes, threshold)[0, 0]) == reached


# ---------------------------------------------------------------- segments


@pytest.mark.parametrize(
    ("unit", "found"),
    # By exposure: 1 and 2 of 3; by integration: 4 and 2 of 6. Half is needed. With an exposure
    # per segment the first pixel would have 2 of 4.
    [("exposure", [False, True]), ("integration", [True, False])],
)
def test_the_segments_of_an_exposure_have_one_vote_together(unit, found):
    low, no = "low_pedestal", "nothing"
    segments = [exposure([low, no], [low, no]), exposure([low, no], [low, no])]
    vote = DarkVote((1, 2), settings(dark_vote_unit=unit, low_pedestal_fraction=0.5))
    add(vote, *segments)
    add(vote, exposure([no, low]))
    add(vote, exposure([no, low]))
    result = vote.results(np.ones((1, 2), bool))["low_pedestal"]
    assert result.found[0].tolist() == found
    n_valid = {"exposure": [3, 3], "integration": [6, 6]}[unit]
    assert result.votes["low_pedestal"][1][0].tolist() == n_valid


def test_a_segment_without_data_leaves_the_vote_to_the_remaining_segments():
    vote = DarkVote((1, 1), settings(low_pedestal_fraction=1.0))
    add(vote, exposure(["no_data"], ["no_data"]), exposure(["low_pedestal"]))
    assert vote.results(np.ones((1, 1), bool))["low_pedestal"].found.all()
