"""Find the input files that the configuration names, and match them by exposure."""

import glob
import re
from collections import defaultdict
from pathlib import Path

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
_NAME = re.compile(r"(?P<exposure>.+?)_(?P<suffix>uncal|rateints|rate|jump|fitopt)\.fits(?:\.gz)?$")


class InputError(ValueError):
    """The configured input files cannot be found or matched; the message says which."""


def exposure_name(path):
    """The exposure's root name: the file name without its product suffix.

    Names that do not end in a product suffix give the name without its extension.
    """
    match = _NAME.match(Path(path).name)
    return match["exposure"] if match else re.sub(r"\.fits(\.gz)?$", "", Path(path).name)


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
    if known and known[0] == key:
        raise InputError(f"{key}: two {product} files of the exposure {exposure_name(path)}: {known[1]!r} and {path!r}")
    entry.setdefault(product, (key, path))


def _match_kind(kind, config):
    """The files of the darks or of the flats: exposure -> product -> path."""
    exposures = defaultdict(dict)
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
    result = {kind: _match_kind(kind, config) for kind in KEYS}
    both = sorted(set(result["darks"]) & set(result["flats"]))
    if both:
        raise InputError(f"given as a dark and as a flat: {', '.join(both)}")
    return result


def configured_kinds(config):
    """The kinds (darks, flats) for which the configuration names any exposures."""
    return [kind for kind, keys in KEYS.items() if any(config[key] for key in keys.values())]
