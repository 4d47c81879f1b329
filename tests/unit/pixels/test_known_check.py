"""The check of known bad pixels on the vote of test_adapters: what counts as found and lost, and its limit."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import known_bad_gate
import known_bad_pixels
from badpix.history.files import extend_history
from badpix.mask.flags import flags_by_type
from badpix.pixels.earlier import EarlierMasks, Sources, earlier_masks
from badpix.pixels.known_check import agreed_pixels, check_known, check_table
from badpix.pixels.known_gate import KnownPixelsLost, known_lines, read_json, short_text
from badpix.pixels.known_list import read_known_pixels
from badpix.pixels.known_text import pixel_texts
from badpix.pixels.rows import pixel_rows
from unit.history.test_entries import DEAD, HOT, entry
from unit.pixels.test_rows import BY_HAND, OF_DETECTOR, START
from unit.test_adapters import DETECTOR, PLANTED, config

TABLE = flags_by_type(*(config()[key] for key in ("flag_values", "dark_do_not_use", "flat_do_not_use")))


def known_file(folder, text):
    (folder / "known.txt").write_text(text)
    return folder / "known.txt"


def states(folder, voted, text, change=None, intermittent=None, **changes):
    """(x, y) -> state and whether it is found as its own type; `change(result)` alters the MaskResult."""
    result = voted(**changes)[1]
    known = read_known_pixels(known_file(folder, text), OF_DETECTOR, TABLE)
    checked = check_known(known, change(result) if change else result, TABLE, intermittent)
    pixels = zip(known.x.tolist(), known.y.tolist(), strict=True)
    return dict(zip(pixels, zip(checked.state, checked.own_type.tolist(), strict=True), strict=True)), checked


def test_a_pixel_is_found_with_any_flag_and_its_own_type_is_reported(tmp_path, voted):
    text = "3 3 hot\n7 3 DEAD\n11 3\n5 5 hot\n6 6\n0 0\n"
    found, checked = states(tmp_path, voted, text)
    assert found == {
        (3, 3): ("found", True), (7, 3): ("found", False), (11, 3): ("found", False), (5, 5): ("lost", False),
        (6, 6): ("lost", False), (0, 0): ("reference pixel", False),
    }  # fmt: skip
    counts = checked.counts()
    assert (counts["recall"], counts["with_type"], counts["own_type"]) == (0.6, 2, 1)


def test_flags_by_hand_do_not_come_from_the_vote(tmp_path, voted):
    found, checked = states(tmp_path, voted, "5 5\n3 3\n", **BY_HAND)
    assert found == {(5, 5): ("manual flag", False), (3, 3): ("found", False)}
    assert checked.counts()["recall"] == 1.0


def test_a_type_without_a_flag_does_not_make_a_pixel_found(tmp_path, voted):
    """Here a flag at a pixel of that type is one by hand."""
    result, known = voted()[1], read_known_pixels(known_file(tmp_path, "7 3\n"), OF_DETECTOR, TABLE)
    without = flags_by_type(config()["flag_values"] | {"rc": []}, [], [])
    assert check_known(known, result, without, None).state.tolist() == ["manual flag"]
    good = replace(result, dq=0 * result.dq)
    assert check_known(known, good, without, None).state.tolist() == ["lost"]


def test_insufficient_pixels_are_counted_apart(tmp_path, voted):
    """Without a type only where no type of a kind could be classified: a search that cannot work explains nothing."""

    def unclassified(result):
        bit_of, image = result.evidence.bit_of, result.evidence.insufficient.copy()
        for pixel, names in {
            (5, 5): ["hot"],
            (5, 6): ["DEAD", "LOW_QE", "OPEN", "ADJ_OPEN"],
            (6, 5): ["hot", "DEAD"],
        }.items():
            image[pixel[::-1]] = sum(1 << bit_of[name] for name in names)
        return replace(result, evidence=replace(result.evidence, insufficient=image.astype(np.uint32)))

    text = "5 5 hot\n5 6\n6 5\n9 9 hot\n9 10 warm\n"
    found, checked = states(tmp_path, voted, text, unclassified)
    assert {pixel: state for pixel, (state, _) in found.items()} == {
        (5, 5): "insufficient", (5, 6): "insufficient", (6, 5): "lost", (9, 9): "lost", (9, 10): "not searched",
    }  # fmt: skip
    assert checked.counts()["recall"] == 0
    result = unclassified(voted()[1])
    none = EarlierMasks.none(OF_DETECTOR)
    table = check_table(checked, pixel_rows(result, checked.known.y, checked.known.x, none, START))
    texts = pixel_texts(checked, table, result.evidence, "insufficient")
    assert texts[1].startswith("(5, 6): ")
    assert texts[1].endswith("INSUFFICIENT: DEAD, LOW_QE, OPEN, ADJ_OPEN (not lit, or at the edge of the light)")
    assert texts[0].endswith("INSUFFICIENT: hot")


def test_flags_of_earlier_masks_do_not_come_from_the_vote(tmp_path, voted):
    image = np.zeros((16, 16), np.uint8)
    image[5, 5], image[6, 6] = 2, 1

    def flagged(result):
        dq = result.dq.copy()
        dq[5, 5] = dq[6, 6] = HOT
        return replace(result, dq=dq)

    found, _ = states(tmp_path, voted, "5 5\n6 6\n", flagged, image)
    assert found == {(5, 5): ("lost", False), (6, 6): ("found", False)}


def test_pixels_outside_the_array_are_counted_apart(tmp_path, voted):
    result = voted()[1]
    geometry = replace(result.frame, x_start=5, y_start=9)
    moved = replace(result, exposures=replace(result.exposures, geometry=geometry), frame=geometry)
    detector = replace(OF_DETECTOR, n_columns=40, n_rows=40)
    text = "7 11 hot\n3 3 hot\n30 30\n"  # (3, 3) of the array is (7, 11) of the full frame
    known = read_known_pixels(known_file(tmp_path, text), detector, TABLE)
    assert check_known(known, moved, TABLE, None).state.tolist() == ["outside", "found", "outside"]


def run(folder, voted, text=None, min_masks=2, directory="none"):
    """Check a list, or the earlier masks in `directory`; returns a copy of the mask and the paths of the check."""
    files, of_check = voted()[0], folder / "known_bad"
    paths = {"pixels": of_check / "known_bad_pixels.csv", "numbers": of_check / "known_bad.json"}
    of_check.mkdir(exist_ok=True)
    mask = Path(shutil.copy(files.mask, folder))
    sources = {"directory": str(folder / directory), "start": START, "also": "all"}
    known = known_file(folder, text) if text else None
    known_bad_pixels.main(files, known, paths, DETECTOR, config(), sources, min_masks)
    return mask, paths


def test_the_gate_fails_with_the_numbers_and_the_evidence_of_the_lost_pixels(tmp_path, voted):
    mask, paths = run(tmp_path, voted, "3 3 hot\n7 3 rc\n11 3\n5 5 hot\n6 6 DEAD\n8 5\n")
    table = pd.read_csv(paths["pixels"])
    assert table["state"].tolist() == ["lost"] * 3 + ["found"] * 3
    verdict = tmp_path / "known_bad" / "known_bad_gate.json"
    (tmp_path / "logs").mkdir()
    with pytest.raises(KnownPixelsLost) as caught:
        known_bad_gate.main(paths["numbers"], str(mask), verdict, 0.6, "fail")
    lines = str(caught.value).splitlines()
    assert lines[0] == (
        f"{mask}: the recall is below min_recall 0.6; known bad pixels of {tmp_path}/known.txt: 3 of 6 found again"
        " (recall 0.5), 3 lost; 2 of 2 as a type they are known as"
    )
    assert lines[1].startswith("  (5, 5), known as hot: slope 0.")
    assert "votes: saturated 0 of 6" in lines[1] and "response" in lines[1]
    assert "(8, 5): slope" in lines[2] and "votes: none is positive" in lines[2]
    assert "(6, 6), known as DEAD" in lines[3]
    assert not verdict.exists()
    refused = known_lines(mask, tmp_path)
    assert refused[1] == "    REFUSED; do not deliver this mask: the recall is below min_recall 0.6"
    assert sum(line.startswith("    lost: (") for line in refused) == 3

    known_bad_gate.main(paths["numbers"], str(mask), verdict, 0.6, "warn")
    assert read_json(verdict)["passed"] is False
    assert known_lines(mask, tmp_path)[1] == "    WARNING: the recall is below min_recall 0.6"
    known_bad_gate.main(paths["numbers"], str(mask), verdict, 0.5, "fail")
    assert read_json(verdict)["passed"] is True and not (tmp_path / "logs" / "known_bad_gate.json").exists()
    assert [line[:24] for line in known_lines(mask, tmp_path)] == ["  known bad pixels: " + str(tmp_path)[:4]] + [
        "    lost: (5, 5), known "[:24], "    lost: (8, 5): slope 0"[:24], "    lost: (6, 6), known "[:24]
    ]  # fmt: skip
    os.utime(mask, (2e9, 2e9))
    assert known_lines(mask, tmp_path) == [], "the check is of an earlier mask"


def test_a_check_of_no_pixel_does_not_pass(tmp_path, voted):
    (tmp_path / "logs").mkdir()
    mask, paths = run(tmp_path, voted, "0 0\n3 4 cold\n")
    with pytest.raises(
        KnownPixelsLost, match="none of these pixels could be checked.*1 of types that are not searched"
    ):
        known_bad_gate.main(paths["numbers"], str(mask), tmp_path / "known_bad" / "known_bad_gate.json", 0.0, "fail")


def test_pixels_that_all_earlier_masks_agree_on(tmp_path, voted):
    dq = np.zeros((16, 16), np.uint32)
    dq[PLANTED["hot"]], dq[5, 5], dq[6, 6] = HOT, HOT, DEAD
    other = dq.copy()
    other[6, 6] = 0
    history = tmp_path / "history"
    extend_history(history, [entry("a", "2023-01-01", dq)])
    mask, paths = run(tmp_path, voted, directory="history")
    numbers = read_json(paths["numbers"])
    assert numbers["n_known"] == 0
    assert short_text(numbers) == "1 earlier masks: not checked; min_masks is 2, and there are 1 earlier masks"
    known_bad_gate.main(paths["numbers"], str(mask), tmp_path / "known_bad" / "known_bad_gate.json", 1.0, "fail")
    extend_history(history, [entry("b", "2023-02-01", other, settings="other")])
    numbers = read_json(run(tmp_path, voted, directory="history")[1]["numbers"])
    assert (numbers["found"], numbers["lost"], numbers["own_type"]) == (1, 1, 1)
    assert numbers["lost_pixels"][0].startswith("(5, 5), known as HOT: ")
    earlier = earlier_masks(Sources(str(history), START, also="all"), OF_DETECTOR)
    assert agreed_pixels(earlier, 3, TABLE).x.size == 0
