"""From the normalised response to the flat types of bad pixel."""

from collections.abc import Sequence

import numpy as np

from badpix.formats.pixel_types import FLAT_TYPES
from badpix.formats.thresholds import ABOVE, AT_LEAST, BELOW, Threshold, around
from badpix.formats.type_result import TypeResult
from badpix.numerics.clipping import CLIP_ITERATIONS, clipped_mean_std
from badpix.vote.flat_errors import below_is_bad, may_be_dead, neighbours_are_exact
from badpix.vote.neighbours import beside_decided, with_neighbours
from badpix.vote.settings import FlatSettings

# A single bright neighbour is not enough evidence for OPEN.
MIN_NEIGHBOURS = 2
# Each of the direct neighbours gets about a quarter of an open pixel's charge. A brighter one is bright by itself.
BRIGHTEST_NEIGHBOUR = 1.5

# Name of each vote count in the report; the vote count of a flat type has the name of the type.
LABELS = {
    "DEAD": "Response of a dead pixel",
    "LOW_QE": "Low response",
    "OPEN": "Low response between bright neighbours",
    "ADJ_OPEN": "Beside an open pixel",
}


def dead_limits(norm: np.ndarray, science: np.ndarray, settings: FlatSettings, exposure: str = "") -> list[Threshold]:
    """The Thresholds of the configured searches for dead pixels on the response `norm` (y, x).

    A pixel that meets any of them is dead. `exposure` is the flat with this response, empty for all flats together.
    """
    limits = []
    if "sigma_rate" in settings.dead_search_type:
        mean, std, _ = clipped_mean_std(norm[science], settings.flat_mean_sigma_threshold, CLIP_ITERATIONS)
        margin = settings.dead_sigma_threshold * std
        limits.append(around("DEAD", "RESPONSE", BELOW, mean, margin, unit="", exposure=exposure))
    if "absolute_rate" in settings.dead_search_type:
        limits.append(Threshold("DEAD", "RESPONSE", BELOW, float(settings.max_dead_norm_signal), ""))
    return limits


def configured_limits(settings: FlatSettings) -> dict[str, list[Threshold]]:
    """Flat type -> the Thresholds that are settings, without those of `dead_limits`."""
    s = settings
    limits: dict[str, list[Threshold]] = {name: [] for name in FLAT_TYPES}
    if s.dead_search and s.run_dead_flux_check:
        limits["DEAD"].append(Threshold("DEAD", "LAST_GROUPS", BELOW, float(s.flux_check), "DN"))
    if s.low_qe_and_open_search:
        for name in ("LOW_QE", "OPEN"):
            limits[name].append(Threshold(name, "RESPONSE", BELOW, float(s.max_low_qe_norm_signal), ""))
            if name == "LOW_QE" or not s.open_includes_dead:
                limits[name].append(Threshold(name, "RESPONSE", AT_LEAST, float(s.max_dead_norm_signal), ""))
        neighbours = f"RESPONSE of neighbours ({s.open_neighbour_rule})"
        limits["OPEN"].append(Threshold("OPEN", neighbours, ABOVE, float(s.max_open_adj_norm_signal), ""))
    return limits


def find_dead(
    norm: np.ndarray,
    science: np.ndarray,
    settings: FlatSettings,
    limits: list[Threshold] | None = None,
    error: np.ndarray | None = None,
) -> np.ndarray:
    """Boolean image (y, x) of the pixels that are dead by any configured search. NaN in `norm` is never dead.

    `limits` are the Thresholds of `dead_limits`; None computes them. Where `error`, image (y, x), is too large for a
    limit, it finds no pixel.
    """
    dead = np.zeros(norm.shape, dtype=bool)
    with np.errstate(invalid="ignore"):
        for limit in dead_limits(norm, science, settings) if limits is None else limits:
            dead |= (norm < limit.value) & (True if error is None else below_is_bad(limit.value, error))
    return dead & science


def exact_neighbours(usable: np.ndarray, error: np.ndarray, settings: FlatSettings) -> np.ndarray:
    """Boolean image (y, x): the `error` of the `usable` neighbours (boolean image) allows `bright_neighbours`."""
    n_usable = _neighbours(usable, False).sum(axis=0)
    variance = _neighbours(np.where(usable, error, 0.0) ** 2, 0.0).sum(axis=0)
    of_mean = np.sqrt(variance) / np.maximum(n_usable, 1)
    if settings.open_neighbour_rule == "robust":  # the brightest does not count
        of_mean = of_mean * np.sqrt(4 / 3)
    return neighbours_are_exact(settings.max_open_adj_norm_signal, n_usable, of_mean, MIN_NEIGHBOURS)


