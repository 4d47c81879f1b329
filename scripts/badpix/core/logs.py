"""One way for every script to log: all output, warnings and tracebacks go to the rule's log file."""

import logging
import os
import sys
import time
import traceback
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path

from badpix.core.startup import end_quickly

logger = logging.getLogger("badpix")


class _Formatter(logging.Formatter):
    converter = time.gmtime


def peak_memory():
    """The largest resident memory that this process has had so far, in words ("unknown" where Linux does not say).

    That of the program alone: what getrusage says may be its parent's, from before the program was loaded.
    """
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return f"{int(line.split()[1]) / 1024:.0f} MB"
    return "unknown"


@contextmanager
def logging_to(path, title):
    """Send everything that the process prints, logs or warns to `path` for as long as the block runs.

    The file descriptors themselves are redirected, so output of C libraries and of child processes arrives too. An
    exception is written to the log with its traceback, said on the real standard error in one line, and raised again.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    end_quickly()
    terminal = os.dup(2)
    saved_out = os.dup(1)
    with open(path, "w", encoding="utf-8", buffering=1) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Formatter("%(asctime)sZ %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S"))
        root = logging.getLogger()
        root.addHandler(handler)
        logger.setLevel(logging.INFO)
        logging.captureWarnings(True)
        warnings.simplefilter("default")
        # What a package will change some day is nothing that the reader of a log can do something about.
        for category in (DeprecationWarning, PendingDeprecationWarning):
            warnings.simplefilter("ignore", category)
        start = time.monotonic()
        logger.info("%s: start", title)
        try:
            yield logger
            logger.info("%s: done in %.1f s, peak memory %s", title, time.monotonic() - start, peak_memory())
        except BaseException as error:
            # On a full disk the log cannot be written; the terminal still says why.
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
