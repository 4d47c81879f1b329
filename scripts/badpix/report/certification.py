"""The lines of a mask on the terminal about CRDS: the exposures that it is for, and the result of `crds certify`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from badpix.core.content import sha256_of
from badpix.delivery.folder import FORM, PREVIOUS_FORM
from badpix.formats.certificate_file import CERTIFICATE, NOT_RUN, PASSED, REFUSED, certificate_of, read_certificate
from badpix.mask.selectors import selected_for

MAX_LINES = 10
DELIVERY = "delivery"


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


def delivery_lines(mask: Path, folder: Path) -> list[str]:
    """The lines of the delivery of the file `mask` in the `folder` of the mask; none without a delivery."""
    delivery = folder / DELIVERY
    if not (delivery / CERTIFICATE).is_file():
        return []
    again = "; `snakemake deliver ...` makes it again"
    # The name of a delivered mask has the digest of the mask that it was copied from.
    kept = folder / PREVIOUS_FORM
    filled = [f"    a form filled in by hand before is kept as {kept}"] if kept.exists() else []
    if not any(delivery.glob(f"*_{sha256_of(mask)[:8]}.fits")):
        return [f"  delivery: {delivery} is of an earlier mask; do not use it{again}", *filled]
    # A delivery made before CRDS had the rules of today stays, since its form may have been filled in.
    found = certificate_of(mask, folder)
    if found and found.status == REFUSED:
        return [f"  delivery: {delivery} was made before the refusal; do not use it", *filled]
    lines = [f"  delivery: {delivery} (fill in {FORM} where it says so)"]
    if found and found.status == PASSED:
        made = read_certificate(delivery / CERTIFICATE)
        changes = [
            f"{name} {before or 'none'}, now {now or 'none'}"
            for name, before, now in (
                ("context", made.context, found.context),
                ("replaced masks", ", ".join(made.replaces), ", ".join(found.replaces)),
            )
            if before != now
        ]
        if changes:
            lines.append(f"    its form and comparison are of an earlier state of CRDS ({'; '.join(changes)}){again}")
    return lines + filled
