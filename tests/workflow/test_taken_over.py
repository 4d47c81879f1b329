"""A job of detector1 whose exposure a second job has taken over, as after a fault of the network between nodes."""

import logging
import shutil

import pytest

from badpix.detector1.job import process
from badpix.detector1.pipeline import PipelineSettings
from badpix.instrument.detectors import load_detectors
from badpix.statistics.dark import DarkMeasurement
from workflow.corruptions import good
from workflow.runner import PROJECT

pytestmark = pytest.mark.pipeline
SKIPPED = {step: {"skip": True} for step in ("dark_current", "persistence")}


class Remover(logging.Handler):
    """Removes the working directory of detector1 in `folder` when a line of the log has `words`."""

    def __init__(self, folder, words):
        super().__init__()
        self.folder, self.words = folder, words

    def emit(self, record):
        if self.words in record.getMessage():
            for directory in self.folder.glob(".detector1-*"):
                shutil.rmtree(directory)


def test_nothing_is_rejected_when_the_working_directory_is_gone(finished, tmp_path):
    """The jump file is lost, but the pipeline makes the directory again and goes on: not a fault of the exposure."""
    name, uncal = good(finished, "darks")
    crds = {"path": str(finished / "crds_cache"), "server_url": "https://jwst-serverless.invalid", "context": None}
    inputs = {"uncal": uncal, "reference_pixel_mask": finished / "results" / "NIS" / "reference_pixel_mask.fits"}
    outputs = {product: tmp_path / f"{name}_{product}.fits" for product in ("statistics", "rate")}
    detector = load_detectors(PROJECT / "config" / "detectors")["NIS"]
    handler, log = Remover(tmp_path, "Step ramp_fit running"), logging.getLogger()
    log.addHandler(handler)
    try:
        with pytest.raises(RuntimeError, match="another run has taken over the exposure"):
            process(inputs, outputs, name, PipelineSettings("dark", SKIPPED, crds), DarkMeasurement(detector, 0.5))
    finally:
        log.removeHandler(handler)
    assert not [path for path in outputs.values() if path.exists()]
