"""The names of exposures and of their files."""

import os
import re
from pathlib import Path

_NAME = re.compile(r"(?P<exposure>.+?)_(?P<suffix>uncal|rateints|rate|jump|fitopt)\.fits(?:\.gz)?$")


class InputError(ValueError):
    """The configured input files cannot be found or matched; the message names them."""


class NoFiles(InputError):
    """A key names a path without files."""


def exposure_name(path: str | Path) -> str:
    """The root name of an exposure: the file name without its product suffix.

    A file name without a product suffix gives the name without its extension.
    """
    # Without a Path object per file: every job does this for all input files.
    name = os.path.basename(path)  # noqa: PTH119
    match = _NAME.match(name)
    return match["exposure"] if match else re.sub(r"\.fits(\.gz)?$", "", name)
