"""The simulated detector in later epochs: what changes, what is recorded, and what stays."""

import numpy as np
import pandas as pd
import pytest

import simulate
from badpix.simulate.detector import make_detector
from badpix.simulate.evolution import CHANGING, DISTANCE, evolve, first_number
from badpix.simulate.exposure import Exposure
from badpix.simulate.headers import make_geometry
from badpix.simulate.populations import POPULATIONS
from badpix.simulate.simulation import Simulation
from badpix.simulate.truth import truth_image


@pytest.fixture(scope="module", params=[("demo", 64), ("demo", 256), ("survey", 256)], ids=str)
def detectors(request):
    """The detector in its first three epochs, and the changes since the first."""
    population, size = request.param
    first = make_detector(make_geometry("NIRISS", size), 5, POPULATIONS[population])
    second, _ = evolve(first, 2, 5)
    third, changes = evolve(first, 3, 5)
    return first, second, third, changes


def test_the_truth_changes_where_it_is_recorded_and_nowhere_else(detectors):
    first, second, third, changes = detectors
    codes = first.population.codes
    for epoch, before, after in ((2, first, second), (3, second, third)):
        rows = changes[changes["epoch"] == epoch]
        images = truth_image(before), truth_image(after)
        y, x = np.nonzero(images[0] != images[1])
        recorded = set(zip(rows["x"], rows["y"], strict=True))
        assert recorded == set(zip(x, y, strict=True))
        assert len(rows) == len(recorded) >= 9
        for row in rows.itertuples():
            assert images[0][row.y, row.x] == codes.get(row.before, 0)
            assert images[1][row.y, row.x] == codes.get(row.after, 0)


def test_the_changes_are_of_three_kinds(detectors):
    first, _, _, changes = detectors
    expected = {planted.name: planted.expected for planted in first.population.types}
    counts = changes.groupby(["epoch", "change"]).size()
    assert set(counts.index.get_level_values("change")) == {"new", "recovered", "reclassified"}
    assert counts.nunique() == 1, "as many of each"
    for row in changes.itertuples():
        assert (row.before == "") == (row.change == "new") and (row.after == "") == (row.change == "recovered")
        assert expected.get(row.before) != expected.get(row.after), "another flag"
        assert {row.before, row.after} - {""} <= set(CHANGING)


def test_new_pixels_keep_their_distance(detectors):
    first, second, _, changes = detectors
    new = changes[(changes["epoch"] == 2) & (changes["change"] == "new")]
    others = {(pixel["x"], pixel["y"]) for pixel in second.pixels} | {(p["x"], p["y"]) for p in first.pixels}
    for row in new.itertuples():
        near = [(x, y) for x, y in others if max(abs(x - row.x), abs(y - row.y)) < DISTANCE]
        assert near == [(row.x, row.y)]
    assert not first.reference[new["y"], new["x"]].any()


def test_the_first_epoch_is_the_detector_itself_and_the_seed_decides():
    first = make_detector(make_geometry("NIRISS", 64), 5)
    same, none = evolve(first, 1, 5)
    assert same is first and none.empty
    assert evolve(first, 2, 5)[1].equals(evolve(first, 2, 5)[1])
    assert not evolve(first, 2, 5)[1].equals(evolve(first, 2, 6)[1])


def test_epochs_follow_each_other_in_time_and_intermittent_pixels_continue():
    assert first_number(1) == 1
    for population in POPULATIONS.values():
        assert (first_number(2) - 1) % population.period == 0
    dark, flat = Exposure("dark", first_number(2), 1, 1), Exposure("flat", first_number(1) + 1000, 1, 1)
    assert dark.start_time > flat.start_time
    with pytest.raises(ValueError, match="epoch 10: allowed are 1 to 9"):
        first_number(10)


def test_an_epoch_is_added_to_its_folder(tmp_path):
    small = {"size": 64, "darks": 1, "flats": 0, "integrations": 1, "groups": 3}
    with pytest.raises(ValueError, match=r"epoch 2 needs the folder of the first epoch, and .*truth\.fits does not"):
        simulate.main(tmp_path, Simulation(**small, epoch=2))
    simulate.main(tmp_path, Simulation(**small))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    (path,) = simulate.main(tmp_path, Simulation(**small, epoch=2))
    assert path.name == "jw09001001001_02101_10001_nis_uncal.fits"
    assert {path: path.read_bytes() for path in before} == before, "truth, cache and configuration stay"
    changes = pd.read_csv(tmp_path / "changes_epoch2.csv", keep_default_na=False)
    truth = pd.read_csv(tmp_path / "truth_epoch2.csv")
    assert set(changes["change"]) == {"new", "recovered", "reclassified"}
    assert not set(map(tuple, changes.loc[changes["after"] == "", ["x", "y"]].to_numpy())) & set(
        map(tuple, truth[["x", "y"]].to_numpy())
    )
