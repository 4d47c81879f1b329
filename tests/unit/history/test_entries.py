"""The history of a detector's masks: tables of a few pixels, and files that survive the end of a job."""

import json
import math
import multiprocessing
import os
import re
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from matplotlib.figure import Figure

import history as script
from badpix.formats.mask_file import MaskHeader, write_mask
from badpix.history.comparable import Like, digest_of
from badpix.history.entries import (
    ANY,
    EPOCHS,
    FLAGGED,
    add,
    coverage,
    empty,
    entries_of,
    entry_key,
    intermittent_pixels,
    make_entry,
    pixel_table,
)
from badpix.history.files import HistoryError, extend_history, read_history
from badpix.history.new_entry import contents_of
from badpix.history.plot import show_dates
from badpix.instrument.dq import bits
from badpix.instrument.geometry import Geometry

HOT, DEAD, RC = (np.uint32(bits([name])) for name in ("HOT", "DEAD", "RC"))
REFERENCE = np.uint32(bits(["REFERENCE_PIXEL"]))


def entry(epoch, day, dq, x_start=1, y_start=1, settings="", exposures="", contents=""):
    """An entry of the mask `dq` (3, 4) whose exposures were made on `day` and the day after."""
    dq = np.asarray(dq, np.uint32)
    overview = {
        "entry": entry_key("NIS", epoch, [exposures], settings), "detector": "NIS", "epoch": epoch,
        "first_observation": f"{day}T01:00:00",
        "last_observation": pd.Timestamp(day) + pd.Timedelta(days=1), "n_darks": 5, "n_flats": 4, "mask": "m.fits",
        "useafter": f"{day}T01:00:00", "mask_date": "2026-01-01", "subarray": "SUB", "x_start": x_start,
        "y_start": y_start, "n_columns": dq.shape[1], "n_rows": dq.shape[0], "settings": settings,
        "preset": "", "configuration": "", "exposures": exposures, "contents": contents, "compared": False,
    }  # fmt: skip
    counts = [("flag", "HOT", int(np.count_nonzero(dq & HOT)), np.count_nonzero(dq & HOT) / dq.size, pd.NA)]
    columns = ["kind", "name", "n_pixels", "fraction", "n_insufficient"]
    return make_entry(overview, pd.DataFrame(counts, columns=columns), dq)


def image(*pixels):
    """A DQ image (3, 4) with the value at each (x, y)."""
    dq = np.zeros((3, 4), np.uint32)
    dq[:, 3] = REFERENCE
    for x, y, value in pixels:
        dq[y, x] |= value
    return dq


JUNE = entry("june", "2024-06-01", image((0, 0, HOT), (1, 2, DEAD), (2, 1, RC)))
JULY = entry("july", "2024-07-01", image((0, 0, HOT | RC), (2, 1, RC)))
AUGUST = entry("august", "2024-08-01", image((0, 0, HOT), (1, 2, HOT)))


def history_of(*entries):
    result = empty()
    for one in entries:
        result = add(result, one)
    return result


def test_pixels_by_hand():
    table = pixel_table(history_of(JUNE, JULY, AUGUST)).astype({"flag": str}).set_index(["x", "y", "flag"])
    june, july, august = (pd.Timestamp(2024, month, 1, 1) for month in (6, 7, 8))
    day_after = pd.Timedelta(hours=23)
    expected = {
        (0, 0, "HOT"): (june, august, 3), (0, 0, "RC"): (july, july, 1), (0, 0, ANY): (june, august, 3),
        (2, 1, "RC"): (june, july, 2), (2, 1, ANY): (june, july, 2),
        (1, 2, "DEAD"): (june, june, 1), (1, 2, "HOT"): (august, august, 1), (1, 2, ANY): (june, august, 2),
    }  # fmt: skip
    assert set(table.index) == set(expected), "reference pixels are not listed"
    for pixel, (first, last, number) in expected.items():
        row = table.loc[pixel]
        assert (row["first_seen"], row["last_seen"]) == (first, last + day_after), pixel
        assert (row["n_epochs_flagged"], row["n_epochs"]) == (number, 3), pixel
        assert row["fraction_flagged"] == number / 3


