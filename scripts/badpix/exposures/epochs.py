"""Epochs: the exposures of a detector divided by their dates, with a mask for each epoch.

The mask_id of an epoch, its folder below the results, is `<detector>/epochs/<epoch>`. Measurements of single exposures
stay in the folder of the detector, so that a change of the epochs repeats no processing of an exposure.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from badpix.exposures.inventory import Exposure, Inventory, reject_other_setups, shortage

# The part of a mask_id after the detector; empty where there are no epochs.
EPOCH_PATTERN = r"(/epochs/[^/]+)?"


def divide(inventory: Inventory, configured: Sequence[str], config: Mapping[str, Any]) -> None:
    """Fill `inventory.masks`: an entry per detector, or per epoch of each detector where `config["epochs"]` is set.

    An epoch with too few exposures of a `configured` kind is refused; the remaining epochs are kept. Raises
    InventoryError when no epoch remains.
    """
    if config["epochs"] is None:
        inventory.masks = dict(inventory.detectors)
        return
    for detector, kinds in inventory.detectors.items():
        epochs, outside = epochs_of([e for exposures in kinds.values() for e in exposures.values()], config["epochs"])
        for name, members in epochs.items():
            mask_id = f"{detector}/epochs/{name}"
            inventory.rejected[mask_id] = dict(sorted((inventory.rejected[detector] | outside).items()))
            own = {kind: {e.name: e for e in members if e.kind == kind} for kind in kinds}
            own = reject_other_setups(inventory, mask_id, own, config)
            if mask_id in inventory.refused:
                continue
            if reason := shortage(mask_id, own, inventory.rejected[mask_id], configured, config):
                inventory.refused[mask_id] = reason
            else:
                inventory.masks[mask_id] = own
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
