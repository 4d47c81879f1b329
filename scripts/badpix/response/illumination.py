"""The parts of the detector that the flats illuminate, told from clusters of dead pixels."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation, center_of_mass

from badpix.response.background import background
from badpix.response.dark_parts import (
    AMBIGUOUS,
    DARK,
    SOFT_EDGE,
    DarkParts,
    Flat,
    find_dark_parts,
    typical_light,
    wide_parts,
)
from badpix.response.slices import find_slices

# Pixels: at the edge of the illuminated area the light fades over a few pixels.
UNLIT_MARGIN = 5
# Box (pixels) of the level that the steps at the edges of dark parts are compared with.
BOX = 41
# A warning names the unlit area beyond this fraction of the science pixels, and dark parts that may be either.
LARGE = 0.1
# From this share of the science pixels on, narrow dark parts on a detector with slices or spectra may be gaps.
NARROW = 0.01
_SQUARE = np.ones((3, 3), bool)


@dataclass(frozen=True)
class Illumination:
    """`lit` is the boolean image (y, x) of the illuminated science pixels, `warnings` are on parts that may be not."""

    lit: np.ndarray
    warnings: tuple[str, ...] = ()


def find_illumination(
    image: np.ndarray, science: np.ndarray, smallest: float, slices: str | None, response: np.ndarray | None = None
) -> Illumination:
    """The Illumination by a flat.

    The parts that are not lit must together cover the fraction `smallest` of the science pixels; UNLIT_MARGIN pixels
    around them are not lit either. The gaps between slices have no such margin: the level holds at the edges.

    Parameters
    ----------
    image : float array (y, x)
        The flat; NaN without a value.
    science : bool array (y, x)
        The science pixels.
    smallest : float
        Smallest unlit area, as a fraction of the science pixels.
    slices : str or None
        Axis (x, y) of the slices of an image slicer; None without.
    response : float array (y, x), optional
        The normalised flat that is classified: where its normalisation does not follow the edges of slices, these are
        not lit.
    """
    values, least, warnings = np.where(science, image, np.nan), smallest * science.sum(), []
    in_slice = science
    if (behind_slicer := find_slices(image, science, slices)) is not None:
        in_slice, level = behind_slicer.in_slice, behind_slicer.level
        if (science & ~in_slice).sum() < least:
            return Illumination(science)
        warnings += _of_gaps(behind_slicer.n_ambiguous)
        if response is not None and not behind_slicer.are_followed_by(response):
            in_slice = behind_slicer.well_inside()
            warnings.append(
                "flats: the normalisation does not follow the edges of the slices, so that the pixels there are"
                " INSUFFICIENT; flat_mean_normalization_method: smoothed with smoothing_type: Plane follows them"
            )
        with np.errstate(invalid="ignore"):
            dark = in_slice & ~(values > DARK * level)
    else:
        with np.errstate(invalid="ignore"):
            dark = science & ~(values > DARK * typical_light(values))
        narrow = (dark & ~wide_parts(dark, science)).sum() / max(1, science.sum())
        if slices is not None and narrow >= NARROW:
            warnings.append(
                f"flats: {narrow:.1%} of the science pixels are dark in narrow parts, and no gaps between slices or"
                " spectra were found: pixels in narrow gaps may be flagged as DEAD; check the flats"
            )
        if wide_parts(dark, science).sum() < least:
            return Illumination(science, tuple(warnings))
        level = background(values, science, BOX)
    parts = find_dark_parts(Flat(values, level, science, dark, in_slice & ~dark, values))
    at_border = parts.touching(science & ~_inside(science))
    # Inside the array only a part with a soft edge, or with light in it, is not lit.
    with np.errstate(invalid="ignore"):
        may_be_unlit = at_border | parts.has_light | (parts.sharp <= SOFT_EDGE)
    unlit = parts.image_of(may_be_unlit) & ~parts.dead
    if unlit.sum() < least:
        unlit = np.zeros_like(unlit)
    beside = binary_dilation(unlit, _SQUARE, iterations=UNLIT_MARGIN) & ~parts.dead
    lit = in_slice & ~beside
    return Illumination(lit, (*warnings, *_of_parts(parts, unlit, at_border, least)))


def _inside(science: np.ndarray) -> np.ndarray:
    """Boolean image (y, x) of the science pixels that do not touch the border of the science area."""
    return science & ~binary_dilation(~science, border_value=1)


def _of_gaps(n_ambiguous: int) -> list[str]:
    """The warning of gaps with the edges of dead pixels."""
    if not n_ambiguous:
        return []
    return [
        f"flats: {n_ambiguous} dark pixels in lines along the whole slices have sharp edges, as dead pixels have;"
        " because there are several lines, they are taken for gaps between slices, which are not lit"
    ]


def _of_parts(parts: DarkParts, unlit: np.ndarray, at_border: np.ndarray, least: float) -> list[str]:
    """The warnings of large dark parts at the border that are dead, and of parts that may be dead or not lit."""
    found = []
    inside = "inside the array have a soft edge or scattered light and are taken for not lit, not for dead"
    for number in np.flatnonzero(parts.size >= least):
        if number == 0:
            continue
        member = parts.areas == number
        n_dead, (y, x) = int((member & parts.dead).sum()), center_of_mass(member)
        place = f"{parts.size[number]} dark pixels around x = {x:.0f}, y = {y:.0f} (0-based)"
        sharp = "no edge" if np.isnan(parts.sharp[number]) else f"{parts.sharp[number]:.0%} of their edge is sharp"
        if AMBIGUOUS[0] <= parts.sharp[number] <= AMBIGUOUS[1]:
            n_unlit = int((member & unlit).sum())
            found.append(
                f"flats: {place} may be dead or not lit ({sharp}): {n_dead} are taken for dead and {n_unlit} for not"
                " lit, by the edges nearby; check them in the flats"
            )
        elif at_border[number] and n_dead:
            light = "although they have light" if parts.has_light[number] else "and they have no scattered light"
            found.append(
                f"flats: {place} touch the border; {n_dead} are taken for dead, not for unlit, because {sharp},"
                f" {light}; check them in the flats"
            )
        elif not at_border[number] and (member & unlit).any():
            found.append(f"flats: {place} {inside}; check them in the flats")
    return found


def light_text(lit: np.ndarray, science: np.ndarray) -> str:
    """A line of the log and of HISTORY: how much is not lit."""
    n_unlit, n_science = int((science & ~lit).sum()), int(science.sum())
    return (
        f"Not illuminated in the flats, or at the edge of the illumination: {n_unlit} science pixels"
        f" ({n_unlit / max(1, n_science):.2%})"
    )


def light_warnings(lit: np.ndarray, science: np.ndarray) -> list[str]:
    """The warning of a large unlit area."""
    unlit = (science & ~lit).sum() / max(1, science.sum())
    if unlit <= LARGE:
        return []
    return [
        f"flats: {unlit:.1%} of the science pixels are not illuminated, or at the edge of the illumination: they are"
        " INSUFFICIENT for DEAD, LOW_QE and OPEN, and bad pixels among them are not found by the flats"
    ]
