"""Write the index of all report pages: the results of each detector, with a link to its page.

Reads the overviews of scripts/report_page.py; writes one HTML file, which opens from disk.
"""

import datetime
import json
from pathlib import Path

from badpix import __version__
from badpix.core.files import write_text
from badpix.core.logs import logging_to
from badpix.report.templating import environment


def main(overviews, pages, refused, output):
    """Write the page at `output`.

    `overviews` lists the JSON files of the detectors, `pages` the addresses of their pages in the same order, `refused`
    maps detectors without a mask to the reason.
    """
    detectors = [json.loads(Path(path).read_text(encoding="utf-8")) for path in overviews]
    variables = {
        "detectors": sorted(
            (row | {"page": address} for row, address in zip(detectors, pages, strict=True)),
            key=lambda row: (row["instrument"], row["detector"], row["epoch"]),
        ),
        "types": list(dict.fromkeys(name for row in detectors for name in row["types"])),
        "compared": any(row["added"] is not None for row in detectors),
        "masks": {Path(page).parent.as_posix(): row["mask"] for row, page in zip(detectors, pages, strict=True)},
        "refused": refused,
        "version": __version__,
        "made": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }
    write_text(output, environment().get_template("index.html").render(variables))


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            list(snakemake.input.overview),
            snakemake.params.pages,
            snakemake.params.refused,
            snakemake.output.page,
        )
