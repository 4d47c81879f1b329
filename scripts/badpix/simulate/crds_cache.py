"""A small CRDS cache that serves the simulated detectors to the unmodified pipeline, with no server and no network.

Layout, as CRDS itself makes it: `config/jwst/` (server_config, subdirectory mode), `mappings/jwst/` (one .pmap, an
.imap per instrument, an .rmap per reference type) and `references/jwst/<instrument>/`. To use it, set CRDS_PATH to it
and CRDS_SERVER_URL to an address that contains "serverless".
"""

import pprint
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from badpix.dq import PIXEL_FLAGS
from badpix.simulate.detector import DetectorModel
from badpix.simulate.headers import INSTRUMENTS, KINDS, subarray_meta
from badpix.simulate.ramps import PINK_NOISE_DN, noise_map
from badpix.simulate.static_maps import NONLINEARITY_PER_DN
from badpix.simulate.uncal import setattr_path

CONTEXT = "jwst_0001.pmap"
RSCD_GROUPS = (1, 4)  # not used in the first and in later integrations
USEAFTER = "2022-01-01T00:00:00"

# Types and step parameters that Detector1 asks for and that this cache answers with "there is none"
REFERENCES_NOT_AVAILABLE = (
    "emicorr", "flat", "ipc", "pastasoss", "persat", "pictureframe", "refpix", "reset", "rscd", "sirskernel",
    "superbias", "trapdensity", "trappars",
)  # fmt: skip
STEPS = (
    "chargemigrationstep", "cleanflickernoisestep", "darkcurrentstep", "dqinitstep", "emicorrstep", "firstframestep",
    "gainscalestep", "groupscalestep", "ipcstep", "jumpstep", "lastframestep", "linearitystep", "persistencestep",
    "pictureframestep", "rampfitstep", "refpixstep", "resetstep", "rscdstep", "saturationstep", "superbiasstep",
    "detector1pipeline",
)  # fmt: skip

NOT_AVAILABLE = (*REFERENCES_NOT_AVAILABLE, *(f"pars-{step}" for step in STEPS))

# Reference types match on these, then on the observation date
PARKEY = (
    ("META.INSTRUMENT.DETECTOR", "META.SUBARRAY.NAME"),
    ("META.OBSERVATION.DATE", "META.OBSERVATION.TIME"),
)


def write_crds_cache(path: str | Path, detectors: Iterable[DetectorModel], n_groups: int) -> Path:
    """Write a new cache at `path` with references for all `detectors` (any mix of instruments); returns `path`.

    `n_groups` is the length of the dark reference. Reference files get serial numbers per instrument and type.
    """
    path = Path(path)
    files: dict[str, dict[str, dict[tuple[str, str], str]]] = {}  # instrument -> type -> (detector, subarray) -> file
    for detector in detectors:
        geometry = detector.geometry
        folder = path / "references" / "jwst" / geometry.instrument.lower()
        folder.mkdir(parents=True, exist_ok=True)
        for reftype, model in reference_models(detector, n_groups):
            known = files.setdefault(geometry.instrument, {}).setdefault(reftype, {})
            name = f"jwst_{geometry.instrument.lower()}_{reftype}_{len(known) + 1:04d}.fits"
            known[geometry.detector, geometry.subarray] = name
            with model:
                describe_reference(model, detector, reftype)
                model.save(str(folder / name))
    write_mappings(path / "mappings" / "jwst", files)
    write_server_config(path / "config" / "jwst")
    return path


