"""The CRDS reference files of calwebb_detector1, fetched once before many jobs need them at the same time."""

import fcntl
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from badpix.core.content import cache_folder, sha256_of
from badpix.core.crds_settings import SERVERLESS, set_server
from badpix.core.fits_check import file_problem
from badpix.core.startup import detector1_pipeline

logger = logging.getLogger(__name__)
# Reference types of step parameters begin with this.
PARAMETERS = "pars-"


class ReferencesUnavailable(Exception):
    """CRDS cannot provide the reference files; the message gives the settings and the remedy."""


def detector1_types() -> list[str]:
    """The types of reference files and of step parameters that calwebb_detector1 requests from CRDS, by name."""
    return sorted({*detector1_pipeline()().reference_file_types, *_parameter_types()})


def _parameter_types() -> list[str]:
    pipeline = detector1_pipeline()
    return [step.get_config_reftype() for step in (pipeline, *pipeline.step_defs.values())]


def fetch_references(exposure: str | Path, types: Sequence[str]) -> tuple[str, dict[str, str | None]]:
    """Fetch the reference files of `types` that CRDS selects for the file `exposure` into its cache.

    Returns (CRDS context, dict of reference type -> path, None without a file). Raises ReferencesUnavailable, also for
    a damaged file.
    """
    # CRDS makes the folders of its cache without regard to other processes that make them.
    with sole_user_of_cache():
        context, found = references_of(exposure, types)
    paths = {kind: None if _file_name(path) == "N/A" else path for kind, path in sorted(found.items())}
    require_sound(path for path in paths.values() if path)
    return context, paths


@contextmanager
def sole_user_of_cache() -> Iterator[None]:
    """Hold a lock in the CRDS cache; without effect where the cache cannot be written or has no locks."""
    folder = os.environ.get("CRDS_PATH")
    if not folder:
        yield
        return
    with suppress(OSError):
        Path(folder).mkdir(parents=True, exist_ok=True)
    lock = None
    try:
        with suppress(OSError):
            lock = Path(folder, ".jwst-badpix.lock").open("a")  # noqa: SIM115 - closed below
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        if lock:
            lock.close()


def require_sound(paths: Iterable[str | Path]) -> None:
    """Raise ReferencesUnavailable if a reference file is empty, truncated or unreadable."""
    damaged = [f"{path}: {problem}" for path in paths if (problem := reference_problem(path))]
    if damaged:
        raise ReferencesUnavailable(
            f"damaged reference file in the CRDS cache: {'; '.join(damaged)}. Remove it, let CRDS fetch it again (or "
            "put back a sound copy), and repeat the command"
        )


def reference_problem(path: str | Path) -> str | None:
    """The reason why a reference file cannot be used, from its headers alone; None if it can."""
    path = Path(path)
    if not path.is_file():
        return "no such file"
    if path.suffix == ".fits":
        return file_problem(path)
    if path.suffix == ".asdf":
        with path.open("rb") as file:
            return None if file.read(5) == b"#ASDF" else "not an ASDF file"
    if path.suffix == ".json":
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            return f"not readable as JSON: {error}"
    return None


def content_of(paths: Mapping[str, str | None]) -> dict[str, dict[str, Any]]:
    """Path -> n_bytes, modified (ns) and sha256 of the reference files `paths` (type -> path or None).

    The paths are relative to the cache if the files are in it, so that the cache can be moved.
    """
    cache, found = cache_folder(os.environ.get("CRDS_PATH")), {}
    for path in map(Path, filter(None, paths.values())):
        status = path.stat()
        name = path.relative_to(cache) if path.is_relative_to(cache) else path
        found[str(name)] = {
            "n_bytes": status.st_size, "modified": status.st_mtime_ns, "sha256": sha256_of(path)
        }  # fmt: skip
    return found


def fetch_mask(exposure: str | Path) -> tuple[str, str]:
    """Fetch the MASK that CRDS selects for the file `exposure`, as `fetch_reference`."""
    return fetch_reference(exposure, "mask", "the comparison", "set compare_with to a mask file, or to null")


def fetch_reference(exposure: str | Path, kind: str, purpose: str, remedy: str) -> tuple[str, str]:
    """Fetch the reference file of a `kind` that CRDS selects for an exposure.

    Parameters
    ----------
    exposure : path
        A file of the exposure.
    kind : str
        Type of the reference file in CRDS, such as mask.
    purpose, remedy : str
        For the message: the use of the file, and what to do without it.

    Returns
    -------
    (CRDS context, path in the cache)

    Raises
    ------
    ReferencesUnavailable
        Also where CRDS has no file.
    """
    context, paths = references_of(exposure, [kind])
    if _file_name(paths[kind]) == "N/A":
        raise ReferencesUnavailable(
            f"CRDS ({context}) has no {kind} for {exposure} ({paths[kind]}) for {purpose}; {remedy}"
        )
    return context, paths[kind]


