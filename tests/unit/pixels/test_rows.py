"""The table of the bad pixels of a mask, from statistics made by hand: positions, strengths, votes, and both files.

The statistics and the planted pixels are those of test_adapters: 16 x 16 pixels, a bad pixel per type.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

import bad_pixel_table
from badpix.formats.pixel_table_file import read_csv, read_parquet, rounded, write_tables
from badpix.history.files import extend_history
from badpix.instrument.detectors import detector_from_mapping
from badpix.pixels.earlier import EarlierMasks
from badpix.pixels.rows import pixel_rows
from badpix.pixels.strength import STRENGTHS
from unit.history.test_entries import HOT, entry
from unit.test_adapters import DETECTOR, PLANTED, config

OF_DETECTOR = detector_from_mapping(DETECTOR)
START = "2024-06-01T00:00:00"
# A vote with a table of manual flags and with a gain.
BY_HAND = {"manual": "5 12 DEAD\n5 5 DEAD\n3 3 DEAD\n", "gain_e_per_dn": 1.6, "dark_do_not_use": ["hot"]}


def made(folder, voted, **changes):
    """The table, the paths of its two files, and the MaskResult."""
    paths = {"parquet": folder / "bad_pixels.parquet", "csv": folder / "bad_pixels.csv"}
    files, result = voted(**changes)
    changes.pop("manual", None)
    sources = {"directory": str(folder / "history"), "start": START, "also": "all"}
    bad_pixel_table.main(files, paths, DETECTOR, config(**changes), sources)
    return read_parquet(paths["parquet"])[0], paths, result


def row(table, kind):
    y, x = PLANTED[kind]
    (found,) = table[(table["x"] == x) & (table["y"] == y)].to_dict("records")
    return found


def test_every_flagged_pixel_has_a_row_with_its_strength(tmp_path, voted):
    table, _, result = made(tmp_path, voted, **BY_HAND)
    flagged = np.argwhere(result.dq & ~np.uint32(1 << 31))
    assert [tuple(pixel) for pixel in table[["y", "x"]].to_numpy()] == [tuple(pixel) for pixel in flagged]
    assert len(table) == len(PLANTED) + 8 + 2
    types = table.set_index(["y", "x"])["types"]
    assert {kind: types[pixel].split("+")[0] for kind, pixel in PLANTED.items()} == {kind: kind for kind in PLANTED}
    assert types[12, 5] == types[5, 5] == "other"
    hot, rc, low = row(table, "hot"), row(table, "rc"), row(table, "low_pedestal")
    assert hot["flags"] == "HOT+DO_NOT_USE" and hot["do_not_use"] and not rc["do_not_use"]
    assert hot["saturated_at_group"] == 0 and np.isnan(hot["slope_dn_per_s"]) and np.isnan(rc["saturated_at_group"])
    assert hot["votes"] == "saturated 6/6" and rc["votes"].startswith("high_pedestal 3/3")
    assert (rc["high_pedestal_k"], rc["high_pedestal_n"]) == (3, 3) and hot["high_pedestal_n"] == 0
    assert rc["pedestal_dn"] == pytest.approx(500, abs=3) and low["pedestal_dn"] == pytest.approx(-500, abs=3)
    assert rc["slope_dn_per_s"] == pytest.approx(0.5, abs=0.02)
    np.testing.assert_allclose(table["slope_e_per_s"], 1.6 * table["slope_dn_per_s"], rtol=1e-5)
    assert row(table, "high_cr")["jumps_per_integration"] == 6 and rc["jumps_per_integration"] == 0
    assert row(table, "noisy")["slope_scatter_dn_per_s"] == pytest.approx(2.5, abs=0.01)
    assert row(table, "DEAD")["response"] == pytest.approx(0.01, abs=0.005)
    assert row(table, "LOW_QE")["response"] == pytest.approx(0.3, abs=0.01)
    y, x = PLANTED["OPEN"]
    beside = table[table["types"] == "ADJ_OPEN"]
    assert len(beside) == 8 and (beside[["source_x", "source_y"]] == [x, y]).all(axis=None)
    assert table.loc[table["types"] != "ADJ_OPEN", "source_x"].isna().all()
    assert (table["first_seen"] == pd.Timestamp(START)).all() and (table["n_masks"] == 1).all()


def test_both_files_have_the_same_rows_and_other_programs_read_them(tmp_path, voted):
    table, paths, _ = made(tmp_path, voted)
    pd.testing.assert_frame_equal(read_csv(paths["csv"], table), table)
    assert table["slope_e_per_s"].isna().all(), "the gain is not known"
    of_astropy = Table.read(paths["csv"], format="csv")
    assert of_astropy.colnames == list(table) and len(of_astropy) == len(table)
    assert list(of_astropy["x"]) == list(table["x"]) and of_astropy["response"].dtype.kind == "f"
    plain = pd.read_parquet(paths["parquet"])
    assert plain["x"].dtype == np.int16 and plain["first_seen"].dtype.kind == "M"
    assert plain.query("types == 'hot'")["flags"].tolist() == ["HOT+DO_NOT_USE"]
    schema = pq.read_schema(paths["parquet"])
    assert schema.field("x").metadata[b"description"] == b"0-based, in the full frame of the detector"
    assert schema.field("slope_dn_per_s").metadata[b"description"].startswith(b"DN/s; ")
    about = read_parquet(paths["parquet"])[1]
    assert about["mask"] == "mask.fits" and about["coordinates"].startswith("0-based")


def test_positions_are_of_the_full_frame(tmp_path, voted):
    result = voted()[1]
    detector = replace(OF_DETECTOR, n_columns=100, n_rows=90)
    earlier = EarlierMasks.none(detector)
    at_origin = pixel_rows(result, *result.flagged(), earlier, START)
    geometry = replace(result.frame, x_start=61, y_start=31)
    whole = replace(geometry, x_start=1, y_start=1, n_columns=100, n_rows=90)
    dq = np.zeros(whole.shape, np.uint32)
    dq[30:46, 60:76] = result.dq
    dq[2, 1] = HOT
    exposures = replace(result.exposures, geometry=geometry)
    for frame, image in ((geometry, result.dq), (whole, dq)):
        moved = replace(result, exposures=exposures, frame=frame, dq=image)
        table = pixel_rows(moved, *moved.flagged(), earlier, START)
        of_array = table[table["x"] >= 60].reset_index(drop=True)
        shifted = at_origin.assign(x=at_origin["x"] + 60, y=at_origin["y"] + 30)
        shifted = shifted.assign(source_x=at_origin["source_x"] + 60, source_y=at_origin["source_y"] + 30)
        pd.testing.assert_frame_equal(of_array, shifted, check_dtype=False)
    outside = table.iloc[0]
    assert (outside["x"], outside["y"], outside["types"]) == (1, 2, "other")
    assert pd.isna(outside["saturated_k"]) and np.isnan(outside["response"])


def test_a_pixel_in_a_halo_is_attributed_to_its_source(tmp_path, voted):
    result = voted()[1]
    halo = np.full((16, 16), -1, np.int32)
    (y, x), (open_y, open_x) = PLANTED["hot"], PLANTED["OPEN"]
    halo[y, x] = halo[open_y, open_x + 1] = (y - 1) * 16 + x
    evidence = replace(result.evidence, measured=result.evidence.measured | {"IPC_SOURCE": halo})
    table = pixel_rows(replace(result, evidence=evidence), *result.flagged(), EarlierMasks.none(OF_DETECTOR), START)
    beside = table[(table["y"] == open_y) & (table["x"] == open_x + 1)].to_dict("records")
    for found in (row(table, "hot"), *beside):
        assert (found["source_x"], found["source_y"]) == (x, y - 1)
    assert table["source_x"].notna().sum() == 9


def test_the_first_mask_that_flags_a_pixel(tmp_path, voted):
    (y, x), dq = PLANTED["hot"], np.zeros((16, 16), np.uint32)
    dq[y, x] = HOT
    entries = [entry("a", "2023-01-01", dq), entry("b", "2023-02-01", 0 * dq), entry("c", "2023-03-01", dq)]
    extend_history(tmp_path / "history", entries)
    table = made(tmp_path, voted)[0]
    hot, dead = row(table, "hot"), row(table, "DEAD")
    assert str(hot["first_seen"]) == "2023-01-01 01:00:00" and str(dead["first_seen"])[:10] == "2024-06-01"
    assert (hot["n_masks_flagged"], hot["n_masks"], dead["n_masks_flagged"], dead["n_masks"]) == (3, 4, 1, 4)
    extend_history(tmp_path / "history", [entry("trial", "2023-04-01", dq, settings="trial")])
    sources = {"directory": str(tmp_path / "history"), "start": START, "settings": "own"}
    paths = {"parquet": tmp_path / "own.parquet", "csv": tmp_path / "own.csv"}
    bad_pixel_table.main(voted()[0], paths, DETECTOR, config(), sources)
    table, about = read_parquet(paths["parquet"])
    assert str(row(table, "hot")["first_seen"])[:10] == "2024-06-01" and about["left_out_masks"] == [
        "1 made with other settings (trial)",
        "3 of an earlier version, without a record of the settings (unknown)",
    ]


def test_texts_are_no_formulas_and_numbers_keep_their_digits(tmp_path):
    table = pd.DataFrame({"x": np.array([1], np.int16), "types": ["=1+1"], "noise": np.array([0.1234567], np.float32)})
    write_tables(tmp_path / "a.parquet", tmp_path / "a.csv", table, STRENGTHS, {})
    assert (tmp_path / "a.csv").read_text() == "x,types,noise\n1,'=1+1,0.123457\n"
    assert read_csv(tmp_path / "a.csv", read_parquet(tmp_path / "a.parquet")[0])["types"][0] == "=1+1"
    values = np.array([np.nan, np.inf, 0, -123456789.0, 1.2345678e-20, 9.9999999, 1e30])
    assert [f"{value!r}" for value in rounded(values).tolist()] == [
        "nan", "inf", "0.0", "-123457000.0", "1.23457e-20", "10.0", "1e+30",
    ]  # fmt: skip


def test_a_mask_without_a_flagged_pixel_has_an_empty_table(tmp_path, voted):
    result = voted()[1]
    result = replace(result, dq=0 * result.dq)
    table = pixel_rows(result, *result.flagged(), EarlierMasks.none(OF_DETECTOR), START)
    paths = tmp_path / "a.parquet", tmp_path / "a.csv"
    write_tables(*paths, table, STRENGTHS, {})
    assert len(read_parquet(paths[0])[0]) == 0 and len(paths[1].read_text().splitlines()) == 1
