"""From cached statistics to results: the vote over the exposures of one detector."""

import logging
from collections.abc import Callable, Iterator

import numpy as np

from badpix.core.memory import return_free_memory
from badpix.formats.evidence_file import HALO_SOURCE
from badpix.formats.pixel_types import HALO_TYPE
from badpix.formats.product_file import open_verified
from badpix.formats.response_file import FlatResponse, Responses, read_single_response
from badpix.formats.sky_file import is_sky_file, read_sky_flat
from badpix.formats.statistics_planes import open_planes
from badpix.instrument.geometry import amplifiers
from badpix.numerics.workers import ONE, Workers, workers_of
from badpix.response.covered import covered_pixels
from badpix.vote.classification import Classification, Measured
from badpix.vote.coupling import Coupling, measure_coupling
from badpix.vote.dark_extended import DarkExtended, dark_results
from badpix.vote.dark_official import DarkVote
from badpix.vote.dark_voter import DarkVoter
from badpix.vote.exposure_set import Exposure, ExposureSet
from badpix.vote.finished_flat import product_results
from badpix.vote.flag_priority import apply_priority, intermittent_only, priorities
from badpix.vote.flat_errors import may_be_dead
from badpix.vote.flat_types import flat_results
from badpix.vote.flat_votes import FlatVotes
from badpix.vote.level_record import LocalLevels
from badpix.vote.lit import find_light
from badpix.vote.searches.base import Context
from badpix.vote.settings import VoteSettings
from badpix.vote.sky_warnings import sky_warnings

logger = logging.getLogger(__name__)


def classify(
    exposures: ExposureSet,
    read_mean: Callable[[], FlatResponse],
    responses: Responses,
    settings: VoteSettings,
    threads: int = 1,
) -> Classification:
    """The Classification of the pixels by all `exposures`.

    `read_mean` returns the response of all flats together; it is called after the vote of the darks, which needs the
    memory, and not without flats. `responses` has the responses of single flats, which vote if `flat_vote_unit` is
    `exposure`.
    """
    with workers_of(threads) as several:
        darks = classify_darks(exposures, settings, several)
    return_free_memory()
    flats = classify_flats(exposures, read_mean, responses, settings)
    results = darks.results | flats.results
    if settings.exclusive_types:
        results = apply_priority(results, priorities(settings.searches_on))
    results = intermittent_only(results)
    sky = sky_warnings(exposures, results, flats.measured, settings.flats)
    warnings, notes = (*darks.warnings, *flats.warnings, *sky), (*darks.notes, *flats.notes)
    measured = darks.measured | flats.measured
    if HALO_SOURCE in measured:
        measured[HALO_SOURCE] = (np.where(results[HALO_TYPE].found, measured[HALO_SOURCE][0], np.int32(-1)), None)
    return Classification(results, measured, warnings, notes, flats.not_lit)


def classify_darks(exposures: ExposureSet, settings: VoteSettings, workers: Workers = ONE) -> Classification:
    """The Classification by the darks; empty without darks."""
    darks, science = exposures.darks, exposures.science
    if not darks:
        return Classification({}, {})
    shallow = exposures.shallow_darks(settings.required.min_darks)
    official, extended = DarkVote(exposures.geometry.shape, settings.darks), None
    notes: tuple[str, ...] = ()
    if settings.searches_on:
        deep = [dark for dark in darks if dark.name not in shallow]
        regions = amplifiers(exposures.geometry, exposures.detector)
        coupling = coupling_between_pixels(exposures, settings)
        notes = (coupling.text,) if coupling else ()
        for note in notes:
            logger.info("%s", note)
        context = Context(
            science,
            len(deep),
            sum(dark.n_integrations() for dark in deep),
            settings.false_flags_per_million / 1e6,
            settings.min_valid,
            regions,
            settings.gain_e_per_dn if exposures.gain is None else exposures.gain.image,
            LocalLevels(science, regions) if settings.dark_local_level else None,
            coupling,
        )
        extended = DarkExtended(settings.searches, context)
    voter = DarkVoter(official, extended, settings.darks.pedestal_source, workers)
    # By the number of groups, deepest first; darks of the same number keep their order.
    for dark in sorted(darks, key=lambda dark: -dark.header["NGROUPS"]):
        with open_planes(dark.paths) as segments:
            voter.add(segments, dark.name in shallow)
    del voter
    if extended:
        extended.end()
    return_free_memory()
    noise, n_clean = official.noise()
    measured: Measured = {"NOISE": (noise.astype(np.float32), "DN/s"), "NCLEAN": (n_clean, None)}
    warnings = () if "noisy" in settings.replaced_tests else official.warnings(science)
    results = dark_results(official, extended, science)
    if extended and extended.halo_sources is not None:
        measured[HALO_SOURCE] = (extended.halo_sources, None)
    return Classification(results, measured, (*warnings, *(extended.warnings if extended else ())), notes)


