"""Types of the arguments of the call."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# A file, several files, or none.
Files = str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None


@dataclass(frozen=True)
class Options:
    """What the official call does not have: `cores` of the run, further keys `config`, and the folder to `keep`."""

    cores: int = 1
    config: Mapping[str, Any] | None = None
    keep: str | os.PathLike[str] | None = None
