"""A small CRDS cache with the reference files of the simulated detectors, for the pipeline without server and network.

Layout of CRDS: `config/jwst/` (server_config, subdirectory mode), `mappings/jwst/` (a .pmap, an .imap per instrument,
an .rmap per reference type) and `references/jwst/<instrument>/`. To use the cache, set CRDS_PATH to its path and
CRDS_SERVER_URL to an address that contains "serverless".
"""

import pprint
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits

from badpix.instrument.dq import PIXEL_FLAGS
from badpix.instrument.irs2 import interleave
from badpix.simulate.crds_rules import CONTEXT, USEAFTER, Files, matched_values, write_mappings
from badpix.simulate.detector import DetectorModel
from badpix.simulate.exposure import KINDS
from badpix.simulate.headers import N_AMPLIFIERS, Geometry, subarray_meta
from badpix.simulate.miri import RESET_GROUPS, RSCD_FLAGGED_FIRST, RSCD_FLAGGED_LATER, reset_anomaly
from badpix.simulate.ramps import PINK_NOISE_DN, REFERENCE_READ_DN, noise_map
from badpix.simulate.static_maps import NONLINEARITY_PER_DN
from badpix.simulate.uncal import setattr_path

if TYPE_CHECKING:
    from stdatamodels.jwst.datamodels import JwstDataModel  # 2 s to import: at run time only where it is needed

# Cycles per frame, below the frequency of the lines; 128 reference reads per line leave little noise.
IRS2_CUT_OFF = 700.0


def write_crds_cache(path: str | Path, detectors: Iterable[DetectorModel], n_groups: int) -> Path:
    """Write a cache to `path` with references of all `detectors` (any instruments); returns `path`.

    The references of other detectors in an existing cache stay. `n_groups` is the number of groups of the dark
    reference. Reference files have serial numbers per instrument and type.
    """
    path = Path(path)
    files = references_of(path / "references" / "jwst")
    for detector in detectors:
        geometry = detector.geometry
        folder = path / "references" / "jwst" / geometry.instrument.lower()
        folder.mkdir(parents=True, exist_ok=True)
        for reftype, model in reference_models(detector, n_groups):
            known = files.setdefault(geometry.instrument, {}).setdefault(reftype, {})
            values = matched_values(geometry.instrument, reftype, _keywords(geometry))
            prefix = f"jwst_{geometry.instrument.lower()}_{reftype}"
            name = known.setdefault(tuple(values.values()), f"{prefix}_{len(known) + 1:04d}.fits")
            with model:
                describe_reference(model, detector, reftype)
                model.save(str(folder / name))
            with fits.open(folder / name, mode="update") as hdus:  # models of tables do not write these keywords
                hdus[0].header.update(values)
    write_mappings(path / "mappings" / "jwst", files)
    write_server_config(path / "config" / "jwst")
    return path


def references_of(folder: Path) -> Files:
    """The reference files below `folder`, by instrument, type and values of the matching keywords."""
    files: Files = {}
    for path in sorted(folder.glob("*/*.fits")):
        header = fits.getheader(path)
        instrument, reftype = header["INSTRUME"], header["REFTYPE"].lower()
        known = files.setdefault(instrument, {}).setdefault(reftype, {})
        known[tuple(matched_values(instrument, reftype, header).values())] = path.name
    return files


def _keywords(geometry: Geometry) -> dict[str, str | int]:
    """The header keywords of an array by which CRDS may select; not those of an exposure, such as FILTER."""
    return {
        "DETECTOR": geometry.detector, "SUBARRAY": geometry.subarray, "READPATT": geometry.readpatt,
        "NOUTPUTS": geometry.noutputs, "SUBSTRT1": geometry.xstart, "SUBSTRT2": geometry.ystart,
        "SUBSIZE1": geometry.n_columns, "SUBSIZE2": geometry.n_rows,
    }  # fmt: skip


