"""The detectors: what config/detectors says about the geometry, exposure types and defaults of each."""

from dataclasses import dataclass, fields
from pathlib import Path


class DetectorError(ValueError):
    """The file of a detector is faulty."""


@dataclass(frozen=True)
class Border:
    """Widths of the border of reference pixels on the full frame, in pixels."""

    left: int
    right: int
    bottom: int
    top: int


@dataclass(frozen=True)
class Detector:
    """What is known of one detector.

    `n_columns`, `n_rows` and `reference_pixels` describe the full frame in pixels; `fast_axis` and `slow_axis` are
    FASTAXIS and SLOWAXIS; `material` is that of the light-sensitive layer; `output_strips` is the number of strips side
    by side along the fast axis, with an output each, of an array as long as the detector; `edgeless_subarrays` have no
    reference pixels, though the pipeline's refpix step takes their outer columns for such; with `relative_pedestal`
    darks vote with abs(second raw group - pedestal) in place of the pedestal; `mask_selectors` are the header keywords
    beside INSTRUME and DETECTOR by which CRDS selects a mask; the exposure types are those of its darks and internal
    flats; `max_dead_norm_signal_dn_per_s` is the default of max_dead_norm_signal for flats that are not normalised
    (None if there is none); `manual_flags` is the name of its file in config/manual_flags.
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
    edgeless_subarrays: tuple
    relative_pedestal: bool
    mask_selectors: tuple
    dark_exp_types: tuple
    flat_exp_types: tuple
    max_dead_norm_signal_dn_per_s: float | None
    manual_flags: str


LISTS = ("edgeless_subarrays", "mask_selectors", "dark_exp_types", "flat_exp_types")
ALLOWED = {
    "material": ("HgCdTe", "Si:As"),
    "output_strips": (1, 4),
    "relative_pedestal": (True, False),
    # What a mask's header can say of its exposures.
    "mask_selectors": ("EXP_TYPE", "READPATT"),
}


def _require_fields(cls, mapping, what):
    """Raise DetectorError unless the keys of `mapping` are the fields of `cls`."""
    expected = {field.name for field in fields(cls)}
    if set(mapping) != expected:
        missing, unknown = sorted(expected - set(mapping)), sorted(map(str, set(mapping) - expected))
        raise DetectorError(f"{what}: missing keys: {missing}, unknown keys: {unknown}")


def _require_allowed(mapping, what):
    """Raise DetectorError unless LISTS are lists, and values those of ALLOWED where it has the key."""
    for key in LISTS:
        if not isinstance(mapping[key], (list, tuple)):
            raise DetectorError(f"{what}: {key} is {mapping[key]!r}, not a list")
    for key, allowed in ALLOWED.items():
        if not set(mapping[key] if key in LISTS else [mapping[key]]) <= set(allowed):
            raise DetectorError(f"{what}: {key} is {mapping[key]!r}; allowed: {', '.join(map(str, allowed))}")


def detector_from_mapping(mapping):
    """The Detector of a plain mapping such as `dataclasses.asdict` makes; DetectorError if keys or values are wrong."""
    what = f"detector {mapping.get('name', '?')}"
    _require_fields(Detector, mapping, what)
    _require_fields(Border, mapping["reference_pixels"], f"{what}, reference_pixels")
    _require_allowed(mapping, what)
    border = Border(**mapping["reference_pixels"])
    return Detector(**{**mapping, "reference_pixels": border, **{key: tuple(mapping[key]) for key in LISTS}})


def _read(path):
    # Imported here because the jobs get their detector as a mapping and need no YAML.
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with open(path, encoding="utf-8") as file:
        return detector_from_mapping({"name": path.stem, **yaml.load(file, Loader=loader)})


def load_detectors(directory):
    """All detectors that have a file in `directory` (name, as in the DETECTOR keyword, -> Detector), sorted by name.

    Raises DetectorError when a file is faulty.
    """
    return {path.stem: _read(path) for path in sorted(Path(directory).glob("*.yaml"))}
