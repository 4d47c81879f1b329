"""Check configured parameters of the steps of calwebb_detector1 against the steps' own specifications."""

from badpix.config.schema import TYPES
from badpix.core.wording import show, suggestion

# Steps without which there is nothing to measure.
NEVER_SKIPPED = {
    "detector1_dark": ("dq_init", "saturation", "jump", "ramp_fit"),
    "detector1_flat": ("dq_init", "saturation", "ramp_fit"),
}
# Parameters of any step that the workflow keeps for itself, and why. All that begin with `save_` are refused as well.
NAMES_FILES = "the workflow names and writes the files itself"
RUNS_CODE = "a hook would run code from the configuration"
EARLIER_VERDICT = "the pixels that an earlier mask rejects could never be measured again"
REFUSED = {
    **dict.fromkeys(
        ("output_dir", "output_file", "output_ext", "output_use_model", "output_use_index", "search_output_file",
         "input_dir", "suffix", "opt_name", "int_name", "dark_output"),
        NAMES_FILES,
    ),
    "pre_hooks": RUNS_CODE,
    "post_hooks": RUNS_CODE,
    "override_mask": f"the workflow gives a mask of the reference pixels only, because {EARLIER_VERDICT}",
    "user_supplied_dq": EARLIER_VERDICT,
    "maximum_cores": "Snakemake gives out the cores; a job has one",
}  # fmt: skip

# Kind of specification -> type of the value; lists have a type of item.
SCALARS = {
    "integer": "integer",
    "float": "number",
    "boolean": "boolean",
    "string": "string",
    "option": "string",
    "is_string_or_datamodel": "string",
}
LISTS = {"int_list": "integer", "float_list": "number", "string_list": "string"}
# Kinds whose limits configobj checks; the others have none.
LIMITED = {"integer", "float", "option", *LISTS}


def step_problems(key, steps, steps_spec):
    """What is wrong with `steps` (step -> parameter -> value) given as configuration `key`, one line each.

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


def _problem(key, step, name, value, specs):
    """Why this parameter is refused, or None."""
    if name not in specs:
        return f"the step has no such parameter{suggestion(name, specs)}"
    if name in REFUSED or name.startswith("save_"):
        return f"cannot be set; {REFUSED.get(name, NAMES_FILES)}"
    if not satisfies(value, specs[name]):
        return f"{show(value)} is not allowed; the step asks for {specs[name]}"
    if name == "skip" and value and step in NEVER_SKIPPED[key]:
        return "true is not allowed; the step is needed"
    if (key, step, name, value) == ("detector1_dark", "ramp_fit", "algorithm", "LIKELY"):
        return "'LIKELY' is not allowed for darks; it writes no fitopt file, which they need. Allowed: OLS_C"
    return None


def satisfies(value, spec):
    """True when `value` has the type and lies in the range of the configobj specification `spec`.

    Stricter than configobj, which takes the text '5' for a number and true for 1.
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