def _neighbours(image: np.ndarray, fill: float | bool) -> np.ndarray:
    """Stack (4, y, x) of the left, right, lower and upper neighbours of every pixel; `fill` beyond the edge."""
    padded = np.pad(image, 1, constant_values=fill)
    return np.stack([padded[1:-1, :-2], padded[1:-1, 2:], padded[:-2, 1:-1], padded[2:, 1:-1]])


def bright_neighbours(
    norm: np.ndarray, usable: np.ndarray, settings: FlatSettings, candidates: np.ndarray
) -> np.ndarray:
    """Boolean image (y, x): the direct neighbours are brighter than `max_open_adj_norm_signal`.

    By `open_neighbour_rule`, `all` usable neighbours are brighter, or their `mean` is, or their `robust` mean at the
    `candidates` (boolean image). `usable` (boolean image) marks the pixels whose `norm` counts; a pixel needs at least
    two usable neighbours.
    """
    if settings.open_neighbour_rule == "robust":
        return _robustly_bright(norm, usable, settings, candidates)
    n_usable = _neighbours(usable, False).sum(axis=0)
    if settings.open_neighbour_rule == "mean":
        total = _neighbours(np.where(usable, norm, 0.0), 0.0).sum(axis=0)
        bright = total > settings.max_open_adj_norm_signal * n_usable
    else:
        with np.errstate(invalid="ignore"):
            is_bright = usable & (norm > settings.max_open_adj_norm_signal)
        bright = _neighbours(is_bright, False).sum(axis=0) == n_usable
    return bright & (n_usable >= MIN_NEIGHBOURS)


def _robustly_bright(
    norm: np.ndarray, usable: np.ndarray, settings: FlatSettings, candidates: np.ndarray
) -> np.ndarray:
    """Boolean image (y, x): the candidates whose usual neighbours, without the brightest of three or four, are bright.

    A neighbour that is bad itself says nothing: one that is dark lowers the mean, and a hot one raises it.
    """
    low, high = settings.max_low_qe_norm_signal, BRIGHTEST_NEIGHBOUR
    with np.errstate(invalid="ignore"):
        usual = usable & (norm >= low) & (norm <= high)
    y, x = np.nonzero(candidates)
    padded = np.pad(np.where(usual, norm, np.nan), 1, constant_values=np.nan)
    values = np.stack([padded[y + 1, x], padded[y + 1, x + 2], padded[y, x + 1], padded[y + 2, x + 1]])
    n = np.isfinite(values).sum(axis=0)
    n_counted = np.where(n > MIN_NEIGHBOURS, n - 1, n)
    darkest_first = np.nancumsum(np.sort(values, axis=0), axis=0)  # NaN comes last
    total = np.take_along_axis(darkest_first, np.maximum(n_counted - 1, 0)[np.newaxis], axis=0)[0]
    bright = np.zeros(norm.shape, bool)
    bright[y, x] = (n >= MIN_NEIGHBOURS) & (total > settings.max_open_adj_norm_signal * n_counted)
    return bright


