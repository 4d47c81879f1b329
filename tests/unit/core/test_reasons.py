"""Lines of rejected exposures: equal reasons share a line, and many reasons end in a reference to the table."""

from badpix.core.reasons import reason_lines, too_few


def test_exposures_of_one_reason_share_a_line():
    rejected = {"d": "truncated", "b": "no light", "a": "no light", "c": "no  light\n"}
    assert reason_lines(rejected) == ["a, b, c: no light", "d: truncated"]
    rejected |= {"e": "no light"}
    assert reason_lines(rejected)[0] == "4 exposures (a, b, ...): no light"


def test_many_reasons_end_in_the_number_of_further_exposures_and_the_table():
    rejected = {f"e{i:02}": f"NGROUPS is {i}" for i in range(20)}
    assert len(reason_lines(rejected)) == 20
    rejected |= {"z1": "NGROUPS is 40", "z2": "NGROUPS is 40"}
    lines = reason_lines(rejected, table="rejected.csv")
    assert len(lines) == 20 and lines[0] == "e00: NGROUPS is 0"
    assert lines[-1] == "and 3 more exposures, see rejected.csv"


def test_too_few_has_the_reasons():
    assert too_few("NIS", "flats", 1, 3, {}) == "NIS: no mask, because 1 usable flats remain and min_flats is 3."
    assert too_few("NIS", "flats", 1, 3, {"a": "empty"}).endswith(" Rejected:\n  a: empty")
