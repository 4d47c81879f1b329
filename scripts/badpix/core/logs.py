"""Logging of every script: all output, warnings and tracebacks go to the log file of the rule."""

import logging
import os
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from badpix.core.startup import end_quickly

logger = logging.getLogger("badpix")

# The last entry of the log of a failed job is this word and the error.
FAILED = "FAILED: "
# In the first entry of each log, and in the last entry of the log of a job that succeeded.
START = ": start\n"
DONE = ": done in "
INTERRUPTED = "interrupted"


class _Formatter(logging.Formatter):
    converter = staticmethod(time.gmtime)


def peak_memory() -> str:
    """The peak resident memory of this process so far, as text ("unknown" where /proc does not give it).

    Not from getrusage, whose value may be the peak of the parent process before it loaded the program.
    """
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return f"{int(line.split()[1]) / 1024:.0f} MB"
    return "unknown"


def error_text(title: str, error: BaseException) -> str:
    """The error of the job `title` as a line: title, type and message."""
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else f"{title}: {type(error).__name__}: {error}"


def failure_in(log: str | Path) -> str | None:
    """The error in the log of a failed job (`logging_to`); None if the job succeeded, was killed, or has no log."""
    with suppress(OSError):
        _, found, message = Path(log).read_text(encoding="utf-8", errors="replace").rpartition(f"\n{FAILED}")
        return message.strip() if found else None
    return None


@contextmanager
def logging_to(path: str | Path, title: str) -> Iterator[logging.Logger]:
    """Redirect all output, log messages and warnings of the process to `path` while the block runs.

    The file descriptors themselves are redirected, so that output of C libraries and of child processes is included. An
    exception is written to the log with its traceback, then in one line (`failure_in`), and ends the process with exit
    status 1. The terminal stays free of it: the end of the run shows the errors of all jobs, each once.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    end_quickly()
    terminal = os.dup(2)
    saved_out = os.dup(1)
    with Path(path).open("w", encoding="utf-8", buffering=1) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Formatter("%(asctime)sZ %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S"))
        root = logging.getLogger()
        root.addHandler(handler)
        logger.setLevel(logging.INFO)
        logging.captureWarnings(True)
        warnings.simplefilter("default")
        # Hide deprecation warnings of dependencies: the user cannot act on them.
        for category in (DeprecationWarning, PendingDeprecationWarning):
            warnings.simplefilter("ignore", category)
        start = time.monotonic()
        logger.info("%s%s", title, START.rstrip())
        try:
            yield logger
            logger.info("%s%s%.1f s, peak memory %s", title, DONE, time.monotonic() - start, peak_memory())
        except BaseException as error:
            with suppress(OSError):
                traceback.print_exc()
                sys.stderr.flush()
            try:
                os.write(2, f"{FAILED}{error_text(title, error)}\n".encode())
            except OSError:
                # The log cannot be written, for example on a full disk: the terminal is the only place left.
                os.write(terminal, f"{error_text(title, error)}\n".encode())
            raise SystemExit(1) from None
        finally:
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError):
                    stream.flush()
            root.removeHandler(handler)
            logging.captureWarnings(False)
            os.dup2(saved_out, 1)
            os.dup2(terminal, 2)
            os.close(saved_out)
            os.close(terminal)
