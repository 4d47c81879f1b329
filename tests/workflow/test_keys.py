"""Each key of the configuration in turn: a change alters what it should, and runs again the rules concerned only.

A case starts from a copy of a finished run and changes one key. Snakemake must announce exactly the expected jobs, and
the run must change the measured data of the expected products, and of no product whose rule did not run. Most cases
run as far as the mask, to save time; that the quality check and the plots follow it is tested apart.
"""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from astropy.io import fits

from badpix.formats.mask_file import read_mask, read_warnings
from workflow.conftest import FULL_RUN, make_once
from workflow.key_changes import BOTH_KINDS, CHANGES, COMPARED, DARK, FLAT, MIRI_EXPOSURES, REST, TESTED_ELSEWHERE, VOTE
from workflow.products import RULES_OF, differing, edited, images_of, jobs_of, mask_header, measured, same
from workflow.runner import PROJECT, copy_run, snakemake, succeed

pytestmark = pytest.mark.pipeline

SCHEMA = yaml.safe_load((PROJECT / "config" / "schemas" / "config.schema.yaml").read_text(encoding="utf-8"))

# In the order of the workflow; what follows a rule that runs again runs again too.
RULES = (
    "reference_pixel_mask", "prefetch_references", "detector1_dark", "detector1_flat", "products_of_dark",
    "products_of_flat", "dark_statistics", "flat_statistics",
    "compare_exposures", "exposure_response", "leave_one_out", "flat_response", "bad_pixel_mask",
    "quality_check", "plots", "compare_masks", "release_gate", "history",
)  # fmt: skip


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
    keywords |= {"FASTAXIS": 1, "SLOWAXIS": 2}
    for product in ("uncal", "rateints", "jump", "fitopt"):
        folder = source / "darks" if product == "uncal" else source / "results" / "NIS" / "darks"
        (path,) = folder.glob(f"{DARK.format(exposure[-1])}_{product}.fits")
        with fits.open(path) as hdus:
            hdus[0].header.update(keywords if miri else {})
            if n_groups:
                hdus[0].header["NGROUPS"] = n_groups
                ramps = {"SCI", "GROUPDQ"} if product in ("uncal", "jump") else set()
                for name in ramps & {hdu.name for hdu in hdus}:
                    hdus[name].data = hdus[name].data[:, :n_groups]
            hdus.writeto(target / f"{exposure}_{product}.fits")


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
            "keep_history": False,
            "certify": False,
            # All products have an effect, and one exposure of three decides.
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
    assert all(RULES_OF[product] & run.jobs.keys() for product in changed), "data changed without their rule"
    if not change.data:
        assert not changed
    header = mask_header(results)
    for keyword, text in change.header.items():
        assert text in str(header[keyword])
        assert text not in str(old_header[keyword])


@pytest.mark.parametrize("key", ["early_cutoff_fraction", "smoothing_type", "high_cr_fraction", "author"])
def test_rules_that_depend_on_the_mask_run_again(key, finished_copy):
    run = succeed(finished_copy, "--dry-run", config=FULL_RUN | {key: CHANGES[key].value})
    assert run.jobs == CHANGES[key].jobs | REST


# ---------------------------------------------------------------- keys with tests of their own

LEAK_KEYS = {"dark_slope_files": "rateints", "dark_jump_files": "jump", "dark_fitopt_files": "fitopt"}


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


@covers_key("subarray_name")
def test_subarray_name(start):
    """GENERIC would give the mask of a subarray to all exposures: refused before any job."""
    directory, config, _ = start("finished")
    for frame in ("subarray", "full"):
        run = snakemake(directory, "--dry-run", config=config | {"subarray_name": "GENERIC", "mask_frame": frame})
        assert run.status == 1 and "subarray_name: GENERIC is not allowed for NIS" in run.output


