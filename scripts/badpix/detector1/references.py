"""The CRDS reference files of calwebb_detector1, fetched once before many jobs need them at the same time."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

logger = logging.getLogger(__name__)

# CRDS does not use the network when the address contains "serverless".
SERVERLESS = "https://jwst-serverless.invalid"


class ReferencesUnavailable(Exception):
    """CRDS cannot provide the reference files; the message gives the settings and the remedy."""


def fetch_references(exposure: str | Path, types: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Fetch the reference files of `types` that CRDS selects for the file `exposure` into its cache.

    Returns (CRDS context, dict of reference type -> file name or `N/A`). Raises ReferencesUnavailable.
    """
    context, paths = references_of(exposure, types)
    return context, {kind: _file_name(path) for kind, path in sorted(paths.items())}


def fetch_mask(exposure: str | Path) -> tuple[str, str]:
    """Fetch the MASK that CRDS selects for the file `exposure`: (CRDS context, path in the cache).

    Raises ReferencesUnavailable, also where CRDS has no mask.
    """
    context, paths = references_of(exposure, ["mask"])
    if _file_name(paths["mask"]) == "N/A":
        raise ReferencesUnavailable(
            f"CRDS ({context}) has no mask for {exposure} ({paths['mask']}) for the comparison; set compare_with "
            "to a mask file, or to null"
        )
    return context, paths["mask"]


def references_of(exposure: str | Path, types: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Fetch the reference files of `types` that CRDS selects for the file `exposure` into the cache.

    Returns (CRDS context, dict of type -> path or, without a file, the reply of CRDS). Raises ReferencesUnavailable.
    """
    import crds
    from crds.core.exceptions import CrdsError
    from stdatamodels.jwst import datamodels

    try:
        with datamodels.open(str(exposure)) as model:
            parameters = model.get_crds_parameters()
        paths = crds.getreferences(parameters, reftypes=types, observatory="jwst")
        context = crds.get_context_name("jwst")
    except (CrdsError, SystemExit) as error:  # without a cache CRDS ends the process
        settings = ", ".join(f"{name}={os.environ.get(name, '(not set)')}" for name in ("CRDS_PATH", "CRDS_SERVER_URL"))
        raise ReferencesUnavailable(
            f"CRDS cannot provide the reference files of {exposure}: {_reason(error)} [{settings}; "
            "set these variables, or crds_path and crds_server_url in the configuration]"
        ) from error
    return context, paths


def _reason(error: BaseException) -> str:
    """The message of CRDS; when CRDS ends the process, its message is in the log."""
    return "no server and no cache can be reached" if isinstance(error, SystemExit) else str(error)


def _file_name(path: str) -> str:
    return "N/A" if path.upper().startswith(("N/A", "NOT FOUND")) else Path(path).name


def use_cache_alone(exposure: str | Path) -> bool:
    """Make CRDS use only its cache from now on, if the cache has all reference files of `exposure`; True if so.

    Many jobs then send no requests to the server, and need no network.
    """
    server = os.environ.get("CRDS_SERVER_URL")
    if server is None or "serverless" in server:
        return True
    # Imported here because it takes seconds.
    from jwst.pipeline import Detector1Pipeline

    _set_server(SERVERLESS)
    try:
        fetch_references(exposure, sorted(set(Detector1Pipeline().reference_file_types)))
    except Exception as reason:  # also for an exposure that cannot be read, which the pipeline reports
        logger.warning("not all reference files are in the cache, so the server %s is used: %s", server, reason)
        _set_server(server)
        return False
    logger.info("all reference files are in the cache; the server %s is not used", server)
    return True


def _set_server(url: str) -> None:
    """Change the server of CRDS, which read the environment at import, and clear the replies that CRDS has cached."""
    from crds.client import api
    from crds.core import utils

    os.environ["CRDS_SERVER_URL"] = url
    api.set_crds_server(url)
    utils.clear_function_caches()
