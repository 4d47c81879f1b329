"""Two epochs of one detector in one run: a mask each, the changes between them, the gate and the history.

The keys tested here: epochs, compare_with, max_new_fraction, max_recovered_fraction, keep_history, history_directory,
comparable_settings.
"""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from astropy.io import fits
from crds.core import rmap

import simulate
from badpix.formats.mask_file import read_mask
from badpix.history.entries import History
from badpix.history.files import extend_history, read_history
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.simulate.populations import DEMO
from badpix.simulate.simulation import Simulation
from jwst_badpix.command import main as command
from workflow.conftest import make_once
from workflow.files_page import undescribed
from workflow.key_changes import DARK, FLAT
from workflow.products import same
from workflow.runner import PROJECT, copy_run, snakemake, succeed

pytestmark = pytest.mark.pipeline

# The searches that distinguish all planted types.
FLIGHT = yaml.safe_load((PROJECT / "config" / "presets" / "flight.yaml").read_text(encoding="utf-8"))
CONFIG = FLIGHT | {
    "epochs": {"max_gap_days": 60}, "compare_with": "previous", "keep_history": True, "history_directory": "kept",
}  # fmt: skip
EARLY, LATE = "2024-06-01", "2025-07-22"
FLAG = {"DEAD": "DEAD", "LOW_QE": "LOW_QE", "hot": "HOT", "rc": "RC", "high_cr": "TELEGRAPH",
        "low_pedestal": "OTHER_BAD_PIXEL"}  # fmt: skip
FLAG_OF = {"": "good"} | {t.name: f"{FLAG[t.expected]}+DO_NOT_USE" for t in DEMO.types if t.expected in FLAG}
OUTPUTS = ("mask_changes.csv", "changed_pixels.csv", "changed_pixels.fits", "mask_changes.json", "mask_changes.png")


@pytest.fixture(scope="session")
def two_epochs(finished, tmp_path_factory):
    """The finished run with three darks and three flats of a second epoch, and a mask of each. Read only."""

    def make(directory):
        copy_run(finished, directory)
        simulate.main(directory, Simulation(64, darks=3, flats=3, epoch=2))
        run = succeed(directory, config=CONFIG)
        (directory / "jobs.json").write_text(json.dumps(run.jobs), encoding="utf-8")

    return make_once(tmp_path_factory, "two_epochs", make)


@pytest.fixture
def run(two_epochs, tmp_path):
    """A copy of that run that a test may change."""
    return copy_run(two_epochs, tmp_path / "run")


def mask_of(directory, epoch):
    return directory / "results" / "NIS" / "epochs" / epoch / "test_bpm.fits"


def changes_of(directory):
    return directory / "results" / "NIS" / "epochs" / LATE / "changes"


def planted(directory):
    """Changes that were planted: (x, y) -> (change, flags before, flags after)."""
    rows = pd.read_csv(directory / "changes_epoch2.csv", keep_default_na=False)
    return {(r.x, r.y): (r.change, FLAG_OF[r.before], FLAG_OF[r.after]) for r in rows.itertuples()}


def test_exactly_the_planted_changes_are_found(two_epochs):
    found = pd.read_csv(changes_of(two_epochs) / "changed_pixels.csv")
    expected = planted(two_epochs)
    assert {(r.x, r.y): (r.change, r.before, r.after) for r in found.itertuples()} == expected
    assert len(expected) == 9
    summary = json.loads((changes_of(two_epochs) / "mask_changes.json").read_text())
    assert [summary[kind] for kind in ("new", "recovered", "reclassified", "reference_changed")] == [3, 3, 3, 0]
    matrix = pd.read_csv(changes_of(two_epochs) / "mask_changes.csv", index_col="before")
    for _, before, after in expected.values():
        assert matrix.loc[before, after] >= 1
    with fits.open(changes_of(two_epochs) / "changed_pixels.fits") as hdus:
        assert sorted(zip(hdus["CHANGES"].data["x"], hdus["CHANGES"].data["y"], strict=True)) == sorted(expected)


