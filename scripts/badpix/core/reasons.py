"""Rejected exposures with their reasons as lines of text."""

from collections.abc import Mapping

MAX_LINES = 20
MAX_NAMES = 3  # names of exposures in a line


def reason_lines(rejected: Mapping[str, str], limit: int = MAX_LINES, table: str = "") -> list[str]:
    """A line for each reason, with the exposures that have this reason; at most `limit` lines.

    `rejected` maps exposures to reasons. `table` is the path of the complete table, for the last line.
    """
    groups: dict[str, list[str]] = {}
    for name, reason in sorted(rejected.items()):
        groups.setdefault(" ".join(reason.split()), []).append(name)
    lines = [f"{_names(names)}: {reason}" for reason, names in groups.items()]
    if len(lines) > limit:
        shown = lines[: limit - 1]
        n_more = sum(len(names) for names in list(groups.values())[len(shown) :])
        lines = [*shown, f"and {n_more} more exposures" + (f", see {table}" if table else "")]
    return lines


def _names(names: list[str]) -> str:
    if len(names) <= MAX_NAMES:
        return ", ".join(names)
    return f"{len(names)} exposures ({', '.join(names[: MAX_NAMES - 1])}, ...)"


def too_few(mask_id: str, kind: str, n_exposures: int, minimum: int, rejected: Mapping[str, str]) -> str:
    """The message of a mask with too few exposures.

    Parameters
    ----------
    mask_id : str
        The mask.
    kind : str
        Kind of the exposures: darks or flats.
    n_exposures, minimum : int
        Number of usable exposures, and the smallest number allowed.
    rejected : mapping of str to str
        Exposure -> reason of its rejection.
    """
    text = f"{mask_id}: no mask, because {n_exposures} usable {kind} remain and min_{kind} is {minimum}."
    lines = "".join(f"\n  {line}" for line in reason_lines(rejected, table="rejected_exposures.csv"))
    return text + (f" Rejected:{lines}" if lines else "")
