"""The mean flat and its normalisation, on stacks of a few pixels with the arithmetic by hand."""

import dataclasses
import resource
from pathlib import Path

import astropy.io.fits as fits
import numpy as np
import pytest
from astropy.convolution import Box2DKernel, convolve
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from badpix.config.settings import ResponseSettings
from badpix.core.errors import TooFewExposures
from badpix.formats.provenance import Provenance
from badpix.formats.statistics_file import StatisticsWriter, rejection_reason, write_rejected
from badpix.instrument.detectors import load_detectors
from badpix.numerics.row_blocks import row_blocks
from badpix.response import normalise as flat_response
from badpix.response.normalise import box_mean, clipped_stack, mean_flat, normalise, smooth
from badpix.statistics.flat import FlatMeasurement
from badpix.statistics.given import measure_given

ROOT = Path(__file__).resolve().parents[3]

NAN = np.nan
KINDS = st.sampled_from(["Box2D", "Median"])


def stack_of(*pixels):
    """A stack (integration, 1, x) from the values of each pixel."""
    return np.array(pixels, float).T[:, np.newaxis, :]


def statistics_file(path, slopes):
    """A statistics file of a flat with these slopes (integration, y, x)."""
    slopes = np.asarray(slopes, np.float32)
    writer = StatisticsWriter(path.stem, fits.Header(), len(slopes), slopes.shape[1:])
    for integration, slope in enumerate(slopes):
        writer.put("SLOPE", integration, slice(None), slope, "DN/s")
    writer.write(path, Provenance())
    return path


def everywhere(image):
    return np.ones(np.shape(image), bool)


# ---------------------------------------------------------------- a single exposure

KEYWORDS = {"SUBARRAY": "FULL", "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": 3, "SUBSIZE2": 2, "FASTAXIS": -2,
            "SLOWAXIS": -1, "NINTS": 2, "S_RAMP": "COMPLETE"}  # fmt: skip


def product(path, images, **keywords):
    primary = fits.PrimaryHDU()
    primary.header.update(KEYWORDS | keywords)
    fits.HDUList([primary, *(fits.ImageHDU(np.array(i), name=n) for n, i in images.items())]).writeto(path)
    return path


def rates(shape=(2, 2, 3)):
    """Slopes of 0, 1, 2, ...; the second pixel is DO_NOT_USE, the third has a flag that does no harm."""
    slope, dq = np.arange(np.prod(shape), dtype=np.float32).reshape(shape), np.zeros(shape, np.uint32)
    dq[..., 0, 1], dq[..., 0, 2] = 1, 4
    return {"SCI": slope, "DQ": dq, "VAR_POISSON": slope * 0 + 1, "VAR_RNOISE": slope * 0 + 2}


def raw(n_groups, shape=(2, 3)):
    """Ramps of 10, 20, 30, ... DN; a hundred more in the second integration."""
    groups = 10 * np.arange(1, n_groups + 1)[None, :, None, None] + 100 * np.arange(2)[:, None, None, None]
    return {"SCI": np.broadcast_to(groups, (2, n_groups, *shape)).astype(np.uint16)}


def measured(tmp_path, images, uncal=None, **keywords):
    paths = {"rateints": product(tmp_path / "f_rateints.fits", images, **keywords)}
    if uncal:
        paths["uncal"] = product(tmp_path / "f_uncal.fits", uncal)
    measure_given(paths, tmp_path / "f.fits", "f", FlatMeasurement())
    return tmp_path / "f.fits"


@pytest.mark.parametrize(("n_groups", "mean"), [(6, 45.0), (4, 25.0), (2, 15.0)])
def test_a_flat_has_slopes_and_the_mean_of_its_last_four_groups(tmp_path, n_groups, mean):
    # Of six groups 30, 40, 50 and 60.
    with fits.open(measured(tmp_path, rates(), raw(n_groups))) as hdus:
        assert np.isnan(hdus["SLOPE"].data[:, 0, 1]).all() and np.isnan(hdus["VAR_SLOPE"].data[:, 0, 1]).all()
        assert hdus["SLOPE"].data[1, 0, [0, 2]].tolist() == [6, 8] and hdus["VAR_SLOPE"].data[0, 0, 0] == 3
        assert (hdus["LAST_GROUPS"].data == np.array([mean, mean + 100])[:, None, None]).all()


