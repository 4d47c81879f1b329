"""Exposures that are no darks or flats under valid headers, and good exposures that differ: which are outliers.

    python benchmarks/odd_exposures.py --out odd_exposures --page docs/measured/odd_exposures.md

`kinds`: each kind of odd exposure is added to six good exposures of its kind; raw counts are changed, headers stay.
`good`: sets of good exposures of each instrument, with other levels and profiles of the lamp, temperatures, glow, rates
of cosmic rays (up to ten times), read patterns (NFRAMES) and numbers of groups. All exposures are simulated, and
processed with the unmodified calwebb_detector1. Existing statistics are kept.
"""

import argparse
import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import yaml
from odd_sets import (
    DARK_KINDS,
    FLAT_KINDS,
    GOOD_SETS,
    N_GOOD,
    PROJECT,
    configuration,
    detector_data,
    make_good,
    make_kinds,
    script,
)

from badpix.comparison.compare import compare
from badpix.config.settings import ResponseSettings, with_max_dead_norm_signal
from badpix.formats.comparison_file import reasons
from badpix.formats.response_file import Responses
from badpix.formats.statistics_set import exposures_of, read_set
from badpix.instrument.detectors import detector_from_mapping
from badpix.instrument.geometry import reference_pixels
from badpix.mask.make import MaskSettings, make_mask
from badpix.vote.exposure_set import VoteFiles
from badpix.vote.settings import VoteSettings

LIMIT = 5.0
GOOD = "a good exposure, for comparison"
KINDS = {"darks": DARK_KINDS, "flats": FLAT_KINDS}
PRESETS = {
    "official": {},
    "flight": yaml.safe_load((PROJECT / "config" / "presets" / "flight.yaml").read_text(encoding="utf-8")),
}


def compared(paths, kind, detector):
    """The rows of the comparison of statistics files of a kind, and the reason of each rejected file."""
    segments, rejected = read_set([str(path) for path in paths])
    science = ~reference_pixels(segments[0].geometry, detector_from_mapping(detector_data(detector)))
    return compare(exposures_of(segments), kind, science, LIMIT), rejected


def name_of(path):
    """The exposure of a statistics file."""
    return path.stem.removesuffix("_statistics")


def mask_of(folder, files, keys):
    """The DQ image of the mask of `files` (darks, flats -> paths), all of which vote; `keys` of the configuration."""
    fields = detector_data("NIS")
    config = with_max_dead_norm_signal(configuration(keys | {"reject_outliers": False}), None)
    settings = ResponseSettings.from_config(config)
    given = {kind: [str(path) for path in paths] for kind, paths in files.items()}
    single = []
    for path in files["flats"]:
        single.append(folder / f"{name_of(path)}_response.fits")
        if not single[-1].exists():
            script("exposure_response")([str(path)], single[-1], name_of(path), fields, settings)
    script("flat_response")(given["flats"], folder / "response.fits", fields, settings)
    responses = Responses(str(folder / "response.fits"), tuple(map(str, single)))
    votes = VoteFiles(given["darks"], given["flats"], responses)
    detector = detector_from_mapping(fields)
    return make_mask(votes, detector, VoteSettings.from_config(config), MaskSettings.from_config(config)).dq


def score_kinds(folder):
    """A row per kind of odd exposure: result, distance, measure, and pixels that it changes if it votes."""
    good = {kind: [folder / kind / f"good{n}_statistics.fits" for n in range(1, N_GOOD + 1)] for kind in KINDS}
    work = {name: folder / name for name in PRESETS}
    for path in work.values():
        path.mkdir(exist_ok=True)
    before = {name: mask_of(work[name], good, keys) for name, keys in PRESETS.items()}
    for kind, kinds in KINDS.items():
        names = {GOOD: f"good{N_GOOD + 1}"} | {title: f"odd{number:02d}" for number, title in enumerate(kinds, 1)}
        for title, name in names.items():
            odd = folder / kind / f"{name}_statistics.fits"
            rows, rejected = compared([*good[kind], odd], kind, "NIS")
            row = {"kind": kind, "exposure": title, "result": "rejected", "distance": "", "measure": ""}
            if rejected:
                yield row | {"measure": "; ".join(rejected.values())}
                continue
            worst = max((row for row in rows if row.exposure == name_of(odd)), key=lambda row: row.distance)
            outliers = set(reasons(rows))
            if outliers - {name_of(odd)}:
                raise AssertionError(f"{title}: good exposures are outliers: {outliers}")
            row["result"] = "rejected" if outliers else "accepted"
            row |= {"distance": f"{worst.distance:.1f}", "measure": worst.measure}
            files = good | {kind: [*good[kind], odd]}
            for preset, keys in PRESETS.items():
                row[preset] = int(np.count_nonzero(mask_of(work[preset], files, keys) != before[preset]))
            yield row


