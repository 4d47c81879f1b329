"""Say how far a mask can be trusted: false flags to expect from noise, stability of each flag, pixels not settled.

Reads the statistics files, and the responses of the flats where they vote one by one. Writes a tidy CSV (section, kind,
type, quantity, value, note) and a FITS: image STABILITY, float32 (y, x), the share of the votes without one exposure in
which a pixel keeps its types (the least of them; NaN where none was found); image NEVER, uint32 (y, x), a bit per type
(table TYPES) at pixels that no further exposure of the kind will settle; table PIXELS, a row per pixel and type.
"""

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.table import Table

from badpix.control.expected import expected_dark, expected_flat
from badpix.control.leave_one_out import votes
from badpix.control.stability import FALSE, Jackknife, more_needed, settle_rows, stability_image, table_of
from badpix.core.files import atomic_path, write_text
from badpix.core.logs import logger, logging_to
from badpix.formats.evidence_file import bit_image
from badpix.instrument.detectors import detector_from_mapping
from badpix.mask.make import with_threshold_in_force
from badpix.vote.exposure_set import read_set, whole_exposures
from badpix.vote.outliers import read_outliers


def unsettled(kind, whole, n_exposures, config):
    """Rows about the pixels that could not be judged, and type -> boolean image of those that never will be."""
    rows, never = [], {}
    for name, verdict in whole.verdicts.items():
        if name == "noisy" and config["noisy_test"] == "slopes":
            have, need, what = whole.measured["NCLEAN"][0], config["min_clean_slopes"], "jump-free slopes"
        elif verdict.ballots:
            have = np.maximum.reduce([n_valid for _, n_valid in verdict.ballots.values()])
            need, what = max(1, config["min_valid"]), "valid ballots"
        else:
            continue
        y, x = np.nonzero(verdict.insufficient)
        if len(y):
            rows += settle_rows(kind, name, have[y, x], need, n_exposures, what)
            never[name] = np.zeros(verdict.found.shape, bool)
            never[name][y, x] = np.isinf(more_needed(have[y, x], need, n_exposures))
    return rows, never


def control_of(kind, statistics, responses, detector, config, response_settings, excluded):
    """Rows, pixels (as of Jackknife), type -> image of pixels never settled, and shape, of one kind; None without."""
    jackknife = whole = None
    for vote in votes(kind, statistics, responses, detector, config, response_settings, excluded):
        if vote.left_out is None:
            whole, jackknife = vote, Jackknife(vote)
        else:
            jackknife.add(vote)
            logger.info("voted without %s", vote.left_out)
    if whole is None:
        return None
    used, _ = read_set(statistics)
    exposures = {name: files for name, files in whole_exposures(used).items() if name not in excluded}
    expected = (expected_dark if kind == "darks" else expected_flat)(exposures, whole, config)
    rows = []
    for name, (value, note) in expected.items():
        found = int(whole.verdicts[name].found.sum())
        rows.append((FALSE, kind, name, "found", found, "pixels"))
        rows.append((FALSE, kind, name, "expected", value, note))
    more, never = unsettled(kind, whole, len(exposures), config)
    return rows + jackknife.rows(kind) + more, jackknife.pixels(kind), never, whole.science.shape


def main(statistics, responses, outputs, detector, config, response_settings, outliers=None):
    """Write `outputs` (table, stability -> path).

    `statistics` maps darks and flats to lists of paths, `responses` flat to the path of its response, where flats vote
    one by one; `detector` maps the fields of Detector, `config` the keys of the vote and `response_settings` those of
    the response. `outliers` is the table of leave_one_out, if those it names are to be left out.
    """
    detector = detector_from_mapping(detector)
    config = with_threshold_in_force(config, detector)
    excluded = read_outliers(outliers)
    rows, pixels, never, shape = [], [], {}, None
    for kind, paths in statistics.items():
        result = control_of(kind, paths, responses, detector, config, response_settings, excluded)
        if result:
            rows, never, shape = rows + result[0], never | result[2], result[3]
            pixels.append(result[1])
    table, pixels = table_of(rows), pd.concat(pixels, ignore_index=True)
    bits = {name: bit for bit, name in enumerate(pixels["type"].unique())}
    bits |= {name: len(bits) + number for number, name in enumerate(name for name in never if name not in bits)}
    image = bit_image(never, bits) if never else np.zeros(shape, np.uint32)
    hdus = [
        fits.PrimaryHDU(),
        fits.ImageHDU(stability_image(pixels, shape), name="STABILITY"),
        fits.ImageHDU(image, name="NEVER"),
        fits.BinTableHDU(Table({"BIT": list(bits.values()), "TYPE": list(bits)}), name="TYPES"),
        fits.BinTableHDU(Table.from_pandas(pixels), name="PIXELS"),
    ]
    hdus[0].header["DETECTOR"] = detector.name
    with atomic_path(outputs["stability"]) as temporary:
        fits.HDUList(hdus).writeto(temporary, overwrite=True)
    write_text(outputs["table"], table.to_csv(index=False))
    logger.info("control:\n%s", table.drop(columns="note").to_string(index=False))


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            {"darks": list(snakemake.input.darks), "flats": list(snakemake.input.flats)},
            dict(zip(snakemake.params.flats, snakemake.input.get("responses", []), strict=False)),
            dict(snakemake.output.items()),
            snakemake.params.detector,
            snakemake.params.config,
            snakemake.params.response_settings,
            next(iter(snakemake.input.outliers), None),
        )
