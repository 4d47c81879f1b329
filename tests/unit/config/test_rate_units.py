"""Limits of dark slopes in DN/s or e-/s: one unit for each limit, in the right order."""

import pytest

from badpix.config.check import ConfigError, load_schema, load_steps, validated
from badpix.config.settings import of_detector
from unit.config.test_check import CONFIG

SCHEMA = load_schema(CONFIG / "schemas" / "config.schema.yaml")
STEPS = load_steps(CONFIG / "schemas" / "detector1_steps.json")
HOT, WARM, COLD = (f"{kind}_rate_threshold_e_per_s" for kind in ("hot", "warm", "cold"))


def check(**config):
    return validated({"darks": "d"} | config, SCHEMA, STEPS)


def test_a_mapping_has_a_value_for_each_detector():
    config = check(**{HOT: {"NIS": 0.5}, WARM: {"NIS": 0.1}, "gain_e_per_dn": 1.6})
    assert of_detector(config, "NIS")[HOT] == 0.5 and of_detector(config, "NRCA1")[HOT] is None
    assert of_detector(config, "NRCA1")["gain_e_per_dn"] == 1.6
    check(**{HOT: 0.5, WARM: 0.1, COLD: 0.004, "warm_rate_threshold": None})
    check(**{WARM: 0.1, "hot_rate_threshold": 1.0})


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            {HOT: 0.5, "hot_rate_threshold": 1.0},
            f"{HOT}: 0.5 is not allowed with hot_rate_threshold 1.0, the same limit",
        ),
        ({HOT: 0.5, WARM: 0.1, "warm_rate_threshold": 0.3}, "set warm_rate_threshold to null"),
        ({COLD: 0.1, "cold_rate_threshold": 0.0}, "not allowed with cold_rate_threshold 0.0"),
        ({WARM: 0.1}, f"{WARM}: 0.1 is not allowed without a limit of hot pixels; set {HOT}"),
        ({HOT: 0.5, WARM: 0.5}, f"{WARM}: 0.5 is not allowed with {HOT} 0.5; it must be lower"),
        ({HOT: {"NIS": 0.5}, WARM: {"NRS1": 0.1}}, f"{WARM}: 0.1 for NRS1 is not allowed without a limit"),
        ({HOT: {"NIRISS": 0.5}}, f"{HOT}: "),
        ({HOT: 0}, "it must be null, or a number > 0, or a mapping of detectors"),
        ({"gain_e_per_dn": -1.6}, "gain_e_per_dn: -1.6 is not allowed"),
    ],
)
def test_unsound_limits(config, words):
    with pytest.raises(ConfigError) as caught:
        check(**config)
    assert words in str(caught.value)
