"""Why a pixel is flagged, as lines of text: types, votes, limits, measured values, source, known pixels, history."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits

from badpix.core.csv_table import TableError
from badpix.formats.evidence_file import FILE_NAME, Evidence, read_evidence, read_intermittent_flagged
from badpix.formats.mask_file import read_mask
from badpix.formats.thresholds import Threshold
from badpix.history.entries import ANY
from badpix.instrument.dq import flag_text
from badpix.instrument.geometry import Geometry
from badpix.pixels.attribution import sources
from badpix.pixels.known_gate import FOLDER, PIXELS
from badpix.report.words import LIMITS, TESTS, look, title
from badpix.vote.tally import votes_needed

REFERENCE_MASK = "reference_pixel_mask.fits"
# In the folder of the planted pixels and of the science check: no masks to deliver.
NO_MASKS = ("injection_recovery", "science_check", "sweep")
# Values of the image INTERMITTENT_FLAGGED.
INTERMITTENT_BECAUSE = (
    "",
    "it is bad in single exposures",
    "it was intermittent in an earlier mask",
    "it is bad in single exposures, and in an earlier mask",
)
UNITS = {"NOISE": "DN/s", "RESPONSE": "", "IPC_SOURCE": None}
HISTORY = "history/pixels.parquet"


class NotExplained(Exception):
    """The pixel, or the run, is not there; the message says what is."""


@dataclass(frozen=True)
class MaskFiles:
    """The files of a mask: its folder, and the mask file."""

    folder: Path
    mask: Path


def find_mask(place: str | Path, mask: str | Path | None = None) -> MaskFiles:
    """The MaskFiles below `place`, the results of a run or the folder of a mask; `mask` names the file.

    NotExplained if there is none, or more than one.
    """
    place = Path(place)
    folders = [place] if (place / FILE_NAME).exists() else sorted(
        path.parent for path in place.rglob(FILE_NAME) if not set(NO_MASKS) & set(path.relative_to(place).parts)
    )  # fmt: skip
    if len(folders) != 1:
        found = ", ".join(map(str, folders)) or "none"
        raise NotExplained(f"{place}: a folder with a mask and its {FILE_NAME} is needed; there is {found}")
    folder = folders[0]
    masks = [Path(mask)] if mask else [path for path in sorted(folder.glob("*.fits")) if _is_mask(path)]
    if len(masks) != 1:
        raise NotExplained(f"{folder}: a mask is needed; there is {', '.join(p.name for p in masks) or 'none'}")
    return MaskFiles(folder, masks[0])


def _is_mask(path: Path) -> bool:
    return path.name not in (REFERENCE_MASK, FILE_NAME) and fits.getheader(path).get("REFTYPE") == "MASK"


def explanation(files: MaskFiles, x: int, y: int) -> list[str]:
    """Why the pixel (x, y) of a mask has its flags, 0-based in the array of the mask; lines of text.

    NotExplained if the array has no such pixel.
    """
    dq, frame = read_mask(files.mask), Geometry.from_header(fits.getheader(files.mask))
    if not (0 <= x < dq.shape[1] and 0 <= y < dq.shape[0]):
        raise NotExplained(f"{files.mask}: x is 0 to {dq.shape[1] - 1} and y 0 to {dq.shape[0] - 1}, not {x}, {y}")
    evidence = read_evidence(files.folder / FILE_NAME)
    full = x + frame.x_start - 1, y + frame.y_start - 1
    lines = [
        f"{evidence.detector}: x {x}, y {y} in the mask, x {full[0]}, y {full[1]} in the full frame (0-based)",
        f"{files.mask}: {flag_text(int(dq[y, x]))}",
    ]
    measured = measured_geometry(files.folder, evidence, frame)
    column, row = full[0] - (measured.x_start - 1), full[1] - (measured.y_start - 1)
    if 0 <= row < evidence.found.shape[0] and 0 <= column < evidence.found.shape[1]:
        lines += _vote_lines(evidence, row, column, is_flagged=bool(dq[y, x]))
        lines += _source_lines(evidence, row, column, (x - column, y - row))
    else:
        lines.append("outside the array of the exposures: flags of reference pixels and of the manual table only")
    return [*lines, *_intermittent_lines(files.folder, x, y), *_earlier_lines(files.folder, *full)]


def measured_geometry(folder: Path, evidence: Evidence, frame: Geometry) -> Geometry:
    """The Geometry of the exposures, `frame` of the mask if the arrays are the same, else from their statistics."""
    if evidence.found.shape == frame.shape:
        return frame
    for path in sorted(folder.rglob("*_statistics.fits")):
        header = fits.getheader(path)
        # A rejected exposure may lack keywords.
        if not header.get("REJECTED", True) and Geometry.from_header(header).shape == evidence.found.shape:
            return Geometry.from_header(header)
    raise NotExplained(
        f"{folder}: no statistics of the exposures, so the place of their array in the mask is not known"
    )


def _vote_lines(evidence: Evidence, row: int, column: int, is_flagged: bool) -> list[str]:
    """Types and votes of a pixel (row, column of the evidence): the found types, what is open, and the other tests."""
    names = list(evidence.bit_of)
    found = [name for name in names if evidence.is_found(name)[row, column]]
    insufficient = [name for name in names if evidence.is_insufficient(name)[row, column]]
    nothing = "none" + ("; its flags are of a reference pixel, or of the manual table" if is_flagged else "")
    lines = [f"types: {', '.join(found) or nothing}"]
    if insufficient:
        lines.append(f"could not be classified (INSUFFICIENT): {', '.join(insufficient)}")
    if evidence.intermittent is not None:
        bits = int(evidence.intermittent[row, column])
        if bad := [name for name, bit in evidence.bit_of.items() if bits >> bit & 1]:
            lines.append(f"bad in some exposures, but not in enough (INTERMITTENT): {', '.join(bad)}")
    for name in found:
        lines.append(f"{name} ({look(name).label}):")
        lines += [line for test in evidence.tests.get(name, []) for line in _test_lines(evidence, test, row, column)]
    others = [name for name in names if name not in found and evidence.tests.get(name)]
    if others:
        lines.append("votes of the other types:")
    for name in others:
        votes = [text for test in evidence.tests[name] if (text := _votes(evidence, test, row, column))]
        lines.append(f"  {name}: {'; '.join(votes) or 'no votes are stored'}")
    values = [text for name, image in evidence.measured.items() if (text := _value(name, image[row, column]))]
    return [*lines, f"measured: {', '.join(values)}"] if values else lines


def _test_lines(evidence: Evidence, test: str, row: int, column: int) -> list[str]:
    """The votes of a test, and its limits."""
    lines = [f"  {_votes(evidence, test, row, column) or TESTS.get(test, test)}"]
    limits: dict[tuple[str, str, str], list[Threshold]] = {}
    for limit in evidence.limits(test):
        limits.setdefault((limit.quantity, limit.side, limit.unit), []).append(limit)
    for (quantity, side, unit), rows in limits.items():
        name = LIMITS.get(quantity) or title(quantity)[0]
        image = evidence.measured.get(quantity)
        value = "" if image is None else f"; measured {image[row, column]:.4g}"
        lines.append(f"    limit: {name} {side} {_range(rows, unit)}{value}")
    return lines


def _range(rows: Sequence[Threshold], unit: str) -> str:
    """The value of limits in `unit`, or its range over exposures, integrations and amplifiers."""
    low, high = (f"{value:.4g}" for value in (min(row.value for row in rows), max(row.value for row in rows)))
    text = low if low == high else f"{low} to {high}"
    return f"{text} {unit}".rstrip() + ("" if low == high else " (by exposure)")


def _votes(evidence: Evidence, test: str, row: int, column: int) -> str | None:
    """The votes of a test in words, such as `fully saturated 10 of 10 integrations, 5 needed`; None without counts."""
    if (counts := evidence.counts(test)) is None:
        return None
    k, n_valid = (int(image[row, column]) for image in counts)
    fraction, unit, min_valid = evidence.vote(test)
    text = f"{TESTS.get(test, test)}: {k} of {n_valid} {unit or 'votes'}"
    if fraction is None:
        return text
    if n_valid < (min_valid or 1):
        return f"{text}, at least {min_valid} valid needed"
    return f"{text}, {int(votes_needed(n_valid, fraction))} needed (fraction {fraction:g})"


def _value(name: str, value: np.generic) -> str | None:
    """A measured value in words; None without a value, and for the source of a halo, which has a line of its own."""
    unit = UNITS.get(name, "")
    return None if unit is None or np.isnan(value) else f"{name} {value:.4g} {unit}".rstrip()


def _source_lines(evidence: Evidence, row: int, column: int, origin: tuple[int, int]) -> list[str]:
    """The pixel that the pixel is attributed to; `origin` is the (x, y) of the evidence in the array of the mask."""
    source = int(sources(evidence)[row, column])
    if source < 0:
        return []
    y, x = divmod(source, evidence.found.shape[1])
    kinds = [name for name in evidence.bit_of if evidence.is_found(name)[y, x]]
    return [f"its signal comes from: x {x + origin[0]}, y {y + origin[1]} ({', '.join(kinds) or 'no type'})"]


def _intermittent_lines(folder: Path, x: int, y: int) -> list[str]:
    image = read_intermittent_flagged(folder / FILE_NAME)
    if image is None or not image[y, x]:
        return []
    return [f"it has the flags of intermittent pixels, because {INTERMITTENT_BECAUSE[int(image[y, x])]}"]


def _earlier_lines(folder: Path, x: int, y: int) -> list[str]:
    """What the check of known pixels and the history have on a pixel (x, y) of the full frame."""
    lines = []
    try:
        if (table := folder / FOLDER / PIXELS).exists():
            known = pd.read_csv(table)
            for _, entry in known[(known["x"] == x) & (known["y"] == y)].iterrows():
                lines.append(f"known to be bad: as {entry['known_as']}; {entry['state']} ({table})")
        if (path := _history(folder)) is not None:
            history = pd.read_parquet(path)
            for _, entry in history[(history["x"] == x) & (history["y"] == y) & (history["flag"] != ANY)].iterrows():
                lines.append(
                    f"history: {entry['flag']} in {entry['n_epochs_flagged']} of {entry['n_epochs']} masks, from"
                    f" {entry['first_seen']} to {entry['last_seen']}"
                )
    except (OSError, ValueError, KeyError, TableError) as error:
        lines.append(f"known pixels and history cannot be read: {error}")
    return lines


def _history(folder: Path) -> Path | None:
    """The table of the history in the folder of a mask, or of the detector above those of epochs and variants."""
    places = [folder, *(parent.parent for parent in folder.parents if parent.name in ("epochs", "variants"))]
    return next((path for place in places if (path := place / HISTORY).exists()), None)
