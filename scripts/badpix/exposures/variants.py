"""Variants: the exposures of each of several masks of a detector, selected by their headers.

The folder of a variant's mask is `<detector>/variants/<name>`, with epochs `<detector>/epochs/<epoch>/variants/<name>`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from badpix.config.variants import SELECTIONS
from badpix.exposures.header_walk import Keywords

VARIANT_FOLDER = "/variants/"


@dataclass(frozen=True)
class Variant:
    """A mask of a detector: its name, empty for the only mask, and its selections: kind -> {READPATT, NGROUPS}."""

    name: str = ""
    selections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The part of the mask_id of the variant; empty for the only mask."""
        return f"{VARIANT_FOLDER}{self.name}" if self.name else ""

    def selects(self, kind: str, keywords: Keywords) -> bool:
        """True if an exposure of `kind` with the header `keywords` is selected."""
        selection = self.selections.get(kind, {})
        limits = selection.get("NGROUPS", {})
        n_groups = keywords.get("NGROUPS")
        if limits and not limits.get("min", 1) <= n_groups <= limits.get("max", n_groups):
            return False
        return "READPATT" not in selection or keywords["READPATT"] in selection["READPATT"]


def variants_of(config: Mapping[str, Any]) -> list[Variant]:
    """The variants of a complete configuration; a single variant without a name if there are none."""
    return [
        Variant(name, {kind: keys[key] for kind, key in SELECTIONS.items() if key in keys})
        for name, keys in (config.get("variants") or {}).items()
    ] or [Variant()]


def selection_text(variant: Variant) -> str:
    """The name of a variant and its selections, for the HISTORY of its mask."""
    parts = []
    for kind, selection in variant.selections.items():
        limits = selection.get("NGROUPS", {})
        words = [f"READPATT {' or '.join(selection['READPATT'])}"] if "READPATT" in selection else []
        words += [f"NGROUPS {sign} {limits[end]}" for end, sign in (("min", ">="), ("max", "<=")) if end in limits]
        parts.append(f"{kind} with {', '.join(words)}")
    return f"Variant {variant.name}: {'; '.join(parts) or 'all exposures'}"


def variant_of(mask_id: str) -> str:
    """The name of the variant of a mask_id; empty without a variant."""
    return mask_id.rpartition(VARIANT_FOLDER)[2] if VARIANT_FOLDER in mask_id else ""


def without_variant(mask_id: str) -> str:
    """The mask_id of the detector or epoch of a variant."""
    return mask_id.removesuffix(f"{VARIANT_FOLDER}{variant_of(mask_id)}")


def in_no_variant(variants: Iterable[Variant], kind: str, keywords: Keywords) -> str | None:
    """The reason why an exposure belongs to no variant; None if it belongs to a variant."""
    if any(variant.selects(kind, keywords) for variant in variants):
        return None
    return f"no variant selects READPATT {keywords['READPATT']}, NGROUPS {keywords['NGROUPS']}"
