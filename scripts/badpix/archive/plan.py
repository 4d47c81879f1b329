"""Which files of MAST are fetched, and why the others are not."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from badpix.archive.index import Fetched
from badpix.archive.products import RAW
from badpix.archive.search import ArchiveFile
from badpix.exposures.find import find_files
from badpix.exposures.sheet import read_sheet
from badpix.instrument.file_names import InputError

# Keys of the configuration with raw files.
RAW_KEYS = ("darks", "flats", "dark_uncal_files", "dead_flux_check_files")


@dataclass(frozen=True)
class Plan:
    """The files of MAST by what is done with them.

    `fetch` has lists of all missing files of an exposure. The rest is left alone: `here` are present, `removed` are
    files of earlier fetches that were removed, `closed` are not public, `incomplete` are of exposures of which MAST has
    not all segments, `later` has the files of exposures that exceed `max_files`.
    """

    fetch: tuple[tuple[ArchiveFile, ...], ...] = ()
    here: tuple[ArchiveFile, ...] = ()
    removed: tuple[ArchiveFile, ...] = ()
    closed: tuple[ArchiveFile, ...] = ()
    incomplete: tuple[ArchiveFile, ...] = ()
    later: tuple[tuple[ArchiveFile, ...], ...] = ()

    @property
    def size(self) -> int:
        """Bytes of the files to fetch, as far as MAST lists them."""
        return sum(file.size or 0 for exposure in self.fetch for file in exposure)


def names_here(config: Mapping[str, Any], folders: Iterable[Path]) -> set[str]:
    """The names of the raw files that are among the inputs already, wherever they lie, without `.gz`."""
    paths = [str(path) for folder in folders for path in folder.glob(f"*{RAW}*")]
    for key in RAW_KEYS:
        given = config[key] or []
        for item in [given] if isinstance(given, str) else given:
            # A folder that does not exist yet, or without files, has none.
            with suppress(InputError):
                paths += find_files(key, item, ("uncal",))
    if config["exposures"]:
        rows = [files for kind in read_sheet(config["exposures"]).values() for files in kind.values()]
        paths += [path for files in rows for path in files.values()]
    return {Path(path).name.removesuffix(".gz") for path in paths if path.endswith((RAW, f"{RAW}.gz"))}


def planned(
    files: Iterable[ArchiveFile], index: Mapping[str, Fetched], here: set[str], has_token: bool, max_files: int
) -> Plan:
    """The plan for `files` of MAST, in the order of `files`, but with files that are not public last.

    Parameters
    ----------
    files : iterable of ArchiveFile
        Found by the search.
    index : mapping
        Name -> row of the index of the folder of the file.
    here : set of str
        Names of the raw files among the inputs (`names_here`).
    has_token : bool
        Files that are not public are tried.
    max_files : int
        Whole exposures are fetched until they have this number of files, at least one exposure.
    """
    exposures: dict[str, list[ArchiveFile]] = {}
    for file in files:
        exposures.setdefault(file.exposure, []).append(file)
    parts: dict[str, list[ArchiveFile]] = {name: [] for name in ("here", "removed", "closed", "incomplete")}
    fetch: list[tuple[ArchiveFile, ...]] = []
    later: list[tuple[ArchiveFile, ...]] = []
    n_files = 0
    # The right to a file that is not public is known only when it is asked for.
    for segments in sorted(exposures.values(), key=lambda segments: any(file.restricted for file in segments)):
        missing = []
        for file in segments:
            row = index.get(file.name)
            if file.name not in here and row is not None:
                parts["removed"].append(file)
            elif file.name in here and (row is None or not _replaced(file, row)):
                parts["here"].append(file)
            else:
                missing.append(file)
        if not missing:
            continue
        if any(file.restricted for file in missing) and not has_token:
            parts["closed"] += missing
        elif len(segments) < max(file.n_segments for file in segments):
            parts["incomplete"] += missing
        elif fetch and n_files + len(missing) > max_files:
            later.append(tuple(missing))
        else:
            fetch.append(tuple(missing))
            n_files += len(missing)
    return Plan(fetch=tuple(fetch), later=tuple(later), **{name: tuple(members) for name, members in parts.items()})


def _replaced(file: ArchiveFile, row: Fetched) -> bool:
    """True if MAST has another version of the fetched file of an index's `row`.

    The MD5 decides where MAST lists it, since listed sizes can be old.
    """
    if file.checksum:
        return file.checksum not in (row.checksum, row.listed_checksum)
    return file.size is not None and file.size not in (row.size, row.listed_size)
