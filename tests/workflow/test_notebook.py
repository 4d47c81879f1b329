"""The notebook of the documentation runs on the results of a run, and shows a pixel of the mask."""

import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from badpix.formats.evidence_file import read_evidence
from badpix.formats.mask_file import read_mask
from badpix.instrument.dq import bits
from workflow.runner import PROJECT

pytestmark = pytest.mark.pipeline

NOTEBOOK = PROJECT / "docs" / "notebooks" / "a_pixel.ipynb"
# Added as the last cell: what the notebook shows.
REPORT = """
import json
shown = {"x": x, "y": y, "n": len(pixels), "votes": votes.to_dict("records"), "measured": [float(v) for v in measured]}
Path(REPORT).write_text(json.dumps(shown))
"""


def run_notebook(results, folder, monkeypatch, **parameters):
    """Run the notebook on the folder of a mask; returns what it shows. `parameters` replace those of its first cell."""
    monkeypatch.setenv("BADPIX_RESULTS", str(results))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    report = folder / "shown.json"
    first.source += "".join(f"\n{name} = {value!r}" for name, value in (parameters | {"REPORT": str(report)}).items())
    notebook.cells.append(nbformat.v4.new_code_cell(REPORT))
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    return json.loads(report.read_text())


def test_the_pixel_of_the_notebook_is_one_of_the_mask(results, tmp_path, monkeypatch):
    shown = run_notebook(results, tmp_path, monkeypatch)
    place = shown["y"], shown["x"]
    found = read_evidence(results / "evidence.fits").is_found("rc")
    assert found[place] and found.sum() == shown["n"]
    assert read_mask(results / "test_bpm.fits")[place] & bits(("RC",))
    assert any(row["yes"] >= row["needed"] for row in shown["votes"])
    assert len(shown["measured"]) == 10, "five darks of two integrations"


def test_a_type_without_pixels_is_named(results, tmp_path, monkeypatch):
    with pytest.raises(CellExecutionError, match="the types are hot, rc"):
        run_notebook(results, tmp_path, monkeypatch, TYPE="no such type")


def test_the_stored_output_is_complete_and_small():
    text = Path(NOTEBOOK).read_text(encoding="utf-8")
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in cells), "execute it with benchmarks/gallery.py --only notebook"
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3
    assert not [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"]
    assert len(text) < 250_000
    assert not any(word in text for word in ("/home/", "/root/", "/work/", "/tmp/"))
