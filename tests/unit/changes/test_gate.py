"""The gate before a release: numbers against limits."""

import json

import pytest

import release_gate
from badpix.changes.gate import ReleaseRefused, check_release

SUMMARY = {
    "science_pixels": 1000, "new": 30, "recovered": 4, "new_fraction": 0.03, "recovered_fraction": 0.004,
    "before": {"file": "old.fits"}, "after": {"file": "new.fits"}, "notes": ["old.fits is cut"],
    "new_pixels": {"near": {"known": 11, "unlisted": 0, "new": 2, "isolated": 17}, "unlisted_centres": 0},
}  # fmt: skip


def test_within_the_limits_which_are_inclusive():
    checks = check_release(SUMMARY, {"new": 0.03, "recovered": None})
    assert checks == {"new": {"pixels": 30, "science_pixels": 1000, "fraction": 0.03, "limit": 0.03}}


def test_the_message_lists_all_exceeded_limits():
    with pytest.raises(ReleaseRefused) as caught:
        check_release(SUMMARY, {"new": 0.02, "recovered": 0})
    assert str(caught.value) == (
        "new.fits differs too much from old.fits: 30 of 1000 science pixels are new, a fraction of 0.03;"
        " max_new_fraction is 0.02; new pixels by their 4 direct neighbours: 17 isolated, 11 beside a pixel bad before,"
        " 0 around a good pixel, 2 beside other new pixels only; 4 of 1000 science pixels are recovered, a fraction of"
        " 0.004; max_recovered_fraction is 0"
    )


def test_masks_without_common_science_pixels_do_not_pass():
    with pytest.raises(ReleaseRefused, match=r"new\.fits and old\.fits have no science pixel in common"):
        check_release(SUMMARY | {"science_pixels": 0, "new_fraction": 0.0}, {"new": 0.1, "recovered": None})


def test_the_script_writes_only_what_has_passed(tmp_path):
    (tmp_path / "in.json").write_text(json.dumps(SUMMARY))
    with pytest.raises(ReleaseRefused):
        release_gate.main(tmp_path / "in.json", tmp_path / "out.json", {"new": 0.01, "recovered": None})
    assert not (tmp_path / "out.json").exists()
    release_gate.main(tmp_path / "in.json", tmp_path / "out.json", {"new": 0.1, "recovered": 0.1})
    report = json.loads((tmp_path / "out.json").read_text())
    assert report["passed"] and set(report["checks"]) == {"new", "recovered"}
    assert report["notes"] == SUMMARY["notes"]
