"""The found share with its uncertainty, as a function of the strength of the planted pixels."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from astropy.stats import binom_conf_interval
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit, logit

CONFIDENCE = 0.95
BINS = 8  # largest number of bins in a strength curve
PER_BIN = 8  # smallest number of planted pixels in a bin, if there are that many
LEVELS = (0.5, 0.9)  # found shares whose strengths are fitted
MIN_PIXELS = 10  # smallest number of planted pixels for a fit


def found_share(found: ArrayLike, number: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share `found` / `number` and the ends of its 95% interval; NaN where `number` is 0.

    `found` and `number` are counts, scalars or arrays of equal shape, found <= number. The interval is the score
    interval of Wilson (1927, J. Am. Stat. Assoc. 22, 209). It stays within [0, 1], has a nonzero width also for shares
    of 0 and 1, and its coverage is close to 95% also for small numbers (Brown, Cai & DasGupta 2001, Stat. Sci. 16,
    101). For rare events among many pixels it is nearly the interval of a Poisson count.
    """
    found, number = np.broadcast_arrays(np.asarray(found, float), np.asarray(number, float))
    share, low, high = (np.full(found.shape, np.nan) for _ in range(3))
    some = number > 0
    if some.any():
        share[some] = found[some] / number[some]
        ends = binom_conf_interval(found[some], number[some], CONFIDENCE, interval="wilson")
        # Rounding must not put a share of 0 or 1 outside its interval.
        low[some] = np.clip(ends[0], 0, share[some])
        high[some] = np.clip(ends[1], share[some], 1)
    return share, low, high


