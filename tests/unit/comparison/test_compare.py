"""Exposures compared with each other: what makes an outlier, and what does not."""

import numpy as np
import pytest

from badpix.comparison.compare import compare, most_distant, statuses
from badpix.comparison.measures import MEASURES
from badpix.comparison.robust import median_of_others, medians_without_one, slope_on
from badpix.comparison.sample import MAX_PAIRS, Sample
from badpix.core.csv_table import TableError
from badpix.formats.comparison_file import (
    GOOD,
    NO_MAJORITY,
    OUTLIER,
    OUTLIER_OF_FEW,
    ComparisonRow,
    read_comparison,
    reasons,
    write_comparison,
)
from badpix.formats.provenance import Provenance
from badpix.formats.sky_file import SkyFlat, write_sky_flat
from badpix.formats.statistics_set import exposures_of, read_set
from unit.formats.test_statistics_file import writer

SIZE = 64
SCIENCE = np.zeros((SIZE, SIZE), bool)
SCIENCE[4:-4, 4:-4] = True
READ_NOISE, N_GROUPS, GROUP_S = 8.0, 15, 10.0
LIMIT = 5.0


class Detector:
    """Fixed patterns of a detector: bias left in the pedestal (DN), noise per read, and response."""

    def __init__(self, seed=1):
        rng = np.random.default_rng(seed)
        self.bias = 1.5 * rng.standard_normal((SIZE, SIZE))
        self.raw_bias = 40 * rng.standard_normal((SIZE, SIZE))
        self.noise = READ_NOISE * np.exp(0.15 * rng.standard_normal((SIZE, SIZE)))
        self.response = 1 + 0.01 * rng.standard_normal((SIZE, SIZE))

    def dark(self, seed, light=0.0, frames=1, groups=N_GROUPS, bad=lambda image: image):
        """Planes of a dark with `light` (DN/s); `bad` changes the raw images, and thus the patterns."""
        rng = np.random.default_rng([7, seed])
        noise = bad(self.noise) / np.sqrt(frames)
        seconds = groups * GROUP_S
        variance = 12 * READ_NOISE**2 / frames / groups / seconds**2 + np.maximum(light, 0) / 1.6 / seconds
        slope = light + np.sqrt(variance) * rng.standard_normal((SIZE, SIZE)) * noise * np.sqrt(frames) / READ_NOISE
        # The superbias of the detector is subtracted, whatever the exposure has.
        pedestal = self.bias + bad(self.raw_bias) - self.raw_bias + 12 * rng.standard_normal((SIZE, SIZE))
        scatter = np.sqrt(2) * noise * (1 + 0.8 / np.sqrt(groups) * rng.standard_normal((SIZE, SIZE)))
        return {
            "SLOPE": slope, "VAR_SLOPE": variance + 0 * slope, "PEDESTAL": pedestal, "CDS_NOISE": scatter,
            "NJUMP": np.zeros((SIZE, SIZE)),
        }  # fmt: skip

    def flat(self, seed, level=100.0, lamp=1.0, bad=lambda image: image):
        """Planes of a flat: `lamp` is the illumination, a number or an image."""
        light = bad(level * lamp * self.response)
        variance = np.maximum(light, 1) / 1.6 / (N_GROUPS * GROUP_S)
        noise = np.sqrt(variance) * np.random.default_rng([7, seed]).standard_normal((SIZE, SIZE))
        return {"SLOPE": light + noise, "VAR_SLOPE": variance}


DETECTOR = Detector()
Y, X = np.mgrid[:SIZE, :SIZE] / SIZE


def rows_of(folder, kind, planes, sources=None, **keywords):
    """The comparison of exposures with these planes; `keywords` maps a keyword to its value in each exposure."""
    keywords = {"NGROUPS": [N_GROUPS] * len(planes)} | keywords
    for number, images in enumerate(planes):
        file = writer(f"e{number}", **{key: values[number] for key, values in keywords.items()})
        file.planes.clear()
        file.shape = (1, SIZE, SIZE)
        for name, image in images.items():
            image = np.where(SCIENCE, image, np.nan)
            file.put(name, 0, slice(None), image.astype(np.float32))
        file.write(folder / f"e{number}.fits", Provenance())
    segments, _ = read_set([str(folder / f"e{number}.fits") for number in range(len(planes))])
    return compare(exposures_of(segments), kind, SCIENCE, LIMIT, sources)


def beyond(rows):
    """Exposure -> measures beyond the limit."""
    found = {}
    for row in rows:
        if row.distance > row.limit:
            found.setdefault(row.exposure, set()).add(row.measure)
    return found


