"""Parts of the detector that the light of the lamp does not reach: the gaps of an image slicer, and vignetting.

A share of light is 0 to 1, float32 (y, x). Edges are blurred by the optics, and some scattered light is everywhere.
"""

import numpy as np
from scipy.special import ndtr

from badpix.simulate.effects import Effects, effect_stream
from badpix.simulate.headers import Geometry

# Image slicer, after the spectrometer of MIRI: 38 slices of 27 pixels in 1032 columns, curved along the dispersion.
PITCH_PX = 27.0
CURVATURE_PX = 20.0  # deviation of a slice from its chord on a detector of 1024 rows
SLICE_EDGE_PX = 0.8  # standard deviation of the blurred edge
SLICE_LEVELS = 0.15  # standard deviation of the light between slices
VIGNETTE_EDGE_PX = 2.5
SCATTERED = 0.004  # share of the light in the blocked parts
FULL_LENGTH_PX = 1024


def slices(geometry: Geometry, gap_px: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Share of the light behind an image slicer with gaps of `gap_px` between its slices, and its level by slice.

    Slices are along y, of NIRSpec along x.
    """
    along_y = geometry.instrument != "NIRSPEC"
    n_along, n_across = geometry.shape if along_y else geometry.shape[::-1]
    rng = effect_stream("slicer", seed)
    along, across = np.arange(n_along)[:, None], np.arange(n_across)[None, :]
    # A parabola over the detector. A shorter array has its end, the steepest part.
    bend = CURVATURE_PX * (2 * along / FULL_LENGTH_PX - 1) ** 2
    position = (across - bend + rng.uniform(0, PITCH_PX)) / PITCH_PX
    number = np.floor(position).astype(int)
    from_middle = np.abs(np.mod(position, 1) - 0.5) * PITCH_PX
    share = ndtr(((PITCH_PX - gap_px) / 2 - from_middle) / SLICE_EDGE_PX)
    levels = np.exp(SLICE_LEVELS * rng.standard_normal(number.max() - number.min() + 1))[number - number.min()]
    return (share, levels) if along_y else (share.T, levels.T)


def vignette_share(geometry: Geometry, area: float, seed: int) -> np.ndarray:
    """Share of the light with a corner in the shadow: a quarter of a disc with the `area`, a fraction of the array."""
    rng = effect_stream("vignette", seed)
    y, x = np.indices(geometry.shape)
    if rng.random() < 0.5:
        y = y[::-1]
    if rng.random() < 0.5:
        x = x[:, ::-1]
    radius = np.sqrt(area * y.size * 4 / np.pi)
    return ndtr((np.hypot(y, x) - radius) / VIGNETTE_EDGE_PX).astype(np.float32)


def blocked_light(geometry: Geometry, effects: Effects, seed: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Share of the light, and factor on the illumination with scattered light; None without `effects` of the optics."""
    if not (effects.slicer or effects.vignette):
        return None
    share, level = np.ones(geometry.shape), np.ones(geometry.shape)
    if effects.slicer:
        share, level = slices(geometry, effects.slicer, seed)
    if effects.vignette:
        share = share * vignette_share(geometry, effects.vignette, seed)
    return share.astype(np.float32), ((SCATTERED + (1 - SCATTERED) * share) * level).astype(np.float32)
