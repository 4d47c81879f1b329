"""The size of a configuration. Aliases of YAML let a short file stand for any number of values."""

from collections.abc import Mapping
from typing import Any

MAX_VALUES, MAX_DEPTH = 1_000_000, 20
# Characters of a text, and bits of a number; Python refuses to write numbers of more than 4300 digits.
MAX_TEXT, MAX_BITS = 100_000, 10_000


def size_problems(config: Mapping[Any, Any]) -> list[str]:
    """The keys of `config` with too many or too large values within them, one line each."""
    return [f"{str(key)[:60]}: {problem}" for key, value in config.items() if (problem := _problem(value))]


def _problem(value: object) -> str | None:
    # Without recursion, since the depth is not known yet.
    left, count = [(value, 0)], 0
    while left:
        inner, depth = left.pop()
        count += 1
        if count > MAX_VALUES:
            return f"it has more than {MAX_VALUES} values, with all aliases"
        if depth > MAX_DEPTH:
            return f"its values are nested more than {MAX_DEPTH} deep"
        if isinstance(inner, str) and len(inner) > MAX_TEXT:
            return f"it has a text of {len(inner)} characters, more than {MAX_TEXT}"
        if isinstance(inner, int) and inner.bit_length() > MAX_BITS:
            return "it has a number of more than 3000 digits"
        if isinstance(inner, dict):
            left.extend((part, depth + 1) for pair in inner.items() for part in pair)
        elif isinstance(inner, list):
            left.extend((part, depth + 1) for part in inner)
    return None
