"""Planting into raw ramps: what is planted is there, what is not planted stays as it was, bit for bit."""

import gzip
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from badpix.core.errors import BadExposure
from badpix.injection.files import PlantedExposure, inject, raw_rows
from badpix.injection.plan import PLANTED, Planting, places_for, plan_injection
from badpix.injection.plant import Exposure, added_signal, brightened, dimmed, neighbours_of_open, plant, to_counts
from badpix.instrument.irs2 import science_rows
from badpix.instrument.readout import GroupTimes

DARK = Exposure(False, GroupTimes(2.0, 2.0, 1), 2.0)
FLAT = Exposure(True, GroupTimes(2.0, 2.0, 1), 2.0)
STRENGTHS = {"dead": [0.0], "low_qe": [0.3, 0.4], "open": [0.1], "hot": [1.0, 10.0], "noisy": [3.0]}


def pixels_of(kind, strength, number, second=np.nan, noise=5.0):
    return pd.DataFrame(
        {
            "x": np.arange(number),
            "y": 0,
            "type": kind,
            "strength": float(strength),
            "second": float(second),
            "read_noise_dn": noise,
        }
    )


def planting(number, seed, kinds=("darks", "flats")):
    injection = {"strengths": STRENGTHS, "pixels_per_strength": number, "seed": seed}
    return Planting.from_config(injection, kinds)


def rng():
    return np.random.default_rng(7)


# ---------------------------------------------------------------- where


def test_a_plan_has_as_many_of_each_away_from_each_other():
    free = np.ones((60, 60), bool)
    plan = plan_injection(free, free, planting(10, 3))
    assert (plan.groupby(["type", "strength"]).size() == 10).all() and len(plan) == 70
    distance = np.maximum(*(abs(np.subtract.outer(*[plan[axis].to_numpy()] * 2)) for axis in "xy"))
    assert distance[~np.eye(70, dtype=bool)].min() >= 3
    assert plan.equals(plan_injection(free, free, planting(10, 3)))
    assert not plan.equals(plan_injection(free, free, planting(10, 4)))
    opened = plan[plan["type"] == "open"]["second"]
    assert opened.between(1.08, 1.2).all() and plan[plan["type"] == "hot"]["second"].isna().all()


def test_pixels_are_planted_where_allowed_only():
    free, lit = np.zeros((2, 60, 60), bool)
    free[10:50, 10:50] = lit[10:50, 30:50] = True
    plan = plan_injection(free, lit, planting(4, 3))
    assert free[plan["y"], plan["x"]].all()
    light = plan[plan["type"].isin(["dead", "low_qe", "open"])]
    assert len(light) == 16 and lit[light["y"], light["x"]].all()


