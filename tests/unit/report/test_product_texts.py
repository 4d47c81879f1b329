"""The results of the products of a mask in a few words."""

import json

import pytest

from badpix.report import product_texts as texts

COUNT = {"old_share": [2, 1, 3], "new_share": [1, 0, 2], "difference": [-1, -2, 0], "result": "better"}
CHECK = {
    "old_mask": "old.fits", "notes": [], "left_out": {},
    "counts": {"outliers let through": COUNT, "good area lost": COUNT},
}  # fmt: skip
CASES = {
    "quality": (json.dumps({"ramp": "a_uncal.fits"}), "passed: all flags arrive in PIXELDQ of a_uncal.fits"),
    "pixel_table": ("# a comment\nx,y\n1,2\n3,4\n", "2 flagged pixels"),
    "leave_one_out": (
        "kind,exposure,n_changed,undecided\ndarks,a,3,\ndarks,b,1200,noisy\n", "at most 1,200 pixels change, without b",
    ),
    "injection": (
        "type,planted,found,flagged\nhot,1000,900,950\nrc,100,50,60\n",
        "950 of 1,100 planted pixels found as their type, 1,010 with any flag",
    ),
    "comparison": (
        "kind,exposure,measure,integration,value,others,variation,distance,limit,status,text\n"
        "darks,a,noise,1,1,1,1,9.5,5,outlier of few,x\ndarks,b,noise,1,1,1,1,0.5,5,good,x\n",
        "1 outliers among 2 exposures: a",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "text"), [(name, *case) for name, case in CASES.items()])
def test_a_result_in_words(tmp_path, name, content, text):
    path = tmp_path / "product.csv"
    path.write_text(content)
    assert getattr(texts, name)(None, path) == (text, name == "comparison")


@pytest.mark.parametrize(
    ("verdict", "text", "alert"),
    [
        ("better", "new mask better than old.fits", False),
        ("worse", "new mask worse than old.fits", True),
        ("mixed", "mixed: old.fits and the new mask", True),
        ("not distinguishable", "not distinguishable: old.fits and the new mask", False),
    ],
)
def test_the_verdict_of_the_science_check(tmp_path, verdict, text, alert):
    path = tmp_path / "science_check.json"
    path.write_text(json.dumps(CHECK | {"verdict": verdict}))
    assert texts.science_check(None, path) == (text, alert)


def test_no_exposure_changes_a_flag_and_intermittent_pixels_of_the_history(tmp_path):
    table = tmp_path / "leave_one_out.csv"
    table.write_text("kind,exposure,n_changed,undecided\ndarks,a,0,\n")
    assert texts.leave_one_out(None, table)[0] == "no flag changes without any of the exposures"
    (tmp_path / "intermittent_pixels.csv").write_text("x,y\n1,1\n")
    assert texts.history(None, tmp_path / "history.png") == ("1 pixels flagged in some masks but not in all", False)
