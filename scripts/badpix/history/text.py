"""A history in words: the file history.json of a run, its lines at the end of the run, and the list of the entries."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from badpix.core.files import write_text
from badpix.history.comparable import ALL, Like
from badpix.history.entries import entries_of
from badpix.history.files import Extended, read_history, removed_of
from badpix.history.selection import AGAIN, left_out_text

NUMBERS, FIGURE = "history.json", "history.png"
SHOWN = {
    "entry": "entry", "compared": "compared", "epoch": "epoch", "first_observation": "first",
    "last_observation": "last", "n_darks": "darks", "n_flats": "flats", "mask_date": "mask of", "preset": "preset",
    "settings": "settings",
}  # fmt: skip


def numbers_of(extended: Extended, like: Like, directory: str, n_intermittent: int) -> dict[str, Any]:
    """What a run compared, JSON values: numbers of masks, and why masks are left out."""
    selection = extended.selection
    return {
        "directory": directory,
        "settings": like.settings,
        "comparable_settings": like.also if like.also == ALL else list(like.also),
        "n_compared": len(selection.compared),
        "n_intermittent": n_intermittent,
        "left_out": selection.texts,
        "left_out_entries": selection.left_out[["entry", "epoch", "settings", "reason"]].to_dict("records"),
        "not_added": list(extended.not_added),
    }


def write_numbers(path: str | Path, numbers: Mapping[str, Any]) -> None:
    """Write the numbers of `numbers_of` as JSON."""
    write_text(path, json.dumps(numbers, indent=2) + "\n")


def numbers_lines(numbers: Mapping[str, Any]) -> list[str]:
    """The numbers of `numbers_of` as lines."""
    n_compared, also = numbers["n_compared"], numbers["comparable_settings"]
    of = "of any settings" if also == ALL else "of comparable settings" if also else "of the same settings"
    lines = [
        f"{n_compared} mask{'s' if n_compared != 1 else ''} {of} compared{left_out_text(numbers['left_out'])};"
        f" {numbers['n_intermittent']} pixels are flagged in some of them but not in all"
    ]
    if any(entry["reason"] != AGAIN for entry in numbers["left_out_entries"]):
        lines.append("to compare them too, name their settings in comparable_settings (docs/howto/history.md)")
    if numbers["not_added"]:
        lines.append(
            f"not added, because a user removed {'it' if len(numbers['not_added']) == 1 else 'them'}:"
            f" {', '.join(numbers['not_added'])} (jwst-badpix history --restore)"
        )
    return lines


def history_lines(histories: Mapping[str, Iterable[str]]) -> list[str]:
    """The lines of the end of a run: folder with the results of a history -> its masks. None if a mask is newer."""
    lines = []
    for folder, masks in histories.items():
        path = Path(folder) / NUMBERS
        if not path.exists() or any(Path(mask).stat().st_mtime > path.stat().st_mtime for mask in masks):
            continue
        first, *more = numbers_lines(json.loads(path.read_text(encoding="utf-8")))
        lines += [f"history ({Path(folder) / FIGURE}): {first}", *(f"  {line}" for line in more)]
    return lines


def listing(directory: str | Path) -> list[str]:
    """The entries of the History in `directory`, what their settings have in place of others, and removed entries."""
    entries, removed = entries_of(read_history(directory)), removed_of(directory)
    number = f"{len(entries)} entr{'ies' if len(entries) != 1 else 'y'}"
    lines = [f"{directory}: {number}, {int(entries['compared'].sum())} of them compared in the last run"]
    if len(entries):
        lines += entry_table(entries).splitlines()
        lines += [f"settings {line}" for line in _settings_lines(entries)]
    if len(removed):
        lines += ["removed:", *removed[["entry", "epoch", "settings", "removed"]].to_string(index=False).splitlines()]
    return lines


def entry_table(entries: pd.DataFrame) -> str:
    """The rows of `entries_of` as a table of text."""
    shown = entries[list(SHOWN)].rename(columns=SHOWN)
    for column in ("first", "last"):
        shown[column] = shown[column].dt.strftime("%Y-%m-%d")
    shown["mask of"] = shown["mask of"].str[:10]
    shown["compared"] = shown["compared"].map({True: "yes", False: "no"})
    return shown.replace("", "-").to_string(index=False)


def _settings_lines(entries: pd.DataFrame) -> list[str]:
    """A line for each different settings: what differs from those of the last mask that was compared."""
    compared = entries[entries["compared"]]
    last = (compared if len(compared) else entries).iloc[-1]
    reference, lines = _settings(last["configuration"]), []
    for settings, rows in entries.groupby("settings", sort=False):
        text = rows["configuration"].iloc[0]
        if not text:
            lines.append(f"{settings or 'unknown'}: no record")
            continue
        own = _settings(text)
        keys = sorted(key for key in own.keys() | reference.keys() if own.get(key) != reference.get(key))
        differing = [f"{key} {json.dumps(own[key]) if key in own else 'default'}" for key in keys]
        what = f"differs from {last['settings']} in {', '.join(differing)}" if differing else "as configured last"
        lines.append(f"{settings}: {what}")
    return lines


def _settings(text: str) -> dict[str, Any]:
    return json.loads(text) if text else {}
