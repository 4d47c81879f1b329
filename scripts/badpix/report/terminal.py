"""The end of a run on the terminal: masks, counts, rejected exposures, warnings, errors of failed jobs, next command.

All numbers are read from the files of the run.
"""

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from astropy.io import fits

from badpix.changes.text import short_lines
from badpix.core.csv_table import TableError
from badpix.core.logs import DONE, INTERRUPTED, START, failure_in
from badpix.core.reasons import reason_lines
from badpix.formats.mask_file import read_warnings
from badpix.formats.mask_tables import REJECTED, SUMMARY, read_rejected_exposures, read_summary
from badpix.pixels.known_gate import known_lines
from badpix.report.certification import certification_lines, delivery_lines
from badpix.science_check.text import short_lines as check_lines
from badpix.workflow.failed_jobs import USER_REQUEST

# Snakemake's own log of a run: an error with the log of the failed job, and an interrupt from the keyboard.
# The jobs of a group are indented further.
_FAILED_LOG = re.compile(r"^( +)log: (.+) \(check log file\(s\) for error details\)$", re.MULTILINE)
_INDENT_OF_JOB = 4
_USED = re.compile(r"^\d+ (darks|flats) used$")
MAX_REASONS = 10  # lines of rejected exposures for each mask


@dataclass(frozen=True)
class MadeMask:
    """A mask of the run.

    `mask_id` is its folder below `results`, and `mask_file` its name there. `complete` is False if the job of the mask
    did not run to its end, so that a file of that name is of an earlier run. `report` is True if a report page belongs
    to the run.
    """

    results: str
    mask_id: str
    mask_file: str
    complete: bool
    report: bool

    @property
    def folder(self) -> Path:
        """The folder of the mask."""
        return Path(self.results) / self.mask_id


def mask_lines(made: MadeMask) -> list[str]:
    """The lines of a mask: path, exposures, counts per type and flag, warnings, report; or which file is damaged."""
    try:
        return _mask_lines(made)
    except (TableError, OSError, ValueError, KeyError, TypeError) as error:  # astropy raises them for a damaged mask
        return [made.mask_id, f"  the files of {made.folder} cannot be read: {error}"]


def _mask_lines(made: MadeMask) -> list[str]:
    mask, table = made.folder / made.mask_file, made.folder / REJECTED
    rejected = read_rejected_exposures(table) if table.exists() else {}
    reasons = [f"    {line}" for line in reason_lines(rejected, MAX_REASONS, str(table))]
    if not made.complete or not mask.exists():
        lines = [made.mask_id, "  mask: none from this run" + (f"; {mask} is older" if mask.exists() else "")]
        return lines + ([f"  rejected exposures: {len(rejected)} ({table})", *reasons] if rejected else [])
    header = fits.getheader(mask)
    used = " and ".join(card.removesuffix(" used") for card in header["HISTORY"] if _USED.match(card))
    product = header.get("BADPIX FLAT_TYPES_FROM")
    lines = [
        made.mask_id,
        f"  mask: {mask}",
        f"  exposures: {used} used, {len(rejected)} rejected" + (f" ({table})" if rejected else ""),
        *reasons,
        *([f"  preset: {header['BADPIX PRESET']}"] if "BADPIX PRESET" in header else []),
        *([f"  flat types: from {product}"] if product else []),
        *_count_lines(made.folder / SUMMARY),
    ]
    warnings = read_warnings(mask)
    lines.append(f"  warnings: {len(warnings) or 'none'}")
    lines += [f"    {warning}" for warning in warnings]
    lines += certification_lines(mask, made.folder, header)
    lines += _change_lines(made.folder / "changes" / "mask_changes.json", mask)
    lines += known_lines(mask, made.folder)
    lines += _science_check_lines(made.folder / "science_check" / "science_check.json", mask)
    lines += delivery_lines(mask, made.folder)
    page = made.folder / "report.html"
    return [*lines, f"  report: {page if made.report and page.exists() else 'none (report is false)'}"]


def _change_lines(changes: Path, mask: Path) -> list[str]:
    """The changes since another mask; none if the file `changes` is older than `mask`."""
    if not changes.exists() or changes.stat().st_mtime < mask.stat().st_mtime:
        return []
    summary = json.loads(changes.read_text(encoding="utf-8"))
    return [
        f"  changes since {summary['before']['file']} ({changes.parent}):",
        *(f"    {line}" for line in short_lines(summary)),
    ]


def _science_check_lines(numbers: Path, mask: Path) -> list[str]:
    """The result of the science check; none if the file `numbers` is older than `mask`."""
    if not numbers.exists() or numbers.stat().st_mtime < mask.stat().st_mtime:
        return []
    lines = check_lines(json.loads(numbers.read_text(encoding="utf-8")))
    return [f"  science check ({numbers.parent}): {lines[0]}", *(f"    {line}" for line in lines[1:])]


