"""The instruments of the simulator: detectors, exposure types, arrays, read patterns. Data tables only.

These tables are independent of config/detectors on purpose: the simulator is a test of the workflow.
"""

from dataclasses import dataclass, field
from math import isqrt


@dataclass(frozen=True)
class Subarray:
    """A subarray; sizes in pixels, starts 1-based as in the headers.

    Without starts it is in the upper right corner of the detector, so that it has reference pixels.
    """

    name: str
    n_columns: int
    n_rows: int
    xstart: int | None = None
    ystart: int | None = None

    @property
    def side(self) -> int:
        """Side of the corresponding square: without reference columns for MIRI, of equal area for a strip."""
        if max(self.n_columns, self.n_rows) < 2 * min(self.n_columns, self.n_rows):
            return min(self.n_columns, self.n_rows)
        return isqrt(self.n_columns * self.n_rows)


@dataclass(frozen=True)
class Frame:
    """The full frame: its size and the widths of its border of reference pixels (left, right, bottom, top)."""

    n_columns: int
    n_rows: int
    border: tuple[int, int, int, int]


NEAR_INFRARED = Frame(2048, 2048, (4, 4, 4, 4))
MID_INFRARED = Frame(1032, 1024, (4, 4, 0, 0))  # no reference rows


def corner(name: str, size: int) -> Subarray:
    """A square subarray in the upper right corner."""
    return Subarray(name, size, size)


@dataclass(frozen=True)
class InstrumentMode:
    """Names of the darks, internal flats, read patterns and subarrays of an instrument.

    The first of `read_patterns` and of `subarrays` is the default. `gain_e_per_dn` is the mean over the detector;
    `frame_times_s` maps a subarray to its frame time if there is no formula.
    """

    default_detector: str
    dark_type: str
    flat_type: str
    read_patterns: tuple[str, ...]
    optics: dict
    subarrays: tuple[Subarray, ...]
    frame: Frame = NEAR_INFRARED
    gain_e_per_dn: float = 1.6
    frame_times_s: dict = field(default_factory=dict)
    detector_types: dict = field(default_factory=dict)  # detector -> (dark type, flat type) where they differ


# Frames averaged to a group, and frames dropped between groups (JDox, pages of the detector readout). A pattern that is
# not listed has groups of one frame, without a gap.
FRAMES_OF_PATTERN = {
    "BRIGHT1": (1, 1), "BRIGHT2": (2, 0), "SHALLOW2": (2, 3), "SHALLOW4": (4, 1), "MEDIUM2": (2, 8),
    "MEDIUM8": (8, 2), "DEEP2": (2, 18), "DEEP8": (8, 12), "NIS": (4, 0), "NRS": (4, 0), "NRSIRS2": (5, 0),
}  # fmt: skip
# Instruments whose files have the first frame of each integration (extension ZEROFRAME) where groups are means of
# several frames, and the signal of the reference output (extension REFOUT).
ZERO_FRAME, REFERENCE_OUTPUT = ("NIRCAM",), ("MIRI",)

INSTRUMENTS = {
    "NIRISS": InstrumentMode(
        "NIS", "NIS_DARK", "NIS_LAMP", ("NISRAPID", "NIS"), {"filter": "CLEAR", "pupil": "F150W"},
        (corner("SUB256", 256), corner("SUB64", 64), corner("SUB80", 80), corner("SUB128", 128)),
    ),
    # NIRCam has no square subarray of 256: the name is the name of a grism subarray.
    "NIRCAM": InstrumentMode(
        "NRCA1", "NRC_DARK", "NRC_LED",
        ("RAPID", "BRIGHT1", "BRIGHT2", "SHALLOW2", "SHALLOW4", "MEDIUM2", "MEDIUM8", "DEEP2", "DEEP8"),
        {"filter": "F200W", "pupil": "FLAT"},
        (
            corner("SUBGRISM256", 256), corner("SUB64P", 64), corner("SUB160", 160), corner("SUB320", 320),
            corner("SUB400P", 400), corner("SUB640", 640),
        ),
    ),
    # Positions with the mirror instead of a grating, as for lamp flats. SUB512 has no reference pixels.
    "NIRSPEC": InstrumentMode(
        "NRS1", "NRS_DARK", "NRS_LAMP", ("NRSRAPID", "NRSIRS2RAPID", "NRS", "NRSIRS2"),
        {"filter": "OPAQUE", "grating": "MIRROR"},
        (Subarray("SUB512", 512, 32, 1025, 975), Subarray("SUB2048", 2048, 32, 1, 975)),
    ),
    "FGS": InstrumentMode("GUIDER1", "FGS_DARK", "FGS_INTFLAT", ("FGSRAPID",), {}, (corner("128X128", 128),)),
    # The two detectors of the spectrometer have the full frame only; the subarrays of the imager are for small tests.
    "MIRI": InstrumentMode(
        "MIRIMAGE", "MIR_DARKIMG", "MIR_FLATIMAGE", ("FASTR1",), {},
        (
            Subarray("SUB256", 256, 256, 413, 51), Subarray("SUB64", 72, 64, 1, 779),
            Subarray("SUB128", 136, 128, 1, 889), Subarray("BRIGHTSKY", 512, 512, 457, 51),
            Subarray("MASK1550", 288, 224, 1, 467),
        ),
        frame=MID_INFRARED,
        gain_e_per_dn=5.5,
        # From clock cycles of 10 microseconds in the emicorr step of the pipeline.
        frame_times_s={
            "FULL": 2.77504, "SUB64": 0.08512, "SUB128": 0.11904, "SUB256": 0.29952, "BRIGHTSKY": 0.86528,
            "MASK1550": 0.23968,
        },
        # MIR_DARKALL reads all three detectors at a time
        detector_types={
            "MIRIFULONG": ("MIR_DARKMRS", "MIR_FLATMRS"),
            "MIRIFUSHORT": ("MIR_DARKALL", "MIR_FLATMRS"),
        },
    ),
}  # fmt: skip

# FASTAXIS, SLOWAXIS per detector (CRDS checks the same values), and module and channel of NIRCam, channels of the MRS
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
    "MIRIMAGE": ("MIRI", 1, 2, None, None),
    "MIRIFULONG": ("MIRI", 1, 2, None, "34"),
    "MIRIFUSHORT": ("MIRI", 1, 2, None, "12"),
}
