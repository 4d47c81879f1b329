"""Large intermediate files in a fast scratch directory, with links to them among the results.

The output of a rule is the link, so that a change of the scratch directory repeats no job. The job that uses a file
removes it from scratch, since Snakemake removes only the link.
"""

import hashlib
import os
import shutil
from pathlib import Path

PREFIX = "jwst-badpix-"


class ScratchError(ValueError):
    """The scratch directory cannot be used; the message gives the reason."""


def check_scratch(scratch: str, results: str | Path) -> None:
    """Raise ScratchError unless `scratch` is the absolute path of a writable directory outside of `results`."""
    path = Path(scratch)
    problem = None
    if not path.is_absolute() or ".." in path.parts:
        problem = "must be an absolute path without '..'"
    elif not path.is_dir():
        problem = "must be a directory that exists, on every machine that runs jobs"
    elif not os.access(path, os.W_OK | os.X_OK):
        problem = "must be a directory that you may write to"
    elif path.resolve().is_relative_to(Path(results).resolve()):
        problem = f"must lie outside of the results, {results}"
    if problem:
        raise ScratchError(f"scratch: {scratch!r} is not allowed; it {problem}")


def _name(folder: str | Path) -> str:
    """The name of the directory in scratch for the folder `folder` of the results, different for each folder."""
    return PREFIX + hashlib.sha256(os.fsencode(Path(folder).resolve())).hexdigest()[:16]


def own_directory(scratch: str | Path, folder: str | Path) -> Path:
    """The directory in `scratch` for the files of the folder `folder` of the results; made if missing, private.

    ScratchError if it is a link or belongs to another user, who may have made it in a scratch directory that all users
    may write to.
    """
    path = Path(scratch) / _name(folder)
    path.mkdir(mode=0o700, exist_ok=True)
    if path.is_symlink() or path.stat().st_uid != os.geteuid():
        raise ScratchError(f"scratch: {path} is a link or belongs to another user; remove it")
    return path


def move_to_scratch(made: str | Path, path: str | Path, scratch: str | Path) -> None:
    """Move the file `made` to the directory of `path` in `scratch`, under the name of `path`, and link `path` to it."""
    path = Path(path)
    target = own_directory(scratch, path.parent) / path.name
    shutil.move(made, target)
    link = path.with_name(f".link-{path.name}")
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    link.replace(path)


def discard(path: str | Path) -> None:
    """Remove the file in scratch to which `path` is a link; without such a link, do nothing."""
    path = Path(path)
    if path.is_symlink():
        target = path.readlink()
        if target.parent.name == _name(path.parent) and target.name == path.name:
            target.unlink(missing_ok=True)
