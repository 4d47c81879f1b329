"""Pages, notices and the end of a run tell the results of a mask from those of other masks."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from badpix.core.content import sha256_of
from badpix.core.logs import FAILED, START
from badpix.formats.certificate_file import Certificate, write_certificate
from badpix.formats.mask_file import MaskHeader, write_mask
from badpix.formats.page_parts import BANNER, RESULTS, mark_replaced, mask_of_page, part, replace_part
from badpix.instrument.geometry import Geometry
from badpix.report.products import PRODUCTS, Place, product_lines
from badpix.report.renew import NOTICE, Masks, RunMask, renew

DETECTORS = ("NIS", "NRS1")


def make_mask(path, author="A"):
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = {"author": author, "description": "B", "pedigree": "GROUND", "useafter": "2022-07-01"}
    identity = {"instrument": "NIRISS", "detector": "NIS"}
    header = MaskHeader(identity, texts, ["5 darks used"])
    write_mask(path, np.zeros((64, 64), np.uint32), Geometry("SUB64", 1, 1, 64, 64, -2, -1), header)


def make_page(mask):
    """A page of the file `mask` with the parts of the template."""
    text = (
        f'<head><meta name="badpix-mask" content="{sha256_of(mask)} 2026-01-01"><style></style></head><body class="x">'
    )
    page = mask.parent / "report.html"
    page.write_text(f"{text}{part(BANNER)}<h1>Ä</h1>{part(RESULTS)}</body>", encoding="utf-8")
    return page


def run_of(results, *mask_ids, refused=None, complete=True, name="m.fits"):
    made = {mask_id: RunMask(Place(results, mask_id, results / mask_id / name), complete) for mask_id in mask_ids}
    return Masks(results, made, refused or {}, DETECTORS, tuple({mask_id.split("/")[0] for mask_id in mask_ids}))


@pytest.fixture
def results(tmp_path):
    """Results of detector NIS: mask and page."""
    make_mask(tmp_path / "NIS" / "m.fits")
    make_page(tmp_path / "NIS" / "m.fits")
    return tmp_path


def text_of(results, mask_id="NIS"):
    return (results / mask_id / "report.html").read_text(encoding="utf-8")


def older(path, than):
    """Set the time of `path` before that of `than`."""
    at = than.stat().st_mtime - 60
    os.utime(path, (at, at))


def test_parts_are_replaced_and_a_page_without_them_gets_a_banner(tmp_path):
    page = tmp_path / "report.html"
    page.write_text(f"<body>a{part(BANNER)}ä{part(RESULTS, 'x')}b</body>", encoding="utf-8")
    assert replace_part(page, RESULTS, "new ö") and not replace_part(page, RESULTS, "new ö")
    assert page.read_text(encoding="utf-8") == f"<body>a{part(BANNER)}ä{part(RESULTS, 'new ö')}b</body>"
    page.write_text("<html><body id=a>b</body>", encoding="utf-8")
    assert not replace_part(page, BANNER, "")
    for text in ("old", "older"):
        assert replace_part(page, BANNER, text)
        assert page.read_text(encoding="utf-8") == f"<html><body id=a>{part(BANNER, text)}b</body>"
    assert mask_of_page(page) == ("", "")


def test_the_page_of_the_mask_has_no_banner_and_all_others_have(results):
    mask, masks = results / "NIS" / "m.fits", run_of(results, "NIS")
    assert renew(masks) == []
    assert 'role="alert"' not in text_of(results) and "evidence.fits" not in text_of(results)
    assert 'href="m.fits"' in text_of(results)
    date = "This page shows the mask made 2026-01-01."

    lines = renew(run_of(results, "NIS", complete=False))
    assert f"The last run did not finish this mask. {date}" in text_of(results)
    assert (
        lines[0] == "Pages that are not of the masks of this run:" and str(results / "NIS" / "report.html") in lines[1]
    )
    assert renew(masks) == [] and 'role="alert"' not in text_of(results), "the banner goes when the mask is back"

    make_mask(mask, "another author")
    assert len(renew(masks)) == 2
    assert "The mask was made again, 20" in text_of(results) and date in text_of(results)
    mask.unlink()
    renew(masks)
    assert "The mask m.fits is not there any more" in text_of(results)


def test_a_page_of_an_earlier_version_cannot_be_told_from_others(results):
    (results / "NIS" / "report.html").write_text("<style></style><body>old</body>")
    assert "by an earlier version of jwst-badpix, and may show another mask" in renew(run_of(results, "NIS"))[1]
    assert '<body><!--badpix banner--><p role="alert"' in text_of(results) and RESULTS not in text_of(results)


def test_the_job_of_a_new_mask_marks_the_page_of_the_mask_before(results):
    mark_replaced(results / "NIS")
    assert "The mask was made again at 20" in text_of(results)
    deep = results / "NIS" / "epochs" / "a" / "variants" / "b"
    deep.mkdir(parents=True)
    (deep / "report.html").touch()
    others = "<html><body>not of this workflow</body></html>"
    (results / "report.html").write_text(others)
    mark_replaced(deep)
    assert (results / "report.html").read_text() == others
    (results / "report.html").write_text('<meta name="badpix-masks" content="{}"><style></style><body></body>')
    mark_replaced(deep)
    assert "This page may show the masks before them." in (results / "report.html").read_text()
    assert (deep / "report.html").read_text() == "", "an empty page does not stop the vote"


@pytest.mark.parametrize(
    ("now", "refused", "reason"),
    [
        ("NIS/epochs/a", {}, "The last run made no mask of NIS; its masks of NIS are: NIS/epochs/a."),
        ("NIS/variants/deep", {}, "The last run made no mask of NIS; its masks of NIS are: NIS/variants/deep."),
        ("NRS1", {}, "The last run in this folder made no mask of NIS."),
        ("NRS1", {"NIS": "2 darks, too few"}, "The last run made no mask of NIS: 2 darks, too few."),
    ],
)
def test_mask_and_page_of_another_configuration_are_named(results, now, refused, reason):
    (results / "NIS" / "plots.png").touch()
    (results / "NIS" / "history.png").touch()
    (results / "NIS" / "exposure_comparison.csv").touch()
    make_mask(results / now / "m.fits")
    make_page(results / now / "m.fits")
    masks = run_of(results, now, refused=refused)
    lines = renew(masks)
    assert lines[:2] == ["Not of this run:", f"  {reason}"]
    assert f"mask {results}/NIS/m.fits (made 20" in lines[2] and f"page {results}/NIS/report.html" in lines[2]
    assert reason in text_of(results) and "This page shows the mask made 2026-01-01" in text_of(results)
    assert 'role="alert"' not in text_of(results, now)
    notice = (results / "NIS" / NOTICE).read_text()
    assert reason in notice and "  m.fits  (mask made 20" in notice and "  plots.png\n" in notice
    assert "exposure_comparison.csv" not in notice, "the epochs and variants may share it"
    # The history of the epochs is in the folder of the detector.
    assert ("history.png" in notice) == (now == "NRS1")
    assert renew(masks) == lines
    renew(run_of(results, "NIS"))
    assert 'role="alert"' not in text_of(results) and not (results / "NIS" / NOTICE).exists()
    assert "its masks of NIS are: NIS." in text_of(results, now) or "made no mask of NRS1" in text_of(results, now)
    assert "history.png" not in (results / now / NOTICE).read_text(), "the history of the detector is of the last run"


def test_a_mask_of_another_name_is_named(results):
    make_mask(results / "NIS" / "new.fits")
    lines = renew(run_of(results, "NIS", name="new.fits"))
    assert lines[1] == "  NIS: older than new.fits, the mask of the last run."
    assert f"mask {results}/NIS/m.fits" in lines[2]
    assert "The mask was made again" in text_of(results)


def test_results_of_an_earlier_mask_are_not_shown(results):
    mask, folder = results / "NIS" / "m.fits", results / "NIS"
    place = Place(results, "NIS", mask)
    assert {label for label, _ in product_lines(place)[1]} == {product.label for product in PRODUCTS}
    write_certificate(folder / "certify.json", Certificate("passed", "m.fits", sha256_of(mask), context="jwst_1.pmap"))
    (folder / "changes").mkdir()
    numbers = {"new": 1200, "recovered": 2, "reclassified": 3, "before": {"file": "<old>.fits"}}
    (folder / "changes" / "mask_changes.json").write_text(json.dumps(numbers))
    (folder / "sweep").mkdir()
    (folder / "sweep" / "sweep.csv").write_text("point,swept\na,max_jump_limit\nb,max_jump_limit\n")
    (folder / "reliability.csv").write_text(
        "section,kind,type,quantity,value,note\nf,darks,hot,expected,0.5,\nf,darks,rc,expected,1.25,\n"
        "f,darks,hot,found,9,\nf,flats,DEAD,expected,,no noise\n"
    )
    renew(run_of(results, "NIS"))
    text = text_of(results)
    for shown in (
        "passed (jwst_1.pmap, 0 errors, 0 warnings)", "1,200 new, 2 recovered, 3 reclassified pixels since &lt;old&gt;",
        'href="changes/mask_changes.json"', "2 points of max_jump_limit",
        "1.8 false flags to expect from noise in 2 types (most: rc 1.2); not known for DEAD",
        "Not made: Quality check (<code>quality_check: true</code>)", "Injection-recovery (<code>snakemake inj",
    ):  # fmt: skip
        assert shown in text, shown
    make_mask(mask, "another author")
    for name in ("changes/mask_changes.json", "sweep/sweep.csv", "reliability.csv"):
        older(folder / name, mask)
    lines = renew(run_of(results, "NIS"))
    text = text_of(results)
    assert text.count("of an earlier mask (20") == 4
    named = "certify.json, changes/mask_changes.json, reliability.csv, sweep/sweep.csv"
    assert f"    {named}; listed in {folder / NOTICE}" in lines, "also without a page"
    for shown in ("passed", "1,200 new", "2 points", "false flags to expect"):
        assert shown not in text, shown


def test_a_failed_product_is_shown_with_its_reason(results):
    mask, log = results / "NIS" / "m.fits", results / "NIS" / "logs" / "quality_check.log"
    log.parent.mkdir()
    log.write_text(f"quality_check{START}\n{FAILED}flags <HOT> are lost\n")
    renew(run_of(results, "NIS"))
    assert "failed: flags &lt;HOT&gt; are lost" in text_of(results) and 'href="logs/quality_check.log"' in text_of(
        results
    )
    older(log, mask)
    renew(run_of(results, "NIS"))
    assert "failed:" not in text_of(results), "of an earlier mask"


def test_a_damaged_product_does_not_hide_the_others(results):
    (results / "NIS" / "quality_check.json").write_text("{")
    (results / "NIS" / "plots.png").touch()
    renew(run_of(results, "NIS"))
    assert "cannot be read: Expecting" in text_of(results) and 'href="plots.png"' in text_of(results)


def test_the_table_of_all_masks_names_rows_of_other_masks(results):
    digest = sha256_of(results / "NIS" / "m.fits")
    overview = results / "report.html"

    def write(shown):
        text = json.dumps(shown).replace('"', "&#34;")
        head = f'<head><meta name="badpix-masks" content="{text}"><style></style></head>'
        overview.write_text(f"{head}<body>{part(BANNER)}{part(RESULTS)}</body>")

    masks = run_of(results, "NIS")
    write({"NIS": digest})
    renew(masks)
    assert 'role="alert"' not in overview.read_text() and 'href="NIS/report.html"' in overview.read_text()
    for shown, names in (({"NIS": "0"}, "NIS."), ({}, "NIS."), ({"NIS": digest, "NRS1": digest}, "NRS1.")):
        write(shown)
        renew(masks)
        assert f"or they are not of the last run: {names}" in overview.read_text()
    write({"NIS": digest})
    renew(run_of(results, "NRS1"))
    text = overview.read_text()
    assert "not of the last run: NIS, NRS1." in text
    assert '<a href="NIS/report.html">NIS</a></th><td><span class="alert">The last run in this folder' in text


def test_folders_and_addresses(tmp_path):
    place = Place(tmp_path, "NIS/epochs/a b/variants/deep", tmp_path / "x.fits")
    assert place.series == tmp_path / "NIS" / "variants" / "deep"
    assert place.injection == tmp_path / "NIS" / "injection_recovery" / "epochs" / "a b" / "variants" / "deep"
    assert place.exposures == tmp_path / "NIS" / "epochs" / "a b"
    mask = tmp_path / "NIS/epochs/a b/variants/deep" / "m#1.fits"
    make_mask(mask)
    make_page(mask)
    (place.exposures / "exposure_comparison.csv").touch()
    place.injection.mkdir(parents=True)
    (place.injection / "injection_recovery.png").touch()
    place = replace(place, mask=mask)
    masks = Masks(tmp_path, {place.mask_id: RunMask(place)}, {}, DETECTORS, ("NIS/variants/deep",))
    assert renew(masks) == []
    text = text_of(tmp_path, place.mask_id)
    for address in ("m%231.fits", "../../../../injection_recovery/epochs/a%20b/variants/deep/injection_recovery.png",
                    "../../exposure_comparison.csv"):  # fmt: skip
        assert f'href="{address}"' in text, address
        assert (place.folder / Path(address.replace("%23", "#").replace("%20", " "))).exists()