def test_intermittent_pixels_by_hand():
    listed = intermittent_pixels(pixel_table(history_of(JUNE, JULY, AUGUST)))
    assert listed[["x", "y", "flags", "n_epochs_flagged", "n_epochs"]].to_numpy().tolist() == [
        [2, 1, "RC", 2, 3],
        [1, 2, "DEAD+HOT", 2, 3],
    ]
    assert intermittent_pixels(pixel_table(history_of(JUNE))).empty


def test_entries_of_different_arrays_count_where_they_have_the_pixel():
    corner = entry("corner", "2024-09-01", image((0, 0, HOT)), x_start=3, y_start=2)
    history = history_of(JUNE, corner)
    seen = coverage(entries_of(history))
    assert seen.shape == (4, 6)
    assert (seen[0, 0], seen[1, 2], seen[3, 5], seen[3, 0]) == (1, 2, 1, 0)
    table = pixel_table(history).astype({"flag": str}).set_index(["x", "y", "flag"])
    # Pixel (0, 0) of the subarray is (2, 1) of the detector.
    assert table.loc[(2, 1, ANY), ["n_epochs_flagged", "n_epochs"]].tolist() == [2, 2]
    assert table.loc[(0, 0, ANY), ["n_epochs_flagged", "n_epochs"]].tolist() == [1, 1]


def same(one, other):
    """Whether two Histories are equal, but for what the last run compared."""
    epochs = (history.epochs.drop(columns="compared") for history in (one, other))
    return next(epochs).equals(next(epochs)) and one.flagged.equals(other.flagged)


def test_the_order_does_not_matter_and_twice_is_once():
    once = history_of(JUNE, JULY, AUGUST)
    assert same(once, history_of(AUGUST, JUNE, JULY, JUNE, AUGUST))
    assert list(entries_of(once)["epoch"]) == ["june", "july", "august"]


def test_an_entry_of_the_same_epoch_is_replaced():
    other = entry("july", "2024-07-03", image((1, 1, DEAD)))
    assert same(history_of(JUNE, JULY, other), history_of(JUNE, other))
    assert not same(history_of(JUNE, JULY, other), history_of(JUNE, JULY))


def test_keys():
    assert entry_key("NIS", "june", ["a"]) == entry_key("NIS", "june", ["b"])
    assert entry_key("NIS", "", ["a", "b"]) == entry_key("NIS", "", ["b", "a"])
    keys = {
        entry_key("NIS", "", ["a"]),
        entry_key("NIS", "", ["b"]),
        entry_key("NIS", "a", []),
        entry_key("NRS1", "", ["a"]),
    }
    assert len(keys) == 4


def test_without_entries():
    assert pixel_table(history_of(entry("clean", "2024-06-01", image()))).empty


# ---------------------------------------------------------------- files


def test_files_hold_the_tables(tmp_path):
    pixels = extend_history(tmp_path, [JUNE, AUGUST]).pixels
    extend_history(tmp_path, [JULY])
    assert same(read_history(tmp_path), history_of(JUNE, JULY, AUGUST))
    stored = pd.read_parquet(tmp_path / "pixels.parquet")
    pd.testing.assert_frame_equal(stored, pixel_table(history_of(JUNE, JULY, AUGUST)))
    assert list(pd.read_parquet(tmp_path / "epochs.parquet").columns) == list(EPOCHS)
    assert list(pd.read_parquet(tmp_path / "flagged.parquet").columns) == list(FLAGGED)
    assert len(stored) > len(pixels)


def test_adding_the_same_again_leaves_the_files_alone(tmp_path):
    extend_history(tmp_path, [JUNE, JULY])
    before = {path: (path.stat().st_ino, path.read_bytes()) for path in tmp_path.glob("*.parquet")}
    assert len(before) == 3
    extend_history(tmp_path, [JULY])
    assert before == {path: (path.stat().st_ino, path.read_bytes()) for path in tmp_path.glob("*.parquet")}


