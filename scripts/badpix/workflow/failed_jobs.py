"""Failed jobs as Snakemake announces them, also where `--quiet all` or `--quiet rules` hides them from its log."""

import logging
from collections.abc import Mapping
from typing import Any

USER_REQUEST = "Terminating processes on user request"


class FailedJobs(logging.Filter):
    """A filter of Snakemake's logger that lets everything pass, and keeps what the summary of a run needs.

    `lines` are those of Snakemake's own log: the logs of failed jobs, and the interruption by the user.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        """True; the logs of a failed job (event job_error) or of the jobs of a group (group_error) are kept."""
        event = str(getattr(record, "event", ""))
        if event == "job_error":
            self._keep(vars(record), " " * 4)
        elif event == "group_error":
            for job in getattr(record, "job_error_info", ()):
                self._keep(job, " " * 8)
        elif str(record.msg).startswith(USER_REQUEST):
            self.lines.append(USER_REQUEST)
        return True

    def _keep(self, job: Mapping[str, Any], indent: str) -> None:
        if job.get("log"):
            self.lines.append(f"{indent}log: {', '.join(job['log'])} (check log file(s) for error details)")
