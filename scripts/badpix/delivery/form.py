"""The delivery form: the fields of the submission form of CRDS, as YAML.

`change_level` and `description`, and the characters that a description may have, are those of `crds.submit.rc_submit`
(package crds 14.0.3); all other fields are those of the form that CRDS describes on its server for the ReDCaT team.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from badpix.config.placeholders import EXAMPLE_AUTHOR
from badpix.config.settings import Settings
from badpix.formats.certificate_file import Certificate

NOT_ALLOWED = re.compile(r"[^A-Za-z0-9._\s/,=\-+]")
DEFAULT_AUTHOR, DEFAULT_DESCRIPTION, DEFAULT_USEAFTER = "jwst_reffiles", "A bad pix mask", "2019-04-01T00:00:00"
# Fields that CRDS requires, and that a person must answer, with their configuration keys.
BY_HAND = {"deliverer": "delivery.deliverer", "other_email": "delivery.email", "change_level": "delivery.change_level"}


@dataclass(frozen=True)
class DeliverySettings(Settings):
    """The entries of the configuration key `delivery`."""

    deliverer: str | None
    email: str | None
    change_level: str | None
    description: str | None
    modes_affected: str | None
    correctness_testing: str | None
    jira_issue: str | None
    additional_considerations: str | None
    reprocess: bool


@dataclass(frozen=True)
class Delivered:
    """A delivered mask: its primary `header`, `certificate`, file names, and what was tested and compared, in words.

    `useafter_of_replaced` maps the masks that it replaces to their USEAFTER, as far as their files are in the cache.
    `warnings` are those in HISTORY.
    """

    header: Mapping[str, Any]
    certificate: Certificate
    modes: str
    tested: str
    compared: str
    useafter_of_replaced: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def form_fields(settings: DeliverySettings, mask: Delivered) -> dict[str, Any]:
    """Field of the form -> value; None for a field that a person must fill in."""
    header, certificate = mask.header, mask.certificate
    deliverer = settings.deliverer or header["AUTHOR"]
    replaced = certificate.replaces
    description = settings.description or f"{header['INSTRUME']} {header['DETECTOR']} MASK. {header['DESCRIP']}"
    return {
        "deliverer": None if deliverer in (DEFAULT_AUTHOR, EXAMPLE_AUTHOR) else deliverer,
        "other_email": settings.email,
        "instrument": str(header["INSTRUME"]).lower(),
        "file_type": "MASK",
        "history_updated": True,
        "pedigree_updated": not any(warning.startswith("pedigree") for warning in mask.warnings),
        "keywords_checked": True,
        "descrip_updated": header["DESCRIP"] != DEFAULT_DESCRIPTION,
        "useafter_updated": header["USEAFTER"] != DEFAULT_USEAFTER,
        "useafter_matches": _useafter_matches(mask),
        "compliance_verified": "Yes",
        "ingest_files": settings.reprocess,
        "etc_delivery": False,
        "jwst_etc": False,
        "calpipe_version": f"jwst {version('jwst')}",
        "replacement_files": bool(replaced),
        "old_reference_files": ", ".join(replaced),
        "replacing_badfiles": None if replaced else "N/A",
        "jira_issue": settings.jira_issue or "",
        "table_rows_changed": "",
        "modes_affected": settings.modes_affected or f"Exposures of {header['DETECTOR']} with {mask.modes}",
        "correctness_testing": settings.correctness_testing or f"{mask.tested} {mask.compared}",
        "additional_considerations": settings.additional_considerations or "",
        "change_level": settings.change_level,
        "description": " ".join(NOT_ALLOWED.sub(" ", description).split()),
    }


def _useafter_matches(mask: Delivered) -> str | None:
    """Whether USEAFTER is that of all replaced masks; None where the masks in the cache cannot tell."""
    if not mask.certificate.replaces:
        return "N/A"
    if any(value != mask.header["USEAFTER"] for value in mask.useafter_of_replaced.values()):
        return "No"
    return "Yes" if set(mask.certificate.replaces) <= mask.useafter_of_replaced.keys() else None


def missing_fields(fields: Mapping[str, Any]) -> list[str]:
    """The fields that a person must still fill in, by their configuration keys where they have one."""
    return [BY_HAND.get(name, name) for name, value in fields.items() if value is None]


def form_text(fields: Mapping[str, Any], mask: Delivered, files: Mapping[str, str]) -> str:
    """The form as YAML, with the header of the mask as comments; `files` maps what is delivered to file names."""
    header = mask.header
    lines = [
        "# Delivery form of a MASK reference file for CRDS",
        *(f"# {name}: {file}" for name, file in files.items()),
    ]
    lines += [f"# {key}: {header[key]}" for key in ("USEAFTER", "PEDIGREE", "AUTHOR", "DESCRIP")]
    lines += [f"# selector {key}: {value}" for key, value in (mask.certificate.selectors or {}).items()]
    lines.append(f"# crds certify: {mask.certificate.status} in {mask.certificate.context}, 0 errors")
    lines += [f"# warning: {warning}" for warning in (*mask.warnings, *mask.certificate.warnings)]
    lines += [f"# to fill in: {key}" for key in missing_fields(fields)]
    # JSON is YAML.
    return "\n".join([*lines, *(f"{key}: {json.dumps(value)}" for key, value in fields.items())]) + "\n"
