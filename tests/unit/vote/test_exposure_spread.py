"""The spread over the exposures without the most deviating exposure, against a direct computation."""

import numpy as np
import pytest

from badpix.vote.exposure_spread import ExposureSpread

SHAPE = (3, 4)


def spread_of(exposures):
    """An ExposureSpread of arrays (integration, y, x), one for each exposure."""
    spread = ExposureSpread(exposures[0].shape[1:])
    for integrations in exposures:
        for image in integrations:
            spread.add(image.astype(np.float32), 1.0)
        spread.end_exposure()
    return spread


@pytest.mark.parametrize("n_integrations", [1, 3])
def test_it_is_the_variance_without_the_most_deviating_exposure(n_integrations):
    values = np.random.default_rng(1).normal(0.5, 2, (6, n_integrations, *SHAPE))
    root = spread_of(list(values)).root()
    for y, x in np.ndindex(SHAPE):
        worst = np.argmax((values[:, :, y, x] ** 2).mean(axis=1))
        expected = np.delete(values[:, :, y, x], worst, axis=0).var(ddof=1)
        assert root[y, x] ** 3 == pytest.approx(expected, rel=1e-4)


def test_missing_values_abstain():
    values = np.random.default_rng(2).normal(0, 2, (6, 1, *SHAPE))
    values[2, 0, 0, 0] = np.nan
    few = values.copy()
    few[:3] = np.nan  # three exposures, of which two remain
    without = np.delete(values[:, 0, 0, 0], 2)
    expected = np.delete(without, np.argmax(without**2)).var(ddof=1)
    assert spread_of(list(values)).root()[0, 0] ** 3 == pytest.approx(expected, rel=1e-4)
    assert np.isnan(spread_of(list(few)).root()).all()


def test_a_dark_without_scale_does_not_count():
    spread = spread_of(list(np.random.default_rng(3).normal(0, 1, (5, 1, *SHAPE))))
    before = spread.root()
    spread.add(np.full(SHAPE, 1000, np.float32), 0.0)
    spread.end_exposure()
    np.testing.assert_array_equal(spread.root(), before)


@pytest.mark.parametrize(("n_exposures", "n_integrations"), [(4, 1), (8, 2), (10, 5)])
def test_normal_noise_is_found_at_most_as_often_as_configured(n_exposures, n_integrations):
    values = np.random.default_rng(4).standard_normal((n_exposures, n_integrations, 400, 400))
    found, limit = spread_of(list(values)).significant(np.arange(160000), 1e-3)
    assert 20 <= found.sum() <= 1.5 * 160 and limit > 1


def test_a_single_bad_exposure_makes_no_spread_and_two_states_do():
    values = np.random.default_rng(5).standard_normal((8, 2, 100, 100))
    values[3, :, 0, 0] += 100
    values[::2, :, 1, 1] += 8
    found, _ = spread_of(list(values)).significant(np.arange(10000), 1e-6)
    assert not found[0, 0] and found[1, 1] and found.sum() == 1


def test_a_noisier_pixel_needs_more():
    values = np.random.default_rng(6).standard_normal((8, 2, 100, 100))
    values[:, :, 0, 0] *= 5
    noise = np.ones((100, 100))
    noise[0, 0] = 5
    spread = spread_of(list(values))
    assert spread.significant(np.arange(10000), 1e-6)[0][0, 0]
    assert not spread.significant(np.arange(10000), 1e-6, noise)[0][0, 0]


def test_an_exposure_of_one_integration_counts_as_one_of_several_also_beyond_8_bits():
    images = np.random.default_rng(3).normal(0, 2, (300, *SHAPE)).astype(np.float32)
    images[::7, 0, 0] = np.nan
    alone = ExposureSpread(SHAPE)
    for image in images:
        for rows in (slice(0, 2), slice(2, 3)):
            alone.add(image[rows], 1.5, alone=True, rows=rows)
        alone.end_exposure()
    one_by_one = ExposureSpread(SHAPE)
    for image in images:
        one_by_one.add(image, 1.5)
        one_by_one.end_exposure()
    np.testing.assert_array_equal(alone.root(), one_by_one.root())
    assert alone.kept[0][1, 1] == 299
