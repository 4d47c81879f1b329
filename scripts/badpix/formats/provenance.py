"""The provenance of a file that the workflow made: its settings, its inputs and the software, as the last extension.

Table PROVENANCE has the text columns ROLE, NAME and VALUE, with a row per `setting` (configuration key, value as JSON),
`input` (product, an InputFile as JSON), `software` (package, version) and `sum` (extension; its DATASUM or, where it
has no CHECKSUM, the sum of its header and data). The table is at the end of the file, so it can also be added to the
products of the pipeline, and its position shows whether the file is complete. Before a run the rules read it from
thousands of files, so this module reads it without astropy.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

EXTENSION = "PROVENANCE"
# Among the software: the CRDS context that selected the reference files.
CONTEXT = "CRDS context"
COLUMNS = ("ROLE", "NAME", "VALUE")
BLOCK, CARD = 2880, 80
# Bytes read from the end of a file; more if the table is longer. A table of an exposure has about 8 kB.
TAIL = 24 * BLOCK
_START = b"XTENSION= 'BINTABLE'"
# The primary header gives the rest of the provenance: the rejection of an exposure.
_REJECTED = re.compile(rb"REJECTED= {20}T")

# A row of the table: role, name, value.
Row = tuple[str, str, str]


class NoProvenance(Exception):
    """A file has no provenance at its end; the message is the reason."""


@dataclass(frozen=True)
class InputFile:
    """An input file: its product (uncal, rateints, statistics ...), its name, size in bytes and state.

    `stamp` is the result of `badpix.core.content.stamp` when the file was read. `digest` identifies the content: the
    SHA-256 of the file or, of a file with a provenance, `Provenance.digest`. `cal_ver`, `crds_context` and `references`
    (keyword -> reference file) describe its processing by the pipeline; empty if its header lacks them.
    """

    product: str
    name: str
    n_bytes: int
    stamp: tuple[int, ...]
    digest: str
    cal_ver: str = ""
    crds_context: str = ""
    references: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Provenance:
    """What a file was made from: settings (key -> JSON value), inputs, software (package -> version).

    `sums` maps the extensions to their sums. `rejected` is True for a product of a rejected exposure.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[InputFile, ...] = ()
    software: Mapping[str, str] = field(default_factory=dict)
    sums: Mapping[str, str] = field(default_factory=dict)
    rejected: bool = False

    def rows(self) -> Iterator[Row]:
        """The rows of the table."""
        for key, value in self.settings.items():
            yield "setting", key, as_json(value)
        for file in self.inputs:
            yield "input", file.product, as_json({k: v for k, v in asdict(file).items() if k != "product"})
        for package, number in self.software.items():
            yield "software", package, number
        for extension, total in self.sums.items():
            yield "sum", extension, total

    @cached_property
    def digest(self) -> str:
        """SHA-256 of settings, contents of the inputs, software and data: equal for files with the same content."""
        inputs = sorted((file.product, file.name, file.digest) for file in self.inputs)
        content = [dict(self.settings), inputs, dict(self.software), dict(self.sums)]
        return hashlib.sha256(as_json(content).encode()).hexdigest()


def as_json(value: object) -> str:
    """`value` as JSON in one form: equal settings have equal texts."""
    return json.dumps(value, sort_keys=True, default=list)


def different_setting(made: Mapping[str, object], now: Mapping[str, object]) -> str | None:
    """The first setting (key -> value) that differs between `made` and `now`, as text; None if they agree.

    Only keys of both are compared.
    """
    for key in sorted(made.keys() & now.keys()):
        if as_json(made[key]) != as_json(now[key]):
            return f"{key} was {as_json(made[key])} and is {as_json(now[key])} now"
    return None


def versions(*packages: str) -> dict[str, str]:
    """Package -> installed version."""
    return {package: version(package) for package in packages}


def from_rows(rows: Iterator[Row], rejected: bool = False) -> Provenance:
    """The Provenance of the rows of a table."""
    roles: dict[str, dict[str, str]] = {"setting": {}, "software": {}, "sum": {}}
    inputs = []
    for role, name, value in rows:
        if role == "input":
            entry = json.loads(value)
            inputs.append(InputFile(name, **{**entry, "stamp": tuple(entry["stamp"])}))
        else:
            roles[role][name] = value
    settings = {key: json.loads(value) for key, value in roles["setting"].items()}
    return Provenance(settings, tuple(inputs), roles["software"], roles["sum"], rejected)


def read_provenance(path: str | Path) -> Provenance:
    """The Provenance at the end of the file `path`, which is complete then.

    Raises NoProvenance if it has none, as where the file was cut off, and OSError where it cannot be read.
    """
    with Path(path).open("rb") as file:
        head = file.read(BLOCK)
        table = _table_at_end(file)
    try:
        return from_rows(_rows(table), bool(_REJECTED.search(head)))
    except (ValueError, KeyError, TypeError) as error:
        raise NoProvenance(f"its table {EXTENSION} is damaged: {error}") from error


def table_at_end(path: str | Path) -> bytes:
    """Header and data of the extension PROVENANCE at the end of the file `path`; errors as of `read_provenance`."""
    with Path(path).open("rb") as file:
        return _table_at_end(file)


def _table_at_end(file: Any) -> bytes:
    """Header and data of the extension PROVENANCE at the end of an open file."""
    length = file.seek(0, 2)
    if length % BLOCK:
        raise NoProvenance(f"it is incomplete: {length} bytes are not a multiple of {BLOCK}")
    tail = TAIL
    while True:
        start = max(0, length - tail)
        file.seek(start)
        content = file.read(length - start)
        at = _last_start(content)
        if at is not None:
            return content[at:]
        if start == 0:
            raise NoProvenance(f"it has no table {EXTENSION} at its end")
        tail *= 16


def _last_start(content: bytes) -> int | None:
    """Position of the last header of a table PROVENANCE at a block of `content`, None without."""
    for at in range(len(content) - BLOCK, -1, -BLOCK):
        if content.startswith(_START, at):
            header = content[at : at + BLOCK]
            return at if f"EXTNAME = '{EXTENSION}".encode() in header else None
    return None


def _rows(table: bytes) -> Iterator[Row]:
    """The rows of the extension `table` (header and data)."""
    header_end = table.index(b"END" + b" " * (CARD - 3))
    data_at = -(-(header_end + CARD) // BLOCK) * BLOCK
    cards = {
        table[at : at + 8].rstrip().decode(): table[at + 10 : at + CARD].split(b"/")[0].strip(b" '").decode()
        for at in range(0, header_end, CARD)
    }
    widths = [int(cards[f"TFORM{number}"].rstrip("A")) for number in (1, 2, 3)]
    length, n_rows = int(cards["NAXIS1"]), int(cards["NAXIS2"])
    if sum(widths) != length or len(table) != data_at - (-(length * n_rows) // BLOCK) * BLOCK:
        raise ValueError(f"{len(table)} bytes for {n_rows} rows of {length} bytes")
    for at in range(data_at, data_at + n_rows * length, length):
        texts, position = [], at
        for width in widths:
            texts.append(table[position : position + width].rstrip(b"\0 ").decode("ascii"))
            position += width
        role, name, value = texts
        yield role, name, value
