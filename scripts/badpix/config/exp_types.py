"""The keys dark_exp_types and flat_exp_types: checks, and the types of a detector. Without slow imports."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from badpix.core.wording import show, suggestion
from badpix.instrument.detectors import Detector
from badpix.instrument.exp_types import LIGHT_OF, LIGHTS, SKY, instrument_of, types_of

# Warnings of a mask without exposures of a kind; for flats, what can take their place by INSTRUME.
NO_DARKS = "there are no darks (key darks), so only DEAD, LOW_QE, OPEN and ADJ_OPEN pixels are searched"
NO_FLATS = "there are no flats (key flats), so DEAD, LOW_QE, OPEN and ADJ_OPEN pixels are not searched"
IN_PLACE_OF_FLATS = {
    "NIRCAM": "NIRCam takes no lamp flats in flight: a flat or a mask of CRDS can be given (flat_types_from,"
    " docs/howto/inputs.md), or exposures of the sky can be flats (flat_exp_types: [NRC_FLAT, NRC_IMAGE],"
    " docs/howto/sky_flats.md)"
}
KEY_OF = {"darks": "dark_exp_types", "flats": "flat_exp_types"}
# A list of types, or a mapping from a detector or an instrument to a list; None: the defaults of the detectors.
Setting = list[str] | Mapping[str, list[str]] | None


def missing_kinds(instrument: str, darks: bool, flats: bool) -> list[str]:
    """The warnings of a mask of `instrument` (INSTRUME) without darks, or without flats or a product in their place."""
    warnings = [] if darks else [NO_DARKS]
    if not flats:
        warnings.append(". ".join(filter(None, [NO_FLATS, IN_PLACE_OF_FLATS.get(instrument)])))
    return warnings


def entries(setting: Setting) -> Iterator[tuple[str, str, str | None]]:
    """(position in the key as text, EXP_TYPE, detector or instrument or None) of each type of a setting."""
    if isinstance(setting, Mapping):
        for owner, names in setting.items():
            yield from ((f".{owner}[{number}]", name, owner) for number, name in enumerate(names))
    elif setting:
        yield from ((f"[{number}]", name, None) for number, name in enumerate(setting))


def exp_type_problems(config: Mapping[str, Any]) -> list[str]:
    """The problems of both keys, one line each: names, instruments, types of the wrong kind or of both kinds."""
    found = []
    for kind, key in KEY_OF.items():
        for position, name, owner in entries(config[key]):
            if problem := _problem(kind, name, owner):
                found.append(f"{key}{position}: {show(name)} is not allowed; {problem}")
    names = {key: {name for _, name, _ in entries(config[key])} for key in KEY_OF.values()}
    both = sorted(set.intersection(*names.values()))
    found += [f"dark_exp_types, flat_exp_types: {name} is in both; an EXP_TYPE is of a single kind" for name in both]
    return found


def _problem(kind: str, name: str, owner: str | None) -> str | None:
    """The reason why `name` cannot be a type of `kind` of `owner` (a detector, an instrument, or None for all)."""
    instrument = instrument_of(name)
    if name not in LIGHT_OF:
        return f"it must be an EXP_TYPE of {kind}{_allowed(kind, instrument)}{suggestion(name, LIGHT_OF)}"
    if owner is not None and instrument not in (owner, instrument_of(owner)):
        return f"it is a type of {instrument}{_allowed(kind, instrument_of(owner) or owner)}"
    light = LIGHT_OF[name]
    if light in LIGHTS[kind]:
        return None
    is_other = next((other for other, lights in LIGHTS.items() if light in lights), None)
    # Signal of the sky or of a lamp in a dark would be taken for hot pixels.
    reason = f"such exposures are {is_other}" if is_other else f"such exposures are {light}"
    return f"{reason}{_allowed(kind, instrument)}"


def _allowed(kind: str, instrument: str | None) -> str:
    """'; darks of NIRCAM can be ...'; of all instruments if the instrument is not known."""
    return f"; {kind}{f' of {instrument}' if instrument else ''} can be {', '.join(types_of(kind, instrument))}"


def configured_types(setting: Setting, detector: Detector, default: tuple[str, ...]) -> tuple[str, ...]:
    """The types of a detector by a valid `setting`: of the detector, else of its instrument, else `default`."""
    if isinstance(setting, Mapping):
        for owner in (detector.name, detector.instrument):
            if owner in setting:
                return tuple(setting[owner])
        return default
    own = tuple(name for name in setting or () if instrument_of(name) == detector.instrument)
    return own or default


def with_exp_types(detectors: Mapping[str, Detector], config: Mapping[str, Any]) -> dict[str, Detector]:
    """The detectors with the EXP_TYPEs of the configuration, for the choice of the exposures."""
    return {
        name: replace(
            detector,
            dark_exp_types=configured_types(config["dark_exp_types"], detector, detector.dark_exp_types),
            flat_exp_types=configured_types(config["flat_exp_types"], detector, detector.flat_exp_types),
        )
        for name, detector in detectors.items()
    }


def sky_types(config: Mapping[str, Any]) -> list[str]:
    """The types of flat_exp_types whose exposures see the sky."""
    return [name for _, name, _ in entries(config["flat_exp_types"]) if LIGHT_OF.get(name) == SKY]
