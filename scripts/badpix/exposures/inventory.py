"""Decide from the headers which exposures make which mask, and which are rejected and why."""

import datetime
from collections import Counter
from dataclasses import dataclass, field

from badpix.exposures.checks import PRODUCTS_NEEDED, keywords_of, name_problem, own_problem, segment_problem
from badpix.instrument.segments import by_exposure, segment_of

# These follow from the readout pattern and the subarray; the numbers may be rounded in more than one way.
TIMING = ("NFRAMES", "GROUPGAP", "TFRAME", "TGROUP")
TIMING_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Exposure:
    """An input exposure: its root name, its kind (darks or flats), its files by product, its header keywords."""

    name: str
    kind: str
    files: dict
    keywords: dict

    @property
    def from_products(self):
        """True when it comes with all it needs from detector1, so that the pipeline need not run."""
        return all(product in self.files for product in PRODUCTS_NEEDED[self.kind])

    @property
    def start(self):
        """When it began, as a datetime (UTC)."""
        began = datetime.datetime.fromisoformat(f"{self.keywords['DATE-OBS']}T{self.keywords['TIME-OBS']}")
        return began.replace(tzinfo=None)


@dataclass
class Inventory:
    """The exposures of each detector, and what was left out.

    `detectors` maps detector -> kind -> exposure name -> Exposure. `rejected` maps detector -> {exposure: reason}; what
    cannot be assigned to a detector concerns all of them and stands under each. `refused` maps the detectors of which
    no mask can be made to the reason; the others go on.

    `masks` has the exposures of each mask that is made: place of the mask below the results -> kind -> exposure name ->
    Exposure. The place is the detector, or `<detector>/epochs/<epoch>` where epochs are asked for
    (`badpix.exposures.epochs`), in the order of time, and then `rejected` and `refused` have such
    places beside detectors.
    """

    detectors: dict = field(default_factory=dict)
    rejected: dict = field(default_factory=dict)
    refused: dict = field(default_factory=dict)
    masks: dict = field(default_factory=dict)

    def exposures(self, place, kind):
        """The exposures of a detector, or of an epoch of one, and kind: name -> Exposure."""
        return (self.masks.get(place) or self.detectors[place])[kind]

    def start(self, place):
        """When the first exposure at `place` began, `YYYY-MM-DD HH:MM:SS`."""
        kinds = self.masks.get(place) or self.detectors[place]
        first = min(exposure.start for exposures in kinds.values() for exposure in exposures.values())
        return first.isoformat(sep=" ", timespec="seconds")

    def before(self, place):
        """The place of the mask of the epoch before that at `place`; None for the first one."""
        own = [other for other in self.masks if other.split("/")[0] == place.split("/")[0]]
        earlier = own[: own.index(place)]
        return earlier[-1] if earlier else None


class InventoryError(ValueError):
    """No mask can be made from these inputs; the message says why."""


def _most_common(values, what):
    """The value that most have; InventoryError when two are equally frequent."""
    counts = Counter(values).most_common(2)
    if len(counts) == 2 and counts[0][1] == counts[1][1]:
        one, other = (", ".join(map(str, v)) if isinstance(v, tuple) else v for v, _ in counts)
        raise InventoryError(
            f"the exposures are split evenly between {what} {one} and {other}; "
            "name the inputs so that one prevails" + (", or set detectors" if what == "DETECTOR" else "")
        )
    return counts[0][0]


def choose_detectors(exposures, setting):
    """The detectors to make masks of: `setting` is `auto` (the most frequent), `all`, or a list of names."""
    present = sorted({exposure.keywords["DETECTOR"] for exposure in exposures})
    if setting == "auto":
        return [_most_common([exposure.keywords["DETECTOR"] for exposure in exposures], "DETECTOR")] if present else []
    if setting == "all":
        return present
    return list(setting)


def _agreement(exposures):
    """Reasons (name -> reason) of the exposures of one detector that differ from the rest.

    All exposures must share size and subarray; each kind must share its readout pattern.
    """
    odd = {}
    groups = [(exposures, ("SUBARRAY", "SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2"))]
    groups += [([e for e in exposures if e.kind == kind], ("READPATT",)) for kind in PRODUCTS_NEEDED]
    for members, keys in groups:
        if not members:
            continue
        usual = _most_common([tuple(e.keywords[key] for key in keys) for e in members], ", ".join(keys))
        for exposure in members:
            differing = [
                f"{key} is {exposure.keywords[key]!r}, the rest have {value!r}"
                for key, value in zip(keys, usual, strict=True)
                if exposure.keywords[key] != value
            ]
            if differing:
                odd.setdefault(exposure.name, "; ".join(differing))
    return odd


