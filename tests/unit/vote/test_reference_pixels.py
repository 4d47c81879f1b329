"""Bad reference pixels: measurement in a raw dark, vote, and what the refpix step does with the flags."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from jwst.refpix import RefPixStep
from stdatamodels.jwst import datamodels

from badpix.formats.provenance import Provenance
from badpix.formats.reference_statistics_file import read_reference_statistics, write_reference_statistics
from badpix.instrument.detectors import load_detectors
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.instrument.geometry import Geometry
from badpix.instrument.reference_groups import reference_groups
from badpix.statistics.reference_pixels import measure_reference_pixels, read_reference_pixels
from badpix.vote.reference_pixels import ReferenceSettings, read_exposures, vote_on_reference_pixels

DETECTORS = load_detectors(Path(__file__).resolve().parents[3] / "config" / "detectors")
BAD, DO_NOT_USE, REFERENCE = (PIXEL_FLAGS[name] for name in ("BAD_REF_PIXEL", "DO_NOT_USE", "REFERENCE_PIXEL"))
GEOMETRY = Geometry("SUB64", 1985, 1985, 64, 64, -2, -1)  # NIS: reference pixels on the right and at the top
GROUPS = reference_groups(GEOMETRY, DETECTORS["NIS"])
NOISE_DN = 6.0


def full(name):
    detector = DETECTORS[name]
    return reference_groups(
        Geometry("FULL", 1, 1, detector.n_columns, detector.n_rows, detector.fast_axis, detector.slow_axis), detector
    )


def raw(seed, n_groups=20, n_integrations=1, noise=NOISE_DN, groups=GROUPS):
    """Raw values (integration, group, pixel): a level and a drift per group of pixels, and noise."""
    rng = np.random.default_rng(seed)
    drift = rng.normal(0, 40, (n_integrations, n_groups, len(groups.names)))
    level = 11000 + 100 * np.arange(len(groups.names)) + drift
    values = level[..., groups.group] + 20 * np.sin(groups.along / 30)
    values += np.random.default_rng(7).normal(0, 15, groups.y.size)  # the same in all darks
    return np.round(values + noise * rng.standard_normal(values.shape)).astype(np.float32)


def darks(change=None, number=5, **options):
    """Measurements of darks; `change(values, index)` makes pixels bad, index from 0."""
    found = {}
    for index in range(number):
        values = raw(index, **options)
        if change:
            change(values, index)
        found[f"d{index}"] = measure_reference_pixels(values, options.get("groups", GROUPS))
    return found


def vote(exposures, groups=GROUPS, min_valid=1, **keys):
    return vote_on_reference_pixels(exposures, groups, ReferenceSettings(**keys), 0.5, min_valid)


# ---------------------------------------------------------------- groups and measurements


@pytest.mark.parametrize(("name", "numbers"), [
    ("NRCA1", {1024: 16, 4080: 4}), ("NIS", {1024: 16, 4080: 4}), ("MIRIMAGE", {512: 16}),
])  # fmt: skip
def test_groups_are_those_that_refpix_averages(name, numbers):
    groups = full(name)
    sizes, counts = np.unique(np.bincount(groups.group), return_counts=True)
    assert dict(zip(sizes.tolist(), counts.tolist(), strict=True)) == numbers
    for number in range(len(groups.names)):
        y, x = (axis[groups.group == number] for axis in (groups.y, groups.x))
        fast = y if name != "NRCA1" else x
        assert len({*(fast % 2).tolist()}) == 1, "odd and even are apart"
        if name == "MIRIMAGE":
            assert len({*x.tolist()}) == 1, "an output has one reference column on each side"


def test_noise_is_measured_without_the_drift_of_the_group():
    measured = measure_reference_pixels(raw(1, n_groups=60), GROUPS)
    assert np.median(measured.noise) == pytest.approx(NOISE_DN, rel=0.03)
    assert set(measured.n_degrees) == {59} and not measured.n_railed.any()


def test_values_at_a_rail_and_without_change_are_counted_and_left_out():
    values = raw(2, n_groups=10, n_integrations=2)
    values[0, :2, 5], values[:, :, 6], values[1, :, 7] = 0, 65535, 9000
    measured = measure_reference_pixels(values, GROUPS)
    assert measured.n_railed[5:9].tolist() == [2, 20, 10, 0] and measured.n_read == 20
    assert measured.n_values[5:9].tolist() == [18, 0, 10, 20]
    assert measured.n_degrees[5:9].tolist() == [16, 0, 9, 18]
    assert np.isnan(measured.noise[6]) and measured.noise[5] < 3 * NOISE_DN
    few = raw(2, n_groups=5)
    few[:, :, 3] = 9000
    assert not measure_reference_pixels(few, GROUPS).n_railed.any(), "five equal readings happen by chance"
    short = raw(2, n_groups=5, n_integrations=2)
    short[:, :, 3], short[0, :, 4] = 9000, 9000
    assert np.flatnonzero(measure_reference_pixels(short, GROUPS).n_railed).tolist() == [3]


def test_segments_add_up_to_the_exposure(tmp_path):
    values = raw(3, n_groups=10, n_integrations=4)
    values[0, :, 5] = 0
    whole = measure_reference_pixels(values, GROUPS)
    for number, part in enumerate((values[:1], values[1:]), start=1):
        path = tmp_path / f"{number}.fits"
        name = f"jw09001001001_02101_00001-seg00{number}_nis"
        write_reference_statistics(path, name, measure_reference_pixels(part, GROUPS), Provenance())
        assert read_reference_statistics(path)[0] == name
    found, reasons = read_exposures([*map(str, tmp_path.glob("*.fits"))], ["jw09001001001_02101_00001_nis", "other"])
    assert reasons == {"other": "no raw file"}
    (combined,) = found.values()
    for field in dataclasses.fields(whole):
        expected = getattr(whole, field.name)
        np.testing.assert_allclose(getattr(combined, field.name), expected, rtol=1e-4, err_msg=field.name)


def test_the_values_are_read_at_the_reference_pixels():
    class Image:
        shape = (2, 3, 64, 64)

        def __getitem__(self, key):
            integration, group, rows = key
            y, x = np.mgrid[rows, 0:64]
            return (integration * 30000 + group * 10000 + 100 * y + x).astype(np.uint16)

    values = read_reference_pixels(Image(), GROUPS)
    assert values[1, 2].tolist() == (50000 + 100 * GROUPS.y + GROUPS.x).tolist()


# ---------------------------------------------------------------- the vote


def test_noise_level_and_railing_are_found_and_healthy_pixels_are_not():
    def plant(values, index):
        values[:, :, 10] += np.random.default_rng(index).normal(0, 2.5 * NOISE_DN, values.shape[:2])
        values[:, :, 20] += 400
        values[:, :, 30] -= 400
        values[:, :, 40], values[:, :, 50], values[:, :, 60] = 0, 65535, 10500

    result = vote(darks(plant))
    found = {test: np.flatnonzero(pixels).tolist() for test, pixels in result.found.items()}
    assert found == {"noise": [10], "level": [20, 30], "railing": [40, 50, 60]}
    assert set(result.dq.tolist()) == {0, BAD} and (result.dq != 0).sum() == 6
    assert result.notes[0] == (
        "Reference pixels: 6 of 496 are BAD_REF_PIXEL by a vote of 5 darks (1 by noise, 2 by level, 3 by railing)"
    )
    assert "still uses these pixels" in result.notes[1]
    assert set(vote(darks(plant), do_not_use=True).dq.tolist()) == {0, BAD | DO_NOT_USE}
    only = vote(darks(plant), noise=None, railing=False)
    assert np.flatnonzero(only.dq).tolist() == [20, 30]
    image = result.image(GEOMETRY.shape)
    assert image[GROUPS.y[20], GROUPS.x[20]] == BAD and (image != 0).sum() == 6


@pytest.mark.parametrize(("n_bad", "found"), [(2, False), (3, True)])
def test_a_pixel_must_be_bad_in_the_fraction_of_the_darks(n_bad, found):
    def plant(values, index):
        if index < n_bad:
            values[:, :, 20] += 4000
            values[:, :, 40] = 0

    result = vote(darks(plant), fraction=0.6)
    assert (result.dq[[20, 40]] != 0).tolist() == [found, found]
    assert result.k["railing"][40] == n_bad and result.n_valid["railing"][40] == 5


@pytest.mark.parametrize(("quiet", "found"), [(0.8, []), (1.4, [10])])
def test_a_noisy_majority_is_not_enough_if_all_darks_together_are_within_the_limit(quiet, found):
    group = np.flatnonzero(GROUPS.group == GROUPS.group[10])

    def plant(values, index):
        alternating = (-1.0) ** np.arange(values.shape[1])
        values[:, :, 10] = (
            np.median(values[..., group], axis=-1) + NOISE_DN * (1.7 if index < 3 else quiet) * alternating
        )

    result = vote(darks(plant), level=None)
    assert np.flatnonzero(result.dq).tolist() == found and result.k["noise"][10] == 3


@pytest.mark.parametrize(("number", "n_groups"), [(5, 20), (5, 5), (2, 10), (1, 20), (3, 3)])
def test_healthy_pixels_of_equal_noise_pass_for_any_number_of_groups(number, n_groups):
    groups = full("NIS")
    result = vote(darks(number=number, n_groups=n_groups, groups=groups), groups)
    assert not result.dq.any() and not result.warnings


def test_a_single_group_has_no_noise_and_too_few_darks_judge_nothing():
    result = vote(darks(n_groups=1), level=None, railing=False)
    assert not result.n_valid["noise"].any()
    assert "496 of 496 reference pixels could not be classified" in result.warnings[0]
    assert "each needs min_valid = 6" in vote(darks(), min_valid=6).warnings[0]


def test_a_group_without_good_pixels_keeps_them_usable_and_is_warned_of():
    last = len(GROUPS.names) - 1
    members = np.flatnonzero(GROUPS.group == last)

    def plant(values, index):
        values[:, :, members[:-3]] = 0
        values[:, :, 0] = 0

    result = vote(darks(plant), do_not_use=True)
    assert set(result.dq[members[:-3]].tolist()) == {BAD}, "refpix would skip its whole correction"
    assert result.dq[0] == BAD | DO_NOT_USE
    assert f"only 3 of {members.size} reference pixels of a group are good ({GROUPS.names[last]})" in result.warnings[0]


# ---------------------------------------------------------------- the pipeline's refpix step


def after_refpix(name, flags, value, flagged):
    """(S_REFPIX, science pixels of the last group) of a full frame of 1000 DN with noise of 5 DN after refpix.

    The reference pixels `flagged`, (y, x), have `value` in all groups, and `flags`.
    """
    detector = DETECTORS[name]
    shape = detector.n_rows, detector.n_columns
    # MIRI's first group is subtracted from the others; a single group saves time.
    n_groups = 2 if detector.instrument == "MIRI" else 1
    data = np.random.default_rng(1).normal(1000, 5, (1, n_groups, *shape)).astype(np.float32)
    model = datamodels.RampModel(data=data)
    model.meta.instrument.name, model.meta.instrument.detector = detector.instrument, name
    model.meta.exposure.noutputs = 4
    subarray = model.meta.subarray
    subarray.name, subarray.xstart, subarray.ystart, subarray.ysize, subarray.xsize = "FULL", 1, 1, *shape
    subarray.fastaxis, subarray.slowaxis = detector.fast_axis, detector.slow_axis
    groups = full(name)
    dq = np.zeros(shape, np.uint32)
    dq[groups.y, groups.x] = REFERENCE
    y, x = np.transpose(flagged)
    dq[y, x] |= flags
    model.data[..., y, x] = value
    model.pixeldq, model.groupdq = dq, np.zeros(data.shape, np.uint8)
    result = RefPixStep().run(model)
    return result.meta.cal_step.refpix, result.data[0, -1][dq == 0]


def test_refpix_leaves_out_a_reference_pixel_for_do_not_use_only():
    """An offset below the clipping at 3 sigma moves the mean of 1024 pixels of a side, averaged with the other side."""
    (_, healthy), (_, flagged), (_, excluded) = (
        after_refpix("NRCA1", flags, value, [(1, 1000)])
        for flags, value in ((0, 1000), (BAD, 1014), (BAD | DO_NOT_USE, 1014))
    )
    assert np.abs(flagged - healthy).max() == pytest.approx(14 / 1024 / 2, rel=0.05), "as without the flag"
    assert np.abs(excluded - healthy).max() < 0.001


def test_refpix_without_usable_pixels_of_an_amplifier_is_wrong_everywhere_without_an_error():
    groups = full("NRCA1")
    members = np.isin(
        groups.group, [groups.names.index(f"{side}, output 1, even columns") for side in ("bottom", "top")]
    )
    state, science = after_refpix("NRCA1", BAD | DO_NOT_USE, 1000, np.transpose([groups.y, groups.x])[members])
    assert state == "COMPLETE"
    assert np.quantile(np.abs(science), 0.01) > 400, "DN: the side pixels of the uncorrected amplifier spoil the others"


def test_refpix_corrects_nothing_on_miri_without_usable_pixels_in_a_group():
    groups = full("MIRIMAGE")
    members = np.transpose([groups.y, groups.x])[groups.group == 0]
    state, uncorrected = after_refpix("MIRIMAGE", BAD | DO_NOT_USE, 1030, members)
    _, corrected = after_refpix("MIRIMAGE", BAD | DO_NOT_USE, 1030, members[4:])
    assert state == "COMPLETE" and not np.array_equal(uncorrected, corrected)
    raw = np.random.default_rng(1).normal(1000, 5, (2, 1024, 1032)).astype(np.float32)[1, :, 4:-4]
    np.testing.assert_allclose(uncorrected, raw.ravel(), atol=1e-3)
