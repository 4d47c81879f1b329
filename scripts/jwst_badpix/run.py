"""A run of the workflow in a folder, and its messages."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from jwst_badpix.errors import BadPixelsError
from jwst_badpix.place import workflow_folder

# A line of Snakemake itself, also with --quiet all.
_OF_SNAKEMAKE = re.compile(r"^Using .*profile .*\n", re.M)
_OF_LOGS = re.compile(r"\n  log: .*")
WARNING = "Warning: "
SUMMARY, ERRORS, NEXT = "Summary of the run\n", "Errors:\n", "\nNext,"
# Seconds until a run that was asked to end is ended.
PATIENCE = 60


def snakemake_words(*arguments: str) -> list[str]:
    """The command that runs the Snakefile of this project with further `arguments`.

    Snakemake itself finds profiles/default beside the Snakefile.
    """
    return [sys.executable, "-m", "snakemake", "--snakefile", str(workflow_folder() / "Snakefile"), *arguments]


def run_in(folder: Path, config_file: Path, cores: int, is_kept: bool) -> str:
    """Run the workflow in `folder` on `cores` cores; returns its messages on the terminal.

    BadPixelsError with the workflow's message if it fails, without the names of logs unless the folder `is_kept`. The
    run is ended before an exception of the caller, such as KeyboardInterrupt, is passed on.
    """
    words = snakemake_words("--cores", str(cores), "--quiet", "all", "--nocolor")
    words += ["--directory", str(folder), "--configfile", str(config_file)]
    log = folder / "run.log"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            words, cwd=folder, env=_environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            status = process.wait()
        except BaseException:
            _end(process)
            raise
    text = _OF_SNAKEMAKE.sub("", log.read_text(encoding="utf-8", errors="replace")).strip()
    if status:
        error = error_of(text) or f"Snakemake ended with status {status} without a message"
        raise BadPixelsError(error if is_kept else _OF_LOGS.sub("", error))
    return text


def _environment() -> dict[str, str]:
    """The environment of a run in another folder, on this machine: the folder may be seen by no other."""
    environment = {name: value for name, value in os.environ.items() if name != "SNAKEMAKE_PROFILE"}
    if cache := environment.get("CRDS_PATH"):
        environment["CRDS_PATH"] = str(Path(cache).absolute())
    return environment


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the run: Snakemake ends its jobs when it is terminated."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def error_of(text: str) -> str:
    """The message of a failed run in its output `text`: the errors in its summary, else all of it but the warnings."""
    _, summary, rest = text.partition(SUMMARY)
    if summary and ERRORS in rest:
        return rest.split(ERRORS, 1)[1].split(NEXT, 1)[0].strip()
    message = "\n".join(line for line in text.splitlines() if not line.startswith(WARNING))
    return message.strip() or text


def summary_of(text: str) -> str:
    """The summary of a run in its output `text`, without the next command, which would name files that are removed."""
    return text.partition(SUMMARY)[2].split(NEXT, 1)[0].rstrip()


def found_masks(results: Path, name: str) -> Sequence[Path]:
    """The masks `name` of a run below its folder `results`."""
    return sorted(results.glob(f"*/{name}"))
