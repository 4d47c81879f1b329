"""JWST names, geometry and keywords of a simulated exposure: data tables and pure functions without file access."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from badpix.simulate.exposure import KINDS, Exposure, Segment
from badpix.simulate.instruments import DETECTORS, FRAMES_OF_PATTERN, INSTRUMENTS, ZERO_FRAME, Frame, Subarray

UNLIT_WIDTH = 24  # columns, in arrays of 256 columns and more
FULL = "FULL"
N_AMPLIFIERS = 4  # of the full frame in the near infrared, and of all arrays of MIRI

# Clock cycles of 10 microseconds in a full IRS2 frame: 16 pixels, 4 reads of reference pixels and 2 steps for the
# change between them, 32 times per line; 8 at the end of each of 2048 lines; 714 at the end of the frame.
IRS2_FRAME_CLOCKS = ((16 + 4 + 2) * 32 + 8) * 2048 + 714


@dataclass(frozen=True)
class Geometry:
    """The part of a detector that is read, and its readout. Sizes in pixels, starts 1-based as in the headers."""

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
    readpatt: str

    @property
    def frames(self) -> tuple[int, int]:
        """Frames averaged to a group (NFRAMES), and frames dropped between groups (GROUPGAP)."""
        return FRAMES_OF_PATTERN.get(self.readpatt, (1, 0))

    @property
    def group_time_s(self) -> float:
        """TGROUP: the time between groups."""
        return sum(self.frames) * self.frame_time_s

    @property
    def has_zero_frame(self) -> bool:
        """Whether raw files have the first frame of each integration."""
        return self.instrument in ZERO_FRAME and self.frames[0] > 1

    def n_frames(self, n_groups: int) -> int:
        """Frames of an integration of `n_groups` groups, with the dropped frames."""
        averaged, dropped = self.frames
        return n_groups * (averaged + dropped) - dropped

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns), the shape of an image."""
        return self.n_rows, self.n_columns

    @property
    def relative_area(self) -> float:
        """Number of pixels in units of 256 x 256."""
        return self.n_rows * self.n_columns / 256**2

    @property
    def relative_side(self) -> float:
        """The shorter side in units of 256."""
        return min(self.shape) / 256

    @property
    def fast_along_x(self) -> bool:
        """Whether the fast axis of the readout is along x."""
        return abs(self.fastaxis) == 1

    @property
    def n_fast(self) -> int:
        """Number of pixels of a readout line."""
        return self.n_columns if self.fast_along_x else self.n_rows

    @property
    def n_slow(self) -> int:
        """Number of readout lines."""
        return self.n_rows if self.fast_along_x else self.n_columns

    @property
    def n_amplifiers(self) -> int:
        """Number of amplifiers that read pixels; NOUTPUTS also counts the reference output of IRS2."""
        return min(self.noutputs, N_AMPLIFIERS)

    @property
    def interleaved(self) -> bool:
        """Whether raw files have the interleaved reference pixels of IRS2."""
        return "IRS2" in self.readpatt


