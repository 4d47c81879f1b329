"""The statistics file: contents survive writing and reading, and a rejected product has a reason."""

import numpy as np
import pytest
from astropy.io import fits

from badpix.core.errors import BadExposure, ProductError
from badpix.formats.provenance import Provenance
from badpix.formats.statistics_file import (
    StatisticsWriter,
    open_statistics,
    rejection_reason,
    require_usable,
    write_rejected,
)
from badpix.formats.statistics_set import read_set

GEOMETRY = {"SUBARRAY": "SUB64", "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": 3, "SUBSIZE2": 2, "FASTAXIS": -2,
            "SLOWAXIS": -1}  # fmt: skip


def writer(name="dark1", n_integrations=2, **keywords):
    header = fits.Header()
    for key, value in {**GEOMETRY, "DATE-OBS": "2024-06-01", **keywords}.items():
        header[key] = (value, f"comment of {key}")
    statistics = StatisticsWriter(name, header, n_integrations, (2, 3))
    for integration in range(n_integrations):
        for row in range(2):
            values = np.array([[1, 2, 3]], np.float32) + 10 * row + 100 * integration
            statistics.put("SLOPE", integration, slice(row, row + 1), values, "DN/s")
            statistics.put("NSAT", integration, slice(row, row + 1), values.astype(np.int16))
    return statistics


def test_planes_are_assembled_from_blocks_of_rows(tmp_path):
    path = tmp_path / "s.fits"
    rows = [{"INTEGRATION": 1, "X_MEAN": 1.5}, {"INTEGRATION": 2, "X_MEAN": np.nan}]
    writer(DETECTOR="NIS", PROGRAM="09001").write(path, Provenance({"early_cutoff_fraction": 0.25}), rows)
    with open_statistics(path) as statistics:
        header = statistics[0].header
        assert (header["EXPOSURE"], header["REJECTED"]) == ("dark1", False)
        assert header["DETECTOR"] == "NIS" and header.comments["DETECTOR"] == "comment of DETECTOR"
        assert "PROGRAM" not in header, "only the keywords that are needed"
        assert statistics["SLOPE"].data.tolist() == [
            [[1, 2, 3], [11, 12, 13]],
            [[101, 102, 103], [111, 112, 113]],
        ]
        assert statistics["SLOPE"].header["BUNIT"] == "DN/s" and "BUNIT" not in statistics["NSAT"].header
        assert (statistics["SLOPE"].header["BITPIX"], statistics["NSAT"].header["BITPIX"]) == (-32, 16)
        table = statistics["INTEGRATIONS"].data
        assert table["INTEGRATION"].tolist() == [1, 2]
        assert table["X_MEAN"][0] == 1.5 and np.isnan(table["X_MEAN"][1])
    assert rejection_reason(path) is None
    require_usable(path)


def test_without_integrations_there_is_no_table(tmp_path):
    writer().write(tmp_path / "s.fits", Provenance())
    with open_statistics(tmp_path / "s.fits") as statistics:
        assert "INTEGRATIONS" not in statistics


def test_a_failed_write_leaves_nothing(tmp_path):
    statistics = writer()
    with pytest.raises(ValueError):
        statistics.write(tmp_path / "s.fits", Provenance(software={"not ASCII": "é"}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("reason", "read"),
    [
        ("NGROUPS is 1", "NGROUPS is 1"),
        ("", ""),
        ("several\nlines\n  of it's 'quotes'", "several lines of it's 'quotes'"),
        ("\x1b[31mred\x00", r"\x1b[31mred\x00"),
        ("fichier abîmé ☃", r"fichier ab\xeem\xe9 \u2603"),
        ("very long " * 200 + "end", "very long " * 200 + "end"),
        ("'" * 300, "'" * 300),
    ],
)
def test_rejection_round_trip(tmp_path, reason, read):
    path = tmp_path / "new" / "q.fits"
    write_rejected(path, "dark1", BadExposure(reason), Provenance())
    assert rejection_reason(path) == read
    with pytest.raises(BadExposure) as caught:
        require_usable(path)
    assert str(caught.value) == read
    with fits.open(path) as hdus:
        hdus.verify("exception")
        assert len(hdus) == 2 and hdus[0].header["EXPOSURE"] == "dark1"


def test_exposures_may_have_any_name(tmp_path):
    name = "dünkel [1] v2.0 " + "x" * 80
    writer(name).write(tmp_path / "s.fits", Provenance())
    write_rejected(tmp_path / "q.fits", name, "why", Provenance())
    read = "d" + r"\xfc" + name[2:]
    used, rejected = read_set([tmp_path / "s.fits", tmp_path / "q.fits"])
    assert [exposure.name for exposure in used] == [read]
    assert rejected == {read: "why"}


def test_the_first_rejected_of_several_is_named(tmp_path):
    writer().write(tmp_path / "good.fits", Provenance())
    write_rejected(tmp_path / "bad.fits", "dark1", "the reason", Provenance())
    with pytest.raises(BadExposure, match="^the reason$"):
        require_usable(tmp_path / "good.fits", tmp_path / "bad.fits")


# ---------------------------------------------------------------- the set of exposures


def test_the_set_is_sorted_by_name_without_rejected_exposures(tmp_path):
    for name in ("b", "c", "a"):
        writer(name).write(tmp_path / f"{name}.fits", Provenance())
    write_rejected(tmp_path / "z.fits", "bad", "broken", Provenance())
    used, rejected = read_set([tmp_path / f"{name}.fits" for name in ("c", "z", "a", "b")])
    assert [exposure.name for exposure in used] == ["a", "b", "c"]
    assert rejected == {"bad": "broken"}


@pytest.mark.parametrize(
    ("cut", "problem"),
    [
        (0, "it has no table PROVENANCE"),
        (100, "it is incomplete: 100 bytes"),
        (2880, "it has no table PROVENANCE"),  # the primary header alone
        (2880 + 1000, "it is incomplete"),  # within the header of SLOPE
        (2880 * 16, "it has no table PROVENANCE"),  # before the table INTEGRATIONS
        (-2880, "PROVENANCE is damaged"),
    ],
)
def test_a_damaged_statistics_file_is_named(cut, problem, tmp_path):
    path = tmp_path / "s.fits"
    statistics = StatisticsWriter("dark1", fits.Header(GEOMETRY), 1, (100, 100))
    statistics.put("SLOPE", 0, slice(0, 100), np.ones((100, 100), np.float32))
    statistics.write(path, Provenance(), integrations=[{"INTEGRATION": 1}])
    assert read_set([path])[0][0].name == "dark1"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ProductError, match=rf"s\.fits: .*{problem}.*remove .*s\.fits and run again"):
        read_set([path])
