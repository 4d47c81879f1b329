"""The check of masks by CRDS: accepted, refused and unchecked masks, and exposures that get another mask."""

import dataclasses
import os
import shutil

import numpy as np
import pytest
from astropy.io import fits

import certify as certify_all
import certify_mask
from badpix.core.content import sha256_of
from badpix.delivery import certify as certify_module
from badpix.delivery.certify import MaskRefused, NotCertified, replaced, run_certify, selection
from badpix.delivery.current import comparison
from badpix.formats.certificate_file import (
    CERTIFICATE,
    NOT_RUN,
    PASSED,
    REFUSED,
    Certificate,
    certificate_of,
    outdated,
    read_certificate,
    surviving_certificate,
    write_certificate,
)
from badpix.formats.mask_file import MaskHeader, write_mask
from badpix.instrument.geometry import Geometry
from badpix.mask.crds_rules import cache_alone, mask_rules
from badpix.report.certification import certification_lines, delivery_lines
from badpix.simulate.crds_cache import write_server_config
from badpix.simulate.crds_rules import write_mappings

TEXTS = {"author": "A", "description": "d", "pedigree": "GROUND", "useafter": "2023-01-01 00:00:00"}
SELECTORS = {"FILTER": "N/A", "READPATT": "FASTR1", "NGROUPS": "N/A"}
EXPOSURE = {
    "DETECTOR": "MIRIMAGE", "FILTER": "OPAQUE", "SUBARRAY": "SUB64", "READPATT": "FASTR1", "NGROUPS": 30,
    "CRDS_CTX": "jwst_0001.pmap",
}  # fmt: skip
OLD = "jwst_miri_mask_0001.fits"


@pytest.fixture(scope="module")
def crds(tmp_path_factory):
    """A cache with a mask for all exposures of the detector with SUBARRAY BRIGHTSKY."""
    folder = tmp_path_factory.mktemp("crds")
    masks = {("MIRIMAGE", "N/A", "BRIGHTSKY", "N/A", "N/A"): OLD}
    write_mappings(folder / "mappings" / "jwst", {"MIRI": {"mask": masks}})
    write_server_config(folder / "config" / "jwst")
    return {"path": str(folder), "server_url": None, "context": None}


def set_context(cache, name):
    """Have the cache name another context, with mappings of that name."""
    from crds.core import rmap

    folder = cache / "mappings" / "jwst"
    (folder / name).write_text((folder / "jwst_0001.pmap").read_text().replace("jwst_0001.pmap", name))
    rmap.Mapping.from_file(str(folder / name), ignore_checksum=True).write()
    config = cache / "config" / "jwst" / "server_config"
    config.write_text(config.read_text().replace("jwst_0001.pmap", name))


def mask_at(path, selectors=SELECTORS, subarray="SUB64"):
    header = MaskHeader({"instrument": "MIRI", "detector": "MIRIMAGE"}, TEXTS, ["h"], selectors=selectors)
    write_mask(path, np.zeros((64, 72), np.uint32), Geometry(subarray, 1, 779, 72, 64, 1, 2), header)
    return path


@pytest.fixture
def statistics(tmp_path):
    path = tmp_path / "d1_dark_statistics.fits"
    fits.PrimaryHDU(header=fits.Header(EXPOSURE)).writeto(path)
    return [path]


def test_an_accepted_mask(crds, tmp_path, statistics):
    mask, output = mask_at(tmp_path / "m.fits"), tmp_path / "certify.json"
    certify_mask.main(mask, statistics, output, crds)
    found = certificate_of(mask, tmp_path)
    assert (found.status, found.context, found.errors, found.warnings) == (PASSED, "jwst_0001.pmap", (), ())
    assert found.selectors == {"DETECTOR": "MIRIMAGE", "SUBARRAY": "SUB64"} | SELECTORS
    assert "0 errors" in found.output
    lines = "\n".join(certification_lines(mask, tmp_path, fits.getheader(mask)))
    assert "selected by CRDS for: SUBARRAY SUB64 alone, READPATT FASTR1" in lines
    assert "crds certify: passed (jwst_0001.pmap, 0 errors, 0 warnings)" in lines
    certify_all.main([output], tmp_path / "certified")
    # A certificate does not count for another file of the same name.
    fits.setval(mask, "AUTHOR", value="B")
    assert certificate_of(mask, tmp_path) is None
    assert "not run for this mask" in certification_lines(mask, tmp_path, fits.getheader(mask))[1]