def test_a_flat_without_its_raw_file_has_no_last_groups(tmp_path):
    with fits.open(measured(tmp_path, rates())) as hdus:
        assert [hdu.name for hdu in hdus[1:]] == ["SLOPE", "VAR_SLOPE", "PROVENANCE"]


def test_a_rate_file_is_accepted_for_a_single_integration(tmp_path):
    with fits.open(measured(tmp_path, rates((2, 3)), NINTS=1)) as hdus:
        assert hdus["SLOPE"].shape == (1, 2, 3) and hdus["SLOPE"].data[0, 1].tolist() == [3, 4, 5]


@pytest.mark.parametrize(
    ("images", "uncal", "keywords", "words"),
    [
        ({"SCI": rates()["SCI"]}, None, {}, "the rateints file has no DQ extension (it has SCI)"),
        (rates() | {"DQ": np.zeros((1, 2, 3))}, None, {}, "shapes differ in the rateints file: DQ (1, 2, 3)"),
        (rates((2, 3)), None, {}, "the rate file averages 2 integrations (NINTS); give the rateints file instead"),
        (rates(), raw(5, (3, 3)), {}, "shapes differ: rateints (2, 2, 3), uncal (2, 3, 3)"),
        (rates(), {"SCI": np.zeros((2, 3))}, {}, "extension SCI of the uncal file has 2 axes, not 4"),
        (rates(), None, {"S_RAMP": "SKIPPED"}, "S_RAMP is SKIPPED"),
    ],
)
def test_a_flat_with_inconsistent_files_is_rejected(tmp_path, images, uncal, keywords, words):
    assert words in rejection_reason(measured(tmp_path, images, uncal, **keywords))


def test_the_response_leaves_out_rejected_flats(tmp_path):
    from flat_response import main

    border = dict.fromkeys(["left", "right", "bottom", "top"], 0) | {"left": 1}
    detector = dataclasses.asdict(load_detectors(ROOT / "config" / "detectors")["NIS"])
    detector |= {"n_columns": 3, "n_rows": 2, "reference_pixels": border}
    settings = ResponseSettings(3, "mean", "Box2D", 3)
    good, bad = measured(tmp_path, rates()), tmp_path / "bad.fits"
    write_rejected(bad, "bad", "no light", Provenance())
    main([bad, good], tmp_path / "response.fits", detector, settings)
    with fits.open(tmp_path / "response.fits") as hdus:
        assert hdus["USED"].data["EXPOSURE"].tolist() == ["f"]
        assert hdus["NVALID"].data.tolist() == [[0, 0, 2], [0, 2, 2]]
        # Means of the two integrations: 5, 7 and 8; of these the mean is 20 / 3.
        assert hdus["RESPONSE"].data[1, 1:] == pytest.approx([1.05, 1.2])
    with pytest.raises(TooFewExposures, match="none of the 1 flats can be used. Rejected:\n  bad: no light"):
        main([bad], tmp_path / "none.fits", detector, settings)


# ---------------------------------------------------------------- the stack


def test_clipped_stack_by_hand():
    # Ten 1 and a 12: mean 2, standard deviation sqrt(10) = 3.16; 12 is 11 from the median, beyond 3 x 3.16 = 9.5.
    ones = [1.0] * 10
    mean, std, number = clipped_stack(stack_of([*ones, 12.0], [*ones, NAN], [2.0, 4.0] + [NAN] * 9), 3)
    assert mean.tolist() == [[1.0, 1.0, 3.0]]
    assert std.tolist() == [[0.0, 0.0, 1.0]]
    assert number.tolist() == [[10, 10, 2]] and number.dtype == np.int32


def test_one_of_seven_cannot_be_clipped_at_three_sigma():
    # A single outlier of n values lies n / sqrt(n - 1) std from the median: 7 / sqrt(6) = 2.86; 11 / sqrt(10) = 3.48.
    mean, _, number = clipped_stack(stack_of([1.0] * 6 + [8.0]), 3)
    assert (mean.item(), number.item()) == (2.0, 7)


def test_a_pixel_without_values_is_nan():
    mean, std, number = clipped_stack(stack_of([NAN, NAN], [np.inf, NAN]), 3)
    assert np.isnan(mean).all() and np.isnan(std).all()
    assert number.tolist() == [[0, 0]]


