"""The finished product of each detector that replaces its flats (configuration key flat_types_from)."""

from collections.abc import Callable, Container, Mapping, Sequence

from badpix.exposures.header_walk import HeaderInfo
from badpix.exposures.inventory import Inventory
from badpix.instrument.file_names import InputError

KEY = "flat_types_from"


def products_of(
    setting: str | Sequence[str] | None, header_info_of: Callable[[str], HeaderInfo], known: Container[str]
) -> dict[str, str]:
    """Detector -> path, from the value of `flat_types_from`: a file, or a list with a file for each detector.

    `header_info_of(path)` gives the header information of a file, `known` are the names of all detectors. InputError
    for a file that cannot be read or has no detector, and for two files of a detector.
    """
    products: dict[str, str] = {}
    for path in [setting] if isinstance(setting, str) else setting or []:
        info = header_info_of(path)
        if info["problem"]:
            raise InputError(f"{KEY}: {path!r}: {info['problem']}")
        detector = str(info["keywords"].get("DETECTOR", "missing")).strip()
        if detector not in known:
            raise InputError(f"{KEY}: {path!r}: DETECTOR is {detector}, not a detector of JWST")
        if detector in products:
            raise InputError(f"{KEY}: {products[detector]!r} and {path!r} are both of {detector}; give a file of each")
        products[detector] = path
    return products


def refuse_without_product(inventory: Inventory, products: Mapping[str, str]) -> None:
    """Move the masks of detectors without a file in `products` (detector -> path) to `refused`.

    InputError if there are flats too; InventoryError if no mask remains.
    """
    if flats := [name for kinds in inventory.detectors.values() for name in kinds["flats"]]:
        raise InputError(
            f"{KEY}: not allowed with flats, of which there are {len(flats)} (the first is {flats[0]}); the flat types"
            f" have a single source: take the flats out, or {KEY}"
        )
    for mask_id in list(inventory.masks):
        if (detector := mask_id.split("/")[0]) not in products:
            of = ", ".join(f"{path} of {name}" for name, path in products.items())
            inventory.refused[mask_id] = f"{mask_id}: no mask, because {KEY} has no file of {detector}, only {of}"
            del inventory.masks[mask_id]
            inventory.detectors.pop(detector, None)
    if not inventory.masks:
        raise inventory.nothing_left()
