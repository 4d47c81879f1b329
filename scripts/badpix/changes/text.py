"""The numbers of a comparison, in words."""

from collections.abc import Mapping
from typing import Any


def text_of(summary: Mapping[str, Any]) -> str:
    """The numbers of the summary of `badpix.changes.files.write_changes`, as lines of text."""
    return "\n".join([*short_lines(summary), *flag_lines(summary)])


def short_lines(summary: Mapping[str, Any]) -> list[str]:
    """The numbers of a summary without those of the flags, and the notes, as lines of text."""
    rejected = summary["do_not_use"]
    return [
        f"bad before: {summary['bad_before']}, after: {summary['bad_after']}, of {summary['science_pixels']} science"
        f" pixels; new: {summary['new']}, recovered: {summary['recovered']}, reclassified: {summary['reclassified']}",
        f"with DO_NOT_USE before: {rejected['bad_before']}, after: {rejected['bad_after']}; new: {rejected['new']},"
        f" recovered: {rejected['recovered']}",
        f"reference pixels that changed: {summary['reference_changed']}",
        *(neighbour_lines(summary["new_pixels"]) if summary["new"] else []),
        *(f"note: {note}" for note in summary["notes"]),
    ]


def flag_lines(summary: Mapping[str, Any]) -> list[str]:
    """A line of text per flag of a summary."""
    of_new = {row["flag"]: row for row in summary["new_pixels"]["flags"]}
    lines = []
    for row in summary["flags"]:
        new = of_new.get(row["flag"])
        detail = f" ({new['new']} on new pixels, {new['near']['isolated']} of them isolated)" if new else ""
        lines.append(
            f"{row['flag']}: before {row['before']}, after {row['after']}, gained {row['gained']}{detail},"
            f" lost {row['lost']}"
        )
    return lines


def neighbour_lines(new_pixels: Mapping[str, Any]) -> list[str]:
    """The new pixels by their direct neighbours (`badpix.changes.neighbours.neighbour_counts`), as lines of text."""
    near = new_pixels["near"]
    lines = [
        f"new pixels by their 4 direct neighbours: {near['isolated']} isolated, {near['known']} beside a pixel bad"
        f" before, {near['unlisted']} around a good pixel, {near['new']} beside other new pixels only",
    ]
    if new_pixels["unlisted_centres"]:
        lines.append(
            f"{new_pixels['unlisted_centres']} pixels are good in both masks although all 4 neighbours are new:"
            f" {new_pixels['unlisted_neighbours']} neighbours, {new_pixels['around_unlisted']} different pixels; if the"
            " centres are hot, their signal couples into these neighbours"
        )
    return lines
