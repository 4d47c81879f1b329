"""Effects of real detectors and exposures beside the bad pixels: all off by default, each with a strength.

To add an effect: a field of `Effects` with its typical strength and a description, the code in a module of its own, and
a call where the detector, the maps of the exposure or the integration are made. Each effect takes its random numbers
from its own `effect_stream`, so that all other random numbers stay the same.
"""

from dataclasses import dataclass, field, fields
from zlib import crc32

import numpy as np

from badpix.simulate.exposure import Exposure

_STREAM = 101  # of all effects, beside the streams of detector, exposures, epochs and sky
_KINDS = {"dark": 1, "flat": 2}


def effect(
    typical: float, description: str, of_exposures: bool = False, whole: bool = False, below: float = np.inf
) -> float:
    """A field of Effects: off at 0, `typical` if it is given without a value.

    `of_exposures`: the effect belongs to single exposures, so exposures with and without it can be in one folder.
    `whole`: its value is a whole number. Its value is below `below`.
    """
    metadata = {"typical": typical, "description": description, "of_exposures": of_exposures}
    return field(default=0.0, metadata=metadata | {"whole": whole, "below": below})


@dataclass(frozen=True)
class Effects:
    """Strength of each effect; 0: off."""

    full_frame_time: float = effect(1, "1: frames take as long as those of the full frame, also in small arrays")
    stray_light: float = effect(
        2, "DN/s at the right edge of the darks of this run, none at the left edge: for a bad dark", of_exposures=True
    )
    bias_rows: float = effect(200, "DN, of a block of readout lines in the darks, with 20% scatter between exposures")
    glow: float = effect(2, "DN/s in a corner of the array, falling to 1/e in 8% of its side")
    persistence: float = effect(2, "DN/s in three patches of 12 to 24 pixels in the first dark, falling as 1/number")
    light_leak: float = effect(2, "DN/s in a wide spot of every fourth dark")
    more_bad: float = effect(
        0.06, "share of the pixels that is bad besides, in equal numbers of all types but open", below=1
    )
    more_hot: float = effect(0.06, "share of the pixels that is hot besides", below=1)
    more_low_qe: float = effect(0.06, "share of the pixels that has a low response besides", below=1)
    slow_telegraph: float = effect(
        24, "pixels that switch about once per exposure, and a third more in a minority", whole=True
    )
    more_cosmic_rays: float = effect(4, "this many times the usual cosmic rays in addition", of_exposures=True)
    slicer: float = effect(5, "flats through an image slicer: width of the dark gaps between its curved slices, pixels")
    vignette: float = effect(
        0.05, "flats with a corner in the shadow, with a soft edge: fraction of the array", below=1
    )
    border_cluster: float = effect(
        0.03, "a cluster of dead pixels at the border: fraction of the science pixels", below=1
    )
    blind_border: float = effect(4, "dead rows or columns along a border: their number", whole=True)
    ipc: float = effect(
        0.0055, "inter-pixel capacitance: share of the signal in each direct neighbour, a tenth in each diagonal one",
        below=0.2,
    )  # fmt: skip

    def __post_init__(self) -> None:
        for part in fields(self):
            value, below, whole = getattr(self, part.name), part.metadata["below"], part.metadata["whole"]
            if not np.isfinite(value) or not 0 <= value < below or (whole and value % 1):
                limit = f" below {below:g}" if np.isfinite(below) else ""
                raise ValueError(
                    f"effect {part.name}={value}: allowed are 0 (off) and positive {'whole ' * whole}numbers{limit}"
                )

    @property
    def text(self) -> str:
        """The effects that are on, such as "full_frame_time=1"; empty if all are off."""
        return " ".join(f"{name}={value:g}" for name, value in vars(self).items() if value)

    @property
    def of_detector(self) -> "Effects":
        """The same effects without those of single exposures."""
        of_exposures = {part.name: 0.0 for part in fields(self) if part.metadata["of_exposures"]}
        return Effects(**{**vars(self), **of_exposures})


NO_EFFECTS = Effects()


def parse_effects(words: list[str]) -> Effects:
    """The Effects of words such as "full_frame_time" or "full_frame_time=1"; ValueError for an unknown one."""
    known = {part.name: part.metadata["typical"] for part in fields(Effects)}
    values: dict[str, float] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if name not in known:
            raise ValueError(f"unknown effect {name!r}; known are {', '.join(known)}")
        if name in values:
            raise ValueError(f"effect {name!r} is given twice")
        try:
            values[name] = float(value) if equals else float(known[name])
        except ValueError:
            raise ValueError(f"effect {word!r}: not a number") from None
    return Effects(**values)


def describe_effects() -> str:
    """Name, typical value and description of each effect, for the help of the command line."""
    return "; ".join(
        f"{part.name} ({part.metadata['typical']:g}): {part.metadata['description']}" for part in fields(Effects)
    )


def effect_stream(name: str, seed: int, exposure: Exposure | None = None) -> np.random.Generator:
    """Random numbers of the effect `name`, for the detector of `seed` or for one of its exposures."""
    of_exposure = [_KINDS[exposure.kind], exposure.index] if exposure else []
    return np.random.default_rng(np.random.SeedSequence([seed, _STREAM, crc32(name.encode()), *of_exposure]))
