"""Check configured parameters of the steps of calwebb_detector1 against the configobj specifications of the steps."""

from collections.abc import Mapping
from typing import Any

from badpix.config.schema import TYPES
from badpix.core.wording import show, suggestion

# Steps that the measurements need.
NEVER_SKIPPED = {
    "detector1_dark": ("dq_init", "saturation", "jump", "ramp_fit"),
    "detector1_flat": ("dq_init", "saturation", "ramp_fit"),
}
# Steps that take the signal of bad pixels out of darks, with what they subtract.
ALWAYS_SKIPPED = {
    "detector1_dark": {"dark_current": "the dark current, with the hot pixels", "persistence": "persistence"},
    "detector1_flat": {},
}
# Parameters of any step that only the workflow may set, with the reason. Names that begin with `save_` are refused too.
NAMES_FILES = "the workflow names and writes the files itself"
RUNS_CODE = "a hook would run code from the configuration"
EARLIER_MASK = "the pixels that an earlier mask flags as DO_NOT_USE could never be measured again"
REFUSED = {
    **dict.fromkeys(
        ("output_dir", "output_file", "output_ext", "output_use_model", "output_use_index", "search_output_file",
         "input_dir", "suffix", "opt_name", "int_name", "dark_output"),
        NAMES_FILES,
    ),
    "pre_hooks": RUNS_CODE,
    "post_hooks": RUNS_CODE,
    "override_mask": f"the workflow gives a mask of the reference pixels only, because {EARLIER_MASK}",
    "user_supplied_dq": EARLIER_MASK,
    "maximum_cores": "Snakemake assigns the cores of a job",
}  # fmt: skip

# Kind of a configobj specification -> type of the value, or of the items of a list.
SCALARS = {
    "integer": "integer",
    "float": "number",
    "boolean": "boolean",
    "string": "string",
    "option": "string",
    "is_string_or_datamodel": "string",
}
LISTS = {"int_list": "integer", "float_list": "number", "string_list": "string"}
# Kinds with limits, which configobj checks.
LIMITED = {"integer", "float", "option", *LISTS}


def step_problems(
    key: str, steps: Mapping[str, Mapping[str, Any]], steps_spec: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """The problems of `steps` (step -> parameter -> value), the value of configuration `key`, one line each.

    `steps_spec` maps step -> parameter -> configobj specification.
    """
    found = []
    for step, parameters in steps.items():
        if step not in steps_spec:
            known = suggestion(step, steps_spec) or f"; its steps: {', '.join(steps_spec)}"
            found.append(f"{key}.{step}: calwebb_detector1 has no such step{known}")
            continue
        for name, value in parameters.items():
            reason = _problem(key, step, name, value, steps_spec[step])
            if reason:
                found.append(f"{key}.{step}.{name}: {reason}")
    return found


def _problem(key: str, step: str, name: str, value: object, specs: Mapping[str, str]) -> str | None:
    """The reason why this parameter of a step is refused, or None; `specs` maps parameter -> specification."""
    if name not in specs:
        return f"the step has no such parameter{suggestion(name, specs)}"
    if name in REFUSED or name.startswith("save_"):
        return f"cannot be set; {REFUSED.get(name, NAMES_FILES)}"
    if not satisfies(value, specs[name]):
        return f"{show(value)} is not allowed; the step requires {specs[name]}"
    if name == "skip" and value and step in NEVER_SKIPPED[key]:
        return "true is not allowed; the step is needed"
    if name == "skip" and not value and step in ALWAYS_SKIPPED[key]:
        return f"false is not allowed for darks; the step would subtract {ALWAYS_SKIPPED[key][step]}. Allowed: true"
    if (key, step, name, value) == ("detector1_dark", "ramp_fit", "algorithm", "LIKELY"):
        return "'LIKELY' is not allowed for darks; it writes no fitopt file, which darks need. Allowed: OLS_C"
    return None


def satisfies(value: object, spec: str) -> bool:
    """True when `value` has the type and lies in the range of the configobj specification `spec`.

    Stricter than configobj, which accepts the text '5' as a number and true as 1.
    """
    from configobj.validate import ValidateError, Validator

    validator = Validator()
    kind, _, arguments = spec.partition("(")
    kind = kind.strip()
    if value is None:
        options = arguments.partition("default")[0].replace(" ", "").split(",") if kind == "option" else ()
        return validator.get_default_value(spec) is None or "None" in options
    if kind in SCALARS:
        if not TYPES.is_type(value, SCALARS[kind]):
            return False
    elif not isinstance(value, list) or not all(TYPES.is_type(item, LISTS[kind]) for item in value):
        return False
    if kind not in LIMITED:
        return True
    try:
        return validator.check(spec, value) is not None
    except ValidateError:
        return False
