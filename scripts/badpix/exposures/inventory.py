"""Sort the exposures into masks by their headers, and give the reason of each rejected exposure."""

import datetime
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from badpix.core.paths import shown
from badpix.core.reasons import reason_lines, too_few
from badpix.exposures.checks import PRODUCTS_NEEDED, alike_names, keywords_of, name_problem, own_problem
from badpix.exposures.header_walk import HeaderInfo, Keywords
from badpix.exposures.keyword_checks import date_problem, start_of
from badpix.exposures.optical_setup import NoMajority, different_setups, unsuitable_setups
from badpix.exposures.processing import advice, differences, is_recorded
from badpix.exposures.segment_checks import mixed_segments, segment_number, segment_problem
from badpix.exposures.variants import Variant, in_no_variant, variant_of, variants_of
from badpix.instrument.detectors import Detector
from badpix.instrument.segments import by_exposure

# Keywords of the array, which all exposures of a detector share.
ARRAY = ("SUBARRAY", "SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2")
# Readout pattern and subarray determine these keywords; their numbers may be rounded in more than one way.
TIMING = ("NFRAMES", "GROUPGAP", "TFRAME", "TGROUP")
TIMING_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Exposure:
    """An input exposure: its root name, its kind (darks or flats), its files by product, its header keywords.

    Of given products, `processing` lists what was done otherwise than configured, and `recorded` is False if they have
    no record of the parameters of their steps.
    """

    name: str
    kind: str
    files: dict[str, str]
    keywords: Keywords
    processing: tuple[str, ...] = ()
    recorded: bool = True

    @property
    def from_products(self) -> bool:
        """True when all needed products of detector1 are given, so that the pipeline need not run."""
        return all(product in self.files for product in PRODUCTS_NEEDED[self.kind])

    @property
    def start(self) -> datetime.datetime:
        """Start of the exposure (UTC, without a time zone)."""
        return start_of(self.keywords)


# Kind of exposure -> name of an exposure -> Exposure.
Kinds = dict[str, dict[str, Exposure]]


