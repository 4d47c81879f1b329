"""Parameters of the pipeline's steps that made a product: recorded in its extension ASDF, among the log (cal_logs).

The pipeline (jwst 1.17 and later, by its change log; tried with 3.0.0) keeps the log of a run in its products. The line
"Step <name> parameters are:" is followed by the parameters as YAML, after the references `pars-*` of CRDS and the
arguments of the run were applied.
"""

import re
from pathlib import Path
from typing import Any

# Parameters that change what is measured: step -> names.
RECORDED = {
    "saturation": ("n_pix_grow_sat",),
    "jump": (
        "rejection_threshold", "flag_4_neighbors", "expand_large_events", "find_showers", "min_diffs_single_pass",
        "after_jump_flag_dn1", "after_jump_flag_time1", "after_jump_flag_dn2", "after_jump_flag_time2",
    ),
}  # fmt: skip
# Step parameters in a log: class of the step or pipeline, and the YAML that follows.
_PARAMETERS = re.compile(r" Step (\w+) parameters are:\n(.*)", re.DOTALL)
_STEP_CLASS = {"SaturationStep": "saturation", "JumpStep": "jump"}
# Parameters of a step: name -> text, as recorded.
Parameters = dict[str, dict[str, str]]


def recorded_parameters(path: Path) -> Parameters | None:
    """The parameters of RECORDED that made the product `path`; None if the file has no record of them.

    OSError where the machine cannot read the file.
    """
    # Imported here because only products need them, and only once each.
    import yaml
    from astropy.io import fits

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # texts only; no object of a file is made
    try:
        with fits.open(path) as hdus:
            if "ASDF" not in hdus:
                return None
            content = hdus["ASDF"].data["ASDF_METADATA"][0].tobytes()
        tree = yaml.load(content.partition(b"\n...")[0], Loader=loader)
        logs = tree.get("cal_logs") or {}
        lines = [line for of_step in logs.values() if isinstance(of_step, list) for line in of_step]
        found: Parameters = {}
        for line in lines:
            if isinstance(line, str) and (match := _PARAMETERS.search(line)):
                _keep(found, match[1], yaml.load(match[2], Loader=loader))
    except OSError as error:
        if error.errno is not None:
            raise
        return None
    except (yaml.YAMLError, KeyError, IndexError, AttributeError, ValueError, TypeError):
        return None
    return found or None


def _keep(found: Parameters, step_class: str, parameters: Any) -> None:
    """Add the RECORDED of a step or pipeline to `found`."""
    steps = parameters.get("steps", {_STEP_CLASS.get(step_class, ""): parameters})
    for step, names in RECORDED.items():
        if step in steps:
            found[step] = {name: steps[step][name] for name in names if name in steps[step]}
