"""Vote and significance of one measured quantity, on images of random noise with a few bad pixels."""

import numpy as np
import pytest

from badpix.vote.outlier_test import HIGH, LOW, OutlierTest

SHAPE = (200, 300)
BAD = (20, 30)


def run(n, change=lambda values, i: None, probability=1e-4, fraction=0.75, seed=1, **options):
    """An OutlierTest of `n` noise images (mean 5, sigma 2) after `change(values, i)`."""
    rng = np.random.default_rng(seed)
    test = OutlierTest(np.ones(SHAPE, bool), n, fraction, probability, **options)
    for i in range(n):
        values = rng.normal(5, 2, SHAPE).astype(np.float32)
        change(values, i)
        test.add(values)
    return test


def put(height, exposures=None):
    """Raise pixel BAD by `height` sigma in some exposures (None: all)."""

    def change(values, i):
        if exposures is None or i in exposures:
            values[BAD] += 2 * height

    return change


@pytest.mark.parametrize("n", [1, 5, 8, 20, 100])
def test_no_more_false_flags_than_configured(n):
    """60,000 pixels at 1e-4: six false flags expected on each side."""
    test = run(n)
    for side in (HIGH, LOW):
        assert test.found(side, 1).sum() <= 6 + 3 * np.sqrt(6)


@pytest.mark.parametrize("n", [5, 8, 20, 100])
@pytest.mark.parametrize("side", [HIGH, LOW])
def test_a_bad_pixel_is_found_on_its_side(n, side):
    test = run(n, put(side * 6))
    assert test.found(side, 1)[BAD]
    assert not test.found(-side, 1)[BAD]


@pytest.mark.parametrize("n_bad", [1, 2, 3])
def test_a_minority_is_intermittent_and_not_found(n_bad):
    test = run(8, put(100, range(n_bad)))
    assert not test.found(HIGH, 1)[BAD]
    assert test.intermittent(HIGH)[BAD]
    # The mean alone would flag the pixel.
    assert test.mean()[BAD] > 10


def test_six_of_eight_are_enough_at_three_quarters():
    assert run(8, put(100, range(6))).found(HIGH, 1)[BAD]


def test_natural_differences_between_pixels_count_as_scatter():
    """Pixels that differ by 10 sigma of the noise of one image are not all outliers."""
    offsets = np.random.default_rng(2).normal(0, 20, SHAPE).astype(np.float32)

    def change(values, i):
        values += offsets

    assert run(20, change).found(HIGH, 1).sum() <= 6 + 3 * np.sqrt(6)


@pytest.mark.parametrize("side", [HIGH, LOW])
@pytest.mark.parametrize("n", [3, 4, 8])
def test_a_cosmic_ray_makes_no_mean_significant(n, side):
    """Healthy pixels differ by 20, as the bias of MIRI does: a pixel at 3 sigma has all votes, and one cosmic ray."""
    offsets = np.random.default_rng(2).normal(0, 20, SHAPE).astype(np.float32)
    offsets[BAD], offsets[0, 0] = side * 60, side * 130

    def change(values, i):
        values += offsets
        values[BAD] += side * 2000 * (i == 1)

    test = run(n, change)
    assert test.votes[side][BAD] == n and side * test.mean()[BAD] > 130
    found = test.found(side, 1)
    assert not found[BAD] and found[0, 0]


def test_only_the_sides_of_interest_are_counted():
    both, high = run(5, put(6)), run(5, put(6), sides={HIGH})
    np.testing.assert_array_equal(both.found(HIGH, 1), high.found(HIGH, 1))
    np.testing.assert_array_equal(both.intermittent(HIGH), high.intermittent(HIGH))
    assert high.votes[LOW].size == high.largest[LOW].size == 0


def test_nan_abstains_and_infinity_exceeds_all_limits():
    def change(values, i):
        values[0, 0] = np.nan
        values[0, 1] = np.inf

    test = run(5, change)
    assert test.n_valid[0, 0] == 0 and np.isnan(test.mean()[0, 0])
    assert not test.has_enough_votes(1)[0, 0] and not test.found(HIGH, 1)[0, 0]
    assert test.found(HIGH, 1)[0, 1]


def test_votes_need_min_deviation():
    test = OutlierTest(np.ones(SHAPE, bool), 5, 0.75, 1e-4)
    rng = np.random.default_rng(1)
    floor = np.zeros(SHAPE)
    floor[BAD] = 30
    for _ in range(5):
        values = rng.normal(5, 2, SHAPE)
        values[BAD] += 20
        values[0, 0] += 20
        test.add(values, floor)
    assert not test.found(HIGH, 1)[BAD]
    assert test.found(HIGH, 1)[0, 0]