@pytest.mark.parametrize("writes", range(3))
def test_a_job_killed_between_the_files_loses_nothing(tmp_path, writes, monkeypatch):
    """The next try completes the history; what was in it is still there."""
    extend_history(tmp_path, [JUNE])
    original, done = pd.DataFrame.to_parquet, []

    def killed(table, *arguments, **options):
        if len(done) == writes:
            os.kill(os.getpid(), signal.SIGKILL)
        done.append(table)
        return original(table, *arguments, **options)

    def job():
        monkeypatch.setattr(pd.DataFrame, "to_parquet", killed)
        extend_history(tmp_path, [JULY])

    process = multiprocessing.get_context("fork").Process(target=job)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    left = read_history(tmp_path)
    assert "june" in set(left.epochs["epoch"]) and JUNE.flagged["entry"].iloc[0] in set(left.flagged["entry"])
    extend_history(tmp_path, [JULY])
    assert same(read_history(tmp_path), history_of(JUNE, JULY))
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "pixels.parquet"), pixel_table(history_of(JUNE, JULY)))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".lock", "epochs.parquet", "flagged.parquet", "pixels.parquet",
    ]  # fmt: skip


def test_jobs_at_the_same_time_lose_nothing(tmp_path):
    days = [f"2024-06-{day:02d}" for day in range(1, 7)]
    entries = [entry(day, day, image((day_number % 3, 0, HOT))) for day_number, day in enumerate(days)]
    context = multiprocessing.get_context("fork")
    jobs = [context.Process(target=extend_history, args=(tmp_path, [one])) for one in entries]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert same(read_history(tmp_path), history_of(*entries))


def test_a_damaged_history_is_named_and_left_alone(tmp_path):
    extend_history(tmp_path, [JUNE])
    path = tmp_path / "flagged.parquet"
    path.write_bytes(path.read_bytes()[:100])
    damaged = path.read_bytes()
    with pytest.raises(HistoryError, match=r"flagged\.parquet cannot be read"):
        extend_history(tmp_path, [JULY])
    assert path.read_bytes() == damaged


def test_a_history_with_other_columns_is_refused(tmp_path):
    extend_history(tmp_path, [JUNE])
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "epochs.parquet")
    with pytest.raises(HistoryError, match=r"epochs\.parquet cannot be read .* it has the columns a, not entry"):
        extend_history(tmp_path, [JUNE])


@pytest.mark.parametrize(
    ("file", "damage", "words"),
    [
        ("epochs", {"n_darks": math.nan}, "n_darks has the type float64"),
        ("epochs", {"n_darks": "x"}, "n_darks has the type"),
        ("epochs", {"n_flats": -1}, "n_flats has values from -1 to -1"),
        ("epochs", {"first_observation": "yesterday"}, "first_observation has the type"),
        ("epochs", {"first_observation": pd.NaT}, "first_observation has"),
        ("epochs", {"first_observation": pd.Timestamp("2099-01-01")}, "last_observation before its first"),
        ("epochs", {"n_rows": 10**9}, r"an array beyond 4096 pixels \(y_start, n_rows"),
        ("epochs", {"y_start": 0}, r"an array beyond 4096 pixels \(y_start"),
        ("epochs", {"detector": None}, "detector has values that are no texts"),
        ("epochs", {"configuration": "[1"}, "a configuration that is no JSON mapping"),
        ("epochs", {"compared": "yes"}, "compared has the type"),
        ("epochs", {"kind": "x"}, "neither type nor flag|a count twice"),
        ("epochs", {"fraction": 2.0}, "a fraction that is not from 0 to 1"),
        ("epochs", slice(0), "has no rows"),
        ("flagged", {"x": 10**6}, "outside the array of their mask"),
        ("flagged", {"y": -5}, "y has values from -5"),
        ("flagged", {"flag": "X"}, "unknown flags|a row twice"),
        ("flagged", {"entry": None}, "entry has values that are no texts"),
    ],
)
def test_a_damaged_table_is_refused_and_left_alone(tmp_path, file, damage, words):
    extend_history(tmp_path, [JUNE, JULY])
    path = tmp_path / f"{file}.parquet"
    table = pd.read_parquet(path)
    (table.iloc[damage] if isinstance(damage, slice) else table.assign(**damage)).to_parquet(path, index=False)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(HistoryError, match=f"({words}).*; nothing was written. Put a copy in its place"):
        extend_history(tmp_path, [JULY])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_table_of_far_more_rows_than_bytes_is_refused(tmp_path):
    extend_history(tmp_path, [JUNE])
    table = pd.read_parquet(tmp_path / "flagged.parquet")
    table.iloc[[0] * 10**6].to_parquet(tmp_path / "flagged.parquet", index=False)
    with pytest.raises(HistoryError, match="1000000 rows in"):
        extend_history(tmp_path, [JULY])


