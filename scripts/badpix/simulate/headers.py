"""JWST names, geometry and keywords of a simulated exposure: data tables and pure functions, no file is touched."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isqrt

UNLIT_WIDTH = 24  # columns, for 256 x 256 and larger

# FASTAXIS, SLOWAXIS per detector (CRDS checks the same values), and the NIRCam module and channel
DETECTORS = {
    "NIS": ("NIRISS", -2, -1, None, None),
    "NRCA1": ("NIRCAM", -1, 2, "A", "SHORT"),
    "NRCA2": ("NIRCAM", 1, -2, "A", "SHORT"),
    "NRCA3": ("NIRCAM", -1, 2, "A", "SHORT"),
    "NRCA4": ("NIRCAM", 1, -2, "A", "SHORT"),
    "NRCALONG": ("NIRCAM", -1, 2, "A", "LONG"),
    "NRCB1": ("NIRCAM", 1, -2, "B", "SHORT"),
    "NRCB2": ("NIRCAM", -1, 2, "B", "SHORT"),
    "NRCB3": ("NIRCAM", 1, -2, "B", "SHORT"),
    "NRCB4": ("NIRCAM", -1, 2, "B", "SHORT"),
    "NRCBLONG": ("NIRCAM", 1, -2, "B", "LONG"),
    "NRS1": ("NIRSPEC", 2, 1, None, None),
    "NRS2": ("NIRSPEC", -2, -1, None, None),
    "MIRIMAGE": ("MIRI", 1, 2, None, None),
    "MIRIFULONG": ("MIRI", 1, 2, None, None),
    "MIRIFUSHORT": ("MIRI", 1, 2, None, None),
    "GUIDER1": ("FGS", -2, -1, None, None),
    "GUIDER2": ("FGS", 2, -1, None, None),
}


@dataclass(frozen=True)
class Array:
    """A part of a detector that can be read alone: its name, size in pixels and first pixel (1-based)."""

    name: str
    n_columns: int
    n_rows: int
    xstart: int
    ystart: int


def corner(name: str, size: int) -> Array:
    """A square in the upper right corner of a near-infrared detector."""
    return Array(name, size, size, 2048 - size + 1, 2048 - size + 1)


@dataclass(frozen=True)
class Frame:
    """The full frame: its size in pixels, and the widths of its border of reference pixels."""

    n_columns: int
    n_rows: int
    left: int
    right: int
    bottom: int
    top: int


HAWAII = Frame(2048, 2048, 4, 4, 4, 4)
SIAS = Frame(1032, 1024, 4, 4, 0, 0)


@dataclass(frozen=True)
class InstrumentMode:
    """What one instrument calls its darks, internal flats, one-frame read pattern and arrays.

    `arrays` maps the side length to ask for, in pixels, to the array. `exp_types` of a detector go before `dark_type`
    and `flat_type`. `interleaved`: the outputs read every fourth column each, not a strip. `superbias`: whether the
    pipeline takes a bias off.
    """

    default_detector: str
    dark_type: str
    flat_type: str
    readpatt: str
    optics: dict
    arrays: dict
    frame: Frame = HAWAII
    exp_types: dict = field(default_factory=dict)
    interleaved: bool = False
    superbias: bool = True


def squares(**names: int) -> dict:
    """The full frame and squares in the corner, by size."""
    return {2048: Array("FULL", 2048, 2048, 1, 1)} | {size: corner(name, size) for name, size in names.items()}


INSTRUMENTS = {
    "NIRISS": InstrumentMode(
        "NIS", "NIS_DARK", "NIS_LAMP", "NISRAPID", {"filter": "CLEAR", "pupil": "F150W"},
        squares(SUB64=64, SUB80=80, SUB128=128, SUB256=256),
    ),
    # NIRCam has no square subarray of 256: the grism one lends its name
    "NIRCAM": InstrumentMode(
        "NRCA1", "NRC_DARK", "NRC_LED", "RAPID", {"filter": "F200W", "pupil": "FLAT"},
        squares(SUB64P=64, SUB160=160, SUBGRISM256=256, SUB320=320, SUB400P=400, SUB640=640),
    ),
    # 256: as many pixels as 256 x 256, in a strip across the whole detector
    "NIRSPEC": InstrumentMode(
        "NRS1", "NRS_DARK", "NRS_LAMP", "NRSRAPID", {"filter": "OPAQUE", "grating": "MIRROR"},
        {2048: Array("FULL", 2048, 2048, 1, 1), 256: Array("SUB2048", 2048, 32, 1, 1024)},
    ),
    "MIRI": InstrumentMode(
        "MIRIMAGE", "MIR_DARKIMG", "MIR_FLATIMAGE", "FASTR1", {},
        {1024: Array("FULL", 1032, 1024, 1, 1), 256: Array("SUB256", 256, 256, 413, 51)},
        frame=SIAS, interleaved=True, superbias=False,
        exp_types=dict.fromkeys(["MIRIFULONG", "MIRIFUSHORT"], {"dark": "MIR_DARKMRS", "flat": "MIR_FLATMRS"}),
    ),
    "FGS": InstrumentMode("GUIDER1", "FGS_DARK", "FGS_INTFLAT", "FGSRAPID", {}, squares(**{"128X128": 128})),
}  # fmt: skip

# Program, visit group + sequence + activity: real observatory style, invented numbers. Darks come first in time.
KINDS = {
    "dark": {"program": "09001", "activity": "02101", "epoch": datetime(2024, 6, 1)},
    "flat": {"program": "09002", "activity": "03101", "epoch": datetime(2024, 7, 1)},
}
EXPOSURE_SPACING = timedelta(hours=1)


@dataclass(frozen=True)
class Geometry:
    """Which part of which detector is read, and how. Sizes in pixels, starts 1-based as in the headers."""

    instrument: str
    detector: str
    subarray: str
    n_columns: int
    n_rows: int
    xstart: int
    ystart: int
    fastaxis: int
    slowaxis: int
    noutputs: int
    frame_time_s: float

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns), the shape of an image."""
        return self.n_rows, self.n_columns

    @property
    def size(self) -> int:
        """Side of the square of as many pixels: what the numbers of planted pixels go by."""
        return isqrt(self.n_rows * self.n_columns)

    @property
    def n_fast(self) -> int:
        """Number of pixels along the axis that is read fast."""
        return self.n_columns if abs(self.fastaxis) == 1 else self.n_rows

    @property
    def n_slow(self) -> int:
        """Number of readout lines."""
        return self.n_rows if abs(self.fastaxis) == 1 else self.n_columns