def with_odd(folder, kind, odd, n_good=6):
    """The measures in which `odd` is an outlier among good exposures, none of which may be an outlier."""
    good = [getattr(DETECTOR, kind.removesuffix("s"))(seed) for seed in range(n_good)]
    found = beyond(rows_of(folder, kind, [*good, odd]))
    assert set(found) <= {f"e{n_good}"}
    return found.get(f"e{n_good}", set())


@pytest.mark.parametrize(
    ("planes", "measure"),
    [
        (DETECTOR.dark(99, bad=np.fliplr), "pedestal_scatter"),
        (DETECTOR.dark(99, bad=np.flipud), "noise_pattern"),
        (DETECTOR.dark(99, bad=lambda image: np.roll(image, 1, axis=1)), "pedestal_scatter"),
        (DETECTOR.dark(99, bad=lambda image: image.T), "noise_pattern"),
        (DETECTOR.dark(99, bad=lambda image: np.where(X < 0.4, np.roll(image, 1, 1), image)), "pedestal_scatter"),
        (Detector(2).dark(99) | {"PEDESTAL": 40 * np.random.default_rng(3).standard_normal((SIZE, SIZE))},
         "noise_pattern"),
        (DETECTOR.dark(99, light=1.0), "light"),
        (DETECTOR.dark(99, light=5.0 * (X > 0.5)), "light"),
        (DETECTOR.dark(99, light=2.0 * X), "light"),
        (DETECTOR.dark(99, bad=lambda image: 10 * image), "noise"),
        (DETECTOR.dark(99, bad=lambda image: np.where(Y < 0.25, 0 * image, image)), "noise_changed"),
        (DETECTOR.dark(99) | {"SLOPE": np.where(Y < 0.2, np.nan, 0.0)}, "without_slope"),
        (DETECTOR.dark(99) | {"PEDESTAL": 500 + DETECTOR.dark(99)["PEDESTAL"]}, "pedestal"),
        (DETECTOR.dark(99, light=1.0 * (np.random.default_rng(4).random((SIZE, SIZE)) < 0.1)), "deviating"),
    ],
)  # fmt: skip
def test_odd_darks(tmp_path, planes, measure):
    assert measure in with_odd(tmp_path, "darks", planes)


@pytest.mark.parametrize(
    ("planes", "measure"),
    [
        (DETECTOR.flat(99, bad=np.fliplr), "pattern"),
        (DETECTOR.flat(99, bad=np.flipud), "pattern"),
        (DETECTOR.flat(99, bad=lambda image: np.rot90(image)), "pattern"),
        (DETECTOR.flat(99, bad=lambda image: np.roll(image, 1, axis=0)), "pattern"),
        (Detector(2).flat(99), "pattern"),
        (DETECTOR.flat(99, lamp=X > 0.5), "illumination"),
        (DETECTOR.flat(99, lamp=1 - 0.8 * (Y < 0.3)), "illumination"),
        (DETECTOR.flat(99, level=0.0), "illumination"),
        (DETECTOR.flat(99, lamp=np.exp(-12 * ((X - 0.5) ** 2 + (Y - 0.5) ** 2))), "illumination"),
        (DETECTOR.flat(99, bad=lambda image: image * (1 + 0.1 * np.random.default_rng(5).standard_normal(image.shape))),
         "scatter"),
        (DETECTOR.flat(99, bad=lambda image: np.where(np.random.default_rng(6).random(image.shape) < 0.1, 9, image)),
         "deviating"),
        (DETECTOR.flat(99) | {"SLOPE": np.where(Y < 0.2, np.nan, DETECTOR.flat(99)["SLOPE"])}, "without_slope"),
    ],
)  # fmt: skip
def test_odd_flats(tmp_path, planes, measure):
    assert measure in with_odd(tmp_path, "flats", planes)


def test_an_odd_integration_is_enough(tmp_path):
    measure = MEASURES["darks"]["light"]
    own = np.array([[0.0, 0.05], [1.0, 0.05], [0.1, 0.05]])
    integration, value, others, variation = most_distant(measure, own, np.zeros((6, 2)), 1.0)
    assert (integration, value, others, variation) == (2, 1.0, 0.0, 0.05)