def _count_lines(summary: Path) -> list[str]:
    table = read_summary(summary)
    types, flags = (table[table["kind"] == kind] for kind in ("type", "flag"))
    width = max([len("type"), *map(len, types["name"])])
    lines = [f"  {'type':<{width}}  pixels  not classified"]
    lines += [
        f"  {row['name']:<{width}}  {row['n_pixels']:>6}  {int(row['n_insufficient']):>14}"
        for _, row in types.iterrows()
    ]
    counts = ", ".join(f"{row['name']} {row['n_pixels']}" for _, row in flags.iterrows())
    not_lit = [
        f"  not illuminated in the flats: {row['n_pixels']} pixels ({row['fraction']:.2%})"
        for _, row in table[table["kind"] == "area"].iterrows()
        if row["n_pixels"]
    ]
    return [*lines, *not_lit, f"  flags: {counts or 'none'}"]


def failure_lines(snakemake_log: str) -> list[str]:
    """The errors of the failed jobs, each different error once; empty if the run was interrupted from the keyboard.

    `snakemake_log` is the text of Snakemake's own log of the run, which names the logs of the failed jobs.
    """
    logs_of: dict[str, list[str]] = {}
    for indent, paths in dict.fromkeys(_FAILED_LOG.findall(snakemake_log)):
        log = _log_of_rule(paths)
        if (error := _error_of(log, in_group=len(indent) > _INDENT_OF_JOB)) is not None:
            logs_of.setdefault(error, []).append(log)
    lines = []
    for error, logs in logs_of.items():
        lines += error.splitlines()
        n_more = len(logs) - 1
        others = f" (and {n_more} more job{'s' if n_more > 1 else ''})" if n_more else ""
        lines.append(f"  log: {logs[0]}{others}")
    return lines


def _log_of_rule(paths: str) -> str:
    """The first of `paths`, separated by commas, which a path may contain too; the rest are logs of the scheduler."""
    parts = paths.split(", ")
    candidates = [", ".join(parts[:n]) for n in range(1, len(parts) + 1)]
    return next((path for path in candidates if Path(path).exists()), parts[0])


def _error_of(log: str, in_group: bool) -> str | None:
    """The error of a job; None if it was interrupted, or succeeded at a later attempt.

    The members of a group (`in_group`) may have succeeded, or may not have begun.
    """
    if (error := failure_in(log)) is not None:
        return None if error == INTERRUPTED else error
    text = ""
    with suppress(OSError):
        text = Path(log).read_text(encoding="utf-8", errors="replace")
    if START not in text:  # no log, or a log of the scheduler
        return (
            None
            if in_group or text
            else "a job ended before it wrote to its log; its output is above, or in the files of the scheduler"
        )
    if DONE in text:
        return None
    return "a job was ended from outside, for example for its memory or time limit"


def command_with(arguments: Sequence[str], setting: str | None = None, target: str | None = None) -> str:
    """The command that started the run with `arguments`, with a further `setting` (key=value) or another `target`.

    The target is the first word: after `--configfile` and `--config`, Snakemake would take it for a further value.
    """
    words = [target, *without_targets(arguments)] if target else list(arguments)
    end = words.index("--") if "--" in words else len(words)
    if setting:
        # A second `--config` would replace the first.
        place = words.index("--config", 0, end) + 1 if "--config" in words[:end] else end
        words[place:place] = [setting] if place != end else ["--config", setting]
    return shlex.join(["snakemake", *words])


def without_targets(arguments: Sequence[str]) -> list[str]:
    """`arguments` without the targets before the first option and those after `--`."""
    words = list(arguments[: arguments.index("--")]) if "--" in arguments else list(arguments)
    first = next((number for number, word in enumerate(words) if word.startswith("-")), len(words))
    return words[first:]


def success_lines(masks: Iterable[MadeMask], arguments: Sequence[str], earlier: Sequence[str] = ()) -> list[str]:
    """The end of a run without errors; `arguments` are those of the command, `earlier` lines on earlier runs."""
    masks = list(masks)
    lines = ["", "Summary of the run", *(line for made in masks for line in mask_lines(made)), *earlier]
    if all(made.report for made in masks):
        what, command = "the fraction of planted bad pixels found", command_with(arguments, target="injection_recovery")
    else:
        # The targets may leave the reports out.
        options = without_targets(arguments)
        what, command = "report pages with the evidence for each flag", command_with(options, setting="report=True")
    return [*lines, f"Next, {what}:", f"  {command}"]


def error_lines(
    masks: Iterable[MadeMask],
    arguments: Sequence[str],
    snakemake_logs: Sequence[str],
    earlier: Sequence[str] = (),
    announced: Sequence[str] = (),
) -> list[str]:
    """The end of a run with failed jobs, or of an interrupted run; `snakemake_logs` are Snakemake's own log files.

    `earlier` are lines on earlier runs, `announced` those of FailedJobs, which a quiet run has not in its log.
    """
    texts = [Path(log).read_text(encoding="utf-8", errors="replace") for log in snakemake_logs]
    text = "\n".join([*texts, *announced])
    lines = ["", "Summary of the run", *(line for made in masks for line in mask_lines(made)), *earlier]
    again = f"  {command_with(arguments)}"
    if errors := failure_lines(text):
        return [*lines, "Errors:", *errors, "Next, after the correction (finished jobs are kept):", again]
    if USER_REQUEST in text:
        return [*lines, "The run was interrupted. To continue (finished jobs are kept):", again]
    return [*lines, f"The run failed outside its jobs; see {' '.join(snakemake_logs) or 'the messages above'}"]
