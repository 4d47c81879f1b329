"""Values as the text of a message or a figure, and the most similar of the known names."""

import difflib
from collections.abc import Iterable, Sequence

MAX_SHOWN = 60  # characters of a refused value in a message


def show(value: object) -> str:
    """A value in the notation of YAML or Python, short enough for a message."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    text = repr(value) if isinstance(value, (str, list, dict)) else str(value)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def suggestion(value: object, known: Iterable[str]) -> str:
    """'; did you mean ...?' with the most similar of the `known` names; empty if no name is similar."""
    by_lower = {str(name).lower(): name for name in known}
    similar = difflib.get_close_matches(str(value).lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[similar[0]]}?" if similar else ""


def counted(number: int, kind: str) -> str:
    """'1 dark', '2 darks'; `kind` is a plural in s."""
    return f"{number} {kind.removesuffix('s') if number == 1 else kind}"


def first_of(texts: Sequence[str], limit: int, separator: str = ", ") -> str:
    """The first `limit` of the `texts`, and the number of the others: 'a, b, c and 2 more'.

    With another separator, such as a line break, it separates the number too.
    """
    listed = separator.join(texts[:limit])
    more = len(texts) - limit
    return listed if more <= 0 else f"{listed}{' ' if separator == ', ' else separator}and {more} more"


def figure_text(text: str) -> str:
    """`text` for a figure, where a pair of $ would enclose a formula."""
    return text.replace("$", r"\$")
