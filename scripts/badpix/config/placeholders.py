"""Values of the example in the README that a user must replace."""

EXAMPLE_AUTHOR = "Your Name"


def placeholder_warnings(author: str) -> list[str]:
    """The warning of an `author` that is still the value of the example."""
    if author != EXAMPLE_AUTHOR:
        return []
    return [f"author is {EXAMPLE_AUTHOR!r}, as in the example of the README; AUTHOR of the mask is its maker"]
