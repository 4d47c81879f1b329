"""From the normalised response to the flat types of bad pixel."""

import numpy as np
from scipy.ndimage import binary_dilation

from badpix.formats.pixel_types import FLAT_TYPES
from badpix.formats.thresholds import ABOVE, AT_LEAST, BELOW, Threshold, around
from badpix.formats.type_result import TypeResult
from badpix.numerics.clipping import CLIP_ITERATIONS, clipped_mean_std

# A pixel cannot be called open on the word of one neighbour.
MIN_NEIGHBOURS = 2

# Name of each count of votes in the report; a flat type has a count of its own name.
LABELS = {
    "DEAD": "Response of a dead pixel",
    "LOW_QE": "Low response",
    "OPEN": "Low response between bright neighbours",
    "ADJ_OPEN": "Beside an open pixel",
}


def dead_limits(norm, science, settings, exposure=""):
    """The Thresholds of the configured searches for dead pixels on the response `norm` (y, x), each enough by itself.

    `exposure` is the flat whose response it is, empty for that of all.
    """
    limits = []
    if "sigma_rate" in settings.dead_search_type:
        mean, std, _ = clipped_mean_std(norm[science], settings.flat_mean_sigma_threshold, CLIP_ITERATIONS)
        margin = settings.dead_sigma_threshold * std
        limits.append(around("DEAD", "RESPONSE", BELOW, mean, margin, unit="", exposure=exposure))
    if "absolute_rate" in settings.dead_search_type:
        limits.append(Threshold("DEAD", "RESPONSE", BELOW, float(settings.max_dead_norm_signal), ""))
    return limits


def other_limits(settings):
    """Type -> Thresholds that are settings, beside those of `dead_limits`."""
    s = settings
    limits = {name: [] for name in FLAT_TYPES}
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


def find_dead(norm, science, settings, limits=None):
    """Boolean image of the pixels that one of the configured searches calls dead. NaN in `norm` is never dead.

    `limits` are those of `dead_limits`, if they are known.
    """
    dead = np.zeros(norm.shape, dtype=bool)
    with np.errstate(invalid="ignore"):
        for limit in dead_limits(norm, science, settings) if limits is None else limits:
            dead |= norm < limit.value
    return dead & science


def _neighbours(image, fill):
    """Stack (4, y, x) of the left, right, lower and upper neighbours of every pixel; `fill` beyond the edge."""
    padded = np.pad(image, 1, constant_values=fill)
    return np.stack([padded[1:-1, :-2], padded[1:-1, 2:], padded[:-2, 1:-1], padded[2:, 1:-1]])


def bright_neighbours(norm, usable, settings):
    """Boolean image (y, x): the direct neighbours are brighter than `max_open_adj_norm_signal`.

    `usable` are the pixels whose `norm` counts; at least two neighbours must. By `open_neighbour_rule`, `all` of them are
    brighter, or their `mean` is.
    """
    n_usable = _neighbours(usable, False).sum(axis=0)
    if settings.open_neighbour_rule == "mean":
        total = _neighbours(np.where(usable, norm, 0.0), 0.0).sum(axis=0)
        bright = total > settings.max_open_adj_norm_signal * n_usable
    else:
        with np.errstate(invalid="ignore"):
            one_bright = usable & (norm > settings.max_open_adj_norm_signal)
        bright = _neighbours(one_bright, False).sum(axis=0) == n_usable
    return bright & (n_usable >= MIN_NEIGHBOURS)


def find_low_qe_and_open(norm, science, settings):
    """Boolean images LOW_QE, OPEN, ADJ_OPEN.

    A pixel of low response is OPEN when its direct science neighbours are bright, and LOW_QE otherwise. The eight
    science pixels around an OPEN one are ADJ_OPEN unless they are OPEN themselves. With `open_includes_dead` a pixel
    below `max_dead_norm_signal` can be OPEN too.
    """
    with np.errstate(invalid="ignore"):
        below = (norm < settings.max_low_qe_norm_signal) & science
        low = below & (norm >= settings.max_dead_norm_signal)
    candidates = below if settings.open_includes_dead else low
    is_open = candidates & bright_neighbours(norm, science & np.isfinite(norm), settings)
    adjacent = binary_dilation(is_open, structure=np.ones((3, 3), bool)) & ~is_open & science
    return {"LOW_QE": low & ~is_open, "OPEN": is_open, "ADJ_OPEN": adjacent}


def flat_results(norm, n_valid, science, settings, last_groups=None):
    """The verdict per flat type.

    `norm` is the normalised response (y, x), `n_valid` the number of integrations behind it, `last_groups` the mean
    signal (DN) of the last raw groups, needed for the flux check. The mean flat is one ballot: k and n_valid of the
    results are 0 or 1. An ADJ_OPEN pixel is judged by its OPEN neighbour, so it needs no response of its own.
    """
    judged = np.isfinite(norm) & (n_valid >= settings.min_valid)
    norm = np.where(judged, norm, np.nan)
    nothing = np.zeros(norm.shape, dtype=bool)
    found, limits = dict.fromkeys(FLAT_TYPES, nothing), other_limits(settings)
    if settings.dead_search:
        dead_at = dead_limits(norm, science, settings)
        limits["DEAD"] += dead_at
        found["DEAD"] = find_dead(norm, science, settings, dead_at)
        if settings.run_dead_flux_check:
            with np.errstate(invalid="ignore"):
                found["DEAD"] = found["DEAD"] & ~(last_groups >= settings.flux_check)
    if settings.low_qe_and_open_search:
        found.update(find_low_qe_and_open(norm, science, settings))
    searched = dict.fromkeys(FLAT_TYPES, settings.low_qe_and_open_search) | {"DEAD": settings.dead_search}
    return {
        name: TypeResult(
            found[name],
            science & ~judged & ~found[name] if searched[name] else nothing,
            {name: (found[name].astype(np.int16), ((judged | found[name]) & searched[name]).astype(np.int16))},
            thresholds=tuple(limits[name]),
        )
        for name in FLAT_TYPES
    }
