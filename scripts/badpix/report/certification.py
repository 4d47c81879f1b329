"""The lines of a mask on the terminal about CRDS: the exposures that it is for, and the result of `crds certify`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from badpix.formats.certificate_file import NOT_RUN, PASSED, REFUSED, certificate_of
from badpix.mask.selectors import ALL, GENERIC, PATTERNS

MAX_LINES = 10


def certification_lines(mask: Path, folder: Path, header: Mapping[str, Any]) -> list[str]:
    """The lines of the file `mask` with the primary `header` in the `folder` of the mask."""
    lines = [f"  selected by CRDS for: {selected_for(header)}"]
    found = certificate_of(mask, folder)
    if found is None:
        return [*lines, "  crds certify: not run for this mask"]
    if found.status == NOT_RUN:
        return [*lines, f"  crds certify: not run: {found.reason}"]
    details = {REFUSED: found.errors, PASSED: found.warnings}[found.status]
    n_more = len(details) - MAX_LINES
    return [
        *lines,
        f"  crds certify: {'REFUSED; do not deliver this mask' if found.status == REFUSED else found.status} "
        f"({found.context}, {len(found.errors)} errors, {len(found.warnings)} warnings)",
        *(f"    {line}" for line in details[:MAX_LINES]),
        *([f"    and {n_more} more"] if n_more > 0 else []),
    ]


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
