"""Decide from the headers which exposures make which mask, and which are put in quarantine and why."""

import datetime
from collections import Counter
from dataclasses import dataclass, field

from badpix.core.files import card_text
from badpix.instrument import irs2
from badpix.instrument.segments import by_exposure, segment_of

PRODUCTS_NEEDED = {"darks": ("rateints", "jump", "fitopt"), "flats": ("rateints",)}
# An exposure is judged by its least processed file.
HEADER_OF = ("uncal", "jump", "rateints", "fitopt", "flux_check")
REQUIRED = (
    "INSTRUME",
    "DETECTOR", "EXP_TYPE", "SUBARRAY", "SUBSIZE1", "SUBSIZE2", "SUBSTRT1", "SUBSTRT2", "FASTAXIS", "SLOWAXIS", "NINTS",
    "NGROUPS", "NFRAMES", "TFRAME", "TGROUP", "READPATT", "DATE-OBS", "TIME-OBS",
)  # fmt: skip
POSITIVE = {
    "NINTS": (int,), "NGROUPS": (int,), "NFRAMES": (int,), "SUBSIZE1": (int,), "SUBSIZE2": (int,), "SUBSTRT1": (int,),
    "SUBSTRT2": (int,), "TFRAME": (int, float), "TGROUP": (int, float),
}  # fmt: skip
# Raw ramps are 16-bit integers.
RAW_BITPIX = 16
# What all files of one exposure say alike; the times tell one exposure from another.
OF_ONE_EXPOSURE = (
    "DETECTOR", "INSTRUME", "EXP_TYPE", "DATE-OBS", "TIME-OBS", "EXPSTART", "EXSEGNUM", "READPATT", "SUBARRAY",
    "SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2", "FASTAXIS", "SLOWAXIS", "NINTS", "NGROUPS", "NFRAMES", "TFRAME",
    "TGROUP",
)  # fmt: skip
# These follow from the readout pattern and the subarray; the numbers may be rounded in more than one way.
TIMING = ("NFRAMES", "GROUPGAP", "TFRAME", "TGROUP")
TIMING_TOLERANCE = 1e-3
# A file name may have 255 bytes; the products add their own ending and, while they are written, a prefix.
MAX_NAME_BYTES = 200
MAIN_EXTENSION = {"uncal": "SCI", "jump": "SCI", "rateints": "SCI", "fitopt": "PEDESTAL", "flux_check": "SCI"}


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

    `detectors` maps detector -> kind -> exposure name -> Exposure. `left_out` maps detector -> {exposure: reason}; what
    cannot be assigned to a detector concerns all of them and stands under each. `refused` maps the detectors of which
    no mask can be made to the reason; the others go on.

    `masks` has the exposures of each mask that is made: place of the mask below the results -> kind -> exposure name ->
    Exposure. The place is the detector, or `<detector>/epochs/<epoch>` where epochs are asked for
    (`badpix.exposures.epochs`), in the order of time, and then `left_out` and `refused` have such
    places beside detectors.
    """

    detectors: dict = field(default_factory=dict)
    left_out: dict = field(default_factory=dict)
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


def own_problem(kind, files, facts, detectors, min_groups):
    """Why this exposure cannot be used, whatever the others are; None if it can. `facts` maps product to facts."""
    for product, fact in facts.items():
        if fact["problem"]:
            return f"{product} file: {fact['problem']}"
        if MAIN_EXTENSION[product] not in fact["extensions"]:
            present = ", ".join(filter(None, fact["extensions"])) or "none"
            return f"{product} file: no {MAIN_EXTENSION[product]} extension (it has {present})"
    keywords = _keywords(facts)
    return (
        _keyword_problem(kind, keywords, detectors, min_groups)
        or _mixed_files(facts)
        or _problem_of_a_product(kind, facts, detectors, min_groups)
        or next(filter(None, (_raw_problem(facts[p], p) for p in ("uncal", "flux_check") if p in facts)), None)
        or _missing_files(kind, files, detectors[keywords["DETECTOR"]])
    )


def _problem_of_a_product(kind, facts, detectors, min_groups):
    """What is wrong with the header of any further file whose header is used; that of fitopt is not."""
    judged = _judged(facts)
    for product, fact in facts.items():
        if product not in (judged, "fitopt") and (
            problem := _keyword_problem(kind, fact["keywords"], detectors, min_groups)
        ):
            return f"{product} file: {problem}"
    return None


def _mixed_files(facts):
    """How the files given as one exposure show that they are of several."""
    if len(facts) == 1:
        return None
    for key in OF_ONE_EXPOSURE:
        values = {product: fact["keywords"][key] for product, fact in facts.items() if key in fact["keywords"]}
        if len(set(values.values())) > 1:
            said = ", ".join(f"{value!r} in the {product} file" for product, value in values.items())
            return f"its files are not of one exposure: {key} is {said}"
    return None


def _keyword_problem(kind, keywords, detectors, min_groups):
    if missing := [key for key in REQUIRED if key not in keywords]:
        return f"the primary header lacks {', '.join(missing)}"
    detector = detectors.get(keywords["DETECTOR"])
    if detector is None:
        return f"DETECTOR is {keywords['DETECTOR']!r}, which is none of JWST's: {', '.join(sorted(detectors))}"
    if keywords["INSTRUME"] != detector.instrument:
        return f"INSTRUME is {keywords['INSTRUME']!r}, but {detector.name} is a detector of {detector.instrument}"
    allowed = detector.dark_exp_types if kind == "darks" else detector.flat_exp_types
    if keywords["EXP_TYPE"] not in allowed:
        return f"EXP_TYPE is {keywords['EXP_TYPE']!r}; {kind} of {detector.name} are {' or '.join(allowed)}"
    for key, types in POSITIVE.items():
        value = keywords[key]
        if not isinstance(value, types) or isinstance(value, bool) or value <= 0:
            return f"{key} is {value!r}, not a positive {'number' if float in types else 'integer'}"
    if keywords["NGROUPS"] < min_groups:
        return f"NGROUPS is {keywords['NGROUPS']}, fewer than min_groups = {min_groups}"
    for key, value in (("FASTAXIS", detector.fast_axis), ("SLOWAXIS", detector.slow_axis)):
        if keywords[key] != value:
            return f"{key} is {keywords[key]!r}, but that of {detector.name} is {value}"
    try:
        datetime.datetime.fromisoformat(f"{keywords['DATE-OBS']}T{keywords['TIME-OBS']}")
    except ValueError:
        return f"DATE-OBS and TIME-OBS are {keywords['DATE-OBS']!r} and {keywords['TIME-OBS']!r}, no date and time"
    return None


def _raw_problem(fact, product):
    """What is wrong with the array of a raw file; `product` says which."""
    keywords, shape = fact["keywords"], fact["extensions"]["SCI"]
    said = [keywords[key] for key in ("NGROUPS", "SUBSIZE2", "SUBSIZE1")]
    if irs2.is_irs2(keywords["READPATT"]):
        if problem := irs2.problem(keywords):
            return problem
        expected = [said[0], irs2.RAW_ROWS, said[2]]
        if said[1] != irs2.ROWS or shape[1:] != expected:
            return (
                f"SCI of the {product} file has shape {shape}, but a raw file of READPATT {keywords['READPATT']} has "
                f"NGROUPS, {irs2.RAW_ROWS} rows for SUBSIZE2 = {irs2.ROWS}, SUBSIZE1, and the header says {said}"
            )
    elif shape[1:] != said:
        return f"SCI of the {product} file has shape {shape}, but NGROUPS, SUBSIZE2, SUBSIZE1 say {said}"
    # A segment of an exposure holds some of its integrations.
    if "EXSEGNUM" not in keywords and shape[0] != keywords["NINTS"]:
        return f"SCI of the {product} file has {shape[0]} integrations, but NINTS is {keywords['NINTS']}"
    if fact["bitpix"]["SCI"] != RAW_BITPIX:
        return f"SCI of the {product} file has BITPIX {fact['bitpix']['SCI']}, raw data have {RAW_BITPIX}"
    return None


def _segment_problem(name, keywords):
    """Why a segment would be taken for a whole exposure, with a vote of its own; None if it is not."""
    if keywords.get("EXSEGTOT", 1) != 1 and segment_of(name) is None:
        number = keywords.get("EXSEGNUM", 1)
        return (
            f"it is segment {number} of an exposure (EXSEGTOT is {keywords['EXSEGTOT']}), but its name does not say so;"
            f" end it in -seg{number:>03}"
        )
    return None


def _missing_files(kind, files, detector):
    missing = [product for product in PRODUCTS_NEEDED[kind] if product not in files]
    if "uncal" not in files and missing:
        return f"has no {' and no '.join(missing)} file, and no uncal file to make it from"
    if kind == "darks" and detector.relative_pedestal and "uncal" not in files:
        return f"darks of {detector.instrument} need their uncal file too, for the relative pedestal (dark_uncal_files)"
    return None


def _judged(facts):
    """The product whose header speaks for the exposure."""
    return next(product for product in HEADER_OF if product in facts)


def _keywords(facts):
    return facts[_judged(facts)]["keywords"]


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


def _name_problem(name, paths):
    """Why the workflow cannot handle files of these `paths`, or call others after the exposure `name`."""
    if not name or not name.isprintable():
        return f"its name {name!r} is empty or has characters that cannot be printed; rename the file"
    # Temporary files have the name in ASCII, which may be longer.
    if (length := max(len(name.encode(errors="replace")), len(card_text(name)))) > MAX_NAME_BYTES:
        return f"its name has {length} bytes, more than {MAX_NAME_BYTES}; rename the file"
    if odd := [path for path in paths if "{" in path or "}" in path]:
        return f"the path {odd[0]!r} has braces, which Snakemake would take for wildcards; rename it"
    return None


def take_inventory(files, facts_of, detectors, config):
    """Sort all input files into an Inventory.

    `files` is what `match_inputs` gives, `facts_of(path)` the facts of a file, `detectors` maps name to Detector,
    `config` has detectors and min_groups. Raises InventoryError when nothing at all can be used.
    """
    good, nowhere = [], {}
    for kind, exposures in files.items():
        for name, paths in exposures.items():
            facts = {product: facts_of(path) for product, path in paths.items()}
            problem = (
                _name_problem(name, paths.values())
                or own_problem(kind, paths, facts, detectors, config["min_groups"])
                or _segment_problem(name, _keywords(facts))
            )
            if problem:
                nowhere[name] = problem
            else:
                good.append(Exposure(name, kind, paths, _keywords(facts)))
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
        inventory.left_out[detector] = dict(sorted((nowhere | odd).items()))
        inventory.detectors[detector] = {
            kind: {e.name: e for e in own if e.kind == kind and e.name not in odd} for kind in PRODUCTS_NEEDED
        }
    return inventory


def shortage(place, kinds, left_out, configured, config):
    """Why no mask can be made of the exposures `kinds` (kind -> name -> Exposure) at `place`; None if one can.

    `left_out` maps exposures left out to the reason, `configured` are the kinds that must be there.
    """
    for kind in configured:
        minimum, number = config[f"min_{kind}"], len(by_exposure(kinds[kind]))
        if number < minimum:
            reasons = "".join(f"\n  {name}: {why}" for name, why in left_out.items())
            return f"{place}: no mask, because {number} usable {kind} remain and min_{kind} is {minimum}." + (
                f" Left out:{reasons}" if reasons else ""
            )
    return None


def refuse_incomplete(inventory, configured, config):
    """Move the detectors of which too few exposures remain of a kind that is `configured` to those refused.

    Raises InventoryError when no detector is left.
    """
    for detector, kinds in list(inventory.detectors.items()):
        if reason := shortage(detector, kinds, inventory.left_out[detector], configured, config):
            inventory.refused[detector] = reason
            del inventory.detectors[detector]
    if not inventory.detectors:
        raise InventoryError("\n".join(inventory.refused.values()))