def test_exposures_are_processed_once_for_all_epochs(two_epochs):
    jobs = json.loads((two_epochs / "jobs.json").read_text())
    once = {"detector1_dark": 3, "detector1_flat": 3}
    assert {name: jobs.get(name) for name in once} == once, "those of the first epoch were there"
    assert jobs["exposure_response"] == 8 and jobs["bad_pixel_mask"] == jobs["flat_response"] == 2
    assert jobs["compare_masks"] == 1, "the first epoch has none before it"
    assert jobs["history"] == 1
    assert not (two_epochs / "results" / "NIS" / "epochs" / EARLY / "darks").exists()


def test_the_mask_of_the_run_without_epochs_is_named(two_epochs):
    reason = f"The last run made no mask of NIS; its masks of NIS are: NIS/epochs/{EARLY}, NIS/epochs/{LATE}."
    notice = (two_epochs / "results" / "NIS" / "NOT_OF_LAST_RUN.txt").read_text()
    assert notice.startswith(reason)
    listed = {line.split()[0] for line in notice.splitlines()[2:]}
    assert {"test_bpm.fits", "evidence.fits", "plots.png", "quality_check.json"} <= listed
    assert not listed & {"history.png", "exposure_comparison.csv", "NIS"}, "the history is of both epochs"


def test_each_epoch_has_its_own_exposures_and_dates(two_epochs):
    for epoch, useafter, number in ((EARLY, "2024-06-01T01:00:00", 5), (LATE, "2025-07-22T17:00:00", 3)):
        header = fits.getheader(mask_of(two_epochs, epoch))
        assert header["USEAFTER"] == useafter
        text = str(header["HISTORY"])
        assert f"{number} darks used" in text and f"{number} flats used" in text
        assert "Rejected" not in text, "an exposure of the other epoch is none that is missing here"


def test_an_epoch_has_the_mask_that_its_exposures_have_alone(run):
    """Drawn as a list of days, or with no epochs at all: the same statistics make the same mask."""
    before = read_mask(mask_of(run, EARLY))
    days = [{"name": "first", "start": "2024-06-01", "end": "2024-12-31"}]
    outside = succeed(run, "--until", "bad_pixel_mask", config=CONFIG | {"epochs": days})
    assert outside.jobs == {"compare_exposures": 1, "flat_response": 1, "bad_pixel_mask": 1}
    mask = mask_of(run, "first")
    assert same(read_mask(mask), before)
    # Long lines are cut, between words or within them.
    text = "".join(str(fits.getheader(mask)["HISTORY"]).split())
    assert "jw09001001001_02101_10001_nis:DATE-OBS2025-07-22liesinnoepoch" in text
    alone = {"darks": f"darks/{DARK.format('?')}_uncal.fits", "flats": f"flats/{FLAT.format('?')}_uncal.fits"}
    succeed(run, "--until", "bad_pixel_mask", config=FLIGHT | alone)
    assert same(read_mask(run / "results" / "NIS" / "test_bpm.fits"), before)


def test_an_epoch_with_too_few_exposures_is_refused_and_the_next_continues(run):
    mask_of(run, EARLY).unlink()
    failed = snakemake(run, "--keep-going", config=CONFIG | {"min_darks": 4})
    assert failed.status != 0
    assert f"NIS/epochs/{LATE}: no mask, because 3 usable darks remain and min_darks is 4." in failed.output
    assert mask_of(run, EARLY).exists()
    assert failed.jobs["refused_detector"] == 1 and "compare_masks" not in failed.jobs


# ---------------------------------------------------------------- the gate


def test_the_gate_fails_with_the_numbers_and_the_comparison_stays(run):
    for key, change in (("max_new_fraction", "new"), ("max_recovered_fraction", "recovered")):
        failed = snakemake(run, config=CONFIG | {key: 0.0005})
        assert failed.status != 0 and failed.jobs == {"release_gate": 1}
        assert f"3 of 3600 science pixels are {change}, a fraction of 0.000833; {key} is 0.0005" in failed.output
        for name in OUTPUTS:
            assert (changes_of(run) / name).stat().st_size > 0
        assert not (changes_of(run) / "release_gate.json").exists()
    passed = succeed(run, config=CONFIG | {"max_new_fraction": 0.001, "max_recovered_fraction": 0.001})
    assert passed.jobs == {"release_gate": 1}
    assert json.loads((changes_of(run) / "release_gate.json").read_text())["passed"] is True


