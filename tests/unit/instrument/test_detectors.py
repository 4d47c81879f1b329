"""The properties of the detectors, compared with the datamodels, the rules of CRDS and the pipeline."""

import dataclasses
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from badpix.instrument.detectors import DetectorError, detector_from_mapping, load_detectors

CONFIG = Path(__file__).resolve().parents[3] / "config"
DIRECTORY = CONFIG / "detectors"
DETECTORS = load_detectors(DIRECTORY)
each_detector = pytest.mark.parametrize("detector", DETECTORS.values(), ids=lambda detector: detector.name)


def package_file(package, *parts):
    """A file of an installed package, without importing the package."""
    top, *rest = package.split(".")
    return Path(find_spec(top).submodule_search_locations[0]).joinpath(*rest, *parts)


@cache
def core_schema():
    """The schema of the metadata that all JWST files share, from the datamodels."""
    return yaml.safe_load(package_file("stdatamodels.jwst.datamodels", "schemas", "core.schema.yaml").read_text())


def schema_enum(group, key):
    """The allowed values of `meta.<group>.<key>`."""
    return set(core_schema()["properties"]["meta"]["properties"][group]["properties"][key]["enum"])


def test_all_detectors_are_there():
    in_config = yaml.safe_load((CONFIG / "schemas" / "config.schema.yaml").read_text())["$defs"]["detector"]["enum"]
    assert set(DETECTORS) == set(in_config) and len(DETECTORS) == 18


@each_detector
def test_names_are_those_of_the_datamodels(detector):
    assert detector.name in schema_enum("instrument", "detector")
    assert detector.instrument in schema_enum("instrument", "name")
    assert set(detector.dark_exp_types + detector.flat_exp_types) <= schema_enum("exposure", "type")


@each_detector
def test_darks_and_flats_cannot_be_confused(detector):
    assert detector.dark_exp_types and detector.flat_exp_types
    assert all("DARK" in name for name in detector.dark_exp_types)
    assert not set(detector.dark_exp_types) & set(detector.flat_exp_types)
    # Flats of the sky are not internal flats.
    assert not any(name.endswith("-EXT") or "SKY" in name for name in detector.flat_exp_types)


@each_detector
def test_axes_are_those_that_crds_requires(detector):
    rules = package_file("crds.jwst.tpns.includes", "nir_subarray.tpn").read_text()
    pattern = rf"DETECTOR=='{detector.name}'\)\)\s+\(\(FASTAXIS==(-?\d)\)and\(SLOWAXIS==(-?\d)\)\)"
    fast, slow = re.search(pattern, rules).groups()
    assert (detector.fast_axis, detector.slow_axis) == (int(fast), int(slow))


@each_detector
def test_frame_and_border(detector):
    border = dataclasses.astuple(detector.reference_pixels)
    expected = ((1032, 1024), (4, 4, 0, 0)) if detector.instrument == "MIRI" else ((2048, 2048), (4, 4, 4, 4))
    assert ((detector.n_columns, detector.n_rows), border) == expected


@each_detector
def test_properties_of_miri_alone(detector):
    miri = detector.instrument == "MIRI"
    expected = ("Si:As", 1, True) if miri else ("HgCdTe", 4, False)
    assert (detector.material, detector.output_strips, detector.relative_pedestal) == expected


@each_detector
def test_masks_are_selected_as_by_crds(detector):
    selectors = {
        "FGS": ("SUBARRAY", "EXP_TYPE"), "NIRSPEC": ("SUBARRAY", "READPATT"),
        "MIRI": ("FILTER", "SUBARRAY", "READPATT", "NGROUPS"),
    }  # fmt: skip
    assert detector.mask_selectors == selectors.get(detector.instrument, ("SUBARRAY",))


def test_the_keywords_of_miri_are_those_of_the_specification_of_crds():
    text = package_file("crds.jwst.specs", "miri_mask.rmap").read_text()
    names = re.search(r"'parkey' : \(\((.*?)\)", text)[1]
    found = [name.split(".")[-1].strip("'") for name in names.split(", ")]
    assert found == ["DETECTOR", "FILTER", "NAME", "READPATT", "NGROUPS"]


@each_detector
def test_subarrays_without_edges_are_those_of_the_pipeline(detector):
    text = package_file("jwst.refpix", "reference_pixels.py").read_text()
    of_nirspec = re.findall(r'"(\w+)"', re.search(r"^NRS_edgeless_subarrays = \[(.*)\]", text, re.M)[1])
    assert detector.edgeless_subarrays == (tuple(of_nirspec) if detector.instrument == "NIRSPEC" else ())


def test_dead_thresholds_without_normalisation():
    thresholds = {name: detector.max_dead_norm_signal_dn_per_s for name, detector in DETECTORS.items()}
    known = {name: value for name, value in thresholds.items() if value is not None}
    assert known == {
        "NRCA1": 25, "NRCA2": 25, "NRCA3": 30, "NRCA4": 30, "NRCALONG": 40,
        "NRCB1": 25, "NRCB2": 25, "NRCB3": 25, "NRCB4": 25, "NRCBLONG": 50,
    }  # fmt: skip


@each_detector
def test_the_manual_flags_exist(detector):
    assert (CONFIG / "manual_flags" / detector.manual_flags).is_file()


@each_detector
def test_a_detector_from_its_own_mapping_is_the_same(detector):
    mapping = dataclasses.asdict(detector)
    assert detector_from_mapping(mapping) == detector
    # JSON has lists in place of tuples.
    lists = {key: list(value) if isinstance(value, tuple) else value for key, value in mapping.items()}
    assert detector_from_mapping(lists) == detector
    assert hash(detector)


def test_a_faulty_file_is_refused(tmp_path):
    text = (DIRECTORY / "NIS.yaml").read_text()
    (tmp_path / "NIS.yaml").write_text(text.replace("n_rows:", "rows:"))
    with pytest.raises(DetectorError, match=r"NIS: missing keys: \['n_rows'\], unknown keys: \['rows'\]"):
        load_detectors(tmp_path)
    for good, bad, words in (
        ("material: HgCdTe", "material: InSb", "material is 'InSb'; allowed: HgCdTe, Si:As"),
        ("output_strips: 4", "output_strips: 3", "output_strips is 3; allowed: 1, 4"),
        ("relative_pedestal: false", "relative_pedestal: 'no'", "relative_pedestal is 'no'; allowed: True, False"),
        (
            "mask_selectors: [SUBARRAY]",
            "mask_selectors: [LAMP]",
            "mask_selectors is ['LAMP']; allowed: EXP_TYPE, FILTER, NGROUPS, READPATT, SUBARRAY",
        ),
        ("mask_selectors: [SUBARRAY]", "mask_selectors: EXP_TYPE", "mask_selectors is 'EXP_TYPE', not a list"),
        ("edgeless_subarrays: []", "edgeless_subarrays: SUB32", "edgeless_subarrays is 'SUB32', not a list"),
    ):
        assert good in text
        (tmp_path / "NIS.yaml").write_text(text.replace(good, bad))
        with pytest.raises(DetectorError, match=re.escape(f"detector NIS: {words}")):
            load_detectors(tmp_path)
    (tmp_path / "NIS.yaml").write_text(text.replace("left: 4, ", ""))
    with pytest.raises(DetectorError, match=r"reference_pixels: missing keys: \['left'\]"):
        load_detectors(tmp_path)
