"""What a reader must know about a science check: what its exposures cannot show, and doubtful exposures."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from badpix.core.wording import counted, first_of
from badpix.science_check.compare import OPEN, Check, differing
from badpix.science_check.exposures import Chosen
from badpix.science_check.group import MIN_UNITS

MAX_NAMES = 3
OWN_MASK = "reference_pixel_mask.fits"
# Above this share of chance outliers in an exposure, something other than cosmic rays makes them.
MANY_BY_CHANCE = 0.02


def notes_on(result: Check, chosen: Chosen, header: Mapping[str, Any]) -> list[str]:
    """Sentences on the Check; `header` is that of the new mask."""
    notes = []
    dark, light = (
        np.any([getattr(group, name) for group in result.groups], axis=0) for name in ("shows_dark", "shows_light")
    )
    measured = np.any([group.measured for group in result.groups], axis=0)
    all_open = differing(result) & (result.finding == OPEN)
    if n_without := int((all_open & ~measured).sum()):
        notes.append(
            f"{counted(n_without, 'pixels')} with DO_NOT_USE in one mask only could not be decided on, since fewer than"
            f" {MIN_UNITS} exposures or pointings have a value of them"
        )
    pixels = all_open & measured
    if n_open := int(pixels.sum()):
        missing = []
        if (pixels & ~dark).any():
            missing.append("darks")
        if (pixels & ~light).any():
            missing.append("flats or images of the sky with a bright background")
        notes.append(
            f"{counted(n_open, 'pixels')} with DO_NOT_USE in one mask only could not be decided on for lack of"
            f" {' and of '.join(missing)}"
        )
    # Exposures that are too few have headers, too.
    used = [name for units in chosen.lights.values() for names in units.values() for name in names]
    headers = {name: chosen.headers[name] for name in sorted(used)}
    foreign = [
        name
        for name, of_exposure in headers.items()
        if str(of_exposure.get("R_MASK", OWN_MASK)).rsplit("/", maxsplit=1)[-1] != OWN_MASK
    ]
    if foreign:
        masks = sorted({str(headers[name]["R_MASK"]) for name in foreign})
        notes.append(
            f"{counted(len(foreign), 'exposures')} ({first_of(foreign, MAX_NAMES)}) were processed with"
            f" {first_of(masks, MAX_NAMES)}: its pixels with DO_NOT_USE have no value in them and stay open; give the"
            " raw files to see them"
        )
    early = [
        name
        for name, of_exposure in headers.items()
        if f"{of_exposure['DATE-OBS']}T{of_exposure['TIME-OBS']}" < str(header.get("USEAFTER", ""))
    ]
    if early:
        notes.append(
            f"{counted(len(early), 'exposures')} ({first_of(early, MAX_NAMES)}) began before USEAFTER of the new mask,"
            f" {header['USEAFTER']}: CRDS would not give it to them"
        )
    subtracted = [name for name, of_exposure in headers.items() if of_exposure.get("S_DARK") == "COMPLETE"]
    if subtracted:
        notes.append(
            f"the dark current was subtracted from {counted(len(subtracted), 'exposures')}"
            f" ({first_of(subtracted, MAX_NAMES)}): hot pixels that the dark reference has do not deviate there"
        )
    notes += [
        f"{chance:.1%} of the pixels are outliers in a single exposure of {light}: look at these exposures"
        for light, chance in result.chances.items()
        if chance > MANY_BY_CHANCE
    ]
    return notes
