"""The page docs/reference/files.md describes every file of a run; tests of further products use `undescribed` too."""

import re

from workflow.files_page import page, undescribed
from workflow.runner import PROJECT


def test_the_files_of_a_run_are_those_of_the_page(results):
    assert undescribed(results) == []


def test_every_output_of_a_rule_is_on_the_page():
    text = (PROJECT / "docs" / "reference" / "files.md").read_text(encoding="utf-8")
    paths = set()
    for rules in sorted((PROJECT / "rules").glob("*.smk")):
        for output in re.findall(r"\n +output:\n(.*?)\n +\w+:\n", rules.read_text(encoding="utf-8"), re.S):
            paths |= set(re.findall(r'"(?:<results>/\{detector\}(?:\{epoch\})?/)?([\w{}/.]+\.(?!rst)\w+)"', output))
    assert {"evidence.fits", "darks/{exposure}_jump.fits", "bad_pixels.parquet"} <= paths
    places = str.maketrans("{}", "<>")
    named = [path.replace("{epoch}", "").replace("{kind}", "darks").translate(places) for path in sorted(paths)]
    assert [path for path in named if f"`{path}`" not in text] == []


def test_each_heading_of_the_page_is_a_file_with_a_table():
    described = [section for section in page() if section.paths]
    assert len(described) > 30
    assert [section.paths for section in described if not section.tables] == []
