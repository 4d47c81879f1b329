"""The exposures of the check, by kind of light and by unit; exposures that a mask was made from are left out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from badpix.config.settings import SkySettings
from badpix.core.errors import BadExposure
from badpix.instrument.exp_types import DARK, LAMP, LIGHT_OF, SKY
from badpix.instrument.geometry import Geometry
from badpix.instrument.segments import by_exposure, exposure_of
from badpix.science_check.group import MIN_UNITS, Group, group_of
from badpix.science_check.rates import integrations, overlap, read_header
from badpix.science_check.units import SAME_POINTING, measure_unit, same_pointings

LIGHTS = (DARK, LAMP, SKY)


class NothingToCheck(Exception):
    """No exposures are left for the check; the message has the reasons."""


@dataclass
class Chosen:
    """The exposures of the check: `lights` maps kind of light -> unit -> names; `left_out` maps name -> reason.

    `headers` maps the names of the usable files to their keywords.
    """

    lights: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    headers: dict[str, dict[str, Any]] = field(default_factory=dict)


def named_in(history: Iterable[str], names: Iterable[str]) -> set[str]:
    """Those of the exposures `names` that the entries of a mask's HISTORY contain.

    Long entries are cut, between words or within them.
    """
    text = "".join("".join(history).split())
    return {name for name in names if exposure_of(name) in text}


def choose(paths: Mapping[str, str], masks: Mapping[str, Mapping[str, Any]], frame: Geometry) -> Chosen:
    """The Chosen of the files `paths` (name of the exposure -> path of its rates).

    `masks` maps the label of each mask (old, new) to its primary header, `frame` is the array of the check.
    """
    chosen = Chosen()
    sources = {label: named_in(map(str, header.get("HISTORY", ())), paths) for label, header in masks.items()}
    for name, path in paths.items():
        of_mask = [label for label, names in sources.items() if name in names]
        if of_mask:
            chosen.left_out[name] = f"HISTORY of the {of_mask[0]} mask has it: it cannot test a mask made from it"
            continue
        try:
            header = read_header(path)
            if overlap(Geometry.from_header(header), frame) is None:
                raise BadExposure(
                    f"its array ({header['SUBARRAY']}) neither contains the array of the masks nor lies within it"
                )
            for _ in integrations(path, frame):
                break
        except BadExposure as reason:
            chosen.left_out[name] = str(reason)
        else:
            chosen.headers[name] = header
    for light in LIGHTS:
        names = [name for name, header in chosen.headers.items() if LIGHT_OF.get(str(header["EXP_TYPE"])) == light]
        units = by_exposure(names)
        if light == SKY:
            first = {name: chosen.headers[segments[0]] for name, segments in units.items()}
            units = {group[0]: [n for name in group for n in units[name]] for group in same_pointings(first)}
        if len(units) >= MIN_UNITS:
            chosen.lights[light] = units
        else:
            chosen.left_out |= dict.fromkeys(names, _too_few(light, len(by_exposure(names)), len(units)))
    chosen.left_out = dict(sorted(chosen.left_out.items()))
    return chosen


def _too_few(light: str, n_exposures: int, n_units: int) -> str:
    """The reason why the exposures of a kind of light are too few."""
    if light != SKY or n_exposures < MIN_UNITS:
        return f"there are {n_exposures} exposures of this kind ({light}), and at least {MIN_UNITS} are needed"
    return (
        f"the {n_exposures} exposures of the sky have {n_units} pointings more than {SAME_POINTING:g} pixels apart, and"
        f" at least {MIN_UNITS} are needed to tell stars from bad pixels; all exposures without a pointing count as one"
    )


def measure(
    chosen: Chosen, paths: Mapping[str, str], frame: Geometry, science: np.ndarray, settings: tuple[float, SkySettings]
) -> list[Group]:
    """The Group of each kind of light; NothingToCheck without any.

    Parameters
    ----------
    chosen : Chosen
        The exposures.
    paths : mapping
        Name -> path of the rates.
    frame : Geometry
        The array of the masks.
    science : bool array (y, x)
        The science pixels.
    settings : (float, SkySettings)
        Limit of an outlier in sigma, and the search of sources.
    """
    if not chosen.lights:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in list(chosen.left_out.items())[:10])
        raise NothingToCheck(f"science_check.exposures: no exposures are left that can test the masks: {reasons}")
    limit, sky = settings

    def of(names: Sequence[str], light: str) -> Any:
        return measure_unit([paths[name] for name in names], frame, science, limit, light, sky)

    return [
        group_of(light, ((unit, of(names, light)) for unit, names in units.items()))
        for light, units in chosen.lights.items()
    ]
