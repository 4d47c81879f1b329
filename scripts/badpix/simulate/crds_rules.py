"""The rules of a simulated CRDS cache: by which keywords each type of reference file is selected, and the mappings.

The keywords are those that the pipeline documents for each type ("Reference Selection Keywords"). MIRI's MASK has the
keywords of its specification in the package crds 14.0.3. Types that the pipeline selects without SUBARRAY have it here,
because simulated references have the size of the array.
"""

import pprint
from collections.abc import Mapping
from pathlib import Path

Header = dict[str, str | tuple | dict]
# Instrument -> type -> values of the matching keywords -> file name.
Files = dict[str, dict[str, dict[tuple[object, ...], str]]]

CONTEXT = "jwst_0001.pmap"
USEAFTER = "2022-01-01T00:00:00"
DATES = ("META.OBSERVATION.DATE", "META.OBSERVATION.TIME")
ANY = "N/A"

# Keyword -> name in CRDS.
NAMES = {
    "DETECTOR": "META.INSTRUMENT.DETECTOR", "FILTER": "META.INSTRUMENT.FILTER", "BAND": "META.INSTRUMENT.BAND",
    "SUBARRAY": "META.SUBARRAY.NAME", "READPATT": "META.EXPOSURE.READPATT", "EXP_TYPE": "META.EXPOSURE.TYPE",
    "NGROUPS": "META.EXPOSURE.NGROUPS", "NOUTPUTS": "META.EXPOSURE.NOUTPUTS", "SUBSTRT1": "META.SUBARRAY.XSTART",
    "SUBSTRT2": "META.SUBARRAY.YSTART", "SUBSIZE1": "META.SUBARRAY.XSIZE", "SUBSIZE2": "META.SUBARRAY.YSIZE",
}  # fmt: skip
_ARRAY = ("DETECTOR", "SUBARRAY")
_READOUT = ("DETECTOR", "READPATT", "SUBARRAY")
_PLACED = (*_READOUT, "SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2")
# Type -> keywords; further entries (instrument, type) replace them.
MATCHED: dict[str, tuple[str, ...]] = {
    "mask": _ARRAY, "saturation": _ARRAY, "gain": _ARRAY, "linearity": _ARRAY, "rscd": _ARRAY,
    "dark": _READOUT, "superbias": _READOUT, "readnoise": _READOUT, "reset": _READOUT,
    "refpix": ("DETECTOR", "READPATT"),
}  # fmt: skip
MATCHED_BY_INSTRUMENT: dict[tuple[str, str], tuple[str, ...]] = {
    ("FGS", "mask"): (*_ARRAY, "EXP_TYPE"),
    ("MIRI", "mask"): ("DETECTOR", "FILTER", "SUBARRAY", "READPATT", "NGROUPS"),
    ("NIRSPEC", "mask"): (*_ARRAY, "READPATT"),
    ("MIRI", "linearity"): (*_ARRAY, "BAND", "FILTER"),
    ("NIRCAM", "dark"): ("DETECTOR", "EXP_TYPE", "NOUTPUTS", "SUBARRAY"),
    ("NIRSPEC", "dark"): _PLACED,
    ("NIRSPEC", "superbias"): _PLACED,
}
# As in the specification of MIRI's MASK: files with SUBARRAY GENERIC are for all subarrays.
SUBSTITUTIONS = {"META.SUBARRAY.NAME": {"GENERIC": ANY}}

# Reference types and step parameters that Detector1 requests; the entry of this cache is "N/A".
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


def matched(instrument: str, reftype: str) -> tuple[str, ...]:
    """The keywords by which the references of a type are selected, beside the date; CRDS requires them in each file."""
    return MATCHED_BY_INSTRUMENT.get((instrument, reftype), MATCHED[reftype])


def matched_values(instrument: str, reftype: str, header: Mapping) -> dict[str, object]:
    """The values of the keywords of a type from `header`; keywords that it lacks match all exposures."""
    return {key: header.get(key, ANY) for key in matched(instrument, reftype)}


def write_mappings(folder: Path, files: Files) -> None:
    """Write the .pmap, .imap and .rmap files with valid checksums; `files` as made by write_crds_cache."""
    from crds.core import utils

    folder.mkdir(parents=True, exist_ok=True)
    date = USEAFTER.replace("T", " ")
    instruments = {}
    for instrument, types in files.items():
        selector = dict.fromkeys(NOT_AVAILABLE, "N/A")
        for reftype, names in types.items():
            selector[reftype] = f"jwst_{instrument.lower()}_{reftype}_0001.rmap"
            header: Header = {"instrument": instrument, "filekind": reftype, "mapping": "REFERENCE"}
            header["parkey"] = (tuple(NAMES[key] for key in matched(instrument, reftype)), DATES)
            header |= {"classes": ("Match", "UseAfter"), "reffile_required": "NONE", "substitutions": SUBSTITUTIONS}
            header |= {"suffix": reftype, "text_descr": reftype, "filetype": reftype.upper(), "file_ext": ".fits"}
            matches = {
                tuple(map(utils.condition_value, key)): f"UseAfter({{{date!r}: {name!r}}})"
                for key, name in sorted(names.items(), key=str)
            }
            body = "".join(f"    {key!r}: {value},\n" for key, value in matches.items())
            write_mapping(folder / selector[reftype], header, f"Match({{\n{body}}})")
        instruments[instrument] = f"jwst_{instrument.lower()}_0001.imap"
        header = {"instrument": instrument, "mapping": "INSTRUMENT", "parkey": ("REFTYPE",)}
        write_mapping(folder / instruments[instrument], header, pprint.pformat(selector))
    header = {"mapping": "PIPELINE", "parkey": ("META.INSTRUMENT.NAME",)}
    write_mapping(folder / CONTEXT, header, pprint.pformat(instruments))


def write_mapping(path: Path, header: Header, selector: str) -> None:
    """Write a mapping file; CRDS sets its checksum."""
    from crds.core import rmap

    header = {"observatory": "JWST", "name": path.name, "derived_from": "generated", "sha1sum": "", **header}
    path.write_text(f"header = {pprint.pformat(header)}\n\nselector = {selector}\n")
    rmap.Mapping.from_file(str(path), ignore_checksum=True).write()
