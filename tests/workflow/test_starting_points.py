"""The same mask from wherever an exposure starts, and several detectors of which one cannot be made."""

import gzip
import shutil
from pathlib import Path

import pytest
from astropy.io import fits

from badpix.formats.mask_file import read_mask
from workflow.products import measured, same
from workflow.runner import snakemake, succeed

pytestmark = pytest.mark.pipeline

CRDS = {"crds_path": "crds_cache", "crds_server_url": "https://jwst-serverless.invalid"}
AXES = {"FASTAXIS": -1, "SLOWAXIS": 2}  # of NRCA1
DARK_PRODUCTS = {"dark_slope_files": "rateints", "dark_jump_files": "jump", "dark_fitopt_files": "fitopt"}


@pytest.fixture
def directory(finished, tmp_path):
    """A directory with the CRDS cache of the finished run and a configuration without inputs."""
    (tmp_path / "crds_cache").symlink_to(finished / "crds_cache")
    (tmp_path / "config.yaml").write_text("keep_history: false\ncertify: false\n", encoding="utf-8")
    return tmp_path


def made(finished, kind, product):
    """Products of the finished run by exposure, in order."""
    return sorted((finished / "results" / "NIS" / kind).glob(f"*_{product}.fits"))


def raw(finished, kind):
    return sorted((finished / kind).glob("*_uncal.fits"))


def compressed(source, folder):
    folder.mkdir(exist_ok=True)
    target = folder / f"{source.name}.gz"
    with source.open("rb") as plain, gzip.open(target, "wb", compresslevel=1) as packed:
        shutil.copyfileobj(plain, packed)
    return target


def linked(source, target):
    target.parent.mkdir(exist_ok=True, parents=True)
    target.symlink_to(source)
    return target


def test_each_exposure_starts_from_the_latest_state_given(finished, directory, project):
    """With another copy of the project, on a single core instead of two, in another order.

    Darks: from read-only products, from links with blanks and dots in their names, from compressed products, and two
    from raw files, the second compressed. Flats: three from rates, two from links to raw files.
    """
    config = dict(CRDS)
    for key, product in DARK_PRODUCTS.items():
        files = made(finished, "darks", product)
        renamed = linked(files[1], directory / "my products" / f"dark 2 v1.0_{product}.fits")
        (directory / product).mkdir()
        kept = shutil.copy2(files[0], directory / product)
        Path(kept).chmod(0o444)
        config[key] = [str(path) for path in (kept, renamed, compressed(files[2], directory / "packed"))]
    darks = raw(finished, "darks")
    config["darks"] = [str(darks[3]), str(compressed(darks[4], directory / "packed raw"))]
    rates = made(finished, "flats", "rateints")[:3]
    config["flat_slope_files"] = [str(path) for path in rates]
    for path in raw(finished, "flats"):
        linked(path, directory / "raw flats" / path.name)
    config["flats"] = "raw flats"
    config |= {key: files[::-1] for key, files in config.items() if isinstance(files, list)}
    run = succeed(directory, config=config, cores=1, project=project)
    assert run.jobs["detector1_dark"] == 2 and run.jobs["detector1_flat"] == 2
    assert run.jobs["dark_statistics"] == run.jobs["flat_statistics"] == 3
    results = directory / "results" / "NIS"
    assert (results / "darks" / "dark 2 v1.0_dark_statistics.fits").exists()
    before, after = measured(finished / "results" / "NIS"), measured(results)
    assert same(after["mask"]["DQ"], before["mask"]["DQ"])
    for name, data in after["evidence"].items():
        # The limits are listed by exposure, one of which has another name here.
        if name[1] != "THRESHOLDS":
            assert same(data, before["evidence"][name]), name
    assert succeed(directory, "--dry-run", config=config, project=project).nothing_to_do


def test_a_missing_product_is_named_and_a_raw_file_replaces_it(finished, directory):
    """The third dark has no jump file: it is left out, or processed where its raw file is given."""
    config = {"min_darks": 1} | CRDS
    for key, product in DARK_PRODUCTS.items():
        files = made(finished, "darks", product)
        config[key] = [str(path) for path in (files[:2] if product == "jump" else files[:3])]
    name = made(finished, "darks", "jump")[2].name.removesuffix("_jump.fits")
    succeed(directory, config=config)
    rejected = directory / "results" / "NIS" / "rejected_exposures.csv"
    assert f'{name},"has no jump file, and no uncal file to make it from"' in rejected.read_text(encoding="utf-8")
    run = succeed(directory, config=config | {"darks": [str(raw(finished, "darks")[2])]})
    assert run.jobs["detector1_dark"] == 1
    assert name not in rejected.read_text(encoding="utf-8")


def test_one_of_two_detectors_has_too_few_darks(finished, directory):
    """The second detector gets its mask; the run names the detector without a mask and the reason, and fails."""
    config = {"detectors": "all"} | CRDS
    for key, product in DARK_PRODUCTS.items():
        config[key] = product
        (directory / product).mkdir()
        for number, path in enumerate(made(finished, "darks", product), 1):
            shutil.copy2(path, directory / product)
            if number <= 2:
                other = directory / product / f"other{number}_{product}.fits"
                shutil.copy2(path, other)
                with fits.open(other, mode="update") as hdus:
                    hdus[0].header.update({"INSTRUME": "NIRCAM", "DETECTOR": "NRCA1", "EXP_TYPE": "NRC_DARK"} | AXES)
    run = snakemake(directory, config=config)
    assert run.status != 0
    assert "NRCA1: no mask, because 2 usable darks remain and min_darks is 3" in run.output
    assert read_mask(directory / "results" / "NIS" / "test_bpm.fits").any()
    assert not (directory / "results" / "NRCA1" / "refused").exists()
    assert run.jobs["bad_pixel_mask"] == 1 and run.jobs["dark_statistics"] == 5
    again = snakemake(directory, config=config)
    assert again.status != 0 and set(again.jobs) == {"refused_detector"}
    run = snakemake(directory, config=config | {"detectors": ["NRCA1"]})
    assert run.status != 0 and not run.jobs
