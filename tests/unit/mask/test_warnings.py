"""Warnings of a vote whose result is plausible but may be wrong."""

import dataclasses

import numpy as np
import pytest

from badpix.formats.provenance import Provenance
from badpix.formats.thresholds import ABOVE, around
from badpix.formats.type_result import TypeResult
from badpix.mask.warnings import chance_of_scatter, vote_warnings
from badpix.vote.exposure_set import VoteFiles, select_exposures
from badpix.vote.settings import VoteSettings
from unit.formats.test_statistics_file import writer
from unit.test_adapters import config
from unit.vote.test_exposure_set import ANY, DETECTOR

SHAPE = (100, 100)
NOTHING = np.zeros(SHAPE, bool)


def some(n_pixels):
    image = NOTHING.copy()
    image.ravel()[:n_pixels] = True
    return image


def result(n_found=0, n_insufficient=0, thresholds=(), **votes):
    return TypeResult(some(n_found), some(n_insufficient), votes, thresholds=thresholds)


def exposures(folder, groups=(20, 20, 20), n_flats=5):
    """Darks of these numbers of groups, and flats, of two integrations each; all of 100 x 100 pixels are science."""
    paths = {"darks": [], "flats": []}
    for kind, numbers in (("darks", groups), ("flats", [5] * n_flats)):
        for i, n_groups in enumerate(numbers):
            paths[kind].append(str(folder / f"{kind}{i}.fits"))
            writer(f"{kind}{i}", NGROUPS=n_groups).write(paths[kind][-1], Provenance())
    return dataclasses.replace(
        select_exposures(VoteFiles(**paths), DETECTOR, ANY), reference_pixels=np.zeros(SHAPE, bool)
    )


def warnings(used, results, n_clean=10, **changes):
    settings = VoteSettings.from_config(config(**changes))
    return vote_warnings(used, results, None if n_clean is None else np.full(SHAPE, n_clean), settings)


def test_an_ordinary_result_has_no_warning(tmp_path):
    votes = {"high_pedestal": (np.zeros(SHAPE, int), np.full(SHAPE, 6))}
    results = {"hot": result(100), "rc": result(20, 900, **votes), "noisy": noisy(10), "DEAD": result(10)}
    assert warnings(exposures(tmp_path), results, dead_search_type="sigma_rate") == []


def test_a_search_that_is_off_has_no_warning(tmp_path):
    off = {"DEAD": result(DEAD=(np.zeros(SHAPE, int), np.zeros(SHAPE, int)))}
    used = exposures(tmp_path)
    assert warnings(used, off, dead_search=False) == []
    (warning,) = warnings(used, off)
    assert warning.startswith("DEAD: the test DEAD has no valid vote in 100% of the science pixels")


def test_a_type_in_more_than_a_hundredth_of_the_detector(tmp_path):
    (warning,) = warnings(exposures(tmp_path), {"hot": result(101)})
    assert warning.startswith("hot: 101 pixels, 1.0% of the science pixels; more than 1% of a detector is unusual")


def noisy(n_found, limit=2.0):
    return result(n_found, thresholds=(around("noisy", "NOISE", ABOVE, 1.0, limit - 1.0, unit="DN/s"),))


def test_more_noisy_pixels_than_noise_explains(tmp_path):
    used = exposures(tmp_path)
    (warning,) = warnings(used, {"noisy": noisy(11)})
    assert warning.startswith("noisy: 11 pixels, 0.11% of the science pixels, are beyond the limit of the official")
    assert "config/presets/flight.yaml" in warning and "noisy_test: cds" in warning
    # A limit that noise alone exceeds that often; a search by group differences; at most a thousandth.
    assert warnings(used, {"noisy": noisy(11, limit=1.2)}) == []
    assert warnings(used, {"noisy": noisy(11)}, noisy_test="cds") == []
    assert warnings(used, {"noisy": noisy(10)}) == []


def test_more_dead_pixels_than_noise_explains(tmp_path):
    used = exposures(tmp_path)
    (warning,) = warnings(used, {"DEAD": result(300)}, dead_search_type=["sigma_rate"])
    assert (
        warning.startswith("DEAD: 300 pixels, 3.00% of the science pixels, are beyond") and "absolute_rate" in warning
    )
    assert warnings(used, {"DEAD": result(11)}, dead_search_type="absolute_rate") == []
    assert warnings(used, {"DEAD": result(11)}, dead_search_type="sigma_rate", dead_sigma_threshold=2.5) == []


@pytest.mark.parametrize("n_values", [4, 12])
def test_the_chance_of_a_large_scatter_is_that_of_simulated_values(n_values):
    scatter = np.random.default_rng(1).normal(0, 3, (200_000, n_values)).std(axis=1)
    for limit in (3.0, 4.0):
        chance = chance_of_scatter(limit, scatter.mean(), n_values)
        assert chance == pytest.approx((scatter > limit).mean(), rel=0.05)