def make_geometry(
    instrument: str,
    size: int | None = None,
    detector: str | None = None,
    subarray: str | None = None,
    readpatt: str | None = None,
) -> Geometry:
    """The Geometry of an array and readout.

    Parameters
    ----------
    instrument : str
        Name of the instrument, in capitals.
    size : int, optional
        Side of a square array in pixels; selects the subarray for this size.
    detector : str, optional
        Name of the detector; default: the default detector of the instrument.
    subarray : str, optional
        Name of a subarray, or FULL.
    readpatt : str, optional
        Read pattern; default: the first of the instrument.

    Raises
    ------
    ValueError
        For an unknown detector, read pattern, size or subarray.
    """
    mode = INSTRUMENTS[instrument]
    detector = detector or mode.default_detector
    if detector not in DETECTORS or DETECTORS[detector][0] != instrument:
        known = sorted(name for name, row in DETECTORS.items() if row[0] == instrument)
        raise ValueError(f"detector {detector!r} is not a detector of {instrument}: {', '.join(known)}")
    readpatt = readpatt or mode.read_patterns[0]
    if readpatt not in mode.read_patterns:
        known = list(mode.read_patterns)
        raise ValueError(f"read pattern {readpatt!r} is not a pattern of {instrument}: {', '.join(known)}")
    part = choose_subarray(instrument, size, subarray)
    assert part.xstart is not None and part.ystart is not None  # set by choose_subarray
    if "IRS2" in readpatt and part.name != FULL:
        raise ValueError(f"{readpatt} reads the full frame only, not {part.name}")
    fastaxis, slowaxis = DETECTORS[detector][1:3]
    noutputs = N_AMPLIFIERS if part.name == FULL or instrument == "MIRI" else 1
    n_fast, n_slow = (part.n_columns, part.n_rows) if abs(fastaxis) == 1 else (part.n_rows, part.n_columns)
    if "IRS2" in readpatt:
        noutputs, frame_time_s = N_AMPLIFIERS + 1, round(IRS2_FRAME_CLOCKS * 1e-5, 5)
    elif part.name in mode.frame_times_s:
        frame_time_s = mode.frame_times_s[part.name]
    else:
        # 10 microseconds per pixel, 12 pixels of overhead per row, an extra row per frame: 10.7368 s for the full frame
        frame_time_s = round((n_fast // noutputs + 12) * (n_slow + 1) * 1e-5, 5)
    return Geometry(
        instrument, detector, part.name, part.n_columns, part.n_rows, part.xstart, part.ystart, fastaxis, slowaxis,
        noutputs, frame_time_s, readpatt,
    )  # fmt: skip


def choose_subarray(instrument: str, size: int | None, name: str | None) -> Subarray:
    """The subarray of the given name or size with its starts; without both the first of the instrument."""
    mode = INSTRUMENTS[instrument]
    frame = mode.frame
    known = [*mode.subarrays, Subarray(FULL, frame.n_columns, frame.n_rows, 1, 1)]
    if size is not None and name is not None:
        raise ValueError(f"give a size ({size}) or a subarray ({name}), not both")
    if name is not None:
        fitting = [part for part in known if part.name == name]
        if not fitting:
            names = ", ".join(part.name for part in known)
            raise ValueError(f"{instrument} has no subarray {name!r}; known are {names}")
    elif size is not None:
        by_size = {part.side: part for part in reversed(known)}  # the first of each size
        if size not in by_size:
            raise ValueError(f"{instrument} has no subarray of {size} x {size}; sizes known: {sorted(by_size)}")
        fitting = [by_size[size]]
    else:
        fitting = known
    part = fitting[0]
    if part.xstart is None:
        xstart, ystart = frame.n_columns - part.n_columns + 1, frame.n_rows - part.n_rows + 1
        part = Subarray(part.name, part.n_columns, part.n_rows, xstart, ystart)
    return part


def frame_of(geometry: Geometry) -> Frame:
    """The full frame of the detector."""
    return INSTRUMENTS[geometry.instrument].frame


def science_bounds(geometry: Geometry) -> tuple[int, int, int, int]:
    """First and last row, first and last column (0-based) of the light-sensitive part of the array."""
    frame = frame_of(geometry)
    left, right, bottom, top = frame.border
    first_y, first_x = max(0, bottom - geometry.ystart + 1), max(0, left - geometry.xstart + 1)
    end_y = min(geometry.n_rows, frame.n_rows - top - geometry.ystart + 1)
    end_x = min(geometry.n_columns, frame.n_columns - right - geometry.xstart + 1)
    return first_y, end_y - 1, first_x, end_x - 1


def output_of_lines(geometry: Geometry) -> np.ndarray:
    """Amplifier (from 0) of each pixel of a readout line: int (fast).

    In the near infrared each amplifier reads a strip; the four amplifiers of MIRI alternate from pixel to pixel.
    """
    position = np.arange(geometry.n_fast)
    if geometry.instrument == "MIRI":
        return position % geometry.n_amplifiers
    return position // (geometry.n_fast // geometry.n_amplifiers)


def unlit_columns(geometry: Geometry) -> tuple[int, int]:
    """First column (0-based) and end (exclusive) of the unlit strip of the survey."""
    first = science_bounds(geometry)[2]
    return first, first + (UNLIT_WIDTH if geometry.n_columns >= 256 else geometry.n_columns // 10)


def exposure_name(geometry: Geometry, exposure: Exposure, segment: Segment | None = None) -> str:
    """`jw<ppppp><ooo><vvv>_<gg><s><aa>_<eeeee>[-segNNN]_<detector>_uncal.fits`."""
    part = f"-seg{segment.number:03d}" if segment else ""
    kind = KINDS[exposure.kind]
    observation, number = f"jw{kind.program}001001", f"{exposure.index:05d}"
    return f"{observation}_{kind.activity}_{number}{part}_{geometry.detector.lower()}_uncal.fits"


def exposure_type(geometry: Geometry, exposure: Exposure) -> str:
    """EXP_TYPE of an exposure of this detector."""
    if exposure.sky is not None:
        return exposure.sky.exp_type
    mode = INSTRUMENTS[geometry.instrument]
    dark_type, flat_type = mode.detector_types.get(geometry.detector, (mode.dark_type, mode.flat_type))
    return dark_type if exposure.kind == "dark" else flat_type


def exposure_meta(geometry: Geometry, exposure: Exposure, segment: Segment | None = None, seed: int = 0) -> dict:
    """Datamodel paths below `meta` and their values for a raw file.

    The file has the complete exposure, or a `segment` of it. The pointing of an exposure of the sky depends on `seed`.
    """
    begin, n_groups = exposure.start_time, exposure.n_groups
    averaged, dropped = geometry.frames
    n_frames = geometry.n_frames(n_groups)
    integration_s = n_frames * geometry.frame_time_s
    # one reset frame per integration
    duration_s = exposure.n_integrations * (n_frames + 1) * geometry.frame_time_s
    end = begin + timedelta(seconds=duration_s)
    return {
        "telescope": "JWST",
        "origin": "SIMULATED",
        "date": end.strftime("%Y-%m-%dT%H:%M:%S.000"),
        "filename": exposure_name(geometry, exposure, segment),
        "bunit_data": "DN",
        **{f"observation.{key}": value for key, value in _observation(exposure, end).items()},
        "visit.type": "PRIME_UNTARGETED",
        "visit.internal_target": exposure.sky is None,
        **(exposure.sky.meta(exposure.index, seed) if exposure.sky else {}),
        **{f"instrument.{key}": value for key, value in instrument_meta(geometry).items()},
        "exposure.type": exposure_type(geometry, exposure),
        "exposure.start_time": modified_julian_date(begin),
        "exposure.mid_time": modified_julian_date(begin + (end - begin) / 2),
        "exposure.end_time": modified_julian_date(end),
        "exposure.readpatt": geometry.readpatt,
        "exposure.nints": exposure.n_integrations,
        "exposure.ngroups": n_groups,
        "exposure.nframes": averaged,
        "exposure.groupgap": dropped,
        "exposure.frame_divisor": averaged,
        "exposure.nresets_at_start": 1,
        "exposure.nresets_between_ints": 1,
        "exposure.nsamples": 1,
        "exposure.sample_time": 10.0,  # microseconds
        "exposure.frame_time": geometry.frame_time_s,
        "exposure.group_time": geometry.group_time_s,
        "exposure.integration_time": integration_s,
        "exposure.exposure_time": exposure.n_integrations * integration_s,
        "exposure.duration": duration_s,
        "exposure.zero_frame": geometry.has_zero_frame,
        "exposure.noutputs": geometry.noutputs,
        **readout_meta(geometry),
        **(segment_meta(segment) if segment else {}),
        **{f"subarray.{key}": value for key, value in subarray_meta(geometry).items()},
    }


def readout_meta(geometry: Geometry) -> dict:
    """Keys of the IRS2 readout: pixels between two sets of reference reads, and reads per set."""
    return {"exposure.nrs_normal": 16, "exposure.nrs_reference": 4} if geometry.interleaved else {}


def segment_meta(segment: Segment) -> dict:
    """Keys of a segment: EXSEGNUM, EXSEGTOT, INTSTART, INTEND."""
    return {
        "exposure.segment_number": segment.number,
        "exposure.segment_total": segment.total,
        "exposure.integration_start": segment.first_integration,
        "exposure.integration_end": segment.last_integration,
    }


def _observation(exposure: Exposure, end: datetime) -> dict:
    begin, kind = exposure.start_time, KINDS[exposure.kind]
    program, activity = kind.program, kind.activity
    return {
        "date": begin.strftime("%Y-%m-%d"),
        "time": begin.strftime("%H:%M:%S.000"),
        "date_beg": begin.strftime("%Y-%m-%dT%H:%M:%S.000"),
        "date_end": end.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3],
        "obs_id": f"V{program}001001P0000000{activity}",
        "visit_id": f"{program}001001",
        "program_number": program,
        "observation_number": "001",
        "visit_number": "001",
        "visit_group": activity[:2],
        "sequence_id": activity[2],
        "activity_id": activity[3:],
        "exposure_number": f"{exposure.index:05d}",
    }


def instrument_meta(geometry: Geometry) -> dict:
    """Keys below `meta.instrument`."""
    module, channel = DETECTORS[geometry.detector][3:]
    optional = {"module": module, "channel": channel, **INSTRUMENTS[geometry.instrument].optics}
    named = {"name": geometry.instrument, "detector": geometry.detector}
    return named | {key: value for key, value in optional.items() if value is not None}


def subarray_meta(geometry: Geometry) -> dict:
    """Keys below `meta.subarray`, for exposures and references."""
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