def test_a_refused_mask(crds, tmp_path, statistics):
    mask, output = mask_at(tmp_path / "m.fits", selectors={}), tmp_path / "certify.json"
    with pytest.raises(MaskRefused, match=r"CRDS \(jwst_0001.pmap\) refuses .*m.fits: .*Missing required keyword"):
        certify_mask.main(mask, statistics, output, crds)
    assert not output.exists()
    found = read_certificate(surviving_certificate(output))
    assert found.status == REFUSED
    words = ("READPATT", "FILTER", "cannot be inserted into jwst_miri_mask_0001.rmap")
    assert [word in error for word, error in zip(words, found.errors, strict=True)] == [True] * 3
    lines = "\n".join(certification_lines(mask, tmp_path, fits.getheader(mask)))
    assert "crds certify: REFUSED; do not deliver this mask (jwst_0001.pmap, 3 errors" in lines


def test_an_unchecked_mask(crds, tmp_path, statistics):
    mask, output = mask_at(tmp_path / "m.fits"), tmp_path / "certify.json"
    certify_mask.main(mask, statistics, output, crds | {"path": str(tmp_path / "nowhere")})
    assert read_certificate(output).status == NOT_RUN
    assert "crds certify: not run: no such folder" in certification_lines(mask, tmp_path, fits.getheader(mask))[1]
    with pytest.raises(NotCertified, match=r"crds certify was not run: m.fits: no such folder: .*nowhere"):
        certify_all.main([output], tmp_path / "certified")
    assert not (tmp_path / "certified").exists()


def test_exposures_that_get_another_mask_are_named(crds, tmp_path):
    sizes = [EXPOSURE | {"SUBARRAY": name} for name in ("SUB64", "BRIGHTSKY")]
    cases = (
        # The mask in CRDS matches more keywords.
        ({"READPATT": "N/A"}, "GENERIC", sizes, f"CRDS gives {OLD}, not this mask, to exposures of 2023-01-01 with"),
        ({}, "SUB64", [EXPOSURE, EXPOSURE | {"READPATT": "SLOWR1"}], "CRDS gives no mask, not this mask"),
    )
    for number, (selectors, subarray, exposures, words) in enumerate(cases):
        mask = mask_at(tmp_path / f"m{number}.fits", SELECTORS | selectors, subarray)
        with cache_alone(crds):
            errors, notes = selection(mask_rules("MIRI"), mask, fits.getheader(mask), exposures)
        assert errors == [] and len(notes) == 1, notes
        assert words in notes[0] and ("BRIGHTSKY" if number == 0 else "SLOWR1") in notes[0]


def test_a_certificate_is_renewed_when_crds_has_other_rules(crds, tmp_path, statistics, monkeypatch):
    monkeypatch.delenv("CRDS_CONTEXT", raising=False)
    mask, output, cache = mask_at(tmp_path / "m.fits"), tmp_path / "certify.json", tmp_path / "cache"
    given, crds = crds["path"], crds | {"path": str(cache)}
    changed = "the rules in the cache of CRDS, or the context in use, changed"
    assert outdated(output, crds) is None
    # Without a cache the check is not run, and it is run when there is a cache.
    certify_mask.main(mask, statistics, output, crds)
    assert read_certificate(output).status == NOT_RUN and outdated(output, crds) is None
    shutil.copytree(given, cache, dirs_exist_ok=True)
    assert outdated(output, crds) == changed
    certify_mask.main(mask, statistics, output, crds)
    assert read_certificate(output).status == PASSED and outdated(output, crds) is None
    # The server's answer has a time; only its context counts.
    config = cache / "config" / "jwst" / "server_config"
    config.write_text(config.read_text().replace("'last_synced': '", "'last_synced': '1"))
    assert outdated(output, crds) is None
    monkeypatch.setenv("CRDS_CONTEXT", "jwst_0002.pmap")
    assert outdated(output, crds) == changed and outdated(output, crds | {"context": "jwst_0001.pmap"}) is None
    monkeypatch.delenv("CRDS_CONTEXT")
    config.write_text(config.read_text().replace("jwst_0001.pmap", "jwst_0002.pmap"))
    assert outdated(output, crds) == changed
    # With the mappings of the exposures' context, and with a context of the environment.
    for context in (None, "jwst_0001.pmap"):
        if context:
            monkeypatch.setenv("CRDS_CONTEXT", context)
        certify_mask.main(mask, statistics, output, crds)
        assert read_certificate(output).context == "jwst_0001.pmap" and outdated(output, crds) is None
    (rules,) = (cache / "mappings" / "jwst").glob("*_mask_*.rmap")
    os.utime(rules, (1, 1))
    assert outdated(output, crds) == changed
    output.write_text("{}")
    assert "is no certificate" in outdated(output, crds)


