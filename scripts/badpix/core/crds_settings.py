"""The settings of CRDS: its environment variables, and its server.

The package crds is imported in a function: it takes time, and reads the environment.
"""

import ast
import os
from pathlib import Path

# CRDS does not use the network when the address contains "serverless".
SERVERLESS = "https://jwst-serverless.invalid"
# A server that does not answer, as behind a firewall, is given up after this time (s). The default of CRDS is an hour.
TIMEOUT_VARIABLE, TIMEOUT = "CRDS_CLIENT_TIMEOUT_SECONDS", "120"


def set_crds_environment(path: str | None, server_url: str | None, context: str | None) -> None:
    """Set the environment variables of CRDS from the configuration; None keeps the value of the environment."""
    for variable, value in (("CRDS_PATH", path), ("CRDS_SERVER_URL", server_url), ("CRDS_CONTEXT", context)):
        if value is not None:
            # Path.absolute keeps '..', and Path.resolve follows links.
            os.environ[variable] = os.path.abspath(value) if variable == "CRDS_PATH" else value  # noqa: PTH100
    os.environ["CRDS_OBSERVATORY"] = "jwst"
    os.environ.setdefault(TIMEOUT_VARIABLE, TIMEOUT)


def set_server(url: str) -> None:
    """Change the server of CRDS, which read the environment at import, and clear the replies that CRDS has cached."""
    from crds.client import api
    from crds.core import utils

    os.environ["CRDS_SERVER_URL"] = url
    api.set_crds_server(url)
    utils.clear_function_caches()


def context_of_cache(cache: Path) -> str | None:
    """The context in the folder `cache`, by the last answer of the server; None without a readable answer."""
    try:
        info = ast.literal_eval((cache / "config" / "jwst" / "server_config").read_text(encoding="utf-8"))
        return str(info.get("latest_context") or info["operational_context"])
    except (OSError, ValueError, SyntaxError, KeyError, AttributeError):
        return None
