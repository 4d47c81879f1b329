"""The gain of a detector, cut to the array of its exposures, from the GAIN reference file that CRDS selects."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from astropy.io import fits

from badpix.core.errors import ProductError
from badpix.formats.input_files import input_file
from badpix.formats.product_file import open_verified, write_product
from badpix.formats.provenance import CONTEXT, InputFile, Provenance
from badpix.instrument.geometry import Geometry, cut

# Keyword of the factor that the step gain_scale multiplies the rates by.
GAIN_FACTOR = "GAINFACT"


def read_reference(path: str | Path, part: Geometry, rates_are_scaled: bool) -> np.ndarray:
    """The gain of the rates (e-/DN) in a GAIN reference file, cut to the Geometry `part`: float32 (y, x).

    NaN where it is not positive. `rates_are_scaled`: the step gain_scale multiplied the rates by GAINFACT, by which the
    gain is divided here. ValueError if no pixel has a gain.
    """
    with fits.open(path) as hdus:
        header, gain = hdus[0].header, np.array(hdus["SCI"].data, np.float32)
    if gain.shape != part.shape:
        origin = {"x_start": header.get("SUBSTRT1", 1), "y_start": header.get("SUBSTRT2", 1)}
        gain = cut(gain, replace(part, n_rows=gain.shape[0], n_columns=gain.shape[1], **origin), part)
    with np.errstate(invalid="ignore"):
        gain = np.where(np.isfinite(gain) & (gain > 0), gain, np.float32(np.nan))
    if np.isnan(gain).all():
        raise ValueError(
            f"the gain reference file {Path(path).name} has no valid gain in the array of the exposures; set"
            " gain_e_per_dn to a number (e-/DN)"
        )
    factor = header.get(GAIN_FACTOR)
    return gain / np.float32(factor) if rates_are_scaled and factor else gain


def write_gain(
    path: str | Path, gain: np.ndarray, reference: str | Path, context: str, settings: Mapping[str, object]
) -> None:
    """Write the `gain` of `read_reference`; `reference` is the reference file and `context` the CRDS context."""
    file = input_file("gain", reference)
    primary = fits.PrimaryHDU()
    primary.header["GAINFILE"] = file.name
    primary.header["GAINSIZE"] = file.n_bytes
    primary.header["GAINSHA"] = file.digest
    primary.header["CRDS_CTX"] = context
    image = fits.ImageHDU(gain, name="GAIN")
    image.header["BUNIT"] = "electron/DN"
    write_product(path, [primary, image], Provenance(settings, (), {CONTEXT: context}))


@dataclass(frozen=True)
class Gain:
    """The gain of a detector: `image` (y, x), float32, in e-/DN; in words, for HISTORY; its reference file."""

    image: np.ndarray
    text: str
    reference: InputFile


def read_gain(path: str | Path, geometry: Geometry) -> Gain:
    """The Gain in a file of `write_gain`; pixels without a valid gain have the median."""
    with open_verified(path) as hdus:
        header, gain = hdus[0].header, np.array(hdus["GAIN"].data)
    if gain.shape != geometry.shape:
        raise ProductError(f"{path}: the gain has the shape {gain.shape}, the exposures have {geometry.shape}")
    median, missing = np.nanmedian(gain), np.isnan(gain)
    text = f"Gain: {header['GAINFILE']} ({header['CRDS_CTX']}), median {median:.4g} e-/DN"
    if missing.any():
        text += f"; {missing.sum()} pixels without a valid gain have the median"
    reference = InputFile(
        "gain", header["GAINFILE"], header["GAINSIZE"], (), header["GAINSHA"], crds_context=header["CRDS_CTX"]
    )
    return Gain(np.where(missing, np.float32(median), gain), text, reference)
