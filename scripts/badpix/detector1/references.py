"""Which reference files calwebb_detector1 will ask CRDS for, fetched before many jobs ask at once."""

import logging
import os

logger = logging.getLogger(__name__)

# Of the address "serverless" keeps CRDS off the network.
SERVERLESS = "https://jwst-serverless.invalid"


class ReferencesUnavailable(Exception):
    """CRDS cannot give the reference files; the message says what is set and what to do."""


def fetch_references(exposure, types):
    """Fetch the reference files of `types` that CRDS selects for the file `exposure` into its cache.

    Returns (CRDS context, dict of reference type -> file name or `N/A`). Raises ReferencesUnavailable.
    """
    context, paths = references_of(exposure, types)
    return context, {kind: _file_name(path) for kind, path in sorted(paths.items())}


def fetch_mask(exposure):
    """Fetch the MASK that CRDS selects for the file `exposure`: (CRDS context, its path in the cache).

    Raises ReferencesUnavailable, also where CRDS has none.
    """
    context, paths = references_of(exposure, ["mask"])
    if _file_name(paths["mask"]) == "N/A":
        raise ReferencesUnavailable(
            f"CRDS ({context}) has no mask for {exposure} ({paths['mask']}), so there is none to compare with; set "
            "compare_with to a mask file, or to null"
        )
    return context, paths["mask"]


def references_of(exposure, types):
    """Fetch reference files of `types` that CRDS selects for the file `exposure` into the cache.

    Returns (CRDS context, dict of type -> path, or what CRDS says where there is none). Raises ReferencesUnavailable.
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
            f"CRDS cannot give the reference files of {exposure}: {_reason(error)} [{settings}; "
            "set these variables, or crds_path and crds_server_url in the configuration]"
        ) from error
    return context, paths


def _reason(error):
    """What CRDS said; when it ends the process, it has said it in the log."""
    return "no server and no cache can be reached" if isinstance(error, SystemExit) else str(error)


def _file_name(path):
    return "N/A" if path.upper().startswith(("N/A", "NOT FOUND")) else os.path.basename(path)


def use_cache_alone(exposure):
    """Let CRDS work from its cache alone from now on if that has all reference files of `exposure`; True if so.

    Jobs, of which there are many, then do not ask the server, and need no network.
    """
    server = os.environ.get("CRDS_SERVER_URL")
    if server is None or "serverless" in server:
        return True
    # Those of the jwst that is installed. Imported here because it takes seconds.
    from jwst.pipeline import Detector1Pipeline

    _set_server(SERVERLESS)
    try:
        fetch_references(exposure, sorted(set(Detector1Pipeline().reference_file_types)))
    except Exception as reason:  # also of an exposure that cannot be read: the pipeline will say so
        logger.warning("not all reference files are in the cache, so %s is asked: %s", server, reason)
        _set_server(server)
        return False
    logger.info("all reference files are in the cache; %s is not asked", server)
    return True


def _set_server(url):
    """Change the server of CRDS, which has read the environment when it was imported, and forget what it said."""
    from crds.client import api
    from crds.core import utils

    os.environ["CRDS_SERVER_URL"] = url
    api.set_crds_server(url)
    utils.clear_function_caches()