def test_light_temperature_glow_and_read_pattern_make_no_outlier(tmp_path):
    """Each exposure has another level, and a single exposure differs most in each respect."""
    glow = 0.1 * np.exp(-X / 0.08)
    frames, groups = [1, 4, 1, 1, 2, 1, 1, 8], [15, 8, 30, 15, 15, 15, 15, 15]
    levels = [0.01, 0.01, 0.01, 0.05, 0.01, 0.01, 0.01, 0.01]
    darks = [
        DETECTOR.dark(seed, levels[seed] + glow * (seed == 5), frames[seed], groups[seed])
        for seed in range(len(levels))
    ]
    assert not beyond(rows_of(tmp_path, "darks", darks, NFRAMES=frames))
    lamps = [1, 1 + 0.3 * (X - 0.5), 1, 1 - 0.4 * (Y - 0.5), 1, 1, 1]
    flats = [DETECTOR.flat(seed, level, lamp) for seed, (level, lamp) in enumerate(zip(
        [100, 100, 30, 100, 300, 5, 100], lamps, strict=True))]  # fmt: skip
    assert not beyond(rows_of(tmp_path, "flats", flats))


def test_a_deep_dark_among_shallow_darks_is_no_outlier(tmp_path):
    """The noise of the others is larger than its own, so its distance from them exceeds its expected noise."""
    darks = [*(DETECTOR.dark(seed, groups=6) for seed in range(6)), DETECTOR.dark(6, frames=8, groups=100)]
    assert not beyond(rows_of(tmp_path, "darks", darks, NFRAMES=[1] * 6 + [8]))


def test_many_cosmic_rays_make_no_outlier(tmp_path):
    """A fifth of the pixels has a jump, and another slope after it."""
    hit = np.random.default_rng(8).random((SIZE, SIZE)) < 0.2
    dark = DETECTOR.dark(99)
    dark |= {"SLOPE": dark["SLOPE"] + 2.0 * hit, "NJUMP": 1.0 * hit}
    assert with_odd(tmp_path, "darks", dark) == set()


def test_the_scatter_of_the_others_widens_the_limit():
    measure = MEASURES["darks"]["light"]
    own, even = np.array([[1.0, 0.05]]), np.zeros((6, 2))
    uneven = np.array([[v, 0.05] for v in (-0.8, -0.4, 0.0, 0.0, 0.4, 0.8)])
    distances = [abs(v - o) / u for _, v, o, u in (most_distant(measure, own, of, 1.0) for of in (even, uneven))]
    assert distances[0] == pytest.approx(20) and distances[1] < LIMIT


def test_a_pattern_below_its_error_is_not_compared():
    measure = MEASURES["flats"]["pattern"]
    assert most_distant(measure, np.array([[0.0, 0.1]]), np.full((4, 2), 0.3), 1.0) is None


@pytest.mark.parametrize(
    ("n_exposures", "n_outliers", "status"),
    [
        (4, 1, OUTLIER_OF_FEW),
        (5, 1, OUTLIER),
        (5, 2, OUTLIER),
        (6, 3, NO_MAJORITY),
        (7, 3, OUTLIER),
        (7, 4, NO_MAJORITY),
    ],
)
def test_status(n_exposures, n_outliers, status):
    rows = [
        ComparisonRow("darks", f"e{i}", "light", 1, 0, 0, 1, 6.0 if i < n_outliers else 5.0, LIMIT, "", "")
        for i in range(n_exposures)
    ]
    found = list(statuses(rows, n_exposures).values())
    assert found == [status] * n_outliers + [GOOD] * (n_exposures - n_outliers)


def test_two_exposures_are_not_compared(tmp_path):
    assert rows_of(tmp_path, "darks", [DETECTOR.dark(1), DETECTOR.dark(2, light=9)]) == []


def test_the_table_is_read_as_it_was_written(tmp_path):
    rows = [
        ComparisonRow("darks", "a", name, 2, 1.5, 0.0, 0.25, distance, 5.0, OUTLIER, f"{name}, 1.5")
        for name, distance in (("noise", 6.0), ("light", 8.0), ("pedestal", 5.0))
    ]
    write_comparison(tmp_path / "table.csv", rows)
    assert read_comparison(tmp_path / "table.csv") == rows
    assert reasons(rows) == {"a": "light, 1.5 in integration 2, a distance of 8 (outlier_limit 5); also noise"}
    write_comparison(tmp_path / "table.csv", [])
    assert read_comparison(tmp_path / "table.csv") == read_comparison(None) == []


