"""Each key of the configuration in turn: a change alters what it should, and runs again the rules concerned only.

A case starts from a copy of a finished run and changes one key. Snakemake must announce exactly the expected jobs, and
the run must change the measured data of the expected products, and of no product whose rule did not run. Most cases
run as far as the mask, to save time; that the quality check and the plots follow it is tested apart.
"""

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import yaml
from astropy.io import fits
from crds.core import rmap

from badpix.mask_file import read_mask
from workflow.conftest import FULL_RUN, make_once
from workflow.runner import PROJECT, copy_run, snakemake, succeed

pytestmark = pytest.mark.pipeline

SCHEMA = yaml.safe_load((PROJECT / "config" / "schemas" / "config.schema.yaml").read_text(encoding="utf-8"))

# Products that hold data, and the rule that makes them.
RULE_OF = {
    "dark_statistics": "dark_statistics",
    "flat_statistics": "flat_statistics",
    "flat_response": "flat_response",
    "evidence": "bad_pixel_mask",
    "mask": "bad_pixel_mask",
}
# In the order of the workflow; what follows a rule that runs again runs again too.
RULES = (
    "reference_pixel_mask", "prefetch_references", "detector1_dark", "detector1_flat", "dark_statistics",
    "flat_statistics", "flat_response", "bad_pixel_mask", "quality_check", "plots",
)  # fmt: skip
VOTE = {"bad_pixel_mask": 1}
# What hangs on the mask.
REST = {"quality_check": 1, "plots": 1}
RESPONSE = {"flat_response": 1} | VOTE
# Both kinds from the raw files on, of one exposure each.
BOTH_KINDS = {
    "prefetch_references": 1, "detector1_dark": 1, "detector1_flat": 1, "dark_statistics": 1, "flat_statistics": 1,
} | RESPONSE  # fmt: skip
FOUND = frozenset({"mask", "evidence"})

DARK = "jw09001001001_02101_0000{}_nis"
FLAT = "jw09002001001_03101_0000{}_nis"
MIRI_EXPOSURES = ("mirimage1", "mirimage2", "mirimage3")


# ---------------------------------------------------------------- what a run made


def images_of(path):
    """All images and tables of a FITS file: (file name, extension) -> array."""
    with fits.open(path) as hdus:
        return {(path.name, hdu.name): np.array(hdu.data) for hdu in hdus if hdu.data is not None}


def measured(results):
    """The data of a detector's results: product -> {(file, extension): array}."""
    files = {
        "dark_statistics": sorted(results.glob("darks/*_dark_statistics.fits")),
        "flat_statistics": sorted(results.glob("flats/*_flat_statistics.fits")),
        "flat_response": sorted(results.glob("flat_response.fits")),
        "evidence": [results / "evidence.fits"],
    }
    data = {
        product: {name: image for path in paths for name, image in images_of(path).items()}
        for product, paths in files.items()
    }
    return data | {"mask": {"DQ": read_mask(results / "test_bpm.fits")}}


def same(one, other):
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    # Bit for bit, so that NaN equals NaN.
    return one.tobytes() == other.tobytes()


def differing(before, after):
    """The products of two `measured` whose data differ."""
    return {
        product
        for product, images in after.items()
        if images.keys() != before[product].keys()
        or not all(same(image, before[product][name]) for name, image in images.items())
    }


def jobs_of(run):
    """The jobs of a Run by rule; in how many parts the references are looked up does not matter."""
    return run.jobs | ({"prefetch_references": 1} if "prefetch_references" in run.jobs else {})


def mask_header(results, name="test_bpm.fits"):
    return fits.getheader(results / name, 0)


# ---------------------------------------------------------------- the runs to start from


def set_config(directory, **changes):
    """Write `changes` into the directory's config.yaml; None takes a key away."""
    path = directory / "config.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8")) | changes
    config = {key: value for key, value in config.items() if value is not None}
    path.write_text(yaml.safe_dump(config), encoding="utf-8")