def coupling_between_pixels(exposures: ExposureSet, settings: VoteSettings) -> Coupling | None:
    """The Coupling between pixels, measured from the deep darks; None if no search removes halos."""
    if not any(search.removes_halos for search in settings.searches_on):
        return None
    shallow = exposures.shallow_darks(settings.required.min_darks)
    return measure_coupling([dark for dark in exposures.darks if dark.name not in shallow], exposures.science)


def mean_last_groups(flats: tuple[Exposure, ...], shape: tuple[int, int]) -> np.ndarray:
    """Mean signal (DN) of the last raw groups over all integrations of the flats, float64 (y, x)."""
    total, n_integrations = np.zeros(shape), 0
    for segment in (segment for flat in flats for segment in flat.segments):
        with open_verified(segment.path, ("LAST_GROUPS",)) as statistics:
            if "LAST_GROUPS" not in statistics:
                raise ValueError(
                    f"run_dead_flux_check needs the uncal file of {segment.name}; see dead_flux_check_files"
                )
            for plane in statistics["LAST_GROUPS"].data:
                total += plane
                n_integrations += 1
    return total / n_integrations


def classify_flats(
    exposures: ExposureSet, read_mean: Callable[[], FlatResponse], responses: Responses, vote_settings: VoteSettings
) -> Classification:
    """The Classification by the flats or by the product in place of flats; empty without both.

    `read_mean` and `responses` are those of `classify`.
    """
    flats, science, settings = exposures.flats, exposures.science, vote_settings.flats
    if exposures.flat_product is not None:
        return product_results(exposures.flat_product, science, settings, exposures.detector.slices)
    if not flats:
        return Classification({}, {})
    response, last_groups = read_mean(), None
    if settings.dead_search and settings.run_dead_flux_check:
        last_groups = mean_last_groups(flats, exposures.geometry.shape)
    light = find_light(exposures, response, settings, vote_settings.response)
    for note in light.notes:
        logger.info("%s", note)
    measured: Measured = {
        "RESPONSE": (response.normalised.astype(np.float32), None),
        "NFLAT": (response.n_valid, None),
    }
    if response.error is not None and response.n_covered is not None:
        measured["ERROR"] = (response.error.astype(np.float32), None)
        measured["NCOVERED"] = (response.n_covered, None)
    if settings.flat_vote_unit == "exposure":
        vote = FlatVotes(science, light.lit, settings)
        for name, norm, error in single_flats(responses, {flat.name for flat in flats}):
            vote.add(light.only_lit(name, norm), name, error)
        undecided = None if response.error is None else may_be_dead(response.normalised, response.error)
        results = vote.results(last_groups, undecided)
    else:
        lit_response = np.where(light.lit, response.normalised, np.nan)
        results = flat_results(lit_response, response.n_valid, science, settings, last_groups, response.error)
    not_lit = int((science & ~light.lit).sum()) if light.notes else None
    return Classification(results, measured, light.warnings, light.notes, not_lit)


def single_flats(responses: Responses, names: set[str]) -> Iterator[tuple[str, np.ndarray, np.ndarray | None]]:
    """(exposure, response, error) of each of the flats `names`, float32 (y, x); flats of lamps have no error (None).

    The response of a flat of the sky is NaN at pixels that sources cover.
    """
    paths = dict(responses.of_exposures(names))
    covered = covered_pixels([path for path in paths.values() if is_sky_file(path)])
    for name, path in paths.items():
        if name in covered:
            flat = read_sky_flat(path)
            yield name, np.where(covered[name], np.float32(np.nan), flat.response), flat.error
        else:
            yield name, read_single_response(path), None