def score_good(out):
    """A row per set of good exposures: numbers of exposures and outliers, and the largest distance."""
    for number, (_, detector, size, _, integrations) in enumerate(GOOD_SETS):
        for kind in KINDS:
            paths = sorted((out / f"good{number}" / kind).glob("*_statistics.fits"))
            rows, rejected = compared(paths, kind, detector)
            worst = max(rows, key=lambda row: row.distance)
            yield {
                "detector": detector, "size": size, "integrations": integrations, "kind": kind, "exposures": len(paths),
                "rejected": len(rejected), "outliers": len(reasons(rows)), "largest distance": f"{worst.distance:.1f}",
                "measure": worst.measure,
            }  # fmt: skip


def columns_of(rows):
    """The columns of all rows."""
    return list(dict.fromkeys(key for row in rows for key in row))


def table(rows):
    """The rows as a table in Markdown."""
    columns = columns_of(rows)
    cells = [columns, ["---"] * len(columns), *([str(row.get(key, "")) for key in columns] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


PAGE = """# Exposures that are no darks or flats

This page has the results of the [comparison of the exposures](../howto/reliability.md#comparison-of-the-exposures)
for odd and for good exposures. All exposures are simulated, and processed with the unmodified calwebb_detector1.

```
python benchmarks/odd_exposures.py --page docs/measured/odd_exposures.md
```

## Odd exposures

NIRISS, 64 x 64 pixels, 15 groups. Each odd exposure is added to six good exposures of its kind: its raw counts are
those of a good exposure with a change, its header is unchanged. With `reject_outliers: true`, {rejected} of {kinds}
kinds are rejected and {accepted} are accepted. Columns `official` and `flight`: number of pixels of the mask that
change if the exposure votes. Kinds without these numbers are rejected before the comparison, with the reason in
column `measure`.

{kind_table}
## Good exposures

Sets of ten exposures with different levels (factor 10) and profiles of the lamp, temperatures (dark current x 0.5 to
3), glow (to 0.1 DN/s at an edge and in a corner), rates of cosmic rays (x 1 to 10), NFRAMES (1, 2 or 4) and numbers
of groups (8 to 24); dark current and glow per group as in a full frame. {outliers} of {total} good exposures are
outliers.

{good_table}"""


def write_page(path, kinds, good):
    """Write the page of the documentation."""
    odd = [row for row in kinds if row["exposure"] != GOOD]
    path.write_text(
        PAGE.format(
            rejected=sum(row["result"] == "rejected" for row in odd),
            accepted=sum(row["result"] == "accepted" for row in odd),
            kinds=len(odd),
            kind_table=table(kinds),
            outliers=sum(row["outliers"] for row in good),
            total=sum(row["exposures"] for row in good),
            good_table=table(good),
        ),
        encoding="utf-8",
    )


def main(out, page=None, only=None):
    """Make the missing exposures below the folder `out`, score them, and write the tables and the `page`."""
    out = Path(out).resolve()
    if only is not None:
        make_kinds(out / only) if only == "kinds" else make_good(out / only, int(only.removeprefix("good")))
        return
    for name in ["kinds", *(f"good{number}" for number in range(len(GOOD_SETS)))]:
        # CRDS keeps its cache in the process.
        subprocess.run([sys.executable, __file__, "--out", str(out), "--only", name], check=True)
    results = {"kinds": list(score_kinds(out / "kinds")), "good": list(score_good(out))}
    for name, rows in results.items():
        with (out / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns_of(rows))
            writer.writeheader()
            writer.writerows(rows)
        print(table(rows))
    if page:
        write_page(Path(page), results["kinds"], results["good"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="odd_exposures", help="folder to write (odd_exposures)")
    parser.add_argument("--page", help="page of the documentation to write")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    given = parser.parse_args()
    main(given.out, given.page, given.only)
