"""Comparison of a delivered mask with the mask that CRDS gives to its exposures now."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from badpix.changes.files import MaskMismatch
from badpix.changes.text import text_of
from badpix.changes.write import NAMES, write_comparison


def cached_masks(cache: Path, names: Sequence[str]) -> dict[str, Path]:
    """The files of those masks of `names` that are in the CRDS cache."""
    found = {name: next((cache / "references" / "jwst").rglob(name), None) for name in names}
    return {name: path for name, path in found.items() if path}


def comparison(configured: Sequence[str], names: Sequence[str], cache: Path, mask: Path, folder: Path) -> str:
    """Write the comparison of a mask to `folder`; returns a text about it.

    Parameters
    ----------
    configured : sequence of str
        Files of the comparison that the configuration asks for; they are copied.
    names : sequence of str
        The masks that CRDS gives to the exposures today. The comparison is with the first in the cache; the text names
        the others.
    cache : Path
        The CRDS cache.
    mask : Path
        The delivered mask.
    folder : Path
        The folder of the comparison.
    """
    if configured:
        folder.mkdir()
        for path in map(Path, configured):
            shutil.copyfile(path, folder / path.name)
        return "Compared with the mask of compare_with (comparison/)."
    if not names:
        return "There is no current mask: CRDS has none for these exposures."
    files = cached_masks(cache, names)
    absent = [name for name in names if name not in files]
    if not files:
        return f"Not compared with the current mask {', '.join(absent)}: its file is not in the CRDS cache."
    first, *others = files
    rest = f"; not compared with {', '.join(others)}, which are current too" if others else ""
    rest += f"; not in the CRDS cache: {', '.join(absent)}" if absent else ""
    try:
        folder.mkdir()
        numbers, _ = write_comparison(files[first], mask, {key: folder / name for key, name in NAMES.items()})
    except MaskMismatch as error:
        shutil.rmtree(folder, ignore_errors=True)
        return f"Not compared with the current mask {first}: {error}{rest}"
    return f"Compared with {first} (comparison/){rest}: {text_of(numbers)}"
