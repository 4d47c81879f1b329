"""Only like is compared with like, an entry counts once, and a removed entry stays away."""

import json
import multiprocessing
import os
import signal

import numpy as np
import pandas as pd
import pytest

import history as script
from badpix.core import csv_table
from badpix.history.comparable import ALL, UNKNOWN, Like
from badpix.history.entries import entries_of, intermittent_pixels
from badpix.history.files import HistoryError, extend_history, read_history
from badpix.history.plot import draw_history
from badpix.history.remove import NoEntry, remove_entries, restore_entries
from badpix.history.selection import select
from badpix.history.text import history_lines, listing, numbers_lines, numbers_of, write_numbers
from badpix.report import product_texts
from jwst_badpix.command import main as command
from unit.history.test_entries import HOT, entry, image, same

OWN = [
    entry("june", "2024-06-01", image((0, 0, HOT), (1, 2, HOT)), settings="a", exposures="1"),
    entry("july", "2024-07-01", image((0, 0, HOT)), settings="a", exposures="2"),
]
# A first run with the defaults, of the exposures of june: it flags another pixel.
TRIAL = entry("june", "2024-06-01", image((2, 0, HOT)), settings="b", exposures="1")
OLD = entry("may", "2024-05-01", image((2, 1, HOT)))
LIKE = Like("a")


def key(one):
    return one.epochs["entry"].iloc[0]


def flagged(pixels):
    return {(row.x, row.y) for row in pixels.itertuples()}


def test_a_trial_run_makes_no_intermittent_pixels(tmp_path):
    extended = extend_history(tmp_path, [*OWN, TRIAL, OLD], LIKE)
    assert len(entries_of(extended.history)) == 4, "the trial does not replace the entry of the same epoch"
    assert flagged(intermittent_pixels(extended.pixels)) == {(1, 2)} and set(extended.pixels["n_epochs"]) == {2}
    assert flagged(pd.read_parquet(tmp_path / "pixels.parquet")) == {(0, 0), (1, 2)}
    epochs = pd.read_parquet(tmp_path / "epochs.parquet")
    assert set(epochs.loc[epochs["compared"], "entry"]) == set(map(key, OWN))
    assert extended.selection.texts == [
        "1 made with other settings (b)",
        "1 of an earlier version, without a record of the settings (unknown)",
    ]
    of_trial = extend_history(tmp_path, [TRIAL], Like("b"))
    assert flagged(of_trial.pixels) == {(2, 0)}
    back = extend_history(tmp_path, OWN, LIKE)
    assert back.pixels.equals(extended.pixels) and back.history.epochs.equals(extended.history.epochs)


def test_declared_settings_are_compared_and_the_same_exposures_count_once():
    third = entry("april", "2024-04-01", image((2, 0, HOT)), settings="b", exposures="3")
    again = entry("", "2024-07-01", image(), settings="b", exposures="2")
    entries = pd.concat([entries_of(one) for one in (*OWN, TRIAL, OLD, third, again)], ignore_index=True)
    found = select(entries, Like("a", ("b",)))
    assert set(found.compared["entry"]) == {*map(key, OWN), key(third)}
    assert found.texts == [
        "1 of an earlier version, without a record of the settings (unknown)",
        "2 of the same exposures as another entry",
    ]
    assert len(select(entries, Like("a", ("b", UNKNOWN))).compared) == len(select(entries, Like("", ALL)).compared) == 4
    newer = entries[entries["settings"] != "a"].assign(mask_date=[f"2026-01-0{n}" for n in range(1, 5)])
    assert key(again) in set(select(newer, Like("", ALL)).compared["entry"])


