"""The darks of a report: what each listed pixel showed in every integration, and how it made every ballot vote.

The votes are those of the vote: its own functions on the pixels' values, or its thresholds from the evidence file.
"""

from dataclasses import dataclass, field

import numpy as np

from badpix.formats.evidence_file import Evidence
from badpix.formats.statistics_file import open_segments
from badpix.formats.thresholds import ABOVE
from badpix.instrument.geometry import amplifiers
from badpix.report.histograms import Histogram
from badpix.vote.dark_extended import planes_of
from badpix.vote.dark_official import EXPOSURE_FRACTION, PLANES_USED, Pedestal, integration_votes, pedestal_plane
from badpix.vote.exposure_set import ExposureSet
from badpix.vote.searches.base import Integration
from badpix.vote.searches.registry import measured_searches
from badpix.vote.searches.telegraph import STEPS, mainly_clear
from badpix.vote.settings import VoteSettings
from badpix.vote.significance import subsample, typical_level_and_scatter
from badpix.vote.tally import decide

NO, YES, ABSTAINED = 0, 1, 2


def ballot(yes, valid):
    """uint8 array of NO, YES and ABSTAINED."""
    return np.where(valid, np.where(yes, YES, NO), ABSTAINED).astype(np.uint8)


def of_exposures(votes):
    """The ballot of an exposure from those of its integrations, uint8 (pixel, integration) -> (pixel)."""
    k, n_valid = (votes == YES).sum(axis=1), (votes != ABSTAINED).sum(axis=1)
    return ballot(decide(k, n_valid, EXPOSURE_FRACTION), n_valid > 0)


@dataclass
class DarkReport:
    """What the darks say of some pixels, and of themselves.

    `integrations` lists (segment, integration, exposure), `exposures` their names. `values` maps quantity to an array
    (pixel, integration) float32, or (pixel, exposure) for N_JUMP_UP and N_JUMP_DOWN, the falls that count; `n_down` has all falls
    of each pixel. `votes` maps test to uint8 (pixel, ballot), `centres` quantity to (segment, integration) to its
    centre, where it is told from one. `noise_deviation` is the logarithm by which a pixel's noise exceeds the usual,
    (pixel, integration). `histograms` maps quantity to a Histogram of all science pixels and integrations, from the
    centre where there is one. `rows` has a dict per exposure.
    """

    integrations: list = field(default_factory=list)
    exposures: list = field(default_factory=list)
    values: dict = field(default_factory=dict)
    n_down: np.ndarray | None = None
    votes: dict = field(default_factory=dict)
    centres: dict = field(default_factory=dict)
    noise_deviation: list = field(default_factory=list)
    histograms: dict = field(default_factory=dict)
    rows: list = field(default_factory=list)


