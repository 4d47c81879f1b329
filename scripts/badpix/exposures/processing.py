"""Products that were made elsewhere: their processing compared with the configured parameters of the steps."""

from collections.abc import Iterable, Mapping
from typing import Any

from badpix.exposures.header_walk import HeaderInfo

# Keywords of steps that take the signal of bad pixels out of exposures, with what they subtract.
SUBTRACTED = {"S_DARK": "the dark current, with the hot pixels", "S_PERSIS": "persistence"}
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
ADVICE = "give the uncal file instead, or set other_processing: use"


def differences(kind: str, headers: Mapping[str, HeaderInfo], steps: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What was done otherwise in the products of an exposure than the configuration asks for.

    Parameters
    ----------
    kind : str
        darks or flats. The jumps of flats are not counted, so that their parameters do not matter.
    headers : mapping
        Product -> header information of its file.
    steps : mapping
        The value of the configuration key detector1_dark or detector1_flat: step -> parameter -> value.
    """
    found: dict[str, None] = {}
    for product, header in headers.items():
        if product not in PRODUCTS:
            continue
        keywords = header["keywords"]
        for key, signal in SUBTRACTED.items():
            if keywords.get(key) == "COMPLETE":
                found[f"{key} of the {product} file is COMPLETE: it subtracts {signal}"] = None
        for step, parameters in (header.get("steps") or {}).items():
            if kind == "flats" and step == "jump":
                continue
            wanted = PIPELINE_DEFAULTS[step] | {**steps.get(step, {})}
            for name, text in parameters.items():
                if not _agree(text, wanted[name]) and _matters(name, text, wanted[name], keywords):
                    value = str(wanted[name]).lower()
                    found[f"{step}.{name} was {text.lower()}, detector1_{kind.removesuffix('s')} has {value}"] = None
    return list(found)


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


def is_recorded(headers: Mapping[str, HeaderInfo]) -> bool:
    """False if the products of an exposure have no record of the parameters of their steps."""
    return all(header.get("steps") for product, header in headers.items() if product in PRODUCTS)


def processing_notices(kind: str, found: Mapping[str, Iterable[str]], unrecorded: int) -> list[str]:
    """The sentences on the products of a kind: `found` maps exposures to their `differences`, all of them used.

    `unrecorded` is the number of exposures whose products have no record of their parameters.
    """
    of_text: dict[str, int] = {}
    for texts in found.values():
        for text in texts:
            of_text[text] = of_text.get(text, 0) + 1
    lines = [f"{number} {kind} were processed otherwise: {text}" for text, number in of_text.items()]
    if unrecorded:
        lines.append(
            f"the products of {unrecorded} {kind} have no record of the parameters of the pipeline's steps: grown"
            " saturation, jump flags of neighbours and the threshold of jumps cannot be checked"
        )
    return lines
