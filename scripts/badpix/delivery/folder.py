"""The folder of a delivery: all files of a mask, complete or not there at all."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from astropy.io import fits

from badpix.core.content import sha256_of
from badpix.core.files import card_text
from badpix.formats.mask_file import renew_checksums

SUMS = "SHA256SUMS"
FORM, PREVIOUS_FORM = "delivery_form.yaml", "delivery_form.previous.yaml"


def complete_folder(path: Path, fill: Callable[[Path], None]) -> None:
    """Have `fill` write into a new folder, and put the folder at `path` when it is complete, with the checksums."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        fill(temporary)
        write_sums(temporary)
        temporary.chmod(0o777 & ~_umask())
        shutil.rmtree(path, ignore_errors=True)
        temporary.replace(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def keep_edited_form(delivery: Path) -> Path | None:
    """Copy the form of the folder `delivery`, if a person edited it, to the folder of the mask; returns the copy."""
    form, sums = delivery / FORM, delivery / SUMS
    if not form.is_file() or (sums.is_file() and _sums_line(form, delivery) in sums.read_text(encoding="utf-8")):
        return None
    kept = delivery.parent / PREVIOUS_FORM
    shutil.copyfile(form, kept)
    return kept


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_sums(folder: Path) -> None:
    """Write the SHA-256 of all files below `folder`, in the format of the program sha256sum."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    (folder / SUMS).write_text("".join(_sums_line(file, folder) for file in files), encoding="utf-8")


def _sums_line(file: Path, folder: Path) -> str:
    return f"{sha256_of(file)}  {file.relative_to(folder).as_posix()}\n"


def delivery_name(header: Mapping[str, Any], division: str, digest: str) -> str:
    """The name of a delivered mask without suffix: unique by the start of the SHA-256 `digest` of the mask.

    It names instrument, detector, SUBARRAY, the `division` (epoch, variant) and the day of USEAFTER; CRDS gives a
    delivered file a name of its own.
    """
    day = str(header["USEAFTER"])[:10].replace("-", "")
    parts = (header["INSTRUME"], header["DETECTOR"], header["SUBARRAY"], division, "mask", day, digest[:8])
    return "_".join(re.sub(r"[^a-z0-9.-]+", "-", str(part).lower()) for part in parts if part)


def copy_mask(source: Path, target: Path) -> None:
    """Copy a mask; FILENAME is the new name."""
    shutil.copyfile(source, target)
    fits.setval(target, "FILENAME", value=card_text(target.name))
    renew_checksums(target)
