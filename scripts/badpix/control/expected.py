"""Expected false flags of a detector's darks and flats, from their cached statistics."""

from collections import Counter

import numpy as np

from badpix.config.settings import FlatTypeSettings
from badpix.control.false_flags import Spread, ballots_of, expected_below, expected_noisy, jump_probability, jump_rate
from badpix.formats.statistics_file import open_statistics
from badpix.numerics.clipping import CLIP_ITERATIONS, clipped_mean_std
from badpix.vote.dark_official import pedestal_plane

AS_ASKED = "at most, as asked by false_flags_per_million"
# Jumps and pedestals of these are not those of healthy pixels.
NOT_HEALTHY = ("hot", "rc", "low_pedestal", "high_cr", "inverse_rc", "warm")


def _healthy(whole):
    """Bool (y, x): science pixels that none of NOT_HEALTHY found."""
    found = [verdict.found for name, verdict in whole.verdicts.items() if name in NOT_HEALTHY]
    return whole.science & ~np.logical_or.reduce(found)


def _asked(config, whole, n_tests):
    """False flags that `n_tests` searches may make at `false_flags_per_million`."""
    return n_tests * config["false_flags_per_million"] * 1e-6 * int(whole.science.sum())


class _Darks:
    """What the healthy pixels of the darks do, in one pass over the statistics files."""

    def __init__(self, exposures, healthy, config):
        self.spread = Spread.empty(int(healthy.sum()))
        self.jumps, self.saturated, self.rates = [], [], []
        self.integrations = Counter()
        for segments in exposures.values():
            number = 0
            for segment in segments:
                with open_statistics(segment.path) as hdus:
                    number += len(hdus["INTEGRATIONS"].data)
                    self._add(hdus, healthy, config)
            self.integrations[number] += 1

    def _add(self, hdus, healthy, config):
        name = pedestal_plane(config["pedestal_source"], [hdu.name for hdu in hdus])
        for integration, row in enumerate(hdus["INTEGRATIONS"].data):
            plane = {key: hdus[key].data[integration][healthy] for key in (name, "NJUMP", "NSAT", "FIRST_SAT")}
            pedestal = np.where(plane["FIRST_SAT"] != 0, plane[name], np.nan)
            limit = config["pedestal_sigma_threshold"] * row[f"{name}_STD"]
            self.spread.add(pedestal, row[f"{name}_MEAN"], limit)
            self.rates.append(jump_rate(plane["NJUMP"]))
            self.saturated.append(np.mean(plane["NSAT"] == row["N_GROUPS"]))

    @property
    def usual_integrations(self):
        return self.integrations.most_common(1)[0][0]


def expected_dark(exposures, whole, config):
    """Type -> (false flags expected, note), of the darks `exposures` (name -> segments) and their Vote `whole`."""
    healthy = _healthy(whole)
    darks = _Darks(exposures, healthy, config)
    integrations = darks.usual_integrations if config["ballot"] == "exposure" else 1
    ballots = {test: n for verdict in whole.verdicts.values() for test, (_, n) in verdict.ballots.items()}

    def vote(test, fraction, integrations=integrations):
        return ballots_of(ballots[test], whole.science, config["min_valid"], config[fraction], integrations)

    parts = {name: [] for name in whole.verdicts}
    share = float(np.mean(darks.saturated))
    value = vote("saturated", "max_saturated_fraction", 1).expected(share)
    parts["hot"].append((value, f"binomial: healthy pixels are saturated in {share:.2g} of the integrations"))
    rate = float(np.mean(darks.rates))
    many = jump_probability(rate, config["max_jump_limit"])
    said = f"Poisson: {rate:.3g} jumps per integration"
    if "many_jumps" in ballots:
        parts["high_cr"].append((vote("many_jumps", "high_cr_fraction").expected(many), said))
    if "rc_jumps" in ballots:
        value = vote("rc_jumps", "rc_fraction_threshold").expected(many)
        parts["rc"].append((value, f"{said}, at most, for their ratio is not counted"))
    fixed = f"normal pedestals, {darks.spread.share_fixed:.0%} of the variance fixed"
    for name, test, fraction, side in (
        ("rc", "high_pedestal", "rc_fraction_threshold", 0),
        ("low_pedestal", "low_pedestal", "low_pedestal_fraction", 1),
    ):
        if config["pedestal_test"] == "sigma":
            parts[name].append((darks.spread.expected(vote(test, fraction), side), fixed))
    if config["noisy_test"] == "slopes":
        (std, _), (n_clean, _) = whole.measured["NOISE"], whole.measured["NCLEAN"]
        mean, width, _ = clipped_mean_std(
            std[whole.science], config["dark_stdev_clipping_sigma"], config["dark_max_clipping_iters"]
        )
        cut = mean + config["dark_noisy_threshold"] * width
        value = expected_noisy(n_clean, whole.science, std, cut)
        parts["noisy"].append((value, f"chi-squared: scatter beyond {cut:.3g} DN/s of as many slopes as there are"))
    for name, number in searches(config).items():
        parts[name].append((_asked(config, whole, number), AS_ASKED))
    return {name: (sum(v for v, _ in found), "; ".join(note for _, note in found)) for name, found in parts.items()}


def searches(config):
    """Type -> number of the searches beyond the specification that look for it and are on."""
    number = {}
    if config["hot_rate_threshold"] is not None:
        number |= {"hot": 1, "warm": 1}
    if config["pedestal_test"] == "calibrated":
        number |= {"rc": 1, "low_pedestal": 1}
    if config["ramp_shape_search"]:
        number |= {"rc": number.get("rc", 0) + 2, "inverse_rc": 2}
    if config["noisy_test"] == "cds":
        number |= {"noisy": 1}
    if config["telegraph_search"]:
        number |= {"high_cr": 1}
    return number


def expected_flat(exposures, whole, config):
    """Type -> (false flags expected, note), of the flats: those whose response the scatter of the bulk makes so low.

    The response is that of all flats together, whose scatter is nearly all the pixels' own: single flats, if they vote,
    agree.
    """
    settings = FlatTypeSettings.from_config(config)
    response, _ = whole.measured["RESPONSE"]
    values = response[whole.science]
    cuts = [settings.max_dead_norm_signal] if "absolute_rate" in settings.dead_search_type else []
    if "sigma_rate" in settings.dead_search_type:
        mean, std, _ = clipped_mean_std(values, settings.flat_mean_sigma_threshold, CLIP_ITERATIONS)
        cuts.append(mean - settings.dead_sigma_threshold * std)
    result = {}
    if settings.dead_search:
        result["DEAD"] = (expected_below(values, max(cuts)), f"normal response below {max(cuts):.3g}")
    if settings.low_qe_and_open_search:
        low = settings.max_low_qe_norm_signal
        expected = expected_below(values, low)
        result["LOW_QE"] = (expected, f"normal response below {low:.3g}")
        result["OPEN"] = (expected, "at most as LOW_QE")
        result["ADJ_OPEN"] = (8 * expected, "at most eight for an OPEN one")
    return result