def test_a_search_that_can_classify_almost_no_pixel(tmp_path):
    used = exposures(tmp_path)
    lost, almost = (warnings(used, {"noisy": result(0, n)}, n_clean=None) for n in (9001, 9000))
    data = "(3 darks with 6 integrations of 20 groups, 5 flats with 10 integrations of 5 groups)"
    assert lost == [
        "noisy: 90% of the science pixels could not be classified; each needs min_clean_slopes = "
        f"{config()['min_clean_slopes']} jump-free slopes {data}"
    ]
    assert almost == []
    (other,) = warnings(used, {"hot": result(0, 9500)})
    assert other.startswith("hot: 95% of the science pixels could not be classified; each needs min_valid = ")


def test_a_test_without_votes_in_a_type_with_votes(tmp_path):
    votes = {"high_pedestal": (NOTHING, np.full(SHAPE, 6)), "rc_jumps": (NOTHING, np.zeros(SHAPE, int))}
    (warning,) = warnings(exposures(tmp_path), {"rc": result(**votes)})
    assert warning.startswith("rc: the test rc_jumps has no valid vote in 100% of the science pixels (3 darks")


def test_ramps_too_short_for_the_limit_of_jumps(tmp_path):
    limit = config()["max_jump_limit"]
    none, some_votes = np.zeros(SHAPE, int), np.full(SHAPE, 3)
    results = {
        "high_cr": TypeResult(NOTHING, ~NOTHING, {"many_jumps": (none, none)}),
        "rc": TypeResult(NOTHING, NOTHING, {"high_pedestal": (none, some_votes), "rc_jumps": (none, none)}),
    }
    short, long = (warnings(exposures(tmp_path, groups=[n] * 3), results) for n in (limit, limit + 1))
    needs = (
        f"integrations of more than {limit} groups, because max_jump_limit is {limit} and {limit} groups have at most"
        f" {limit - 1} jumps (3 darks with 6 integrations of {limit} groups, "
    )
    assert short[0].startswith(f"high_cr: 100% of the science pixels could not be classified; each needs {needs}")
    rest = f"the test rc_jumps has no valid vote in 100% of the science pixels; it needs {needs}"
    assert short[1].startswith(f"rc: {rest}")
    assert "each needs min_valid" in long[0]


@pytest.mark.parametrize(
    ("name", "test", "groups", "changes", "needs"),
    [
        ("noisy", "noisy", 2, {}, "at least 3 groups, because the pipeline searches for no jumps in shorter ramps"),
        ("noisy", "noisy", 3, {}, "min_clean_slopes = "),
        ("noisy", "cds_noise", 2, {"noisy_test": "cds"}, "at least 3 groups, for a scatter of group differences"),
        ("high_cr", "jumps_down", 4, {"telegraph_search": True}, "at least 5 groups, because the pipeline does not"),
        ("inverse_rc", "early_inverse_rc", 3, {}, "at least 4 groups, for early and late differences"),
        ("inverse_rc", "early_inverse_rc", 4, {}, "min_valid = "),
    ],
)
def test_a_type_that_the_ramps_cannot_show_names_the_groups_it_needs(tmp_path, name, test, groups, changes, needs):
    nothing = np.zeros(SHAPE, int)
    results = {name: TypeResult(NOTHING, ~NOTHING, {test: (nothing, nothing)})}
    (warning,) = warnings(exposures(tmp_path, groups=[groups] * 3), results, n_clean=None, **changes)
    assert f"could not be classified; each needs {'' if '=' in needs else 'integrations of '}{needs}" in warning


def test_darks_of_different_numbers_of_groups(tmp_path):
    (warning,) = warnings(exposures(tmp_path, groups=[40, 8, 40, 8, 40]), {})
    first = "the darks have different numbers of groups (2 of 8 groups, 3 of 40 groups): 2 darks of fewer than 27 "
    assert warning.startswith(first)


def test_too_few_flats_to_clip(tmp_path):
    used = exposures(tmp_path, n_flats=3)
    (warning,) = warnings(used, {}, flat_vote_unit="mean")
    assert warning.startswith("flats: only 6 integrations; clipping along them rejects little or nothing")
    assert warnings(used, {}, flat_vote_unit="exposure") == []


def test_a_mask_of_nircam_without_flats_tells_what_can_be_flats(tmp_path):
    used = exposures(tmp_path, n_flats=0)
    assert warnings(used, {}) == [
        "there are no flats (key flats), so DEAD, LOW_QE, OPEN and ADJ_OPEN pixels are not searched"
    ]
    of_nircam = dataclasses.replace(used, detector=dataclasses.replace(DETECTOR, instrument="NIRCAM"))
    (warning,) = warnings(of_nircam, {})
    assert "NIRCam takes no lamp flats in flight: a flat or a mask of CRDS can be given (flat_types_from" in warning
    assert "exposures of the sky can be flats (flat_exp_types" in warning
    with_flats = dataclasses.replace(of_nircam, flats=exposures(tmp_path).flats)
    assert warnings(with_flats, {}) == []


def test_a_mask_without_darks_has_a_warning(tmp_path):
    (warning,) = warnings(exposures(tmp_path, groups=()), {}, n_clean=None)
    assert warning == "there are no darks (key darks), so only DEAD, LOW_QE, OPEN and ADJ_OPEN pixels are searched"
