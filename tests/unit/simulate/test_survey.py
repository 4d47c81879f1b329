"""The survey population: how many bad pixels of which kind, where, when they are bad, and the truth file."""

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from scipy import ndimage

from badpix.simulate import ramps
from badpix.simulate.detector import make_detector
from badpix.simulate.exposure import Exposure
from badpix.simulate.headers import make_geometry
from badpix.simulate.populations import SURVEY
from badpix.simulate.simulation import Simulation
from badpix.simulate.truth import pixel_table
from simulate import main, parse_arguments

MAIN_TYPES = {
    "dead": 40, "low_qe": 80, "open": 60, "hot": 160, "rc": 100, "inverse_rc": 80, "telegraph": 120, "noisy": 80,
    "low_pedestal": 60,
}  # fmt: skip
INTERMITTENT = ("dead", "hot", "telegraph", "low_pedestal", "rc")
EXPECTED = {
    "dead": "DEAD", "low_qe": "LOW_QE", "open": "OPEN", "hot": "hot", "rc": "rc", "inverse_rc": "inverse_rc",
    "telegraph": "high_cr", "noisy": "noisy", "low_pedestal": "low_pedestal", "crds_flagged_dead": "DEAD",
}  # fmt: skip
LIMITS = {
    "dead": (0, 0.04), "low_qe": (0.1, 0.9), "open": (0, 0.25), "hot": (0.3, 6e5), "rc": (30, 1e4),
    "inverse_rc": (30, 3000), "telegraph": (10, 400), "noisy": (1.5, 10), "low_pedestal": (20, 2000),
    "intermittent_hot": (50, 5000), "intermittent_telegraph": (150, 300), "intermittent_low_pedestal": (300, 2000),
    "intermittent_rc": (1500, 8000),
}  # fmt: skip
SECOND_LIMITS = {
    "open": (1.08, 1.2), "rc": (0.5, 15), "inverse_rc": (0.5, 15), "telegraph": (0.01, 0.5),
    "intermittent_telegraph": (0.2, 0.5), "intermittent_rc": (1, 3),
}  # fmt: skip
NEED_LIGHT = ("dead", "low_qe", "open", "intermittent_dead", "crds_flagged_dead")


def survey(size, seed=1, instrument="NIRISS"):
    return make_detector(make_geometry(instrument, size), seed, SURVEY)


@pytest.fixture(scope="module")
def detector():
    return survey(256)


@pytest.fixture(scope="module")
def table(detector):
    return pixel_table(detector)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("survey")
    main(path, Simulation(64, darks=1, flats=2, integrations=1, groups=3, population="survey"))
    return path


def test_numbers_in_256(table):
    single = table[table["group"] == ""]["type"].value_counts().to_dict()
    others = {f"intermittent_{name}": 28 for name in INTERMITTENT} | dict.fromkeys(
        ["crds_flagged_healthy", "crds_flagged_dead"], 20
    )
    assert single == MAIN_TYPES | others
    groups = table["group"].value_counts().to_dict()
    assert groups == {"": 960, "block": 900, "scratch": 60, "column": 252, "pair": 32, "border": 36}
    assert (table[table["group"] == "border"]["type"].value_counts() == 4).all()
    assert table[table["group"] == "pair"]["type"].value_counts().to_dict() == {"dead": 16, "hot": 16}


@pytest.mark.parametrize(("instrument", "size"), [("NIRISS", 64), ("FGS", 128)])
@pytest.mark.parametrize("seed", range(5))
def test_small_arrays_hold_some_of_each(instrument, size, seed):
    pixels = pixel_table(survey(size, seed, instrument))
    single = pixels[pixels["group"] == ""]["type"].value_counts()
    assert len(single) == len(SURVEY.types) and single.min() >= 3
    assert set(pixels["group"]) == {"", "block", "scratch", "column", "pair", "border"}