@covers_key("keep_intermediates", "keep_rates")
@pytest.mark.parametrize(("keep", "keep_rates"), [(True, False), (False, True)])
def test_kept_products(keep, keep_rates, start):
    """The keys decide when an exposure is processed; what was not kept is the same as a target."""
    directory, config, results = start("single")
    config |= {"keep_intermediates": keep, "keep_rates": keep_rates}
    assert succeed(directory, "--dry-run", config=config).nothing_to_do
    folder, name = results / "darks", DARK.format(1)
    before = {path.name: images_of(path) for path in folder.glob("*.fits")}
    for path in folder.glob("*.fits"):
        path.unlink()
    run = succeed(directory, "--until", "detector1_dark", config=config)
    assert run.jobs == {"detector1_dark": 1}
    kept = {"jump": keep, "fitopt": keep, "rateints": keep, "rate": keep_rates, "dark_statistics": True}
    for product, remains in kept.items():
        assert (folder / f"{name}_{product}.fits").exists() == remains, product
    missing = [f"results/NIS/darks/{name}_{product}.fits" for product, remains in kept.items() if not remains]
    assert succeed(directory, "--", missing[0], config=config).jobs == {"products_of_dark": 1}
    assert succeed(directory, "--", *missing, config=config).nothing_to_do
    for path in folder.glob("*.fits"):
        images = {key: image for key, image in images_of(path).items() if key[1] != "ASDF"}
        assert all(same(image, before[path.name][key]) for key, image in images.items() if path.name in before)
    assert before.keys() <= {path.name for path in folder.glob("*.fits")}
    # A product of other settings is made again.
    other = config | {"detector1_dark": {"jump": {"rejection_threshold": 40.0}}}
    again = succeed(directory, "--dry-run", "--", missing[0], config=other)
    assert again.jobs["products_of_dark"] == 1 and "rejection_threshold" in again.output


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
    assert "Rejected: niriss4: DETECTOR is NIS, not MIRIMAGE" in str(mask_header(results)["HISTORY"])
    assert succeed(directory, "--dry-run", config=config | {"detectors": ["MIRIMAGE"]}).nothing_to_do

    run = succeed(directory, config=config | {"detectors": "all"})
    assert run.jobs == {"dark_statistics": 1, "compare_exposures": 1, "bad_pixel_mask": 2}
    assert "niriss4" not in str(mask_header(results)["HISTORY"])
    assert mask_header(results.parent / "NIS")["DETECTOR"] == "NIS"
    assert np.any(read_mask(results.parent / "NIS" / "test_bpm.fits"))

    # The mask of the other detector is as it was.
    again = succeed(directory, "--dry-run", config=config | {"detectors": ["NIS"]})
    assert again.jobs == {"bad_pixel_mask": 1}


@covers_key("exposures")
def test_exposures(start):
    """The sheet that names the same files makes the same exposures; a row less, and one dark less votes."""
    directory, config, results = start("finished")
    rows = ["kind\tuncal"] + [
        f"{kind.removesuffix('s')}\t{kind}/{path.name}"
        for kind in ("darks", "flats")
        for path in sorted((directory / kind).iterdir())
    ]
    sheet = directory / "exposures.tsv"
    sheet.write_text("\n".join(rows) + "\n", encoding="utf-8")
    config |= {"darks": None, "flats": None, "exposures": "exposures.tsv"}
    assert succeed(directory, "--dry-run", config=config).nothing_to_do
    sheet.write_text("\n".join(rows[:1] + rows[2:]) + "\n", encoding="utf-8")
    assert succeed(directory, "--until", "bad_pixel_mask", config=config).jobs["bad_pixel_mask"] == 1
    assert "4 darks used" in str(mask_header(results)["HISTORY"])
    sheet.write_text("kind\tuncal\ndark\tnowhere_uncal.fits\n", encoding="utf-8")
    run = snakemake(directory, config=config)
    assert run.status != 0 and "exposures: no such file: 'nowhere_uncal.fits'" in run.output
    assert "Traceback" not in run.output


@covers_key("leave_one_out", "reject_outliers", "outlier_limit")
def test_an_outlier_is_named_and_left_out(start):
    """Half of a dark is illuminated: its slopes deviate there from all other darks."""
    directory, config, results = start("finished")
    config |= {"quality_check": False, "plot": False}
    (directory / "leak").mkdir()
    for key, product in LEAK_KEYS.items():
        name = f"{DARK.format(3)}_{product}.fits"
        config[key] = f"leak/{name}"
        shutil.copy2(results / "darks" / name, directory / "leak")
    with fits.open(directory / config["dark_slope_files"], mode="update") as hdus:
        hdus["SCI"].data[:, :, :32] += 500  # far above the noise, 3 DN/s
    assert succeed(directory, config=config).jobs == {"dark_statistics": 1} | COMPARED
    spoilt = read_mask(results / "test_bpm.fits")
    warning = f"Warning: {DARK.format(3)} is an outlier among the darks: difference of the slope"
    assert warning in history_of(results)
    assert outliers_in(results) == {DARK.format(3)}

    run = succeed(directory, config=config | {"leave_one_out": True})
    assert run.jobs == {"leave_one_out": 1}
    rows = pd.read_csv(results / "leave_one_out.csv").set_index("exposure")
    assert len(rows) == 10 and rows["n_changed"].idxmax() == DARK.format(3)

    run = succeed(directory, config=config | {"reject_outliers": True})
    assert run.jobs == {"flat_response": 1} | VOTE
    assert f"Rejected: {DARK.format(3)}: outlier: difference of the slope" in history_of(results)
    left_out = read_mask(results / "test_bpm.fits")
    rest = {"darks": f"darks/{DARK.format('[1245]')}_uncal.fits"} | dict.fromkeys(LEAK_KEYS)
    succeed(directory, config=config | rest)
    assert same(left_out, read_mask(results / "test_bpm.fits")) and not same(left_out, spoilt)

    run = succeed(directory, config=config | {"reject_outliers": True, "outlier_limit": 1e9})
    assert same(spoilt, read_mask(results / "test_bpm.fits"))
    assert not outliers_in(results) and "outlier" not in history_of(results)


