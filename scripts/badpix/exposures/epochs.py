"""Epochs: the exposures of a detector divided by their dates, with a mask for each epoch and variant.

The mask_id of an epoch, its folder below the results, is `<detector>/epochs/<epoch>`; that of a variant is below its
epoch or detector (`badpix.exposures.variants`). Measurements of single exposures
stay in the folder of the detector, so that a change of the epochs repeats no processing of an exposure.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from badpix.config.variants import of_variant
from badpix.exposures.inventory import Exposure, Inventory, reject_other_setups, shortage
from badpix.exposures.variants import variants_of

# The part of a mask_id after the detector; empty where there are neither epochs nor variants.
EPOCH_PATTERN = r"(/epochs/[^/]+)?(/variants/[^/]+)?"


def divide(inventory: Inventory, configured: Sequence[str], config: Mapping[str, Any]) -> None:
    """Fill `inventory.masks`: an entry per detector or, where they are configured, per epoch and variant of it.

    A mask with too few exposures of a `configured` kind is refused; the remaining masks are kept. Raises InventoryError
    when no mask remains.
    """
    variants = variants_of(config)
    for detector, kinds in list(inventory.detectors.items()):
        exposures = [e for of_kind in kinds.values() for e in of_kind.values()]
        outside: dict[str, str] = {}
        epochs: dict[str, list[Exposure]] = {"": exposures}
        if config["epochs"] is not None:
            divided, outside = epochs_of(exposures, config["epochs"])
            epochs = {f"/epochs/{name}": members for name, members in divided.items()}
        for folder, members in epochs.items():
            names = {exposure.name for exposure in members}
            for variant in variants:
                mask_id = f"{detector}{folder}{variant.folder}"
                # A variant without a majority of its exposures is refused already.
                all_epochs = inventory.sets[detector].get(variant.name) if variant.name else kinds
                if all_epochs is None:
                    continue
                own = {kind: {n: e for n, e in of_kind.items() if n in names} for kind, of_kind in all_epochs.items()}
                known = inventory.rejected[f"{detector}{variant.folder}"]
                inventory.rejected[mask_id] = dict(sorted((known | outside).items()))
                # That of a whole detector is checked in `refuse_incomplete`.
                if folder or variant.name:
                    own = reject_other_setups(inventory, mask_id, own, config)
                    minima = of_variant(config, variant.name)
                    if reason := shortage(mask_id, own, inventory.rejected[mask_id], configured, minima):
                        inventory.refused.setdefault(mask_id, reason)
                    if mask_id in inventory.refused:
                        continue
                inventory.masks[mask_id] = own
                if variant.name and not variant.selections:
                    inventory.shared[mask_id] = f"{detector}{folder}"
                    inventory.of_set[f"{detector}{folder}"] = own
        if not any(mask_id.split("/")[0] == detector for mask_id in inventory.masks):
            del inventory.detectors[detector]
    if not inventory.masks:
        raise inventory.nothing_left()


def epochs_of(
    exposures: Iterable[Exposure], setting: Mapping[str, Any] | Sequence[Mapping[str, str]]
) -> tuple[dict[str, list[Exposure]], dict[str, str]]:
    """Divide `exposures` by `setting`, the value of the configuration's `epochs`.

    Returns (epoch name -> its exposures, ordered by time; name of an exposure outside all epochs -> reason). An epoch
    that begins after a gap is named after the day of its first exposure.
    """
    in_time = sorted(exposures, key=lambda exposure: (exposure.start, exposure.name))
    if isinstance(setting, Mapping):
        return _by_gap(in_time, datetime.timedelta(days=setting["max_gap_days"])), {}
    # The text order of ISO dates is their time order.
    epochs: dict[str, list[Exposure]] = {row["name"]: [] for row in sorted(setting, key=lambda row: row["start"])}
    outside = {}
    for exposure in in_time:
        day = exposure.start.date().isoformat()
        name = next((row["name"] for row in setting if row["start"] <= day <= row["end"]), None)
        if name is None:
            outside[exposure.name] = f"DATE-OBS {day} lies in no epoch"
        else:
            epochs[name].append(exposure)
    return epochs, outside


def _by_gap(in_time: Sequence[Exposure], gap: datetime.timedelta) -> dict[str, list[Exposure]]:
    """Exposures ordered by time, divided where the starts of two consecutive exposures differ by more than `gap`."""
    epochs: dict[str, list[Exposure]] = {}
    members: list[Exposure] = []
    for exposure in in_time:
        if not members or exposure.start - members[-1].start > gap:
            members = epochs.setdefault(exposure.start.date().isoformat(), [])
        members.append(exposure)
    return epochs
