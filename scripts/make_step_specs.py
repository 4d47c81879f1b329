"""Write the parameters and reference types of calwebb_detector1 into files: the rules need not import jwst (seconds).

Run it after a change of the jwst version: `python scripts/make_step_specs.py`. Reads the installed jwst, writes
config/schemas/detector1_steps.json (step -> parameter -> configobj specification) and detector1_references.json (the
types of reference files and step parameters that the pipeline requests from CRDS).
"""

import json
from pathlib import Path

from badpix.detector1.references import detector1_types

SCHEMAS = Path(__file__).resolve().parent.parent / "config" / "schemas"


def step_specs():
    """The specifications of all steps of calwebb_detector1 (step -> parameter -> specification)."""
    # Imported here because it takes seconds.
    from jwst.pipeline import Detector1Pipeline

    return {
        name: {parameter: str(spec) for parameter, spec in step.load_spec_file().items()}
        for name, step in Detector1Pipeline.step_defs.items()
    }


def reference_types():
    """The types of reference files and of step parameters of all steps, by name."""
    return detector1_types()


def main(folder):
    """Write both files to `folder`."""
    for name, found in (("detector1_steps", step_specs()), ("detector1_references", reference_types())):
        (Path(folder) / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(SCHEMAS)