def reference_models(detector: DetectorModel, n_groups: int) -> Iterator[tuple[str, "JwstDataModel"]]:
    """Yields (reference type, open datamodel); only one of them is in memory."""
    from stdatamodels.jwst import datamodels

    shape = detector.bias_dn.shape
    good = np.zeros(shape, np.uint32)  # the default DQ of a linearity model has a wrong third axis
    if detector.geometry.instrument == "MIRI":
        yield from miri_models(detector)
    else:
        yield "superbias", superbias_model(detector)
    yield "saturation", datamodels.SaturationModel(data=detector.saturation_dn, dq=good)
    yield "gain", datamodels.GainModel(data=detector.gain_e_per_dn)
    yield "readnoise", datamodels.ReadnoiseModel(data=cds_noise(detector))
    yield "linearity", datamodels.LinearityModel(coeffs=linearity_coefficients(detector), dq=good)
    mask = datamodels.MaskModel(dq=as_raw(detector, mask_dq(detector), PIXEL_FLAGS["REFERENCE_PIXEL"]))
    mask.dq_def = dq_definition("DO_NOT_USE", "DEAD", "REFERENCE_PIXEL")
    yield "mask", mask
    yield "dark", dark_model(detector, n_groups)
    if detector.geometry.interleaved:
        yield "refpix", irs2_model()


def as_raw(detector: DetectorModel, image: np.ndarray, fill: float) -> np.ndarray:
    """An image (y, x) in the layout of raw files: with interleaved rows of value `fill` for IRS2."""
    geometry = detector.geometry
    return interleave(image, geometry.detector, fill) if geometry.interleaved else image


def superbias_model(detector: DetectorModel) -> "JwstDataModel":
    """Superbias, DN (raw y, x)."""
    from stdatamodels.jwst import datamodels

    bias_dn = as_raw(detector, detector.bias_dn + detector.superbias_error_dn, REFERENCE_READ_DN)
    return datamodels.SuperBiasModel(data=bias_dn, dq=np.zeros(bias_dn.shape, np.uint32))


def linearity_coefficients(detector: DetectorModel) -> np.ndarray:
    """Coefficients of the linearity reference, float32 (power, y, x), with the mean non-linearity for all pixels.

    MIRI ramps include the bias in the linearity step, so their polynomials are relative to the bias.
    """
    bias_dn = detector.bias_dn if detector.geometry.instrument == "MIRI" else np.zeros_like(detector.bias_dn)
    coefficients = np.empty((3, *bias_dn.shape), np.float32)
    coefficients[0] = NONLINEARITY_PER_DN * bias_dn**2
    coefficients[1] = 1 - 2 * NONLINEARITY_PER_DN * bias_dn
    coefficients[2] = NONLINEARITY_PER_DN
    return coefficients


def miri_models(detector: DetectorModel) -> Iterator[tuple[str, "JwstDataModel"]]:
    """Reference types of MIRI only: the reset anomaly, DN (integration, group, y, x), and the groups to skip."""
    from stdatamodels.jwst import datamodels

    geometry = detector.geometry
    anomaly_dn = np.empty((1, RESET_GROUPS, *geometry.shape), np.float32)
    anomaly_dn[:] = reset_anomaly(RESET_GROUPS)[:, None, None]
    reset = datamodels.ResetModel(data=anomaly_dn, dq=np.zeros(geometry.shape, np.uint32))
    reset.meta.exposure.nints, reset.meta.exposure.ngroups = anomaly_dn.shape[:2]
    yield "reset", reset
    rscd = datamodels.RSCDModel()
    row = geometry.subarray, geometry.readpatt, RSCD_FLAGGED_FIRST, RSCD_FLAGGED_LATER
    rscd.rscd_group_skip_table = np.array([row], dtype=rscd.get_dtype("rscd_group_skip_table"))
    yield "rscd", rscd


def irs2_model() -> "JwstDataModel":
    """The refpix reference of IRS2: per amplifier and frequency, the share of its reference reads to subtract.

    Here the share is 1 below a cut-off, and 0 for the reference output. The frequencies belong to a frame of 2048 lines
    of 712 steps. Complex numbers are stored as alternating real and imaginary parts.
    """
    from stdatamodels.jwst import datamodels

    steps = 712 * 2048
    frequency = np.abs(np.fft.fftfreq(steps, 1 / steps))  # cycles per frame
    share = np.zeros((steps, 2), np.float32)
    share[:, 0] = np.exp(-((frequency / IRS2_CUT_OFF) ** 2))
    model = datamodels.IRS2Model()
    table = np.zeros(2 * steps, dtype=model.get_dtype("irs2_table"))
    for amplifier in range(N_AMPLIFIERS):
        table[f"beta_{amplifier}"] = share.ravel()
    model.irs2_table = table
    rows = [(output, odd_even, 0) for output in range(1, N_AMPLIFIERS + 1) for odd_even in (1, 2)]
    model.dq_table = np.array(rows, dtype=model.get_dtype("dq_table"))  # all reference pixels are good
    return model