def test_a_delivery_that_is_not_of_the_present_mask_and_rules_is_named(tmp_path):
    mask, delivery = mask_at(tmp_path / "m.fits"), tmp_path / "delivery"
    assert delivery_lines(mask, tmp_path) == []
    delivery.mkdir()
    (delivery / f"miri_mask_{sha256_of(mask)[:8]}.fits").touch()
    present = Certificate(PASSED, "m.fits", sha256_of(mask), context="jwst_2.pmap", replaces=("b.fits",))
    write_certificate(tmp_path / CERTIFICATE, present)
    write_certificate(delivery / CERTIFICATE, present)
    (line,) = delivery_lines(mask, tmp_path)
    assert line == f"  delivery: {delivery} (fill in delivery_form.yaml where it says so)"
    for change, words in (
        ({"context": "jwst_1.pmap"}, "context jwst_1.pmap, now jwst_2.pmap"),
        ({"replaces": ()}, "replaced masks none, now b.fits"),
    ):
        write_certificate(delivery / CERTIFICATE, dataclasses.replace(present, **change))
        assert delivery_lines(mask, tmp_path) == [
            line,
            f"    its form and comparison are of an earlier state of CRDS ({words});"
            " `snakemake deliver ...` makes it again",
        ]
    fits.setval(mask, "AUTHOR", value="B")
    assert delivery_lines(mask, tmp_path) == [
        f"  delivery: {delivery} is of an earlier mask; do not use it; `snakemake deliver ...` makes it again"
    ]


def test_the_context_of_the_cache_is_before_that_of_the_exposures(crds, tmp_path, statistics, monkeypatch):
    monkeypatch.delenv("CRDS_CONTEXT", raising=False)
    cache, mask, output = tmp_path / "cache", mask_at(tmp_path / "m.fits"), tmp_path / "certify.json"
    shutil.copytree(crds["path"], cache)
    set_context(cache, "jwst_0002.pmap")
    own, of_exposures = crds | {"path": str(cache)}, {"jwst_0001.pmap"}
    with cache_alone(own, of_exposures):
        assert mask_rules("MIRI").context == "jwst_0002.pmap"
    with cache_alone(own | {"context": "jwst_0001.pmap"}, of_exposures):
        assert mask_rules("MIRI").context == "jwst_0001.pmap"
    certify_mask.main(mask, statistics, output, own)
    assert (read_certificate(output).context, read_certificate(output).warnings) == ("jwst_0002.pmap", ())
    monkeypatch.setenv("CRDS_CONTEXT", "jwst_0001.pmap")
    with cache_alone(own, {"jwst_0002.pmap"}):
        assert mask_rules("MIRI").context == "jwst_0001.pmap"
    monkeypatch.delenv("CRDS_CONTEXT")
    (cache / "mappings" / "jwst" / "jwst_0002.pmap").unlink()
    certify_mask.main(mask, statistics, output, own)
    found = read_certificate(output)
    assert found.context == "jwst_0001.pmap"
    assert found.warnings[0].startswith("the cache of CRDS has no mappings of its context jwst_0002.pmap; the rules")
    assert os.environ.get("CRDS_CONTEXT") is None


def test_the_masks_of_today_are_first_and_compared(crds, tmp_path):
    from crds.core import rmap

    cache, folder = tmp_path / "cache", tmp_path / "comparison"
    shutil.copytree(crds["path"], cache)
    (rules,) = (cache / "mappings" / "jwst").glob("*_mask_*.rmap")
    later = "jwst_miri_mask_0002.fits"
    text = rules.read_text()
    rules.write_text(text.replace(f"'{OLD}',", f"'{OLD}',\n'2024-01-01 00:00:00' : '{later}',"))
    rmap.Mapping.from_file(str(rules), ignore_checksum=True).write()
    mask = mask_at(tmp_path / "m.fits", subarray="BRIGHTSKY")
    kinds = [EXPOSURE | {"SUBARRAY": name} for name in ("BRIGHTSKY", "SUB64")]
    with cache_alone(crds | {"path": str(cache)}):
        current, replaces = replaced(mask_rules("MIRI"), fits.getheader(mask), kinds)
    assert (current, replaces) == ((later,), (later, OLD))
    references = cache / "references" / "jwst" / "miri"
    references.mkdir(parents=True)
    mask_at(references / OLD, subarray="BRIGHTSKY")
    text = comparison([], current, cache, mask, folder)
    assert text == f"Not compared with the current mask {later}: its file is not in the CRDS cache."
    mask_at(references / later, subarray="BRIGHTSKY")
    text = comparison([], ("absent.fits", later, OLD), cache, mask, folder)
    assert text.startswith(
        f"Compared with {later} (comparison/); not compared with {OLD}, which are current too; not in the CRDS cache:"
        " absent.fits: bad before"
    )


def test_output_and_exit_status_of_the_program():
    status, output = run_certify(["--no-such-option"])
    assert status == 2 and "the following arguments are required: files" in output


def test_a_program_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr(certify_module, "TIMEOUT_S", 0)
    with pytest.raises(TimeoutError, match="crds certify --version did not end within 0 s"):
        run_certify(["--version"])
