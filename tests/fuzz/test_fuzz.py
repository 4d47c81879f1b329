"""Damaged input has one of three ends: a clean refusal, a rejected exposure, or the right result.

The time is fixed: FUZZ_SECONDS (30 by default) for all targets together, from the seed FUZZ_SEED. A failure prints the
smallest input found, and a line to repeat it.
"""

import os
import time

import pytest
from hypothesis import HealthCheck, given, seed, settings

from fuzz.guards import limits, no_hang
from fuzz.targets import TARGETS

SECONDS = float(os.environ.get("FUZZ_SECONDS", "30"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
EXAMPLES = 20  # of a seed; the time is looked at between seeds
SETTINGS = settings(
    max_examples=EXAMPLES, deadline=None, database=None, print_blob=True, suppress_health_check=list(HealthCheck)
)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.__name__)
def test_damaged_input_is_refused_rejected_or_harmless(target, tmp_path, record_property):
    strategy, check = target(tmp_path)
    refusals = TARGETS[target]
    counts = {"inputs": 0, "refused": 0}

    def run(drawn):
        counts["inputs"] += 1
        with limits(), no_hang():
            try:
                check(drawn)
            except refusals as refusal:
                counts["refused"] += 1
                assert str(refusal).strip(), "a refusal has a message"

    end = time.monotonic() + SECONDS / len(TARGETS)
    number = SEED
    try:
        while number == SEED or time.monotonic() < end:
            seed(number)(SETTINGS(given(strategy)(run)))()
            number += 1
    finally:
        text = "{inputs} inputs, {refused} refused".format(**counts)
        record_property("fuzz", f"{target.__name__}: {text}, seeds {SEED} to {number}")
