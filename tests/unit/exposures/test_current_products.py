"""Which files of earlier runs are made again, by settings, inputs, software and damage."""

import json
import os
import shutil

import numpy as np
import pytest
from astropy.io import fits

from badpix.detector1.references import content_of
from badpix.exposures import current_products
from badpix.exposures.current_products import CurrentProducts, Wanted, provenance_or_reason
from badpix.exposures.header_cache import HeaderCache
from badpix.formats.input_files import input_file, product_input
from badpix.formats.product_file import write_product
from badpix.formats.provenance import CONTEXT, Provenance
from badpix.formats.statistics_file import write_rejected

SETTINGS = {"early_cutoff_fraction": 0.25}


@pytest.fixture(autouse=True)
def _forget():
    """Each test is a run of its own."""
    provenance_or_reason.cache_clear()


def raw_file(path, value=1):
    fits.PrimaryHDU(np.full(10, value, np.int16)).writeto(path, overwrite=True)
    return str(path)


def make(path, *inputs, settings=SETTINGS, **software):
    write_product(path, [fits.PrimaryHDU()], Provenance(settings, inputs, software))
    return str(path)


def reason(wanted, remake=None, cache=None):
    provenance_or_reason.cache_clear()
    return CurrentProducts(HeaderCache(cache), remake).check(wanted)


def measured(tmp_path):
    """A raw file, and the file wanted from it, made."""
    raw = raw_file(tmp_path / "raw.fits")
    path = make(tmp_path / "s.fits", input_file("uncal", raw))
    return raw, Wanted(path, SETTINGS, (("uncal", raw),))


def test_a_file_as_wanted_is_kept(tmp_path):
    _, wanted = measured(tmp_path)
    assert reason(wanted) is None


def test_a_missing_file_is_made_where_it_is_required(tmp_path):
    assert reason(Wanted(str(tmp_path / "s.fits"), {}, ())) == "it is missing"
    assert reason(Wanted(str(tmp_path / "s.fits"), {}, (), required=False)) is None


@pytest.mark.parametrize("length", [0, 100, 2880, -2880, -1])
def test_a_truncated_file_is_made_again(length, tmp_path):
    _, wanted = measured(tmp_path)
    content = (tmp_path / "s.fits").read_bytes()
    (tmp_path / "s.fits").write_bytes(content[:length])
    assert reason(wanted)


def test_other_settings_are_named(tmp_path):
    raw, wanted = measured(tmp_path)
    assert reason(Wanted(wanted.path, {"early_cutoff_fraction": 0.5}, wanted.inputs)) == (
        "early_cutoff_fraction was 0.25 and is 0.5 now"
    )
    assert "(detector1_dark)" in reason(Wanted(wanted.path, {**SETTINGS, "detector1_dark": {}}, (("uncal", raw),)))


def test_another_content_of_equal_size_and_time_is_noticed(tmp_path):
    """As after cp -p, rsync -t or tar."""
    raw, wanted = measured(tmp_path)
    status = os.stat(raw)  # noqa: PTH116
    raw_file(raw, 2)
    os.utime(raw, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert reason(wanted) == f"the content of {raw} is not that of the file it was made from"


def test_a_moved_file_of_equal_content_is_kept_and_read_once(tmp_path, monkeypatch):
    raw, wanted = measured(tmp_path)
    shutil.copyfile(raw, tmp_path / "copy")
    (tmp_path / "copy").replace(raw)
    cache, sums = tmp_path / "cache.json", []
    real = current_products.HeaderCache.sha256.__globals__["sha256_of"]
    monkeypatch.setattr("badpix.exposures.header_cache.sha256_of", lambda path: sums.append(path) or real(path))
    headers = HeaderCache(cache)
    assert CurrentProducts(headers).check(wanted) is None
    headers.save()
    assert CurrentProducts(HeaderCache(cache)).check(wanted) is None
    assert sums == [raw]


def test_more_and_fewer_inputs_are_noticed(tmp_path):
    raw, wanted = measured(tmp_path)
    second = raw_file(tmp_path / "second.fits")
    assert reason(Wanted(wanted.path, SETTINGS, (("uncal", raw), ("uncal", second)))) == f"it was made without {second}"
    assert reason(Wanted(wanted.path, SETTINGS, ())) == "it was made with raw.fits as well"


def test_a_file_made_from_a_product_follows_the_product(tmp_path):
    first = make(tmp_path / "s.fits")
    path = make(tmp_path / "r.fits", product_input("statistics", first))
    wanted = Wanted(path, SETTINGS, (("statistics", first),), frozenset({"statistics"}))
    assert reason(wanted) is None
    make(first)
    assert reason(wanted) is None, "made again with the same content"
    make(first, settings={"early_cutoff_fraction": 0.5})
    assert reason(wanted) == f"the content of {first} is not that of the file it was made from"


def test_files_of_other_software_are_kept_and_counted(tmp_path):
    wanted = Wanted(make(tmp_path / "s.fits", jwst="0.9.1"), SETTINGS, ())
    products = CurrentProducts(HeaderCache(None))
    assert products.check(wanted) is None
    ((text, number),) = products.outdated.items()
    assert text.startswith("jwst 0.9.1, ") and text.endswith(" is installed") and number == 1
    assert reason(wanted, "outdated") == f"it was made with {text}"
    assert reason(wanted, "rejected") is None


def test_another_context_is_other_software(tmp_path):
    path = make(tmp_path / "s.fits", **{CONTEXT: "jwst_1.pmap"})
    same, other = (Wanted(path, SETTINGS, (), context=name) for name in ("jwst_1.pmap", "jwst_2.pmap"))
    assert reason(same, "outdated") is None
    assert reason(other, "outdated") == "it was made with CRDS context jwst_1.pmap, jwst_2.pmap is used now"


def test_a_rejected_exposure_is_tried_again_on_request_and_with_other_software(tmp_path):
    for package, number in (("jwst", current_products.installed("jwst")), ("jwst", "0.9.1")):
        path = str(tmp_path / f"{number}.fits")
        write_rejected(path, "d", "no light", Provenance(SETTINGS, (), {package: number}))
        wanted = Wanted(path, SETTINGS, ())
        assert (reason(wanted) is None) == (number != "0.9.1")
        assert reason(wanted, "rejected") is not None


def test_reference_files_changed_in_place_are_noticed(tmp_path, monkeypatch):
    monkeypatch.setenv("CRDS_PATH", str(tmp_path))
    reference, listing = tmp_path / "gain.fits", tmp_path / "references.json"
    raw_file(reference)
    listing.write_text(json.dumps({"files": content_of({"gain": str(reference), "dark": None})}), encoding="utf-8")

    def found():
        return CurrentProducts(HeaderCache(None)).check_references(str(listing), tmp_path)

    assert found() is None
    raw_file(reference)
    assert found() is None, "the same content, fetched again"
    raw_file(reference, 2)
    assert "gain.fits changed" in found()
    reference.unlink()
    assert found() is None, "CRDS fetches it again"
    listing.write_text("{", encoding="utf-8")
    assert found() == "it is damaged, or was made by an earlier version"
