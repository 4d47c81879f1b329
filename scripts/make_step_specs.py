"""Write the parameters of the steps of calwebb_detector1, so that a configuration can be checked without jwst.

Run it after a change of the jwst version: `python scripts/make_step_specs.py`. Reads the installed jwst, writes
config/schemas/detector1_steps.json: step -> parameter -> configobj specification.
"""

import json
from pathlib import Path

OUTPUT = Path(__file__).resolve().parent.parent / "config" / "schemas" / "detector1_steps.json"


def step_specs():
    """The specifications of all steps of calwebb_detector1 (step -> parameter -> specification)."""
    # Imported here because it takes seconds.
    from jwst.pipeline import Detector1Pipeline

    return {
        name: {parameter: str(spec) for parameter, spec in step.load_spec_file().items()}
        for name, step in Detector1Pipeline.step_defs.items()
    }


def main(output):
    """Write the specifications to `output`."""
    Path(output).write_text(json.dumps(step_specs(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(OUTPUT)
