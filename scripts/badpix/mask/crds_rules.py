"""The rules by which CRDS selects masks: the mask rmap of the context in use, from the cache of CRDS alone.

The package crds is imported in the functions: it reads its settings from the environment at its import.
"""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from badpix.core.content import cache_folder
from badpix.core.crds_settings import SERVERLESS, context_of_cache, set_crds_environment, set_server

if TYPE_CHECKING:
    from crds.core.rmap import ReferenceMapping

logger = logging.getLogger(__name__)

VARIABLES = ("CRDS_PATH", "CRDS_SERVER_URL", "CRDS_CONTEXT", "CRDS_OBSERVATORY")
DATES = ("META.OBSERVATION.DATE", "META.OBSERVATION.TIME")


class RulesUnavailable(Exception):
    """The cache of CRDS has no mask rmap for an instrument; the message has the reason."""


@dataclass(frozen=True)
class MaskRules:
    """The mask rmap of `context`: `keywords` by which it selects (without the date) and the ReferenceMapping itself."""

    context: str
    keywords: tuple[str, ...]
    rmap: "ReferenceMapping"


def keyword_of(name: str) -> str:
    """The header keyword of a name in CRDS, such as READPATT of META.EXPOSURE.READPATT."""
    from crds.jwst.schema import dm_to_fits

    return dm_to_fits(name) or name


@contextmanager
def cache_alone(crds: Mapping[str, str | None], contexts: Iterable[str] = ()) -> Iterator[str | None]:
    """Have CRDS use its cache alone, with the context of the configuration, of the environment, or of the cache.

    If the cache does not have the mappings of its own context, the context is the only member of `contexts`, those of
    the exposures; the value of the context manager is then a warning.
    """
    before, of_exposures, warning = {name: os.environ.get(name) for name in VARIABLES}, set(contexts), None
    set_crds_environment(crds["path"], SERVERLESS, crds["context"])
    if not os.environ.get("CRDS_CONTEXT") and len(of_exposures) == 1:
        (name,), mappings = of_exposures, mappings_folder()
        own = context_of_cache(cache_folder(os.environ.get("CRDS_PATH")))
        if (mappings / name).is_file() and not (own and (mappings / own).is_file()):
            os.environ["CRDS_CONTEXT"] = name
            warning = (
                f"the cache of CRDS has no mappings of its context {own}; the rules are those of {name}, the context of"
                " the exposures"
            )
            logger.warning("%s", warning)
    set_server(SERVERLESS)
    try:
        yield warning
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def mappings_folder() -> Path:
    """The folder of the mappings in the cache of the environment."""
    return cache_folder(os.environ.get("CRDS_PATH")) / "mappings" / "jwst"


def mask_rules(instrument: str) -> MaskRules:
    """The MaskRules of `instrument`, within `cache_alone`. RulesUnavailable where the cache does not have them."""
    folder = mappings_folder()
    if not folder.is_dir():
        raise RulesUnavailable(f"no such folder: {folder}")
    import crds
    from crds.core.exceptions import CrdsError

    try:
        context = crds.get_context_name("jwst")
        rmap = crds.get_cached_mapping(context).get_imap(instrument).get_rmap("mask")
        # get_required_parkeys has further keywords, which select other types of files.
        keywords = tuple(keyword_of(name) for names in rmap.parkey for name in names if name not in DATES)
    # Damaged mappings raise many types of error.
    except (CrdsError, SystemExit, OSError, ValueError, KeyError, AttributeError, SyntaxError, AssertionError) as error:
        # Without the files of a server CRDS ends the process.
        reason = "no context, because config/jwst/server_config is missing" if isinstance(error, SystemExit) else error
        raise RulesUnavailable(f"{folder} has no rules for masks of {instrument}: {reason}") from error
    return MaskRules(context, keywords, rmap)