def strength_curve(strength: np.ndarray, found: np.ndarray, bins: int = BINS) -> pd.DataFrame:
    """Found share in bins with about equal numbers of planted pixels.

    `strength` (any unit) and `found` (bool) have a value per planted pixel. Pixels without a strength (NaN) are left
    out; equal strengths stay in the same bin. Returns a row per bin, in order of strength, with columns strength
    (median), strength_low and strength_high (extremes), planted, found, completeness, low, high.
    """
    order = np.argsort(strength, kind="stable")
    order = order[: np.count_nonzero(np.isfinite(strength))]
    strength, found = np.asarray(strength, float)[order], np.asarray(found, bool)[order]
    n_bins = int(np.clip(len(strength) // PER_BIN, 1, bins))
    wanted = np.linspace(0, len(strength), n_bins + 1).round().astype(int)
    cuts = np.searchsorted(strength, strength[wanted[1:-1]]) if len(strength) else []
    edges = np.unique(np.concatenate([[0], cuts, [len(strength)]])).astype(int)
    parts = [slice(low, high) for low, high in zip(edges[:-1], edges[1:], strict=True)]
    planted = np.array([part.stop - part.start for part in parts], int)
    counts = np.array([np.count_nonzero(found[part]) for part in parts], int)
    share, low, high = found_share(counts, planted)
    return pd.DataFrame(
        {
            "strength": [np.median(strength[part]) for part in parts],
            "strength_low": [strength[part.start] for part in parts],
            "strength_high": [strength[part.stop - 1] for part in parts],
            "planted": planted,
            "found": counts,
            "completeness": share,
            "low": low,
            "high": high,
        }
    )


def threshold_strengths(strength: np.ndarray, found: np.ndarray, stronger: int = 1) -> dict[str, float | bool]:
    """The strengths at which 50% and 90% are found: strength_50, at_weakest_50, strength_90, at_weakest_90.

    `strength` and `found` as for `strength_curve`; `stronger` is +1 if larger strengths are easier to find, -1 if
    smaller strengths are. The found share is modelled as c / (1 + exp(-(u - m) / w)), u = stronger * ln(strength), with
    a plateau c <= 1, fitted to the pixels by maximum likelihood (Cox 1958, J. R. Stat. Soc. B 20, 215, without the
    plateau). A strength of 0 is replaced by the smallest positive strength; with negative strengths
    u = stronger * strength. NaN if the fit does not reach the share within the planted strengths, or with fewer than
    MIN_PIXELS pixels. If the share is exceeded at the weakest strength, the result is the weakest strength and
    at_weakest_.. is True: an upper limit.
    """
    strength, found = np.asarray(strength, float), np.asarray(found, bool)
    finite = np.isfinite(strength)
    strength, found = strength[finite], found[finite]
    result: dict[str, float | bool] = {}
    for level in LEVELS:
        result[f"strength_{100 * level:.0f}"] = np.nan
        result[f"at_weakest_{100 * level:.0f}"] = False
    if len(strength) < MIN_PIXELS:
        return result
    logarithmic = bool((strength >= 0).all() and (strength > 0).any())
    if logarithmic:
        strength = np.maximum(strength, strength[strength > 0].min())
    u = stronger * (np.log(strength) if logarithmic else strength)
    plateau, middle, width = fit_logistic(u, found)
    for level in LEVELS:
        if np.isneginf(middle):
            at = -np.inf if plateau >= level else np.inf
        else:
            at = middle + width * logit(level / plateau) if plateau > level else np.inf
        if at > u.max():
            continue
        at_weakest = bool(at < u.min())
        at = stronger * max(at, u.min())
        result[f"strength_{100 * level:.0f}"] = float(np.exp(at) if logarithmic else at)
        result[f"at_weakest_{100 * level:.0f}"] = at_weakest
    return result


def fit_logistic(u: np.ndarray, found: np.ndarray) -> tuple[float, float, float]:
    """Plateau c, middle m and width w of the found share, c / (1 + exp(-(u - m) / w)), by maximum likelihood.

    `u` and `found` (bool) have a value per pixel. The middle is -inf if the share does not depend on `u`: all or none
    are found, or all `u` are equal.
    """
    share = float(found.mean())
    low, high = float(u.min()), float(u.max())
    span = high - low
    if share in (0, 1) or span == 0:
        return share, -np.inf, 1.0
    # Scaled to the span, to fit the step sizes of the minimiser.
    t = (u - low) / span

    def minus_log_likelihood(parameters: np.ndarray) -> float:
        plateau, middle, log_width = parameters
        z = (t - middle) / np.exp(log_width)
        p_found = plateau * expit(z)
        p_missed = 1 - plateau + plateau * expit(-z)
        return -float(np.sum(np.log(np.where(found, p_found, p_missed) + 1e-12)))

    bounds = [(1e-3, 1), (-1, 2), (np.log(1e-3), np.log(2))]
    starts = [
        (0.98, middle, np.log(width)) for middle in np.quantile(t, (0.1, 0.3, 0.5, 0.7, 0.9)) for width in (0.03, 0.2)
    ]
    fits = [minimize(minus_log_likelihood, start, method="L-BFGS-B", bounds=bounds) for start in starts]
    plateau, middle, log_width = min(fits, key=lambda fit: fit.fun).x
    return float(plateau), low + span * float(middle), span * float(np.exp(log_width))


def curves_and_thresholds(
    pixels: pd.DataFrame, own: pd.Series, types: pd.DataFrame, accepted: Mapping[str, tuple[str, ...]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The strength curves of all planted types with an accepted detection type, and their threshold strengths.

    `pixels` and `types` are the tables of a Score; `own` is a bool per row of `pixels`: found as an accepted type.
    `accepted` maps a planted type to its accepted detection types. Types without strengths are left out. Columns of the
    curves: type, unit, stronger, then the columns of `strength_curve`; of the thresholds: type, unit, stronger,
    planted, weakest, strongest, then the values of `threshold_strengths`.
    """
    curves, thresholds = [], []
    for name, row in types.iterrows():
        members = pixels[(pixels["type"] == name) & np.isfinite(pixels["strength"].astype(float))]
        if not accepted[name] or members.empty:
            continue
        strength, found = members["strength"].to_numpy(float), own[members.index].to_numpy()
        start = {"type": name, "unit": row["UNIT"] or members["strength_unit"].iloc[0], "stronger": row["STRONGER"]}
        curve = strength_curve(strength, found)
        curves.append(pd.DataFrame(start, index=curve.index).join(curve))
        weakest_first = (strength.min(), strength.max())[:: int(row["STRONGER"])]
        extremes = dict(zip(("weakest", "strongest"), weakest_first, strict=True))
        found_at = threshold_strengths(strength, found, int(row["STRONGER"]))
        thresholds.append({**start, "planted": len(members), **extremes, **found_at})
    return pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(), pd.DataFrame(thresholds)
