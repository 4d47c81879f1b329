"""The check of a mask by CRDS, and its delivery."""

import re
import shutil

from badpix.formats.certificate_file import certificate_of
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
    run = snakemake(finished_copy, "--forcerun", "certify_mask", config=CERTIFY)
    assert run.status != 0 and run.jobs == {"certify_mask": 1}
    assert "crds certify: REFUSED; do not deliver this mask (jwst_0001.pmap, 2 errors" in run.output
    assert "Missing required keyword 'META.INSTRUMENT.FILTER" in run.output
    # The mask made again has the keyword.
    run = succeed(finished_copy, "--forcerun", "bad_pixel_mask", config=CERTIFY)
    assert "crds certify: passed (jwst_0001.pmap, 0 errors" in run.output


def test_without_rules_of_crds(finished_copy):
    shutil.rmtree(finished_copy / "crds_cache" / "mappings")
    run = snakemake(finished_copy, "--", "certify")
    assert run.status != 0
    assert "crds certify was not run: test_bpm.fits: no such folder" in run.output
    run = succeed(finished_copy, config=CERTIFY)
    assert "crds certify: not run: no such folder" in run.output
