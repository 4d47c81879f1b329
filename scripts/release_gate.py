"""Fail if a new mask differs from the previous mask by more than the configuration allows.

Reads the numbers of a comparison (JSON); writes the checked numbers with their limits (JSON).
"""

import json
from pathlib import Path

from badpix.changes.gate import check_release
from badpix.core.files import write_text
from badpix.core.logs import logger, logging_to


def main(summary, report, limits):
    """Compare the numbers of `summary` with `limits` (new and recovered -> largest fraction, None for no limit).

    Raises ReleaseRefused, with the numbers, if a limit is exceeded.
    """
    numbers = json.loads(Path(summary).read_text(encoding="utf-8"))
    checks = check_release(numbers, limits)
    logger.info("within the limits: %s", checks)
    write_text(report, json.dumps({"passed": True, "checks": checks, "notes": numbers["notes"]}, indent=2) + "\n")


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(snakemake.input.summary, snakemake.output.report, snakemake.params.limits)