def _timing_agreement(exposures):
    """Reasons (name -> reason) of the exposures of one detector whose timing is not that of the rest of their kind.

    All are of one readout pattern and one subarray, which allow one timing only. InventoryError when neither prevails.
    """
    odd = {}
    for kind in PRODUCTS_NEEDED:
        members = [exposure for exposure in exposures if exposure.kind == kind]
        for key in TIMING:
            having = [exposure for exposure in members if key in exposure.keywords]
            values = sorted(exposure.keywords[key] for exposure in having)
            usual = values[(len(values) - 1) // 2] if values else None
            differing = [e for e in having if abs(e.keywords[key] - usual) > TIMING_TOLERANCE * abs(usual)]
            if differing and 2 * len(differing) >= len(having):
                _most_common([exposure.keywords[key] for exposure in having], key)
            for exposure in differing:
                odd.setdefault(exposure.name, f"{key} is {exposure.keywords[key]!r}, the rest have {usual!r}")
    return odd


def _duplicates(exposures):
    """Reasons (name -> reason) of the exposures that are in the list under another name already.

    A detector takes one exposure at a time; the segments of an exposure have a number each, in the header or the name.
    """
    odd, first = {}, {}
    for exposure in sorted(exposures, key=lambda exposure: exposure.name):
        keys = ("DATE-OBS", "TIME-OBS", "EXPSTART", "EXSEGNUM")
        identity = {key: exposure.keywords[key] for key in keys if key in exposure.keywords}
        segment = () if "EXSEGNUM" in identity else (segment_of(exposure.name),)
        other = first.setdefault((exposure.kind, *identity.items(), *segment), exposure)
        if other is not exposure:
            said = ", ".join(f"{key} {value}" for key, value in identity.items())
            odd[exposure.name] = f"{exposure.name} is the same exposure as {other.name}: both have {said}"
    return odd


def take_inventory(files, header_info_of, detectors, config):
    """Sort all input files into an Inventory.

    `files` is what `match_inputs` gives, `header_info_of(path)` the headers of a file, `detectors` maps name to Detector,
    `config` has detectors and min_groups. Raises InventoryError when nothing at all can be used.
    """
    good, nowhere = [], {}
    for kind, exposures in files.items():
        for name, paths in exposures.items():
            headers = {product: header_info_of(path) for product, path in paths.items()}
            problem = (
                name_problem(name, paths.values())
                or own_problem(kind, paths, headers, detectors, config["min_groups"])
                or segment_problem(name, keywords_of(headers))
            )
            if problem:
                nowhere[name] = problem
            else:
                good.append(Exposure(name, kind, paths, keywords_of(headers)))
    if not good:
        reasons = "".join(f"\n  {name}: {reason}" for name, reason in sorted(nowhere.items()))
        raise InventoryError(f"none of the {len(nowhere)} exposures can be used:{reasons}")
    inventory = Inventory()
    chosen = choose_detectors(good, config["detectors"])
    for exposure in good:
        if exposure.keywords["DETECTOR"] not in chosen:
            nowhere[exposure.name] = f"DETECTOR is {exposure.keywords['DETECTOR']}, not {' or '.join(chosen)}"
    for detector in chosen:
        own = [exposure for exposure in good if exposure.keywords["DETECTOR"] == detector]
        try:
            odd = _agreement(own)
            odd |= _timing_agreement([exposure for exposure in own if exposure.name not in odd])
        except InventoryError as error:
            inventory.refused[detector] = f"{detector}: no mask, because {error}"
            continue
        odd |= _duplicates([exposure for exposure in own if exposure.name not in odd])
        inventory.rejected[detector] = dict(sorted((nowhere | odd).items()))
        inventory.detectors[detector] = {
            kind: {e.name: e for e in own if e.kind == kind and e.name not in odd} for kind in PRODUCTS_NEEDED
        }
    return inventory


def shortage(place, kinds, rejected, configured, config):
    """Why no mask can be made of the exposures `kinds` (kind -> name -> Exposure) at `place`; None if one can.

    `rejected` maps exposures left out to the reason, `configured` are the kinds that must be there.
    """
    for kind in configured:
        minimum, number = config[f"min_{kind}"], len(by_exposure(kinds[kind]))
        if number < minimum:
            reasons = "".join(f"\n  {name}: {why}" for name, why in rejected.items())
            return f"{place}: no mask, because {number} usable {kind} remain and min_{kind} is {minimum}." + (
                f" Left out:{reasons}" if reasons else ""
            )
    return None


def refuse_incomplete(inventory, configured, config):
    """Move the detectors of which too few exposures remain of a kind that is `configured` to those refused.

    Raises InventoryError when no detector is left.
    """
    for detector, kinds in list(inventory.detectors.items()):
        if reason := shortage(detector, kinds, inventory.rejected[detector], configured, config):
            inventory.refused[detector] = reason
            del inventory.detectors[detector]
    if not inventory.detectors:
        raise InventoryError("\n".join(inventory.refused.values()))
