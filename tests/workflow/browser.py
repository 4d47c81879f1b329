"""Open a page from disk in a real browser, and record its requests and errors."""

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A machine that runs the whole suite has other things to do at the same time.
PATIENCE_MS = 90_000

needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on this machine (Debian: apt-get install chromium); the report pages need one"
)


@dataclass
class Seen:
    """An open page: `page` drives it, `requests` are the requested addresses, `errors` the messages of its console."""

    page: object
    requests: list = field(default_factory=list)
    errors: list = field(default_factory=list)


@contextmanager
def opened(path, fragment="", width=1440):
    """Yield a Seen of the page at `path` once it is ready."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, env=dict(os.environ))
        page = browser.new_page(viewport={"width": width, "height": 1000})
        page.set_default_timeout(PATIENCE_MS)
        seen = Seen(page)
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("console", lambda message: message.type in ("error", "warning") and seen.errors.append(message.text))
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.goto(path.resolve().as_uri() + fragment)
        page.wait_for_function("document.documentElement.dataset.ready || !document.getElementById('page-data')")
        yield seen
        browser.close()
