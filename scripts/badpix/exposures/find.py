"""Find the input files that the configuration names, and match them by exposure."""

import glob
import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from badpix.core.content import sha256_of
from badpix.core.paths import shown, text_problem
from badpix.core.reasons import MAX_NAMES
from badpix.core.wording import first_of
from badpix.exposures.sheet import Exposures, read_sheet
from badpix.instrument.file_names import InputError, NoFiles, exposure_name

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
# Files of these keys complete an exposure of the KEYS; alone they make no exposure.
COMPANION_KEYS = {"darks": {"uncal": "dark_uncal_files"}, "flats": {"flux_check": "dead_flux_check_files"}}
SUFFIXES = {
    "uncal": ("uncal",),
    "rateints": ("rateints", "rate"),
    "jump": ("jump",),
    "fitopt": ("fitopt",),
    "flux_check": ("uncal",),
}
ENDINGS = (".fits", ".fits.gz")
# Where the client of MAST puts the folders of exposures, below the folder of a download.
LAYOUTS = ("", "JWST/", "mastDownload/JWST/")
# In the names of files of guide stars, which MAST delivers with the exposures.
GUIDE_STAR = "_gs-"


def find_files(key: str, value: str | Path | Sequence[str | Path] | None, suffixes: Sequence[str]) -> list[str]:
    """Paths that configuration `key` names: `value` is None, a directory, a glob, a file, or a list of these.

    A directory stands for the FITS files whose names end in any of `suffixes`: files in it, and in its folders of
    single exposures as MAST makes them. `**` in a glob matches folders at any depth. Files of guide stars are left out
    of directories and globs, and files that are not FITS files of globs. Raises InputError when a named file or
    directory does not exist.
    """
    paths: list[str] = []
    for item in map(str, [value] if isinstance(value, (str, Path)) else value or []):
        if problem := text_problem(item):
            raise InputError(f"{key}: the path {shown(item)[:60]!r} {problem}")
        if _is_directory(key, item):
            found = _in_directory(item, suffixes)
            if not found:
                endings = " or ".join(f"*_{suffix}.fits" for suffix in suffixes)
                processed = (
                    "; its *_dark.fits files are processed by calwebb_dark, give the uncal files instead"
                    if "uncal" in suffixes and _in_directory(item, ("dark",))
                    else "; files in deeper folders need a glob with **"
                )
                raise NoFiles(
                    f"{key}: no {endings} files in the directory {item!r} or in folders of exposures in it"
                    f" ({LAYOUTS[-1]}<exposure>){processed}"
                )
        elif os.path.exists(item):  # noqa: PTH110 - False also where it cannot be found out
            found = [item]
        else:
            found = [path for path in _matches(item) if path.endswith(ENDINGS)]
            if not found:
                place = "" if os.path.isabs(item) else f" (in {os.getcwd()})"  # noqa: PTH109, PTH117 - texts
                raise NoFiles(f"{key}: no such file or directory, and no match: {item!r}{place}")
        paths.extend(found)
    # A single spelling per file: `a//b` and `./a/b` become `a/b`.
    return sorted({str(Path(path)) for path in paths})


def _in_directory(directory: str, suffixes: Sequence[str]) -> list[str]:
    """The FITS files with these `suffixes` in `directory` and in its folders of exposures.

    Without a part of MAST's layout between them, such a folder has the name of the exposure.
    """
    names = [f"*_{suffix}{ending}" for suffix in suffixes for ending in ENDINGS]
    base = glob.escape(directory)
    found = [path for name in names for path in _matches(f"{base}/{name}")]
    for layout in LAYOUTS:
        nested = [path for name in names for path in _matches(f"{base}/{layout}*/{name}")]
        found += [path for path in nested if layout or exposure_name(path) == Path(path).parent.name]
    return found


def _is_directory(key: str, path: str) -> bool:
    """True if `path` is a directory; InputError if this cannot be found out."""
    try:
        return Path(path).is_dir()
    except OSError as error:
        raise InputError(f"{key}: {path!r} cannot be read: {error.strerror}") from error


def _matches(pattern: str) -> list[str]:
    # Path.glob refuses absolute patterns and includes hidden files.
    found = glob.glob(pattern, recursive=True)  # noqa: PTH207
    return [path for path in found if GUIDE_STAR not in Path(path).name]


