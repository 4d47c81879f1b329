"""Cached files are used only if they are what is asked for, whatever Snakemake's records and the times are."""

import os
import shutil

import numpy as np
import pytest
from astropy.io import fits

from workflow.conftest import NAMES, NUMBERS
from workflow.runner import copy_run, snakemake, succeed

pytestmark = pytest.mark.pipeline

# The table of compared exposures and the plots have no provenance.
VOTE = {"compare_exposures": 1, "bad_pixel_mask": 1, "plots": 1}
DARK = {"detector1_dark": 1} | VOTE
NIS = "results/NIS"


@pytest.fixture
def run(three_and_three, tmp_path):
    """A copy of a finished run without Snakemake's records."""
    copy_run(three_and_three, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / ".snakemake")
    return tmp_path / "run"


def dq(run):
    return fits.getdata(run / NIS / "test_bpm.fits", "DQ")


def dark(run, number):
    return run / "darks" / NAMES["darks"].format(number)


def statistics(run):
    return sorted((run / NIS / "darks").glob("*_dark_statistics.fits"))[0]


def test_without_records_no_measurement_is_made_again(run):
    assert succeed(run, "--dry-run").jobs == VOTE


@pytest.mark.parametrize(
    ("config", "jobs"),
    [
        ({"smoothing_type": "Median"}, {"flat_response": 1} | VOTE),
        ({"early_cutoff_fraction": 0.4}, {"detector1_dark": 3} | VOTE),
        ({"detector1_flat": {"jump": {"skip": True}}}, {"detector1_flat": 3, "flat_response": 1} | VOTE),
        ({"max_jump_limit": 7}, VOTE),
        ({"remake": "rejected"}, VOTE),
    ],
    ids=lambda value: next(iter(value), "") if isinstance(value, dict) else "",
)  # fmt: skip
def test_without_records_another_setting_is_noticed(config, jobs, run):
    done = succeed(run, "--dry-run", config=config)
    assert done.jobs == jobs
    for key in config:
        assert key == "remake" or f"{key} was " in done.output


def test_results_of_another_directory_are_made_again_as_configured(run, tmp_path, three_and_three):
    """The response of the other smoothing gave another mask under a header of this smoothing."""
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(run / "config.yaml", tmp_path / "elsewhere")
    moved = {key: str(run / key) for key in ("darks", "flats", "results", "crds_cache")}
    moved["crds_path"] = moved.pop("crds_cache")
    done = succeed(tmp_path / "elsewhere", config=moved | {"smoothing_type": "Median"})
    assert done.jobs == {"flat_response": 1} | VOTE
    other = copy_run(three_and_three, tmp_path / "other")
    succeed(other, config={"smoothing_type": "Median"})
    assert np.array_equal(dq(run), dq(other))
    assert fits.getheader(run / NIS / "test_bpm.fits")["BADPIX SMOOTHING_TYPE"] == "Median"


@pytest.mark.parametrize("damage", ["deleted", "truncated"])
@pytest.mark.parametrize(
    ("name", "jobs"),
    [
        ("darks/*4_nis_dark_statistics.fits", DARK),
        ("flats/*4_nis_flat_statistics.fits", {"detector1_flat": 1, "flat_response": 1} | VOTE),
        ("flat_response.fits", {"flat_response": 1} | VOTE),
        ("test_bpm.fits", VOTE),
        ("evidence.fits", VOTE),
        ("inputs.csv", VOTE),
    ],
)
def test_a_damaged_product_is_made_again(name, jobs, damage, run):
    (path,) = (run / NIS).glob(name)
    made = path.stat().st_mtime_ns
    if damage == "deleted":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 if path.suffix == ".fits" else 0])
        os.utime(path, ns=(made, made))
    done = succeed(run, "--dry-run")
    assert done.jobs == jobs
    assert damage == "deleted" or f"Made again: {path.relative_to(run)}: " in done.output


def test_products_that_nothing_needs_are_not_made_again(run):
    for path in (run / NIS).glob("*s/*_rate*.fits"):
        path.unlink()
    assert succeed(run, "--dry-run").jobs == VOTE


def test_another_content_with_an_old_time_is_measured(run):
    """As after `cp -p`: the new file is older than all that was made of the old file."""
    shutil.copy2(dark(run, NUMBERS[1]), dark(run, NUMBERS[0]).with_suffix(".new"))
    with fits.open(dark(run, NUMBERS[0]).with_suffix(".new"), mode="update") as hdus:
        hdus[0].header["TIME-OBS"] = "23:23:23.000"
    os.utime(dark(run, NUMBERS[0]).with_suffix(".new"), (1, 1))
    dark(run, NUMBERS[0]).with_suffix(".new").replace(dark(run, NUMBERS[0]))
    done = succeed(run, "--dry-run")
    assert done.jobs == DARK
    assert f"the content of darks/{NAMES['darks'].format(NUMBERS[0])} is not that of the file" in done.output


def test_a_flipped_bit_stops_the_vote_and_is_named(run):
    path, made = statistics(run), statistics(run).stat().st_mtime_ns
    before, content = dq(run), bytearray(path.read_bytes())
    with fits.open(path) as hdus:
        content[hdus.fileinfo("PEDESTAL")["datLoc"] + 4000] ^= 64
    path.write_bytes(content)
    os.utime(path, ns=(made, made))
    failed = snakemake(run, "--quiet", "all", config={"high_cr_fraction": 0.5})
    assert failed.status != 0
    assert "\nErrors:\n" in failed.output
    assert f"{path.relative_to(run)}: PEDESTAL changed after it was written" in failed.output
    assert f"remove {path.relative_to(run)} and run again" in failed.output
    path.unlink()
    assert succeed(run).jobs == DARK
    assert np.array_equal(dq(run), before)


def test_a_damaged_reference_file_rejects_no_exposure(run):
    (reference,) = (run / "crds_cache").rglob("*readnoise*.fits")
    content = reference.read_bytes()
    for path in statistics(run), *(run / NIS / "darks").glob("*_rate*.fits"):
        path.unlink()
    reference.write_bytes(content[: len(content) // 2])
    failed = snakemake(run)
    assert failed.status != 0
    assert "damaged reference file in the CRDS cache" in failed.output and reference.name in failed.output
    reference.write_bytes(content)
    flats = {path: path.stat().st_mtime_ns for path in (run / NIS / "flats").glob("*.fits")}
    succeed(run)
    assert {path: path.stat().st_mtime_ns for path in flats} == flats
    assert "Rejected" not in str(fits.getheader(run / NIS / "test_bpm.fits")["HISTORY"])
