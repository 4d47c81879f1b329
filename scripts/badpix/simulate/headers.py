"""JWST names, geometry and keywords of a simulated exposure: data tables and pure functions, no file is touched."""

from dataclasses import dataclass
from datetime import datetime, timedelta

FULL_SIZE = 2048
REFERENCE_BORDER = 4  # reference pixels on each side of every near-infrared detector
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
    "GUIDER1": ("FGS", -2, -1, None, None),
    "GUIDER2": ("FGS", 2, -1, None, None),
}


@dataclass(frozen=True)
class InstrumentMode:
    """What one instrument calls its darks, internal flats, one-frame read pattern and square subarrays."""

    default_detector: str
    dark_type: str
    flat_type: str
    readpatt: str
    optics: dict
    subarrays: dict  # size in pixels -> subarray name


INSTRUMENTS = {
    "NIRISS": InstrumentMode(
        "NIS", "NIS_DARK", "NIS_LAMP", "NISRAPID", {"filter": "CLEAR", "pupil": "F150W"},
        {64: "SUB64", 80: "SUB80", 128: "SUB128", 256: "SUB256"},
    ),
    # NIRCam has no square subarray of 256: the grism one lends its name
    "NIRCAM": InstrumentMode(
        "NRCA1", "NRC_DARK", "NRC_LED", "RAPID", {"filter": "F200W", "pupil": "FLAT"},
        {64: "SUB64P", 160: "SUB160", 256: "SUBGRISM256", 320: "SUB320", 400: "SUB400P", 640: "SUB640"},
    ),
    "NIRSPEC": InstrumentMode(
        "NRS1", "NRS_DARK", "NRS_LAMP", "NRSRAPID", {"filter": "OPAQUE", "grating": "MIRROR"}, {},
    ),
    "FGS": InstrumentMode("GUIDER1", "FGS_DARK", "FGS_INTFLAT", "FGSRAPID", {}, {128: "128X128"}),
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
    size: int
    xstart: int
    ystart: int
    fastaxis: int
    slowaxis: int
    noutputs: int
    frame_time_s: float


def make_geometry(instrument: str, size: int, detector: str | None = None) -> Geometry:
    """The full frame for 2048, else the square subarray of that size in the upper right corner of the detector."""
    mode = INSTRUMENTS[instrument]
    detector = detector or mode.default_detector
    if detector not in DETECTORS or DETECTORS[detector][0] != instrument:
        known = sorted(name for name, row in DETECTORS.items() if row[0] == instrument)
        raise ValueError(f"detector {detector!r} is not one of {instrument}: {', '.join(known)}")
    sizes = {**mode.subarrays, FULL_SIZE: "FULL"}
    if size not in sizes:
        raise ValueError(f"{instrument} has no subarray of {size} x {size}; sizes known: {sorted(sizes)}")
    fastaxis, slowaxis = DETECTORS[detector][1:3]
    noutputs = 4 if size == FULL_SIZE else 1
    # 10 microseconds per pixel, 12 of overhead per row and one row per frame: 10.7368 s for the full frame
    frame_time_s = round((size // noutputs + 12) * (size + 1) * 1e-5, 5)
    start = FULL_SIZE - size + 1
    return Geometry(
        instrument, detector, sizes[size], size, start, start, fastaxis, slowaxis, noutputs, frame_time_s
    )  # fmt: skip


def science_bounds(geometry: Geometry) -> tuple[int, int, int, int]:
    """First and last row, first and last column (0-based) of the light-sensitive part of what is read."""
    bounds = []
    for start in (geometry.ystart, geometry.xstart):
        bounds.append(max(0, REFERENCE_BORDER - start + 1))
        bounds.append(min(geometry.size, FULL_SIZE - REFERENCE_BORDER - start + 1) - 1)
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
    return mode.dark_type if kind == "dark" else mode.flat_type


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
        "xsize": geometry.size,
        "ysize": geometry.size,
        "fastaxis": geometry.fastaxis,
        "slowaxis": geometry.slowaxis,
    }


def modified_julian_date(when: datetime) -> float:
    """MJD in days of a naive UTC time."""
    return (when - datetime(1858, 11, 17)).total_seconds() / 86400.0