# ---------------------------------------------------------------- other masks to compare with


@pytest.fixture
def one_mask(finished_copy):
    """The finished run, and a comparison as a target of its own."""

    def compare(**config):
        return snakemake(finished_copy, "--", "compare", config=config)

    return finished_copy, compare


def test_a_comparison_with_the_mask_of_crds(one_mask):
    directory, compare = one_mask
    run = compare(compare_with="crds")
    assert run.status == 0 and run.jobs == {"crds_mask": 1, "compare_masks": 1, "compare": 1}, run.output
    changes = directory / "results" / "NIS" / "changes"
    (reference,) = directory.glob("crds_cache/references/jwst/niriss/*_mask_*.fits")
    assert same(read_mask(changes / "crds_mask.fits"), read_mask(reference))
    assert undescribed(directory / "results" / "NIS") == []
    summary = json.loads((changes / "mask_changes.json").read_text())
    assert summary["bad_before"] == np.count_nonzero(read_mask(reference) & 0x7FFFFFFF)
    assert summary["new"] > 50


def test_a_comparison_with_a_file_that_is_there_or_not(one_mask):
    directory, compare = one_mask
    shutil.copy2(directory / "results" / "NIS" / "test_bpm.fits", directory / "old.fits")
    run = compare(compare_with="old.fits")
    assert run.status == 0 and run.jobs == {"compare_masks": 1, "compare": 1}
    changes = directory / "results" / "NIS" / "changes"
    assert len(pd.read_csv(changes / "changed_pixels.csv")) == 0, "it is the same mask"
    fits.setval(directory / "old.fits", "DETECTOR", value="NRS1")
    run = compare(compare_with="old.fits")
    assert run.status != 0 and "cannot be compared: DETECTOR is 'NRS1' and 'NIS'" in run.output
    run = compare(compare_with="gone.fits")
    assert run.status != 0 and not run.jobs and "compare_with: no such file: 'gone.fits'" in run.output
    assert "Traceback" not in run.output
    run = compare()
    assert run.status != 0 and "compare: compare_with is null; it must be a mask file" in run.output


def test_crds_without_a_mask_is_a_clear_error(simulated, tmp_path):
    cache = tmp_path / "crds_cache"
    shutil.copytree(simulated / "crds_cache", cache)
    (path,) = cache.glob("mappings/jwst/jwst_niriss_*.imap")
    path.write_text(re.sub(r"'jwst_niriss_mask_\d+\.rmap'", "'N/A'", path.read_text()), encoding="utf-8")
    rmap.Mapping.from_file(str(path), ignore_checksum=True).write()
    exposure = simulated / "flats" / f"{FLAT.format(1)}_uncal.fits"
    crds = {"path": str(cache), "server_url": simulate.SERVER_URL, "context": None}
    # In a process of its own, since CRDS remembers its cache.
    code = f"import crds_mask; crds_mask.main({str(exposure)!r}, {str(tmp_path / 'out.fits')!r}, {crds!r}, False)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT / "scripts", capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "CRDS (jwst_0001.pmap) has no mask for" in done.stderr and "set compare_with" in done.stderr
    assert not (tmp_path / "out.fits").exists()


# ---------------------------------------------------------------- the history


def tables(directory):
    return {path.name: path.read_bytes() for path in (directory / "kept" / "NIS").glob("*.parquet")}


