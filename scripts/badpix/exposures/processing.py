"""Products that were made elsewhere: their processing compared with the configured parameters of the steps."""

from collections.abc import Iterable, Mapping
from typing import Any

from badpix.core.wording import counted
from badpix.exposures.header_walk import HeaderInfo
from badpix.exposures.step_parameters import RECORDED
from badpix.instrument.detectors import Detector

# Keywords of steps that take the signal of bad pixels out of exposures, with what they subtract.
SUBTRACTED = {"S_DARK": "the dark current, with the hot pixels", "S_PERSIS": "persistence"}
# Steps that run or not as configured: step -> its keyword, keyword of its reference file, default of `skip`.
STEPS = {
    "superbias": ("S_SUPERB", "R_SUPERB", False),
    "refpix": ("S_REFPIX", "R_REFPIX", False),
    "linearity": ("S_LINEAR", "R_LINEAR", False),
    "clean_flicker_noise": ("S_CLNFNS", "", True),
}
STEP_KEYWORDS = tuple(key for first, second, _ in STEPS.values() for key in (first, second) if key)
# The pipeline's defaults of the parameters that are compared, where the configuration has no value.
PIPELINE_DEFAULTS: dict[str, dict[str, float | bool]] = {
    "saturation": {"n_pix_grow_sat": 1},
    "jump": {
        "rejection_threshold": 4.0, "flag_4_neighbors": True, "expand_large_events": False, "find_showers": False,
        "min_diffs_single_pass": 10, "after_jump_flag_dn1": 0.0, "after_jump_flag_time1": 0.0,
        "after_jump_flag_dn2": 0.0, "after_jump_flag_time2": 0.0,
    },
}  # fmt: skip
# Groups of MIRI that may be DO_NOT_USE: the last one, and the first ones by reset and RSCD.
UNUSABLE_MIRI_GROUPS = 6
PRODUCTS = ("rateints", "jump", "fitopt")


def advice(files: Iterable[str]) -> str:
    """What can be done about products made otherwise; `files` are the products of an exposure, with uncal if given."""
    if "uncal" in files:
        return "leave the products out and give the uncal file, or set other_processing: use"
    return "give the uncal file instead, or set other_processing: use"


def differences(
    kind: str,
    headers: Mapping[str, HeaderInfo],
    steps: Mapping[str, Mapping[str, Any]],
    detector: Detector,
) -> list[str]:
    """What was done otherwise in the products of an exposure than the configuration asks for.

    Parameters
    ----------
    kind : str
        darks or flats. The jumps of flats are not counted, so that their parameters do not matter.
    headers : mapping
        Product -> header information of its file.
    steps : mapping
        The value of the configuration key detector1_dark or detector1_flat: step -> parameter -> value.
    detector : Detector
        The detector of the exposure. A step that the pipeline leaves out for its array is no difference.
    """
    key_of_kind = f"detector1_{kind.removesuffix('s')}"
    found: dict[str, None] = {}
    for product, header in headers.items():
        if product not in PRODUCTS:
            continue
        keywords = header["keywords"]
        for key, signal in SUBTRACTED.items():
            if keywords.get(key) == "COMPLETE":
                found[f"{key} of the {product} file is COMPLETE: it subtracts {signal}"] = None
        for step, (key, reference, skip) in STEPS.items():
            is_run = not steps.get(step, {}).get("skip", skip)
            state = keywords.get(key)
            if state == "COMPLETE" and not is_run:
                found[f"{key} of the {product} file is COMPLETE, {key_of_kind} leaves {step} out"] = None
            elif (
                state == "SKIPPED"
                and is_run
                and not _has_no_reference(keywords, reference)
                and _is_possible(step, keywords, detector)
            ):
                found[f"{key} of the {product} file is SKIPPED, {key_of_kind} runs {step}"] = None
        for step, parameters in (header.get("steps") or {}).items():
            if kind == "flats" and step == "jump":
                continue
            wanted = PIPELINE_DEFAULTS[step] | {**steps.get(step, {})}
            for name, text in parameters.items():
                if not _agree(text, wanted[name]) and _matters(name, text, wanted[name], keywords):
                    value = str(wanted[name]).lower()
                    found[f"{step}.{name} was {text.lower()}, {key_of_kind} has {value}"] = None
    return list(found)


