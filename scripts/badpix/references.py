"""Which reference files calwebb_detector1 will ask CRDS for, fetched before many jobs ask at once."""

import os


class ReferencesUnavailable(Exception):
    """CRDS cannot give the reference files; the message says what is set and what to do."""


def fetch_references(exposure):
    """Fetch all reference files that the pipeline selects for the file `exposure` into the CRDS cache.

    Returns (CRDS context, dict of reference type -> file name or `N/A`). Raises ReferencesUnavailable.
    """
    # Imported here because it takes seconds, and after the CRDS environment has been set.
    import crds
    from crds.core.exceptions import CrdsError
    from jwst.pipeline import Detector1Pipeline
    from stdatamodels.jwst import datamodels

    types = sorted(set(Detector1Pipeline().reference_file_types))
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
    return context, {kind: _file_name(path) for kind, path in sorted(paths.items())}


def _reason(error):
    """What CRDS said; when it ends the process, it has said it in the log."""
    return "no server and no cache can be reached" if isinstance(error, SystemExit) else str(error)


def _file_name(path):
    return "N/A" if path.upper().startswith(("N/A", "NOT FOUND")) else os.path.basename(path)
