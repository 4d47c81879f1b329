"""The science check of masks with known errors, on files of rates with planted pixels."""

import json

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

import apply_masks
from badpix.changes.files import MaskMismatch
from badpix.config.settings import SkySettings
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.science_check.exposures import NothingToCheck, named_in
from badpix.science_check.words import AREA, OUTLIERS
from badpix.science_check.write import NAMES
from unit.science_check.rate_files import SIZE, noise, point, write_mask, write_rates

SKY = SkySettings(source_threshold=3.0, source_growth=2)
HOT = [(5 + 4 * i, 10) for i in range(12)]
DEAD = [(5 + 4 * i, 20) for i in range(12)]
NOISY = [(5 + 4 * i, 30) for i in range(12)]
GOOD = [(5 + 4 * i, 40) for i in range(12)]
LAMP = {"EXP_TYPE": "NIS_LAMP"}


def flagged(pixels, *flags):
    return dict.fromkeys(pixels, (*flags, "DO_NOT_USE"))


def places(pixels):
    return tuple(np.array(pixels).T)


def darks(folder, n=5, seed=0, **header):
    """Darks with hot pixels of 30 sigma, and noisy pixels of six times the noise."""
    found = {}
    for number in range(1, n + 1):
        images = noise(seed + number)
        images[:, *places(HOT)] += 30
        images[:, *places(NOISY)] *= 6
        found[f"dark{number}"] = write_rates(folder / f"dark{number}_rateints.fits", images, None, number, **header)
    return found


def flats(folder, n=5):
    """Flats of 300 sigma of light, with dead pixels; hot pixels do not show."""
    found = {}
    for number in range(1, n + 1):
        images = noise(50 + number, 1000.0, 3.0)
        images[:, *places(DEAD)] = 1.0
        found[f"flat{number}"] = write_rates(folder / f"flat{number}_rateints.fits", images, None, 10 + number, **LAMP)
    return found


def run(folder, old, new, rates, left_out=None):
    """The numbers of the check of the masks with the pixels `old` and `new`."""
    paths = [write_mask(folder / f"{name}.fits", pixels) for name, pixels in (("old", old), ("new", new))]
    return check(folder, *paths, rates, left_out)


def check(folder, old, new, rates, left_out=None):
    outputs = {key: folder / name for key, name in NAMES.items()}
    return apply_masks.main(apply_masks.CheckInputs(old, new, rates, left_out or {}), outputs, 5.0, SKY)


def only(numbers, name):
    count = numbers["counts"][name]
    return count["only_old"], count["only_new"], count["open_new"], count["result"]


def test_a_mask_with_new_hot_pixels_and_without_recovered_ones_is_better(tmp_path):
    old, new = flagged(GOOD, "HOT"), flagged(HOT, "HOT")
    numbers = run(tmp_path, old, new, darks(tmp_path))
    assert numbers["verdict"] == "better"
    assert only(numbers, OUTLIERS) == (12, 0, 0, "better")
    by_both = len(pd.read_csv(tmp_path / NAMES["let_through"]))
    assert numbers["counts"][OUTLIERS]["old_share"][0] == pytest.approx(1000 * (12 + by_both) / SIZE**2)
    # The limits of good pixels leave out five of a hundred.
    lost, gained, still_open, result = only(numbers, AREA)
    assert 10 <= lost <= 12 and (gained, still_open, result) == (0, 0, "better")
    table = pd.read_csv(tmp_path / NAMES["differing"]).set_index(["y", "x"])
    assert set(table.index) == set(HOT) | set(GOOD)
    assert (table.loc[HOT, "finding"] == "outlier").all() and (table.loc[HOT, "do_not_use"] == "new").all()
    assert (table.loc[HOT, "n_outlier"] == 5).all() and (table.loc[HOT, "n_units"] == 5).all()
    assert table.loc[HOT, "sigma"].between(35, 50).all(), "30 sigma, the mean of two integrations"
    assert (table.loc[HOT, "new"] == "HOT+DO_NOT_USE").all() and (table.loc[HOT, "old"] == "good").all()
    report = (tmp_path / NAMES["report"]).read_text(encoding="utf-8")
    assert report.startswith("# Science check: better\n") and "| outliers let through | " in report
    assert json.loads((tmp_path / NAMES["numbers"]).read_text())["verdict"] == "better"


