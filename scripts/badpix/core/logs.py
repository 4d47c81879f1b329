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


@contextmanager
def logging_to(path: str | Path, title: str) -> Iterator[logging.Logger]:
    """Redirect all output, log messages and warnings of the process to `path` while the block runs.

    The file descriptors themselves are redirected, so that output of C libraries and of child processes is included. An
    exception is written to the log with its traceback and to the real standard error in one line, and is raised again.
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
        logger.info("%s: start", title)
        try:
            yield logger
            logger.info("%s: done in %.1f s, peak memory %s", title, time.monotonic() - start, peak_memory())
        except BaseException as error:
            # On a full disk the log cannot be written; the line on the terminal still gives the reason.
            with suppress(OSError):
                traceback.print_exc()
            os.write(terminal, f"{title}: {type(error).__name__}: {error}\n  full log: {path}\n".encode())
            raise
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
