"""The table of rejected exposures of a mask that could not be made."""

from badpix.formats.mask_tables import (
    REJECTED,
    read_rejected_exposures,
    restore_rejected_exposures,
    surviving_table,
    write_rejected_exposures,
)

BY_HEADER = {"a": "DETECTOR is NRCA1, not NIS"}


def test_a_failed_vote_and_the_headers_give_the_table(tmp_path):
    write_rejected_exposures(tmp_path / REJECTED, {"old": "old"})
    write_rejected_exposures(surviving_table(tmp_path / REJECTED), {"b": "truncated"})
    restore_rejected_exposures(tmp_path, BY_HEADER)
    assert read_rejected_exposures(tmp_path / REJECTED) == BY_HEADER | {"b": "truncated"}
    assert not surviving_table(tmp_path / REJECTED).exists()


def test_the_headers_alone_give_the_table_only_where_there_is_none(tmp_path):
    restore_rejected_exposures(tmp_path, {})
    assert not (tmp_path / REJECTED).exists()
    restore_rejected_exposures(tmp_path, BY_HEADER)
    restore_rejected_exposures(tmp_path, {"c": "empty"})
    assert read_rejected_exposures(tmp_path / REJECTED) == BY_HEADER
