"""The example of the configuration, and the warning of its placeholder."""

from pathlib import Path

import yaml

from badpix.config.placeholders import placeholder_warnings

EXAMPLE = Path(__file__).parents[3] / "config" / "example.yaml"


def test_the_author_of_the_example_has_a_warning():
    author = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))["author"]
    (warning,) = placeholder_warnings(author)
    assert warning.startswith("author is 'Your Name', as in the example")
    assert placeholder_warnings("A. Name") == []
