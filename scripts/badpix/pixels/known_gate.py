"""The limit on the recall of known bad pixels: numbers of a check (JSON), verdict (JSON), and their sentences."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from badpix.core.files import write_text

FOLDER, NUMBERS, PIXELS, GATE = "known_bad", "known_bad.json", "known_bad_pixels.csv", "known_bad_gate.json"
FAIL, WARN = "fail", "warn"
# Keys of the numbers -> their words after the count, where it is not 0.
ASIDE = {
    "insufficient": "could not be classified", "not_searched": "of types that are not searched",
    "manual_flag": "flagged by hand alone", "reference_pixel": "reference pixels", "outside": "outside the array",
}  # fmt: skip


class KnownPixelsLost(Exception):
    """Too many known bad pixels are not found; the message has the numbers and names the pixels."""


def short_text(numbers: Mapping[str, Any]) -> str:
    """The numbers of a check in a sentence."""
    if not numbers["n_known"]:
        return f"{numbers['source']}: not checked; {'; '.join(numbers['notes'])}"
    n_decided = numbers["found"] + numbers["lost"]
    recall = "" if numbers["recall"] is None else f" (recall {numbers['recall']:.4g})"
    parts = [f"{numbers['found']} of {n_decided} found again{recall}, {numbers['lost']} lost"]
    if numbers["with_type"]:
        parts.append(f"{numbers['own_type']} of {numbers['with_type']} as a type they are known as")
    aside = [f"{numbers[key]} {text}" for key, text in ASIDE.items() if numbers[key]]
    if aside:
        parts.append(f"not counted: {', '.join(aside)}")
    return f"{numbers['source']}: {'; '.join(parts)}"


def problem(numbers: Mapping[str, Any], min_recall: float) -> str | None:
    """Why the check does not pass; None if it does. Without known pixels there is nothing to check."""
    if not numbers["n_known"]:
        return None
    if numbers["recall"] is None:
        return "none of these pixels could be checked"
    return f"the recall is below min_recall {min_recall:g}" if numbers["recall"] < min_recall else None


def check_recall(mask: str, numbers: Mapping[str, Any], min_recall: float, on_failure: str) -> dict[str, Any]:
    """The verdict on the `numbers` of `mask`, JSON values.

    Raises KnownPixelsLost, with the numbers and the lost pixels, if the recall is below `min_recall`, or if no pixel
    could be checked, and `on_failure` is `fail`.
    """
    reason = problem(numbers, min_recall)
    verdict = {"passed": reason is None, "min_recall": min_recall, "on_failure": on_failure, "reason": reason}
    if reason and on_failure == FAIL:
        named = numbers["lost_pixels"] or numbers["insufficient_pixels"]
        n_more = (numbers["lost"] or numbers["insufficient"]) - len(named)
        more = [f"and {n_more} more in {PIXELS}"] if n_more > 0 else []
        raise KnownPixelsLost(
            "\n  ".join([f"{mask}: {reason}; known bad pixels of {short_text(numbers)}", *named, *more])
        )
    return verdict


def surviving_verdict(path: str | Path) -> Path:
    """Where the verdict on a refused mask stays: Snakemake deletes `path` with the outputs of a failed job."""
    return Path(path).parents[1] / "logs" / Path(path).name


def write_json(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write `content` as JSON."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(content, indent=2) + "\n")


def read_json(path: str | Path) -> dict[str, Any]:
    """The content of a file of `write_json`."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def known_lines(mask: Path, folder: Path) -> list[str]:
    """The lines of the end of a run on the known bad pixels of the file `mask`; none without a check of this mask."""
    path = folder / FOLDER / NUMBERS
    if not path.exists() or path.stat().st_mtime < mask.stat().st_mtime:
        return []
    numbers = read_json(path)
    gates = [gate for gate in (folder / FOLDER / GATE, surviving_verdict(folder / FOLDER / GATE))
             if gate.exists() and gate.stat().st_mtime >= path.stat().st_mtime]  # fmt: skip
    verdict = read_json(gates[0]) if gates else {"passed": False, "on_failure": FAIL, "reason": "not checked"}
    lines = [f"  known bad pixels: {short_text(numbers)}"]
    if not verdict["passed"]:
        word = "REFUSED; do not deliver this mask" if verdict["on_failure"] == FAIL else "WARNING"
        lines.append(f"    {word}: {verdict['reason']}")
    n_more = numbers["lost"] - len(numbers["lost_pixels"])
    lines += [f"    lost: {text}" for text in numbers["lost_pixels"]]
    lines += [f"    and {n_more} more; all are in {folder / FOLDER / PIXELS}"] if n_more > 0 else []
    return lines
