"""The entry of a mask in the history, from the files of the mask."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits

from badpix.core.csv_table import read_csv
from badpix.formats.evidence_file import read_intermittent_flagged
from badpix.formats.mask_file import read_mask
from badpix.formats.mask_tables import read_rejected_exposures, read_summary
from badpix.history.comparable import digest_of
from badpix.history.entries import History, digest, entry_key, make_entry
from badpix.instrument.geometry import Geometry
from badpix.instrument.segments import by_exposure


def read_entry(
    mask: str | Path,
    summary: str | Path,
    rejected_table: str | Path,
    epoch: str,
    exposures: Mapping[str, Mapping[str, str]],
    evidence: str | Path | None = None,
    inputs: str | Path | None = None,
    configuration: str = "",
    preset: str = "",
) -> History:
    """The entry of a mask, a History.

    Parameters
    ----------
    mask, summary : path
        The mask file and its summary.csv.
    rejected_table : path
        Table of the rejected exposures; they do not count here.
    epoch : str
        Name of the epoch, or empty.
    exposures : Mapping
        kind (darks, flats) -> {name of exposure: start time}.
    evidence : path, optional
        The evidence file of the mask. Pixels with the flags of intermittent pixels count as good: otherwise their flags
        would be the reason to flag them again.
    inputs : path, optional
        inputs.csv of the mask, with the SHA-256 of the files of the exposures.
    configuration : str
        The settings of the mask, of `settings_text`.
    preset : str
        The name of the preset.
    """
    header = fits.getheader(mask)
    rejected = read_rejected_exposures(rejected_table)
    used = {
        kind: {name: at for name, at in of_kind.items() if name not in rejected} for kind, of_kind in exposures.items()
    }
    start_times = [at for of_kind in used.values() for at in of_kind.values()]
    names = [name for of_kind in used.values() for name in of_kind]
    geometry = Geometry.from_header(header)
    settings = digest_of(configuration)
    overview = {
        "entry": entry_key(header["DETECTOR"], epoch, names, settings),
        "detector": header["DETECTOR"],
        "epoch": epoch,
        "first_observation": min(start_times),
        "last_observation": max(start_times),
        "n_darks": len(by_exposure(used["darks"])),
        "n_flats": len(by_exposure(used["flats"])),
        "mask": Path(mask).name,
        "useafter": header["USEAFTER"],
        "mask_date": header["DATE"],
        "subarray": geometry.subarray,
        "x_start": geometry.x_start,
        "y_start": geometry.y_start,
        "n_columns": geometry.n_columns,
        "n_rows": geometry.n_rows,
        "settings": settings,
        "preset": preset,
        "configuration": configuration,
        "exposures": entry_key(header["DETECTOR"], "", names),
        "contents": contents_of(inputs) if inputs else "",
        # The run that adds it decides.
        "compared": False,
    }
    dq = read_mask(mask)
    if evidence is not None and (intermittent := read_intermittent_flagged(evidence)) is not None:
        dq = np.where(intermittent > 0, np.uint32(0), dq)
    return make_entry(overview, read_summary(summary), dq)


def contents_of(inputs: str | Path) -> str:
    """Digest of the names and contents of the exposures of a mask, from its inputs.csv."""
    columns = ("kind", "exposure", "product", "sha256")
    table: pd.DataFrame = read_csv(inputs, dict.fromkeys(columns, str))
    of_exposures = table.loc[table["exposure"] != "", list(columns)]
    return digest(sorted(" ".join(row) for row in of_exposures.itertuples(index=False, name=None)))
