"""The keywords by which CRDS selects a mask, and their values in its header.

In a reference file N/A matches all exposures; a mask with more matching values than another mask is preferred. The
pattern keywords (P_READPA of READPATT) hold several values, each followed by `|`. A number with `<`, `<=`, `>` or `>=`
is a range. The keywords are those of the mask rmap of the CRDS context in use, or else the `mask_selectors` of the
detector.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from badpix.config.settings import Settings
from badpix.instrument import irs2
from badpix.instrument.detectors import Detector
from badpix.instrument.geometry import Geometry

ALL = "N/A"
MEASURED = "measured"
GENERIC, FULL = "GENERIC", "FULL"
# Keywords of the array and the detector, which have keys and sources of their own.
FIXED = ("DETECTOR", "SUBARRAY")
# Taken from the exposures by default. FILTER, NGROUPS, EXP_TYPE ... of darks and flats are not those of the science
# exposures that a mask is for: a mask with EXP_TYPE FGS_DARK would be found for darks alone.
FROM_EXPOSURES = ("READPATT",)
# Keyword -> keyword of a list of its values, as CRDS reads them (crds.jwst.locate).
PATTERNS = {
    "READPATT": "P_READPA", "EXP_TYPE": "P_EXP_TY", "FILTER": "P_FILTER", "PUPIL": "P_PUPIL", "GRATING": "P_GRATIN",
    "BAND": "P_BAND", "CHANNEL": "P_CHANNE", "MODULE": "P_MODULE", "CORONMSK": "P_CORONM",
}  # fmt: skip


class SelectorError(ValueError):
    """The values of the selectors cannot be used; the message names the key, the value, and what is allowed."""


@dataclass(frozen=True)
class SelectorSettings(Settings):
    """The configuration keys of the selectors."""

    subarray_name: str
    selectors: Mapping[str, str | int]
    mask_frame: str


def is_full_frame(geometry: Geometry, detector: Detector) -> bool:
    """True if the array covers the full frame of its detector."""
    return geometry.shape == (detector.n_rows, detector.n_columns)


def subarray_name(setting: str, measured: Geometry, frame: Geometry, detector: Detector) -> str:
    """SUBARRAY of a mask with the Geometry `frame`, of exposures with the Geometry `measured`.

    SelectorError where `setting` (subarray_name) promises pixels that were not measured.
    """
    if setting == MEASURED:
        return frame.subarray
    if setting == GENERIC and not is_full_frame(measured, detector):
        raise SelectorError(
            f"subarray_name: {GENERIC} is not allowed for {detector.name}, because its exposures are of SUBARRAY"
            f" {measured.subarray} ({measured.n_columns} x {measured.n_rows} pixels): CRDS would give the mask to all"
            f" subarrays, also outside these pixels; allowed: {MEASURED}"
        )
    if setting == FULL and not is_full_frame(frame, detector):
        raise SelectorError(
            f"subarray_name: {FULL} is not allowed for {detector.name}, because the mask has the array of SUBARRAY"
            f" {measured.subarray} ({frame.n_columns} x {frame.n_rows} pixels); allowed: {MEASURED}, or {FULL} with"
            " mask_frame full"
        )
    return setting


def selector_values(
    keywords: Sequence[str],
    headers: Sequence[Mapping[str, Any]],
    configured: Mapping[str, str | int],
    instrument: str,
) -> dict[str, str | int]:
    """The header cards of the selectors: keyword -> value, without FIXED.

    Parameters
    ----------
    keywords : sequence of str
        The keywords by which CRDS selects masks of the instrument.
    headers : sequence of mapping
        The headers of the exposures.
    configured : mapping
        The configured `selectors`.
    instrument : str
        INSTRUME.

    Raises
    ------
    SelectorError
        For a configured keyword that is no selector, a value that a header cannot have, or NIRSpec masks without
        definite rows.
    """
    free = [key for key in keywords if key not in FIXED]
    if unknown := [key for key in configured if key not in free]:
        raise SelectorError(
            f"selectors: {', '.join(unknown)} is not allowed for {instrument}: CRDS selects its masks by"
            f" {', '.join([*FIXED, *free])}; allowed keys: {', '.join(free) or 'none'}"
        )
    cards: dict[str, str | int] = {}
    for key in free:
        default = MEASURED if key in FROM_EXPOSURES else ALL
        value = configured.get(key, default)
        cards |= _cards(key, _of_exposures(key, headers, instrument) if value == MEASURED else value)
    if instrument == "NIRSPEC" and "READPATT" in cards and not _listed(cards):
        raise SelectorError(
            f"selectors: READPATT {cards['READPATT']} is not allowed for {instrument}, because dq_init needs masks with"
            " other rows for IRS2; allowed: read patterns, such as NRSRAPID, or NRSRAPID|NRS"
        )
    return cards


def _of_exposures(key: str, headers: Sequence[Mapping[str, Any]], instrument: str) -> str | int:
    """The value that all exposures share, else N/A; READPATT of NIRSpec, which fixes the rows, as a list of values."""
    values = sorted({header[key] for header in headers if header.get(key) not in (None, "")})
    if len(values) == 1 and all(header.get(key) == values[0] for header in headers):
        return values[0]
    return "|".join(values) if key == "READPATT" and instrument == "NIRSPEC" and values else ALL


def _cards(key: str, value: str | int) -> dict[str, str | int]:
    """The cards of a value; a list of values (`A|B`) has a keyword of its own, where there is such a keyword."""
    if not isinstance(value, str) or "|" not in value:
        return {key: value}
    parts = [part.strip() for part in value.split("|") if part.strip()]
    return {key: ALL, PATTERNS[key]: "".join(f"{part}|" for part in parts)} if key in PATTERNS else {key: value}


def _listed(cards: Mapping[str, str | int]) -> list[str]:
    """The read patterns in the cards of the selectors; empty if they match all read patterns."""
    text = str(cards.get("P_READPA") or cards.get("READPATT") or ALL)
    return [] if text in (ALL, "ANY") else [part for part in text.split("|") if part]


def needs_irs2_rows(cards: Mapping[str, str | int], headers: Sequence[Mapping[str, Any]]) -> bool:
    """True if the mask needs the interleaved rows of raw IRS2 files.

    Decided by READPATT in `cards`, or else in the headers of the exposures. SelectorError for a mixture.
    """
    values = _listed(cards) or sorted({str(header.get("READPATT")) for header in headers})
    kinds = {irs2.is_irs2(value) for value in values}
    if len(kinds) > 1:
        raise SelectorError(
            f"selectors: READPATT is {', '.join(values)}: dq_init needs masks with other rows for IRS2; set selectors:"
            " {READPATT: ...} to read patterns of a single kind"
        )
    return kinds == {True}


def selected_for(header: Mapping[str, Any]) -> str:
    """The exposures that find a mask with this `header`, in words."""
    subarray = header["SUBARRAY"]
    words = ["all subarrays" if subarray in (GENERIC, ALL, "ANY") else f"SUBARRAY {subarray} alone"]
    for key, pattern in PATTERNS.items():
        value = str(header.get(pattern) or header.get(key) or ALL).strip("|")
        if value not in (ALL, "ANY"):
            words.append(f"{key} {value.replace('|', ' or ')}")
    if (groups := header.get("NGROUPS", ALL)) not in (ALL, "ANY"):
        words.append(f"NGROUPS {groups}")
    return ", ".join(words)
