"""Fail if a mask lost more known bad pixels than the configuration allows; the files of the check stay.

Reads the numbers of the check (JSON); writes the verdict (JSON). The verdict on a refused mask stays among the logs.
"""

from badpix.core.logs import logger, logging_to
from badpix.pixels.known_gate import check_recall, problem, read_json, short_text, surviving_verdict, write_json


def main(numbers, mask, output, min_recall, on_failure):
    """Write the verdict on the file `mask`, whose check has these `numbers` (path), to `output`.

    Raises KnownPixelsLost if the recall is below `min_recall` and `on_failure` is `fail`.
    """
    found, surviving = read_json(numbers), surviving_verdict(output)
    surviving.unlink(missing_ok=True)
    if reason := problem(found, min_recall):
        write_json(surviving, {"passed": False, "on_failure": on_failure, "min_recall": min_recall, "reason": reason})
    verdict = check_recall(mask, found, min_recall, on_failure)
    surviving.unlink(missing_ok=True)
    if reason:
        logger.warning("%s: %s; known bad pixels of %s", mask, reason, short_text(found))
    write_json(output, verdict)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            snakemake.input.numbers,
            snakemake.input.mask,
            snakemake.output.verdict,
            snakemake.params.min_recall,
            snakemake.params.on_failure,
        )