def find_low_qe_and_open(
    norm: np.ndarray, science: np.ndarray, settings: FlatSettings, error: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Boolean images (y, x) LOW_QE, OPEN, ADJ_OPEN.

    A pixel of low response is OPEN when its direct science neighbours are bright, and LOW_QE otherwise. The eight
    science pixels around an OPEN pixel are ADJ_OPEN unless they are OPEN themselves. With `open_includes_dead` a pixel
    below `max_dead_norm_signal` can be OPEN too. Where `error`, image (y, x), is too large for the limits, no pixel is
    found; a pixel whose neighbours have too large an error is LOW_QE.
    """
    usable = science & np.isfinite(norm)
    with np.errstate(invalid="ignore"):
        below = (norm < settings.max_low_qe_norm_signal) & science
        low = below & (norm >= settings.max_dead_norm_signal)
    exact: np.ndarray | bool = True
    if error is not None:
        possible = below_is_bad(settings.max_low_qe_norm_signal, error)
        below, low, exact = below & possible, low & possible, exact_neighbours(usable, error, settings)
    candidates = below if settings.open_includes_dead else low
    is_open = candidates & bright_neighbours(norm, usable, settings, candidates) & exact
    adjacent = with_neighbours(is_open) & ~is_open & science
    return {"LOW_QE": low & ~is_open, "OPEN": is_open, "ADJ_OPEN": adjacent}


def flat_results(
    norm: np.ndarray,
    n_valid: np.ndarray,
    science: np.ndarray,
    settings: FlatSettings,
    last_groups: np.ndarray | None = None,
    error: np.ndarray | None = None,
) -> dict[str, TypeResult]:
    """TypeResult per flat type from the mean flat, which is a single vote: k and n_valid are 0 or 1.

    Parameters
    ----------
    norm : image (y, x), float
        Normalised response of all flats together; NaN without a value.
    n_valid : image (y, x), int
        Number of integrations behind `norm`; a pixel with fewer than `min_valid` is insufficient.
    science : image (y, x), boolean
        Pixels that may be flagged.
    settings : FlatSettings
    last_groups : image (y, x), float, optional
        Mean signal (DN) of the last raw groups, for `run_dead_flux_check`.
    error : image (y, x), float, optional
        Standard deviation of the response of a healthy pixel, for flats of the sky.

    Returns
    -------
    dict of str -> TypeResult
        An ADJ_OPEN pixel follows from its OPEN neighbour, so it needs no response of its own.

    Raises
    ------
    ValueError
        If `run_dead_flux_check` is true and `last_groups` is missing.
    """
    valid = np.isfinite(norm) & (n_valid >= settings.min_valid)
    norm = np.where(valid, norm, np.nan)
    no_pixel = np.zeros(norm.shape, dtype=bool)
    found, limits = dict.fromkeys(FLAT_TYPES, no_pixel), configured_limits(settings)
    thresholds: list[Threshold] = []
    if settings.dead_search:
        thresholds = dead_limits(norm, science, settings)
        limits["DEAD"] += thresholds
        found["DEAD"] = find_dead(norm, science, settings, thresholds, error)
        if settings.run_dead_flux_check:
            if last_groups is None:
                raise ValueError("run_dead_flux_check is true, but the mean signal of the last groups is missing")
            with np.errstate(invalid="ignore"):
                found["DEAD"] = found["DEAD"] & ~(last_groups >= settings.flux_check)
    if settings.low_qe_and_open_search:
        found.update(find_low_qe_and_open(norm, science, settings, error))
    searched = settings.searched
    decided = dict.fromkeys(FLAT_TYPES, valid)
    if error is not None:
        decided = decidable(norm, valid, error, settings, [limit.value for limit in thresholds])
        decided["DEAD"] &= ~may_be_dead(norm, error)
    return {
        name: TypeResult(
            found[name],
            science & ~decided[name] & ~found[name] if searched[name] else no_pixel,
            {name: (found[name].astype(np.int16), ((decided[name] | found[name]) & searched[name]).astype(np.int16))},
            thresholds=tuple(limits[name]),
        )
        for name in FLAT_TYPES
    }


def decidable(
    norm: np.ndarray, valid: np.ndarray, error: np.ndarray, settings: FlatSettings, dead: Sequence[float]
) -> dict[str, np.ndarray]:
    """Flat type -> boolean image (y, x) of the pixels whose error allows the limits of the type.

    Parameters
    ----------
    norm, error : float arrays (y, x)
        The response, and the standard deviation of the response of a healthy pixel.
    valid : bool array (y, x)
        The pixels with a response.
    settings : FlatSettings
    dead : sequence of float
        The limits of the response of dead pixels.
    """
    sees_dead = np.zeros_like(valid)
    for limit in dead:
        sees_dead |= below_is_bad(limit, error)
    low = valid & below_is_bad(settings.max_low_qe_norm_signal, error)
    with np.errstate(invalid="ignore"):
        is_low = norm < settings.max_low_qe_norm_signal
    exact = ~is_low | exact_neighbours(valid, error, settings)
    return {
        "DEAD": valid & sees_dead,
        "LOW_QE": low,
        "OPEN": low & exact,
        "ADJ_OPEN": beside_decided(low, low & exact),
    }