def test_a_history_without_its_epochs_is_not_begun_anew(tmp_path):
    extend_history(tmp_path, [JUNE])
    (tmp_path / "epochs.parquet").unlink()
    with pytest.raises(HistoryError, match=r"epochs\.parquet is missing, but flagged\.parquet has entries"):
        extend_history(tmp_path, [JULY])


@pytest.mark.parametrize("name", ["epochs.parquet", "flagged.parquet", "pixels.parquet", ".lock"])
@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_another_thing_in_the_place_of_a_file_is_named(tmp_path, name, make):
    extend_history(tmp_path, [JUNE])
    (tmp_path / name).unlink()
    make(tmp_path / name)
    with pytest.raises(HistoryError, match=f"{re.escape(name)} (is|cannot be read .*it is) no regular file"):
        extend_history(tmp_path, [JULY])


def test_flags_of_an_unknown_entry_do_not_count(tmp_path):
    extend_history(tmp_path, [JUNE])
    both = history_of(JUNE, JULY)
    both.flagged.to_parquet(tmp_path / "flagged.parquet", index=False)  # as after a job that was killed
    history = extend_history(tmp_path, [AUGUST]).history
    assert same(history, history_of(JUNE, AUGUST))
    assert same(read_history(tmp_path), history_of(JUNE, AUGUST))


@pytest.mark.parametrize("lacking", [["settings"], []])
def test_a_history_of_an_earlier_version_is_read(tmp_path, lacking):
    by_exposures = entry("", "2024-05-01", image((0, 0, HOT)), exposures="a")
    extend_history(tmp_path, [JUNE, by_exposures])
    path = tmp_path / "epochs.parquet"
    later = ["preset", "configuration", "exposures", "contents", "compared"]
    pd.read_parquet(path).drop(columns=lacking + later).to_parquet(path, index=False)
    stored = entries_of(read_history(tmp_path)).set_index("epoch")
    assert set(stored["settings"]) == set(stored["configuration"]) == {""} and not stored["compared"].any()
    assert stored.loc["", "exposures"] == stored.loc["", "entry"], "its key is the digest of its exposures"
    assert stored.loc["june", "exposures"] == ""
    extended = extend_history(tmp_path, [AUGUST], Like("a"))
    assert extended.selection.compared.empty and len(entries_of(extended.history)) == 3
    assert extended.selection.texts == ["3 of an earlier version, without a record of the settings (unknown)"]


# ---------------------------------------------------------------- the script


