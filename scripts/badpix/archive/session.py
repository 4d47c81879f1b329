"""HTTP sessions with time limits, repeated requests and the token of MAST."""

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.util import Retry

from badpix.archive.request import FetchError

TOKEN_VARIABLE = "MAST_API_TOKEN"
# Too many requests, and faults of the server that may pass.
PASSING = (429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Patience:
    """Repeats of a request, the factor (s) of the growing pauses between them, and time limits (s).

    `read_s` limits the time without any byte, not the time of a download.
    """

    repeats: int = 5
    pause_s: float = 2.0
    connect_s: float = 30.0
    read_s: float = 120.0


class _Adapter(HTTPAdapter):
    """Repeats requests after passing faults, and gives each a time limit: astroquery sets none."""

    def __init__(self, patience: Patience) -> None:
        self.time_limit = (patience.connect_s, patience.read_s)
        super().__init__(
            max_retries=Retry(
                total=patience.repeats,
                backoff_factor=patience.pause_s,
                status_forcelist=PASSING,
                # Searches are POST requests; they change nothing on the server.
                allowed_methods=None,
                raise_on_status=False,
            )
        )

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        options["timeout"] = options.get("timeout") or self.time_limit
        return super().send(request, **options)


class _Token(AuthBase):
    """The token for the host of MAST alone: requests drops it at a redirection to another host."""

    def __init__(self, token: str, server: str) -> None:
        self.token, self.host = token, urlsplit(server).netloc

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if urlsplit(request.url or "").netloc == self.host:
            request.headers["Authorization"] = f"token {self.token}"
        return request


def make_patient(session: requests.Session, patience: Patience) -> requests.Session:
    """`session` with time limits and repeated requests."""
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(patience))
    return session


def open_session(server: str, patience: Patience) -> tuple[requests.Session, bool]:
    """A session for downloads, and True if it has a token (environment variable MAST_API_TOKEN).

    The token is sent in a header to `server` only; it is in no message. FetchError for a token that is not accepted.
    """
    session = make_patient(requests.Session(), patience)
    # Sizes must be those of the files.
    session.headers["Accept-Encoding"] = "identity"
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if not token:
        return session, False
    if not token.isascii() or not token.isprintable():
        raise FetchError(f"{TOKEN_VARIABLE}: the token has characters that no token can have")
    session.auth = _Token(token, server)
    try:
        answer = session.get(f"{server}/whoami", headers={"Accept": "application/json"})
        answer.raise_for_status()
        anonymous = answer.json().get("anon", True)
    except (requests.RequestException, ValueError, AttributeError) as error:
        raise FetchError(f"{server} does not answer to the token in {TOKEN_VARIABLE}: {error}") from None
    if anonymous:
        raise FetchError(
            f"{server} does not accept the token in {TOKEN_VARIABLE} (expired?). Make a new token at"
            " https://auth.mast.stsci.edu/tokens, or unset the variable to fetch public files only"
        )
    return session, True
