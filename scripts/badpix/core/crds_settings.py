"""The settings of CRDS: its environment variables, and its server.

The package crds is imported in a function: it takes time, and reads the environment.
"""

import os

# CRDS does not use the network when the address contains "serverless".
SERVERLESS = "https://jwst-serverless.invalid"


def set_crds_environment(path: str | None, server_url: str | None, context: str | None) -> None:
    """Set the environment variables of CRDS from the configuration; None keeps the value of the environment."""
    for variable, value in (("CRDS_PATH", path), ("CRDS_SERVER_URL", server_url), ("CRDS_CONTEXT", context)):
        if value is not None:
            # Path.absolute keeps '..', and Path.resolve follows links.
            os.environ[variable] = os.path.abspath(value) if variable == "CRDS_PATH" else value  # noqa: PTH100
    os.environ["CRDS_OBSERVATORY"] = "jwst"


def set_server(url: str) -> None:
    """Change the server of CRDS, which read the environment at import, and clear the replies that CRDS has cached."""
    from crds.client import api
    from crds.core import utils

    os.environ["CRDS_SERVER_URL"] = url
    api.set_crds_server(url)
    utils.clear_function_caches()
