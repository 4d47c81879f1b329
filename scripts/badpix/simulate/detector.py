"""The simulated detector: its planted pixels and its static maps, all from random numbers of one seed.

Maps are float32 images (y, x). Signals are in DN unless their name has the unit electrons (_e). Reference pixels are
the light-insensitive pixels at the border.
"""

from dataclasses import dataclass, replace

import numpy as np

from badpix.simulate.blocked_light import blocked_light
from badpix.simulate.border_cluster import with_border_effects, without_light
from badpix.simulate.effects import NO_EFFECTS, Effects
from badpix.simulate.headers import FULL, Geometry, make_geometry, science_bounds
from badpix.simulate.more_pixels import with_more
from badpix.simulate.planting import plan_pixels
from badpix.simulate.populations import DEMO, Population
from badpix.simulate.slow_telegraph import plant_slow_telegraph
from badpix.simulate.static_maps import static_maps


@dataclass(frozen=True)
class DetectorModel:
    """A simulated detector: geometry, planted pixels and float32 maps (y, x) without the planted behaviour.

    `pixels` has PIXEL_DTYPE: 0-based y and x, type code, strength, second parameter (NaN if there is none), phase (-1
    for a permanent pixel) and number of bad exposures per period (Population.is_bad), and the name of its cluster.
    """

    geometry: Geometry
    population: Population
    pixels: np.ndarray
    reference: np.ndarray  # bool: reference pixels
    bias_dn: np.ndarray
    superbias_error_dn: np.ndarray
    gain_e_per_dn: np.ndarray
    read_noise_dn: np.ndarray  # of one read
    read_noise_error: np.ndarray  # relative error of the read noise reference
    dark_rate_dn_per_s: np.ndarray
    response: np.ndarray  # quantum efficiency relative to the mean
    illumination: np.ndarray  # by the internal lamp, mean 1 except for an unlit strip
    lit_share: np.ndarray  # share of the lamp's light that is not blocked: 0 in an unlit strip, 1 elsewhere
    saturation_dn: np.ndarray  # raw counts, bias included
    nonlinearity_per_dn: np.ndarray  # true = measured + this x measured^2; shape (1, 1) if equal for all pixels
    effects: Effects = NO_EFFECTS  # of the detector and its exposures, beside the planted pixels

    def select(self, behaviour: str, index: int | None = None) -> np.ndarray:
        """Planted pixels with `behaviour` in exposure `index` (from 1); None: in every exposure."""
        codes = [code for code, planted in enumerate(self.population.types, 1) if planted.behaviour == behaviour]
        chosen = self.pixels[np.isin(self.pixels["code"], codes)]
        return chosen[chosen["phase"] < 0 if index is None else self.population.is_bad(chosen, index)]

    def dn_per_frame(self, hot: np.ndarray) -> np.ndarray:
        """Rates in DN per frame, float32, of hot pixels (PIXEL_DTYPE), whose strength is per frame or per second."""
        per_second = [code for code, planted in enumerate(self.population.types, 1) if planted.unit == "DN/s"]
        frame_s = np.float32(self.geometry.frame_time_s)
        return np.where(np.isin(hot["code"], per_second), hot["strength"] * frame_s, hot["strength"])

    def planted_as(self, name: str) -> np.ndarray:
        """Planted pixels of the type `name`."""
        return self.pixels[self.pixels["code"] == self.population.codes[name]]


def make_detector(
    geometry: Geometry, seed: int, population: Population = DEMO, effects: Effects = NO_EFFECTS
) -> DetectorModel:
    """Make the detector of these arguments; it does not depend on the exposures."""
    if effects.full_frame_time:
        full = make_geometry(geometry.instrument, None, geometry.detector, FULL, geometry.readpatt)
        geometry = replace(geometry, frame_time_s=full.frame_time_s)
    plan_rng, map_rng = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
    reference = reference_pixels(geometry)
    pixels = plan_pixels(geometry, population, plan_rng)
    if effects.slow_telegraph:
        population, pixels = plant_slow_telegraph(geometry, population, pixels, round(effects.slow_telegraph), seed)
    pixels = with_more(pixels, geometry, population, effects, seed)
    pixels = with_border_effects(pixels, geometry, population, effects, seed)
    maps = static_maps(geometry, reference, population.physics, map_rng)
    if (blocked := blocked_light(geometry, effects, seed)) is not None:
        maps["lit_share"] = maps["lit_share"] * blocked[0]
        maps["illumination"] = maps["illumination"] * blocked[1]
    if blocked is not None or effects.border_cluster or effects.blind_border:
        pixels = without_light(pixels, population, maps["lit_share"])
    return DetectorModel(
        geometry=geometry, population=population, pixels=pixels, reference=reference, **maps, effects=effects
    )


def reference_pixels(geometry: Geometry) -> np.ndarray:
    """Bool (y, x): True at the reference pixels, a border of 4 pixels; MIRI has no reference rows."""
    first_y, last_y, first_x, last_x = science_bounds(geometry)
    reference = np.ones(geometry.shape, bool)
    reference[first_y : last_y + 1, first_x : last_x + 1] = False
    return reference
