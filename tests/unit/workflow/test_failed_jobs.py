"""Failed jobs of a quiet run: the lines of Snakemake's own log, without the log."""

import logging

from snakemake_interface_logger_plugins.common import LogEvent

from badpix.core.logs import FAILED, START, error_text
from badpix.report.terminal import failure_lines
from badpix.workflow.failed_jobs import USER_REQUEST, FailedJobs


def kept(*records):
    """The lines that FailedJobs keeps of records (message, extra)."""
    logger, failed = logging.getLogger("test_failed_jobs"), FailedJobs()
    logger.handlers, logger.filters, logger.propagate = [logging.NullHandler()], [failed], False
    for message, extra in records:
        logger.error(message, extra=extra)
    return failed.lines


def test_the_error_of_a_failed_job_is_found_by_its_log(tmp_path):
    log = tmp_path / "a.log"
    log.write_text(
        f"detector1_dark{START}\n{FAILED}{error_text('detector1_dark', ValueError('wrong'))}\n", encoding="utf-8"
    )
    lines = kept((None, {"event": LogEvent.JOB_ERROR, "log": [str(log)]}), ("other", {}))
    assert lines == [f"    log: {log} (check log file(s) for error details)"]
    assert failure_lines("\n".join(lines)) == ["detector1_dark: ValueError: wrong", f"  log: {log}"]


def test_the_jobs_of_a_group_are_indented_and_jobs_without_a_log_left_out():
    jobs = [{"log": ["a.log", "b.log"]}, {"log": []}, {}]
    lines = kept(("Error in group", {"event": LogEvent.GROUP_ERROR, "job_error_info": jobs}))
    assert lines == ["        log: a.log, b.log (check log file(s) for error details)"]


def test_an_interruption_is_kept():
    assert kept(("Terminating processes on user request, this might take some time.", {})) == [USER_REQUEST]
