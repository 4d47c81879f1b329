"""The vote without each exposure in turn."""

from dataclasses import dataclass

import numpy as np

from badpix.config.settings import ResponseSettings
from badpix.instrument.segments import by_exposure
from badpix.response.normalise import combine_flats
from badpix.vote.exposure_set import read_set
from badpix.vote.judge import gather, judge

# Whether there are enough is asked where the mask is made.
ENOUGH = {"min_darks": 1, "min_flats": 1, "on_bad_exposure": "quarantine"}


@dataclass(frozen=True)
class Vote:
    """One vote of the exposures of one kind: `left_out` (a name, or None), verdicts by type, measured images, and the
    boolean image (y, x) of the science pixels."""

    left_out: str | None
    verdicts: dict
    measured: dict
    science: np.ndarray

    @property
    def found(self):
        """Type -> boolean image (y, x) of the pixels found."""
        return {name: verdict.found for name, verdict in self.verdicts.items()}


def vote_of(kind, statistics, responses, detector, config, response_settings, left_out=None):
    """The Vote of the exposures of `kind` (darks, flats) alone; `responses` lists the files of the single flats."""
    inputs = gather({"darks": [], "flats": [], kind: statistics}, detector, config | ENOUGH, {})
    response = None
    if kind == "flats":
        settings = ResponseSettings.from_config(response_settings)
        response = combine_flats([flat.path for flat in inputs.used["flats"]], inputs.science, settings)
    verdicts, measured = judge(inputs, response, responses, config)
    return Vote(left_out, verdicts, measured, inputs.science)


def votes(kind, statistics, responses, detector, config, response_settings, excluded=()):
    """The Votes of the exposures of `kind`: of all of them, then without each in turn if there are at least two.

    `statistics` lists statistics files, `responses` maps flat to the file of its response where flats vote one by one;
    `detector` is a Detector, `config` the keys of the vote, `response_settings` those of the response. `excluded` names
    exposures that do not take part. A generator, so that one vote is in memory at a time; nothing without exposures.
    """
    paths = {segment.name: segment.path for segment in read_set(statistics)[0]}
    exposures = {name: segments for name, segments in by_exposure(paths).items() if name not in excluded}
    if not exposures:
        return
    for left_out in [None, *exposures] if len(exposures) > 1 else [None]:
        kept = [path for name, segments in exposures.items() if name != left_out for path in map(paths.get, segments)]
        voting = [path for name, path in responses.items() if name in exposures and name != left_out]
        yield vote_of(kind, kept, voting, detector, config, response_settings, left_out)
