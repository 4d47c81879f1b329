"""Step parameters of CRDS (pars-*): fetched with the reference files, and never replaced by defaults without a word."""

import asdf
import pytest
from crds.core import utils
from stdatamodels.jwst import datamodels

from badpix.core.crds_settings import SERVERLESS
from badpix.detector1.references import (
    ReferencesUnavailable,
    detector1_types,
    fetch_references,
    references_of,
    require_step_parameters,
    use_cache_alone,
)
from badpix.simulate.crds_cache import write_server_config
from badpix.simulate.crds_rules import CONTEXT, write_mapping

NAME = "jwst_niriss_pars-jumpstep_0001.asdf"
FOR_DARKS = f"Match({{\n    ('NIS_DARK',): UseAfter({{'2020-01-01 00:00:00': '{NAME}'}}),\n}})"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache whose CRDS has parameters of jump for NIS_DARK, none of ramp_fit, and does not know the others."""
    monkeypatch.setenv("CRDS_PATH", str(tmp_path / "cache"))
    monkeypatch.setenv("CRDS_SERVER_URL", SERVERLESS)
    monkeypatch.delenv("CRDS_CONTEXT", raising=False)
    utils.clear_function_caches()
    folder = tmp_path / "cache" / "mappings" / "jwst"
    folder.mkdir(parents=True)
    header = {
        "instrument": "NIRISS",
        "filekind": "pars-jumpstep",
        "mapping": "REFERENCE",
        "classes": ("Match", "UseAfter"),
    }
    header |= {"parkey": (("META.EXPOSURE.TYPE",), ("META.OBSERVATION.DATE", "META.OBSERVATION.TIME"))}
    header |= {"suffix": "pars-jumpstep", "filetype": "PARS-JUMPSTEP", "file_ext": ".asdf", "text_descr": "parameters"}
    write_mapping(folder / "jwst_niriss_pars-jumpstep_0001.rmap", header, FOR_DARKS)
    selector = "{'pars-jumpstep': 'jwst_niriss_pars-jumpstep_0001.rmap', 'pars-rampfitstep': 'N/A'}"
    header = {"instrument": "NIRISS", "mapping": "INSTRUMENT", "parkey": ("REFTYPE",)}
    write_mapping(folder / "jwst_niriss_0001.imap", header, selector)
    header = {"mapping": "PIPELINE", "parkey": ("META.INSTRUMENT.NAME",)}
    write_mapping(folder / CONTEXT, header, "{'NIRISS': 'jwst_niriss_0001.imap'}")
    write_server_config(tmp_path / "cache" / "config" / "jwst")
    yield tmp_path / "cache"
    utils.clear_function_caches()


@pytest.fixture
def exposure(tmp_path):
    """Path of an exposure, made for an EXP_TYPE."""

    def make(exp_type):
        with datamodels.RampModel((1, 2, 4, 4)) as model:
            model.meta.instrument.name = "NIRISS"
            model.meta.instrument.detector = "NIS"
            model.meta.exposure.type = exp_type
            model.meta.observation.date, model.meta.observation.time = "2024-01-01", "00:00:00"
            model.save(str(tmp_path / f"{exp_type}.fits"))
        return tmp_path / f"{exp_type}.fits"

    return make


def put_parameters(cache):
    folder = cache / "references" / "jwst" / "niriss"
    folder.mkdir(parents=True)
    asdf.AsdfFile({"parameters": {"rejection_threshold": 9.0}}).write_to(folder / NAME)
    return folder / NAME


def test_the_types_have_the_parameters_of_the_pipeline_and_of_its_steps():
    types = detector1_types()
    assert {"gain", "pars-detector1pipeline", "pars-jumpstep", "pars-rampfitstep"} <= set(types)


def test_parameters_of_crds_are_fetched_and_recorded(cache, exposure):
    path = put_parameters(cache)
    types = ["pars-jumpstep", "pars-rampfitstep", "pars-ipcstep"]
    assert fetch_references(exposure("NIS_DARK"), types) == (CONTEXT, {"pars-jumpstep": str(path)})
    require_step_parameters(exposure("NIS_DARK"))


def test_missing_parameters_stop_a_job_without_a_server(cache, exposure):
    with pytest.raises(ReferencesUnavailable, match=rf"lacks step parameters.*{NAME}.*offline_crds"):
        use_cache_alone(exposure("NIS_DARK"))
    with pytest.raises(ReferencesUnavailable):
        references_of(exposure("NIS_DARK"), ["pars-jumpstep"])


def test_an_exposure_without_parameters_in_crds_has_the_defaults(cache, exposure):
    assert use_cache_alone(exposure("NIS_LAMP"))
    assert references_of(exposure("NIS_LAMP"), ["pars-jumpstep", "pars-rampfitstep"]) == (CONTEXT, {})


def test_an_unreadable_exposure_is_left_to_the_pipeline(cache, tmp_path):
    (tmp_path / "bad.fits").write_bytes(b"no FITS")
    assert use_cache_alone(tmp_path / "bad.fits")
