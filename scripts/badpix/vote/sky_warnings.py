"""Warnings of a vote with flats of the sky: pointings, sky that is too faint, and pixels covered in all flats."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from badpix.formats.pixel_types import FLAT_TYPES
from badpix.formats.statistics_set import Exposure
from badpix.formats.type_result import TypeResult
from badpix.instrument import pointing
from badpix.instrument.exp_types import sees_sky
from badpix.response.covered import MIN_DISTANCE, MIN_OTHERS
from badpix.vote.exposure_set import ExposureSet
from badpix.vote.flat_errors import HEALTHY_SIGMA
from badpix.vote.settings import FlatSettings

# A warning names the types that more than this fraction of the science pixels cannot be classified for.
MANY = 0.01


def different_pointings(flats: Sequence[Exposure]) -> list[Exposure]:
    """A flat of each known pointing, at least MIN_DISTANCE pixels from the flats before."""
    found: list[Exposure] = []
    for flat in flats:
        apart = [pointing.distance(flat.header, other.header) >= MIN_DISTANCE for other in found]
        if all(apart) and not np.isnan(pointing.distance(flat.header, flat.header)):
            found.append(flat)
    return found


def sky_warnings(
    exposures: ExposureSet,
    results: Mapping[str, TypeResult],
    measured: Mapping[str, tuple[np.ndarray, str | None]],
    settings: FlatSettings,
) -> Iterator[str]:
    """The warnings of flats of the sky; none without such flats.

    Parameters
    ----------
    exposures : ExposureSet
        The exposures of the vote.
    results : mapping of str to TypeResult
        The result of each type.
    measured : mapping
        The measured images of `classify_flats`.
    settings : FlatSettings
    """
    types = {flat.header.get("EXP_TYPE") for flat in exposures.flats}
    sky = [flat for flat in exposures.flats if sees_sky(flat.header.get("EXP_TYPE"))]
    if "ERROR" not in measured:
        return
    n_pointings, n_covered = len(different_pointings(sky)), measured["NCOVERED"][0]
    in_all = int((exposures.science & (n_covered == len(exposures.flats))).sum())
    if sky and n_pointings <= MIN_OTHERS and len(sky) == len(exposures.flats):
        unknown = sum(np.isnan(pointing.distance(flat.header, flat.header)) for flat in sky)
        reason = f"{unknown} have no pointing in their headers" if unknown else "the pointings agree"
        yield (
            f"flats: the {len(sky)} flats of the sky have {n_pointings} different pointings ({reason}): stars cannot be"
            f" told from clusters of bad pixels, so the pixels of both are INSUFFICIENT ({in_all} pixels). Flats"
            f" at {MIN_OTHERS + 1} pointings or more are needed, further apart than {MIN_DISTANCE} pixels and a star"
        )
    if n_whole := int(n_covered[exposures.science].min(initial=len(exposures.flats))):
        yield (
            f"flats: {n_whole} of the {len(exposures.flats)} flats measure no pixel, because sources cover the whole"
            " array, or because there is no diffuse light"
        )
    if "MIR_FLATMRS-EXT" in types:
        yield (
            "flats: some are spectra of the sky (MIR_FLATMRS-EXT): the traces of stars along the slices may not be"
            " found as sources; use exposures without stars in the field"
        )
    if "NRS_AUTOFLAT" in types:
        yield (
            "flats: some are spectra of the lamp through the micro-shutters (NRS_AUTOFLAT): at the edges of the spectra"
            " pixels look dead or of low response; NRS_LAMP with GRATING MIRROR illuminates the whole detector"
        )
    yield from _insufficient(exposures, results, measured, settings, in_all)


def _insufficient(
    exposures: ExposureSet,
    results: Mapping[str, TypeResult],
    measured: Mapping[str, tuple[np.ndarray, str | None]],
    settings: FlatSettings,
    in_all: int,
) -> Iterator[str]:
    """The types for which many pixels could not be classified, with the reason; arguments as `sky_warnings`.

    `in_all` is the number of pixels that sources cover in all flats.
    """
    science, error = exposures.science, measured["ERROR"][0]
    parts = {
        name: (results[name].insufficient & science).sum() / science.sum() for name in FLAT_TYPES if name in results
    }
    many = {name: part for name, part in parts.items() if part > MANY}
    if not many:
        return
    listed = ", ".join(f"{name} {part:.0%}" for name, part in many.items())
    typical = float(np.nanmedian(error[science]))
    need = (1 - settings.max_low_qe_norm_signal) / HEALTHY_SIGMA
    of_one = ""
    if settings.flat_vote_unit == "exposure":
        single = typical * np.sqrt(len(exposures.flats))
        of_one = f", of a single flat about {single:.2g}; flat_vote_unit: mean uses all flats together"
    yield (
        f"flats: science pixels that could not be classified: {listed}. The response of all flats together has an error"
        f" of {typical:.2g} (median){of_one}. LOW_QE needs an error of at most {need:.2g} and OPEN a smaller error:"
        f" more or longer exposures, or a brighter sky. Sources cover {in_all} pixels in all flats"
    )
