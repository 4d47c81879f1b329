"""Fetch darks and flats from MAST into the folders of the keys `darks` and `flats`.

Reads the index mast_files.csv of each folder. Writes raw files (`*_uncal.fits`) and the index. The lines for the user
go to the terminal (standard error) and to the log of the rule. With `only_list`, nothing is fetched.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

from badpix.archive.fetch import fetch, listing
from badpix.archive.request import request_from
from badpix.core.logs import error_text, logger, logging_to
from badpix.instrument.detectors import load_detectors


def main(
    config: Mapping[str, Any], detectors: str, only_list: bool, say: Callable[[str], None], on_terminal: bool
) -> None:
    """Fetch, or list, what the validated `config` asks for; `detectors` is the folder config/detectors.

    `on_terminal` is True if `say` writes to a terminal, which has lines of progress too.
    """
    request = request_from(config, load_detectors(detectors))
    if only_list:
        listing(request, config, say)
    else:
        fetch(request, config, say, on_terminal=on_terminal)


if "snakemake" in globals():
    # The log receives all other output.
    with os.fdopen(os.dup(2), "w", encoding="utf-8", buffering=1) as terminal:

        def say(line: str) -> None:
            """Write a line to the terminal and to the log."""
            print(line, file=terminal)
            logger.info(line)

        with logging_to(snakemake.log[0], snakemake.rule):
            try:
                main(
                    snakemake.params.config,
                    snakemake.params.detectors,
                    snakemake.params.only_list,
                    say,
                    terminal.isatty(),
                )
            except BaseException as error:
                # Also where Snakemake itself is quiet, as in a cron job.
                print(f"{error_text(snakemake.rule, error)}\n  log: {snakemake.log[0]}", file=terminal)
                raise