def test_the_same_masks_exchanged_are_worse(tmp_path):
    numbers = run(tmp_path, flagged(HOT, "HOT"), flagged(GOOD, "HOT"), darks(tmp_path))
    assert numbers["verdict"] == "worse"
    assert only(numbers, OUTLIERS)[:2] == (0, 12)


def test_good_pixels_lost_beside_new_outliers_are_mixed(tmp_path):
    numbers = run(tmp_path, {}, flagged(HOT, "HOT") | flagged(GOOD, "HOT"), darks(tmp_path))
    assert numbers["verdict"] == "mixed"
    assert numbers["counts"][OUTLIERS]["result"] == "better" and numbers["counts"][AREA]["result"] == "worse"


def test_equal_masks_cannot_be_told_apart(tmp_path):
    numbers = run(tmp_path, flagged(HOT, "HOT"), flagged(HOT, "HOT"), darks(tmp_path))
    assert numbers["verdict"] == "not distinguishable" and numbers["n_differing"] == 0
    assert pd.read_csv(tmp_path / NAMES["differing"]).empty
    # Without the mask's pixels, noisy pixels are left, as far as they recur.
    left = pd.read_csv(tmp_path / NAMES["let_through"])
    assert {(row.y, row.x) for row in left.itertuples()} <= set(NOISY)


def test_flags_without_do_not_use_let_a_pixel_through(tmp_path):
    warm = dict.fromkeys(HOT, ("WARM",))
    numbers = run(tmp_path, flagged(HOT, "HOT"), warm, darks(tmp_path))
    assert only(numbers, OUTLIERS) == (0, 12, 0, "worse")


def test_noisy_pixels_are_no_good_area(tmp_path):
    numbers = run(tmp_path, {}, flagged(NOISY, "OTHER_BAD_PIXEL"), darks(tmp_path) | flats(tmp_path))
    lost = only(numbers, AREA)
    assert lost[:3] == (0, 0, 0) and lost[3] == "not distinguishable"
    assert numbers["findings"]["good"] == {"old": 0, "new": 0}


@pytest.mark.parametrize("flags", [("DEAD",), ("LOW_QE",), ()])
def test_darks_cannot_show_that_a_dead_pixel_is_good(tmp_path, flags):
    numbers = run(tmp_path, {}, flagged(DEAD, *flags), darks(tmp_path))
    assert only(numbers, AREA)[1:] == (0, 12, "not measured") or only(numbers, AREA)[2] >= 10
    assert numbers["verdict"] == "not distinguishable"
    assert any("for lack of flats" in note for note in numbers["notes"])


def test_a_mask_that_lost_its_dead_pixels_is_not_better_in_darks(tmp_path):
    old = flagged(DEAD, "DEAD") | flagged(GOOD, "HOT")
    numbers = run(tmp_path, old, {}, darks(tmp_path))
    assert numbers["counts"][OUTLIERS]["result"] == "not measured"
    assert numbers["verdict"] == "not distinguishable", "the recovered hot pixels alone would make it better"


def test_flats_show_dead_pixels(tmp_path):
    numbers = run(tmp_path, {}, flagged(DEAD, "DEAD"), flats(tmp_path))
    assert only(numbers, OUTLIERS) == (12, 0, 0, "better")
    assert only(numbers, AREA) == (0, 0, 0, "not distinguishable")
    assert numbers["verdict"] == "better"
    sigma = pd.read_csv(tmp_path / NAMES["differing"])["sigma"]
    assert (sigma < -300).all()


