"""Names and header values that look like paths, shell words, code or templates stay text; all stays in the results."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from badpix.config.check import ConfigError, load_schema, load_steps, validated
from badpix.formats.mask_file import read_mask
from workflow.conftest import PROJECT_PARTS, value_once
from workflow.corruptions import good, products_of, with_own_start
from workflow.runner import OVERRIDE, PROJECT, copy_run, snakemake, succeed

pytestmark = pytest.mark.pipeline

SCHEMAS = PROJECT / "config" / "schemas"
BRACES = "{wildcards.exposure} {0}"
RAW_NAME = '$(touch owned); it\'s "ü" v1.2'
PRODUCT_NAMES = ("`touch owned`&", "a,detector=X", "a..b", "-rf *", "%(asctime)s \\n \\u0041 [1] #~!")
RESULTS = "out $(touch owned) it's"
OUTPUT_FILE = 'sub/$(touch owned); %s "ü" mask.fits'
# Header value -> words of the reason.
HOSTILE_KEYS = {
    "detector_path": ({"DETECTOR": "../../../owned"}, "DETECTOR is '../../../owned', not a detector of JWST"),
    "detector_shell": ({"DETECTOR": "$(touch owned)"}, "DETECTOR is '$(touch owned)'"),
    "detector_braces": ({"DETECTOR": "{wildcards}"}, "DETECTOR is '{wildcards}'"),
    "subarray": ({"SUBARRAY": "{0}/../x"}, "SUBARRAY is '{0}/../x', the rest have 'SUB64'"),
    "readpatt": ({"READPATT": "';touch owned;'"}, "READPATT is \"';touch owned;'\", the rest"),
    "exp_type": ({"EXP_TYPE": "__import__('os')"}, "EXP_TYPE is \"__import__('os')\""),
    "date": ({"DATE-OBS": "$(touch owned)"}, "DATE-OBS and TIME-OBS are '$(touch owned)'"),
    "ngroups": ({"NGROUPS": "30; touch owned"}, "NGROUPS is '30; touch owned', not an integer from 1 to 65535"),
}
# In every good file; the pipeline and the mask are given them too.
HARMLESS_KEYS = {
    "FILENAME": "../../../owned_uncal.fits", "TITLE": "$(touch owned) {0}", "PI_NAME": "'; touch owned; '",
    "OBSLABEL": "../owned",
}  # fmt: skip


def everything(directory):
    """All paths below `directory` but for Snakemake's own records."""
    return {p.relative_to(directory) for p in directory.rglob("*") if ".snakemake" not in p.parts}


def of_the_project():
    """All paths at the top of the project, and below what a run uses of it; benchmarks may be running beside."""
    used = {Path(part) / path for part in PROJECT_PARTS for path in everything(PROJECT / part)}
    return {path.relative_to(PROJECT) for path in PROJECT.iterdir()} | used


def make_hostile(finished, outer):
    """Run exposures with hostile names and headers in a/run below `outer`: (new files there, in the project, Run)."""
    directory = outer / "a" / "run"
    for folder in ("darks", "flats", "products/darks", "products/flats"):
        (directory / folder).mkdir(parents=True)
    shutil.copytree(finished / "crds_cache", directory / "crds_cache")
    shutil.copy2(finished / "config.yaml", directory)
    names = (RAW_NAME, *PRODUCT_NAMES)
    raw = with_own_start(good(finished, "darks")[1], directory / "darks" / f"{RAW_NAME}_uncal.fits", 0)
    for number, name in enumerate(PRODUCT_NAMES, start=1):
        for product, path in products_of(finished, "darks", 1 + number % 5).items():
            with_own_start(path, directory / "products" / "darks" / f"{name}_{product}.fits", number)
    for number in (1, 2, 3):
        path = products_of(finished, "flats", number)["rateints"]
        shutil.copyfile(path, directory / "products" / "flats" / f"flat {number} $(touch owned)_rateints.fits")
    for path in directory.rglob("*s/*.fits"):
        if "crds_cache" not in path.parts:
            for key, value in HARMLESS_KEYS.items():
                fits.setval(path, key, value=value)
    for number, (name, (values, _)) in enumerate(HOSTILE_KEYS.items(), start=100):
        path = with_own_start(raw, directory / "darks" / f"{name}_uncal.fits", number)
        for key, value in values.items():
            fits.setval(path, key, value=value)
    with_own_start(raw, directory / "darks" / f"{BRACES}_uncal.fits", 99)
    before = everything(outer), of_the_project()
    config = {
        "results": RESULTS, "output_file": OUTPUT_FILE, "min_darks": len(names), "dark_slope_files": "products/darks",
        "dark_jump_files": "products/darks", "dark_fitopt_files": "products/darks",
        "flat_slope_files": "products/flats",
        "flats": None, "history": "$(touch owned) {0}", "description": "$(touch owned); {0} '", "quality_check": True,
    }  # fmt: skip
    run = succeed(directory, config=config)
    of_this_process = {Path("a", "run", OVERRIDE)}
    return everything(outer) - before[0] - of_this_process, of_the_project() - before[1], run


