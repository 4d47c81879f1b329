"""Names of segments and of their exposures."""

import pytest

from badpix.instrument.segments import by_exposure, exposure_of, segment_of

WHOLE = "jw09001001001_02101_00001_nis"


@pytest.mark.parametrize(
    ("name", "exposure"),
    [
        ("jw09001001001_02101_00001-seg001_nis", WHOLE),
        ("jw09001001001_02101_00001-seg012_nis", WHOLE),
        (WHOLE, WHOLE),
        ("my dark-seg002", "my dark"),
        ("dark-seg2_nis", "dark-seg2_nis"),  # not a segment number of the observatory
        ("dark-segment001", "dark-segment001"),
    ],
)
def test_names(name, exposure):
    assert exposure_of(name) == exposure
    assert (segment_of(name) is not None) == (name != exposure)


def test_segments_are_grouped_also_where_they_are_not_adjacent():
    names = ["a-seg001_nis", "b_nis", "a-seg002_nis"]
    assert by_exposure(names) == {"a_nis": ["a-seg001_nis", "a-seg002_nis"], "b_nis": ["b_nis"]}
