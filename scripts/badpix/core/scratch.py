"""Large intermediates in a fast directory elsewhere, with links to them among the results.

The path that Snakemake knows is that of the link, so that another scratch directory, or none, repeats no job. What is
in scratch is removed by the job that has used it, since Snakemake removes the link alone.
"""

import hashlib
import os
import shutil
from pathlib import Path

PREFIX = "jwst-badpix-"


class ScratchError(ValueError):
    """The scratch directory cannot be used; the message says why."""


def check_scratch(scratch, results):
    """Raise ScratchError unless `scratch` is the absolute path of a directory to write to, outside of `results`."""
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


def _name(folder):
    """The name of the directory in scratch that belongs to the folder `folder` of results, and to no other."""
    return PREFIX + hashlib.sha256(os.fsencode(Path(folder).resolve())).hexdigest()[:16]


def own_directory(scratch, folder):
    """The directory in `scratch` for what belongs into the folder `folder` of results; made if need be, ours alone.

    In a directory that everybody may write to, someone else could have put a link, or a directory, under its name:
    ScratchError.
    """
    path = Path(scratch) / _name(folder)
    path.mkdir(mode=0o700, exist_ok=True)
    if path.is_symlink() or path.stat().st_uid != os.geteuid():
        raise ScratchError(f"scratch: {path} is a link or belongs to someone else; remove it")
    return path


def move_to_scratch(made, path, scratch):
    """Move the file `made` into `scratch`, under the name of `path` in its own directory, and link `path` to it."""
    path = Path(path)
    target = own_directory(scratch, path.parent) / path.name
    shutil.move(made, target)
    link = path.with_name(f".link-{path.name}")
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    os.replace(link, path)


def discard(path):
    """Remove the file in scratch that `path` links to; anything but such a link is left alone."""
    path = Path(path)
    if path.is_symlink():
        target = Path(os.readlink(path))
        if target.parent.name == _name(path.parent) and target.name == path.name:
            target.unlink(missing_ok=True)