@pytest.fixture(scope="session")
def hostile(finished, tmp_path_factory):
    """(the directory above, the directory, new files there and in the project, Run). Read only."""
    outer, (*new, run) = value_once(tmp_path_factory, "hostile", lambda outer: make_hostile(finished, outer))
    return outer, outer / "a" / "run", new, run


def test_nothing_is_written_outside_the_results(hostile):
    outer, directory, (written, of_project), _ = hostile
    new = {p for p in written if not (outer / p).is_relative_to(directory / RESULTS)}
    assert new == set()
    assert {p for p in of_project if "__pycache__" not in p.parts} == set()


def test_no_word_was_run(hostile):
    outer, _, _, _ = hostile
    assert not [path for path in outer.rglob("*owned*") if path.suffix != ".fits" and "touch" not in path.name]


def test_all_good_exposures_vote(hostile):
    _, directory, _, run = hostile
    mask = directory / RESULTS / "NIS" / OUTPUT_FILE
    assert np.count_nonzero(read_mask(mask)) > 0
    history = "".join(str(line) for line in fits.getheader(mask)["HISTORY"])
    assert f"{1 + len(PRODUCT_NAMES)} darks used" in history
    assert run.jobs["dark_statistics"] == len(PRODUCT_NAMES)
    for name in PRODUCT_NAMES:
        assert (directory / RESULTS / "NIS" / "darks" / f"{name}_dark_statistics.fits").is_file()


@pytest.mark.parametrize("name", HOSTILE_KEYS)
def test_a_hostile_value_is_quoted_in_the_reason(name, hostile):
    _, directory, _, _ = hostile
    with (directory / RESULTS / "NIS" / "rejected_exposures.csv").open(newline="", encoding="utf-8") as table:
        reasons = {row["input"]: row["reason"] for row in csv.DictReader(table)}
    assert set(reasons) == {*HOSTILE_KEYS, BRACES}
    assert HOSTILE_KEYS[name][1] in reasons[name]
    assert "has braces or angle brackets, which Snakemake would read as wildcards" in reasons[BRACES]


@pytest.mark.parametrize(
    "path",
    ["../mask.fits", "/tmp/mask.fits", "a/../../mask.fits", "a/b/../mask.fits", "..", "a/", "mask.txt", "a\nb.fits",
     "../../owned.fits\n", "./../mask.fits", "mask\0.fits", "a//../mask.fits", "{detector}.fits", "a{0}/mask.fits"],
)  # fmt: skip
def test_the_mask_cannot_be_put_elsewhere(path):
    schema, steps = load_schema(SCHEMAS / "config.schema.yaml"), load_steps(SCHEMAS / "detector1_steps.json")
    with pytest.raises(ConfigError, match="output_file"):
        validated({"darks": "d", "output_file": path}, schema, steps)


def test_the_mask_cannot_take_the_place_of_another_product(finished, tmp_path):
    directory = copy_run(finished, tmp_path / "run")
    name, _ = good(directory, "darks")
    for path in ("evidence.fits", f"darks/{name}_rate.fits"):
        run = snakemake(directory, "--dry-run", config={"output_file": path})
        assert run.status != 0
        assert "Traceback" not in run.output