def references_of(exposure: str | Path, types: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Fetch the reference files of `types` that CRDS selects for the file `exposure` into the cache.

    Returns (CRDS context, dict of type -> path or, without a file, the reply of CRDS). Step parameters that CRDS does
    not have are left out; the pipeline has defaults for them. Raises ReferencesUnavailable.
    """
    import crds
    from crds.core.exceptions import CrdsError

    try:
        parameters = _crds_parameters(exposure)
        defaults = {kind for kind in types if kind.startswith(PARAMETERS)} - _step_parameters(parameters, types).keys()
        wanted = [kind for kind in types if kind not in defaults]
        # Without types, CRDS would fetch files of all types.
        paths = crds.getreferences(parameters, reftypes=wanted, observatory="jwst") if wanted else {}
        context = crds.get_context_name("jwst")
    except (CrdsError, SystemExit) as error:  # without a cache CRDS ends the process
        settings = ", ".join(f"{name}={os.environ.get(name, '(not set)')}" for name in ("CRDS_PATH", "CRDS_SERVER_URL"))
        # Without server and cache the reason is the same for all exposures.
        reason = (
            "CRDS cannot provide the reference files: no server and no cache can be reached"
            if isinstance(error, SystemExit)
            else f"CRDS cannot provide the reference files of {exposure}: {error}"
        )
        raise ReferencesUnavailable(
            f"{reason} [{settings}]. Set these variables, or crds_path and crds_server_url in the configuration; for a "
            "machine without network see docs/howto/offline_crds.md"
        ) from error
    return context, paths


def _crds_parameters(exposure: str | Path) -> dict[str, Any]:
    """The keywords of the file `exposure` by which CRDS selects."""
    from stdatamodels.jwst import datamodels

    with datamodels.open(str(exposure)) as model:
        return dict(model.get_crds_parameters())


def _step_parameters(parameters: Mapping[str, Any], types: Iterable[str]) -> dict[str, str]:
    """The files of step parameters (type -> name) that CRDS has among `types` for an exposure with `parameters`."""
    import crds

    kinds = [kind for kind in types if kind.startswith(PARAMETERS)]
    if not kinds:
        return {}
    names = crds.getrecommendations(parameters, reftypes=kinds, observatory="jwst")
    return {kind: name for kind, name in names.items() if _file_name(name) != "N/A"}


def require_step_parameters(exposure: str | Path) -> None:
    """Raise ReferencesUnavailable if the cache lacks step parameters (pars-*) that CRDS selects for `exposure`.

    Without them the pipeline uses its defaults without a message. An exposure that cannot be read passes: the pipeline
    reports it.
    """
    types = _parameter_types()  # first, because it imports all that the others need in the fastest way
    import crds

    try:
        found = _step_parameters(_crds_parameters(exposure), types)
    except Exception as reason:
        logger.info("the step parameters of %s are not known: %s", exposure, reason)
        return
    missing = [name for name in found.values() if not Path(crds.locate_file(name, "jwst")).is_file()]
    if missing:
        raise ReferencesUnavailable(
            f"the CRDS cache lacks step parameters, and CRDS is used without a server: {', '.join(sorted(missing))}. "
            "Without them the pipeline would use other parameters without a message. Fetch them into the cache, see "
            "docs/howto/offline_crds.md"
        )


def _file_name(path: str) -> str:
    return "N/A" if path.upper().startswith(("N/A", "NOT FOUND")) else Path(path).name


def use_cache_alone(exposure: str | Path) -> bool:
    """Make CRDS use only its cache from now on, if the cache has all reference files of `exposure`; True if so.

    Many jobs then send no requests to the server, and need no network. Raises ReferencesUnavailable without a server if
    step parameters are missing.
    """
    server = os.environ.get("CRDS_SERVER_URL")
    if server is None or "serverless" in server:
        require_step_parameters(exposure)
        return True
    set_server(SERVERLESS)
    try:
        references_of(exposure, detector1_types())
    except Exception as reason:  # also for an exposure that cannot be read, which the pipeline reports
        logger.warning("not all reference files are in the cache, so the server %s is used: %s", server, reason)
        set_server(server)
        # The pipeline would use its defaults without a message for step parameters that the server does not deliver.
        if isinstance(reason, ReferencesUnavailable):
            with sole_user_of_cache():
                references_of(exposure, _parameter_types())
        return False
    logger.info("all reference files are in the cache; the server %s is not used", server)
    return True
