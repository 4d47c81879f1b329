"""The directory in which detector1 works: among the results, in a configured directory, or in memory.

The files of a job lie in a directory of their own, which the job holds locked. The next job removes the directories
that killed jobs left, which no job holds.
"""

import fcntl
import hashlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from badpix.core.files import stale

logger = logging.getLogger(__name__)

PREFIX = "jwst-badpix-"
AUTO = "auto"
# The file system in memory of Linux.
IN_MEMORY = Path("/dev/shm")
CGROUPS = Path("/sys/fs/cgroup")
STARTING_S = 60


class ScratchError(ValueError):
    """The scratch directory cannot be used; the message gives the reason."""


def check_scratch(scratch: str, results: str | Path) -> None:
    """Raise ScratchError unless `scratch` is `auto` or the absolute path of a writable directory outside `results`."""
    path = Path(scratch)
    problem = None
    if scratch == AUTO:
        return
    if not path.is_absolute() or ".." in path.parts:
        problem = f"must be {AUTO}, or an absolute path without '..'"
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


def scratch_parent(scratch: str | None, folder: str | Path, needed_mb: float, at_a_time: int) -> Path:
    """The folder for the working directories of the jobs whose results lie in `folder`.

    `scratch` is a directory, `auto`, or None for `folder` itself. `auto` is the memory, if the jobs that run
    `at_a_time` have `needed_mb` (10^6 bytes of files and of the process) each there, and else `folder`.
    """
    if scratch != AUTO:
        return own_directory(scratch, folder) if scratch else Path(folder)
    sweep_memory()
    free = free_memory_mb()
    if free < needed_mb * at_a_time:
        logger.info(
            "Temporary files: on disk; %.0f MB of memory are free, %d x %.0f MB needed", free, at_a_time, needed_mb
        )
        return Path(folder)
    return own_directory(IN_MEMORY, folder)


def free_memory_mb() -> float:
    """Memory (10^6 bytes) that files in memory and processes may still take; 0 without a file system in memory."""
    if not os.path.ismount(IN_MEMORY) or not os.access(IN_MEMORY, os.W_OK | os.X_OK):
        return 0.0
    volume = os.statvfs(IN_MEMORY)
    numbers = dict(line.split(":") for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
    available = int(numbers["MemAvailable"].split()[0]) * 1024
    return min(volume.f_bavail * volume.f_frsize, available, *_left_in_cgroups()) / 1e6


def _left_in_cgroups() -> list[int]:
    """Bytes left to each control group of this process with a limit, such as a container or a job (version 2)."""
    left = []
    with suppress(OSError, ValueError):
        own = Path("/proc/self/cgroup").read_text(encoding="utf-8").strip().rsplit("::", 1)[-1].lstrip("/")
        group = CGROUPS / own
        while group.is_relative_to(CGROUPS):
            with suppress(OSError, ValueError):  # no limit is the text `max`
                limit = int((group / "memory.max").read_text(encoding="ascii"))
                left.append(limit - int((group / "memory.current").read_text(encoding="ascii")))
            group = group.parent
    return left


@contextmanager
def scratch_directory(parent: str | Path, exposure: str) -> Iterator[str]:
    """A temporary directory in `parent`, which is made if missing; removed at the end.

    The directories of the same exposure that killed jobs left behind are removed at the start.
    """
    parent = Path(parent)
    parent.mkdir(parents=True, exist_ok=True)
    prefix = f".detector1-{exposure}-"
    for directory in stale(parent, prefix):
        _remove_unless_held(directory)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent, ignore_cleanup_errors=True) as made:
        lock = os.open(made, os.O_RDONLY)
        try:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield made
        finally:
            os.close(lock)


def _remove_unless_held(directory: Path) -> None:
    """Remove the directory of a job that does not run any more."""
    with suppress(OSError):
        held = os.open(directory, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        except OSError:  # a file system without locks: as if the job did not run
            pass
        finally:
            os.close(held)
        shutil.rmtree(directory, ignore_errors=True)


def sweep_memory() -> None:
    """Remove what jobs of this user that were killed left in memory, and empty directories."""
    for directory in (*IN_MEMORY.glob(f"{PREFIX}*/.detector1-*"), *IN_MEMORY.glob(f"{PREFIX}*")):
        with suppress(OSError):
            status = directory.stat()
            # A job that has just started may not hold its directory yet.
            if status.st_uid != os.geteuid() or time.time() - status.st_ctime < STARTING_S:
                continue
            if directory.parent == IN_MEMORY:
                directory.rmdir()
            else:
                _remove_unless_held(directory)