def _is_possible(step: str, keywords: Mapping[str, Any], detector: Detector) -> bool:
    """True if calwebb_detector1 (jwst 3.0.0) runs this step of STEPS for an array with these keywords."""
    if step == "superbias":
        return detector.instrument != "MIRI"
    if step != "refpix":
        return True
    columns, rows = keywords["SUBSIZE1"], keywords["SUBSIZE2"]
    if detector.instrument == "MIRI":
        return (columns, rows) == (detector.n_columns, detector.n_rows)
    border = detector.reference_pixels
    x, y = keywords["SUBSTRT1"] - 1, keywords["SUBSTRT2"] - 1
    has_reference_pixels = (
        x < border.left
        or y < border.bottom
        or x + columns > detector.n_columns - border.right
        or y + rows > detector.n_rows - border.top
    )
    return has_reference_pixels and keywords["SUBARRAY"] not in detector.edgeless_subarrays


def _has_no_reference(keywords: Mapping[str, Any], reference: str) -> bool:
    """True if CRDS had no reference file for a step, whose keyword is `reference`: then no configuration runs it."""
    return keywords.get(reference) == "N/A"


def skipped_without_reference(keywords: Mapping[str, Any]) -> list[str]:
    """The steps of STEPS that were skipped because CRDS had no reference file, from the header of a product."""
    return [
        step
        for step, (key, reference, _) in STEPS.items()
        if keywords.get(key) == "SKIPPED" and _has_no_reference(keywords, reference)
    ]


def _agree(text: str, wanted: object) -> bool:
    """True if the recorded `text` is the value `wanted` (number or boolean)."""
    if isinstance(wanted, bool):
        return text.strip().lower() == str(wanted).lower()
    try:
        return float(text) == float(wanted)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False


def _matters(name: str, text: str, wanted: Any, keywords: Mapping[str, Any]) -> bool:
    """False for the limit between two methods of the jump step, if the ramps are longer than both values."""
    if name != "min_diffs_single_pass":
        return True
    unusable = UNUSABLE_MIRI_GROUPS if keywords.get("INSTRUME") == "MIRI" else 0
    try:
        return keywords["NGROUPS"] - 1 - unusable < max(float(text), wanted)
    except (KeyError, ValueError, TypeError):
        return True


def is_recorded(kind: str, headers: Mapping[str, HeaderInfo]) -> bool:
    """False if the products of an exposure have no record of the parameters of a step.

    The jumps of flats (`kind`) are not counted, so that their parameters do not matter.
    """
    needed = RECORDED.keys() - ({"jump"} if kind == "flats" else set())
    return all(needed <= (header.get("steps") or {}).keys() for name, header in headers.items() if name in PRODUCTS)


def processing_notices(kind: str, found: Mapping[str, Iterable[str]], unrecorded: int) -> list[str]:
    """The sentences on the products of a kind: `found` maps exposures to their `differences`, all of them used.

    `unrecorded` is the number of exposures whose products have no record of their parameters.
    """
    of_text: dict[str, int] = {}
    for texts in found.values():
        for text in texts:
            of_text[text] = of_text.get(text, 0) + 1
    lines = [
        f"{counted(number, kind)} {'was' if number == 1 else 'were'} processed with different settings: {text}"
        for text, number in of_text.items()
    ]
    if unrecorded:
        lines.append(
            f"the products of {counted(unrecorded, kind)} have no record of the parameters of the pipeline's steps:"
            " grown saturation, jump flags of neighbours and the threshold of jumps cannot be checked"
        )
    return lines
