"""The table of thresholds: unchanged by writing and reading, and sufficient to repeat the vote."""

import numpy as np
import pytest
from astropy.io import fits

from badpix.core.fits_table import table_hdu
from badpix.formats.evidence_file import read_evidence, write_evidence
from badpix.formats.provenance import Provenance
from badpix.formats.thresholds import (
    ABOVE,
    BELOW,
    FEWEST,
    FRACTION,
    MEAN_DEVIATION,
    Threshold,
    around,
    as_columns,
    from_table,
)
from badpix.instrument.readout import GroupTimes
from badpix.vote.flat_types import flat_results
from badpix.vote.flat_votes import FlatVotes
from badpix.vote.searches.base import WHOLE_ARRAY, Integration
from badpix.vote.settings import FlatSettings
from unit.vote.adding import add
from unit.vote.test_dark_extended import GROUP_TIME_S, SHAPE, exposure, extended
from unit.vote.test_dark_official import counted
from unit.vote.test_dark_official import exposure as dark

FLAT = {
    "dead_search": True, "low_qe_and_open_search": True, "dead_search_type": ["sigma_rate", "absolute_rate"],
    "flat_mean_sigma_threshold": 3.0, "dead_sigma_threshold": 5.0, "max_dead_norm_signal": 0.05,
    "run_dead_flux_check": False, "flux_check": 45000, "max_low_qe_norm_signal": 0.5, "max_open_adj_norm_signal": 1.05,
    "open_neighbour_rule": "all", "open_includes_dead": False, "flat_vote_unit": "mean", "flat_vote_fraction": 0.75,
    "min_unlit_area": None, "min_valid": 1,
}  # fmt: skip


def test_around_is_above_or_below_its_centre():
    assert around("t", "Q", ABOVE, 2.0, 0.5, unit="DN").value == 2.5
    assert around("t", "Q", BELOW, 2.0, 0.5, unit="DN").value == 1.5


def test_a_table_keeps_every_number(tmp_path):
    rows = [
        around("rate", "SLOPE", ABOVE, 0.1, 1 / 3, unit="DN/s", exposure="jw1", integration=2, region=4),
        Threshold("DEAD", "RESPONSE", BELOW, 0.05, ""),
    ]
    for some in (rows, []):
        fits.HDUList([fits.PrimaryHDU(), table_hdu("T", as_columns(some))]).writeto(tmp_path / "t.fits", overwrite=True)
        with fits.open(tmp_path / "t.fits") as hdus:
            again = from_table(hdus[1].data)
        assert [repr(row) for row in again] == [repr(row) for row in some]


def test_the_limits_of_the_official_algorithm():
    vote = counted([dark(["nothing", "high_pedestal"])] * 2, pedestal_sigma_threshold=3, high_cr_fraction=0.7)
    found = vote.results(np.ones((1, 2), bool))
    limits = {(row.test, row.quantity): row.value for result in found.values() for row in result.thresholds}
    # Pedestals are 100 +- 2 DN.
    assert limits["high_pedestal", "PEDESTAL_T0"] == 106 and limits["low_pedestal", "PEDESTAL_T0"] == 94
    assert limits["saturated", "NSAT"] == 20 and limits["many_jumps", "NJUMP"] == 10
    assert limits["rc_jumps", "JUMP_RATIO"] == 5
    assert limits["many_jumps", FRACTION] == 0.7 and limits["many_jumps", FEWEST] == 1
    pedestals = [row for row in found["rc"].thresholds if row.quantity == "PEDESTAL_T0"]
    assert [row.integration for row in pedestals] == [1, 1], "a row per integration of each exposure"


