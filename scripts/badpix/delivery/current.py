"""Comparison of a delivered mask with the mask that CRDS gives to its exposures now."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from badpix.changes.compare import compare
from badpix.changes.files import MaskMismatch, align, labels, read_image, write_changes
from badpix.changes.plot import draw_changes
from badpix.changes.text import text_of

NAMES = {
    "matrix": "mask_changes.csv", "pixels": "changed_pixels.csv", "table": "changed_pixels.fits",
    "summary": "mask_changes.json", "figure": "mask_changes.png",
}  # fmt: skip


def cached_masks(cache: Path, names: Sequence[str]) -> list[Path]:
    """The files of the masks `names` in the CRDS cache."""
    found = [next((cache / "references" / "jwst").rglob(name), None) for name in names]
    return [path for path in found if path]


def compare_with_current(before: Path, mask: Path, folder: Path) -> str:
    """Write the comparison of the file `mask` with `before` to `folder`; returns the numbers in words."""
    old, new = read_image(before), read_image(mask)
    pair = align(old, new)
    changes = compare(pair.before, pair.after, pair.compared)
    folder.mkdir()
    paths = {key: folder / name for key, name in NAMES.items()}
    draw_changes(paths["figure"], changes, f"{new.header.get('DETECTOR', '')}: {' to '.join(labels(old, new))}")
    return text_of(write_changes(paths, changes, (old, new), pair.notes))


def comparison(configured: Sequence[str], names: Sequence[str], cache: Path, mask: Path, folder: Path) -> str:
    """Write the comparison of a mask to `folder`; returns a text about it.

    Parameters
    ----------
    configured : sequence of str
        Files of the comparison that the configuration asks for; they are copied.
    names : sequence of str
        The masks that CRDS now gives to the exposures.
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
    if not files:
        return f"Not compared with the current mask {', '.join(names)}: its file is not in the CRDS cache."
    # The first of several is that of the earliest USEAFTER or the fewest keywords; the form names all.
    try:
        numbers = compare_with_current(files[0], mask, folder)
    except MaskMismatch as error:
        shutil.rmtree(folder, ignore_errors=True)
        return f"Not compared with the current mask {files[0].name}: {error}"
    return f"Compared with {files[0].name} (comparison/): {numbers}"
