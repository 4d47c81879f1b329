"""The survey's exposures: what each planted type and each effect does to the raw counts, by hand, without noise."""

import dataclasses

import numpy as np
import pytest

from badpix.simulate import cosmic_rays, ramps
from badpix.simulate.coupling import couple
from badpix.simulate.detector import make_detector
from badpix.simulate.exposure import Exposure
from badpix.simulate.headers import make_geometry
from badpix.simulate.populations import DEMO, SURVEY
from badpix.simulate.static_maps import NONLINEARITY_PER_DN, lamp, lamp_edge

SIZE = 64
GROUPS = 10
DIRECT, DIAGONAL, CENTRE = 0.005, 0.0005, 0.978
LAMP_DN = 25000 / GROUPS  # per group at level 1


@pytest.fixture(scope="module")
def survey():
    return make_detector(make_geometry("NIRISS", SIZE), 1, SURVEY)


@pytest.fixture
def quiet(monkeypatch, survey):
    """The detector with every healthy pixel alike and only single pixels of the given types; all noise off.

    The gain makes shot noise 0.01 times the square root of the signal: 1.5 DN in the brightest pixel.
    """
    for name in ("RESET_NOISE_DN", "PEDESTAL_DRIFT_DN", "ODD_EVEN_DRIFT_DN", "GROUP_DRIFT_DN", "PINK_NOISE_DN"):
        monkeypatch.setattr(ramps, name, 0.0)
    monkeypatch.setattr(cosmic_rays, "HITS_PER_PIXEL_GROUP", 0.0)
    values = {
        "bias_dn": 11000, "gain_e_per_dn": 1e4, "read_noise_dn": 0, "dark_rate_dn_per_s": 0, "response": 1,
        "illumination": 1, "saturation_dn": 60000, "nonlinearity_per_dn": NONLINEARITY_PER_DN,
    }  # fmt: skip
    maps = {name: np.full((SIZE, SIZE), value, np.float32) for name, value in values.items()}
    maps["response"][survey.reference] = 0
    physics = dataclasses.replace(SURVEY.physics, flat_levels=None, snowballs_per_pixel_group=0.0)

    def make(*names, **changes):
        population = dataclasses.replace(SURVEY, physics=dataclasses.replace(physics, **changes))
        codes = [population.codes[name] for name in names]
        pixels = survey.pixels[np.isin(survey.pixels["code"], codes) & (survey.pixels["group"] == "")]
        return dataclasses.replace(survey, population=population, pixels=pixels, **maps)

    return make


def signal(detector, kind, index=1, groups=GROUPS, seed=1):
    """True signal in DN, float64 (group, y, x): bias taken off, non-linearity undone."""
    counts = ramps.simulate_exposure(detector, Exposure(kind, index, 1, groups), seed)[0]
    measured = counts.astype(float) - detector.bias_dn
    return measured + np.where(measured > 0, NONLINEARITY_PER_DN * measured**2, 0)


@pytest.mark.parametrize("name", ["dead", "low_qe"])
def test_response(quiet, name):
    detector = quiet(name)
    flat = signal(detector, "flat")
    for pixel in detector.pixels:
        expected = LAMP_DN * (CENTRE * pixel["strength"] + 4 * DIRECT + 4 * DIAGONAL)
        slope = np.diff(flat[:, pixel["y"], pixel["x"]])
        assert slope == pytest.approx(np.full(GROUPS - 1, expected), rel=2e-3, abs=4)


def test_the_light_of_open_pixels_goes_to_their_neighbours(quiet):
    detector = quiet("open")
    total = signal(detector, "flat")[-1] / (GROUPS * LAMP_DN)
    for pixel in detector.pixels:
        y, x, response, gain = pixel["y"], pixel["x"], pixel["strength"], pixel["second"]
        assert total[y, x] == pytest.approx(CENTRE * response + 4 * DIRECT * gain + 4 * DIAGONAL, abs=1e-3)
        for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            expected = CENTRE * gain + DIRECT * (response + 3) + DIAGONAL * (2 * gain + 2)
            assert total[y + dy, x + dx] == pytest.approx(expected, abs=2e-3)
        assert total[y + 1, x + 1] == pytest.approx(1 + 2 * DIRECT * (gain - 1), abs=2e-3)