@dataclass
class Inventory:
    """The exposures of each detector and mask, the rejected exposures, and the refused masks.

    `detectors` maps detector -> kind -> exposure name -> Exposure. `rejected` maps detector -> exposure name -> reason;
    an exposure that cannot be assigned to a detector is listed under every detector. `refused` maps a detector of which
    no mask can be made to the reason; the remaining detectors are kept.

    `masks` maps mask_id -> kind -> exposure name -> Exposure. The mask_id is the folder of a mask below the results:
    the detector or, where epochs and variants are configured (`badpix.exposures.epochs`, `badpix.exposures.variants`),
    `<detector>/epochs/<epoch>`, `<detector>/variants/<variant>` or `<detector>/epochs/<epoch>/variants/<variant>`,
    ordered by time within a detector. In that case `rejected` and `refused` have entries of such mask_ids beside those
    of detectors.

    `sets` maps detector -> name of a variant (empty if none are configured) -> its exposures of all epochs. `shared`
    maps the mask_ids of variants without a selection to the mask_id of their detector or epoch: they share the products
    of a set of exposures in its folder. `of_set` maps that mask_id to its exposures.
    """

    detectors: dict[str, Kinds] = field(default_factory=dict)
    rejected: dict[str, dict[str, str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    masks: dict[str, Kinds] = field(default_factory=dict)
    sets: dict[str, dict[str, Kinds]] = field(default_factory=dict)
    shared: dict[str, str] = field(default_factory=dict)
    of_set: dict[str, Kinds] = field(default_factory=dict)

    def exposures(self, mask_id: str, kind: str) -> dict[str, Exposure]:
        """The exposures of a kind of a mask, of the set that variants share, or of a detector: name -> Exposure."""
        return (self.masks.get(mask_id) or self.of_set.get(mask_id) or self.detectors[mask_id])[kind]

    def set_id(self, mask_id: str) -> str:
        """The folder below the results of the products that belong to the set of exposures of a mask."""
        return self.shared.get(mask_id, mask_id)

    def nothing_left(self) -> "InventoryError":
        """The error of an inventory whose masks are all refused."""
        tables = {mask_id: self.rejected[mask_id] for mask_id in self.refused if self.rejected.get(mask_id)}
        return InventoryError("\n".join(self.refused.values()), tables)

    def start(self, mask_id: str) -> str:
        """Start of the first exposure of `mask_id`, `YYYY-MM-DD HH:MM:SS` (UTC)."""
        first = min(e.start for exposures in self.masks[mask_id].values() for e in exposures.values())
        return first.isoformat(sep=" ", timespec="seconds")

    def before(self, mask_id: str) -> str | None:
        """The mask_id of the same variant in the preceding epoch of the detector; None for the first epoch."""
        own = [other for other in self.masks if _series(other) == _series(mask_id)]
        earlier = own[: own.index(mask_id)]
        return earlier[-1] if earlier else None


def _series(mask_id: str) -> tuple[str, str]:
    """Detector and variant of a mask_id: the masks of all epochs have them in common."""
    return mask_id.split("/")[0], variant_of(mask_id)


class InventoryError(ValueError):
    """No mask can be made from these inputs; the message gives the reason.

    `rejected` maps each refused mask ("" if no exposure has a detector) to its rejected exposures with their reasons.
    """

    def __init__(self, message: str, rejected: Mapping[str, Mapping[str, str]] | None = None) -> None:
        super().__init__(message)
        self.rejected = dict(rejected or {})


def _most_common(values: Iterable[Any], keywords: str) -> Any:
    """The most frequent of the values of `keywords`; InventoryError when two values are equally frequent."""
    counts = Counter(values).most_common(2)
    if len(counts) == 2 and counts[0][1] == counts[1][1]:
        first, second = (", ".join(map(str, v)) if isinstance(v, tuple) else v for v, _ in counts)
        raise InventoryError(
            f"the exposures are split evenly between {keywords} {first} and {second}; "
            "change the inputs so that one value is more frequent"
            + (", or set detectors" if keywords == "DETECTOR" else "")
        )
    return counts[0][0]


def choose_detectors(exposures: Sequence[Exposure], setting: str | Sequence[str]) -> list[str]:
    """The detectors to make masks of: `setting` is `auto` (the most frequent), `all`, or a list of names."""
    present = sorted({exposure.keywords["DETECTOR"] for exposure in exposures})
    if setting == "auto":
        return [_most_common([exposure.keywords["DETECTOR"] for exposure in exposures], "DETECTOR")] if present else []
    if setting == "all":
        return present
    return list(setting)


def _agreement(exposures: Sequence[Exposure], keys: tuple[str, ...]) -> dict[str, str]:
    """Reasons (name -> reason) of the exposures that differ from the majority in the values of `keys`."""
    reasons: dict[str, str] = {}
    if not exposures:
        return reasons
    majority = _most_common([tuple(e.keywords[key] for key in keys) for e in exposures], ", ".join(keys))
    for exposure in exposures:
        differing = [
            f"{key} is {exposure.keywords[key]!r}, the rest have {value!r}"
            for key, value in zip(keys, majority, strict=True)
            if exposure.keywords[key] != value
        ]
        if differing:
            reasons[exposure.name] = "; ".join(differing)
    return reasons


def _readout_agreement(exposures: Sequence[Exposure]) -> dict[str, str]:
    """Reasons of the exposures of a mask whose readout pattern or timing differs from the majority of their kind."""
    reasons: dict[str, str] = {}
    for kind in PRODUCTS_NEEDED:
        reasons |= _agreement([e for e in exposures if e.kind == kind], ("READPATT",))
    return reasons | _timing_agreement([e for e in exposures if e.name not in reasons])


def _timing_agreement(exposures: Sequence[Exposure]) -> dict[str, str]:
    """Reasons (name -> reason) of the exposures of a detector whose timing differs from the majority of their kind.

    All exposures share readout pattern and subarray, which allow one timing only. InventoryError without a majority.
    """
    reasons: dict[str, str] = {}
    for kind in PRODUCTS_NEEDED:
        for key in TIMING:
            members = [exposure for exposure in exposures if exposure.kind == kind and key in exposure.keywords]
            if not members:
                continue
            values = sorted(exposure.keywords[key] for exposure in members)
            middle = values[(len(values) - 1) // 2]
            differing = [e for e in members if abs(e.keywords[key] - middle) > TIMING_TOLERANCE * abs(middle)]
            if differing and 2 * len(differing) >= len(members):
                _most_common([exposure.keywords[key] for exposure in members], key)
            for exposure in differing:
                reasons.setdefault(exposure.name, f"{key} is {exposure.keywords[key]!r}, the rest have {middle!r}")
    return reasons


def _duplicates(exposures: Sequence[Exposure]) -> dict[str, str]:
    """Reasons (name -> reason) of the exposures that are given under two names, except the first name.

    A detector takes one exposure at a time, so that the start and the number of the segment identify a file.
    """
    reasons: dict[str, str] = {}
    first: dict[tuple, Exposure] = {}
    for exposure in sorted(exposures, key=lambda exposure: exposure.name):
        keywords = exposure.keywords
        same = first.setdefault((exposure.kind, exposure.start, segment_number(keywords)), exposure)
        if same is not exposure:
            shared = ", ".join(
                f"{key} {keywords[key]}" for key in ("DATE-OBS", "TIME-OBS", "EXSEGNUM") if key in keywords
            )
            reasons[exposure.name] = f"{exposure.name} is the same exposure as {same.name}: both have {shared}"
    return reasons


def _mixed(exposures: Sequence[Exposure]) -> dict[str, str]:
    """The reasons of `mixed_segments` for the exposures of a detector."""
    reasons: dict[str, str] = {}
    for kind in PRODUCTS_NEEDED:
        reasons |= mixed_segments({e.name: e.keywords for e in exposures if e.kind == kind})
    return reasons


def take_inventory(
    files: Mapping[str, Mapping[str, dict[str, str]]],
    header_info_of: Callable[[str], HeaderInfo],
    detectors: Mapping[str, Detector],
    config: Mapping[str, Any],
) -> Inventory:
    """Sort all input files into an Inventory.

    `files` is the result of `match_inputs`, `header_info_of(path)` gives the header information of a file, `detectors`
    maps name to Detector, `config` has detectors, min_groups, flat_setup, pedigree, other_processing and the parameters
    of detector1. Raises InventoryError when no
    exposure can be used.
    """
    good, unusable = [], {}
    for kind, exposures in files.items():
        alike = alike_names(exposures)
        for name, paths in exposures.items():
            headers = {product: header_info_of(path) for product, path in paths.items()}
            problem = (
                name_problem(name, paths.values())
                or alike.get(name)
                or own_problem(kind, paths, headers, detectors, config["min_groups"])
                or segment_problem(name, keywords_of(headers))
                or date_problem(keywords_of(headers), config["pedigree"])
            )
            exposure = Exposure(name, kind, paths, {} if problem else keywords_of(headers))
            if not problem and exposure.from_products:
                steps = config[f"detector1_{kind.removesuffix('s')}"]
                made_otherwise = differences(kind, headers, steps, detectors[exposure.keywords["DETECTOR"]])
                if made_otherwise and kind == "darks" and config["other_processing"] == "reject":
                    problem = f"{'; '.join(made_otherwise)}; {advice(paths)}"
                exposure = replace(exposure, processing=tuple(made_otherwise), recorded=is_recorded(kind, headers))
            if problem:
                unusable[shown(name)] = problem
            else:
                good.append(exposure)
    if not good:
        lines = "".join(f"\n  {line}" for line in reason_lines(unusable))
        raise InventoryError(f"none of the {len(unusable)} exposures can be used:{lines}", {"": unusable})
    inventory = Inventory()
    chosen = choose_detectors(good, config["detectors"])
    for exposure in good:
        if exposure.keywords["DETECTOR"] not in chosen:
            unusable[exposure.name] = f"DETECTOR is {exposure.keywords['DETECTOR']}, not {' or '.join(chosen)}"
    variants = variants_of(config)
    for detector in chosen:
        own = [exposure for exposure in good if exposure.keywords["DETECTOR"] == detector]
        # Before the majorities, so that unsuitable flats do not decide on READPATT or SUBARRAY.
        rejected = unsuitable_setups({e.name: e.keywords for e in own if e.kind == "flats"}, config["flat_setup"])
        for exposure in own:
            if reason := in_no_variant(variants, exposure.kind, exposure.keywords):
                rejected.setdefault(exposure.name, reason)
        own = [exposure for exposure in own if exposure.name not in rejected]
        _sort_detector(inventory, detector, own, unusable | rejected, variants)
    return inventory


def _sort_detector(
    inventory: Inventory,
    detector: str,
    own: Sequence[Exposure],
    rejected: dict[str, str],
    variants: Iterable[Variant],
) -> None:
    """Sort the exposures `own` of a detector into the sets of its `variants`; `rejected` (name -> reason) are out."""
    try:
        rejected = rejected | _agreement(own, ARRAY)
    except InventoryError as error:
        inventory.refused[detector] = f"{detector}: no mask, because {error}"
        return
    sound = [exposure for exposure in own if exposure.name not in rejected]
    sets: dict[str, Kinds] = {}
    for variant in variants:
        members = [e for e in sound if variant.selects(e.kind, e.keywords)]
        mask_id = f"{detector}{variant.folder}"
        try:
            reasons = _readout_agreement(members)
        except InventoryError as error:
            inventory.refused[mask_id] = f"{mask_id}: no mask, because {error}"
            continue
        for search in (_mixed, _duplicates):
            reasons |= search([exposure for exposure in members if exposure.name not in reasons])
        inventory.rejected[mask_id] = dict(sorted((rejected | reasons).items()))
        sets[variant.name] = {
            kind: {e.name: e for e in members if e.kind == kind and e.name not in reasons} for kind in PRODUCTS_NEEDED
        }
    if not sets:
        return
    inventory.sets[detector] = sets
    inventory.rejected.setdefault(detector, dict(sorted(rejected.items())))
    used = {e.name for kinds in sets.values() for of_kind in kinds.values() for e in of_kind.values()}
    inventory.detectors[detector] = {
        kind: {e.name: e for e in sound if e.kind == kind and e.name in used} for kind in PRODUCTS_NEEDED
    }


def shortage(
    mask_id: str,
    kinds: Mapping[str, Mapping[str, Exposure]],
    rejected: Mapping[str, str],
    configured: Iterable[str],
    config: Mapping[str, Any],
) -> str | None:
    """The reason why a mask cannot be made of too few exposures.

    Parameters
    ----------
    mask_id : str
        The mask.
    kinds : mapping
        Kind -> exposure name -> Exposure.
    rejected : mapping
        Exposure name -> reason of its rejection.
    configured : iterable of str
        The kinds that the mask needs.
    config : mapping
        The configuration, with min_darks and min_flats.

    Returns
    -------
    str or None
        The reason; None if there are enough exposures.
    """
    for kind in configured:
        minimum, n_exposures = config[f"min_{kind}"], len(by_exposure(kinds[kind]))
        if n_exposures < minimum:
            return too_few(mask_id, kind, n_exposures, minimum, rejected)
    return None


def rejected_at_start(inventory: Inventory, table: str) -> list[str]:
    """Lines for the terminal: the exposures that their headers reject, and the refused masks; none without any.

    `table` is the path of the complete tables.
    """
    used = {name for kinds in inventory.masks.values() for of_kind in kinds.values() for name in of_kind}
    rejected: dict[str, str] = {}
    in_a_mask: dict[str, dict[str, str]] = {}
    for mask_id, of_mask in inventory.rejected.items():
        for name, reason in of_mask.items():
            # Another variant may use the exposure.
            (in_a_mask.setdefault(mask_id, {}) if name in used else rejected)[name] = reason
    lines = []
    if rejected:
        lines.append(f"{len(rejected)} of {len(used | set(rejected))} exposures are rejected by their headers:")
        lines += [f"  {line}" for line in reason_lines(rejected, table=table)]
    for mask_id, of_mask in in_a_mask.items():
        if mask_id in inventory.masks:
            lines.append(f"{mask_id}: {len(of_mask)} exposures of other masks are rejected by their headers:")
            lines += [f"  {line}" for line in reason_lines(of_mask, table=table)]
    # Their messages list the rejected exposures again.
    lines += [reason.splitlines()[0].removesuffix(" Rejected:") for reason in inventory.refused.values()]
    return lines


def reject_other_setups(inventory: Inventory, mask_id: str, kinds: Kinds, config: Mapping[str, Any]) -> Kinds:
    """`kinds`, the exposures of `mask_id`, without the flats of another optical set-up, which are added to `rejected`.

    Without a majority among the set-ups, no flat is left out, and the mask is added to `refused`.
    """
    try:
        other = different_setups({name: flat.keywords for name, flat in kinds["flats"].items()}, config["flat_setup"])
    except NoMajority as error:
        inventory.refused[mask_id] = f"{mask_id}: no mask, because {error}"
        return kinds
    inventory.rejected[mask_id] = dict(sorted((inventory.rejected[mask_id] | other).items()))
    return kinds | {"flats": {name: flat for name, flat in kinds["flats"].items() if name not in other}}


def refuse_incomplete(inventory: Inventory, configured: Sequence[str], config: Mapping[str, Any]) -> None:
    """Move the detectors with too few exposures of a `configured` kind from `detectors` to `refused`.

    The flats of a mask must agree in their optical set-up. Where each epoch or variant has a mask, `divide` compares
    them, and variants have their own minimum numbers of exposures. Raises InventoryError when no detector remains.
    """
    variants = config.get("variants")
    for detector, kinds in list(inventory.detectors.items()):
        if not (config["epochs"] or variants):
            kinds = inventory.detectors[detector] = reject_other_setups(inventory, detector, kinds, config)
        reason = None if variants else shortage(detector, kinds, inventory.rejected[detector], configured, config)
        if detector in inventory.refused:
            del inventory.detectors[detector]
        elif reason:
            inventory.refused[detector] = reason
            del inventory.detectors[detector]
    if not inventory.detectors:
        raise inventory.nothing_left()