def test_numbers_that_do_not_fit_are_reduced_by_a_common_factor():
    from badpix.simulate.planting import survey_counts

    needs_light = np.array([planted.needs_light for planted in SURVEY.types])
    geometry = make_geometry("NIRISS", 256)
    wanted = survey_counts(SURVEY, geometry, 2000, 2000, needs_light)
    for n_cells, n_lit in ((480, 2000), (2000, 114)):  # half of all; half of the 228 that need light
        counts = survey_counts(SURVEY, geometry, n_cells, n_lit, needs_light)
        assert counts.sum() <= n_cells and counts[needs_light].sum() <= n_lit
        assert counts / wanted == pytest.approx(0.5, abs=0.05)
    assert survey_counts(SURVEY, geometry, 48, 48, needs_light).tolist() == [3] * 16
    with pytest.raises(ValueError, match="do not fit"):
        survey_counts(SURVEY, geometry, 47, 47, needs_light)


@pytest.mark.parametrize("name", LIMITS)
def test_strengths_span_their_range(table, name):
    low, high = LIMITS[name]
    strength = table[(table["type"] == name) & (table["group"] == "")]["strength"]
    assert strength.min() >= low - 1e-4 and strength.max() <= high * 1.001  # the table has four digits
    if name in MAIN_TYPES and low > 0.1 and name != "noisy":  # even in the logarithm: half below the geometric mean
        assert np.mean(strength < np.sqrt(low * high)) == pytest.approx(0.5, abs=0.18)
    if name in SECOND_LIMITS:
        low, high = SECOND_LIMITS[name]
        assert table[table["type"] == name]["second"].between(low - 1e-4, high + 1e-4).all()


def test_a_third_of_the_open_pixels_has_no_response(table):
    assert np.count_nonzero(table[table["type"] == "open"]["strength"] == 0) == round((60 + 4) / 3)


@pytest.mark.parametrize(("instrument", "size", "seed"), [("NIRISS", 64, 1), ("NIRISS", 64, 2), ("FGS", 128, 3)])
def test_rings_do_not_overlap(instrument, size, seed):
    """Neither of single pixels nor of whole clusters: at least 3 pixels from one to the next."""
    detector = survey(size, seed, instrument)
    planted = np.zeros((size, size), bool)
    planted[detector.pixels["y"], detector.pixels["x"]] = True
    assert np.count_nonzero(planted) == len(detector.pixels)
    assert not (planted & detector.reference).any()
    labels, number = ndimage.label(planted, np.ones((3, 3)))
    rings = sum(ndimage.binary_dilation(labels == label, np.ones((3, 3))).astype(int) for label in range(1, number + 1))
    assert rings.max() == 1
    groups = pd.Series(detector.pixels["group"]).groupby(labels[detector.pixels["y"], detector.pixels["x"]])
    assert (groups.nunique() == 1).all()
    sizes = {name: [len(one) for _, one in groups if one.iloc[0] == name] for name in ("", "pair", "border")}
    assert set(sizes[""]) == set(sizes["border"]) == {1} and set(sizes["pair"]) == {2}


def test_shapes_of_the_clusters(detector):
    def of(group):
        pixels = np.sort(detector.pixels[detector.pixels["group"] == group], order=["y", "x"])
        return pixels["y"], pixels["x"]

    y, x = of("block")
    assert np.ptp(y) == np.ptp(x) == 29
    y, x = of("scratch")
    assert (np.diff(y) == 1).all() and (abs(np.diff(x)) == 1).all() and len(set(np.diff(x))) == 1
    y, x = of("column")
    assert y.tolist() == list(range(252)) and np.ptp(x) == 0
    y, x = of("border")
    assert (np.minimum(np.minimum(y, x), np.minimum(251 - y, 251 - x)) < 3).all()
    dead = detector.population.codes["dead"]
    for group in ("block", "scratch", "column"):
        assert set(detector.pixels["code"][detector.pixels["group"] == group]) == {dead}


def test_hot_pairs_have_their_own_rates(table):
    pairs = table[(table["group"] == "pair") & (table["type"] == "hot")]
    assert pairs["strength"].between(100, 5000).all()


