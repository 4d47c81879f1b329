"""The resources of jobs, compared with the measurements in the table of docs/howto/clusters.md."""

import re
from pathlib import Path

import pytest

from badpix.workflow.resources import RULES, Size, disk_mb, memory_mb, runtime_minutes

PROJECT = Path(__file__).resolve().parents[3]
TEXT = (PROJECT / "docs/howto/clusters.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\| (\w+) \| (\w+)-(\w+)-(\d+)-(\d+) \| (\d+) \| (\d+) \| [\d.]+ \| (\d*) \| (\d+) \| (\d+) \| (\d+) \|$", re.M
)
MIRI_PIXELS = 1032 * 1024
# Below this floor, most of the memory is taken by the libraries and Snakemake itself.
FLOOR_MB = 750


def rows():
    """(rule, size, peak MB, MB written or None, seconds) of each row of the table."""
    for rule, instrument, array, groups, integrations, peak, _, written, _, seconds, _ in ROW.findall(TEXT):
        pixels = MIRI_PIXELS if array == "FULL" else int(array) ** 2
        size = Size(pixels, int(groups), int(integrations), exposures=4, si_as=instrument == "MIRI")
        yield rule, size, int(peak), int(written) if written else None, int(seconds)


ROWS = list(rows())


# The last rule of a second run, on exposures with planted pixels.
NOT_MEASURED = {"injection_report"}


def test_every_rule_is_in_the_table_at_three_sizes():
    for rule in RULES.keys() - NOT_MEASURED:
        assert len({size for name, size, *_ in ROWS if name == rule}) >= 3, rule


@pytest.mark.parametrize(("rule", "size", "peak", "written", "seconds"), ROWS)
def test_a_job_gets_at_least_the_measured_peak(rule, size, peak, written, seconds):
    requested = memory_mb(rule, size)
    # MIRI darks needed 1.35 times as much in an earlier measurement.
    most = 1.75 if rule == "detector1_dark" and size.si_as else 1.5
    assert peak <= requested <= max(FLOOR_MB, most * peak)
    assert written is None or written <= disk_mb(rule, size)
    # The times were measured while other programs used most of the machine.
    assert 1.5 * seconds <= 60 * runtime_minutes(rule, size)


def test_every_rule_requests_its_own_resources():
    """Each rule of the workflow that runs a script requests memory, disk and time under its own name."""
    for path in (PROJECT / "rules").glob("*.smk"):
        for text in path.read_text(encoding="utf-8").split("\nrule ")[1:]:
            rule = text.split(":", 1)[0]
            if "    script:" in text and "localrule: True" not in text:
                for resource in ("mem_mb=memory", "disk_mb=disk", "runtime=runtime"):
                    assert f'{resource}("{rule}"' in text, f"{rule}: {resource}"


def test_more_groups_and_integrations_never_need_less():
    small, large = Size(2**16, 5, 1), Size(2**16, 50, 3)
    for rule in RULES:
        for needs in (memory_mb, disk_mb, runtime_minutes):
            assert needs(rule, small) <= needs(rule, large)


def test_the_comparison_requests_disk_for_the_values_of_each_exposure():
    """Three images of 65,536 sampled pixels in single precision, in a temporary file."""
    needed = [disk_mb("compare_exposures", Size(2048**2, 20, 1, exposures=number)) for number in (10, 1010)]
    assert needed[1] - needed[0] >= 1000 * 3 * 65536 * 4 / 1e6