@pytest.fixture(scope="session")
def single(finished, tmp_path_factory):
    """The finished run cut to one dark and one flat, for keys that run the pipeline again. Read only."""

    def make(directory):
        copy_run(finished, directory)
        names = {"darks": DARK.format(1), "flats": FLAT.format(1)}
        set_config(directory, **{kind: f"{kind}/{name}_uncal.fits" for kind, name in names.items()})
        set_config(directory, min_darks=1, min_flats=1)
        for kind, name in names.items():
            for path in (directory / "results" / "NIS" / kind).iterdir():
                if path.name.startswith("jw") and not path.name.startswith(name):
                    path.unlink()
        succeed(directory, config=FULL_RUN)

    return make_once(tmp_path_factory, "single", make)


def relabelled(source, target, exposure, miri=True, n_groups=None):
    """Write the products and the raw file of the dark at `source` (path without product) as those of `exposure`.

    Called MIRI's, the workflow compares its pedestal with the raw file; nothing else of MIRI is needed here.
    """
    keywords = {"INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "EXP_TYPE": "MIR_DARKIMG", "SUBSTRT1": 101, "SUBSTRT2": 101}
    for product in ("uncal", "rateints", "jump", "fitopt"):
        folder = source / "darks" if product == "uncal" else source / "results" / "NIS" / "darks"
        (path,) = folder.glob(f"{DARK.format(exposure[-1])}_{product}.fits")
        with fits.open(path) as hdus:
            hdus[0].header.update(keywords if miri else {})
            if n_groups and product in ("uncal", "jump"):
                hdus[0].header["NGROUPS"] = n_groups
                for name in {"SCI", "GROUPDQ"} & {hdu.name for hdu in hdus}:
                    hdus[name].data = hdus[name].data[:, :n_groups]
            hdus.writeto(target / f"{exposure}_{product}.fits")


def edited(source, target, extension, change):
    """Write a copy of the FITS file `source` at `target` with `change` applied to the array of `extension`."""
    target.parent.mkdir(exist_ok=True)
    with fits.open(source) as hdus:
        change(hdus[extension].data)
        hdus.writeto(target)


# In the last of the three darks, at some pixels that are good in the others.
PRODUCT_EDITS = {
    "rateints": ("SCI", lambda data: np.add(data[0], 1000, out=data[0], where=np.arange(64) == 30)),
    "jump": ("GROUPDQ", lambda data: np.bitwise_or(data[:, 2:24, 30], 4, out=data[:, 2:24, 30])),
    "fitopt": ("PEDESTAL", lambda data: np.add(data[:, 30], -1000, out=data[:, 30])),
    "uncal": ("SCI", lambda data: np.add(data[:, 1, 30], 5000, out=data[:, 1, 30])),
}


@pytest.fixture(scope="session")
def processed(finished, tmp_path_factory):
    """A run on processed darks: three called MIRI's (the third of 25 groups) and one of NIRISS. Read only.

    Folder `edited` holds other versions of the third, one for each product.
    """

    def make(directory):
        given = directory / "given"
        given.mkdir(parents=True)
        for number, exposure in enumerate(MIRI_EXPOSURES, start=1):
            relabelled(finished, given, exposure, n_groups=25 if number == 3 else None)
        relabelled(finished, given, "niriss4", miri=False)
        for product, (extension, change) in PRODUCT_EDITS.items():
            name = f"{MIRI_EXPOSURES[-1]}_{product}.fits"
            edited(given / name, directory / "edited" / name, extension, change)
        config = {
            "dark_slope_files": "given",
            "dark_jump_files": "given",
            "dark_fitopt_files": "given",
            "dark_uncal_files": "given",
            "results": "results",
            # So that all products have a say, and one exposure of three decides.
            "min_darks": 1,
            "pedestal_source": "fitopt",
            "rc_fraction_threshold": 0.3,
            "high_cr_fraction": 0.3,
        }
        (directory / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        succeed(directory)

    return make_once(tmp_path_factory, "processed", make)


# Start -> keys set beside those of its config.yaml, and the detector looked at.
STARTS = {"finished": (FULL_RUN, "NIS"), "single": (FULL_RUN, "NIS"), "processed": ({}, "MIRIMAGE")}


@pytest.fixture
def start(request, tmp_path):
    """A function that copies a run of STARTS: name -> (directory, keys set, results of its detector)."""

    def copy(name):
        directory = copy_run(request.getfixturevalue(name), tmp_path / "run")
        config, detector = STARTS[name]
        return directory, dict(config), directory / "results" / detector

    return copy


# ---------------------------------------------------------------- preparations


def other_slopes(directory):
    """Slopes of one flat in which a row is nearly dead."""
    name = f"{FLAT.format(2)}_rateints.fits"
    source = directory / "results" / "NIS" / "flats" / name
    edited(source, directory / "edited" / name, "SCI", lambda data: data[:, 30].fill(0.5))


def bright_end(directory):
    """The raw file of one flat with all pixels bright in the groups of the flux check."""
    name = f"{FLAT.format(1)}_uncal.fits"
    edited(directory / "flats" / name, directory / "bright" / name, "SCI", lambda data: data[:, -4:].fill(65535))


def more_linear(data):
    data[1] *= 1.1


def other_cache(directory):
    """A CRDS cache whose linearity reference is another."""
    shutil.copytree(directory / "crds_cache", directory / "other_cache")
    (path,) = (directory / "other_cache").glob("references/jwst/niriss/*_linearity_0001.fits")
    with fits.open(path, mode="update") as hdus:
        more_linear(hdus["COEFFS"].data)


def other_context(directory):
    """A second context in the CRDS cache that selects another linearity reference."""
    references = directory / "crds_cache" / "references" / "jwst" / "niriss"
    mappings = directory / "crds_cache" / "mappings" / "jwst"
    name = "jwst_niriss_linearity_{}.fits"
    edited(references / name.format("0001"), references / name.format("0002"), "COEFFS", more_linear)
    for mapping in ("jwst_niriss_linearity_{}.rmap", "jwst_niriss_{}.imap", "jwst_{}.pmap"):
        text = (mappings / mapping.format("0001")).read_text(encoding="utf-8")
        for old in (name, "jwst_niriss_linearity_{}.rmap", "jwst_niriss_{}.imap", "jwst_{}.pmap"):
            text = text.replace(old.format("0001"), old.format("0002"))
        new = mappings / mapping.format("0002")
        new.write_text(text, encoding="utf-8")
        rmap.Mapping.from_file(str(new), ignore_checksum=True).write()


def flag_table(directory):
    """A table of manual flags for a block of pixels of the subarray, which is in the far corner of the detector."""
    (directory / "flags.txt").write_text("1994:1996 2004 UNRELIABLE_SLOPE\n", encoding="utf-8")


def one_replaced(product):
    """The files of all MIRI darks and of the NIRISS one, the third MIRI dark's from folder `edited`."""
    *names, last = MIRI_EXPOSURES
    return [f"given/{name}_{product}.fits" for name in (*names, "niriss4")] + [f"edited/{last}_{product}.fits"]


# ---------------------------------------------------------------- one case per key


@dataclass(frozen=True)
class Change:
    """A change of one key: its new value, what must run again, and what must come out differently.

    `data` are products, `header` maps keywords of the mask to what they must contain. `companion` are keys in force
    before and after, `prepare(directory)` makes files that the new value names, `start` is the run to start from.
    """

    value: object
    jobs: dict = field(default_factory=lambda: VOTE)
    data: frozenset = FOUND
    header: dict = field(default_factory=dict)
    companion: dict = field(default_factory=dict)
    prepare: object = None
    start: str = "finished"


ONE_DARK = {"dark_statistics": 1, "bad_pixel_mask": 1}
NO_DATA = frozenset()

CHANGES = {
    # Inputs
    "darks": Change(f"darks/{DARK.format('[1-4]')}_uncal.fits", data=frozenset({"evidence"})),
    "flats": Change(f"flats/{FLAT.format('[1-4]')}_uncal.fits", RESPONSE, FOUND | {"flat_response"}),
    "flat_slope_files": Change(
        [f"edited/{FLAT.format(2)}_rateints.fits"],
        {"flat_statistics": 1} | RESPONSE,
        FOUND | {"flat_statistics", "flat_response"},
        prepare=other_slopes,
    ),
    "dark_slope_files": Change(one_replaced("rateints"), ONE_DARK, FOUND | {"dark_statistics"}, start="processed"),
    "dark_uncal_files": Change(one_replaced("uncal"), ONE_DARK, FOUND | {"dark_statistics"}, start="processed"),
    "dark_jump_files": Change(one_replaced("jump"), ONE_DARK, FOUND | {"dark_statistics"}, start="processed"),
    "dark_fitopt_files": Change(one_replaced("fitopt"), ONE_DARK, FOUND | {"dark_statistics"}, start="processed"),
    "dead_flux_check_files": Change(
        [f"bright/{FLAT.format(1)}_uncal.fits"],
        {"flat_statistics": 1} | RESPONSE,
        FOUND | {"flat_statistics"},
        companion={"run_dead_flux_check": True, "flux_check": 20000},
        prepare=bright_end,
    ),
    "min_groups": Change(26, {"bad_pixel_mask": 1}, frozenset({"evidence"}), start="processed"),
    # Processing
    "detector1_dark": Change(
        {"jump": {"rejection_threshold": 40.0}},
        {"detector1_dark": 1, "dark_statistics": 1} | VOTE,
        frozenset({"dark_statistics", "evidence"}),
        start="single",
    ),
    "detector1_flat": Change(
        {"linearity": {"skip": True}},
        {"detector1_flat": 1, "flat_statistics": 1} | RESPONSE,
        frozenset({"flat_statistics", "flat_response", "evidence"}),
        start="single",
    ),
    # Darks
    "dark_stdev_clipping_sigma": Change(2),
    "dark_max_clipping_iters": Change(1, companion={"dark_stdev_clipping_sigma": 2}),
    "dark_noisy_threshold": Change(3),
    "max_saturated_fraction": Change(0.1),
    "max_jump_limit": Change(5),
    "jump_ratio_threshold": Change(1),
    "early_cutoff_fraction": Change(0.45, {"dark_statistics": 5} | VOTE, frozenset({"dark_statistics"})),
    "pedestal_sigma_threshold": Change(3),
    "rc_fraction_threshold": Change(0.1),
    "low_pedestal_fraction": Change(0.1),
    "high_cr_fraction": Change(0.1),
    "ballot": Change("integration"),
    "pedestal_source": Change("fitopt"),
    "min_valid": Change(6),
    "min_clean_slopes": Change(10),
    # Flats
    "dead_search": Change(False),
    "low_qe_and_open_search": Change(False),
    "dead_search_type": Change("absolute_rate"),
    "flat_mean_sigma_threshold": Change(1.5, RESPONSE, FOUND | {"flat_response"}),
    "flat_mean_normalization_method": Change("mean", RESPONSE, FOUND | {"flat_response"}),
    "smoothing_box_width": Change(7, RESPONSE, FOUND | {"flat_response"}),
    "smoothing_type": Change("Median", RESPONSE, FOUND | {"flat_response"}),
    "dead_sigma_threshold": Change(20),
    "max_dead_norm_signal": Change(0.2),
    "run_dead_flux_check": Change(True, companion={"flux_check": 15000}),
    "flux_check": Change(15000, companion={"run_dead_flux_check": True}),
    "max_low_qe_norm_signal": Change(0.3),
    "max_open_adj_norm_signal": Change(1.0),
    # Flags
    "flag_values": Change({"hot": ["WARM"]}, data=frozenset({"mask"})),
    "dark_do_not_use": Change(["hot"], data=frozenset({"mask"})),
    "flat_do_not_use": Change(["DEAD"], data=frozenset({"mask"})),
    "manual_flag_file": Change("flags.txt", data=frozenset({"mask"}), prepare=flag_table),
    # The mask's header
    "author": Change("A. N. Other", data=NO_DATA, header={"AUTHOR": "A. N. Other"}),
    "description": Change("Another mask", data=NO_DATA, header={"DESCRIP": "Another mask"}),
    "pedigree": Change("INFLIGHT 2024-02-01 2024-02-29", data=NO_DATA, header={"PEDIGREE": "2024-02-29"}),
    "useafter": Change("2024-03-01 12:34:56", data=NO_DATA, header={"USEAFTER": "2024-03-01T12:34:56"}),
    "history": Change("A remark.", data=NO_DATA, header={"HISTORY": "A remark."}),
    # The run
    "crds_path": Change(
        "other_cache",
        BOTH_KINDS,
        frozenset({"dark_statistics", "flat_statistics", "flat_response", "evidence"}),
        prepare=other_cache,
        start="single",
    ),
    "crds_context": Change(
        "jwst_0002.pmap",
        BOTH_KINDS,
        frozenset({"dark_statistics", "flat_statistics", "flat_response", "evidence"}),
        header={"HISTORY": "CRDS context: jwst_0002.pmap"},
        prepare=other_context,
        start="single",
    ),
}

# Keys whose effect needs a test of its own, filled by the decorator below.
TESTED_APART = set()


def covers_key(*keys):
    """Mark a test as the one of `keys`."""

    def remember(test):
        TESTED_APART.update(keys)
        return test

    return remember


@pytest.mark.parametrize("key", CHANGES)
def test_change(key, start):
    change = CHANGES[key]
    directory, config, results = start(change.start)
    if change.prepare:
        change.prepare(directory)
    config |= change.companion
    if change.companion:
        succeed(directory, "--until", "bad_pixel_mask", config=config)
    before, old_header = measured(results), mask_header(results)

    config |= {key: change.value}
    run = succeed(directory, "--until", "bad_pixel_mask", config=config)
    assert jobs_of(run) == change.jobs

    changed = differing(before, measured(results))
    assert changed >= change.data
    assert {RULE_OF[product] for product in changed} <= run.jobs.keys(), "data changed without their rule"
    if not change.data:
        assert not changed
    header = mask_header(results)
    for keyword, text in change.header.items():
        assert text in str(header[keyword])
        assert text not in str(old_header[keyword])


@pytest.mark.parametrize("key", ["early_cutoff_fraction", "smoothing_type", "high_cr_fraction", "author"])
def test_what_hangs_on_the_mask_follows(key, finished_copy):
    run = succeed(finished_copy, "--dry-run", config=FULL_RUN | {key: CHANGES[key].value})
    assert run.jobs == CHANGES[key].jobs | REST


# ---------------------------------------------------------------- keys with tests of their own


@covers_key("plot", "quality_check")
@pytest.mark.parametrize(
    ("key", "rule", "product"),
    [("plot", "plots", "plots.png"), ("quality_check", "quality_check", "quality_check.json")],
)
def test_optional_product(key, rule, product, start):
    directory, config, results = start("finished")
    before = measured(results)
    assert succeed(directory, config=config | {key: False}).nothing_to_do
    (results / product).unlink()
    assert succeed(directory, config=config | {key: False}).nothing_to_do
    assert not (results / product).exists()
    assert succeed(directory, config=config | {key: True}).jobs == {rule: 1}
    assert (results / product).stat().st_size > 0
    assert not differing(before, measured(results))


@covers_key("keep_intermediates")
@pytest.mark.parametrize("keep", [True, False])
def test_keep_intermediates(keep, start):
    directory, config, results = start("single")
    config |= {"keep_intermediates": keep}
    assert succeed(directory, "--dry-run", config=config).nothing_to_do
    # The key decides about the intermediates of an exposure when its statistics are made.
    run = succeed(directory, "--forcerun", "dark_statistics", "--until", "dark_statistics", config=config)
    assert run.jobs == {"dark_statistics": 1}
    for product, remains in {"jump": keep, "fitopt": keep, "rateints": True, "dark_statistics": True}.items():
        assert (results / "darks" / f"{DARK.format(1)}_{product}.fits").exists() == remains


@covers_key("results")
def test_results(start):
    """Another directory starts from nothing and comes to the same."""
    directory, config, results = start("single")
    before = measured(results)
    config |= {"results": "elsewhere"}
    announced = succeed(directory, "--dry-run", config=config)
    assert jobs_of(announced) == {"reference_pixel_mask": 1} | BOTH_KINDS | REST
    succeed(directory, "--until", "bad_pixel_mask", config=config)
    assert not differing(before, measured(directory / "elsewhere" / "NIS"))
    assert not differing(before, measured(results))
    assert succeed(directory, "--dry-run", config=config | {"results": "results"}).nothing_to_do


@covers_key("output_file")
def test_output_file(start):
    directory, config, results = start("finished")
    config |= {"output_file": "delivery/niriss_mask.fits"}
    assert succeed(directory, "--dry-run", config=config).jobs == VOTE | REST
    succeed(directory, "--until", "bad_pixel_mask", config=config)
    assert same(read_mask(results / "delivery" / "niriss_mask.fits"), read_mask(results / "test_bpm.fits"))
    assert mask_header(results, "delivery/niriss_mask.fits")["FILENAME"] == "niriss_mask.fits"


@covers_key("detectors")
def test_detectors(start):
    """`auto` leaves the dark of another detector out; `all` makes a mask of it too."""
    directory, config, results = start("processed")
    assert "Left out: niriss4: DETECTOR is NIS, not MIRIMAGE" in str(mask_header(results)["HISTORY"])
    assert succeed(directory, "--dry-run", config=config | {"detectors": ["MIRIMAGE"]}).nothing_to_do

    run = succeed(directory, config=config | {"detectors": "all"})
    assert run.jobs == {"dark_statistics": 1, "bad_pixel_mask": 2}
    assert "niriss4" not in str(mask_header(results)["HISTORY"])
    assert mask_header(results.parent / "NIS")["DETECTOR"] == "NIS"
    assert np.any(read_mask(results.parent / "NIS" / "test_bpm.fits"))

    # The mask of the other detector is as it was.
    again = succeed(directory, "--dry-run", config=config | {"detectors": ["NIS"]})
    assert again.jobs == {"bad_pixel_mask": 1}


@covers_key("min_darks", "min_flats")
@pytest.mark.parametrize("kind", ["darks", "flats"])
def test_too_few_exposures(kind, start):
    """More than there are is refused before any job; fewer makes the same mask."""
    directory, config, results = start("finished")
    before = measured(results)
    run = snakemake(directory, config=config | {f"min_{kind}": 6})
    assert run.status != 0
    assert run.jobs == {}
    assert f"NIS: no mask, because 5 usable {kind} remain and min_{kind} is 6." in run.output
    assert "Traceback" not in run.output

    config |= {f"min_{kind}": 5}
    assert succeed(directory, "--dry-run", config=config).jobs == VOTE | REST
    succeed(directory, "--until", "bad_pixel_mask", config=config)
    assert not differing(before, measured(results))


@covers_key("on_bad_exposure")
def test_on_bad_exposure(start):
    """`quarantine` makes the mask of the rest and says so; `fail` stops before any job with the same reason."""
    directory, config, results = start("finished")
    bad = directory / "darks" / "broken_uncal.fits"
    bad.touch()
    before = measured(results)
    succeed(directory, "--until", "bad_pixel_mask", config=config)
    (reason,) = re.findall("Left out: (broken: .*)", str(mask_header(results)["HISTORY"]))
    assert not differing(before, measured(results))

    config |= {"on_bad_exposure": "fail"}
    run = snakemake(directory, config=config)
    assert run.status != 0
    assert run.jobs == {}
    assert f"{reason} (on_bad_exposure is fail)" in run.output
    assert "Traceback" not in run.output
    bad.unlink()
    assert succeed(directory, "--dry-run", config=config).jobs == VOTE | REST


@covers_key("crds_server_url")
def test_crds_server_url(start):
    """The server may select other references, so all that read them runs again; which data come out is its affair."""
    directory, config, _ = start("single")
    config |= {"crds_server_url": "https://other-serverless.invalid"}
    assert jobs_of(succeed(directory, "--dry-run", config=config)) == BOTH_KINDS | REST


# ---------------------------------------------------------------- no key without a test


def test_every_key_has_a_test():
    assert not CHANGES.keys() & TESTED_APART
    assert CHANGES.keys() | TESTED_APART == SCHEMA["properties"].keys()


@pytest.mark.parametrize("key", CHANGES)
def test_case_is_a_change_as_the_schema_says(key):
    change, entry = CHANGES[key], SCHEMA["properties"][key]
    assert change.value != entry["default"]
    first = next(rule for rule in RULES if rule in change.jobs and rule != "prefetch_references")
    assert entry["changes"] in (first, "inputs")
    assert Path(change.start).name in STARTS