def test_number_of_blocks_in_the_full_frame():
    from badpix.simulate.clusters import plan_clusters

    rows, _ = plan_clusters(make_geometry("NIRISS", 2048), SURVEY, 34, np.random.default_rng(1))
    number = pd.Series([row["group"] for row in rows]).value_counts()
    assert (number["block"], number["scratch"], number["column"]) == (4 * 900, 4 * 60, 2040)


@pytest.mark.parametrize(
    ("instrument", "size", "first", "width"), [("NIRISS", 64, 0, 6), ("FGS", 128, 0, 12), ("NIRISS", 256, 0, 24)]
)
def test_pixels_that_need_light_are_apart_from_the_unlit_strip(instrument, size, first, width):
    pixels = pixel_table(survey(size, 1, instrument))
    need_light = pixels["type"].isin(NEED_LIGHT)
    assert pixels[need_light]["x"].min() >= first + width + 6
    assert (pixels[~need_light]["x"] < first + width).any()


def test_intermittent_pixels_are_bad_in_k_of_eight(detector, table):
    for name in INTERMITTENT:
        mine = table[table["type"] == f"intermittent_{name}"]
        assert mine["bad_of_8"].value_counts().sort_index().to_dict() == dict.fromkeys(range(1, 8), 4)
        assert mine["phase"].between(0, 7).all() and mine["phase"].nunique() > 4
        rule = {(row.y, row.x): ((np.arange(16) + row.phase) % 8) < row.bad_of_8 for row in mine.itertuples()}
        for index in range(1, 17):
            steady = detector.select(name)
            chosen = detector.select(name, index)
            bad = {(p["y"], p["x"]) for p in chosen} - {(p["y"], p["x"]) for p in steady}
            assert bad == {pixel for pixel, exposures in rule.items() if exposures[index - 1]}
    permanent = table[~table["type"].str.startswith("intermittent")]
    assert (permanent["bad_of_8"] == 8).all() and (permanent["phase"] == -1).all()


def test_phase_and_number_by_hand():
    """Phase 6, bad in 3 of 8: exposure 1 is 6 in the period, 3 is 0, so the pixel is bad in 3, 4, 5 and 11, 12, 13."""
    pixel = np.array([(6, 3)], [("phase", "i2"), ("bad_exposures", "i2")])
    assert [i for i in range(1, 15) if SURVEY.is_bad(pixel, i)[0]] == [3, 4, 5, 11, 12, 13]


def test_truth_file(folder):
    detector = survey(64)
    codes = np.zeros((64, 64), int)
    codes[60:] = codes[:, 60:] = -1
    codes[detector.pixels["y"], detector.pixels["x"]] = detector.pixels["code"]
    care, near_open, halo = (np.zeros((64, 64), int) for _ in range(3))
    names = {code: name for name, code in SURVEY.codes.items()}
    for pixel in detector.pixels:
        for y in range(max(0, pixel["y"] - 1), min(64, pixel["y"] + 2)):
            for x in range(max(0, pixel["x"] - 1), min(64, pixel["x"] + 2)):
                if codes[y, x] == 0:
                    name = names[pixel["code"]]
                    care[y, x] |= name == "intermittent_hot" and pixel["strength"] > 10
                    halo[y, x] |= name == "hot" and pixel["strength"] > 10
                    near_open[y, x] |= name == "open"
    assert care.any() and near_open.any() and halo.any()
    care[halo == 1] = 0
    noisy = (detector.read_noise_dn >= 1.5 * np.median(detector.read_noise_dn)) & (codes == 0)
    assert noisy.any() and not (noisy & ((care == 1) | (halo == 1))).all()
    care[noisy], halo[noisy] = 1, 0
    # At 0.2 s per frame no healthy pixel is warm.
    with fits.open(folder / "truth.fits") as hdus:
        assert hdus[0].header["POPULATN"] == "survey"
        assert np.array_equal(hdus["TRUTH"].data, codes) and hdus["TRUTH"].data.dtype == ">i2"
        assert np.array_equal(hdus["DONTCARE"].data, care) and hdus["DONTCARE"].data.dtype == np.uint8
        assert np.array_equal((hdus["HALO"].data > 0) & (codes == 0), halo)
        assert np.array_equal(hdus["ADJ_OPEN"].data, near_open)
        assert hdus["UNLIT"].data[:, :6].all() and not hdus["UNLIT"].data[:, 6:].any()
        types = pd.DataFrame({name: hdus["TYPES"].data[name].tolist() for name in hdus["TYPES"].columns.names})
        columns = hdus["PIXELS"].columns.names
    types = types.set_index("NAME")
    assert types["EXPECTED"][types["EXPECTED"] != ""].to_dict() == EXPECTED
    smaller = {"dead", "low_qe", "open", "intermittent_dead", "crds_flagged_healthy", "crds_flagged_dead"}
    assert set(types.index[types["STRONGER"] == -1]) == smaller and set(types["STRONGER"]) == {1, -1}
    assert types["UNIT"]["hot"] == "DN/frame"
    csv = pd.read_csv(folder / "truth.csv", keep_default_na=False)
    assert list(csv.columns) == columns
    assert columns == ["x", "y", "type", "strength", "strength_unit", "second", "phase", "bad_of_8", "group"]
    assert len(csv) == len(detector.pixels)


