"""The names of exposures and of the files they come in."""

import os
import re

_NAME = re.compile(r"(?P<exposure>.+?)_(?P<suffix>uncal|rateints|rate|jump|fitopt)\.fits(?:\.gz)?$")


class InputError(ValueError):
    """The configured input files cannot be found or matched; the message says which."""


def exposure_name(path):
    """The exposure's root name: the file name without its product suffix.

    Names that do not end in a product suffix give the name without its extension.
    """
    name = os.path.basename(path)
    match = _NAME.match(name)
    return match["exposure"] if match else re.sub(r"\.fits(\.gz)?$", "", name)
