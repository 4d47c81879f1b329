"""Find the input files that the configuration names, and match them by exposure."""

import glob
from collections import defaultdict
from pathlib import Path

from badpix.exposures.sheet import read_sheet
from badpix.instrument.file_names import InputError, exposure_name

# Keys of the configuration: kind of exposure -> product -> key.
KEYS = {
    "darks": {
        "uncal": "darks",
        "rateints": "dark_slope_files",
        "jump": "dark_jump_files",
        "fitopt": "dark_fitopt_files",
    },
    "flats": {"uncal": "flats", "rateints": "flat_slope_files"},
}
# These say more about an exposure that other keys bring; alone they make none.
COMPANION_KEYS = {"darks": {"uncal": "dark_uncal_files"}, "flats": {"flux_check": "dead_flux_check_files"}}
SUFFIXES = {
    "uncal": ("uncal",),
    "rateints": ("rateints", "rate"),
    "jump": ("jump",),
    "fitopt": ("fitopt",),
    "flux_check": ("uncal",),
}


def find_files(key, value, suffixes):
    """Paths that configuration `key` names: `value` is None, a directory, a glob, a file, or a list of these.

    A directory stands for the FITS files in it that end in one of `suffixes`. Raises InputError when something
    named does not exist.
    """
    paths = []
    for item in [value] if isinstance(value, (str, Path)) else value or []:
        item = str(item)
        if Path(item).is_dir():
            found = [
                path
                for suffix in suffixes
                for ending in ("fits", "fits.gz")
                for path in glob.glob(f"{glob.escape(item)}/*_{suffix}.{ending}")
            ]
            if not found:
                endings = " or ".join(f"*_{suffix}.fits" for suffix in suffixes)
                raise InputError(f"{key}: no {endings} files in the directory {item!r}")
        elif Path(item).exists():
            found = [item]
        else:
            found = glob.glob(item)
            if not found:
                raise InputError(f"{key}: no such file or directory, and no match: {item!r}")
        paths.extend(found)
    # One spelling per file: `a//b` and `./a/b` are `a/b`.
    return sorted({str(Path(path)) for path in paths})


def _prefer_rateints(paths):
    """Where an exposure has both a rateints and a rate file, keep the first."""
    with_integrations = {exposure_name(path) for path in paths if "_rateints." in Path(path).name}
    return [path for path in paths if "_rateints." in Path(path).name or exposure_name(path) not in with_integrations]


def _claim(exposures, key, product, path):
    """Enter `path` as the `product` of its exposure; InputError if another file of the same key is there already."""
    entry = exposures[exposure_name(path)]
    known = entry.get(product)
    if known and (known[0] == key or "exposures" in (known[0], key)) and known[1] != path:
        keys = key if known[0] == key else f"{known[0]} and {key}"
        raise InputError(
            f"{keys}: two {product} files of the exposure {exposure_name(path)}: {known[1]!r} and {path!r}"
        )
    entry.setdefault(product, (key, path))


def _match_kind(kind, config, sheet):
    """The files of the darks or of the flats: exposure -> product -> path; `sheet` is that of the kind's exposures."""
    exposures = defaultdict(dict)
    for files in sheet.values():
        for product, path in files.items():
            if not Path(path).exists():
                raise InputError(f"exposures: no such file: {path!r}")
            _claim(exposures, "exposures", product, str(Path(path)))
    for product, key in KEYS[kind].items():
        paths = find_files(key, config[key], SUFFIXES[product])
        for path in _prefer_rateints(paths) if product == "rateints" else paths:
            _claim(exposures, key, product, path)
    for product, key in COMPANION_KEYS[kind].items():
        for path in find_files(key, config[key], SUFFIXES[product]):
            if exposure_name(path) not in exposures:
                raise InputError(f"{key}: {path!r} is of no exposure that is given as one of the {kind}")
            _claim(exposures, key, product, path)
    return {name: {product: path for product, (_, path) in exposures[name].items()} for name in sorted(exposures)}


def match_inputs(config):
    """All input files by kind and exposure: kind -> exposure -> product -> path.

    Raises InputError when files are missing, when two files claim the same place, or when a file belongs to none.
    """
    sheet = read_sheet(config["exposures"]) if config["exposures"] else {kind: {} for kind in KEYS}
    result = {kind: _match_kind(kind, config, sheet[kind]) for kind in KEYS}
    both = sorted(set(result["darks"]) & set(result["flats"]))
    if both:
        raise InputError(f"given as a dark and as a flat: {', '.join(both)}")
    return result


def configured_kinds(config):
    """The kinds (darks, flats) of which the configuration names any exposures."""
    sheet = read_sheet(config["exposures"]) if config["exposures"] else {}
    return [kind for kind, keys in KEYS.items() if any(config[key] for key in keys.values()) or sheet.get(kind)]