def test_hot_pixels_and_the_signal_of_their_neighbours(quiet):
    detector = quiet("hot")
    dark = signal(detector, "dark")
    for pixel in detector.pixels:
        y, x, rate = pixel["y"], pixel["x"], pixel["strength"]
        well = 50500 + NONLINEARITY_PER_DN * 50500**2  # 61500 counts, the full well, less the bias
        charge = np.minimum(rate * np.arange(1, GROUPS + 1), well / CENTRE)
        assert dark[:, y, x] == pytest.approx(CENTRE * charge, rel=2e-3, abs=3)
        assert dark[:, y, x + 1] == pytest.approx(DIRECT * charge, rel=0.02, abs=1.1)
        assert dark[:, y - 1, x - 1] == pytest.approx(DIAGONAL * charge, rel=0.05, abs=1.1)


def test_saturated_hot_pixels_stop_at_the_full_well():
    """Also in the survey: otherwise their coupled signal would grow without limit."""
    survey = make_detector(make_geometry("NIRISS", SIZE), 2, SURVEY)
    hot = survey.planted_as("hot")
    brightest = hot[np.argmax(hot["strength"])]
    dark = ramps.simulate_exposure(survey, Exposure("dark", 1, 1, 20), seed=1)[0].astype(float)
    y, x = brightest["y"], brightest["x"]
    assert brightest["strength"] > 5000
    assert (dark[-3:, y, x] > survey.saturation_dn[y, x]).all()
    assert abs(dark[-1, y, x] - survey.saturation_dn[y, x] - 1500) < 60
    ring = [dark[-1, y + dy, x + dx] - survey.bias_dn[y + dy, x + dx] for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0))]
    assert np.median(ring) == pytest.approx(0.005 * 53200, abs=40)


@pytest.mark.parametrize(("name", "sign"), [("rc", 1), ("inverse_rc", -1), ("intermittent_rc", 1)])
def test_rc_curves(quiet, name, sign):
    detector = quiet(name)
    for index in (1, 4):
        dark = signal(detector, "dark", index)
        frames = np.arange(1, GROUPS + 1)
        bad = {(pixel["y"], pixel["x"]) for pixel in detector.pixels[SURVEY.is_bad(detector.pixels, index)]}
        for pixel in detector.pixels:
            y, x = pixel["y"], pixel["x"]
            expected = sign * pixel["strength"] * (1 - np.exp(-frames / pixel["second"])) * ((y, x) in bad)
            assert dark[:, y, x] == pytest.approx(expected, abs=1.5)
            assert abs(dark[:, y, x + 1]).max() < 1  # its own readout: no coupling


@pytest.mark.parametrize("name", ["telegraph", "intermittent_telegraph"])
def test_telegraph_levels(quiet, name):
    detector = quiet(name)
    groups = 400
    dark = signal(detector, "dark", groups=groups)
    bad = SURVEY.is_bad(detector.pixels, 1)
    assert bad.any()
    for pixel in detector.pixels[bad]:
        curve, half = dark[:, pixel["y"], pixel["x"]], pixel["strength"] / 2
        assert abs(curve) == pytest.approx(np.full(groups, half), abs=1.1)
        chance, switches = pixel["second"], np.count_nonzero(np.diff(curve > 0))
        assert abs(switches - chance * groups) < 4 * np.sqrt(groups * chance * (1 - chance)) + 1
        assert abs(dark[:, pixel["y"], pixel["x"] + 1]).max() < 1