def test_a_noisy_pixel_needs_a_larger_mean():
    test = run(8, put(4))
    assert test.found(HIGH, 1)[BAD]
    scale = np.ones(SHAPE)
    scale[BAD] = 10
    assert not test.found(HIGH, 1, scale)[BAD]


def test_each_region_has_its_own_level_and_scatter():
    left, right = np.s_[:, :150], np.s_[:, 150:]

    def change(values, i):
        values[right] = 50 + 10 * (values[right] - 5)
        values[5, 200] += 40  # 2 sigma of the right half, 20 sigma of the left half

    test = run(8, change, regions=(left, right))
    assert test.found(HIGH, 1).sum() <= 6 + 3 * np.sqrt(6)
    assert not test.found(HIGH, 1)[5, 200]


def test_reference_pixels_are_neither_measured_nor_found():
    science = np.ones(SHAPE, bool)
    science[:, :200] = False
    test = OutlierTest(science, 3, 0.75, 1e-4)
    for i in range(3):
        values = np.random.default_rng(i).normal(5, 2, SHAPE)
        values[:, :200] = 1e6
        test.add(values)
    assert not test.found(HIGH, 1)[:, :200].any()
    assert abs(test.mean()[:, 200:].mean()) < 0.1


def test_a_pixel_with_few_valid_values_needs_a_larger_mean():
    """2.8 sigma in one of 20 integrations is less than the 3.7 sigma of 1e-4; in all 20 integrations it is enough."""

    def change(values, i):
        values[BAD] = 5 + 2 * 2.8
        values[0, 0] = np.nan if i else 5 + 2 * 2.8

    found = run(20, change).found(HIGH, 1)
    assert found[BAD] and not found[0, 0]


def test_a_healthy_detector_has_hardly_an_intermittent_pixel():
    """A probability of 1e-4 / 8 in each of eight integrations gives six of 60,000 pixels."""
    assert run(8).intermittent(HIGH).sum() <= 6 + 3 * np.sqrt(6)


def test_what_is_not_certain_is_not_intermittent():
    values = np.random.default_rng(1).normal(5, 2, SHAPE)
    values[BAD] = 105
    for limit, certain in ((90, True), (110, False)):
        test = OutlierTest(np.ones(SHAPE, bool), 8, 0.75, 1e-4)
        test.add(values, min_certain=limit)
        assert test.intermittent(HIGH)[BAD] == certain
        assert test.votes[HIGH][BAD] == 1


# ---------------------------------------------------------------- an integration with deviations of its own

GRADIENT = np.broadcast_to(np.linspace(0, 3000, SHAPE[1], dtype=np.float32), SHAPE)


