"""CSV tables: no text is a formula in a spreadsheet, and every text is read again as it was."""

import csv

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from badpix.core.csv_table import FORMULA, TableError, defused, read_csv, restored, write_csv

COLUMNS = {"text": str, "count": int, "ratio": float, "good": bool}


def table(texts):
    return pd.DataFrame({"text": texts, "count": -3, "ratio": -0.5, "good": False})


@pytest.mark.parametrize("text", ["=1+1", "+1", "-2+3", "@SUM(1,1)", "\t=1", "\r=1", "  =1", "'=1", "''-1", "\uff1d1"])
def test_no_cell_begins_a_formula(text, tmp_path):
    write_csv(tmp_path / "a.csv", table([text]).set_index("text", drop=False), index=True)
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        cells = list(csv.reader(file))[1][:2]
    assert cells == ["'" + text] * 2
    assert read_csv(tmp_path / "a.csv", {"text": str})["text"].tolist() == [text]


def test_numbers_and_plain_texts_are_unchanged(tmp_path):
    texts = ["a=b", "NA", "None", "", "it's", "'quoted'", "é"]
    write_csv(tmp_path / "a.csv", table(texts))
    assert (tmp_path / "a.csv").read_text().splitlines()[1] == "a=b,-3,-0.5,False"
    read = read_csv(tmp_path / "a.csv", COLUMNS)
    assert read.equals(table(texts).astype({"text": read["text"].dtype}))


@given(st.text())
def test_every_text_is_restored(text):
    assert restored(defused(text)) == text
    assert not defused(text).startswith(FORMULA)


def test_an_empty_float_is_nan(tmp_path):
    write_csv(tmp_path / "a.csv", pd.DataFrame({"ratio": [np.nan, 1.5]}))
    assert np.isnan(read_csv(tmp_path / "a.csv", {"ratio": float})["ratio"][0])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "No columns"),
        ("count\nx\n", "invalid literal"),
        ("text\na\n", "it lacks the column count"),
        ("count,good\n1,yes\n", "good is 'yes', not True or False"),
        ('count\n"1', "EOF inside string"),
        ("count\n" + "1,2\n1,2,3,4\n", "Expected"),
        (b"count\n\xff", "can't decode"),
    ],
)
def test_a_damaged_table_is_named(tmp_path, content, words):
    (tmp_path / "a.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(TableError, match=rf"a\.csv is no table of this workflow: .*{words}"):
        read_csv(tmp_path / "a.csv", {"count": int} | ({"good": bool} if "good" in str(content) else {}))
