"""The page docs/reference/files.md describes every file of a run; tests of further products use `undescribed` too."""

import re

from workflow.files_page import OF_PIPELINE, PAGE, page, undescribed
from workflow.runner import PROJECT


def test_the_files_of_a_run_are_those_of_the_page(results):
    assert undescribed(results) == []


def outputs_of_rules():
    """The paths of all outputs of the rules, relative to the folder of a mask, as the page writes them."""
    paths = set()
    for rules in sorted((PROJECT / "rules").glob("*.smk")):
        for output in re.findall(r"\n +output:\n(.*?)\n +\w+:\n", rules.read_text(encoding="utf-8"), re.S):
            paths |= set(re.findall(r'"(?:<results>/\{detector\}(?:\{epoch\})?/)?([\w{}/.]+\.(?!rst)\w+)"', output))
    # Those of the pipeline are listed once for the rules that keep them and that make them as targets.
    functions = (PROJECT / "rules" / "functions" / "detector1.smk").read_text(encoding="utf-8")
    (products,) = re.findall(r'^PRODUCTS = \{"darks": \((.*?)\)', functions, re.M)
    paths |= {f"darks/{{exposure}}_{name}.fits" for name in re.findall(r"\w+", products)}
    places = str.maketrans("{}", "<>")
    return {path.replace("{epoch}", "").replace("{kind}", "darks").translate(places) for path in paths}


def test_every_output_of_a_rule_is_on_the_page():
    outputs = outputs_of_rules()
    assert {"evidence.fits", "darks/<exposure>_jump.fits", "bad_pixels.parquet"} <= outputs
    text = PAGE.read_text(encoding="utf-8")
    assert [path for path in sorted(outputs) if f"`{path}`" not in text] == []


def test_each_file_of_the_page_has_tables_and_a_rule():
    described = [section for section in page() if section.paths]
    assert len(described) > 30
    assert [section.paths for section in described if not section.tables] == []
    first = {section.paths[0] for section in described}
    # The history is no output, because Snakemake deletes outputs before a job; inputs.csv is one of some votes only.
    rest = {path for path in first if path.startswith("history/")} | {"test_bpm.fits", "inputs.csv"}
    assert first - rest <= outputs_of_rules()


def test_each_optional_hdu_of_the_page_is_in_the_code():
    ours = [section for section in page() if section.paths and not OF_PIPELINE.search(section.paths[0])]
    optional = {row.name for section in ours for row in section.tables.get("HDU", []) if not row.required}
    assert {"IPC_SOURCE", "LAST_GROUPS"} <= optional
    code = "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "scripts" / "badpix").rglob("*.py"))
    assert [name for name in sorted(optional) if f'"{name}"' not in code] == []
