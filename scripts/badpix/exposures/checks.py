"""Whether the files of one exposure can be used, from their names and headers alone."""

import datetime

from badpix.core.files import card_text
from badpix.instrument import irs2
from badpix.instrument.segments import segment_of

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
# A file name may have 255 bytes; the products add their own ending and, while they are written, a prefix.
MAX_NAME_BYTES = 200
MAIN_EXTENSION = {"uncal": "SCI", "jump": "SCI", "rateints": "SCI", "fitopt": "PEDESTAL", "flux_check": "SCI"}


def own_problem(kind, files, headers, detectors, min_groups):
    """Why this exposure cannot be used, whatever the others are; None if it can. `headers` maps product to headers."""
    for product, header in headers.items():
        if header["problem"]:
            return f"{product} file: {header['problem']}"
        if MAIN_EXTENSION[product] not in header["extensions"]:
            present = ", ".join(filter(None, header["extensions"])) or "none"
            return f"{product} file: no {MAIN_EXTENSION[product]} extension (it has {present})"
    keywords = keywords_of(headers)
    return (
        _keyword_problem(kind, keywords, detectors, min_groups)
        or _mixed_files(headers)
        or _problem_of_a_product(kind, headers, detectors, min_groups)
        or next(filter(None, (_raw_problem(headers[p], p) for p in ("uncal", "flux_check") if p in headers)), None)
        or _missing_files(kind, files, detectors[keywords["DETECTOR"]])
    )


def _problem_of_a_product(kind, headers, detectors, min_groups):
    """What is wrong with the header of any further file whose header is used; that of fitopt is not."""
    judged = _main_product(headers)
    for product, header in headers.items():
        if product not in (judged, "fitopt") and (
            problem := _keyword_problem(kind, header["keywords"], detectors, min_groups)
        ):
            return f"{product} file: {problem}"
    return None


def _mixed_files(headers):
    """How the files given as one exposure show that they are of several."""
    if len(headers) == 1:
        return None
    for key in OF_ONE_EXPOSURE:
        values = {product: header["keywords"][key] for product, header in headers.items() if key in header["keywords"]}
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


def _raw_problem(header, product):
    """What is wrong with the array of a raw file; `product` says which."""
    keywords, shape = header["keywords"], header["extensions"]["SCI"]
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
    if header["bitpix"]["SCI"] != RAW_BITPIX:
        return f"SCI of the {product} file has BITPIX {header['bitpix']['SCI']}, raw data have {RAW_BITPIX}"
    return None


def segment_problem(name, keywords):
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


def _main_product(headers):
    """The product whose header speaks for the exposure."""
    return next(product for product in HEADER_OF if product in headers)


def keywords_of(headers):
    """The header keywords of the exposure whose files have these `headers` (product -> headers)."""
    return headers[_main_product(headers)]["keywords"]


def name_problem(name, paths):
    """Why the workflow cannot handle files of these `paths`, or call others after the exposure `name`."""
    if not name or not name.isprintable():
        return f"its name {name!r} is empty or has characters that cannot be printed; rename the file"
    # Temporary files have the name in ASCII, which may be longer.
    if (length := max(len(name.encode(errors="replace")), len(card_text(name)))) > MAX_NAME_BYTES:
        return f"its name has {length} bytes, more than {MAX_NAME_BYTES}; rename the file"
    if odd := [path for path in paths if "{" in path or "}" in path]:
        return f"the path {odd[0]!r} has braces, which Snakemake would take for wildcards; rename it"
    return None
