"""The list of a dry run: its length does not depend on the number of exposures."""

import logging

from badpix.workflow.job_listing import JobListing


def listed(*announcements, others=()):
    """The lines of the JobListing after jobs (rule, message, reason), and the messages that stay in the log."""
    kept = []
    handler = logging.Handler()
    handler.emit = lambda record: kept.append(record.getMessage())
    logger, listing = logging.getLogger("test_job_listing"), JobListing()
    logger.handlers, logger.filters, logger.propagate = [handler], [listing], False
    logger.setLevel(logging.INFO)
    for rule, message, reason in announcements:
        logger.info(message, extra={"event": "job_info", "rule_name": rule, "rule_msg": message, "reason": reason})
    for message, extra in others:
        logger.info(message, extra=extra)
    return listing.lines(), kept


def test_a_hundred_exposures_have_a_line_for_each_rule_and_reason():
    jobs = [("detector1_dark", f"NIS: dark {n:03}", f"Missing output files: a{n}.fits, b{n}.fits") for n in range(90)]
    jobs += [("detector1_dark", f"NIS: dark {n}", "Params have changed since last execution: x") for n in (91, 90)]
    lines, kept = listed(*jobs, ("all", None, "Updated input files: a; Input files updated by another job: b"))
    assert lines[1:] == [
        "  90 detector1_dark  no product yet                     NIS: dark 000 and 89 more",
        "   2 detector1_dark  other settings                     NIS: dark 90 and 1 more",
        "   1 all             new input, input from another job",
    ]
    assert kept == [] and "-n -p" in lines[0]


def test_other_messages_stay_and_the_table_of_jobs_appears_once():
    table = ("Job stats", {"event": "run_info", "stats": {"all": 1}})
    others = [
        table,
        table,
        ("Would remove temporary output a.fits", {}),
        ("Made again: a.fits", {}),
        ("\nReasons:\n", {}),
    ]
    assert listed(others=others) == ([], ["Job stats", "Made again: a.fits"])


def test_an_unknown_reason_is_shown_as_it_is():
    assert listed(("a", "b", "Because."))[0][1] == "  1 a  Because.  b"