def reference_models(detector: DetectorModel, n_groups: int) -> Iterator[tuple[str, object]]:
    """Reference type and open datamodel, one after another so that only one is in memory."""
    from stdatamodels.jwst import datamodels

    shape = detector.bias_dn.shape
    good = np.zeros(shape, np.uint32)  # without its DQ written a linearity model makes one up, with a third axis
    if INSTRUMENTS[detector.geometry.instrument].superbias:
        bias_dn = detector.bias_dn + detector.superbias_error_dn
        yield "superbias", datamodels.SuperBiasModel(data=bias_dn, dq=good)
    else:
        yield "reset", reset_model(detector)
        yield "rscd", rscd_model(detector)
    yield "saturation", datamodels.SaturationModel(data=detector.saturation_dn, dq=good)
    yield "gain", datamodels.GainModel(data=detector.gain_e_per_dn)
    yield "readnoise", datamodels.ReadnoiseModel(data=cds_noise(detector))
    coefficients = np.zeros((3, *shape), np.float32)
    coefficients[1], coefficients[2] = 1, NONLINEARITY_PER_DN  # the mean: pixels may differ
    yield "linearity", datamodels.LinearityModel(coeffs=coefficients, dq=good)
    mask = datamodels.MaskModel(dq=mask_dq(detector))
    mask.dq_def = dq_definition("DO_NOT_USE", "DEAD", "REFERENCE_PIXEL")
    yield "mask", mask
    yield "dark", dark_model(detector, n_groups)


def reset_model(detector: DetectorModel) -> object:
    """MIRI's reset anomaly, DN (integration, group, y, x): none, as none is simulated."""
    from stdatamodels.jwst import datamodels

    shape = detector.bias_dn.shape
    model = datamodels.ResetModel(data=np.zeros((1, 1, *shape), np.float32), dq=np.zeros(shape, np.uint32))
    model.meta.exposure.nints = model.meta.exposure.ngroups = 1
    return model


def rscd_model(detector: DetectorModel) -> object:
    """The groups at the start of MIRI's integrations that are not used: one, and in later integrations four."""
    from stdatamodels.jwst import datamodels

    model = datamodels.RSCDModel()
    row = (detector.geometry.subarray, INSTRUMENTS[detector.geometry.instrument].readpatt, *RSCD_GROUPS)
    model.rscd_group_skip_table = np.array([row], model.get_dtype("rscd_group_skip_table"))
    return model


def cds_noise(detector: DetectorModel) -> np.ndarray:
    """Correlated double sampling noise in DN, float32 (y, x), as such references hold it: two reads, 1/f included."""
    noise_dn = np.sqrt(2 * (noise_map(detector) ** 2 + PINK_NOISE_DN**2))
    return (noise_dn * (1 + detector.read_noise_error)).astype(np.float32)


def mask_dq(detector: DetectorModel) -> np.ndarray:
    """The mask in force: uint32 (y, x). It knows no planted pixel but those two kinds that test this very mask."""
    dq = np.where(detector.reference, PIXEL_FLAGS["REFERENCE_PIXEL"], 0).astype(np.uint32)
    healthy, dead = detector.planted_as("crds_flagged_healthy"), detector.planted_as("crds_flagged_dead")
    dq[healthy["y"], healthy["x"]] = PIXEL_FLAGS["DO_NOT_USE"]
    dq[dead["y"], dead["x"]] = PIXEL_FLAGS["DO_NOT_USE"] | PIXEL_FLAGS["DEAD"]
    return dq


def dark_model(detector: DetectorModel, n_groups: int) -> object:
    """Dark reference, DN (group, y, x): it knows the hot pixels, so subtracting it would hide them."""
    from stdatamodels.jwst import datamodels

    rate = detector.dark_rate_dn_per_s * detector.geometry.frame_time_s
    hot = detector.select("hot")
    rate[hot["y"], hot["x"]] += hot["strength"]
    dark = np.empty((n_groups, *rate.shape), np.float32)
    for group in range(n_groups):
        np.minimum(rate * (group + 1), detector.saturation_dn - detector.bias_dn, out=dark[group])
    model = datamodels.DarkModel(data=dark, dq=np.zeros(rate.shape, np.uint32))
    for key, value in {"nframes": 1, "groupgap": 0, "ngroups": n_groups}.items():
        setattr(model.meta.exposure, key, value)
    return model


