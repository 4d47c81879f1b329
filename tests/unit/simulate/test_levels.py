"""Effects that raise areas of the darks, and detectors with several percent of bad pixels."""

import numpy as np
import pytest

from badpix.simulate.detector import make_detector
from badpix.simulate.effects import Effects
from badpix.simulate.exposure import Exposure
from badpix.simulate.headers import make_geometry
from badpix.simulate.levels import added_bias, added_rate
from badpix.simulate.populations import DEMO, SURVEY
from badpix.simulate.ramps import exposure_maps

DARK, FLAT = (Exposure(kind, 1, 1, 5) for kind in ("dark", "flat"))
# Effect -> exposures in which it adds counts.
ADDS = {"bias_rows": 200.0, "glow": 500.0, "persistence": 500.0, "light_leak": 500.0}


def geometry(instrument="NIRISS", size=64):
    return make_geometry(instrument, size)


@pytest.mark.parametrize("name", ADDS)
def test_an_effect_adds_its_signal_to_the_science_pixels_and_nothing_else(name):
    effects, fourth = Effects(**{name: ADDS[name]}), Exposure("dark", 4, 1, 5)  # the fourth dark has the light leak
    plain, changed = (make_detector(geometry(), 3, SURVEY, e) for e in (Effects(), effects))
    before, after = (exposure_maps(d, fourth, 3) for d in (plain, changed))
    science, gain = ~changed.reference, changed.gain_e_per_dn
    if name == "bias_rows":
        added, expected = after.bias_dn - before.bias_dn, added_bias(geometry(), effects, fourth, 3)
        unchanged = before.electrons_per_frame, after.electrons_per_frame
    else:
        added = (after.electrons_per_frame - before.electrons_per_frame) / gain / geometry().frame_time_s
        expected, unchanged = added_rate(geometry(), effects, fourth, 3), (before.bias_dn, after.bias_dn)
    assert ADDS[name] / 10 < expected.max() < 2 * ADDS[name]
    few = before.electrons_per_frame < 1e3  # the counts of hot pixels round off what is added
    np.testing.assert_allclose(added[few], (expected * science)[few], atol=0.01)
    np.testing.assert_array_equal(*unchanged)


def test_flats_have_neither_persistence_nor_light_leak_nor_drift():
    effects = Effects(persistence=1, light_leak=1, bias_rows=1)
    assert added_rate(geometry(), effects, FLAT, 3) is None and added_bias(geometry(), effects, FLAT, 3) is None
    assert added_rate(geometry(), Effects(glow=1), FLAT, 3).max() == pytest.approx(1)


def test_persistence_decays_and_a_leak_is_in_every_fourth_dark():
    first, second = (added_rate(geometry(), Effects(persistence=1), Exposure("dark", n, 1, 5), 3) for n in (1, 2))
    np.testing.assert_allclose(first, 2 * second)
    leaks = [added_rate(geometry(), Effects(light_leak=1), Exposure("dark", n, 1, 5), 3).max() for n in range(1, 9)]
    assert [leak > 0 for leak in leaks] == [n % 4 == 0 for n in range(1, 9)]


@pytest.mark.parametrize("instrument", ["NIRISS", "MIRI"])  # lines along y, and along x
def test_a_block_of_lines_drifts_by_another_amount_in_each_dark(instrument):
    of = geometry(instrument)
    images = [added_bias(of, Effects(bias_rows=100), Exposure("dark", n, 1, 5), 3) for n in (1, 2, 3)]
    for image in images:
        block = image != 0
        assert (block.all(axis=1) if of.fast_along_x else block.all(axis=0)).sum() == 8 and np.ptp(image[block]) == 0
        assert np.array_equal(block, images[0] != 0)
    assert len({image.max() for image in images}) == 3


@pytest.mark.parametrize("population", [DEMO, SURVEY])
@pytest.mark.parametrize(
    ("name", "behaviours"), [("more_hot", {"hot"}), ("more_low_qe", {"low_qe"}), ("more_bad", None)]
)
def test_more_bad_pixels(population, name, behaviours):
    of = geometry(size=128)
    plain, dense = (make_detector(of, 3, population, e) for e in (Effects(), Effects(**{name: 0.12})))
    n_plain = len(plain.pixels)
    assert dense.pixels[:n_plain].tobytes() == plain.pixels.tobytes()
    added = dense.pixels[n_plain:]
    assert len(added) == round(0.12 * (~plain.reference).sum())
    places = list(zip(dense.pixels["y"], dense.pixels["x"], strict=True))
    assert len(set(places)) == len(places) and not dense.reference[added["y"], added["x"]].any()
    types = [population.types[code - 1] for code in np.unique(added["code"])]
    assert all(planted.permanent and planted.expected for planted in types)
    if behaviours:
        assert {planted.behaviour for planted in types} == behaviours
    else:
        assert {"dead", "low_qe", "hot", "rc", "telegraph", "noisy"} <= {planted.behaviour for planted in types}


def test_too_many_bad_pixels():
    with pytest.raises(ValueError, match="effect more_bad: .* do not fit, only"):
        make_detector(geometry(), 3, DEMO, Effects(more_bad=0.9))