def test_flats_cannot_show_that_a_hot_pixel_is_good(tmp_path):
    numbers = run(tmp_path, {}, flagged(HOT, "HOT"), flats(tmp_path))
    assert only(numbers, AREA)[1] == 0 and only(numbers, AREA)[2] >= 10
    assert any("for lack of darks" in note for note in numbers["notes"])


def test_differences_of_response_below_a_fifth_are_no_outliers(tmp_path):
    rates = flats(tmp_path)
    for path in rates.values():
        with fits.open(path, mode="update") as hdus:
            hdus["SCI"].data[:, *places(GOOD)] *= 0.9
    numbers = run(tmp_path, {}, flagged(GOOD, "LOW_QE"), rates)
    assert only(numbers, OUTLIERS)[:2] == (0, 0)
    assert only(numbers, AREA)[1] == 0, "they are not like good pixels either"


def test_bad_pixels_that_no_mask_has_do_not_widen_the_range_of_good_ones(tmp_path):
    rates = flats(tmp_path)
    scattered = [(3 + 7 * i, 4 + 7 * j) for i in range(9) for j in range(9)]  # 2% of the pixels
    for path in rates.values():
        with fits.open(path, mode="update") as hdus:
            hdus["SCI"].data[:, *places(GOOD)] *= 0.9
            hdus["SCI"].data[:, *places(scattered)] = 1.0
    numbers = run(tmp_path, {}, flagged(GOOD, "LOW_QE"), rates)
    assert only(numbers, AREA)[1] == 0


def test_a_cosmic_ray_does_not_recur(tmp_path):
    rates = darks(tmp_path)
    for path in list(rates.values())[:2]:
        with fits.open(path, mode="update") as hdus:
            hdus["SCI"].data[:, *places(GOOD)] += 100
    for path in rates.values():
        rng = np.random.default_rng(len(path) + int(path[-15]))
        with fits.open(path, mode="update") as hdus:
            hdus["SCI"].data[:, rng.integers(SIZE, size=30), rng.integers(SIZE, size=30)] += 100
    numbers = run(tmp_path, {}, flagged(GOOD, "HOT"), rates)
    assert only(numbers, OUTLIERS)[:2] == (0, 0)


def test_saturated_pixels_are_outliers_and_masked_pixels_are_open(tmp_path):
    rates = darks(tmp_path)
    for path in rates.values():
        with fits.open(path, mode="update") as hdus:
            hdus["SCI"].data[:, *places(GOOD)] = np.nan
            hdus["DQ"].data[:, *places(GOOD)] |= PIXEL_FLAGS["DO_NOT_USE"] | PIXEL_FLAGS["SATURATED"]
            hdus["SCI"].data[:, *places(DEAD)] = np.nan
            hdus["DQ"].data[:, *places(DEAD)] |= PIXEL_FLAGS["DO_NOT_USE"]
            hdus[0].header["R_MASK"] = "crds://jwst_niriss_mask_0018.fits"
    numbers = run(tmp_path, flagged(DEAD, "HOT"), flagged(GOOD, "HOT"), rates)
    # The pixels of the mask that the rates were made with could be anything, also outliers.
    assert only(numbers, OUTLIERS) == (12, 0, 12, "not distinguishable")
    assert any("jwst_niriss_mask_0018.fits: its pixels with DO_NOT_USE have no value" in n for n in numbers["notes"])
    assert any("12 pixels" in n and "fewer than 3 exposures or pointings have a value" in n for n in numbers["notes"])
    assert not any("for lack of" in n for n in numbers["notes"]), "there are darks"
    assert "outlier" in set(pd.read_csv(tmp_path / NAMES["differing"])["finding"])


