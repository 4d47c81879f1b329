"""The science check in words: the report as Markdown, and a line for the summary of the run."""

from collections.abc import Mapping, Sequence
from typing import Any

from badpix.science_check.words import AREA, BETTER, MIXED, OPEN, OUTLIERS, SAME, WORSE

# What each verdict means for the new mask.
MEANING = {
    BETTER: "The new mask is better in at least one of the two numbers, and worse in none.",
    WORSE: "The new mask is worse in at least one of the two numbers, and better in none.",
    MIXED: "The new mask is better in one number and worse in the other.",
    SAME: "The exposures do not show that either mask is better.",
}
ASSUMED = """\
* A pixel is an outlier of an exposure if it is more than {sigma:g} sigma from the median of the {box} x {box} pixels
  around it. Sigma is the scatter of the pixels about these medians. A pixel that is saturated from the start is an
  outlier. With light, deviations below {deviation:.0%} of the level do not count: flat fielding corrects them.
* An outlier recurs if it is one in so many exposures that chance, as of cosmic rays, makes that in less than one pixel
  of a million. Pixels that deviate only at times, or weakly, are neither outliers nor good.
* A pixel behaves like a good one if its deviation, its scatter between exposures and between integrations, its share
  of jumps and of missing values are within the range of 95% of the pixels that neither mask flags and that are no
  outliers. Defects that do not show in rates, such as a low pedestal, are not seen.
* Pixels with flags of defects that need light (DEAD, LOW_QE, OPEN ...) are judged by exposures with light, pixels with
  flags of dark current and noise (HOT, RC, TELEGRAPH ...) by darks or the sky, all others by both. What the exposures
  cannot show is *open*, and counts against the new mask before it is called better.
* Stars move on the detector between the pointings of the sky, and bad pixels do not. Exposures closer than {pointing:g}
  pixels count as one. Found sources are left out.
* Touching pixels count as one event in the intervals (95%)."""


def report_text(numbers: Mapping[str, Any], assumed: Mapping[str, float]) -> str:
    """The report of the numbers of `badpix.science_check.write.numbers_of`, as Markdown."""
    lines = [
        f"# Science check: {numbers['verdict']}",
        "",
        f"{MEANING[numbers['verdict']]} {numbers['reason']}",
        "",
        f"* new mask: `{numbers['new_mask']}`",
        f"* old mask: `{numbers['old_mask']}`",
        f"* {numbers['n_measured']:,} pixels were measured; DO_NOT_USE: {numbers['n_old']:,} in the old mask,"
        f" {numbers['n_new']:,} in the new mask, {numbers['n_differing']:,} in one of the two only",
        "",
        "| per thousand pixels (95%) | old mask | new mask | new - old | only old | only new | open | result |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(numbers["counts"][name], name) for name in (OUTLIERS, AREA)),
        "",
        "`only old`, `only new`: pixels that count for one mask only. `open`: pixels that would count for the new mask"
        " only, if they are what the exposures cannot show.",
        "",
        *_kinds(numbers["findings"]),
        "## Exposures",
        "",
        "| light | exposures | pointings or exposures | chance of an outlier | first | last |",
        "|---|---|---|---|---|---|",
        *(
            f"| {row['light']} | {row['n_exposures']} | {row['n_units']} | {row['chance']:.2g} | {row['first']}"
            f" | {row['last']} |"
            for row in numbers["lights"]
        ),
        "",
        *_list("Left out:", [f"{name}: {reason}" for name, reason in numbers["left_out"].items()]),
        *_list("Notes:", numbers["notes"]),
        "## What is assumed",
        "",
        ASSUMED.format(**assumed),
        "",
    ]
    return "\n".join(lines)


def _list(title: str, entries: Sequence[str]) -> list[str]:
    """The entries as a list with a title; nothing without entries."""
    return [title, "", *(f"* {entry}" for entry in entries), ""] if entries else []


def _row(count: Mapping[str, Any], name: str) -> str:
    old, new, difference = (with_interval(count[key]) for key in ("old_share", "new_share", "difference"))
    cells = (name, old, new, difference, count["only_old"], count["only_new"], count["open_new"], count["result"])
    return f"| {' | '.join(map(str, cells))} |"


def with_interval(values: Sequence[float]) -> str:
    """`value (low to high)`."""
    value, low, high = (f"{number:.3g}" for number in values)
    return f"{value} ({low} to {high})"


def _kinds(findings: Mapping[str, Mapping[str, int]]) -> list[str]:
    """The table of the pixels that one mask rejects only."""
    lines = [
        "Pixels with DO_NOT_USE in one mask only:",
        "",
        "| in the exposures | old mask only | new mask only |",
        "|---|---|---|",
    ]
    return [*lines, *(f"| {name} | {row['old']} | {row['new']} |" for name, row in findings.items()), ""]


def short_lines(numbers: Mapping[str, Any]) -> list[str]:
    """The result in lines for the summary of the run."""
    lines = [f"new mask {numbers['verdict']} than {numbers['old_mask']}"]
    if numbers["verdict"] in (MIXED, SAME):
        lines = [f"{numbers['verdict']}: {numbers['old_mask']} and the new mask"]
    for name in (OUTLIERS, AREA):
        count = numbers["counts"][name]
        lines.append(
            f"{name} per thousand pixels: {count['old_share'][0]:.3g} old, {count['new_share'][0]:.3g} new; difference"
            f" {with_interval(count['difference'])}: {count['result']}"
        )
    if numbers["left_out"]:
        lines.append(f"{len(numbers['left_out'])} exposures were left out")
    return [*lines, *(f"note: {note}" for note in numbers["notes"])]


def reason_of(counts: Mapping[str, Any]) -> str:
    """Why the verdict is what it is: the results of both numbers."""
    parts = [f"{name}: {count.result}" for name, count in counts.items()]
    more = [
        f"{count.open_new} pixels could not be decided on ({name}); give exposures that show their defects (see notes)"
        for name, count in counts.items()
        if count.result == OPEN
    ]
    return ". ".join(["; ".join(parts).capitalize(), *more]) + "."
