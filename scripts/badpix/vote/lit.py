"""Which pixels each flat illuminates: flats through different optics (`flat_setup`) light different parts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from badpix.config.settings import ResponseSettings
from badpix.exposures.optical_setup import setup_of
from badpix.formats.product_file import require_unchanged
from badpix.formats.response_file import FlatResponse
from badpix.formats.statistics_set import Exposure
from badpix.response.dark_parts import DARK, typical_light, wide_parts
from badpix.response.illumination import Illumination, find_illumination, light_text, light_warnings
from badpix.response.normalise import normalise
from badpix.response.sky import mean_slope
from badpix.vote.exposure_set import ExposureSet
from badpix.vote.settings import FlatSettings

# A pixel with at least this fraction of the median of a flat is clearly lit.
BRIGHT = 0.5


@dataclass(frozen=True)
class Light:
    """The illumination of the science pixels.

    `lit` is a boolean image (y, x) of the pixels that the flats illuminate, `of_flat` that of single flats where they
    differ (exposure -> image). `notes` are lines of HISTORY, `warnings` are on parts that may be something else.
    """

    lit: np.ndarray
    of_flat: Mapping[str, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def only_lit(self, exposure: str, response: np.ndarray) -> np.ndarray:
        """The `response` (y, x) of a flat, NaN where this flat has no light and others have."""
        own = self.of_flat.get(exposure)
        return response if own is None else np.where(own, response, np.nan)


def find_light(
    exposures: ExposureSet, response: FlatResponse, settings: FlatSettings, normalisation: ResponseSettings
) -> Light:
    """The Light of the flats; `response` is that of all flats together, with this `normalisation`.

    Without `min_unlit_area` all pixels are lit.
    """
    science, slices = exposures.science, exposures.detector.slices
    if settings.min_unlit_area is None:
        return Light(science)
    groups = by_setup(exposures.flats)
    if len(groups) < 2:
        found = find_illumination(response.mean, science, settings.min_unlit_area, slices, response.normalised)
        return Light(found.lit, {}, (light_text(found.lit, science),), _all_warnings(found, science))
    images = {name: _mean_of(flats) for name, flats in groups.items()}
    each = {}
    for name, image in images.items():
        of_setup = None if slices is None else normalise(image, science, normalisation, slices)
        each[name] = find_illumination(image, science, settings.min_unlit_area, slices, of_setup)
    lit = cross_checked({name: found.lit for name, found in each.items()}, images, science)
    of_flat = {flat.name: lit[name] for name, flats in groups.items() for flat in flats}
    # A vote of the mean flat needs the pixels that all flats light.
    votes_alone = settings.flat_vote_unit == "exposure"
    combined = (np.logical_or if votes_alone else np.logical_and).reduce(list(lit.values()))
    warnings = dict.fromkeys(warning for found in each.values() for warning in found.warnings)
    notes = [light_text(combined, science), *(f"{name}: {light_text(image, science)}" for name, image in lit.items())]
    return Light(
        combined, of_flat if votes_alone else {}, tuple(notes), (*warnings, *light_warnings(combined, science))
    )


def _all_warnings(found: Illumination, science: np.ndarray) -> tuple[str, ...]:
    return (*found.warnings, *light_warnings(found.lit, science))


def by_setup(flats: tuple[Exposure, ...]) -> dict[str, list[Exposure]]:
    """Optical set-up, as text -> the flats that have it."""
    groups: dict[str, list[Exposure]] = {}
    for flat in flats:
        text = ", ".join(f"{key} {value}" for key, value in setup_of(flat.header).items())
        groups.setdefault(text or "no set-up", []).append(flat)
    return groups


def cross_checked(
    lit: Mapping[str, np.ndarray], images: Mapping[str, np.ndarray], science: np.ndarray
) -> dict[str, np.ndarray]:
    """`lit` (set-up -> boolean image) without dark parts that another set-up lights: these are not dead.

    `images` are the mean flats by set-up, (y, x).
    """
    medians = {name: typical_light(image[science]) for name, image in images.items()}
    with np.errstate(invalid="ignore"):
        bright = {name: lit[name] & (image > BRIGHT * medians[name]) for name, image in images.items()}
        dark = {name: wide_parts(science & ~(image > DARK * medians[name]), science) for name, image in images.items()}
    found = {}
    for name, image in lit.items():
        elsewhere = np.logical_or.reduce([bright[other] for other in lit if other != name])
        found[name] = image & ~(dark[name] & elsewhere)
    return found


def _mean_of(flats: list[Exposure]) -> np.ndarray:
    """Mean slope (DN/s) of the flats, float64 (y, x)."""
    for path in (path for flat in flats for path in flat.paths):
        require_unchanged(path, ("SLOPE", "VAR_SLOPE"))
    return np.mean([mean_slope(flat.paths)[0] for flat in flats], axis=0)
