"""The warning of darks whose slopes raise the limit of the official search of noisy pixels."""

import re
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from badpix.config.check import load_schema, load_steps, validated
from badpix.vote.dark_official import PLANES_USED, DarkVote
from badpix.vote.settings import DarkSettings
from badpix.vote.slope_levels import SlopeLevels
from unit.vote.adding import add

CONFIG = Path(__file__).resolve().parents[3] / "config" / "schemas"
DEFAULTS = validated(
    {"darks": "d"}, load_schema(CONFIG / "config.schema.yaml"), load_steps(CONFIG / "detector1_steps.json")
)
SHAPE = (40, 50)
NOISE = 0.02


def dark(name, seed, change=0.0, n_integrations=1):
    """An open statistics file of healthy pixels: 0.1 DN/s with NOISE, plus `change` (image or number)."""
    rng = np.random.default_rng(seed)
    planes = {plane: np.zeros((n_integrations, *SHAPE), np.int16) for plane in PLANES_USED}
    planes["SLOPE"] = rng.normal(0.1, NOISE, (n_integrations, *SHAPE)).astype(np.float32) + np.float32(change)
    planes["NGOOD"] += 20
    planes["PEDESTAL_T0"] = np.zeros((n_integrations, *SHAPE), np.float32)
    primary = fits.PrimaryHDU()
    primary.header["EXPOSURE"] = name
    rows = [{"N_GROUPS": 20, "PEDESTAL_T0_MEAN": 0.0, "PEDESTAL_T0_STD": 1.0}] * n_integrations
    images = [fits.ImageHDU(image, name=plane) for plane, image in planes.items()]
    return fits.HDUList([primary, *images, fits.BinTableHDU(Table(rows=rows), name="INTEGRATIONS")])


def warnings(*changes, **options):
    vote = DarkVote(SHAPE, DarkSettings.from_config(DEFAULTS | {"min_clean_slopes": 2}))
    for number, change in enumerate(changes):
        add(vote, dark(f"d{number}", number, change, **options))
    return vote.warnings(np.ones(SHAPE, bool))


LEAK = np.broadcast_to(np.linspace(0, 30, SHAPE[1], dtype=np.float32), SHAPE)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 30])
@pytest.mark.parametrize("n_integrations", [1, 3])
def test_healthy_darks_have_no_warning(n, n_integrations):
    assert warnings(*[0.0] * n, n_integrations=n_integrations) == ()


def test_levels_that_differ_by_the_noise_have_no_warning():
    assert warnings(0, NOISE, -NOISE, 2 * NOISE, 0) == ()


@pytest.mark.parametrize("n", [3, 5, 8, 30])
@pytest.mark.parametrize("leak", [LEAK, 30.0, LEAK / 50, -0.6], ids=["gradient", "uniform", "weak", "negative"])
def test_a_light_leak_in_a_dark_is_named(n, leak):
    (warning,) = warnings(leak, *[0.0] * (n - 1))
    assert warning.startswith("noisy: ") and "Darks that deviate: d0 (typical slope" in warning
    assert "d1" not in warning
    assert float(re.search(r"by (\S+) DN/s between the pixels", warning)[1]) == pytest.approx(NOISE, rel=0.1)


def test_more_than_five_darks_are_counted():
    (warning,) = warnings(*[0.0] * 9, *[LEAK] * 7)
    assert warning.count("typical slope") == 5 and "and 2 more" in warning


def test_an_exposure_of_several_integrations_is_named_once():
    (warning,) = warnings(LEAK, 0.0, 0.0, n_integrations=3)
    assert warning.count("d0") == 1


def test_without_a_slope_there_is_no_warning():
    levels = SlopeLevels(SHAPE)
    levels.add(np.full(SHAPE, np.nan, np.float32), "d")
    assert levels.levels == [] and levels.warning(np.nan, np.nan, np.nan) is None
