"""A hundred bad exposures at once beside the good ones: each gets its reason, and the mask stays as it was."""

import csv

import numpy as np
import pytest
from astropy.io import fits

from badpix.core.files import card_text
from badpix.detector1.job import process
from badpix.detector1.pipeline import PipelineSettings
from badpix.formats.mask_file import read_mask
from badpix.formats.statistics_file import rejection_reason
from badpix.instrument.detectors import load_detectors
from badpix.statistics.dark import DarkMeasurement
from badpix.statistics.given import measure_given
from workflow import corruptions
from workflow.conftest import FULL_RUN, make_once
from workflow.runner import PROJECT, copy_run, snakemake, succeed

pytestmark = pytest.mark.pipeline
DETECTOR = load_detectors(PROJECT / "config" / "detectors")["NIS"]


def with_bad_ones(finished, directory):
    copy_run(finished, directory)
    corruptions.make_raw(directory)
    corruptions.make_products(directory)
    corruptions.make_mixed(directory)


@pytest.fixture(scope="session")
def run(finished, tmp_path_factory):
    """The finished run with all bad exposures added, run again. Read only."""

    def make(directory):
        with_bad_ones(finished, directory)
        done = succeed(directory, config=FULL_RUN | corruptions.CONFIG)
        (directory / "output.txt").write_text(done.output, encoding="utf-8")

    return make_once(tmp_path_factory, "corrupted", make)


@pytest.fixture(scope="session")
def reasons(run):
    with (run / "results" / "NIS" / "rejected_exposures.csv").open(newline="", encoding="utf-8") as table:
        # A line break in a name is escaped in the table.
        return {row["input"].replace("\\n", "\n"): row["reason"] for row in csv.DictReader(table)}


@pytest.fixture(scope="session")
def history(run):
    cards = fits.getheader(run / "results" / "NIS" / "test_bpm.fits")["HISTORY"]
    return "".join(str(card).rstrip() for card in cards).replace(" ", "")


@pytest.mark.parametrize("name", corruptions.NAMES)
def test_each_bad_exposure_gets_its_reason(name, run, reasons, history):
    assert corruptions.expected_reasons(run)[name] in reasons[name]
    shown = name.replace("\n", "\\n")
    assert card_text(f"Rejected: {shown}: {reasons[name]}").replace(" ", "") in history


def test_no_good_exposure_is_rejected(reasons):
    assert set(reasons) == set(corruptions.NAMES)
    assert len(reasons) > 80


def test_the_mask_is_that_of_the_good_exposures(run, finished):
    before, after = (read_mask(where / "results" / "NIS" / "test_bpm.fits") for where in (finished, run))
    assert np.array_equal(before, after)


def test_no_job_failed(run):
    assert "Traceback" not in (run / "output.txt").read_text(encoding="utf-8")


def test_a_second_run_has_nothing_to_do(run):
    assert succeed(run, "--dry-run", config=FULL_RUN | corruptions.CONFIG).nothing_to_do


@pytest.mark.parametrize("name", corruptions.MORE_DARK_PRODUCTS)
def test_damaged_products_are_rejected_by_the_statistics(name, finished, tmp_path):
    change, words = corruptions.MORE_DARK_PRODUCTS[name]
    paths = {product: tmp_path / f"x_{product}.fits" for product in corruptions.KINDS["darks"]}
    for product, source in corruptions.products_of(finished, "darks").items():
        corruptions.with_own_start(source, paths[product], 1)
    change(paths)
    output = tmp_path / "x_dark_statistics.fits"
    measure_given(paths, output, "x", DarkMeasurement(DETECTOR, 0.25))
    assert words in rejection_reason(output)


def test_fail_stops_at_a_bad_header_and_at_bad_content(finished, tmp_path):
    """`on_bad_exposure: fail`, with what the headers show and with what only a job sees."""
    directory = copy_run(finished, tmp_path / "run")
    _, source = corruptions.good(directory, "darks")
    strict = FULL_RUN | {"on_bad_exposure": "fail"}
    bad = corruptions.with_own_start(source, directory / "darks" / "bad_uncal.fits", 1)
    corruptions.RAW["cut_in_data"][0](bad)
    run = snakemake(directory, config=strict)
    assert run.status != 0 and run.jobs == {}
    assert "bad: uncal file: the file is truncated" in run.output
    assert "Traceback" not in run.output

    corruptions.with_own_start(source, bad, 1)
    corruptions.RAW["sci_all_zero"][0](bad)
    run = snakemake(directory, config=strict)
    assert run.status != 0 and run.jobs["bad_pixel_mask"] == 1
    assert "bad: 100.00% of SCI of the uncal file has no data" in run.output
    assert not (directory / "results" / "NIS" / "test_bpm.fits").exists()


def test_a_file_that_vanishes_fails_the_job_and_is_not_rejected(finished, tmp_path):
    """A missing file may come back unchanged, and a rejected product would then stay."""
    outputs = {product: tmp_path / f"x_{product}.fits" for product in ("statistics", "rate")}
    inputs = {"uncal": tmp_path / "x_uncal.fits", "reference_pixel_mask": "reference_pixel_mask.fits"}
    crds = {"path": None, "server_url": None, "context": None}
    with pytest.raises(FileNotFoundError, match=r"x_uncal\.fits"):
        process(inputs, outputs, "x", PipelineSettings("dark", {}, crds), DarkMeasurement(DETECTOR, 0.25))
    paths = corruptions.products_of(finished, "darks") | {"fitopt": tmp_path / "x_fitopt.fits"}
    with pytest.raises(FileNotFoundError, match=r"x_fitopt\.fits"):
        measure_given(paths, tmp_path / "x_dark_statistics.fits", "x", DarkMeasurement(DETECTOR, 0.25))
    assert list(tmp_path.iterdir()) == []
