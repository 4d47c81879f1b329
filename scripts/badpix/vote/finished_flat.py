"""The flat types from a finished product, in place of a vote of flats."""

import numpy as np

from badpix.formats.flat_product import FlatProduct, FlatProductError
from badpix.formats.pixel_types import FLAT_TYPES
from badpix.formats.type_result import TypeResult
from badpix.response.illumination import find_illumination, light_text, light_warnings
from badpix.vote.classification import Classification, Measured
from badpix.vote.flat_types import flat_results
from badpix.vote.settings import FlatSettings

# A product with a larger fraction of bad science pixels is a file of another kind.
MAX_FOUND = 0.5


def product_results(
    product: FlatProduct, science: np.ndarray, settings: FlatSettings, slices: str | None = None
) -> Classification:
    """The Classification by a `product`, which has a single vote.

    The response of a normalised flat is classified by the limits of `settings`; the types of a mask are taken over, as
    far as `settings` search for them. `science` is the boolean image (y, x) of the science pixels, `slices` the axis of
    the slices of an image slicer. Raises FlatProductError if all science pixels would be of a type.
    """
    measured: Measured = {}
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    not_lit = None
    if product.response is None:
        results = _taken_over(product, science, settings)
    else:
        lit = np.isfinite(product.response)
        if settings.min_unlit_area is not None:
            found = find_illumination(product.response, science, settings.min_unlit_area, slices, product.response)
            lit &= found.lit
            warnings = (*found.warnings, *light_warnings(found.lit, science))
            notes, not_lit = (light_text(found.lit, science),), int((science & ~found.lit).sum())
        # A finished product has been averaged over its flats: it has as many valid votes as needed.
        n_valid = np.where(lit, settings.min_valid, 0)
        results = flat_results(np.where(lit, product.response, np.nan), n_valid, science, settings)
        measured["RESPONSE"] = product.response.astype(np.float32), None
    n_found, n_science = int(np.logical_or.reduce([r.found for r in results.values()]).sum()), int(science.sum())
    if n_found > MAX_FOUND * n_science:
        raise FlatProductError(
            f"{product.path}: {n_found} of the {n_science} science pixels of the array would be {', '.join(results)};"
            " the file is no flat or mask of a working detector"
        )
    return Classification(results, measured, warnings, notes, not_lit)


def _taken_over(product: FlatProduct, science: np.ndarray, settings: FlatSettings) -> dict[str, TypeResult]:
    no_pixel = np.zeros(science.shape, bool)
    searched = settings.searched
    found = {name: product.found[name] & science if searched[name] else no_pixel for name in FLAT_TYPES}
    counts = {name: (found[name].astype(np.int16), science.astype(np.int16)) for name in FLAT_TYPES}
    return {
        name: TypeResult(found[name], no_pixel, {name: counts[name]} if searched[name] else {}) for name in FLAT_TYPES
    }
