"""Where the known bad pixels of a run come from: lists that the run itself changes, and detectors without a list."""

from collections.abc import Iterable, Mapping
from pathlib import Path


def own_result(path: str | Path, results: str | Path, detectors: Iterable[str]) -> bool:
    """True if the list `path` is in the folder of a detector below `results`.

    The run makes such a list again from the new mask, which would find all of its pixels.
    """
    file = Path(path).resolve()
    return any(file.is_relative_to((Path(results) / detector).resolve()) for detector in detectors)


def is_unnamed(setting: object, detector: str) -> bool:
    """True if `setting`, the value of known_bad.pixels, has lists of detectors and does not name `detector`.

    A detector with null is named: it shall have no check.
    """
    return isinstance(setting, Mapping) and detector not in setting
