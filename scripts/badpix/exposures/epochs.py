"""Epochs: the exposures of a detector divided by their dates, with a mask for each.

An epoch's place below the results is `<detector>/epochs/<epoch>`. What is measured of single exposures stays where it
is, with the detector, so that no exposure is processed again because epochs are drawn otherwise.
"""

import datetime

from badpix.exposures.inventory import InventoryError, shortage

# What comes after the detector in the place of a mask; empty where there are no epochs.
EPOCH_PATTERN = r"(/epochs/[^/]+)?"


def divide(inventory, configured, config):
    """Fill `inventory.masks`: an entry per detector, or per epoch of each where `config["epochs"]` asks for them.

    An epoch with too few exposures of a kind that is `configured` is refused, and the others go on. Raises
    InventoryError when nothing is left.
    """
    if config["epochs"] is None:
        inventory.masks = dict(inventory.detectors)
        return
    for detector, kinds in inventory.detectors.items():
        epochs, outside = epochs_of([e for exposures in kinds.values() for e in exposures.values()], config["epochs"])
        for name, members in epochs.items():
            place = f"{detector}/epochs/{name}"
            inventory.rejected[place] = dict(sorted((inventory.rejected[detector] | outside).items()))
            own = {kind: {e.name: e for e in members if e.kind == kind} for kind in kinds}
            if reason := shortage(place, own, inventory.rejected[place], configured, config):
                inventory.refused[place] = reason
            else:
                inventory.masks[place] = own
    if not inventory.masks:
        raise InventoryError("\n".join(inventory.refused.values()))


def epochs_of(exposures, setting):
    """Divide `exposures` (Exposure) as `setting`, the configuration's `epochs`, says.

    Returns (epoch name -> its exposures, in the order of time; exposures of no epoch -> reason). An epoch drawn by a
    gap is named after the day of its first exposure.
    """
    in_time = sorted(exposures, key=lambda exposure: (exposure.start, exposure.name))
    if isinstance(setting, dict):
        return _by_gap(in_time, datetime.timedelta(days=setting["max_gap_days"])), {}
    # ISO dates are in the order of time as texts.
    epochs = {row["name"]: [] for row in sorted(setting, key=lambda row: row["start"])}
    outside = {}
    for exposure in in_time:
        day = exposure.start.date().isoformat()
        name = next((row["name"] for row in setting if row["start"] <= day <= row["end"]), None)
        if name is None:
            outside[exposure.name] = f"DATE-OBS {day} lies in no epoch"
        else:
            epochs[name].append(exposure)
    return epochs, outside


def _by_gap(in_time, gap):
    """Exposures in the order of time, cut where more than `gap` lies between the beginnings of two."""
    epochs = {}
    previous = None
    for exposure in in_time:
        if previous is None or exposure.start - previous.start > gap:
            members = epochs.setdefault(exposure.start.date().isoformat(), [])
        members.append(exposure)
        previous = exposure
    return epochs