@pytest.mark.parametrize("number", [2, 3, 4, 5, 8])
def test_the_median_of_the_others(number):
    values = np.random.default_rng(number).standard_normal((number, 50))
    expected = [np.median(np.delete(values, i, axis=0), axis=0) for i in range(number)]
    found = [median_of_others(row, medians_without_one(values)) for row in values]
    np.testing.assert_allclose(found, expected)


def test_a_missing_value_does_not_move_the_median_of_the_others():
    values = np.array([[1.0, np.nan], [np.nan, np.nan], [1.0, np.nan], [5.0, np.nan]])
    found = np.array([median_of_others(row, medians_without_one(values)) for row in values])
    assert found[:, 0].tolist() == [1.0, 1.0, 1.0, 1.0]
    assert np.isnan(found[:, 1]).all()


def test_bad_pixels_have_no_weight_in_the_pattern():
    rng = np.random.default_rng(1)
    pattern = rng.standard_normal(5000)
    values = 0.5 * pattern + 0.1 * rng.standard_normal(5000)
    pattern[:50], values[:50] = 100, -100
    coefficient, error = slope_on(pattern, values)
    assert coefficient == pytest.approx(0.5, abs=0.02) and 0.001 < error < 0.003


def test_a_large_array_is_sampled_evenly():
    science = np.zeros((2048, 2048), bool)
    science[4:-4, 4:-4] = True
    rows = Sample(science).read(np.broadcast_to(np.arange(2048)[:, None], science.shape))[:, :, 0]
    assert rows.size / 2 * 2040 <= MAX_PAIRS and rows[0, 0] == 4 and rows[1, -1] == 2043
    assert np.ptp(np.diff(rows[0])) <= 1 and set(rows[1] - rows[0]) == {2}


@pytest.mark.parametrize(
    "change", [lambda t: t[:-30], lambda t: t.replace(",good", ",fine"), lambda t: "x\n1\n", lambda t: t[:-12]]
)
def test_a_damaged_table_of_comparisons_is_named(tmp_path, change):
    row = ComparisonRow("darks", "=1+1", "rate", 1, 1.5, 1.0, 0.1, 5.0, 9.0, "good", "rate 1.5")
    write_comparison(tmp_path / "c.csv", [row])
    assert ",'=1+1," in (tmp_path / "c.csv").read_text()
    assert read_comparison(tmp_path / "c.csv") == [row]
    (tmp_path / "c.csv").write_text(change((tmp_path / "c.csv").read_text()))
    with pytest.raises(TableError, match="c.csv is no table of this workflow"):
        read_comparison(tmp_path / "c.csv")


@pytest.mark.parametrize("groups", [[8] * 6 + [40] * 3, [8] * 3 + [40] * 6, [8] * 2 + [40] * 6], ids=str)
def test_darks_of_other_depth_are_no_outliers(tmp_path, groups):
    """The noise of slopes of 40 groups is a tenth of that of 8 groups: compared in one set, three would be rejected."""
    darks = [DETECTOR.dark(seed, groups=n) for seed, n in enumerate(groups)]
    rows = rows_of(tmp_path, "darks", darks, NGROUPS=groups)
    assert not beyond(rows)
    assert {row.exposure for row in rows} == {f"e{number}" for number in range(len(groups))}


def test_a_light_leak_is_found_among_the_darks_of_its_depth(tmp_path):
    groups = [40] * 4 + [8] * 4
    darks = [DETECTOR.dark(seed, groups=n, light=0.6 * (seed == 0)) for seed, n in enumerate(groups)]
    assert beyond(rows_of(tmp_path, "darks", darks, NGROUPS=groups)) == {"e0": {"light"}}


def test_stars_make_no_outlier_of_a_flat_of_the_sky(tmp_path):
    """Stars on a tenth of one flat, and on less of the others: left out, they do not make it deviate."""
    stars = [np.random.default_rng(seed).random((SIZE, SIZE)) < share for seed, share in enumerate([0.002] * 5 + [0.1])]
    planes, sources = [], {}
    for number, of_flat in enumerate(stars):
        planes.append(DETECTOR.flat(number, lamp=1 + 5.0 * of_flat))
        images = (np.ones((SIZE, SIZE), np.float32),) * 3
        sources[f"e{number}"] = str(tmp_path / f"sky{number}.fits")
        header = {"EXP_TYPE": "NIS_IMAGE"}
        write_sky_flat(sources[f"e{number}"], SkyFlat(*images, of_flat), f"e{number}", 0, header, Provenance())
    assert "deviating" in beyond(rows_of(tmp_path, "flats", planes))["e5"]
    assert beyond(rows_of(tmp_path, "flats", planes, sources)) == {}
