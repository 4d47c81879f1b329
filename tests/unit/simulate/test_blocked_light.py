"""Effects of the optics and of the border: slicer, vignetting, clusters of dead pixels, lines without sensitivity."""

import numpy as np
import pytest

from badpix.simulate.blocked_light import blocked_light
from badpix.simulate.detector import make_detector
from badpix.simulate.effects import Effects
from badpix.simulate.evolution import evolve
from badpix.simulate.headers import make_geometry
from badpix.simulate.populations import POPULATIONS
from badpix.simulate.truth import unlit

GEOMETRY = make_geometry("MIRI", 256, "MIRIFUSHORT")


def detector(population="demo", **effects):
    return make_detector(GEOMETRY, 5, POPULATIONS[population], Effects(**effects))


def test_without_effects_the_light_is_not_blocked():
    assert blocked_light(GEOMETRY, Effects(border_cluster=0.1), 1) is None


def test_gaps_of_the_slicer():
    share, illumination = blocked_light(GEOMETRY, Effects(slicer=5), 1)
    assert (share < 0.5).mean() == pytest.approx(5 / 27, abs=0.03)
    assert (illumination[share < 0.01] < 0.03).all() and illumination.min() > 0
    # The slices are curved: a gap is at another place at the other end of the array.
    assert (share[0] < 0.5).argmax() != (share[-1] < 0.5).argmax()
    assert np.abs(np.diff(share, axis=1)).max() < 0.55


def test_slices_of_nirspec_are_along_x():
    share, _ = blocked_light(make_geometry("NIRSPEC", subarray="FULL"), Effects(slicer=5), 1)
    assert np.abs(np.diff(share, axis=1)).max() < 0.2 < np.abs(np.diff(share, axis=0)).max()


def test_vignetting_covers_its_area():
    share, _ = blocked_light(GEOMETRY, Effects(vignette=0.05), 3)
    assert (share < 0.5).mean() == pytest.approx(0.05, abs=0.005)


@pytest.mark.parametrize("population", ["demo", "survey"])
def test_border_cluster(population):
    model = detector(population, border_cluster=0.04)
    of_cluster = model.pixels[model.pixels["group"] == "cluster"]
    lost = int(unlit(model).sum())  # dead pixels without light are not planted
    assert 0.04 * 256**2 - lost - 1 <= len(of_cluster) <= 0.04 * 256**2 + 1
    assert (of_cluster["code"] == model.population.codes["dead"]).all()
    assert (of_cluster["strength"] <= 0.04).all()
    if population == "demo":
        ends = {0, 255}
        assert ends & set(of_cluster["x"]) or ends & set(of_cluster["y"])


def test_blind_lines():
    of_lines = (pixels := detector(blind_border=3).pixels)[pixels["group"] == "blind"]
    assert len(of_lines) == 3 * 256
    assert min(len(np.unique(of_lines["x"])), len(np.unique(of_lines["y"]))) == 3


def test_no_pixel_that_needs_light_is_planted_without_light():
    model = detector(slicer=5)
    needs_light = [code for code, planted in enumerate(model.population.types, 1) if planted.needs_light]
    chosen = model.pixels[np.isin(model.pixels["code"], needs_light)]
    assert len(chosen) and not unlit(model)[chosen["y"], chosen["x"]].any()
    # The other types are where they are without the effect.
    same = np.isin(detector().pixels[["y", "x"]], model.pixels[["y", "x"]])
    assert same.mean() > 0.8


def test_a_cluster_of_less_than_a_pixel_is_refused():
    with pytest.raises(ValueError, match="effect border_cluster=1e-06: less than one of the 65536 science pixels"):
        detector(border_cluster=1e-6)


def test_new_pixels_that_need_light_are_not_in_the_gaps():
    model = evolve(detector("realistic", slicer=22), 2, 5)[0]
    needs_light = np.array([False, *(planted.needs_light for planted in model.population.types)])
    new = model.pixels[-40:]
    assert not (needs_light[new["code"]] & (unlit(model)[new["y"], new["x"]] == 1)).any()


def test_each_seed_has_another_cluster():
    clusters = [
        set(map(tuple, p[p["group"] == "cluster"][["y", "x"]].tolist()))
        for p in (make_detector(GEOMETRY, seed, effects=Effects(border_cluster=0.02)).pixels for seed in (1, 2))
    ]
    assert clusters[0] != clusters[1]