def _prefer_rateints(paths: Sequence[str]) -> list[str]:
    """`paths` without the rate files of exposures that have a rateints file too."""
    with_integrations = {exposure_name(path) for path in paths if "_rateints." in Path(path).name}
    return [path for path in paths if "_rateints." in Path(path).name or exposure_name(path) not in with_integrations]


# Gives the SHA-256 of the content of a file.
Digest = Callable[[str], str]
# Exposure -> product -> (key, path).
Claims = dict[str, dict[str, tuple[str, str]]]


def _same_content(first: str, second: str, digest: Digest) -> bool:
    """True if both files have the same content; False also where this cannot be found out."""
    try:
        return os.path.getsize(first) == os.path.getsize(second) and digest(first) == digest(second)  # noqa: PTH202
    except OSError:
        return False


def _claim(exposures: Claims, key: str, product: str, path: str, digest: Digest, name: str | None = None) -> None:
    """Enter `path`, a file of configuration `key`, as the `product` of its exposure unless an earlier key has it.

    The `name` of the exposure is by default that of the file. Of copies of a file, the first is used. InputError if the
    same key, or the sheet and any key, give files of different content.
    """
    name = name or exposure_name(path)
    entry = exposures[name]
    known = entry.get(product)
    if known and (known[0] == key or "exposures" in (known[0], key)) and known[1] != path:
        if _same_content(known[1], path, digest):
            return
        keys = key if known[0] == key else f"{known[0]} and {key}"
        raise InputError(
            f"{keys}: two {product} files of the exposure {name} with different content: {known[1]!r}"
            f" and {path!r}; take one of them out of the inputs"
        )
    entry.setdefault(product, (key, path))


def _match_kind(
    kind: str, config: Mapping[str, Any], sheet: Mapping[str, Mapping[str, str]], digest: Digest
) -> dict[str, dict[str, str]]:
    """The files of the darks or of the flats: exposure -> product -> path; `sheet` has the kind's rows of the sheet."""
    exposures: Claims = defaultdict(dict)
    for name, files in sheet.items():
        for product, path in files.items():
            if not os.path.exists(path):  # noqa: PTH110
                raise InputError(f"exposures: no such file: {path!r}")
            _claim(exposures, "exposures", product, str(Path(path)), digest, name)
    for product, key in KEYS[kind].items():
        paths = find_files(key, config[key], SUFFIXES[product])
        for path in _prefer_rateints(paths) if product == "rateints" else paths:
            _claim(exposures, key, product, path, digest)
    for product, key in COMPANION_KEYS[kind].items():
        for path in find_files(key, config[key], SUFFIXES[product]):
            if exposure_name(path) not in exposures:
                raise InputError(f"{key}: {path!r} belongs to no exposure of the {kind}")
            _claim(exposures, key, product, path, digest)
    return {name: {product: path for product, (_, path) in exposures[name].items()} for name in sorted(exposures)}


def match_inputs(config: Mapping[str, Any], digest: Digest = sha256_of) -> Exposures:
    """All input files by kind and exposure: kind -> exposure -> product -> path.

    `digest` gives the SHA-256 of a file, for files of the same name. Raises InputError when a file is missing, when an
    exposure has two files of the same product with different content, when a companion file belongs to no exposure, and
    when an exposure is a dark and a flat.
    """
    sheet = read_sheet(config["exposures"]) if config["exposures"] else {kind: {} for kind in KEYS}
    result, missing = {}, []
    for kind in KEYS:
        try:
            result[kind] = _match_kind(kind, config, sheet[kind], digest)
        except NoFiles as error:
            missing.append(str(error))
    if missing:
        raise NoFiles("\n".join(missing))
    both = sorted(set(result["darks"]) & set(result["flats"]))
    if both:
        raise InputError(
            f"given as a dark and as a flat: {first_of(both, MAX_NAMES)}; a folder with darks and flats needs a glob or"
            " a list for each of both keys, or the table of the key exposures (docs/howto/inputs.md)"
        )
    return result


def configured_kinds(config: Mapping[str, Any]) -> list[str]:
    """The kinds (darks, flats) with exposures in the configuration."""
    sheet = read_sheet(config["exposures"]) if config["exposures"] else {}
    return [kind for kind, keys in KEYS.items() if any(config[key] for key in keys.values()) or sheet.get(kind)]
