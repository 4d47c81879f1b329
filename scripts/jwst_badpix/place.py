"""Where the files of the workflow are."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def workflow_folder() -> Path:
    """The folder with the Snakefile: in this package if it is installed, else the clone of the repository.

    FileNotFoundError if neither has it.
    """
    for folder in (_PACKAGE / "workflow", _PACKAGE.parents[1]):
        if (folder / "Snakefile").is_file():
            return folder
    raise FileNotFoundError(f"no Snakefile in {_PACKAGE}; install jwst-badpix again")
