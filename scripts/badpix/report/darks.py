"""The darks of a report: values of the listed pixels in every integration, and their votes in every test.

The votes are computed with the functions of badpix.vote, or with the thresholds of the evidence file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from astropy.io import fits

from badpix.formats.evidence_file import Evidence
from badpix.formats.statistics_file import open_segments
from badpix.formats.thresholds import ABOVE, Threshold
from badpix.instrument.depth import MIN_GROUPS_FOR_TELEGRAPH
from badpix.instrument.geometry import amplifiers
from badpix.instrument.readout import GroupTimes
from badpix.instrument.segments import exposure_of
from badpix.report.histograms import Histogram
from badpix.vote.classify import coupling_between_pixels
from badpix.vote.dark_extended import halo_finder, planes_of, without_halos
from badpix.vote.dark_official import (
    EXPOSURE_FRACTION,
    PLANES_USED,
    Pedestal,
    can_count_jumps,
    integration_votes,
    pedestal_plane,
)
from badpix.vote.exposure_set import ExposureSet
from badpix.vote.level_record import LocalLevels
from badpix.vote.searches.base import Integration
from badpix.vote.searches.registry import measured_searches
from badpix.vote.searches.telegraph import STEPS, mainly_clear
from badpix.vote.settings import VoteSettings
from badpix.vote.significance import Distribution, subsample
from badpix.vote.tally import decide

NO, YES, ABSTAINED = 0, 1, 2


def vote_codes(yes: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """uint8 array of NO, YES and ABSTAINED, from boolean arrays: `yes`, and `valid` (False: abstained)."""
    return np.where(valid, np.where(yes, YES, NO), ABSTAINED).astype(np.uint8)


def exposure_votes(votes: np.ndarray) -> np.ndarray:
    """The vote of an exposure from the votes of its integrations: uint8 (pixel, integration) -> uint8 (pixel)."""
    k, n_valid = (votes == YES).sum(axis=1), (votes != ABSTAINED).sum(axis=1)
    return vote_codes(decide(k, n_valid, EXPOSURE_FRACTION), n_valid > 0)


@dataclass
class DarkReport:
    """Values and votes of the listed pixels in the darks, and properties of the exposures.

    `integrations` lists (segment, integration, exposure), `exposures` the names of the exposures. `values` maps a
    quantity to float32 (pixel, integration), or to (pixel, exposure) for N_JUMP_UP and N_JUMP_DOWN, the downward jumps
    that count. `n_down` (pixel) is the number of all downward jumps. `votes` maps a test to uint8 (pixel, vote).
    `centres` maps a quantity to {(segment, integration): centre}, if its threshold is relative to a centre.
    `noise_deviation` is ln(noise / typical noise), and `noise_scale` its scale in the pixel's amplifier; both have an
    array (pixel) per integration. `histograms` maps a quantity to a Histogram of
    all science pixels and integrations, relative to the centre if there is one. `rows` has a dict per exposure.
    """

    integrations: list[tuple[str, int, str]] = field(default_factory=list)
    exposures: list[str] = field(default_factory=list)
    values: dict = field(default_factory=dict)
    n_down: np.ndarray | None = None
    votes: dict = field(default_factory=dict)
    centres: dict = field(default_factory=dict)
    noise_deviation: list[np.ndarray] = field(default_factory=list)
    noise_scale: list[np.ndarray] = field(default_factory=list)
    histograms: dict = field(default_factory=dict)
    rows: list = field(default_factory=list)


class DarkReader:
    """Reads the darks of `exposures`, one integration at a time, and fills a DarkReport.

    `pixels` are the flat indices of the listed pixels, `settings` the settings of the vote.
    """

    def __init__(self, exposures: ExposureSet, settings: VoteSettings, evidence: Evidence, pixels: np.ndarray):
        self.exposures, self.settings, self.evidence, self.pixels = exposures, settings, evidence, pixels
        self.regions = amplifiers(exposures.geometry, exposures.detector)
        region_numbers = np.zeros(exposures.geometry.shape, np.int8)
        for number, region in enumerate(self.regions, 1):
            region_numbers[region] = number
        self.region_of = region_numbers.ravel()[pixels]
        self.tests = {test for tests in evidence.tests.values() for test in tests}
        self.sample = subsample(exposures.science)
        self.shallow = exposures.shallow_darks(settings.required.min_darks)
        self.searches = measured_searches(settings.searches)
        self.planes = dict.fromkeys([*planes_of(self.searches), *PLANES_USED, *STEPS, "CDS_NOISE", "NGOOD"])
        self.levels = LocalLevels(exposures.science, self.regions) if settings.dark_local_level else None
        coupling = coupling_between_pixels(exposures, settings)
        self.halos = halo_finder(self.searches, exposures.science, coupling) if coupling else None
        self.report = DarkReport()

    def read(self) -> DarkReport:
        """Read all darks and return the DarkReport."""
        for dark in self.exposures.darks:
            with open_segments(dark.paths) as files:
                self._exposure(dark.name, [(s.name, file) for s, file in zip(dark.segments, files, strict=True)])
        report = self.report
        for mapping in (report.values, report.votes):
            for key, columns in mapping.items():
                mapping[key] = np.stack(columns, axis=1)
        if "jumps_down" in self.tests:
            self._jumps_down()
        return report

    def _exposure(self, name: str, segments: Sequence[tuple[str, fits.HDUList]]) -> None:
        report, votes_of_integrations = self.report, []
        header = segments[0][1][0].header
        totals = {plane: np.zeros(self.pixels.size, np.int32) for plane in STEPS}
        can_jump = np.zeros(self.pixels.size, bool)
        measures = []
        for segment, statistics in segments:
            for i, row in enumerate(statistics["INTEGRATIONS"].data):
                planes = {plane: statistics[plane].data[i] for plane in self.planes}
                votes, measured = self._integration(segment, i, row, planes, statistics)
                votes_of_integrations.append(votes)
                measures.append(measured)
                report.integrations.append((segment, i + 1, name))
                for plane, total in totals.items():
                    total += planes[plane].ravel()[self.pixels]
                if name not in self.shallow and planes["NGOOD"].max() >= MIN_GROUPS_FOR_TELEGRAPH:
                    can_jump |= planes["NGOOD"].ravel()[self.pixels] > 0
        report.exposures.append(name)
        self._add_votes(votes_of_integrations, totals, can_jump)
        means = {key: float(np.mean([measured[key] for measured in measures])) for key in measures[0]}
        header_info = {"DATE-OBS": header.get("DATE-OBS", ""), "integrations": len(measures)}
        header_info["groups"] = header.get("NGROUPS")
        report.rows.append({"kind": "dark", "exposure": name} | header_info | means)

    def _integration(
        self, segment: str, i: int, row: fits.FITS_record, planes: dict[str, np.ndarray], statistics: fits.HDUList
    ) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        """The votes of an integration (test -> uint8 (pixel)) and its measures for the table of exposures."""
        source = self.settings.darks.pedestal_source
        voting, absolute = pedestal_plane(source, [hdu.name for hdu in statistics]), pedestal_plane(source, ())
        pedestals = {plane: statistics[plane].data[i] for plane in {voting, absolute}}
        chosen = {plane: planes[plane].ravel()[self.pixels] for plane in PLANES_USED}
        pedestal = Pedestal(pedestals[voting].ravel()[self.pixels], row[f"{voting}_MEAN"], row[f"{voting}_STD"])
        n_groups, in_shallow = int(row["N_GROUPS"]), exposure_of(segment) in self.shallow
        counts = not in_shallow and can_count_jumps(planes["NGOOD"], n_groups, self.settings.darks)
        official = integration_votes(chosen, pedestal, n_groups, self.settings.darks, counts)
        tests = official.keys() & self.tests - self.settings.replaced_tests
        votes = {test: vote_codes(*official[test]) for test in tests}
        quantities = {"SLOPE": planes["SLOPE"], "NJUMP": planes["NJUMP"], "NSAT": planes["NSAT"]}
        shown = absolute if "high_pedestal" in self.settings.replaced_tests else voting
        quantities[shown] = pedestals[shown]
        if self.searches:
            planes["PEDESTAL"] = pedestals[absolute]
            times = GroupTimes.from_header(statistics[0].header)
            integration = Integration(planes, times, self.sample, segment, i + 1, absolute)
            if self.halos:
                integration = without_halos(integration, self.halos)
                # The quantities that the tests compare.
                quantities["SLOPE"] = integration.planes["SLOPE"]
                if shown == absolute:
                    quantities[shown] = integration.planes["PEDESTAL"]
            extended = self._extended(integration, quantities)
            votes |= {test: np.full_like(v, ABSTAINED) for test, v in extended.items()} if in_shallow else extended
        for name, image in quantities.items():
            self._keep(name, image, segment, i + 1)
        science = self.exposures.science
        slope = planes["SLOPE"][science]
        n_good = max(1, int(planes["NGOOD"][science].sum()))
        measured = {
            "jumps": 1000 * float(planes["NJUMP"][science].sum()) / n_good,
            "pedestal": float(row[f"{shown}_MEAN"]),
            "pedestal_std": float(row[f"{shown}_STD"]),
            "saturated": float(np.mean(planes["NSAT"][science] == row["N_GROUPS"])),
            "no_slope": float(np.mean(np.isnan(slope))),
            "slope": float(np.nanmedian(slope)) if np.isfinite(slope).any() else np.nan,
            "noise": float(np.nanmedian(planes["CDS_NOISE"][science])),
        }
        return votes, measured

    def _extended(self, integration: Integration, quantities: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The votes of the searches beyond the official algorithm; adds their quantities to `quantities`."""
        votes = {}
        for search in self.searches:
            for measured in search.measured(integration):
                values, minimum = measured.values, measured.min_deviation
                measure = search.measures[measured.measure]
                if self.levels is not None and measure.level:
                    values, hidden = self.levels.subtract(measure.level, measure.lines, values, integration)
                    minimum = np.maximum(minimum, hidden)
                if measured.measure == "noise":
                    self._add_noise_deviation(values)
                picked = values.ravel()[self.pixels]
                if isinstance(minimum, np.ndarray) and minimum.ndim:
                    minimum = minimum.ravel()[self.pixels]
                counts = [c.name for c in search.counts if c.measure == measured.measure and c.name in self.tests]
                for test in counts:
                    limits = self.evidence.limits(test, exposure=integration.exposure, integration=integration.number)
                    votes[test] = self._outlier_votes(picked, minimum, [row for row in limits if row.exposure])
                # The limits are those of values without the local level.
                quantity = measure.quantity or integration.pedestal_plane
                if counts and (quantity not in ("SLOPE", integration.pedestal_plane) or self.levels is not None):
                    quantities[quantity] = values
        return votes

    def _outlier_votes(
        self, values: np.ndarray, minimum: np.ndarray | float, limits: Sequence[Threshold]
    ) -> np.ndarray:
        """The votes of `OutlierTest.add`, with its centres and margins from the evidence file."""
        yes = np.zeros(values.shape, bool)
        for row in limits:
            here = (self.region_of == row.region) | (row.region == 0)
            with np.errstate(invalid="ignore"):
                deviation = (1 if row.side == ABOVE else -1) * (values - row.centre)
                yes |= here & (deviation > minimum) & (deviation > row.margin)
        return vote_codes(yes, ~np.isnan(values))

    def _add_noise_deviation(self, noise: np.ndarray) -> None:
        deviation, scale = np.full(noise.shape, np.nan, np.float32), np.full(noise.shape, np.nan, np.float32)
        for region in self.regions:
            distribution = Distribution.of(noise[region][self.exposures.science[region]])
            deviation[region], scale[region] = noise[region] - distribution.median, distribution.scale
        self.report.noise_deviation.append(deviation.ravel()[self.pixels])
        self.report.noise_scale.append(scale.ravel()[self.pixels])

    def _keep(self, name: str, image: np.ndarray, segment: str, integration: int) -> None:
        """Store the pixels' values of a quantity and count all science pixels in its histogram."""
        report = self.report
        counting = image.dtype.kind in "iu"
        picked = image.ravel()[self.pixels]
        report.values.setdefault(name, []).append(picked if counting else picked.astype(np.float32))
        limits = self.evidence.limits(quantity=name, exposure=segment, integration=integration)
        centres = [row.centre for row in limits if np.isfinite(row.centre)]
        values = image[self.exposures.science]
        centre = 0.0
        if centres and not counting:
            # Each region has its own centre. The histogram covers all regions, so their median is taken.
            centre = float(np.median(centres))
            report.centres.setdefault(name, {})[segment, integration] = centre
        values = values - np.float32(centre) if not counting else values
        if name not in report.histograms:
            reach = [row.value - centre for row in limits]
            report.histograms[name] = Histogram.around(values, reach, counting)
        report.histograms[name].add(values)

    def _add_votes(
        self,
        votes_of_integrations: Sequence[dict[str, np.ndarray]],
        totals: dict[str, np.ndarray],
        can_jump: np.ndarray,
    ) -> None:
        """Add the votes of an exposure: a vote per integration, or one vote, as counted in the evidence.

        `totals` maps the planes of STEPS to their sums (pixel); `can_jump` (pixel) is False without a vote on them.
        """
        for test in votes_of_integrations[0]:
            votes = np.stack([votes[test] for votes in votes_of_integrations], axis=1)
            if self.evidence.vote(test)[1] == "exposures":
                votes = exposure_votes(votes)[:, np.newaxis]
            self.report.votes.setdefault(test, []).extend(votes.T)
        if "jumps_down" in self.tests:
            # The vote of an exposure depends on the downward jumps in all exposures: see _jumps_down.
            self.report.votes.setdefault("jumps_down", []).append(can_jump)
            for plane in STEPS:
                self.report.values.setdefault(plane, []).append(totals[plane].astype(np.int16))

    def _jumps_down(self) -> None:
        """Set the votes of `jumps_down`; reduces `values` to the downward jumps that count."""
        values, votes = self.report.values, self.report.votes
        n_clear, n_down = values.pop("N_JUMP_DOWN_5SIG"), values["N_JUMP_DOWN"]
        self.report.n_down = n_down.sum(axis=1, dtype=np.int32)
        clear_only = mainly_clear(self.report.n_down, n_clear.sum(axis=1, dtype=np.int32))
        values["N_JUMP_DOWN"] = np.where(clear_only[:, np.newaxis], n_clear, n_down)
        limits = [self.evidence.limits("jumps_down", exposure=name) for name in self.report.exposures]
        # A shallow dark has no limit.
        needed = [next((row.value for row in rows if row.exposure), np.inf) for rows in limits]
        votes["jumps_down"] = vote_codes(values["N_JUMP_DOWN"] >= np.array(needed), votes["jumps_down"])
