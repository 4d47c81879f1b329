"""The optical set-up of flats: flats through different filters, gratings or lamps have no common response.

The flats of a mask must agree in all of KEYWORDS. Darks see no light, so that their set-up does not matter.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from badpix.core.plain_input import read_text
from badpix.core.reasons import MAX_NAMES
from badpix.core.wording import first_of
from badpix.exposures.header_walk import Keywords
from badpix.instrument.segments import exposure_of

# Elements in the path of the light to the detector, and its source (stdatamodels, core schema). PILIN is the pupil
# imaging lens of NIRCam, MSASTATE the shutters of NIRSpec, which stand in the path of its lamps too.
KEYWORDS = ("FILTER", "PUPIL", "GRATING", "BAND", "CHANNEL", "LAMP", "OPMODE", "PILIN", "MSASTATE")
# A header with these values is as a header without the keyword. A lens that is not inserted is none.
NO_VALUE = frozenset({"", "N/A", "NULL", "UNKNOWN", "ANY", "FALSE"})
# All other gratings, and the prism, disperse the light of the lamp: parts of the detector stay dark.
MIRROR = "MIRROR"
# In the reason of a flat that differs from the flats used.
_DIFFERS = "the flats used have"

# Keyword -> value; keywords without a value are left out.
Setup = Mapping[str, str]


class NoMajority(ValueError):
    """Two set-ups are equally frequent; the message names them, and the key of the choice."""


def plain_value(value: object) -> str | None:
    """The value of a keyword in capitals, without blanks around it; None for NO_VALUE."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip().upper()
    return None if text in NO_VALUE else text


def setup_of(keywords: Mapping[str, Any]) -> dict[str, str]:
    """The Setup of an exposure from its header."""
    found = {key: plain_value(keywords[key]) for key in KEYWORDS if key in keywords}
    return {key: value for key, value in found.items() if value is not None}


def accepted_values(flat_setup: Mapping[str, Any] | None) -> dict[str, list[str | None]]:
    """Keyword -> accepted values, as of `plain_value`, from the configured `flat_setup`."""
    lists = {key: value if isinstance(value, list) else [value] for key, value in (flat_setup or {}).items()}
    return {key: [plain_value(value) for value in values] for key, values in lists.items()}


def unsuitable_setups(flats: Mapping[str, Keywords], flat_setup: Mapping[str, Any] | None) -> dict[str, str]:
    """Reasons (name -> reason) of the flats of a detector that are not used whatever the majority is.

    `flats` maps exposures or segments to their header keywords, `flat_setup` is the configured choice: keyword ->
    accepted value or values. Unless it chooses the GRATING, NIRSpec flats through the mirror are used alone, if there
    are any.
    """
    accepted, reasons = accepted_values(flat_setup), {}
    setups = {name: setup_of(keywords) for name, keywords in flats.items()}
    for name, setup in setups.items():
        refused = [key for key, values in accepted.items() if setup.get(key) not in values]
        if refused:
            reasons[name] = "; ".join(
                f"{_shown(key, setup)}, flat_setup has {' or '.join(value or 'N/A' for value in accepted[key])}"
                for key in refused
            )
    gratings = {name: setup.get("GRATING") for name, setup in setups.items() if name not in reasons}
    if "GRATING" not in accepted and MIRROR in gratings.values():
        for name in gratings:
            if gratings[name] != MIRROR:
                reasons[name] = f"{_shown('GRATING', setups[name])}, {_DIFFERS} {MIRROR}, which comes first"
    return reasons