def outliers_in(results):
    table = pd.read_csv(results / "exposure_comparison.csv")
    return set(table["exposure"][table["status"] != "good"])


def history_of(results):
    """The text of HISTORY; cards are 72 characters long."""
    return "".join(f"{card:<72}" for card in mask_header(results)["HISTORY"])


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
    """`reject` makes the mask of the rest and lists the reason; `fail` stops before any job with the same reason."""
    directory, config, results = start("finished")
    bad = directory / "darks" / "broken_uncal.fits"
    bad.touch()
    before = measured(results)
    succeed(directory, "--until", "bad_pixel_mask", config=config)
    (reason,) = re.findall("Rejected: (broken: .*)", str(mask_header(results)["HISTORY"]))
    assert not differing(before, measured(results))

    config |= {"on_bad_exposure": "fail"}
    run = snakemake(directory, config=config)
    assert run.status != 0
    assert run.jobs == {}
    assert f"{reason} (on_bad_exposure is fail)" in run.output
    assert "Traceback" not in run.output
    bad.unlink()
    assert succeed(directory, "--dry-run", config=config).jobs == VOTE | REST


@covers_key("other_processing")
def test_other_processing(start):
    """`reject` leaves out a dark without its dark current, named before any job; `use` uses and names it."""
    directory, config, results = start("processed")
    jump = directory / "given" / f"{MIRI_EXPOSURES[0]}_jump.fits"
    jump.chmod(0o644)
    fits.setval(jump, "S_DARK", value="COMPLETE")
    reason = "S_DARK of the jump file is COMPLETE: it subtracts the dark current, with the hot pixels"
    run = succeed(directory, "--dry-run", config=config)
    assert (
        f"{MIRI_EXPOSURES[0]}: {reason}; leave the products out and give the uncal file"
        in run.output.split("Job stats:")[0]
    )
    run = succeed(directory, "--until", "bad_pixel_mask", config=config | {"other_processing": "use"})
    notice = f"1 dark was processed with different settings: {reason}"
    assert f"Warning: MIRIMAGE: {notice}" in run.output.split("Job stats:")[0]
    assert notice in read_warnings(results / "test_bpm.fits")
    assert run.jobs == {"dark_statistics": 1} | COMPARED


@covers_key("remake")
def test_remake(start):
    """What `remake` makes again is tested in test_current_products.py and tests/unit/exposures."""
    directory, config, _ = start("finished")
    for value in ("rejected", "outdated"):
        assert succeed(directory, "--dry-run", config=config | {"remake": value}).nothing_to_do


@covers_key("crds_server_url")
def test_crds_server_url(start):
    """The server may select other references, so all that read them runs again; which data come out is its affair."""
    directory, config, _ = start("single")
    config |= {"crds_server_url": "https://other-serverless.invalid"}
    assert jobs_of(succeed(directory, "--dry-run", config=config)) == BOTH_KINDS | REST


@covers_key("sweep", "sweep_grid", "truth", "injection", "reliability")
def test_keys_of_further_targets_leave_the_mask_unchanged(start):
    """What these keys do is tested in test_trust.py."""
    directory, config, _ = start("finished")
    config |= {"sweep": {"max_jump_limit": [5]}, "sweep_grid": "product", "truth": "truth.fits"}
    config |= {"injection": {"seed": 2}}
    assert succeed(directory, "--dry-run", config=config).nothing_to_do
    assert succeed(directory, "--dry-run", config=config | {"reliability": True}).jobs == {
        "leave_one_out": 1,
        "reliability": 1,
    }


# ---------------------------------------------------------------- no key without a test


def test_every_key_has_a_test():
    assert not CHANGES.keys() & TESTED_APART
    assert not TESTED_ELSEWHERE.keys() & (CHANGES.keys() | TESTED_APART)
    assert CHANGES.keys() | TESTED_APART | TESTED_ELSEWHERE.keys() == SCHEMA["properties"].keys()
    for key, file in TESTED_ELSEWHERE.items():
        assert key in Path(__file__).with_name(file).read_text(encoding="utf-8"), file


@pytest.mark.parametrize("key", CHANGES)
def test_case_agrees_with_the_schema(key):
    change, entry = CHANGES[key], SCHEMA["properties"][key]
    assert change.value != entry["default"]
    first = next(rule for rule in RULES if rule in change.jobs and rule != "prefetch_references")
    assert entry["changes"] in (first, "inputs")
    assert Path(change.start).name in STARTS
