"""The flats of a report: the response of each listed pixel in every flat, and the votes of the flats."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from astropy.io import fits

from badpix.formats.response_file import FlatResponse, Responses
from badpix.formats.statistics_file import open_segments
from badpix.report.darks import vote_codes
from badpix.vote.classify import single_flats
from badpix.vote.exposure_set import ExposureSet
from badpix.vote.flat_votes import FlatVotes
from badpix.vote.lit import find_light
from badpix.vote.settings import VoteSettings

# Type -> its test in FlatVotes.
TEST_OF = {"DEAD": "dead", "LOW_QE": "low", "OPEN": "open"}


@dataclass
class FlatReport:
    """Responses and votes of the listed pixels in the flats, and properties of the exposures.

    `response` is float32 (pixel, column); `columns` lists (segment, integration, exposure) of its columns. If each flat
    votes, a column is the response in a flat; else it is the slope of an integration divided by the level around the
    pixel in the mean flat. `votes` maps a test to uint8 (pixel, flat); it is empty if the mean flat decides. `rows` has
    a dict per exposure.
    """

    columns: list[tuple[str, int, str]] = field(default_factory=list)
    response: np.ndarray | None = None
    votes: dict = field(default_factory=dict)
    rows: list = field(default_factory=list)


class FlatReader:
    """Reads the flats of `exposures`, one integration at a time, and fills a FlatReport.

    Parameters
    ----------
    exposures : ExposureSet
        The exposures of the vote.
    settings : VoteSettings
        The settings of the vote.
    mean : FlatResponse
        The response of the mean flat.
    responses : Responses
        The files of the single flats' responses, if each flat votes.
    pixels : np.ndarray
        Flat indices of the listed pixels.
    """

    def __init__(
        self,
        exposures: ExposureSet,
        settings: VoteSettings,
        mean: FlatResponse,
        responses: Responses,
        pixels: np.ndarray,
    ):
        self.exposures, self.settings, self.mean, self.pixels = exposures, settings.flats, mean, pixels
        self.responses, self.normalisation = responses, settings.response
        self.report = FlatReport()

    def read(self) -> FlatReport:
        """Read all flats and return the FlatReport."""
        each_votes = self.settings.flat_vote_unit == "exposure"
        with np.errstate(divide="ignore", invalid="ignore"):
            level = (self.mean.mean / self.mean.normalised).ravel()[self.pixels]
        columns = []
        for flat in self.exposures.flats:
            with open_segments(flat.paths) as files:
                stacks = [statistics["SLOPE"].data for statistics in files]
                self._exposure(flat.name, files, stacks)
                if not each_votes:
                    for segment, stack in zip(flat.segments, stacks, strict=True):
                        for i, slope in enumerate(stack):
                            self.report.columns.append((segment.name, i + 1, flat.name))
                            columns.append((slope.ravel()[self.pixels] / level).astype(np.float32))
        if each_votes:
            columns = self._votes()
        self.report.response = np.stack(columns, axis=1)
        return self.report

    def _exposure(self, name: str, files: Sequence[fits.HDUList], stacks: Sequence[np.ndarray]) -> None:
        """Add the row of an exposure to the table of exposures."""
        science, header = self.exposures.science, files[0][0].header
        slopes = [np.asarray(slope)[science] for stack in stacks for slope in stack]
        last = [plane[science] for statistics in files if "LAST_GROUPS" in statistics
                for plane in statistics["LAST_GROUPS"].data]  # fmt: skip
        self.report.rows.append(
            {
                "kind": "flat",
                "exposure": name,
                "DATE-OBS": header.get("DATE-OBS", ""),
                "integrations": len(slopes),
                "groups": header.get("NGROUPS"),
                "slope": float(np.mean([np.nanmedian(slope) for slope in slopes])),
                "no_slope": float(np.mean([np.mean(np.isnan(slope)) for slope in slopes])),
                "last_groups": float(np.mean([np.median(plane) for plane in last])) if last else np.nan,
            }
        )

    def _votes(self) -> list[np.ndarray]:
        """The response in each flat, a list of float32 (pixel); fills the votes with the functions of badpix.vote."""
        science = self.exposures.science
        light = find_light(self.exposures, self.mean, self.settings, self.normalisation)
        rows = {row["exposure"]: row for row in self.report.rows}
        columns = []
        for name, response, error in single_flats(self.responses, set(rows)):
            vote = FlatVotes(science, light.lit, self.settings)
            vote.add(light.only_lit(name, response), error=error)
            for test, flat_test in TEST_OF.items():
                tally = vote.tallies[flat_test]
                k, n_valid = (image.ravel()[self.pixels] for image in (tally.k, tally.n_valid))
                self.report.votes.setdefault(test, []).append(vote_codes(k > 0, n_valid > 0))
            self.report.columns.append((name, 0, name))
            columns.append(response.ravel()[self.pixels].astype(np.float32))
            # Scatter about the mean flat; 1.4826 x MAD is the standard deviation of normal values.
            difference = (response - self.mean.normalised)[science]
            scatter = 1.4826 * float(np.nanmedian(np.abs(difference - np.nanmedian(difference))))
            rows[name]["response_scatter"] = scatter
        self.report.votes = {test: np.stack(votes, axis=1) for test, votes in self.report.votes.items()}
        return columns
