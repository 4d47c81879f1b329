"""The dark and flat types equal, pixel for pixel, a plain in-memory evaluation written separately (tests/oracle)."""

import numpy as np
import pytest

from badpix.config.check import load_schema, load_steps, validated
from badpix.config.settings import ResponseSettings, with_max_dead_norm_signal
from badpix.formats.mask_file import read_mask
from badpix.formats.pixel_types import FLAT_TYPES
from badpix.formats.statistics_file import open_statistics
from badpix.formats.statistics_set import exposures_of, read_set
from badpix.response.normalise import mean_flat, normalise
from badpix.vote.classify import mean_last_groups
from badpix.vote.dark_official import OFFICIAL_TYPES, DarkVote
from badpix.vote.flat_types import flat_results
from badpix.vote.settings import DarkSettings, FlatSettings
from oracle.darks import dark_types
from oracle.flats import flat_types
from oracle.vote import combine
from unit.vote.adding import add
from workflow.planes import plane_of_types
from workflow.runner import PROJECT

pytestmark = pytest.mark.pipeline
REFERENCE_PIXEL = np.uint32(2**31)


def configuration(**changes):
    schemas = PROJECT / "config" / "schemas"
    schema, steps = load_schema(schemas / "config.schema.yaml"), load_steps(schemas / "detector1_steps.json")
    return validated({"darks": "d", **changes}, schema, steps)


@pytest.fixture(scope="session")
def exposures(results, simulated):
    """kind -> list of product -> path, of the shared run."""

    def of(kind, products):
        names = sorted(path.name.removesuffix("_rateints.fits") for path in (results / kind).glob("*_rateints.fits"))
        return [
            {product: results / kind / f"{name}_{product}.fits" for product in products}
            | {"uncal": simulated / kind / f"{name}_uncal.fits"}
            for name in names
        ]

    return {"darks": of("darks", ("rateints", "jump", "fitopt")), "flats": of("flats", ("rateints",))}


@pytest.fixture(scope="session")
def science(results):
    return (read_mask(results / "reference_pixel_mask.fits") & REFERENCE_PIXEL) == 0


def assert_same(results, expected):
    """Found and unclassified pixels agree for every type."""
    for name, result in results.items():
        assert np.array_equal(result.found, expected[name]), f"{name}: found"
        assert np.array_equal(result.insufficient, expected["insufficient"][name]), f"{name}: insufficient"


def test_the_official_defaults_as_run_by_the_workflow(exposures, results, science):
    config = configuration()
    types = dark_types(exposures["darks"], config) | flat_types(exposures["flats"], config)
    unclassified = dark_types(exposures["darks"], config)["insufficient"] | types.pop("insufficient")
    found = plane_of_types(results / "evidence.fits", "FOUND")
    insufficient = plane_of_types(results / "evidence.fits", "INSUFFICIENT")
    for name in (*OFFICIAL_TYPES, *FLAT_TYPES):
        assert found[name].any(), f"nothing to compare for {name}"
        assert np.array_equal(found[name], types[name]), name
        assert np.array_equal(insufficient[name], unclassified[name]), name
    del types["norm"]
    assert np.array_equal(read_mask(results / "test_bpm.fits"), combine(types, config, ~science))


DARK_SETTINGS = {
    "fitopt pedestal": {"pedestal_source": "fitopt"},
    "votes by integration": {"dark_vote_unit": "integration", "rc_fraction_threshold": 0.7, "high_cr_fraction": 0.3},
    "few jumps": {"max_jump_limit": 2, "jump_ratio_threshold": 1.5, "early_cutoff_fraction": 0.25},
    "a minority suffices": {"rc_fraction_threshold": 0.2, "low_pedestal_fraction": 0.2, "high_cr_fraction": 0.2},
    "loose thresholds": {"pedestal_sigma_threshold": 2, "dark_noisy_threshold": 2, "max_saturated_fraction": 0.1},
    "many votes needed": {"min_valid": 5, "min_clean_slopes": 10, "dark_max_clipping_iters": 1},
}


@pytest.mark.parametrize("changes", DARK_SETTINGS.values(), ids=DARK_SETTINGS)
def test_dark_types_under_other_settings(changes, exposures, results, science):
    config = configuration(**changes)
    vote = DarkVote(science.shape, DarkSettings.from_config(config))
    for path in sorted((results / "darks").glob("*_dark_statistics.fits")):
        with open_statistics(path) as statistics:
            add(vote, statistics)
    assert_same(vote.results(science), dark_types(exposures["darks"], config))


FLAT_SETTINGS = {
    "median": {"smoothing_type": "Median", "smoothing_box_width": 7},
    "mean": {"flat_mean_normalization_method": "mean", "dead_sigma_threshold": 3.0},
    "tight clipping": {"flat_mean_sigma_threshold": 1.5},
    "absolute search": {"dead_search_type": "absolute_rate", "max_dead_norm_signal": 0.15},
    "both searches": {"dead_search_type": ["sigma_rate", "absolute_rate"], "dead_sigma_threshold": 50.0},
    "flux check": {"run_dead_flux_check": True, "flux_check": 11000, "flats": "f"},
    "low QE up to 0.97": {"max_low_qe_norm_signal": 0.97, "max_open_adj_norm_signal": 1.001},
}


@pytest.mark.parametrize("changes", FLAT_SETTINGS.values(), ids=FLAT_SETTINGS)
def test_flat_types_under_other_settings(changes, exposures, results, science):
    config = configuration(**changes)
    config = with_max_dead_norm_signal(config, None)
    paths = sorted((results / "flats").glob("*_flat_statistics.fits"))
    mean, _, n_valid = mean_flat(paths, science, config["flat_mean_sigma_threshold"])
    norm = normalise(mean, science, ResponseSettings.from_config(config))
    last_groups = mean_last_groups(exposures_of(read_set(paths)[0]), science.shape)
    results = flat_results(norm, n_valid, science, FlatSettings.from_config(config), last_groups)
    expected = flat_types(exposures["flats"], config)
    # Sums in another order than those of astropy differ in the last digit; types may not.
    np.testing.assert_allclose(norm, expected["norm"], rtol=1e-12)
    assert_same(results, expected)


def test_the_settings_above_make_a_difference(exposures):
    """Otherwise the comparisons would all be of the same thing."""
    default = flat_types(exposures["flats"], configuration())
    for name, changes in FLAT_SETTINGS.items():
        other = flat_types(exposures["flats"], configuration(**changes))
        assert any((other[kind] != default[kind]).any() for kind in FLAT_TYPES), name