def test_pixels_of_the_earlier_mask_get_the_flags_of_intermittent_pixels(run):
    """Pixels that recovered between the epochs; the flags do not count in the history, and nothing runs again."""
    recovered = {at for at, (change, *_) in planted(run).items() if change == "recovered"}
    plain, config = read_mask(mask_of(run, LATE)), CONFIG | {"intermittent": ["UNRELIABLE_DARK"]}
    before = pd.read_parquet(run / "kept" / "NIS" / "flagged.parquet")
    made = succeed(run, config=config)
    assert made.jobs == {"bad_pixel_mask": 2, "compare_masks": 1, "history": 1}, made.output
    late = read_mask(mask_of(run, LATE))
    added = late & np.uint32(PIXEL_FLAGS["UNRELIABLE_DARK"]) != 0
    assert recovered <= {(int(x), int(y)) for y, x in np.argwhere(added)}
    assert same(np.where(added, 0, late), plain) and not plain[added].any()
    history = "".join(fits.getheader(mask_of(run, LATE))["HISTORY"])
    assert f"Intermittent pixels without a flag by the vote: {added.sum()} (" in history
    assert "1 of epochs of this run, 0 of the history" in history
    after = pd.read_parquet(run / "kept" / "NIS" / "flagged.parquet")
    assert after.equals(before), "they do not count themselves"
    assert snakemake(run, config=config).nothing_to_do
    changed = snakemake(run, "--dry-run", config=config | {"intermittent_from": ["exposures"]})
    assert changed.jobs["bad_pixel_mask"] == 2

    # The exposures of the later epoch alone: the earlier mask is that of the history.
    alone = config | {"darks": "darks/*_1000?_nis_uncal.fits", "flats": "flats/*_1000?_nis_uncal.fits"}
    made = succeed(run, config=alone)
    assert made.jobs["bad_pixel_mask"] == 1
    assert "0 of epochs of this run, 1 of the history" in "".join(fits.getheader(mask_of(run, LATE))["HISTORY"])
    assert snakemake(run, config=alone).nothing_to_do
    # As if the earlier epoch had been made again, with a dark more.
    stored = read_history(run / "kept" / "NIS")
    is_early = stored.epochs["epoch"] == EARLY
    flagged = stored.flagged[stored.flagged["entry"].isin(stored.epochs.loc[is_early, "entry"])]
    is_first = (flagged[["x", "y"]] == flagged[["x", "y"]].iloc[0]).all(axis=1)
    extend_history(run / "kept" / "NIS", [History(stored.epochs[is_early], flagged[~is_first])])
    replaced = snakemake(run, "--dry-run", config=alone)
    assert replaced.jobs["bad_pixel_mask"] == 1
    assert "history_masks was " in replaced.output


def test_the_history_has_both_masks_and_what_changed(two_epochs):
    epochs = pd.read_parquet(two_epochs / "kept" / "NIS" / "epochs.parquet")
    assert list(epochs["epoch"].unique()) == [EARLY, LATE]
    for epoch in (EARLY, LATE):
        summary = pd.read_csv(mask_of(two_epochs, epoch).with_name("summary.csv"))
        summary = summary[summary["kind"] != "area"]  # no counts of pixels with a type or a flag
        own = epochs[epochs["epoch"] == epoch]
        assert own[["kind", "name", "n_pixels"]].to_numpy().tolist() == (
            summary[["kind", "name", "n_pixels"]].to_numpy().tolist()
        )
        assert str(own["first_observation"].iloc[0])[:10] == epoch
    listed = pd.read_csv(two_epochs / "results" / "NIS" / "intermittent_pixels.csv")
    expected = {place for place, (change, *_) in planted(two_epochs).items() if change != "reclassified"}
    corner = [fits.getval(mask_of(two_epochs, LATE), key) - 1 for key in ("SUBSTRT1", "SUBSTRT2")]
    assert {(r.x - corner[0], r.y - corner[1]) for r in listed.itertuples()} == expected
    assert set(listed["fraction_flagged"]) == {0.5}
    assert (two_epochs / "results" / "NIS" / "history.png").stat().st_size > 0


def trial_entries(epochs):
    """The entries of `epochs` that the last run compared."""
    return sorted(set(epochs.loc[epochs["compared"], "entry"]))


