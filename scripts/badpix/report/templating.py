"""The templates of the pages, and what they may call."""

import json
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from badpix.report.words import look

TEMPLATES = Path(__file__).resolve().parent / "templates"


def number(value, form=","):
    """A number for a table, `digits`: four of them; a dash for what was not measured."""
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return "–"
    if form == "digits":
        form = ",.0f" if abs(value) >= 1000 else ".4g"
    return format(value, form).replace("-", "−")


def as_json(value):
    """JSON for a <script> element: nothing in it can end the element."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def environment():
    """The Jinja environment of the templates; what is put into them is escaped."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.globals |= {"look": look, "number": number}
    made.globals["include_raw"] = lambda name: Markup((TEMPLATES / name).read_text(encoding="utf-8"))
    made.filters["json"] = as_json
    return made
