"""From cached statistics to verdicts: the exposures of one detector, put to the vote."""

import logging
from collections import Counter
from dataclasses import dataclass

import numpy as np
from astropy.io import fits

from badpix.config.settings import DarkExcessSettings, DarkVoteSettings, FlatTypeSettings
from badpix.core.errors import BadExposure
from badpix.core.files import card_text
from badpix.formats.statistics_file import open_segments, open_statistics, quarantine_reason
from badpix.instrument.geometry import amplifiers, reference_pixels
from badpix.instrument.segments import exposure_of
from badpix.response.background import unlit
from badpix.vote.dark_extended import DarkExcess, dark_verdicts
from badpix.vote.dark_official import DarkVote, pedestal_plane
from badpix.vote.exposure_set import common_geometry, read_set, require_enough, whole_exposures
from badpix.vote.flat_ballots import FlatBallots
from badpix.vote.flat_types import flat_verdicts
from badpix.vote.precedence import only_at_times, without_explained

logger = logging.getLogger(__name__)


@dataclass
class Inputs:
    """What the vote works on: exposures by kind, those left out (name -> reason), and the detector's pixels."""

    used: dict
    left_out: dict
    detector: object
    geometry: object
    border: np.ndarray

    @property
    def science(self):
        return ~self.border

    @property
    def exposures(self):
        return [exposure for exposures in self.used.values() for exposure in exposures]


def gather(statistics, detector, config, quarantined, outliers=None):
    """Read the headers of `statistics` (kind -> paths) and check that they can make one mask.

    `quarantined` maps what the inventory left out to its reason, `outliers` the exposures that leave_one_out names.
    Raises TooFewExposures, and BadExposure when something was left out and `on_bad_exposure` is `fail`.
    """
    used, left_out, outliers = {}, dict(quarantined), outliers or {}
    for kind, paths in statistics.items():
        usable, unusable = read_set(paths)
        left_out.update(unusable)
        used[kind] = [segment for segment in usable if exposure_of(segment.name) not in outliers]
        left_out.update({s.name: outliers[exposure_of(s.name)] for s in usable if exposure_of(s.name) in outliers})
    for name, reason in sorted(left_out.items()):
        logger.warning("left out: %s: %s", name, reason)
    if left_out and config["on_bad_exposure"] == "fail":
        raise BadExposure("; ".join(f"{name}: {reason}" for name, reason in sorted(left_out.items())))
    for kind in statistics:
        if statistics[kind]:
            require_enough(detector.name, kind, used[kind], left_out, config[f"min_{kind}"])
    _warn_of_groups(used.get("darks", ()))
    geometry = common_geometry([exposure for exposures in used.values() for exposure in exposures])
    return Inputs(used, left_out, detector, geometry, reference_pixels(geometry, detector))


def _warn_of_groups(darks):
    """Darks may differ in their number of groups; what counts groups then weighs them differently."""
    numbers = Counter(dark.header["NGROUPS"] for dark in darks)
    if len(numbers) > 1:
        said = ", ".join(f"{count} of {groups} groups" for groups, count in sorted(numbers.items()))
        logger.warning(
            "the darks have different numbers of groups (%s): max_jump_limit counts jumps per integration, which long"
            " ramps reach sooner, and the slopes of short ramps scatter more",
            said,
        )


def judge(inputs, response, single_responses, config):
    """Verdict by type and measured images (name -> (image, unit)) of all exposures of `inputs`.

    `response` and `single_responses` are those of `judge_flats`.
    """
    dark, dark_images = vote_darks(inputs, config)
    flat, flat_images = judge_flats(inputs, response, single_responses, config)
    verdicts = dark | flat
    if config["exclusive_types"]:
        verdicts = without_explained(verdicts, config["telegraph_search"])
    return only_at_times(verdicts), dark_images | flat_images


def vote_darks(inputs, config):
    """Verdicts and measured images of the darks; nothing if there are none."""
    if not inputs.used["darks"]:
        return {}, {}
    darks = whole_exposures(inputs.used["darks"])
    vote, beyond = DarkVote(inputs.geometry.shape, DarkVoteSettings.from_config(config)), None
    settings = DarkExcessSettings.from_config(config)
    if settings.any:
        n_integrations = sum(fits.getval(dark.path, "NAXIS3", "SLOPE") for dark in inputs.used["darks"])
        regions = amplifiers(inputs.geometry, inputs.detector)
        beyond = DarkExcess(inputs.science, settings, len(darks), n_integrations, regions)
    for segments in darks.values():
        with open_segments(segment.path for segment in segments) as statistics:
            vote.add_exposure(*statistics)
            if beyond:
                # Not the relative one: it holds the charge of two groups, and a low pedestal cancels in it.
                beyond.add_exposure(*statistics, pedestal_name=pedestal_plane(config["pedestal_source"], ()))
    noise, n_clean = vote.noise()
    measured = {"NOISE": (noise.astype(np.float32), "DN/s"), "NCLEAN": (n_clean, None)}
    return dark_verdicts(vote, beyond, inputs.science), measured


def mean_last_groups(exposures, shape):
    """Mean signal (DN) of the last raw groups over all integrations of the flats, float64 (y, x)."""
    total, number = np.zeros(shape), 0
    for exposure in exposures:
        with open_statistics(exposure.path) as statistics:
            if "LAST_GROUPS" not in statistics:
                raise ValueError(
                    f"run_dead_flux_check needs the uncal file of {exposure.name}; see dead_flux_check_files"
                )
            for plane in statistics["LAST_GROUPS"].data:
                total += plane
                number += 1
    return total / number


def judge_flats(inputs, response, single_responses, config):
    """Verdicts and measured images of the flats; nothing if there are none.

    `response` is the FlatResponse of all of them, `single_responses` the paths of the files of single flats, which vote
    if the configuration says so.
    """
    if not inputs.used["flats"]:
        return {}, {}
    settings = FlatTypeSettings.from_config(config)
    last_groups = None
    if settings.dead_search and settings.run_dead_flux_check:
        last_groups = mean_last_groups(inputs.used["flats"], inputs.geometry.shape)
    lit = inputs.science
    if config["unlit_fraction"] is not None:
        dark = unlit(response.mean, inputs.science, config["unlit_fraction"])
        logger.info("%d pixels are not lit in the flats, or at the edge of the light", dark.sum())
        lit = inputs.science & ~dark
    measured = {"RESPONSE": (response.normalised.astype(np.float32), None), "NFLAT": (response.n_valid, None)}
    if settings.flat_ballot == "exposure":
        vote = FlatBallots(inputs.science, lit, settings)
        names = {card_text(name) for name in whole_exposures(inputs.used["flats"])}
        for path in single_responses:
            if quarantine_reason(path) is None and fits.getval(path, "EXPOSURE") in names:
                vote.add(fits.getdata(path, "RESPONSE"), fits.getval(path, "EXPOSURE"))
        return vote.verdicts(last_groups), measured
    lit_response = np.where(lit, response.normalised, np.nan)
    return flat_verdicts(lit_response, response.n_valid, inputs.science, settings, last_groups), measured