def test_the_history_outlives_results_and_is_idempotent(run):
    before = tables(run)
    assert len(before) == 3
    assert succeed(run, "--dry-run", config=CONFIG).nothing_to_do
    again = succeed(run, "--forcerun", "history", config=CONFIG)
    assert again.jobs == {"history": 1} and tables(run) == before
    # A trial of the same exposures with another threshold does not take the place of the masks, nor is compared.
    trial = succeed(run, "--until", "history", config=CONFIG | {"hot_rate_threshold": 20.0})
    epochs = pd.read_parquet(run / "kept" / "NIS" / "epochs.parquet")
    assert list(epochs["epoch"].unique()) == [EARLY, LATE] and tables(run) != before
    own, other = (set(epochs.loc[epochs["compared"] == is_trial, "settings"]) for is_trial in (False, True))
    assert len(own) == len(other) == 1 and own != other
    assert set(pd.read_parquet(run / "kept" / "NIS" / "pixels.parquet")["n_epochs"]) == {2}
    assert f"2 masks of the same settings compared; left out: 2 made with other settings ({own.pop()})" in trial.output
    configuration = json.loads(epochs.loc[epochs["compared"], "configuration"].iloc[0])
    assert configuration["hot_rate_threshold"] == 20.0 and "author" not in configuration
    # The trial is removed, and does not come back.
    assert command(["history", "NIS", "--directory", str(run / "kept"), "--remove", *trial_entries(epochs)]) == 0
    back = succeed(run, "--until", "history", config=CONFIG)
    assert back.jobs == {"bad_pixel_mask": 2, "history": 1}
    after = tables(run)
    assert all(after[name] == before[name] for name in ("flagged.parquet", "pixels.parquet"))
    assert succeed(run, "--until", "history", config=CONFIG | {"hot_rate_threshold": 20.0}).jobs["history"] == 1
    stored = pd.read_parquet(run / "kept" / "NIS" / "epochs.parquet")
    assert len(stored["entry"].unique()) == 2 and not set(stored["entry"]) & set(trial_entries(epochs))
    # On purpose: the masks of before are compared, each epoch once.
    declared = {"comparable_settings": sorted(set(stored["settings"])), "hot_rate_threshold": 20.0}
    succeed(run, "--until", "history", config=CONFIG | declared)
    assert pd.read_parquet(run / "kept" / "NIS" / "epochs.parquet")["compared"].all()
    without = succeed(run, "--dry-run", config=CONFIG | {"keep_history": False})
    assert without.jobs["bad_pixel_mask"] == 2 and "history" not in without.jobs


def test_without_a_directory_it_is_with_the_results(finished_copy):
    run = succeed(finished_copy, config={"keep_history": True})
    assert run.jobs == {"history": 1}
    stored = pd.read_parquet(finished_copy / "results" / "NIS" / "history" / "epochs.parquet")
    assert list(stored["epoch"].unique()) == [""]
    assert (stored["n_darks"].iloc[0], stored["n_flats"].iloc[0]) == (5, 5)


# ---------------------------------------------------------------- known bad pixels


def test_pixels_of_the_earlier_epochs_must_be_found_again(run):
    """The planted pixels that recovered between the epochs are lost; the first epoch has no earlier mask."""
    known = {"pixels": "epochs", "min_masks": 1, "min_recall": 0.99}
    failed = snakemake(run, config=CONFIG | {"known_bad": known, "pixel_table": True})
    assert failed.status != 0 and failed.jobs["known_bad_gate"] == 2
    folder = run / "results" / "NIS" / "epochs"
    assert "0 earlier masks: not checked; min_masks is 1, and there are 0 earlier masks" in failed.output
    assert json.loads((folder / EARLY / "known_bad" / "known_bad_gate.json").read_text())["passed"] is True
    table = pd.read_csv(folder / LATE / "known_bad" / "known_bad_pixels.csv")
    recovered = {(x, y) for (x, y), (change, *_) in planted(run).items() if change == "recovered"}
    lost = table[table["state"] == "lost"]
    assert {(x - 1984, y - 1984) for x, y in zip(lost["x"], lost["y"], strict=True)} == recovered
    assert f"results/NIS/epochs/{LATE}/test_bpm.fits: the recall is below min_recall 0.99" in failed.output
    pixels = pd.read_parquet(folder / LATE / "bad_pixels.parquet")
    new = {(x, y) for (x, y), (change, *_) in planted(run).items() if change == "new"}
    first = pixels[pixels["first_seen"] > "2025-01-01"]
    assert {(x - 1984, y - 1984) for x, y in zip(first["x"], first["y"], strict=True)} == new
    assert (pixels["n_masks"] == 2).all() and set(first["n_masks_flagged"]) == {1}