@pytest.mark.parametrize("regions", [WHOLE_ARRAY, (np.s_[:, :20], np.s_[:, 20:])])
def test_the_thresholds_reproduce_the_votes(regions):
    """Votes and means worked out from the table alone equal those of the searches, pixel by pixel."""
    beyond = extended(3, regions)
    files = [exposure(seed, {(3, 3): {"CDS_NOISE": 40.0, "SLOPE": 3.0, "PEDESTAL_T0": -90.0}}) for seed in range(3)]
    files[2]["SLOPE"].data[:, :, :60] *= 1.5  # weights that differ
    for number, file in enumerate(files):
        file[0].header["EXPOSURE"] = f"dark{number}"
        add(beyond, file)
    tests = {"noise": "cds_noise", "rate": "rate", "low_pedestal": "low_pedestal", "first": "first_inverse_rc"}
    means_of = {tests[name]: test.mean() for run in beyond.runs for name, test in run.tests.items() if name in tests}
    results = beyond.results()
    rows = [row for result in results.values() for row in result.thresholds]
    k = {test: np.zeros(SHAPE, int) for test in tests.values()}
    mean = {test: np.zeros(SHAPE) for test in tests.values()}
    for number, file in enumerate(files):
        planes = {name: file[name].data[0] for name in beyond.planes} | {"PEDESTAL": file["PEDESTAL_T0"].data[0]}
        integration = Integration(planes, GroupTimes(GROUP_TIME_S, GROUP_TIME_S, 1), beyond.sample)
        for measured in (measured for run in beyond.runs for measured in run.search.measured(integration)):
            test, values = tests.get(measured.measure), measured.values
            limits = {
                r.region: r for r in rows if r.test == test and r.exposure == f"dark{number}" and r.integration == 1
            }
            if not limits:
                continue
            own = regions if measured.measure == "noise" else WHOLE_ARRAY
            assert len(limits) == len(own)
            for amplifier, region in enumerate(own, 1):
                row = limits[amplifier if len(limits) > 1 else 0]
                height = (1 if row.side == ABOVE else -1) * (values[region] - row.centre)
                mean[test][region] += row.weight * (values[region] - row.centre) / 3
                least = np.broadcast_to(measured.min_deviation, SHAPE)[region]
                k[test][region] += (height > row.margin) & (height > least)
    counted_votes = {test: votes for result in results.values() for test, (votes, _) in result.votes.items()}
    for test, votes in k.items():
        assert np.array_equal(votes, counted_votes[test]), test
        assert votes[3, 3] == 3 or test == "first_inverse_rc"
    for test, image in mean.items():
        np.testing.assert_allclose(means_of[test], image, rtol=1e-4, atol=1e-4)
    means = [row for row in rows if row.test == "cds_noise" and row.quantity == MEAN_DEVIATION]
    assert [row.region for row in means] == ([0] if len(regions) == 1 else [1, 2])


def test_jumps_down_and_up_have_limits():
    beyond = extended(2)
    for seed in range(2):
        add(beyond, exposure(seed, {}))
    rows = [row for row in beyond.results()["high_cr"].thresholds if row.quantity in ("N_JUMP_DOWN", "N_JUMP_UP")]
    assert [row.value for row in rows] == [1.0, 1.0, 1.0], "no pixel jumps down, so a single jump down is significant"


def test_the_limits_of_the_flats(tmp_path):
    norm = np.random.default_rng(0).normal(1, 0.01, (30, 30))
    norm[4, 4], norm[8, 8] = 0.01, 0.3
    science = np.ones(norm.shape, bool)
    settings = FlatSettings.from_config(FLAT)
    results = flat_results(norm, np.full(norm.shape, 5), science, settings)
    path = tmp_path / "evidence.fits"
    write_evidence(path, results, {}, "NIS", Provenance())
    evidence = read_evidence(path)
    sigma, absolute = evidence.limits("DEAD")
    assert sigma.value == pytest.approx(sigma.centre - sigma.margin) and 0.9 < sigma.value < 0.97
    assert absolute.value == 0.05
    assert (results["DEAD"].found == ((norm < sigma.value) | (norm < absolute.value))).all()
    assert [(row.side, row.value) for row in evidence.limits("LOW_QE")] == [("below", 0.5), ("at least", 0.05)]
    assert evidence.limits("OPEN", quantity="RESPONSE of neighbours (all)")[0].value == 1.05
    assert evidence.tests == {name: [name] for name in ("DEAD", "LOW_QE", "OPEN", "ADJ_OPEN")}
    assert evidence.vote("DEAD") == (None, None, None), "the mean flat decides alone"

    votes = FlatVotes(science, science, settings)
    for name in ("flat1", "flat2"):
        votes.add(norm, name)
    limits = votes.results()["DEAD"].thresholds
    assert [row.exposure for row in limits if np.isfinite(row.margin)] == ["flat1", "flat2"]
    assert [row.value for row in limits if row.quantity == FRACTION] == [0.75]


def test_a_test_without_vote_counts_is_named(tmp_path):
    norm = np.ones((3, 3))
    results = flat_results(norm, np.full(norm.shape, 5), norm > 0, FlatSettings.from_config(FLAT))
    write_evidence(tmp_path / "evidence.fits", results, {}, "NIS", Provenance())
    evidence = read_evidence(tmp_path / "evidence.fits")
    assert (evidence.n_valid("DEAD") == 1).all(), "the combined flat is a single vote"
    with pytest.raises(ValueError, match=r"evidence\.fits has no vote counts of the test rate \(extension RATE_N\)"):
        evidence.n_valid("rate")