def different_setups(flats: Mapping[str, Keywords], flat_setup: Mapping[str, Any] | None) -> dict[str, str]:
    """Reasons (name -> reason) of the flats of a mask that have another optical set-up than most of its flats.

    Parameters
    ----------
    flats : mapping of str to mapping
        The flats without those of `unsuitable_setups`: name of the exposure or segment -> header keywords.
    flat_setup : mapping or None
        The configured choice; keywords in it may differ.

    Returns
    -------
    dict of str to str
        Each exposure counts once. Of two equally frequent set-ups, that with values for more keywords is used.

    Raises
    ------
    NoMajority
        If two set-ups are equally frequent and have values for as many keywords.
    """
    chosen = accepted_values(flat_setup)
    setups = {
        name: {key: value for key, value in setup_of(keywords).items() if key not in chosen}
        for name, keywords in flats.items()
    }
    used = _most_frequent(setups) if setups else {}
    differing = {name: [key for key in KEYWORDS if setup.get(key) != used.get(key)] for name, setup in setups.items()}
    return {
        name: "; ".join(f"{_shown(key, setups[name])}, {_DIFFERS} {used.get(key, 'no value')}" for key in keys)
        for name, keys in differing.items()
        if keys
    }


def _most_frequent(setups: Mapping[str, Setup]) -> Setup:
    """The Setup of most exposures; `setups` maps exposures or segments to their Setup, and is not empty."""
    exposures = {(exposure_of(name), tuple(setup.items())) for name, setup in setups.items()}
    counts = Counter(setup for _, setup in exposures)
    most = max((count, len(setup)) for setup, count in counts.items())
    tied = sorted((dict(s) for s, count in counts.items() if (count, len(s)) == most), key=_text)
    if len(tied) > 1:
        keys = [key for key in KEYWORDS if len({setup.get(key) for setup in tied}) > 1]
        parts = [", ".join(f"{key} {setup.get(key, 'without a value')}" for key in keys) for setup in tied]
        example = ", ".join(f"{key}: {tied[0][key]}" for key in keys if key in tied[0])
        raise NoMajority(
            f"the flats are split evenly between {' and '.join(parts)} ({most[0]} of each); choose the flats to use by"
            f" the key flat_setup, such as flat_setup: {{{example}}}"
        )
    return tied[0]


def _text(setup: Setup) -> str:
    return ", ".join(f"{key} {setup[key]}" for key in KEYWORDS if key in setup)


def _shown(key: str, setup: Setup) -> str:
    return f"{key} is {setup[key]}" if key in setup else f"{key} has no value"


def setups_text(headers: Iterable[Mapping[str, Any]]) -> str:
    """The different set-ups of flats with these headers, for the HISTORY; empty where no header has a value."""
    texts = {_text(setup_of(header)) for header in headers}
    return " and ".join(sorted(texts - {""}))


def setup_warnings(headers: Iterable[Mapping[str, Any]]) -> list[str]:
    """The warnings of flats that agree, with these headers, but may not light the whole detector."""
    gratings = {setup_of(header).get("GRATING") for header in headers if header.get("INSTRUME") == "NIRSPEC"}
    dispersed = sorted(filter(None, gratings - {MIRROR}))
    if not dispersed:
        return []
    return [
        f"the flats were taken through GRATING {' and '.join(dispersed)}, not through {MIRROR}: the light is dispersed,"
        " and healthy pixels in dark parts of the detector may be DEAD; use lamps through the mirror, or set"
        " min_unlit_area"
    ]


def used_again(table: Path, used: Iterable[str]) -> list[str]:
    """A line on flats that the run before rejected for their set-up and that are used now; none without such flats.

    New exposures can make another set-up the most frequent. `table` are the rejected exposures of the run before, which
    need not exist, `used` are the flats of this run.
    """
    try:
        rows = list(csv.reader(io.StringIO(read_text(table))))
    except (OSError, ValueError, csv.Error):
        return []
    before = {row[0] for row in rows if len(row) == 2 and _DIFFERS in row[1]}
    if not (names := sorted(before.intersection(used))):
        return []
    was = "was" if len(names) == 1 else "were"
    return [
        "the flats used have another optical set-up than in the run before, in which"
        f" {first_of(names, MAX_NAMES)} {was} rejected because of the set-up"
    ]
