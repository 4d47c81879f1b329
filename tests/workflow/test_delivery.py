"""The check of a mask by CRDS, and its delivery."""

import re
import shutil
import subprocess

import yaml
from astropy.io import fits

from badpix.formats.certificate_file import certificate_of
from badpix.formats.mask_file import read_mask
from workflow.products import same
from workflow.runner import snakemake, succeed

CERTIFY = {"certify": True}


def other_rules(cache):
    """Have CRDS select masks of NIRISS by FILTER too, after the mask was made."""
    from crds.core import rmap

    (path,) = (cache / "mappings" / "jwst").glob("*niriss_mask*.rmap")
    text = path.read_text().replace("'META.SUBARRAY.NAME')", "'META.SUBARRAY.NAME', 'META.INSTRUMENT.FILTER')")
    path.write_text(re.sub(r"\('NIS', 'SUB64'\)", "('NIS', 'SUB64', 'N/A')", text))
    rmap.Mapping.from_file(str(path), ignore_checksum=True).write()


def test_certify(finished_copy):
    run = succeed(finished_copy, config=CERTIFY)
    assert run.jobs == {"certify_mask": 1}
    assert "selected by CRDS for: SUBARRAY SUB64 alone" in run.output
    assert "crds certify: passed (jwst_0001.pmap, 0 errors, 1 warnings)" in run.output
    # USEAFTER of the mask in CRDS is later than the default.
    assert "CRDS gives jwst_niriss_mask_0001.fits, not this mask, to exposures of" in run.output
    mask = finished_copy / "results" / "NIS" / "test_bpm.fits"
    assert certificate_of(mask, mask.parent).selectors == {"DETECTOR": "NIS", "SUBARRAY": "SUB64"}
    assert succeed(finished_copy, config=CERTIFY).nothing_to_do
    assert succeed(finished_copy, "--", "certify", config={"certify": False}).jobs == {"certify": 1}

    other_rules(finished_copy / "crds_cache")
    run = snakemake(finished_copy, config=CERTIFY)
    assert run.status != 0 and run.jobs == {"certify_mask": 1}
    assert "crds certify: REFUSED; do not deliver this mask (jwst_0001.pmap, 2 errors" in run.output
    assert "Missing required keyword 'META.INSTRUMENT.FILTER" in run.output
    # The mask made again has the keyword.
    run = succeed(finished_copy, "--forcerun", "bad_pixel_mask", config=CERTIFY)
    assert "crds certify: passed (jwst_0001.pmap, 0 errors" in run.output


def test_deliver(finished_copy):
    """The folder is made whole for a mask that CRDS accepts; for a refused mask there is none."""
    form = {"deliverer": "A. Tester", "email": "a@b.c", "change_level": "MODERATE"}
    config = {"delivery": form, "description": "Bad pixels; of a test"}
    run = succeed(finished_copy, "--", "deliver", config=config)
    made_first = ("bad_pixel_mask", "bad_pixel_table", "quality_check", "certify_mask", "deliver_mask", "deliver")
    assert run.jobs == dict.fromkeys(made_first, 1)
    folder = finished_copy / "results" / "NIS" / "delivery"
    assert f"delivery: {folder.relative_to(finished_copy)}" in run.output
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=True)
    listed = {line.split("  ")[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    made = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert made - listed == {"SHA256SUMS", ".snakemake_timestamp"}
    (mask,) = folder.glob("niriss_nis_sub64_mask_20190401_" + "[0-9a-f]" * 8 + ".fits")
    assert same(read_mask(mask), read_mask(finished_copy / "results" / "NIS" / "test_bpm.fits"))
    assert fits.getval(mask, "FILENAME") == mask.name and certificate_of(mask, folder).status == "passed"
    fields = yaml.safe_load((folder / "delivery_form.yaml").read_text())
    assert {key: fields[key] for key in ("deliverer", "other_email", "change_level")} == {
        "deliverer": "A. Tester", "other_email": "a@b.c", "change_level": "MODERATE",
    }  # fmt: skip
    assert fields["description"] == "NIRISS NIS MASK. Bad pixels of a test"
    assert fields["old_reference_files"] == "jwst_niriss_mask_0001.fits"
    assert (folder / "comparison.txt").read_text().startswith("Compared with jwst_niriss_mask_0001.fits")
    assert {
        "quality_check.json",
        "certify.txt",
        "summary.csv",
        "bad_pixels.parquet",
        "comparison/mask_changes.csv",
    } <= made

    form = folder / "delivery_form.yaml"
    form.write_text(form.read_text() + "# by hand\n")
    # Of a run that was killed.
    shutil.copytree(folder, finished_copy / ".snakemake" / "backups" / folder.relative_to(finished_copy))
    config["delivery"]["jira_issue"] = "J-1"
    run = succeed(finished_copy, "--", "deliver", config=config)
    assert run.jobs == {"deliver_mask": 1, "deliver": 1}
    kept = folder.parent / "delivery_form.previous.yaml"
    assert kept.read_text().endswith("# by hand\n") and f"kept as {kept.relative_to(finished_copy)}" in run.output
    assert yaml.safe_load(form.read_text())["jira_issue"] == "J-1" and "# by hand" not in form.read_text()
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=True)

    other_rules(finished_copy / "crds_cache")
    run = snakemake(finished_copy, "--", "deliver", config=config)
    assert run.status != 0 and "certify_mask: MaskRefused: CRDS (jwst_0001.pmap) refuses" in run.output
    assert "NIS/delivery was made before the refusal; do not use it" in run.output
    shutil.rmtree(folder)
    run = snakemake(finished_copy, "--", "deliver", config=config)
    assert run.status != 0 and not folder.exists() and not list(folder.parent.glob(".delivery-*"))


def test_without_rules_of_crds(finished_copy):
    shutil.rmtree(finished_copy / "crds_cache" / "mappings")
    run = snakemake(finished_copy, "--", "certify")
    assert run.status != 0
    assert "crds certify was not run: test_bpm.fits: no such folder" in run.output
    run = succeed(finished_copy, config=CERTIFY)
    assert "crds certify: not run: no such folder" in run.output
