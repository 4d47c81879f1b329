"""Paths as text: which the workflow cannot use, and how they are shown."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

# Limits of Linux file systems: bytes of a path with its end, and of a part of it.
MAX_PATH, MAX_PART = 4095, 255
# Snakemake takes {word} for a wildcard and <word> for a path variable, and replaces them.
REPLACED = "{}<>"


# $$, $NAME or ${NAME}; any other $ is part of the path.
_VARIABLE = re.compile(r"\$(?:\$|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")


def expand(path: str, environment: Mapping[str, str] = os.environ) -> str:
    """`path` with its environment variables ($NAME, ${NAME}) and ~ or ~user at its beginning replaced; $$ is a $.

    KeyError, with the name, for a variable that is not set or empty.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if not name:
            return "$"
        if not environment.get(name):
            raise KeyError(name)
        return environment[name]

    # Path.expanduser fails for a name ~backup that is no user; here it stays as it is.
    return os.path.expanduser(_VARIABLE.sub(value, path))  # noqa: PTH111


def text_problem(path: str) -> str | None:
    """The reason why no file can have this `path`, or why it cannot be shown ("has ..."), else None."""
    if not path.isprintable():
        return "has characters that cannot be printed"
    in_bytes = path.encode()
    if len(in_bytes) > MAX_PATH or max(map(len, in_bytes.split(b"/"))) > MAX_PART:
        return f"is too long; a path may have {MAX_PATH} bytes, and {MAX_PART} between slashes"
    return None


def path_problem(path: str) -> str | None:
    """The reason why the rules of the workflow cannot have this `path` ("has ..."), else None."""
    if any(character in path for character in REPLACED):
        return "has braces or angle brackets, which Snakemake would read as wildcards or path variables"
    return text_problem(path)


def shown(text: str) -> str:
    """`text` with characters that cannot be printed as escapes; bytes that are no UTF-8 appear as \\xNN."""
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    # Python reads a byte that is no UTF-8 as this surrogate.
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()


def is_same_file(first: str | Path, second: str | Path) -> bool:
    """True if both paths are of the same file, also through links; the files need not exist."""
    first, second = Path(first), Path(second)
    if first.resolve() == second.resolve():
        return True
    return first.exists() and second.exists() and first.samefile(second)
