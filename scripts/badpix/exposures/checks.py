"""Checks of the files of an exposure, from their names and headers alone."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from badpix.core.files import card_text
from badpix.core.paths import path_problem, shown
from badpix.exposures.header_walk import HeaderInfo, Keywords
from badpix.exposures.keyword_checks import array_problem, number_problem, text_problem
from badpix.exposures.segment_checks import segment_key_problem
from badpix.instrument import irs2
from badpix.instrument.detectors import Detector
from badpix.instrument.exp_types import types_of
from badpix.instrument.segments import integrations

PRODUCTS_NEEDED = {"darks": ("rateints", "jump", "fitopt"), "flats": ("rateints",)}
# The keywords of an exposure are those of its least processed file: products by preference.
HEADER_OF = ("uncal", "jump", "rateints", "fitopt", "flux_check")
REQUIRED = (
    "INSTRUME",
    "DETECTOR", "EXP_TYPE", "SUBARRAY", "SUBSIZE1", "SUBSIZE2", "SUBSTRT1", "SUBSTRT2", "FASTAXIS", "SLOWAXIS", "NINTS",
    "NGROUPS", "NFRAMES", "TFRAME", "TGROUP", "READPATT", "DATE-OBS", "TIME-OBS",
)  # fmt: skip
# Raw ramps are 16-bit integers.
RAW_BITPIX = 16
# Keywords with the same value in all files of an exposure; the times distinguish exposures.
MUST_AGREE = (
    "DETECTOR", "INSTRUME", "EXP_TYPE", "DATE-OBS", "TIME-OBS", "EXPSTART", "EXSEGNUM", "EXSEGTOT", "INTSTART",
    "INTEND", "READPATT", "SUBARRAY", "SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2", "FASTAXIS", "SLOWAXIS", "NINTS",
    "NGROUPS", "NFRAMES", "TFRAME", "TGROUP",
)  # fmt: skip
# A file name may have 255 bytes; the products add a suffix and, while they are written, a prefix.
MAX_NAME_BYTES = 200
# In TEMPLATE of exposures during which the readout electronics are adjusted: their noise and level are not those of
# the detector in use. The monitor of STScI (JWQL) leaves them out too.
TUNING = "ASIC TUNING"
MAIN_EXTENSION = {"uncal": "SCI", "jump": "SCI", "rateints": "SCI", "fitopt": "PEDESTAL", "flux_check": "SCI"}


def own_problem(
    kind: str,
    files: Collection[str],
    headers: Mapping[str, HeaderInfo],
    detectors: Mapping[str, Detector],
    min_groups: int,
) -> str | None:
    """The reason why an exposure cannot be used, independent of the remaining exposures.

    Parameters
    ----------
    kind : str
        `darks` or `flats`.
    files : collection of str
        The products of the exposure that are given.
    headers : mapping
        Product -> header information of its file.
    detectors : mapping
        Name of a detector -> Detector.
    min_groups : int
        The least allowed NGROUPS.

    Returns
    -------
    str or None
        The reason; None if the exposure can be used.
    """
    for product, header in headers.items():
        if header["problem"]:
            return f"{product} file: {header['problem']}"
        if MAIN_EXTENSION[product] not in header["extensions"]:
            present = ", ".join(filter(None, header["extensions"])) or "none"
            return f"{product} file: no {MAIN_EXTENSION[product]} extension (it has {present})"
    keywords = keywords_of(headers)
    return (
        keyword_problem(kind, keywords, detectors, min_groups)
        or _mixed_files(headers)
        or _product_problem(kind, headers, detectors, min_groups)
        or _rate_problem(headers)
        or next(filter(None, (_raw_problem(headers[p], p) for p in ("uncal", "flux_check") if p in headers)), None)
        or _missing_files(kind, files, detectors[keywords["DETECTOR"]])
    )


def _product_problem(
    kind: str, headers: Mapping[str, HeaderInfo], detectors: Mapping[str, Detector], min_groups: int
) -> str | None:
    """The problem of a file beside the main product; the keywords of fitopt are not used."""
    main = _main_product(headers)
    for product, header in headers.items():
        if product not in (main, "fitopt") and (
            problem := keyword_problem(kind, header["keywords"], detectors, min_groups)
        ):
            return f"{product} file: {problem}"
    return None


def _rate_problem(headers: Mapping[str, HeaderInfo]) -> str | None:
    """The problem of an array given as rateints: an image must be of an exposure of one integration."""
    if (header := headers.get("rateints")) is None:
        return None
    if (axes := len(header["extensions"]["SCI"])) > 3:
        return (
            f"SCI of the rateints file has {axes} axes: it holds ramps, such as a product of calwebb_dark; give the"
            " uncal file instead"
        )
    if axes != 2:
        return None
    # A file whose NINTS is no count has been refused before.
    if (n_integrations := header["keywords"].get("NINTS", 1)) == 1:
        return None
    return f"the rate file averages {n_integrations} integrations (NINTS); give the rateints file instead"


def _mixed_files(headers: Mapping[str, HeaderInfo]) -> str | None:
    """The first keyword of MUST_AGREE in which the files of an exposure differ, with its values."""
    if len(headers) == 1:
        return None
    for key in MUST_AGREE:
        values = {product: header["keywords"][key] for product, header in headers.items() if key in header["keywords"]}
        if len(set(values.values())) > 1:
            differing = ", ".join(f"{value!r} in the {product} file" for product, value in values.items())
            return f"its files are not of one exposure: {key} is {differing}"
    return None


def keyword_problem(kind: str, keywords: Keywords, detectors: Mapping[str, Detector], min_groups: int) -> str | None:
    """The reason why the keywords of an exposure make it unusable as a `kind`; parameters as of `own_problem`."""
    if missing := [key for key in REQUIRED if key not in keywords]:
        return f"the primary header lacks {', '.join(missing)}"
    if problem := text_problem(keywords):
        return problem
    detector = detectors.get(keywords["DETECTOR"])
    if detector is None:
        return f"DETECTOR is {keywords['DETECTOR']!r}, not a detector of JWST: {', '.join(sorted(detectors))}"
    if keywords["INSTRUME"] != detector.instrument:
        return f"INSTRUME is {keywords['INSTRUME']!r}, but {detector.name} is a detector of {detector.instrument}"
    if TUNING in str(keywords.get("TEMPLATE", "")).upper():
        return f"TEMPLATE is {keywords['TEMPLATE']!r}: the readout electronics were being adjusted"
    if problem := _type_problem(kind, keywords["EXP_TYPE"], detector):
        return problem
    if problem := number_problem(keywords) or segment_key_problem(keywords) or array_problem(keywords, detector):
        return problem
    if keywords["NGROUPS"] < min_groups:
        return f"NGROUPS is {keywords['NGROUPS']}, fewer than min_groups = {min_groups}"
    for key, axis in (("FASTAXIS", detector.fast_axis), ("SLOWAXIS", detector.slow_axis)):
        if keywords[key] != axis:
            return f"{key} is {keywords[key]!r}, but {detector.name} has {axis}"
    return None


def _type_problem(kind: str, exp_type: str, detector: Detector) -> str | None:
    """The problem of an EXP_TYPE that `detector` does not have among its types of `kind`."""
    allowed = detector.dark_exp_types if kind == "darks" else detector.flat_exp_types
    if exp_type in allowed:
        return None
    advice = f"; to use it, set {kind.removesuffix('s')}_exp_types" if exp_type in types_of(kind) else ""
    return f"EXP_TYPE is {exp_type!r}; {kind} of {detector.name} are {' or '.join(allowed)}{advice}"


def _raw_problem(header: HeaderInfo, product: str) -> str | None:
    """The problem of the array (integration, group, y, x) of a raw file, which is given as `product`."""
    keywords, shape = header["keywords"], header["extensions"]["SCI"]
    if keywords.get("S_DQINIT") == "COMPLETE":
        return f"the {product} file is a product of the pipeline (S_DQINIT is COMPLETE), not raw; give the uncal file"
    in_header = [keywords[key] for key in ("NGROUPS", "SUBSIZE2", "SUBSIZE1")]
    if irs2.is_irs2(keywords["READPATT"]):
        if problem := irs2.problem(keywords):
            return problem
        expected = [in_header[0], irs2.RAW_ROWS, in_header[2]]
        if in_header[1] != irs2.ROWS or shape[1:] != expected:
            return (
                f"SCI of the {product} file has shape {shape}, but a raw file of READPATT {keywords['READPATT']} has "
                f"NGROUPS, {irs2.RAW_ROWS} rows for SUBSIZE2 = {irs2.ROWS}, SUBSIZE1; the header has {in_header}"
            )
    elif shape[1:] != in_header:
        return f"SCI of the {product} file has shape {shape}, but NGROUPS, SUBSIZE2, SUBSIZE1 are {in_header}"
    if shape[0] != (announced := integrations(keywords)):
        source = f"NINTS is {announced}" if announced == keywords["NINTS"] else f"its segment has {announced}"
        return f"SCI of the {product} file has {shape[0]} integrations, but {source}"
    if header["bitpix"]["SCI"] != RAW_BITPIX:
        return f"SCI of the {product} file has BITPIX {header['bitpix']['SCI']}, raw data have {RAW_BITPIX}"
    return None


def _missing_files(kind: str, files: Collection[str], detector: Detector) -> str | None:
    missing = [product for product in PRODUCTS_NEEDED[kind] if product not in files]
    if "uncal" not in files and missing:
        return f"has no {' and no '.join(missing)} file, and no uncal file to make it from"
    if kind == "darks" and detector.relative_pedestal and "uncal" not in files:
        return f"darks of {detector.instrument} need their uncal file too, for the relative pedestal (dark_uncal_files)"
    return None


def _main_product(headers: Mapping[str, HeaderInfo]) -> str:
    """The product whose header gives the keywords of the exposure."""
    return next(product for product in HEADER_OF if product in headers)


def keywords_of(headers: Mapping[str, HeaderInfo]) -> dict[str, Any]:
    """The header keywords of the exposure whose files have these `headers` (product -> header information)."""
    return headers[_main_product(headers)]["keywords"]


def alike_names(names: Iterable[str]) -> dict[str, str]:
    """Reasons (name -> reason) of the names whose products would be the same file.

    Temporary files have the names in ASCII, and some file systems ignore case.
    """
    same: dict[str, list[str]] = {}
    for name in names:
        same.setdefault(card_text(name.casefold()), []).append(name)
    return {
        name: f"its products could be the same files as of {', '.join(shown(n) for n in group if n != name)}, which"
        " differs in case or in characters that are not ASCII only; rename the files"
        for group in same.values()
        if len(group) > 1
        for name in group
    }


def name_problem(name: str, paths: Iterable[str]) -> str | None:
    """The reason why the workflow cannot read files of these `paths`, or write files named after the exposure `name`.

    None if it can.
    """
    if not name or not name.isprintable():
        return f"its name {name!r} is empty or has characters that cannot be printed; rename the file"
    # Temporary files have the name in ASCII, which may be longer.
    if (length := max(len(name.encode(errors="replace")), len(card_text(name)))) > MAX_NAME_BYTES:
        return f"its name has {length} bytes, more than {MAX_NAME_BYTES}; rename the file"
    for path in paths:
        if problem := path_problem(path):
            return f"the path {shown(path)!r} {problem}; rename it"
    return None
