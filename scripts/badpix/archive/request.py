"""What is asked of MAST: kinds, detectors, EXP_TYPEs, dates and folders, from the configuration."""

import datetime
import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from badpix.config.exp_types import with_exp_types
from badpix.exposures.find import ENDINGS
from badpix.instrument.detectors import Detector

# Keys of the configuration with the folders of the files.
FOLDER_KEYS = {"darks": "darks", "flats": "flats"}
# The day with MJD 0.
_MJD_0 = datetime.date(1858, 11, 17).toordinal()


class FetchError(Exception):
    """Exposures cannot be fetched; the message is for the user. Files that were fetched before stay."""


@dataclass(frozen=True)
class Query:
    """A search: `detectors` of an instrument that share their EXP_TYPEs of a kind (darks or flats)."""

    kind: str
    instrument: str
    detectors: tuple[str, ...]
    exp_types: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind} of {', '.join(self.detectors)} ({', '.join(self.exp_types)})"


@dataclass(frozen=True)
class Request:
    """All that `snakemake fetch` asks for.

    `folders`: kind -> folder. `start` and `end` are days of DATE-OBS, both included. `subarrays` is empty for all.
    `max_files` is the largest number of files of a run, `connections` the number of downloads at the same time. With
    `cloud`, files are read from the public bucket where it has them.
    """

    queries: tuple[Query, ...]
    folders: Mapping[str, Path]
    start: datetime.date
    end: datetime.date
    subarrays: tuple[str, ...]
    max_files: int
    connections: int
    cloud: bool
    server: str

    @property
    def dates(self) -> str:
        """The days as text."""
        return f"{self.start} to {self.end}"

    @property
    def mjd_range(self) -> tuple[float, float]:
        """MJD of the begin of the first day and of the end of the last day."""
        return float(self.start.toordinal() - _MJD_0), float(self.end.toordinal() + 1 - _MJD_0)


def request_from(config: Mapping[str, Any], detectors: Mapping[str, Detector]) -> Request:
    """The request of a validated configuration; FetchError names the key that is missing or unusable."""
    keys = config["mast"]
    names = keys["detectors"] or (config["detectors"] if isinstance(config["detectors"], list) else None)
    if not names:
        raise FetchError("mast.detectors: null is not allowed for fetch; name the detectors, such as [NIS] or [NRCA1]")
    if not keys["start"]:
        raise FetchError("mast.start: null is not allowed for fetch; it must be the first day, YYYY-MM-DD")
    folders = {kind: _folder(key, config[key]) for kind, key in FOLDER_KEYS.items() if config[key]}
    if not folders:
        raise FetchError("darks, flats: both are null; fetch needs the folders for the files of MAST")
    if len(folders) == 2 and folders["darks"].resolve() == folders["flats"].resolve():
        raise FetchError(f"darks, flats: both are {config['darks']!r}; darks and flats need folders of their own")
    today = datetime.datetime.now(datetime.UTC).date()
    return Request(
        queries=tuple(_queries(names, folders, with_exp_types(detectors, config))),
        folders=folders,
        start=datetime.date.fromisoformat(keys["start"]),
        end=datetime.date.fromisoformat(keys["end"]) if keys["end"] else today,
        subarrays=tuple(keys["subarrays"] or ()),
        max_files=keys["max_files"],
        connections=keys["connections"],
        cloud=keys["cloud"],
        server=keys["server"].rstrip("/"),
    )


def _folder(key: str, value: str | Sequence[str]) -> Path:
    """The folder for the files of configuration `key`: its value, or the first of a list."""
    first = value if isinstance(value, str) else value[0]
    if glob.has_magic(first) or first.endswith(ENDINGS) or Path(first).is_file():
        raise FetchError(
            f"{key}: {first!r} is no folder; for fetch, {key} (of a list, its first entry) must be the folder that"
            " receives the files of MAST"
        )
    return Path(first)


def _queries(names: Sequence[str], kinds: Mapping[str, Path], detectors: Mapping[str, Detector]) -> list[Query]:
    groups: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for kind in kinds:
        for name in names:
            detector = detectors[name]
            types = detector.dark_exp_types if kind == "darks" else detector.flat_exp_types
            groups.setdefault((kind, detector.instrument, types), []).append(name)
    return [Query(kind, instrument, tuple(members), types) for (kind, instrument, types), members in groups.items()]
