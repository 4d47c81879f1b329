"""The illumination by flats of several optical set-ups, from statistics files."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from badpix.formats.statistics_set import exposures_of, read_set
from badpix.instrument.detectors import detector_from_mapping
from badpix.response.sky import combine
from badpix.vote.exposure_set import ExposureSet, common_geometry
from badpix.vote.lit import find_light
from badpix.vote.settings import FlatSettings
from unit.response.sky_flats import DETECTOR, RESPONSE, SCIENCE, SIZE, flats
from unit.vote.test_flat_types import DEFAULTS

# A dead block at the border, and the shadow of each set-up, with a soft edge.
BLOCK = np.s_[4:30, 40:70]
SHADOWS = {"F090W": np.s_[:, :20], "F150W": np.s_[:, -20:]}


def exposure_set(tmp_path_factory, responses, **detector):
    """Two flats of each of the set-ups, `responses` by FILTER; `detector` has changes of the detector."""
    paths = []
    for name, response in responses.items():
        folder = tmp_path_factory.mktemp(name)
        made = flats(folder, dithers=[(0, 0)] * 2, level=100, response=response, exp_type="NIS_LAMP", FILTER=name)
        for path in made:
            moved = path.replace("/f", f"/{name}_f")
            (folder / path.rsplit("/", 1)[1]).rename(moved)
            paths.append(moved)
    segments, _ = read_set(paths)
    segments = [replace(s, name=f"{s.header['FILTER']}_{s.name}") for s in segments]
    geometry = common_geometry(segments)
    of_mapping = detector_from_mapping(DETECTOR | detector)
    return ExposureSet(of_mapping, geometry, ~SCIENCE, (), exposures_of(segments), {})


@pytest.fixture(scope="module")
def exposures(tmp_path_factory):
    """The sharp part of a shadow is sharper than the optics would make it."""
    dead = np.ones((SIZE, SIZE))
    dead[BLOCK] = 0.01 * np.random.default_rng(5).uniform(0, 1, dead[BLOCK].shape)
    responses = {}
    for name, part in SHADOWS.items():
        light = np.ones((SIZE, SIZE))
        light[part] = 0
        responses[name] = dead * light
    return exposure_set(tmp_path_factory, responses)


def light_of(exposures, normalisation=RESPONSE, **changes):
    settings = FlatSettings.from_config(DEFAULTS | {"min_unlit_area": 0.01, "flat_vote_unit": "exposure"} | changes)
    response = combine({flat.name: flat.paths for flat in exposures.flats}, {}, SCIENCE, normalisation)
    return find_light(exposures, response, settings, normalisation)


def test_a_part_that_another_set_up_lights_is_not_dead_whatever_its_edge(exposures):
    light = light_of(exposures)
    assert len(light.of_flat) == 4
    for flat in exposures.flats:
        own = light.of_flat[flat.name]
        assert not (own & SCIENCE)[SHADOWS[flat.header["FILTER"]]][:, 1:-1].any()
        # The block is dark in all set-ups and has sharp edges.
        assert own[BLOCK].all()
    assert (light.lit == SCIENCE).all()
    assert len(light.notes) == 3 and "FILTER F090W" in light.notes[1]
    response = np.ones((SIZE, SIZE))
    name = exposures.flats[0].name
    assert (np.isnan(light.only_lit(name, response)) == ~light.of_flat[name]).all()


def test_the_mean_flat_needs_the_light_of_all_set_ups(exposures):
    light = light_of(exposures, flat_vote_unit="mean")
    assert not light.of_flat and not light.lit[10:, 6].any() and not light.lit[10:, -6].any()
    assert light.lit[40:-4, 40].all()


def test_a_single_set_up_has_one_illumination(exposures):
    one = replace(exposures, flats=tuple(f for f in exposures.flats if f.header["FILTER"] == "F090W"))
    light = light_of(one)
    assert not light.of_flat and len(light.notes) == 1
    assert light_of(one, min_unlit_area=None).notes == ()


def test_edges_of_slices_that_the_normalisation_does_not_follow_are_not_lit_in_any_set_up(tmp_path_factory):
    """Each set-up moves the slices a little."""
    responses = {}
    for name, start in (("F090W", 8), ("F150W", 9)):
        light = np.zeros((SIZE, SIZE))
        for first in range(start, SIZE - 20, 28):
            light[:, first : first + 22] = 1
        responses[name] = gaussian_filter(light, (0, 1.2))
    wide = replace(RESPONSE, smoothing_type="Median", smoothing_box_width=41)
    light = light_of(exposure_set(tmp_path_factory, responses, slices="y"), wide)
    assert any("does not follow the edges" in warning for warning in light.warnings)
    for name, own in light.of_flat.items():
        assert not own[responses[name.split("_")[0]] < 0.9].any() and own[20:-20, 46].all()