def make_geometry(instrument: str, size: int, detector: str | None = None) -> Geometry:
    """The array that the instrument has for that size: the full frame for 2048 (MIRI: 1024), else a subarray."""
    mode = INSTRUMENTS[instrument]
    detector = detector or mode.default_detector
    if detector not in DETECTORS or DETECTORS[detector][0] != instrument:
        known = sorted(name for name, row in DETECTORS.items() if row[0] == instrument)
        raise ValueError(f"detector {detector!r} is not one of {instrument}: {', '.join(known)}")
    if size not in mode.arrays:
        raise ValueError(f"{instrument} has no array of {size} x {size}; sizes known: {sorted(mode.arrays)}")
    array = mode.arrays[size]
    fastaxis, slowaxis = DETECTORS[detector][1:3]
    noutputs = 4 if array.name == "FULL" else 1
    n_fast, n_slow = (array.n_columns, array.n_rows) if abs(fastaxis) == 1 else (array.n_rows, array.n_columns)
    # 10 microseconds per pixel, 12 of overhead per row and one row per frame: 10.7368 s for 2048 x 2048
    frame_time_s = round((n_fast // noutputs + 12) * (n_slow + 1) * 1e-5, 5)
    return Geometry(
        instrument, detector, array.name, array.n_columns, array.n_rows, array.xstart, array.ystart, fastaxis, slowaxis,
        noutputs, frame_time_s,
    )  # fmt: skip


def science_bounds(geometry: Geometry) -> tuple[int, int, int, int]:
    """First and last row, first and last column (0-based) of the light-sensitive part of what is read."""
    frame = INSTRUMENTS[geometry.instrument].frame
    bounds = []
    for start, length, low, high, full in (
        (geometry.ystart, geometry.n_rows, frame.bottom, frame.top, frame.n_rows),
        (geometry.xstart, geometry.n_columns, frame.left, frame.right, frame.n_columns),
    ):
        bounds.append(max(0, low - start + 1))
        bounds.append(min(length, full - high - start + 1) - 1)
    return tuple(bounds)


def unlit_columns(geometry: Geometry) -> tuple[int, int]:
    """First column (0-based) and end of the strip that the lamp of the survey does not reach."""
    first = science_bounds(geometry)[2]
    return first, first + (UNLIT_WIDTH if geometry.size >= 256 else geometry.size // 10)


def exposure_name(geometry: Geometry, kind: str, index: int) -> str:
    """Root name with suffix, `jw<ppppp><ooo><vvv>_<gg><s><aa>_<eeeee>_<detector>_uncal.fits`; index from 1."""
    return f"{_obs_id(kind)}_{KINDS[kind]['activity']}_{index:05d}_{geometry.detector.lower()}_uncal.fits"


def _obs_id(kind: str) -> str:
    return f"jw{KINDS[kind]['program']}001001"


def exposure_type(geometry: Geometry, kind: str) -> str:
    """EXP_TYPE of a "dark" or a "flat" with this instrument."""
    mode = INSTRUMENTS[geometry.instrument]
    usual = {"dark": mode.dark_type, "flat": mode.flat_type}
    return mode.exp_types.get(geometry.detector, usual)[kind]


def start_time(kind: str, index: int) -> datetime:
    """UTC start of the exposure of that index (from 1)."""
    return KINDS[kind]["epoch"] + index * EXPOSURE_SPACING


def exposure_meta(geometry: Geometry, kind: str, index: int, n_integrations: int, n_groups: int) -> dict:
    """Datamodel paths below `meta` and their values for one raw exposure. One frame per group, none dropped."""
    begin = start_time(kind, index)
    integration_s = n_groups * geometry.frame_time_s
    duration_s = n_integrations * (n_groups + 1) * geometry.frame_time_s  # one reset frame per integration
    end = begin + timedelta(seconds=duration_s)
    activity = KINDS[kind]["activity"]
    return {
        "telescope": "JWST",
        "origin": "SIMULATED",
        "date": end.strftime("%Y-%m-%dT%H:%M:%S.000"),
        "filename": exposure_name(geometry, kind, index),
        "bunit_data": "DN",
        **{f"observation.{key}": value for key, value in _observation(kind, index, activity, begin, end).items()},
        "visit.type": "PRIME_UNTARGETED",
        "visit.internal_target": True,
        **{f"instrument.{key}": value for key, value in instrument_meta(geometry).items()},
        "exposure.type": exposure_type(geometry, kind),
        "exposure.start_time": modified_julian_date(begin),
        "exposure.mid_time": modified_julian_date(begin + (end - begin) / 2),
        "exposure.end_time": modified_julian_date(end),
        "exposure.readpatt": INSTRUMENTS[geometry.instrument].readpatt,
        "exposure.nints": n_integrations,
        "exposure.ngroups": n_groups,
        "exposure.nframes": 1,
        "exposure.groupgap": 0,
        "exposure.frame_divisor": 1,
        "exposure.nresets_at_start": 1,
        "exposure.nresets_between_ints": 1,
        "exposure.nsamples": 1,
        "exposure.sample_time": 10.0,  # microseconds
        "exposure.frame_time": geometry.frame_time_s,
        "exposure.group_time": geometry.frame_time_s,
        "exposure.integration_time": integration_s,
        "exposure.exposure_time": n_integrations * integration_s,
        "exposure.duration": duration_s,
        "exposure.zero_frame": False,
        "exposure.noutputs": geometry.noutputs,
        **{f"subarray.{key}": value for key, value in subarray_meta(geometry).items()},
    }


def _observation(kind: str, index: int, activity: str, begin: datetime, end: datetime) -> dict:
    return {
        "date": begin.strftime("%Y-%m-%d"),
        "time": begin.strftime("%H:%M:%S.000"),
        "date_beg": begin.strftime("%Y-%m-%dT%H:%M:%S.000"),
        "date_end": end.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3],
        "obs_id": f"V{KINDS[kind]['program']}001001P0000000{activity}",
        "visit_id": f"{KINDS[kind]['program']}001001",
        "program_number": KINDS[kind]["program"],
        "observation_number": "001",
        "visit_number": "001",
        "visit_group": activity[:2],
        "sequence_id": activity[2],
        "activity_id": activity[3:],
        "exposure_number": f"{index:05d}",
    }


def instrument_meta(geometry: Geometry) -> dict:
    """Keys below `meta.instrument`."""
    module, channel = DETECTORS[geometry.detector][3:]
    optional = {"module": module, "channel": channel, **INSTRUMENTS[geometry.instrument].optics}
    named = {"name": geometry.instrument, "detector": geometry.detector}
    return named | {key: value for key, value in optional.items() if value is not None}


def subarray_meta(geometry: Geometry) -> dict:
    """Keys below `meta.subarray`, for exposures and references alike."""
    return {
        "name": geometry.subarray,
        "xstart": geometry.xstart,
        "ystart": geometry.ystart,
        "xsize": geometry.n_columns,
        "ysize": geometry.n_rows,
        "fastaxis": geometry.fastaxis,
        "slowaxis": geometry.slowaxis,
    }


def modified_julian_date(when: datetime) -> float:
    """MJD in days of a naive UTC time."""
    return (when - datetime(1858, 11, 17)).total_seconds() / 86400.0
