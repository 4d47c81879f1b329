"""The Jinja environment of the page templates, with their functions and filters."""

import json
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from badpix.formats.page_parts import part
from badpix.report.words import look

TEMPLATES = Path(__file__).resolve().parent / "templates"


def number(value: float | None, form: str = ",") -> str:
    """`value` in the format `form` as text; a dash for None, NaN and infinity."""
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return "–"
    return format(value, form).replace("-", "−")


def as_json(value: object) -> Markup:
    """JSON for a <script> element; <, > and & are escaped, so the text cannot end the element."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def environment() -> Environment:
    """The Jinja environment of the templates, with HTML escaping."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.globals |= {"look": look, "number": number}
    made.globals["part"] = lambda name, content="": Markup(part(name, content))
    made.globals["include_raw"] = lambda name: Markup((TEMPLATES / name).read_text(encoding="utf-8"))
    made.filters["json"] = as_json
    return made