def test_fewer_are_planted_where_they_do_not_fit_and_none_is_an_error():
    free = np.ones((30, 30), bool)
    many = planting(100, 1, ("darks",))
    assert [one.name for one in many.types] == ["hot", "noisy"]
    plan = plan_injection(free, free, many)
    assert plan.groupby(["type", "strength"]).size().unique().tolist() == [len(plan) // 3]
    with pytest.raises(ValueError, match="3 kinds of planted pixel .* do not fit: there is room for 0 pixels"):
        plan_injection(np.zeros((30, 30), bool), free, planting(1, 1, ("darks",)))


def test_the_neighbours_of_a_position_are_usable():
    usable = np.ones((7, 7), bool)
    usable[1, 1] = False
    places = places_for(usable, np.ones((7, 7), bool))
    assert not places[:3, :3].any() and not places[0].any() and not places[:, 6].any()
    assert places[3, 3] and places[1, 3]


# ---------------------------------------------------------------- what


def test_dark_current_comes_with_its_shot_noise():
    added = added_signal(pixels_of("hot", 50.0, 4000), 5, DARK, rng())
    # 50 DN/s: the first group ends after one frame of 2 s
    np.testing.assert_allclose(added.mean(axis=1), 100 * np.arange(1, 6), rtol=0.01)
    np.testing.assert_allclose(np.diff(added, axis=0).var(axis=1), 100 / 2.0, rtol=0.1)
    frames = added_signal(pixels_of("hot_saturated", 100.0, 4000), 2, DARK, rng())
    np.testing.assert_allclose(frames[0].mean(), 100, rtol=0.01)


def test_charge_of_rc_and_inverse_rc():
    rc = added_signal(pixels_of("rc", 1000.0, 1, second=2.0), 20, DARK, rng())[:, 0]
    np.testing.assert_allclose(rc[0], 1000 * (1 - np.exp(-0.5)))
    assert abs(rc[-1] - 1000) < 0.1
    np.testing.assert_allclose(added_signal(pixels_of("inverse_rc", 1000.0, 1, second=2.0), 20, DARK, rng())[:, 0], -rc)


def test_telegraph_noise_and_pedestal():
    levels = added_signal(pixels_of("telegraph", 80.0, 500, second=0.3), 50, DARK, rng())
    assert set(np.unique(levels)) == {-40.0, 40.0}
    assert abs((np.diff(levels, axis=0) != 0).mean() - 0.3) < 0.01
    noise = added_signal(pixels_of("noisy", 3.0, 500, noise=4.0), 50, DARK, rng())
    np.testing.assert_allclose(np.sqrt(noise.var() + 4.0**2), 3 * 4.0, rtol=0.02)
    assert (added_signal(pixels_of("low_pedestal", 60.0, 3), 4, DARK, rng()) == -60).all()


def flat_ramps(number=2000, groups=20, level=10_000.0, light_dn=400.0, noise=5.0):
    """Raw ramps of a flat, DN (1, group, pixel), with shot and read noise; the first group ends after one frame."""
    random = np.random.default_rng(1)
    electrons = random.poisson(light_dn * FLAT.gain_e_per_dn, (1, groups, number))
    ramps = level + np.cumsum(electrons, axis=1) / FLAT.gain_e_per_dn
    return np.rint(ramps + noise * random.standard_normal(ramps.shape))


@pytest.mark.parametrize("response", [0.0, 0.3, 0.9])
def test_a_dim_pixel_has_its_own_level_light_and_noise(response):
    ramps = flat_ramps()
    dim = dimmed(ramps, np.full(2000, response), np.full(2000, 5.0), FLAT, rng())
    slopes = np.diff(dim, axis=1)
    np.testing.assert_allclose(slopes.mean(), 400 * response, atol=0.5)
    # Back at the reset: what the first group would have without light.
    np.testing.assert_allclose((dim[:, 0] - 400 * response).mean(), 10_000, atol=2)
    # Shot noise of the light that is left, and the read noise of two groups.
    np.testing.assert_allclose(slopes.var(), 400 * response / 2.0 + 2 * 5.0**2, rtol=0.05)


def test_the_first_group_is_lit_as_long_as_its_frame_takes():
    # Groups of 400 DN every 10 s, the first read 2 s after the reset.
    exposure = Exposure(True, GroupTimes(10.0, 2.0, 1), 2.0)
    ramps = flat_ramps() - 400 + 80
    dim = dimmed(ramps, np.full(2000, 0.5), np.full(2000, 5.0), exposure, rng())
    np.testing.assert_allclose(dim[:, 0].mean(), 10_000 + 40, atol=2)
    bright = brightened(ramps, np.full(2000, 1.5), exposure, rng()).astype(float)
    np.testing.assert_allclose(bright[:, 0].mean(), 10_000 + 120, atol=2)


def test_a_dimmed_pixel_does_not_saturate():
    ramps = np.minimum(flat_ramps(), 14_000)
    assert (np.diff(ramps, axis=1)[:, -5:] == 0).all()
    dim = dimmed(ramps, np.full(2000, 0.25), np.full(2000, 5.0), FLAT, rng())
    np.testing.assert_allclose(np.diff(dim, axis=1)[:, -5:].mean(), 100, atol=3)


def test_the_neighbours_of_an_open_pixel_get_its_light():
    ramps = flat_ramps()
    bright = brightened(ramps, np.full(2000, 1.15), FLAT, rng()).astype(float)
    np.testing.assert_allclose(np.diff(bright, axis=1).mean(), 460, atol=1)
    np.testing.assert_allclose(np.diff(bright, axis=1).var(), 460 / 2.0 + 2 * 5.0**2, rtol=0.05)
    near = neighbours_of_open(pixels_of("open", 0.1, 1, second=1.1).assign(x=5, y=7))
    assert sorted(zip(near["y"], near["x"], near["factor"], strict=True)) == [
        (6, 5, 1.1), (7, 4, 1.1), (7, 6, 1.1), (8, 5, 1.1),
    ]  # fmt: skip


def test_counts_are_limited_to_the_range_of_the_converter():
    assert to_counts(np.array([-3.0, 0.6, 65535.4, 1e9])).tolist() == [0, 1, 65535, 65535]
    ramps = np.full((1, 3, 1), 30_000.0)
    assert (plant(ramps, pixels_of("hot_saturated", 2e5, 1), DARK, rng()) == 65535).all()
    assert (plant(ramps, pixels_of("low_pedestal", 40_000, 1), DARK, rng()) == 0).all()


def test_every_type_of_the_configuration_can_be_planted():
    for kind in PLANTED:
        one = pixels_of(kind, 2.0 if kind not in ("dead", "low_qe", "open") else 0.5, 3, second=1.1)
        for exposure in (DARK, FLAT):
            ramps = flat_ramps(3, 6)
            changed = plant(ramps, one, exposure, rng()) != ramps
            assert changed.any() == (exposure is FLAT or not PLANTED[kind].needs_light), kind


# ---------------------------------------------------------------- files


def write_raw(path, n_rows=12, keywords=(), zeroframe=False):
    primary = fits.PrimaryHDU()
    header = {
        "INSTRUME": "NIRISS",
        "DETECTOR": "NIS",
        "TGROUP": 2.0,
        "TFRAME": 2.0,
        "NFRAMES": 1,
        "READPATT": "NISRAPID",
    }
    primary.header.update(header | dict(keywords))
    ramps = np.random.default_rng(2).integers(9_000, 11_000, (2, 6, n_rows, 10)).astype(np.uint16)
    hdus = [primary, fits.ImageHDU(ramps, name="SCI"), fits.ImageHDU(np.arange(6.0), name="OTHER")]
    if zeroframe:
        hdus.append(fits.ImageHDU(ramps[:, 0], name="ZEROFRAME"))
    fits.HDUList(hdus).writeto(path, checksum=True)
    return ramps


def planted(name="a", kind="darks", seed=1):
    return PlantedExposure(name, kind, seed)


def test_a_copy_differs_at_the_planted_pixels_only(tmp_path):
    source, target = tmp_path / "a_uncal.fits", tmp_path / "new" / "a_uncal.fits"
    before = write_raw(source, zeroframe=True)
    original = source.read_bytes()
    pixels = pixels_of("low_pedestal", 500, 2).assign(y=[3, 8], x=[4, 9])
    assert inject(source, target, pixels, planted()) == 2 * 2 * 6
    assert source.read_bytes() == original
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # wrong checksums
        fits.open(target, checksum=True).close()
    with fits.open(target) as hdus:
        after = hdus["SCI"].data
        assert after.dtype == np.uint16
        assert (hdus["OTHER"].data == np.arange(6)).all()
        for y, x in ((3, 4), (8, 9)):
            assert (after[:, :, y, x] == before[:, :, y, x] - 500).all()
            assert (hdus["ZEROFRAME"].data[:, y, x] == before[:, 0, y, x] - 500).all()
        after[:, :, [3, 8], [4, 9]] = before[:, :, [3, 8], [4, 9]]
        assert (after == before).all()


def test_the_same_seed_and_name_give_the_same_copy(tmp_path):
    source = tmp_path / "a_uncal.fits"
    write_raw(source)
    noisy = pixels_of("noisy", 5.0, 3)

    def copy(name, seed=1):
        inject(source, tmp_path / f"{name}_{seed}.fits", noisy, planted(name, seed=seed))
        return (tmp_path / f"{name}_{seed}.fits").read_bytes()

    assert copy("a") == copy("a") != copy("b")
    assert copy("a") != copy("a", seed=2)


def test_a_compressed_file_is_decompressed(tmp_path):
    source = tmp_path / "a_uncal.fits"
    before = write_raw(source)
    with source.open("rb") as plain, gzip.open(tmp_path / "b_uncal.fits.gz", "wb") as packed:
        shutil.copyfileobj(plain, packed)
    inject(tmp_path / "b_uncal.fits.gz", tmp_path / "out_uncal.fits", pixels_of("low_pedestal", 5, 1), planted("b"))
    assert (fits.getdata(tmp_path / "out_uncal.fits", "SCI")[:, :, 0, 0] == before[:, :, 0, 0] - 5).all()


def test_a_dark_shows_nothing_that_needs_light(tmp_path):
    write_raw(tmp_path / "a.fits")
    assert inject(tmp_path / "a.fits", tmp_path / "b.fits", pixels_of("dead", 0.0, 3), planted()) == 0
    assert inject(tmp_path / "a.fits", tmp_path / "b.fits", pixels_of("dead", 0.0, 3), planted(kind="flats")) > 0


def test_counts_other_than_unsigned_16_bit_integers_are_refused(tmp_path):
    write_raw(tmp_path / "a.fits")
    with fits.open(tmp_path / "a.fits") as hdus:
        hdus["SCI"].data = hdus["SCI"].data.astype(np.float32)
        hdus.writeto(tmp_path / "float.fits")
    with pytest.raises(BadExposure, match="float.fits: SCI does not hold unsigned 16-bit integers"):
        inject(tmp_path / "float.fits", tmp_path / "b.fits", pixels_of("hot", 1.0, 1), planted())
    assert not (tmp_path / "b.fits").exists()


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
def test_the_rows_of_irs2(detector):
    y = np.array([0, 7, 8, 2047])
    rows = raw_rows({"DETECTOR": detector, "READPATT": "NRSIRS2RAPID"}, y)
    assert science_rows(detector)[rows].all() and (np.cumsum(science_rows(detector))[rows] - 1 == y).all()
    assert (raw_rows({"DETECTOR": detector, "READPATT": "NRSRAPID"}, y) == y).all()