def test_what_was_left_out_is_said(tmp_path):
    extended = extend_history(tmp_path / "history", [*OWN, TRIAL], LIKE)
    texts = extended.selection.texts
    numbers = numbers_of(extended, LIKE, "d", 1)
    write_numbers(tmp_path / "history.json", numbers)
    mask = tmp_path / "mask"
    mask.write_text("")
    os.utime(mask, (0, 0))
    lines = history_lines({str(tmp_path): [str(mask)], "elsewhere": []})
    assert lines == [
        f"history ({tmp_path}/history.png): 2 masks of the same settings compared; left out: 1 made with other settings"
        " (b); 1 pixels are flagged in some of them but not in all",
        "  to compare them too, name their settings in comparable_settings (docs/howto/history.md)",
    ]
    assert product_texts.history(None, tmp_path / "history.png") == ("; ".join(numbers_lines(numbers)), False)
    os.utime(mask, (2**32, 2**32))
    assert not history_lines({str(tmp_path): [str(mask)]}), "a mask is newer"
    assert json.loads((tmp_path / "history.json").read_text())["left_out_entries"] == [
        {"entry": key(TRIAL), "epoch": "june", "settings": "b", "reason": "other settings"}
    ]
    draw_history(tmp_path / "a.png", extended.history, extended.pixels, "NIS", texts)
    assert (tmp_path / "a.png").stat().st_size > 0
    everything = numbers_lines(
        numbers_of(extend_history(tmp_path / "history", [], Like("a", ALL)), Like("a", ALL), "d", 1)
    )
    assert everything[0].startswith("2 masks of any settings compared; left out: 1 of the same exposures as")


# ---------------------------------------------------------------- removal


@pytest.fixture
def directory(tmp_path):
    extend_history(tmp_path / "results" / "NIS" / "history", [*OWN, TRIAL], Like("a", ALL))
    return tmp_path / "results" / "NIS" / "history"


def entries_in(directory):
    return set(entries_of(read_history(directory))["entry"])


def test_a_removed_entry_is_not_added_again(directory):
    removed = remove_entries(directory, [key(TRIAL)[:6], "july"])
    assert set(removed["entry"]) == {key(TRIAL), key(OWN[1])} and entries_in(directory) == {key(OWN[0])}
    for name in ("epochs", "flagged"):
        assert set(pd.read_parquet(directory / f"{name}.parquet")["entry"]) == {key(OWN[0])}
    assert set(pd.read_parquet(directory / "pixels.parquet")["n_epochs"]) == {1}
    extended = extend_history(directory, [*OWN, TRIAL], LIKE)
    assert entries_in(directory) == {key(OWN[0])} and set(extended.not_added) == {key(OWN[1]), key(TRIAL)}
    assert "a user removed them" in numbers_lines(numbers_of(extended, LIKE, "d", 0))[1]
    other = entry("july", "2024-07-01", image((1, 1, HOT)), settings="a", exposures="without the bad dark")
    assert key(other) == key(OWN[1])
    extend_history(directory, [other], LIKE)
    assert entries_in(directory) == {key(OWN[0]), key(other)}, "a mask of other exposures is another mask"


def test_a_restored_entry_is_added_again(directory):
    before = read_history(directory)
    remove_entries(directory, ["july"])
    restore_entries(directory, ["july"])
    assert not (directory / "removed.csv").exists() and len(entries_in(directory)) == 2
    extend_history(directory, OWN, Like("a", ALL))
    assert same(read_history(directory), before)


def test_all_entries_can_be_removed(directory, tmp_path):
    remove_entries(directory, sorted(entries_in(directory)))
    assert not entries_in(directory)
    outputs = {name: tmp_path / name for name in ("figure", "intermittent", "numbers")}
    script.main([], directory, LIKE, "NIS", outputs | {"figure": tmp_path / "a.png"})
    assert (tmp_path / "a.png").stat().st_size > 0
    new = entry("may", "2024-05-01", image((0, 0, HOT)), settings="a")
    extend_history(directory, [new], LIKE)
    assert entries_in(directory) == {key(new)}