def test_another_population_is_not_mixed_in(folder):
    with pytest.raises(ValueError, match="another detector"):
        main(folder, Simulation(64, darks=1, flats=0, integrations=1, groups=3))


def test_exposure_is_the_same_whatever_else_is_made(folder, tmp_path):
    one = Simulation(64, darks=0, flats=1, integrations=1, groups=3, first_flat=2, population="survey")
    (path,) = main(tmp_path, one)
    assert np.array_equal(fits.getdata(path, "SCI"), fits.getdata(folder / "flats" / path.name, "SCI"))
    detector = survey(64)
    first, second = (ramps.simulate_exposure(detector, Exposure("dark", index, 1, 2), seed=1) for index in (1, 2))
    assert not np.array_equal(first, second)


def test_command_line():
    assert parse_arguments(["--out", "x"]) == ("x", Simulation())
    words = "--out x --population survey --instrument NIRCam --detector NRCA1 NRCB4 --first-dark 6 --size 64"
    wanted = Simulation(64, None, "NIRCAM", ["NRCA1", "NRCB4"], population="survey", first_dark=6)
    assert parse_arguments(words.split()) == ("x", wanted)


def test_exposures_are_numbered_on_from_the_first_of_their_epoch():
    found = Simulation(darks=2, flats=1, first_dark=3, integrations=4, groups=5, epoch=2).exposures()
    assert found == [Exposure("dark", 10003, 4, 5), Exposure("dark", 10004, 4, 5), Exposure("flat", 10001, 4, 5)]


def test_references_include_hot_and_noisy_pixels_only(folder):
    detector = survey(64)
    references = folder / "crds_cache" / "references" / "jwst" / "niriss"
    noise = fits.getdata(references / "jwst_niriss_readnoise_0001.fits", "SCI")
    expected = np.sqrt(2 * (detector.read_noise_dn**2 + ramps.PINK_NOISE_DN**2)) * (1 + detector.read_noise_error)
    telegraph, noisy = detector.planted_as("telegraph"), detector.planted_as("noisy")
    assert np.allclose(noise[telegraph["y"], telegraph["x"]], expected[telegraph["y"], telegraph["x"]])
    assert (noise[noisy["y"], noisy["x"]] > 1.2 * expected[noisy["y"], noisy["x"]]).all()
    dark = np.squeeze(fits.getdata(references / "jwst_niriss_dark_0001.fits", "SCI"))
    hot = detector.planted_as("hot")
    faint = hot[hot["strength"] < 1e4]
    assert np.allclose(np.diff(dark, axis=0)[0, faint["y"], faint["x"]], faint["strength"], rtol=0.01, atol=0.1)
    coefficients = fits.getdata(references / "jwst_niriss_linearity_0001.fits", "COEFFS")
    assert np.ptp(coefficients[2]) == 0
