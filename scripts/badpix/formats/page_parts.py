"""Parts of a finished report page that are renewed without making the page again: its banner and its list of results.

A part is the text between two comments, `<!--badpix NAME-->` and `<!--/badpix NAME-->`. The head of a page has digest
and date of its mask (`<meta name="badpix-mask" content="SHA256 DATE">`), so that it can be told from the page of
another mask.
"""

import datetime
import html
import logging
import mmap
import re
from pathlib import Path

from badpix.core.files import atomic_path

logger = logging.getLogger(__name__)

PAGE = "report.html"
# Folders from that of a mask (<detector>/epochs/<epoch>/variants/<name>) up to the results.
MAX_DEPTH = 5
BANNER, RESULTS = "banner", "results"
# Pages of earlier versions have no parts and no style of a banner.
_STYLE = (
    "margin:0;padding:.8rem 1.6rem;background:#a3280f;color:#fff;font:600 15px/1.5 system-ui,sans-serif;"
    "print-color-adjust:exact;-webkit-print-color-adjust:exact;overflow-wrap:anywhere"
)
_BODY = re.compile(rb"<body[^>]*>")


def part(name: str, content: str = "") -> str:
    """The part `name` with `content` (HTML)."""
    return f"<!--badpix {name}-->{content}<!--/badpix {name}-->"


def banner(text: str) -> str:
    """A banner (HTML) with `text`; empty without text."""
    return f'<p role="alert" style="{_STYLE}">{html.escape(text)}</p>' if text else ""


def replace_part(path: str | Path, name: str, content: str) -> bool:
    """Replace the content (HTML) of a part of the page `path`; False if it is the same already.

    A page of an earlier version gets a banner at the start of its body, if `content` is not empty, and no other part.
    OSError if the page cannot be written.
    """
    start, end = (f"<!--{slash}badpix {name}-->".encode() for slash in ("", "/"))
    new = content.encode()
    with Path(path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as page:
        at = page.find(start)
        stop = page.find(end, at)
        if at >= 0 and stop >= 0:
            at += len(start)
            if page[at:stop] == new:
                return False
        elif name != BANNER or not new or not (body := _BODY.search(page)):
            return False
        else:
            at = stop = body.end()
            new = start + new + end
        parts = page[:at], new, page[stop:]
    with atomic_path(path) as temporary:
        temporary.write_bytes(b"".join(parts))
    return True


def read_head(path: str | Path, name: str) -> str | None:
    """The content of `<meta name="badpix-NAME">` of the page `path`; None without it."""
    with Path(path).open("rb") as file:
        head = b""
        # The style follows the head; all plots are after it.
        while b"<style" not in head and (block := file.read(2**16)):
            head += block
    found = re.search(rf'<meta name="badpix-{name}" content="([^"]*)">', head.decode("utf-8", "replace"))
    return html.unescape(found[1]) if found else None


def mask_of_page(path: str | Path) -> tuple[str, str]:
    """SHA-256 and date of the mask that the page `path` shows; empty for pages of earlier versions."""
    digest, _, date = (read_head(path, "mask") or "").partition(" ")
    return digest, short_date(date)


def short_date(date: str) -> str:
    """A date of FITS without the fraction of its seconds."""
    return date[:19].replace("T", " ")


def mark_replaced(folder: str | Path) -> None:
    """Write a banner on the page in the `folder` of a mask, and on the page over all masks: the mask is being replaced.

    The page over all masks is in a folder above. Pages may be missing.
    """
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    _mark(Path(folder) / PAGE, f"The mask was made again at {now}. This page shows the mask before it.")
    for above in list(Path(folder).parents)[:MAX_DEPTH]:
        if (above / PAGE).is_file() and read_head(above / PAGE, "masks") is not None:
            _mark(above / PAGE, f"Masks were made again at {now}. This page may show the masks before them.")
            return


def _mark(path: Path, text: str) -> None:
    try:
        replace_part(path, BANNER, banner(text))
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
        logger.warning("%s shows the mask before, and could not be marked: %s", path, error)