def dq_definition(*names: str) -> list[tuple[int, int, str, str]]:
    """Rows (BIT, VALUE, NAME, DESCRIPTION) of a DQ_DEF table that gives the named flags their pipeline bits."""
    values = sorted((PIXEL_FLAGS[name], name) for name in names)
    return [(value.bit_length() - 1, value, name, name.lower().replace("_", " ")) for value, name in values]


def describe_reference(model: object, detector: DetectorModel, reftype: str) -> None:
    """Set the keywords every CRDS reference has."""
    geometry = detector.geometry
    meta = {
        "telescope": "JWST",
        "reftype": reftype.upper(),
        "author": "jwst-badpix demo simulator",
        "description": f"Simulated {reftype} reference",
        "pedigree": "DUMMY",
        "useafter": USEAFTER,
        "exposure.readpatt": INSTRUMENTS[geometry.instrument].readpatt,
        "instrument.name": geometry.instrument,
        "instrument.detector": geometry.detector,
        **{f"subarray.{key}": value for key, value in subarray_meta(geometry).items()},
    }
    for key, value in meta.items():
        # An RSCD reference says in its table, not in its header, which arrays and read patterns it is for.
        if reftype != "rscd" or not key.startswith(("exposure.", "subarray.")):
            setattr_path(model.meta, key, value)
    model.add_history_entry("Made by scripts/simulate.py; it describes no real detector.")


def write_mappings(folder: Path, files: dict[str, dict[str, dict[tuple[str, str], str]]]) -> None:
    """Write the .pmap, .imap and .rmap files with valid checksums; `files` as built by write_crds_cache."""
    folder.mkdir(parents=True, exist_ok=True)
    date = USEAFTER.replace("T", " ")
    instruments = {}
    for instrument, types in files.items():
        selector = dict.fromkeys(NOT_AVAILABLE, "N/A")
        for reftype, names in types.items():
            selector[reftype] = f"jwst_{instrument.lower()}_{reftype}_0001.rmap"
            header = {"instrument": instrument, "filekind": reftype, "mapping": "REFERENCE", "parkey": PARKEY}
            header |= {"classes": ("Match", "UseAfter"), "reffile_required": "NONE"}
            header |= {"suffix": reftype, "text_descr": reftype, "filetype": reftype.upper(), "file_ext": ".fits"}
            matches = {key: f"UseAfter({{{date!r}: {name!r}}})" for key, name in sorted(names.items())}
            body = "".join(f"    {key!r}: {value},\n" for key, value in matches.items())
            write_mapping(folder / selector[reftype], header, f"Match({{\n{body}}})")
        instruments[instrument] = f"jwst_{instrument.lower()}_0001.imap"
        header = {"instrument": instrument, "mapping": "INSTRUMENT", "parkey": ("REFTYPE",)}
        write_mapping(folder / instruments[instrument], header, pprint.pformat(selector))
    header = {"mapping": "PIPELINE", "parkey": ("META.INSTRUMENT.NAME",)}
    write_mapping(folder / CONTEXT, header, pprint.pformat(instruments))


def write_mapping(path: Path, header: dict, selector: str) -> None:
    """Write one mapping file and let CRDS put its own checksum in."""
    from crds.core import rmap

    header = {"observatory": "JWST", "name": path.name, "derived_from": "generated", "sha1sum": "", **header}
    path.write_text(f"header = {pprint.pformat(header)}\n\nselector = {selector}\n")
    rmap.Mapping.from_file(str(path), ignore_checksum=True).write()


def write_server_config(folder: Path) -> None:
    """Write what CRDS reads in place of a server's answer: a Python dict literal, and how references are laid out."""
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
        "last_synced": KINDS["dark"]["epoch"].isoformat(),
        "effective_mode": "local",
        "connected": False,
        "force_remote_mode": False,
    }
    (folder / "server_config").write_text(pprint.pformat(info) + "\n")
    (folder / "ref_cache_subdir_mode").write_text("instrument\n")
