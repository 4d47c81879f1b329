"""The content of a file: its SHA-256, and a stamp that changes with every write."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHUNK = 2**22


class FileChanged(Exception):
    """An input file was replaced or written to while it was read; the next run reads it again."""


def stamp(path: str | Path) -> tuple[int, int, int]:
    """Size (bytes), time of modification and time of the last change of the inode (ns) of `path`.

    `cp -p`, `rsync -t` and `tar` set the time of modification; they cannot set the third.
    """
    status = os.stat(path)  # noqa: PTH116 - without a Path object: for thousands of files before every run
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def sha256_of(path: str | Path) -> str:
    """SHA-256 of the file `path`, hexadecimal."""
    digest = hashlib.sha256()
    with Path(path).open("rb", buffering=0) as file:
        while block := file.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()


def cache_folder(crds_path: str | None) -> Path:
    """The folder of the CRDS cache; without `crds_path` (CRDS_PATH, or the configured path) the default of CRDS."""
    return Path(crds_path or "~/crds_cache").expanduser().absolute()


@contextmanager
def unchanged(*paths: str | Path) -> Iterator[None]:
    """Raise FileChanged if any of `paths` changes while the block runs, also if the block fails."""
    before = {path: _stamp_or_none(path) for path in paths}
    changed: list[str] = []
    try:
        yield
    finally:
        changed = [str(path) for path, found in before.items() if _stamp_or_none(path) != found]
        if changed:
            raise FileChanged(f"{', '.join(changed)} changed while it was read; run again to read it anew")


def _stamp_or_none(path: str | Path) -> tuple[int, int, int] | None:
    try:
        return stamp(path)
    except FileNotFoundError:
        return None
