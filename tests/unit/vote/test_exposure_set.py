"""The exposures of a vote: grouped by segments, enough exposures, and a common geometry."""

from dataclasses import replace
from pathlib import Path

import pytest

from badpix.core.errors import TooFewExposures
from badpix.formats.comparison_file import GOOD, NO_MAJORITY, OUTLIER, OUTLIER_OF_FEW, ComparisonRow, write_comparison
from badpix.formats.provenance import Provenance
from badpix.formats.response_file import Responses
from badpix.formats.statistics_file import write_rejected
from badpix.formats.statistics_set import read_set
from badpix.instrument.detectors import load_detectors
from badpix.vote.exposure_set import VoteFiles, common_geometry, observation_dates, require_enough, select_exposures
from badpix.vote.settings import RequiredExposures
from unit.formats.test_statistics_file import writer

DETECTOR = load_detectors(Path(__file__).resolve().parents[3] / "config" / "detectors")["NIS"]
ANY = RequiredExposures(0, 0, "reject")


@pytest.fixture
def files(tmp_path):
    """Two darks, the first in two segments, a flat, and a dark that is rejected."""
    for name in ("b_nis", "a-seg002_nis", "a-seg001_nis", "flat_nis"):
        writer(name, NGROUPS=5).write(tmp_path / f"{name}.fits", Provenance())
    write_rejected(tmp_path / "q.fits", "q", "broken", Provenance())
    names = ("b_nis", "a-seg002_nis", "q", "a-seg001_nis")
    return VoteFiles([str(tmp_path / f"{name}.fits") for name in names], [str(tmp_path / "flat_nis.fits")])


def test_segments_are_grouped_by_their_exposure(files):
    exposures = select_exposures(files, DETECTOR, ANY)
    assert [dark.name for dark in exposures.darks] == ["a_nis", "b_nis"]
    assert [segment.name for segment in exposures.darks[0].segments] == ["a-seg001_nis", "a-seg002_nis"]
    assert exposures.darks[0].paths == [files.darks[3], files.darks[1]]
    assert [dark.n_integrations() for dark in exposures.darks] == [4, 2]
    assert exposures.n_exposures == 2 and exposures.rejected == {"q": "broken"}
    assert [segment.name for segment in exposures.segments] == ["a-seg001_nis", "a-seg002_nis", "b_nis", "flat_nis"]


def test_a_part_of_the_exposures(files):
    exposures = select_exposures(files, DETECTOR, ANY)
    assert [len(exposures.only("flats").of(kind)) for kind in ("darks", "flats")] == [0, 1]
    assert [dark.name for dark in exposures.without("a_nis").darks] == ["b_nis"]
    assert len(exposures.darks) == 2, "the first set is unchanged"


def table_of(path, **statuses):
    """A comparison of two darks in a measure; `statuses` maps exposures to their status."""
    rows = [
        ComparisonRow("darks", name, "light", 1, 9.0, 0.0, 1.0, 9.0 if status != GOOD else 0.1, 5.0, status, "light 9")
        for name, status in statuses.items()
    ]
    write_comparison(path, rows)
    return path


def test_outliers_and_exposures_rejected_earlier_do_not_vote(files, tmp_path):
    table = table_of(tmp_path / "table.csv", a_nis=OUTLIER, b_nis=GOOD)
    given = VoteFiles(files.darks, files.flats, Responses(), table, {"x": "no dark"})
    exposures = select_exposures(given, DETECTOR, replace(ANY, reject_outliers=True))
    assert [dark.name for dark in exposures.darks] == ["b_nis"] and exposures.warnings == ()
    reason = "outlier: light 9 in integration 1, a distance of 9 (outlier_limit 5) (reject_outliers)"
    assert exposures.rejected == {
        "q": "broken", "x": "no dark", **dict.fromkeys(("a-seg001_nis", "a-seg002_nis"), reason),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "rejected", "words"),
    [
        (OUTLIER, False, "reject_outliers is false"),
        (OUTLIER_OF_FEW, True, "2 darks are too few"),
        (NO_MAJORITY, True, "half of the 2 darks or more are outliers"),
    ],
)
def test_an_outlier_that_votes_is_named(status, rejected, words, files, tmp_path):
    table = table_of(tmp_path / "table.csv", a_nis=status, b_nis=GOOD)
    given = VoteFiles(files.darks, files.flats, comparison=table)
    exposures = select_exposures(given, DETECTOR, replace(ANY, reject_outliers=rejected))
    assert len(exposures.darks) == 2
    (line,) = exposures.warnings
    assert line.startswith("a_nis is an outlier among the darks: light 9") and words in line


def test_segments_count_as_one_exposure(files):
    select_exposures(files, DETECTOR, RequiredExposures(2, 1, "reject"))
    with pytest.raises(TooFewExposures, match="2 usable darks remain and min_darks is 3"):
        select_exposures(files, DETECTOR, RequiredExposures(3, 1, "reject"))


def test_no_exposure_at_all():
    with pytest.raises(ValueError, match="no exposure can be used"):
        select_exposures(VoteFiles(), DETECTOR, ANY)


def test_geometry_must_be_common(tmp_path):
    for name, keywords in {"a": {}, "b": {}, "c": {"SUBSTRT1": 2}}.items():
        writer(name, **keywords).write(tmp_path / f"{name}.fits", Provenance())
    used, _ = read_set(sorted(tmp_path.iterdir()))
    assert common_geometry(used[:2]).shape == (2, 3)
    with pytest.raises(ValueError, match="different geometry: a is .* c is "):
        common_geometry(used)


def test_dates_of_the_segments_with_a_date(tmp_path):
    writer("a").write(tmp_path / "a.fits", Provenance())
    writer("b", **{"DATE-OBS": ""}).write(tmp_path / "b.fits", Provenance())
    assert observation_dates(read_set(sorted(tmp_path.iterdir()))[0]) == ["2024-06-01"]


def test_require_enough_at_its_limit():
    require_enough("NIS", "darks", 2, 2, {})
    with pytest.raises(TooFewExposures) as caught:
        require_enough("NIS", "darks", 2, 3, {"y": "no SCI", "x": "truncated"})
    assert str(caught.value) == (
        "NIS: no mask, because 2 usable darks remain and min_darks is 3. Rejected:\n  x: truncated\n  y: no SCI"
    )
    with pytest.raises(TooFewExposures, match="min_flats is 1.$"):
        require_enough("NIS", "flats", 0, 1, {})