def test_noisy_pixels(quiet):
    detector = quiet("noisy")
    detector = dataclasses.replace(detector, read_noise_dn=np.full((SIZE, SIZE), 10.0, np.float32))
    spread = signal(detector, "dark", groups=400).std(axis=0)
    assert np.median(spread) == pytest.approx(10, rel=0.03)
    for pixel in detector.pixels:
        assert spread[pixel["y"], pixel["x"]] == pytest.approx(10 * pixel["strength"], rel=0.15)


@pytest.mark.parametrize("name", ["low_pedestal", "intermittent_low_pedestal"])
def test_low_pedestals(quiet, name):
    detector = quiet(name)
    for index in range(1, 9):
        dark = signal(detector, "dark", index, groups=2)
        bad = SURVEY.is_bad(detector.pixels, index)
        depth = np.where(bad, detector.pixels["strength"], 0)
        assert dark[:, detector.pixels["y"], detector.pixels["x"]] == pytest.approx(np.array([-depth] * 2), abs=1)


@pytest.mark.parametrize(("name", "kind"), [("dead", "flat"), ("hot", "dark")])
def test_intermittent_pixels_are_healthy_in_between(quiet, name, kind):
    detector = quiet(f"intermittent_{name}")
    share = np.zeros(len(detector.pixels))
    for index in range(1, 9):
        total = signal(detector, kind, index, groups=2)[-1][detector.pixels["y"], detector.pixels["x"]]
        share += total < 0.5 * 25000 if name == "dead" else total > 50
    assert share.tolist() == detector.pixels["bad_exposures"].tolist()


def test_coupling_kernel_and_its_sum():
    image = np.zeros((7, 7), np.float32)
    image[3, 3] = 10000
    coupled = couple(image, DIRECT, DIAGONAL)
    assert coupled[2:5, 2:5] == pytest.approx(np.array([[5, 50, 5], [50, 9780, 50], [5, 50, 5]]), abs=1e-3)
    assert coupled.sum() == pytest.approx(10000, abs=0.01) and np.count_nonzero(coupled) == 9
    assert couple(np.full((5, 6), 100, np.float32), DIRECT, DIAGONAL) == pytest.approx(np.full((5, 6), 100), abs=1e-3)


def test_demo_has_no_coupling():
    detector = make_detector(make_geometry("NIRISS", SIZE), 1)
    assert detector.population is DEMO
    dark = ramps.simulate_exposure(detector, Exposure("dark", 1, 1, 2), seed=1)[0].astype(float) - detector.bias_dn
    hot = detector.planted_as("hot_saturated")
    assert abs(np.median(dark[:, hot["y"], hot["x"] + 1])) < 60  # coupling would give 260


def test_unlit_strip(quiet, survey):
    share = lamp_edge(make_geometry("NIRISS", 256))
    assert share.shape == (256, 256) and (np.ptp(share, axis=0) == 0).all()
    assert share[:, :12].max() < 1e-12 and (share[:, 36:] == 1).all()
    # half a pixel on either side of the edge is a third of the standard deviation of 1.5 pixels: 0.3694 and 0.6306
    assert share[0, 23:25] == pytest.approx([0.3694, 0.6306], abs=1e-3)
    assert share[0, 22] == pytest.approx(0.1587, abs=1e-3)  # one standard deviation
    assert lamp_edge(make_geometry("NIRISS", 2048))[:, :16].max() < 1e-12  # 4 reference columns, then 24
    detector = dataclasses.replace(quiet(), illumination=survey.illumination)
    flat = signal(detector, "flat")[-1]
    assert np.median(flat[:60, 0]) < 5 and np.median(flat[:60, 20]) > 20000


def test_lamp_is_uneven():
    light = lamp((256, 256), SURVEY.physics)
    # 1 + 0.15 - 0.06 + 0.015 in one corner, 1 - 0.15 - 0.06 + 0.015 in the opposite one, mean 1 - 0.12 / 6
    assert light[-1, -1] == pytest.approx(1.105 / 0.98, abs=2e-3)
    assert light[0, 0] == pytest.approx(0.805 / 0.98, abs=2e-3)
    assert light.mean() == pytest.approx(1, abs=1e-5)