def spoil(kind, rng):
    """Change the values of a healthy integration: `kind` of fault, as a function of the values (changed in place)."""

    def gradient(values):
        values += GRADIENT

    def noise(values):
        values += rng.normal(0, 100, SHAPE)

    def quiet(values):
        values[:] = 5 + rng.normal(0, 1e-3, SHAPE)

    def part_without_noise(values):
        values[:] = np.where(np.arange(SHAPE[1]) < SHAPE[1] * 2 // 3, 20 + rng.normal(0, 1e-3, SHAPE), values)

    def mostly_without_noise(values):
        values[:] = np.where(rng.random(SHAPE) < 0.8, 5 + rng.normal(0, 1e-3, SHAPE), values)

    def constant(values):
        values[:] = 5

    return locals()[kind]


FAULTS = ("gradient", "noise", "quiet", "part_without_noise", "mostly_without_noise", "constant")


def with_a_spoiled_integration(kind, n, position, height, n_pixels=200, **options):
    """Bad pixels of `height` sigma in all integrations but the spoiled one; (OutlierTest, boolean image of them)."""
    bad = np.zeros(SHAPE, bool)
    bad.ravel()[np.random.default_rng(3).choice(bad.size, n_pixels, replace=False)] = True
    fault = spoil(kind, np.random.default_rng(4))

    def change(values, i):
        if i == position:
            fault(values)
        else:
            values[bad] += 2 * height

    return run(n, change, **options), bad


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("position", [0, 7])
def test_a_spoiled_integration_hides_no_bad_pixels(kind, position):
    test, bad = with_a_spoiled_integration(kind, 8, position, height=6)
    found = test.found(HIGH, 1)
    assert (found & bad).sum() >= 198
    assert (found & ~bad).sum() <= 6 + 3 * np.sqrt(6)
    assert test.found(LOW, 1).sum() <= 6 + 3 * np.sqrt(6)


@pytest.mark.parametrize("n", [4, 5, 20])
def test_a_spoiled_integration_among_few_and_many(n):
    test, bad = with_a_spoiled_integration("gradient", n, 1, height=6)
    assert (test.found(HIGH, 1) & bad).sum() >= 198
    assert (test.found(HIGH, 1) & ~bad).sum() <= 6 + 3 * np.sqrt(6)


@pytest.mark.parametrize("kind", [None, "gradient", "noise", "quiet"])
@pytest.mark.parametrize("n", [1, 2, 3, 8, 40])
def test_the_rate_of_significant_means_is_the_configured_rate(kind, n):
    """Normal noise only; 600 of 60,000 pixels are expected at 1e-2, also with a spoiled integration."""
    test = run(n, lambda values, i: kind and i == 0 and spoil(kind, np.random.default_rng(4))(values), probability=1e-2)
    test.found(HIGH, 1)
    ((centre, margin),) = test.mean_limits[HIGH]
    rate = np.mean(test.mean() > centre + margin)
    # A gradient has a flat distribution without tails, so fewer of its sums with noise are large.
    assert (0 if kind == "gradient" else 0.0085) <= rate < 0.0115


def test_the_mean_is_in_the_unit_of_the_values_with_weights_of_one_over_the_scale():
    """Noise of 2 and of 6: relative weights 1.5 and 0.5, as 3 is their harmonic mean."""
    test = OutlierTest(np.ones(SHAPE, bool), 2, 0.75, 1e-4)
    rng = np.random.default_rng(1)
    quiet, noisy = rng.normal(5, 2, SHAPE), rng.normal(9, 6, SHAPE)
    quiet[BAD], noisy[BAD] = 25, 69
    test.add(quiet)
    test.add(noisy)
    np.testing.assert_allclose(test.weights()[:, 0], [1.5, 0.5], rtol=0.02)
    np.testing.assert_allclose(test.typical_scales(), 3, rtol=0.02)
    assert test.mean()[BAD] == pytest.approx((1.5 * 20 + 0.5 * 60) / 2, rel=0.02)
    test.found(HIGH, 1)
    ((centre, margin),) = test.mean_limits[HIGH]
    # The mean of 1.5 x noise of 2 and 0.5 x noise of 6 has the scatter 3 / sqrt(2).
    assert centre == pytest.approx(0, abs=0.05) and margin == pytest.approx(3.719 * 3 / np.sqrt(2), rel=0.02)


def test_equal_scatter_gives_equal_weights_and_the_plain_mean():
    images = [np.random.default_rng(1).permutation(np.arange(60_000.0)).reshape(SHAPE) for _ in range(3)]
    test = OutlierTest(np.ones(SHAPE, bool), 3, 0.75, 1e-4)
    deviations = [np.empty(SHAPE) for _ in images]
    for image, deviation in zip(images, deviations, strict=True):
        test.add(image, take=lambda rows, block, all_rows=deviation: all_rows.__setitem__(rows, block))
    np.testing.assert_allclose(test.weights(), 1)
    np.testing.assert_allclose(test.mean(), np.mean(deviations, axis=0), rtol=1e-5, atol=0.05)


def test_without_noise_the_votes_decide():
    test = OutlierTest(np.ones(SHAPE, bool), 4, 0.75, 1e-4)
    for _ in range(4):
        values = np.full(SHAPE, 5.0)
        values[BAD] = 6
        test.add(values)
    assert np.argwhere(test.found(HIGH, 1)).tolist() == [list(BAD)] and not test.found(LOW, 1).any()


def test_infinity_in_an_integration_without_noise_is_no_nan():
    def change(values, i):
        if i == 0:
            values[:] = 5
        values[0, 0] = np.inf

    assert run(5, change).found(HIGH, 1)[0, 0]


def test_an_integration_without_values_has_no_weight():
    def change(values, i):
        if i == 0:
            values[:] = np.nan
        values[BAD] += 12

    test = run(5, change)
    np.testing.assert_allclose(test.weights()[:, 0], [0, 1, 1, 1, 1], atol=0.02)
    assert test.found(HIGH, 1)[BAD] and test.mean()[BAD] == pytest.approx(12, abs=4)
