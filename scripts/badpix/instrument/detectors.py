"""The detectors: geometry, exposure types and defaults of each, from the files in config/detectors."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any


class DetectorError(ValueError):
    """The file of a detector has wrong keys or values."""


@dataclass(frozen=True)
class Border:
    """Widths (pixels) of the border of reference pixels on the full frame."""

    left: int
    right: int
    bottom: int
    top: int


@dataclass(frozen=True)
class Detector:
    """The properties of a detector.

    Attributes
    ----------
    name, instrument : str
        DETECTOR and INSTRUME.
    n_columns, n_rows : int
        Size of the full frame (pixels).
    reference_pixels : Border
        Border of reference pixels on the full frame.
    fast_axis, slow_axis : int
        FASTAXIS and SLOWAXIS.
    material : str
        Material of the light-sensitive layer.
    output_strips : int
        Number of adjacent strips along the fast axis, each read by its own output, of an array that is as long as the
        detector along the fast axis.
    edgeless_subarrays : tuple of str
        Subarrays without reference pixels whose outer columns the pipeline's refpix step uses as reference pixels.
    relative_pedestal : bool
        The pedestal of darks is replaced by abs(second raw group - pedestal) in the vote.
    mask_selectors : tuple of str
        Header keywords, beside INSTRUME and DETECTOR, by which CRDS selects a mask; its rules may have others.
    dark_exp_types, flat_exp_types : tuple of str
        EXP_TYPE of darks and of internal flats.
    max_dead_norm_signal_dn_per_s : float or None
        Default (DN/s) of max_dead_norm_signal for flats that are not normalised; None if there is no default.
    manual_flags : str
        Name of the detector's file in config/manual_flags.
    slices : str or None
        Axis (x, y) of the slices of an image slicer or of spectra on the detector; None without.
    """

    name: str
    instrument: str
    n_columns: int
    n_rows: int
    reference_pixels: Border
    fast_axis: int
    slow_axis: int
    material: str
    output_strips: int
    edgeless_subarrays: tuple[str, ...]
    relative_pedestal: bool
    mask_selectors: tuple[str, ...]
    dark_exp_types: tuple[str, ...]
    flat_exp_types: tuple[str, ...]
    max_dead_norm_signal_dn_per_s: float | None
    manual_flags: str
    slices: str | None


LISTS = ("edgeless_subarrays", "mask_selectors", "dark_exp_types", "flat_exp_types")
ALLOWED: dict[str, tuple[Any, ...]] = {
    "material": ("HgCdTe", "Si:As"),
    "output_strips": (1, 4),
    "relative_pedestal": (True, False),
    "slices": ("x", "y", None),
    # Keywords that the header of a mask can have.
    "mask_selectors": ("EXP_TYPE", "FILTER", "NGROUPS", "READPATT", "SUBARRAY"),
}


def _require_fields(cls: type[Border] | type[Detector], mapping: Mapping[str, Any], what: str) -> None:
    """Raise DetectorError unless the keys of `mapping` are the fields of `cls`."""
    expected = {field.name for field in fields(cls)}
    if set(mapping) != expected:
        missing, unknown = sorted(expected - set(mapping)), sorted(map(str, set(mapping) - expected))
        raise DetectorError(f"{what}: missing keys: {missing}, unknown keys: {unknown}")


def _require_allowed(mapping: Mapping[str, Any], what: str) -> None:
    """Raise DetectorError unless the values of LISTS are lists and the values of ALLOWED are allowed."""
    for key in LISTS:
        if not isinstance(mapping[key], (list, tuple)):
            raise DetectorError(f"{what}: {key} is {mapping[key]!r}, not a list")
    for key, allowed in ALLOWED.items():
        if not set(mapping[key] if key in LISTS else [mapping[key]]) <= set(allowed):
            raise DetectorError(f"{what}: {key} is {mapping[key]!r}; allowed: {', '.join(map(str, allowed))}")


def detector_from_mapping(mapping: Mapping[str, Any]) -> Detector:
    """The Detector of a plain mapping, as made by `dataclasses.asdict`; DetectorError if keys or values are wrong."""
    what = f"detector {mapping.get('name', '?')}"
    _require_fields(Detector, mapping, what)
    _require_fields(Border, mapping["reference_pixels"], f"{what}, reference_pixels")
    _require_allowed(mapping, what)
    border = Border(**mapping["reference_pixels"])
    return Detector(**{**mapping, "reference_pixels": border, **{key: tuple(mapping[key]) for key in LISTS}})


def _read(path: Path) -> Detector:
    # Imported here because the jobs take their detector from a mapping and need no YAML.
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with path.open(encoding="utf-8") as file:
        return detector_from_mapping({"name": path.stem, **yaml.load(file, Loader=loader)})


def load_detectors(directory: str | Path) -> dict[str, Detector]:
    """The detectors with a file in `directory`: name (DETECTOR) -> Detector, sorted by name.

    Raises DetectorError when a file has wrong keys or values.
    """
    return {path.stem: _read(path) for path in sorted(Path(directory).glob("*.yaml"))}
