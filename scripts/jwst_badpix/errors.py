"""The exception of the package."""


class BadPixelsError(Exception):
    """There is no mask, or nothing to show; the message is for the user, and that of the workflow if it ran."""
