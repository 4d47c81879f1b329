"""Values as the text of a message."""

from badpix.core.wording import counted, first_of


def test_long_lists_end_with_the_number_of_the_others():
    assert first_of([], 2) == "" and first_of(["a", "b"], 2) == "a, b"
    assert first_of(["a", "b", "c", "d"], 2) == "a, b and 2 more"
    assert first_of(["a", "b", "c"], 2, "\n") == "a\nb\nand 1 more"


def test_a_single_thing_is_no_plural():
    assert [counted(number, "darks") for number in (0, 1, 2)] == ["0 darks", "1 dark", "2 darks"]
