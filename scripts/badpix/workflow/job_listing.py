"""The jobs of a dry run in a line per rule and reason, in place of Snakemake's three lines per job."""

import logging

# The beginnings of messages that have a line per file, or what the list has.
LEFT_OUT = ("Would remove temporary output", "Reasons:")
# The beginnings of Snakemake's reasons of a job -> the reason in the list.
REASONS = {
    "Forced execution": "missing or made again",
    "Missing output files": "no product yet",
    "Incomplete output files": "incomplete product",
    "Updated input files": "new input",
    "Input files updated by another job": "input from another job",
    "Set of input files has changed": "other inputs",
    "Code has changed": "other code",
    "Params have changed": "other settings",
    "Software environment definition has changed": "other environment",
}


class JobListing(logging.Filter):
    """A filter of Snakemake's logger that keeps its announcements of jobs for a list.

    It drops them from the log, and what repeats them: a second table of the jobs, reasons by rule, temporary files.
    """

    def __init__(self) -> None:
        super().__init__()
        # (rule, reasons) -> messages of its jobs.
        self.jobs: dict[tuple[str, str], list[str]] = {}
        self._has_table = False

    def filter(self, record: logging.LogRecord) -> bool:
        """False for what is dropped from the log; the announcement of a job (event job_info) is kept."""
        event = str(getattr(record, "event", ""))
        if event == "run_info" and hasattr(record, "stats"):
            is_first, self._has_table = not self._has_table, True
            return is_first
        if event != "job_info":
            return not str(record.msg).lstrip().startswith(LEFT_OUT)
        reason = str(getattr(record, "reason", ""))
        reasons = ", ".join(text for start, text in REASONS.items() if start in reason) or reason
        message = getattr(record, "rule_msg", None) or ""
        self.jobs.setdefault((str(getattr(record, "rule_name", "")), reasons), []).append(message)
        return False

    def lines(self) -> list[str]:
        """The list: number of jobs, rule, reasons, the first message, the number of others. Empty without jobs."""
        if not self.jobs:
            return []
        rows = [
            (
                str(len(messages)),
                rule,
                reasons,
                min(messages) + (f" and {len(messages) - 1} more" if messages[1:] else ""),
            )
            for (rule, reasons), messages in self.jobs.items()
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        listed = [
            f"  {number:>{widths[0]}} {rule:<{widths[1]}}  {reasons:<{widths[2]}}  {message}".rstrip()
            for number, rule, reasons, message in rows
        ]
        return ["Jobs by rule and reason (each job in full: snakemake -n -p ...):", *listed]
