"""What the build of the wheel (hatchling) adds to the package: the library, the command, and the Snakefile."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# File or folder of the repository -> its place in the wheel. The workflow has a library of its own, since the
# environment of a job (conda) may lack the wheel.
ADDED = {
    "Snakefile": "jwst_badpix/workflow/Snakefile",
    "scripts/jwst_badpix": "jwst_badpix",
    "scripts/badpix": "badpix",
}


class WheelFiles(BuildHookInterface):
    """Adds ADDED to a wheel; `pip install --editable` uses the files of the repository."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling; `version` is the kind of the wheel."""
        if version != "editable":
            build_data["force_include"] |= ADDED