def test_the_script_uses_the_header_of_the_mask_and_the_exposures_of_the_vote(tmp_path):
    geometry = Geometry("SUB64", 11, 21, 4, 3, -2, -1)
    texts = {"author": "a", "description": "d", "pedigree": "GROUND", "useafter": "2024-06-01 00:00:00"}
    identity = {"instrument": "NIRISS", "detector": "NIS"}
    write_mask(tmp_path / "m.fits", image((0, 0, HOT), (1, 2, DEAD)), geometry, MaskHeader(identity, texts))
    rows = [("flag", "HOT", 1, 0.1, ""), ("area", "not_lit", 5, 0.4, "")]
    pd.DataFrame(rows, columns=["kind", "name", "n_pixels", "fraction", "x"]).to_csv(tmp_path / "summary.csv")
    (tmp_path / "rejected_exposures.csv").write_text("input,reason\nd3,bad\nelsewhere,why\n")
    darks = {"d1-seg001": "2024-06-01T01:00:00", "d1-seg002": "2024-06-01T01:00:00", "d3": "2024-06-09T00:00:00"}
    mask = {
        "mask": tmp_path / "m.fits", "summary": tmp_path / "summary.csv",
        "rejected_table": tmp_path / "rejected_exposures.csv", "epoch": "",
        "exposures": {"darks": darks, "flats": {"f1": "2024-06-02T02:00:00"}},
    }  # fmt: skip
    inputs = [("dark", "d1-seg001", "uncal", "1f"), ("reference", "", "", "3c")]
    pd.DataFrame(inputs, columns=["kind", "exposure", "product", "sha256"]).to_csv(tmp_path / "inputs.csv", index=False)
    mask |= {"inputs": tmp_path / "inputs.csv", "configuration": '{"max_jump_limit": 5.0}', "preset": "flight"}
    outputs = {"figure": tmp_path / "history.png", "intermittent": tmp_path / "intermittent.csv"}
    outputs["numbers"] = tmp_path / "history.json"
    like = Like(digest_of(mask["configuration"]))
    script.main([mask], tmp_path / "history", like, "NIS", outputs)
    (stored,) = entries_of(read_history(tmp_path / "history")).to_dict("records")
    assert (stored["settings"], stored["preset"], stored["compared"]) == (like.settings, "flight", True)
    assert stored["exposures"] == entry_key("NIS", "", ["d1-seg002", "f1", "d1-seg001"]), "d3 was rejected"
    assert stored["entry"] == entry_key("NIS", "", ["d1-seg002", "f1", "d1-seg001"], like.settings)
    assert stored["contents"] == contents_of(tmp_path / "inputs.csv") != ""
    for row, is_same in (("dark,d1-seg001,uncal,1f\nreference,,,4d", True), ("dark,d1-seg001,uncal,2f", False)):
        (tmp_path / "inputs.csv").write_text(f"kind,exposure,product,sha256\n{row}\n")
        assert (contents_of(tmp_path / "inputs.csv") == stored["contents"]) == is_same, "of exposures only"
    numbers = json.loads(outputs["numbers"].read_text())
    assert (numbers["n_compared"], numbers["left_out"], numbers["n_intermittent"]) == (1, [], 0)
    (kind,) = read_history(tmp_path / "history").epochs["kind"]
    assert kind == "flag", "the unlit area is none of the counts"
    row = read_history(tmp_path / "history").epochs.iloc[0]
    assert (row["detector"], row["epoch"], row["mask"], row["name"], row["n_pixels"]) == ("NIS", "", "m.fits", "HOT", 1)
    assert (row["n_darks"], row["n_flats"]) == (1, 1), "two segments are one exposure, and d3 was left out"
    assert (str(row["first_observation"]), str(row["last_observation"])) == (
        "2024-06-01 01:00:00",
        "2024-06-02 02:00:00",
    )
    assert row["useafter"] == "2024-06-01T00:00:00" == fits.getval(tmp_path / "m.fits", "USEAFTER")
    stored = pd.read_parquet(tmp_path / "history" / "pixels.parquet")
    assert set(zip(stored["x"], stored["y"], strict=True)) == {(10, 20), (11, 22)}
    assert list(pd.read_csv(tmp_path / "intermittent.csv").columns)[:3] == ["x", "y", "flags"]
    assert (tmp_path / "history.png").stat().st_size > 0


@pytest.mark.parametrize("days", [0, 1, 400])
def test_the_figure_has_complete_dates(days):
    first = pd.Timestamp("2024-06-01T01:02:03")
    figure = Figure()
    axes = figure.subplots()
    show_dates(axes, first, first + pd.Timedelta(days=days))
    figure.canvas.draw()
    texts = [label.get_text() for label in axes.get_xticklabels()]
    assert len(texts) >= 3 and len(set(texts)) == len(texts)
    assert all(re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) for text in texts)
    assert any(text.startswith("2024") for text in texts)