def test_every_file_counts_once_and_so_does_every_integration(tmp_path):
    first = statistics_file(tmp_path / "a.fits", [[[1.0, 1.0]]])
    second = statistics_file(tmp_path / "b.fits", [[[2.0, NAN]], [[6.0, 5.0]]])
    science = everywhere([[1, 1]])
    mean, std, number = mean_flat([first, second], science, 3)
    assert mean.tolist() == [[3.0, 3.0]]  # (1 + 2 + 6) / 3; the first file twice would give 2.5
    assert std[0].tolist() == pytest.approx([np.sqrt(14 / 3), 2.0])  # (4 + 1 + 9) / 3
    assert number.tolist() == [[3, 2]]
    again = mean_flat([second, first], science, 3)
    assert np.array_equal(again[0], mean) and np.array_equal(again[2], number)


def test_reference_pixels_have_no_value(tmp_path):
    path = statistics_file(tmp_path / "a.fits", [[[1.0, 2.0]]])
    mean, std, number = mean_flat([path], np.array([[True, False]]), 3)
    assert mean[0, 0] == 1.0 and np.isnan(mean[0, 1]) and np.isnan(std[0, 1])
    assert number.tolist() == [[1, 0]]


def test_more_flats_than_files_that_a_process_may_open(tmp_path):
    paths = [statistics_file(tmp_path / f"flat{number}.fits", [[[1.0, 2.0]]]) for number in range(30)]
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Room for a few files beside those that are open already.
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + 10, limits[1]))
    try:
        _, _, number = mean_flat(paths, np.array([[True, True]]), 3)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    np.testing.assert_array_equal(number, [[30, 30]])


@pytest.mark.parametrize("block_bytes", [1, 200, 500, 10**9])
def test_blocks_of_any_size_equal_the_stack_at_once(tmp_path, monkeypatch, block_bytes):
    rng = np.random.default_rng(1)
    slopes = rng.normal(100, 5, (12, 7, 5)).astype(np.float32)
    slopes[rng.random(slopes.shape) < 0.1] = NAN
    slopes[3, 2, 2] = 1e4
    science = rng.random((7, 5)) < 0.9
    paths = [statistics_file(tmp_path / f"{i}.fits", part) for i, part in enumerate(np.split(slopes, [1, 5, 9]))]
    monkeypatch.setattr(flat_response, "STACK_BYTES", block_bytes)
    expected = clipped_stack(np.where(science, slopes, NAN), 3)
    for found, at_once in zip(mean_flat(paths, science, 3), expected, strict=True):
        np.testing.assert_array_equal(found, at_once)


@given(st.integers(1, 50), st.integers(0, 1000), st.integers(1, 3000))
def test_blocks_cover_every_row_once(n_rows, bytes_per_row, block_bytes):
    blocks = row_blocks(n_rows, bytes_per_row, block_bytes)
    assert [row for block in blocks for row in range(n_rows)[block]] == list(range(n_rows))
    assert all(len(range(n_rows)[b]) == 1 or len(range(n_rows)[b]) * bytes_per_row <= block_bytes for b in blocks)


# ---------------------------------------------------------------- smoothing


def by_hand(image, width, average):
    """Local average of the known pixels in a box; beyond the border stands the median of the image."""
    half, fill = width // 2, np.nanmedian(image)
    padded = np.pad(image, half, constant_values=fill)
    result = np.empty(image.shape)
    for y, x in np.ndindex(image.shape):
        result[y, x] = average(padded[y : y + width, x : x + width])
    return result


IMAGE = np.array([[1.0, 2.0, 4.0, 8.0], [3.0, 100.0, 5.0, 6.0], [7.0, 2.0, 1.0, 9.0], [4.0, 4.0, 6.0, 3.0]])


def test_box_at_the_corner():
    # Median 4. Around the corner: five times 4 from beyond, and 1, 2, 3, 100: 126 / 9.
    smoothed = smooth(IMAGE, everywhere(IMAGE), "Box2D", 3)
    assert smoothed[0, 0] == pytest.approx(14.0)
    assert smoothed == pytest.approx(by_hand(IMAGE, 3, np.mean))


@pytest.mark.filterwarnings("ignore:nan_treatment")
@pytest.mark.parametrize("width", [3, 4, 15])
def test_the_box_is_that_of_astropy(width):
    rng = np.random.default_rng(width)
    image = rng.normal(100, 10, (50, 60))
    image[rng.random(image.shape) < 0.2] = np.nan
    image[10:30, 20:45] = np.nan  # larger than any box
    image[3, 3], image[40, 40] = 1e6, -1e4
    expected = convolve(image, Box2DKernel(width), boundary="fill", fill_value=90.0, nan_treatment="interpolate")
    assert np.isnan(expected).any()
    np.testing.assert_allclose(box_mean(image, width, 90.0), expected, rtol=1e-10)


