"""Refused values in the words of a message, with the nearest of the names that are known."""

import difflib

MAX_SHOWN = 60  # characters of a refused value in a message


def show(value):
    """A value as the user may have written it, short enough for a message."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = repr(value) if isinstance(value, (str, list, dict)) else str(value)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def suggestion(value, known):
    """'; did you mean ...?' with the nearest of the `known` names, or nothing."""
    by_lower = {str(name).lower(): name for name in known}
    near = difflib.get_close_matches(str(value).lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[near[0]]}?" if near else ""