class DarkReader:
    """Reads the darks of `exposures`, one integration at a time, and fills a DarkReport.

    `pixels` are the flat indices to tell of, `settings` those of the vote.
    """

    def __init__(self, exposures: ExposureSet, settings: VoteSettings, evidence: Evidence, pixels: np.ndarray):
        self.exposures, self.settings, self.evidence, self.pixels = exposures, settings, evidence, pixels
        self.regions = amplifiers(exposures.geometry, exposures.detector)
        numbers = np.zeros(exposures.geometry.shape, np.int8)
        for number, region in enumerate(self.regions, 1):
            numbers[region] = number
        self.region_of = numbers.ravel()[pixels]
        self.tests = {test for tests in evidence.tests.values() for test in tests}
        self.sample = subsample(exposures.science)
        self.searches = measured_searches(settings.searches)
        self.planes = dict.fromkeys([*planes_of(self.searches), *PLANES_USED, *STEPS, "CDS_NOISE", "NGOOD"])
        self.report = DarkReport()

    def read(self):
        """The DarkReport."""
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

    def _exposure(self, name, segments):
        report, own = self.report, []
        header = segments[0][1][0].header
        totals = {plane: np.zeros(self.pixels.size, np.int32) for plane in (*STEPS, "NGOOD")}
        measures = []
        for segment, statistics in segments:
            for i, row in enumerate(statistics["INTEGRATIONS"].data):
                planes = {plane: statistics[plane].data[i] for plane in self.planes}
                votes, facts = self._integration(segment, i, row, planes, statistics)
                own.append(votes)
                measures.append(facts)
                report.integrations.append((segment, i + 1, name))
                for plane, total in totals.items():
                    total += planes[plane].ravel()[self.pixels]
        report.exposures.append(name)
        self._votes_of(name, own, totals)
        facts = {key: float(np.mean([measure[key] for measure in measures])) for key in measures[0]}
        described = {"DATE-OBS": header.get("DATE-OBS", ""), "integrations": len(own), "groups": header.get("NGROUPS")}
        report.rows.append({"kind": "dark", "exposure": name} | described | facts)

    def _integration(self, segment, i, row, planes, statistics):
        """The votes of one integration (test -> uint8 of the pixels) and its facts for the table of exposures."""
        source = self.settings.darks.pedestal_source
        voting, absolute = pedestal_plane(source, [hdu.name for hdu in statistics]), pedestal_plane(source, ())
        pedestals = {plane: statistics[plane].data[i] for plane in {voting, absolute}}
        chosen = {plane: planes[plane].ravel()[self.pixels] for plane in PLANES_USED}
        pedestal = Pedestal(pedestals[voting].ravel()[self.pixels], row[f"{voting}_MEAN"], row[f"{voting}_STD"])
        said = integration_votes(chosen, pedestal, row["N_GROUPS"], self.settings.darks)
        votes = {test: ballot(*said[test]) for test in said.keys() & self.tests - self.settings.replaced_tests}
        quantities = {"SLOPE": planes["SLOPE"], "NJUMP": planes["NJUMP"], "NSAT": planes["NSAT"]}
        shown = absolute if "high_pedestal" in self.settings.replaced_tests else voting
        quantities[shown] = pedestals[shown]
        if self.searches:
            planes["PEDESTAL"] = pedestals[absolute]
            integration = Integration(planes, statistics[0].header["TGROUP"], self.sample, segment, i + 1, absolute)
            votes |= self._extended(integration, quantities)
        for name, image in quantities.items():
            self._keep(name, image, segment, i + 1)
        science = self.exposures.science
        slope = planes["SLOPE"][science]
        n_good = max(1, int(planes["NGOOD"][science].sum()))
        facts = {
            "jumps": 1000 * float(planes["NJUMP"][science].sum()) / n_good,
            "pedestal": float(row[f"{shown}_MEAN"]),
            "pedestal_std": float(row[f"{shown}_STD"]),
            "saturated": float(np.mean(planes["NSAT"][science] == row["N_GROUPS"])),
            "no_slope": float(np.mean(np.isnan(slope))),
            "slope": float(np.nanmedian(slope)) if np.isfinite(slope).any() else np.nan,
            "noise": float(np.nanmedian(planes["CDS_NOISE"][science])),
        }
        return votes, facts

    def _extended(self, integration, quantities):
        """The votes of the searches beyond the official algorithm; puts what they compare into `quantities`."""
        votes = {}
        for search in self.searches:
            for measured in search.measured(integration):
                values, least = measured.values, measured.min_deviation
                if measured.measure == "noise":
                    self._note_noise(values)
                picked = values.ravel()[self.pixels]
                least = least.ravel()[self.pixels] if np.ndim(least) else least
                counts = [c.name for c in search.counts if c.measure == measured.measure and c.name in self.tests]
                for test in counts:
                    limits = self.evidence.limits(test, exposure=integration.exposure, integration=integration.number)
                    votes[test] = self._outlier_votes(picked, least, [row for row in limits if row.exposure])
                quantity = search.measures[measured.measure].quantity
                if counts and quantity not in (None, "SLOPE"):
                    quantities[quantity] = values
        return votes

    def _outlier_votes(self, values, least, limits):
        """As `OutlierTest.add` votes, with the centres and margins that it noted."""
        yes = np.zeros(values.shape, bool)
        for row in limits:
            here = (self.region_of == row.region) | (row.region == 0)
            with np.errstate(invalid="ignore"):
                height = (1 if row.side == ABOVE else -1) * (values - row.centre)
                yes |= here & (height > least) & (height > row.margin)
        return ballot(yes, ~np.isnan(values))

    def _note_noise(self, noise):
        deviation = np.full(noise.shape, np.nan, np.float32)
        for region in self.regions:
            deviation[region] = (
                noise[region] - typical_level_and_scatter(noise[region][self.exposures.science[region]])[0]
            )
        self.report.noise_deviation.append(deviation.ravel()[self.pixels])

    def _keep(self, name, image, segment, integration):
        """Keep the pixels' values of a quantity and count all science pixels in its histogram."""
        report = self.report
        counting = image.dtype.kind == "i"
        picked = image.ravel()[self.pixels]
        report.values.setdefault(name, []).append(picked if counting else picked.astype(np.float32))
        limits = self.evidence.limits(quantity=name, exposure=segment, integration=integration)
        centres = [row.centre for row in limits if np.isfinite(row.centre)]
        values = image[self.exposures.science]
        centre = 0.0
        if centres and not counting:
            # Regions have a bulk each; the histogram is of all, so it takes what lies in the middle.
            centre = float(np.median(centres))
            report.centres.setdefault(name, {})[segment, integration] = centre
        values = values - np.float32(centre) if not counting else values
        if name not in report.histograms:
            reach = [row.value - centre for row in limits]
            report.histograms[name] = Histogram.around(values, reach, counting)
        report.histograms[name].add(values)

    def _votes_of(self, name, own, totals):
        """Add the votes of an exposure, by integration or as one, as the vote counts them."""
        for test in own[0]:
            said = np.stack([votes[test] for votes in own], axis=1)
            if self.evidence.vote(test)[1] == "exposures":
                said = of_exposures(said)[:, np.newaxis]
            self.report.votes.setdefault(test, []).extend(said.T)
        if "jumps_down" in self.tests:
            # Whether an exposure says yes hangs on the falls in all of them.
            self.report.votes.setdefault("jumps_down", []).append(totals["NGOOD"] > 0)
            for plane in STEPS:
                self.report.values.setdefault(plane, []).append(totals[plane].astype(np.int16))

    def _jumps_down(self):
        """The votes of falls; leaves in `values` those that count."""
        values, votes = self.report.values, self.report.votes
        n_clear, n_down = values.pop("N_JUMP_DOWN_5SIG"), values["N_JUMP_DOWN"]
        self.report.n_down = n_down.sum(axis=1, dtype=np.int32)
        clear_alone = mainly_clear(self.report.n_down, n_clear.sum(axis=1, dtype=np.int32))
        values["N_JUMP_DOWN"] = np.where(clear_alone[:, np.newaxis], n_clear, n_down)
        limits = [self.evidence.limits("jumps_down", exposure=name) for name in self.report.exposures]
        needed = [row.value for rows in limits for row in rows if row.exposure]
        votes["jumps_down"] = ballot(values["N_JUMP_DOWN"] >= np.array(needed), votes["jumps_down"])