def cds_noise(detector: DetectorModel) -> np.ndarray:
    """Correlated double sampling noise in DN, float32 (y, x): two reads with 1/f noise, as in such references."""
    noise_dn = np.sqrt(2 * (noise_map(detector) ** 2 + PINK_NOISE_DN**2))
    return (noise_dn * (1 + detector.read_noise_error)).astype(np.float32)


def mask_dq(detector: DetectorModel) -> np.ndarray:
    """The mask in CRDS: uint32 (y, x). It has planted pixels of the two types crds_flagged_* only."""
    dq = np.where(detector.reference, PIXEL_FLAGS["REFERENCE_PIXEL"], 0).astype(np.uint32)
    healthy, dead = detector.planted_as("crds_flagged_healthy"), detector.planted_as("crds_flagged_dead")
    dq[healthy["y"], healthy["x"]] = PIXEL_FLAGS["DO_NOT_USE"]
    dq[dead["y"], dead["x"]] = PIXEL_FLAGS["DO_NOT_USE"] | PIXEL_FLAGS["DEAD"]
    return dq


def dark_model(detector: DetectorModel, n_groups: int) -> "JwstDataModel":
    """Dark reference, DN (group, y, x). It includes the hot pixels, so its subtraction would hide them."""
    from stdatamodels.jwst import datamodels

    rate = detector.dark_rate_dn_per_s * detector.geometry.frame_time_s
    hot = detector.select("hot")
    rate[hot["y"], hot["x"]] += detector.dn_per_frame(hot)
    dark = np.empty((n_groups, *rate.shape), np.float32)
    for group in range(n_groups):
        np.minimum(rate * (group + 1), detector.saturation_dn - detector.bias_dn, out=dark[group])
    if detector.geometry.instrument == "MIRI":  # by integration
        model = datamodels.DarkMIRIModel(data=dark[np.newaxis], dq=np.zeros((1, 1, *rate.shape), np.uint32))
    else:
        model = datamodels.DarkModel(data=dark, dq=np.zeros(rate.shape, np.uint32))
    for key, value in {"nframes": 1, "groupgap": 0, "ngroups": n_groups, "nints": 1}.items():
        setattr(model.meta.exposure, key, value)
    return model


def dq_definition(*names: str) -> list[tuple[int, int, str, str]]:
    """Rows (BIT, VALUE, NAME, DESCRIPTION) of a DQ_DEF table with the pipeline bits of the named flags."""
    values = sorted((PIXEL_FLAGS[name], name) for name in names)
    return [(value.bit_length() - 1, value, name, name.lower().replace("_", " ")) for value, name in values]


def describe_reference(model: "JwstDataModel", detector: DetectorModel, reftype: str) -> None:
    """Set the keywords that every CRDS reference has."""
    geometry = detector.geometry
    meta = {
        "telescope": "JWST",
        "reftype": reftype.upper(),
        "author": "jwst-badpix demo simulator",
        "description": f"Simulated {reftype} reference",
        "pedigree": "DUMMY",
        "useafter": USEAFTER,
        "exposure.readpatt": geometry.readpatt,
        "instrument.name": geometry.instrument,
        "instrument.detector": geometry.detector,
        **{f"subarray.{key}": value for key, value in subarray_meta(geometry).items()},
    }
    for key, value in meta.items():
        setattr_path(model.meta, key, value)
    model.add_history_entry("Made by scripts/simulate.py; it describes no real detector.")


def write_server_config(folder: Path) -> None:
    """Write the files that replace the CRDS server: its answer as a Python dict literal, and the folder layout."""
    folder.mkdir(parents=True, exist_ok=True)
    info = {
        "operational_context": CONTEXT,
        "edit_context": CONTEXT,
        "observatory": "jwst",
        "bad_files": "",
        "bad_files_list": [],
        "bad_files_set": [],
        "crds_version": {"str": "14.0.0"},
        "status": "cache",
        "last_synced": KINDS["dark"].epoch.isoformat(),
        "effective_mode": "local",
        "connected": False,
        "force_remote_mode": False,
    }
    (folder / "server_config").write_text(pprint.pformat(info) + "\n")
    (folder / "ref_cache_subdir_mode").write_text("instrument\n")
