"""Arrays on their detector: embedded into the full frame and cut out again; regions of amplifiers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from badpix.instrument.detectors import load_detectors
from badpix.instrument.geometry import Geometry, amplifiers, cut, embed, full_frame

DETECTORS = load_detectors(Path(__file__).resolve().parents[3] / "config" / "detectors")
DETECTOR = DETECTORS["MIRIMAGE"]
PART = Geometry("BRIGHTSKY", x_start=457, y_start=51, n_columns=512, n_rows=512, fast_axis=1, slow_axis=2)


def test_full_frame_is_the_detectors():
    whole = full_frame(PART, DETECTOR)
    assert (whole.subarray, whole.shape, whole.x_start, whole.y_start) == ("FULL", (1024, 1032), 1, 1)
    assert (whole.fast_axis, whole.slow_axis) == (1, 2)
    assert full_frame(whole, DETECTOR) == whole


@pytest.mark.parametrize("dtype", [bool, np.uint32])
def test_embed_and_cut(dtype):
    image = np.random.default_rng(1).integers(0, 2, PART.shape).astype(dtype)
    whole = full_frame(PART, DETECTOR)
    embedded = embed(image, PART, whole)
    assert embedded.dtype == dtype and embedded.sum() == image.sum()
    assert embedded[50, 456] == image[0, 0] and embedded[50 + 511, 456 + 511] == image[-1, -1]
    np.testing.assert_array_equal(cut(embedded, whole, PART), image)


@pytest.mark.parametrize("changes", [{"x_start": 0}, {"x_start": 522}, {"y_start": 514}, {"n_rows": 975}])
def test_an_array_outside_the_frame_is_refused(changes):
    part = replace(PART, **changes)
    with pytest.raises(ValueError, match="does not lie within"):
        embed(np.zeros(part.shape), part, full_frame(PART, DETECTOR))


@pytest.mark.parametrize(
    ("name", "shape", "strips"),
    [
        ("NIS", (2048, 2048), [np.s_[512 * n : 512 * (n + 1), :] for n in range(4)]),  # fast axis along y
        ("NRCA1", (2048, 2048), [np.s_[:, 512 * n : 512 * (n + 1)] for n in range(4)]),
        ("NRCA1", (64, 2048), [np.s_[:, 512 * n : 512 * (n + 1)] for n in range(4)]),
        ("NRCA1", (2048, 64), [np.s_[:, :]]),
        ("MIRIMAGE", (1024, 1032), [np.s_[:, :]]),
    ],
)
def test_an_amplifier_reads_a_strip_along_the_fast_axis(name, shape, strips):
    detector = DETECTORS[name]
    n_rows, n_columns = shape
    part = Geometry("SUB", 1, 1, n_columns, n_rows, detector.fast_axis, detector.slow_axis)
    number = np.arange(n_rows * n_columns).reshape(shape)
    regions = amplifiers(part, detector)
    assert len(regions) == len(strips)
    for region, strip in zip(regions, strips, strict=True):
        np.testing.assert_array_equal(number[region], number[strip])