def test_box_takes_the_known_pixels_for_an_unknown_one():
    image = IMAGE.copy()
    image[1, 1] = NAN  # the remaining 15 have median 4
    smoothed = smooth(image, everywhere(image), "Box2D", 3)
    assert smoothed[0, 0] == pytest.approx((5 * 4 + 1 + 2 + 3) / 8)
    assert smoothed == pytest.approx(by_hand(image, 3, np.nanmean))


def test_median_takes_the_median_of_all_for_an_unknown_one():
    image = IMAGE.copy()
    image[1, 1] = NAN
    smoothed = smooth(image, everywhere(image), "Median", 3)
    assert smoothed[1, 2] == 4.0  # of 2, 4, 8, 4 (unknown), 5, 6, 2, 1, 9
    assert smoothed == pytest.approx(by_hand(np.where(np.isnan(image), 4.0, image), 3, np.median))


def test_the_fill_is_the_median_of_science_pixels_only():
    image = np.full((5, 5), 2.0)
    image[:3] = 50.0
    science = everywhere(image)
    science[:3] = False
    # Lower right corner: 5 times the fill and 4 times 2.
    assert smooth(image, science, "Box2D", 3)[4, 4] == pytest.approx(2.0)


# ---------------------------------------------------------------- normalisation


def test_normalise_none_changes_nothing():
    assert np.array_equal(normalise(IMAGE, everywhere(IMAGE), ResponseSettings(3, "none", "Box2D", 3)), IMAGE)


def test_normalise_by_the_clipped_mean_of_science_pixels():
    # Twelve 4 and a 400, which is clipped; the reference pixel of 1000 is not used.
    mean = np.array([[4.0] * 12 + [400.0, NAN, 1000.0]])
    science = everywhere(mean)
    science[0, -1] = False
    response = normalise(mean, science, ResponseSettings(3, "mean", "Box2D", 3))
    assert response[0, :13].tolist() == [1.0] * 12 + [100.0]
    assert np.isnan(response[0, 13])


@pytest.mark.parametrize("kind", ["Box2D", "Median"])
def test_normalise_by_the_smoothed_flat(kind):
    response = normalise(IMAGE, everywhere(IMAGE), ResponseSettings(3, "smoothed", kind, 3))
    assert response == pytest.approx(IMAGE / by_hand(IMAGE, 3, np.mean if kind == "Box2D" else np.median))


@pytest.mark.parametrize("kind", ["Box2D", "Median"])
def test_an_even_flat_has_a_response_of_one_at_the_border_too(kind):
    flat = np.full((9, 8), 250.0)
    assert normalise(flat, everywhere(flat), ResponseSettings(3, "smoothed", kind, 5)) == pytest.approx(
        np.ones(flat.shape)
    )


@pytest.mark.parametrize("kind", ["Box2D", "Median"])
def test_an_unknown_pixel_stays_unknown(kind):
    flat = np.full((7, 7), 250.0)
    flat[3, 3] = NAN
    response = normalise(flat, everywhere(flat), ResponseSettings(3, "smoothed", kind, 3))
    assert np.isnan(response[3, 3]) and np.isnan(response).sum() == 1
    assert np.nanmax(np.abs(response - 1)) < 1e-12


def test_where_the_surroundings_are_zero_the_response_is_unknown():
    flat = np.full((9, 9), 10.0)
    flat[2:7, 2:7] = 0.0
    response = normalise(flat, everywhere(flat), ResponseSettings(3, "smoothed", "Median", 3))
    assert np.isnan(response[4, 4]) and not np.isinf(response).any()


@hypothesis_settings(max_examples=30, deadline=None)
@given(
    hnp.arrays(float, (6, 5), elements=st.floats(1, 1000)), st.floats(0.01, 100), st.sampled_from(["Box2D", "Median"])
)
def test_the_brightness_of_the_lamp_cancels(flat, factor, kind):
    for method in ("smoothed", "mean"):
        faint, bright = (
            normalise(f, everywhere(flat), ResponseSettings(3, method, kind, 3)) for f in (flat, flat * factor)
        )
        assert bright == pytest.approx(faint, rel=1e-6)
