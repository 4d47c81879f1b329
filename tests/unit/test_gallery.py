"""The page of the pixel types has every type, with a figure; the figures of the pages are small, and all are shown."""

import re
from pathlib import Path

import pytest

from badpix.formats.pixel_types import PIXEL_TYPES

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "explanation" / "pixel_types.md"
MAX_FIGURE_BYTES, MAX_BYTES = 60_000, 1_000_000


def sections():
    """Type -> text of its section."""
    parts = re.split(r"^## (.*)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    headings = zip(parts[1::2], parts[2::2], strict=True)
    return {heading.split("`")[1]: text for heading, text in headings if heading.startswith("`")}


def test_the_page_has_exactly_the_types():
    assert sections().keys() == PIXEL_TYPES.keys()


@pytest.mark.parametrize("name", PIXEL_TYPES)
def test_a_type_has_its_flags_and_the_figure_of_a_pixel_found_as_it(name):
    text, pixel_type = sections()[name], PIXEL_TYPES[name]
    flags = pixel_type.flags or PIXEL_TYPES[pixel_type.flagged_as].flags
    stated = re.search(r"^\* Flags:.*?(?=^\* )", text, re.MULTILINE | re.DOTALL)[0]
    assert all(flag in stated for flag in flags)
    assert f"(../images/pixel_{name}.png)" in text
    shown = re.search(rf"<!-- shown: {name} -->\n(.*)\n<!-- end -->", text)[1]
    assert re.search(rf"`flight`: `{name}` \([A-Z_+]+\)", shown), shown


@pytest.mark.parametrize("prefix, page", [("pixel", PAGE), ("algorithm", DOCS / "explanation" / "algorithm.md")])
def test_every_figure_is_shown(prefix, page):
    figures = {path.name for path in DOCS.glob(f"images/{prefix}_*.png")}
    shown = re.findall(rf"!\[[^\]]+\]\(\.\./images/({prefix}_\w+\.png)\)", page.read_text(encoding="utf-8"))
    assert figures and sorted(shown) == sorted(figures)


def test_the_figures_are_small():
    sizes = {
        path.name: path.stat().st_size
        for path in DOCS.glob("images/*_*.png")
        if path.name.startswith(("pixel_", "algorithm_"))
    }
    assert max(sizes.values()) < MAX_FIGURE_BYTES and sum(sizes.values()) < MAX_BYTES
