"""The exposures of the science check: which of the given files can be used by their headers, and why not the others."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from badpix.core.paths import shown
from badpix.exposures.checks import keyword_problem, name_problem, own_problem
from badpix.exposures.find import find_files
from badpix.exposures.header_walk import HeaderInfo, Keywords
from badpix.exposures.inventory import Exposure
from badpix.exposures.keyword_checks import date_problem
from badpix.exposures.segment_checks import segment_number, segment_problem
from badpix.instrument.detectors import Detector
from badpix.instrument.exp_types import DARK, LAMP, LIGHT_OF, SKY
from badpix.instrument.segments import exposure_of

KEY = "science_check.exposures"
RAW = "uncal"
# In order of preference: raw files are processed without a mask, so that no pixel is missing.
PRODUCTS = (RAW, "rateints", "rate", "calints", "cal")
_NAME = re.compile(rf"(?P<name>.+)_(?P<product>{'|'.join(PRODUCTS)})\.fits(\.gz)?$")
# Keywords of the array of raw exposures, which share the reference-pixel mask of the detector.
ARRAY = ("SUBARRAY", "SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2")


@dataclass
class CheckExposures:
    """`usable`: detector -> name -> Exposure with a single file, raw or rates. `left_out`: name -> reason."""

    usable: dict[str, dict[str, Exposure]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def raw(self, detector: str, kind: str) -> dict[str, Exposure]:
        """The raw exposures of a `detector` that are processed as `kind` (darks, flats): name -> Exposure."""
        found = self.usable.get(detector, {})
        return {name: one for name, one in found.items() if one.kind == kind and RAW in one.files}


def take_check_exposures(
    setting: object,
    header_info_of: Callable[[str], HeaderInfo],
    detectors: Mapping[str, Detector],
    config: Mapping[str, Any],
) -> CheckExposures:
    """The CheckExposures of `setting`, the value of the key; `config` has min_groups and pedigree.

    InputError if a named file or folder does not exist.
    """
    found = CheckExposures()
    files: dict[str, dict[str, str]] = {}
    for path in find_files(KEY, setting, PRODUCTS):  # type: ignore[arg-type]
        match = _NAME.match(Path(path).name)
        if match is None:
            found.left_out[shown(Path(path).name)] = f"its name does not end in _{', _'.join(PRODUCTS)}"
        else:
            files.setdefault(match["name"], {})[match["product"]] = path
    first: dict[tuple, str] = {}
    for name, products in files.items():
        product = next(product for product in PRODUCTS if product in products)
        header = header_info_of(products[product])
        problem = name_problem(name, [products[product]]) or _problem(product, header, detectors, config)
        if not problem:
            keywords = header["keywords"]
            problem = segment_problem(name, keywords) or date_problem(keywords, config["pedigree"])
        if not problem:
            same = first.setdefault(_identity(keywords), name)
            problem = None if same == name else f"it is the same exposure as {same}: DATE-OBS and TIME-OBS are equal"
        if problem:
            found.left_out[shown(name)] = problem
        else:
            kind = "darks" if LIGHT_OF[keywords["EXP_TYPE"]] == DARK else "flats"
            exposure = Exposure(name, kind, {product: products[product]}, keywords)
            found.usable.setdefault(keywords["DETECTOR"], {})[name] = exposure
    return found


def _identity(keywords: Keywords) -> tuple:
    """A detector takes one exposure at a time."""
    return keywords["DETECTOR"], keywords["DATE-OBS"], keywords["TIME-OBS"], segment_number(keywords)


def _problem(
    product: str, header: HeaderInfo, detectors: Mapping[str, Detector], config: Mapping[str, Any]
) -> str | None:
    """The reason why a file cannot be used as `product`, from its header information."""
    if header["problem"]:
        return f"{product} file: {header['problem']}"
    keywords, extensions = header["keywords"], header["extensions"]
    exp_type = str(keywords.get("EXP_TYPE"))
    if (light := LIGHT_OF.get(exp_type)) not in (DARK, LAMP, SKY):
        reason = f"is of {light}" if light else "is unknown"
        return f"EXP_TYPE {exp_type} {reason}; the check needs darks, flats or images of the sky"
    kind = "darks" if light == DARK else "flats"
    # Any type of light will do, whatever the types of the darks and flats that vote.
    allowed = {
        name: replace(detector, dark_exp_types=(exp_type,), flat_exp_types=(exp_type,))
        for name, detector in detectors.items()
        if name == keywords.get("DETECTOR")
    }
    if product == RAW:
        return own_problem(kind, {RAW}, {RAW: header}, allowed or detectors, config["min_groups"])
    if problem := keyword_problem(kind, keywords, allowed or detectors, 1):
        return problem
    for name in ("SCI", "DQ"):
        if len(extensions.get(name, ())) not in (2, 3):
            return f"{product} file: {name} is no image of rates (axes: {len(extensions.get(name, ()))})"
    return None


def of_mask(
    found: CheckExposures, detector: str, voters: Iterable[Exposure], array: Mapping[str, Any], named: Collection[str]
) -> tuple[dict[str, Exposure], dict[str, str]]:
    """The exposures for the check of a mask of `detector`, and those left out with the reason.

    Parameters
    ----------
    found : CheckExposures
        The usable exposures.
    detector : str
        The detector of the mask.
    voters : iterable of Exposure
        The exposures of the mask.
    array : mapping
        The keywords of its array.
    named : collection of str
        Names of exposures that are inputs of the mask, whether they vote or are rejected.
    """
    used = {exposure_of(name) for name in named}
    times = {_identity(voter.keywords)[:3]: voter.name for voter in voters}
    kept, left_out = {}, dict(found.left_out)
    for of_detector, exposures in found.usable.items():
        for name, exposure in exposures.items():
            if of_detector != detector:
                left_out[name] = f"DETECTOR is {of_detector}, not {detector}"
            elif exposure_of(name) in used:
                left_out[name] = "it votes for the mask, so that it cannot test it"
            elif (same := times.get(_identity(exposure.keywords)[:3])) is not None:
                left_out[name] = f"it is the same exposure as {same}, which votes for the mask"
            elif RAW in exposure.files and (other := [key for key in ARRAY if exposure.keywords[key] != array[key]]):
                left_out[name] = (
                    f"{other[0]} is {exposure.keywords[other[0]]!r}, and {array[other[0]]!r} in the exposures of the"
                    " mask; give its rates in place of the raw file"
                )
            else:
                kept[name] = exposure
    return kept, dict(sorted(left_out.items()))
