"""Limits of dark slopes in e-/s: the gain of each pixel, the noise limit, and cold pixels."""

import numpy as np
import pytest

from badpix.formats.type_result import TypeResult
from badpix.vote.dark_extended import DarkExtended
from badpix.vote.searches.base import Context
from badpix.vote.searches.registry import configured_searches
from unit.vote.adding import add
from unit.vote.test_dark_extended import PIXEL, SETTINGS, SHAPE, exposure

# The slopes of healthy pixels have a scatter of 0.05 DN/s about 0.01 DN/s.
ELECTRONS = SETTINGS | {
    "hot_rate_threshold": None, "warm_rate_threshold": 0.0, "cold_rate_threshold": None,
    "hot_rate_threshold_e_per_s": 8.0, "warm_rate_threshold_e_per_s": 1.0,
}  # fmt: skip
OTHER = (10, 10)


def voted(pixels, gain, n=8, **changes):
    """The searches after `n` darks in which `pixels` (position -> plane -> value) are bad."""
    context = Context(np.ones(SHAPE, bool), n, n, 1e-5, 1, gain=gain)
    beyond = DarkExtended(configured_searches(ELECTRONS | changes), context)
    for seed in range(n):
        add(beyond, exposure(seed, pixels))
    return beyond.results(), beyond


def test_each_pixel_has_the_limit_of_its_gain():
    gain = np.full(SHAPE, 1.0, np.float32)
    gain[OTHER] = 4.0
    results, _ = voted({PIXEL: {"SLOPE": 3.0}, OTHER: {"SLOPE": 3.0}}, gain)
    assert results["warm"].found[PIXEL] and not results["hot"].found[PIXEL], "3 e-/s"
    assert results["hot"].found[OTHER] and not results["warm"].found[OTHER], "12 e-/s"
    gain[OTHER] = 0.2
    results, _ = voted({OTHER: {"SLOPE": 3.0}}, gain)
    assert not results["hot"].found[OTHER] and not results["warm"].found[OTHER], "0.6 e-/s"


def test_with_a_common_gain_the_unit_makes_no_difference():
    pixels = {PIXEL: {"SLOPE": 3.0}, OTHER: {"SLOPE": 6.0}, (20, 20): {"SLOPE": 0.7}}
    electrons, _ = voted(pixels, 1.6)
    dn, _ = voted(pixels, None, hot_rate_threshold=5.0, warm_rate_threshold=0.625, hot_rate_threshold_e_per_s=None,
                  warm_rate_threshold_e_per_s=None)  # fmt: skip
    for name in ("hot", "warm"):
        assert np.array_equal(electrons[name].found, dn[name].found) and electrons[name].found.any()
        assert not electrons[name].insufficient.any()


def test_a_limit_below_the_noise_leaves_pixels_unclassified():
    """Noise limit of a vote: at least 2.5 x 0.05 = 0.125 DN/s; 0.1 e-/s at 1.6 e-/DN are 0.0625 DN/s."""
    results, beyond = voted({PIXEL: {"SLOPE": 2.0}, OTHER: {"SLOPE": 9.0}}, 1.6, warm_rate_threshold_e_per_s=0.1)
    warm, hot = results["warm"], results["hot"]
    assert warm.found[PIXEL] and hot.found[OTHER] and warm.found.sum() == hot.found.sum() == 1
    assert warm.insufficient.sum() == warm.insufficient.size - 2, "all but the two with a significant slope"
    assert not hot.insufficient.any(), "8 e-/s are beyond the noise"
    (warning,) = beyond.warnings
    assert f"warm: {SHAPE[0] * SHAPE[1] - 2} pixels" in warning and "warm_rate_threshold_e_per_s, 0.1 e-/s" in warning
    results, beyond = voted({}, 1.6, warm_rate_threshold_e_per_s=None, warm_rate_threshold=0.0625)
    assert not results["warm"].insufficient.any() and not beyond.warnings, "limits in DN/s are as they were"


def test_a_noisy_pixel_alone_cannot_be_tested():
    results, beyond = voted({PIXEL: {"CDS_NOISE": 200.0}}, 1.6, warm_rate_threshold_e_per_s=1.0)
    assert np.argwhere(results["warm"].insufficient).tolist() == [list(PIXEL)]
    assert beyond.warnings[0].startswith("warm: 1 pixels")


def test_another_search_for_the_type_does_not_settle_an_untested_pixel():
    """The official vote on saturation is valid everywhere; it does not show a slope of 0.1 e-/s."""
    none, everywhere = np.zeros((1, 3), bool), np.ones((1, 3), bool)
    found = np.array([[True, False, False]])
    official = TypeResult(found, none)
    untested = TypeResult(none, everywhere, untested=everywhere)
    assert official.either(untested).insufficient.tolist() == [[False, True, True]]
    assert untested.either(official).insufficient.tolist() == [[False, True, True]]
    assert not official.either(TypeResult(none, everywhere)).insufficient.any()


def test_without_a_gain_there_is_no_limit():
    with pytest.raises(ValueError, match="rate_threshold_e_per_s needs the gain; set gain_e_per_dn"):
        voted({}, None, n=1)


def test_a_cold_pixel_is_below_the_limit_and_the_noise():
    pixels = {PIXEL: {"SLOPE": -1.0}, OTHER: {"SLOPE": -0.3}}
    results, beyond = voted(pixels, None, hot_rate_threshold_e_per_s=None, cold_rate_threshold=-0.5)
    cold = results["cold"]
    assert np.argwhere(cold.found).tolist() == [list(PIXEL)], "-0.3 DN/s is significant, and above the limit"
    assert not cold.insufficient.any() and not beyond.warnings


def test_a_cold_limit_near_the_typical_slope_cannot_be_tested():
    """A limit of 0.004 e-/s lies within the noise of slopes of 0.01 +- 0.05 DN/s."""
    results, beyond = voted({PIXEL: {"SLOPE": -1.0}}, 1.6, cold_rate_threshold_e_per_s=0.004)
    cold = results["cold"]
    assert cold.found[PIXEL] and cold.found.sum() == 1 and cold.insufficient.sum() == cold.insufficient.size - 1
    assert any("cold: 4799 pixels" in warning for warning in beyond.warnings)