def test_flats_have_different_levels(quiet):
    detector = quiet(flat_levels=SURVEY.physics.flat_levels)
    levels = [ramps.flat_level(detector, index, seed=1) for index in range(1, 41)]
    assert min(levels) >= 0.5 and max(levels) <= 1.3 and np.ptp(levels) > 0.6
    assert np.mean(levels) == pytest.approx(0.9, abs=0.12)
    assert ramps.flat_level(detector, 3, seed=2) != levels[2]
    for index in (1, 3):
        flat = signal(detector, "flat", index)
        assert np.median(flat[-1, :60, :60]) == pytest.approx(25000 * levels[index - 1], rel=1e-3)
    assert ramps.flat_level(dataclasses.replace(detector, population=DEMO), 3, seed=1) == 1


def test_snowball_profile():
    total, well = np.zeros((40, 40), np.float32), np.full((40, 40), 80000, np.float32)
    science = np.ones((40, 40), bool)
    science[:, 22:] = False
    cosmic_rays.add_snowball(total, science, well, (20.0, 20.0), 6.0)
    assert (total[17:24, 20] == 80000).all() and total[22, 22] == 0  # core of 3 pixels; reference pixels see nothing
    assert total[24, 20] == pytest.approx(80000 * np.exp(-1))
    assert total[20, 12] == pytest.approx(80000 * np.exp(-5))
    corner = np.zeros((40, 40), np.float32)
    cosmic_rays.add_snowball(corner, np.ones((40, 40), bool), well, (0.2, 39.4), 10.0)  # cut off by the edge
    assert corner[0, 39] == 80000 and corner[30, 10] == 0


def test_snowballs_stay_saturated(quiet):
    """One in a hundred groups on average, here: 6e-9 would need a full frame."""
    detector = quiet(snowballs_per_pixel_group=0.1 / SIZE**2)
    charge = signal(detector, "dark", groups=60)
    full = charge > 50000
    started = full.any(axis=(1, 2)).argmax()
    assert 0 < started < 59
    assert not (charge[started - 1] > 100).all() and full[started].sum() > 6
    assert (full[started:] >= full[started]).all()


def test_number_of_snowballs():
    rng, calls = np.random.default_rng(1), []
    image = np.zeros((100, 100), np.float32)
    for _ in range(200):
        before = image.sum()
        cosmic_rays.add_snowballs(image, image == image, image + 1, 2e-5, rng)
        calls.append(image.sum() > before)
    assert np.mean(calls) == pytest.approx(1 - np.exp(-0.2), abs=0.08)


def test_nonlinearity_differs_from_pixel_to_pixel(survey):
    relative = survey.nonlinearity_per_dn / NONLINEARITY_PER_DN
    assert relative.shape == (SIZE, SIZE)
    assert relative.mean() == pytest.approx(1, abs=0.003) and relative.std() == pytest.approx(0.05, rel=0.05)
    measured = ramps.compress(np.full((SIZE, SIZE), 40000, np.float32), survey.nonlinearity_per_dn)
    assert measured + survey.nonlinearity_per_dn * measured**2 == pytest.approx(np.full((SIZE, SIZE), 40000), rel=1e-5)


def test_amplifiers_differ_in_noise():
    geometry = make_geometry("NIRISS", 2048)
    from badpix.simulate.detector import reference_pixels
    from badpix.simulate.static_maps import static_maps

    maps = static_maps(geometry, reference_pixels(geometry), SURVEY.physics, np.random.default_rng(1))
    strips = np.median(maps["read_noise_dn"].reshape(4, 512, 2048), axis=(1, 2)) / 6.5  # NIRISS reads along y
    assert len(set(strips.round(2))) == 4 and 0.02 < np.log(strips).std() < 0.45
    assert maps["read_noise_dn"].dtype == np.float32