@pytest.mark.parametrize("n_written", range(4))
def test_a_removal_that_is_killed_is_whole_or_not_at_all(directory, n_written, monkeypatch):
    before, done = entries_in(directory), []

    def counted(original):
        def write(*arguments, **options):
            if len(done) == n_written:
                os.kill(os.getpid(), signal.SIGKILL)
            done.append(original)
            return original(*arguments, **options)

        return write

    def job():
        monkeypatch.setattr(pd.DataFrame, "to_parquet", counted(pd.DataFrame.to_parquet))
        monkeypatch.setattr(csv_table, "write_text", counted(csv_table.write_text))
        remove_entries(directory, [key(OWN[1])])

    process = multiprocessing.get_context("fork").Process(target=job)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert entries_in(directory) == (before if n_written == 0 else before - {key(OWN[1])})
    if n_written:
        restore_entries(directory, [key(OWN[1])])
        assert entries_in(directory) == before - {key(OWN[1])}, "no half of an entry comes back"
    extended = extend_history(directory, OWN, LIKE)
    assert entries_in(directory) == before and set(extended.pixels["n_epochs"]) == {2}
    stored = pd.read_parquet(directory / "pixels.parquet")
    pd.testing.assert_frame_equal(stored, extended.pixels)


def test_names_of_no_entry_and_of_two_are_refused(directory):
    for names, words in ((["juno"], "'juno' is no entry of"), (["june"], "'june' is the name of 2 entries of")):
        with pytest.raises(NoEntry, match=words) as error:
            remove_entries(directory, ["july", *names])
        assert f"{key(TRIAL)} (june)" in str(error.value)
    for name in ("", key(TRIAL)[:3]):
        with pytest.raises(NoEntry, match="is no entry"):
            remove_entries(directory, [name])
    with pytest.raises(NoEntry, match="it must be one of: none is there"):
        restore_entries(directory, ["july"])
    assert len(entries_in(directory)) == 3
    (directory / "removed.csv").write_text("a,b\n1,2\n")
    with pytest.raises(HistoryError, match=r"removed\.csv is no table of this workflow: it lacks the column entry"):
        extend_history(directory, OWN)


def test_the_command_lists_and_removes(directory, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command(["history", "NIS"]) == 0
    listed = capsys.readouterr().out
    assert "results/NIS/history: 3 entries, 2 of them compared in the last run" in listed and key(TRIAL) in listed
    assert command(["history", "NIS", "--remove", key(TRIAL), "--dry-run"]) == 0
    assert f"would be removed: {key(TRIAL)} june" in capsys.readouterr().out and len(entries_in(directory)) == 3
    assert command(["history", "NIS", "--remove", key(TRIAL)]) == 0
    output = capsys.readouterr().out
    assert f"removed: {key(TRIAL)} june" in output and "removed:\n" in output and len(entries_in(directory)) == 2
    assert command(["history", "NIS", "--remove", "x"]) == 1
    assert "'x' is no entry of" in capsys.readouterr().err
    assert command(["history", "NRS1"]) == 1
    assert "no history of NRS1 in results/NRS1/history; there are: NIS" in capsys.readouterr().err
    assert command(["history", "NIS", "--restore", "june"]) == 0
    assert f"restored: {key(TRIAL)}" in capsys.readouterr().out


def test_the_list_says_what_differs(tmp_path):
    def with_settings(settings, day, configuration):
        one = entry(day, day, np.zeros((3, 4)), settings=settings)
        one.epochs["configuration"] = configuration
        return one

    entries = [
        with_settings("a", "2024-06-01", '{"max_jump_limit": 5.0}'),
        with_settings("b", "2024-07-01", '{"hot_fraction": 0.5}'),
        with_settings("", "2024-08-01", ""),
    ]
    extend_history(tmp_path, entries, LIKE)
    lines = listing(tmp_path)
    assert "settings a: as configured last" in lines and "settings unknown: no record" in lines
    assert "settings b: differs from a in hot_fraction 0.5, max_jump_limit default" in lines