def stars(folder, step, n=4):
    """Images of the sky: bright stars that move by `step` pixels, and hot pixels."""
    found = {}
    y, x = np.mgrid[:SIZE, :SIZE]
    for number in range(1, n + 1):
        images = noise(80 + number, 20.0)
        for star_y, star_x in ((20, 26), (45, 44), (30, 12)):
            light = 2000 * np.exp(-0.5 * ((y - star_y) ** 2 + (x - star_x - step * number) ** 2) / 1.2**2)
            images += light
        images[:, *places(HOT)] += 60
        name = f"sky{number}"
        found[name] = write_rates(folder / f"{name}_rate.fits", images[0], None, 20 + number % 4, EXP_TYPE="NIS_IMAGE")
        with fits.open(found[name], mode="update") as hdus:
            hdus[0].header["TIME-OBS"] = f"21:{number:02}:00.000"
        point(found[name], step * number)
    return found


def test_dithering_tells_stars_from_bad_pixels(tmp_path):
    numbers = run(tmp_path, {}, flagged(HOT, "HOT"), stars(tmp_path, 5))
    assert only(numbers, OUTLIERS) == (12, 0, 0, "better")
    left = pd.read_csv(tmp_path / NAMES["let_through"])
    assert left.empty, "no star is an outlier"
    assert numbers["lights"][0]["light"] == "sky" and numbers["lights"][0]["n_units"] == 4


def test_undithered_images_are_refused_with_the_reason(tmp_path):
    with pytest.raises(NothingToCheck, match="4 exposures of the sky have 1 pointings more than 3 pixels apart"):
        run(tmp_path, {}, flagged(HOT, "HOT"), stars(tmp_path, 0.5))


def test_exposures_of_a_mask_and_too_few_are_left_out_with_the_reason(tmp_path):
    rates = darks(tmp_path) | {f"lamp{n}": path for n, path in enumerate(list(flats(tmp_path, 2).values()))}
    old = write_mask(tmp_path / "old.fits", {}, ["5 darks used", "darks: dark2", "darks: other"])
    new = write_mask(tmp_path / "new.fits", flagged(HOT, "HOT"))
    numbers = check(tmp_path, old, new, rates, {"wrong": "not readable"})
    assert set(numbers["left_out"]) == {"dark2", "lamp0", "lamp1", "wrong"}
    assert numbers["left_out"]["dark2"] == "HISTORY of the old mask has it: it cannot test a mask made from it"
    assert "2 exposures of this kind (lamp)" in numbers["left_out"]["lamp0"]
    assert numbers["lights"][0]["n_exposures"] == 4 and numbers["verdict"] == "better"
    table = pd.read_csv(tmp_path / NAMES["exposures"])
    assert len(table) == 8 and table["left_out"].notna().sum() == 4


def test_names_in_a_history_are_found_across_cut_lines():
    long = "jw01234567890123456789_02101_00001_nis"
    history = ["flats: a_name", f"darks: {long}"[:20], f"darks: {long}"[20:]]
    assert named_in(history, [long, f"{long}-seg002", "another"]) == {long, f"{long}-seg002"}


def test_the_same_file_and_another_detector_are_refused(tmp_path):
    old = write_mask(tmp_path / "old.fits", {})
    with pytest.raises(MaskMismatch, match="the same file"):
        check(tmp_path, old, old, {})
    other = write_mask(tmp_path / "other.fits", {}, DETECTOR="NRS1")
    with pytest.raises(MaskMismatch, match="DETECTOR"):
        check(tmp_path, other, old, {})


def test_a_subarray_tests_its_part_of_the_mask_only(tmp_path):
    rates = darks(tmp_path)
    part = {}
    for name, path in rates.items():
        images = fits.getdata(path, "SCI")[:, :32]
        header = {"SUBARRAY": "PART", "SUBSIZE2": 32, "TIME-OBS": fits.getval(path, "TIME-OBS")}
        part[name] = write_rates(tmp_path / f"part_{name}_rateints.fits", images, **header)
    numbers = run(tmp_path, {}, flagged(HOT, "HOT"), part)
    inside = sum(y < 32 for y, _ in HOT)
    assert only(numbers, OUTLIERS)[:3] == (inside, 0, 0)
    assert numbers["n_measured"] == 32 * SIZE and numbers["n_differing"] == inside
