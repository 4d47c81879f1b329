"""The simulated detector: where which bad pixels are planted, and its static maps. All random, all from one seed.

Maps are float32 images (y, x). Signals are in DN unless the name says electrons (_e); "reference pixels" here are the
light-insensitive border pixels, as everywhere in JWST.
"""

from dataclasses import dataclass

import numpy as np

from badpix.simulate.headers import FULL_SIZE, REFERENCE_BORDER, Geometry

MINORITY_PERIOD = 5  # a minority pixel is bad in one exposure out of this many


@dataclass(frozen=True)
class PlantedType:
    """One kind of planted pixel.

    `count` is the number in a 256 x 256 array; strengths are drawn evenly in the logarithm between `low` and `high`.
    `expected` is the detection type that should find it, or "" when none should.
    """

    name: str
    expected: str
    count: int
    low: float
    high: float
    unit: str

    @property
    def behaviour(self) -> str:
        """What the pixel does while it is bad."""
        return {"crds_flagged_dead": "dead", "crds_flagged_healthy": "healthy"}.get(
            self.name, self.name.removeprefix("minority_")
        )

    @property
    def minority(self) -> bool:
        """Bad in one exposure out of MINORITY_PERIOD only."""
        return self.name.startswith("minority_")


# The code of a type is its position here plus one. Hot rates are per frame so that a hot pixel stays below saturation
# whatever the frame time: 35-210 DN/frame is 50-300 DN/s in SUB256. The jump threshold is about 40 DN here, and a
# pedestal is high or low beyond about 70 DN: telegraph and noisy pixels stay below that most of the time, but not
# always, as real ones do.
PLANTED_TYPES = (
    PlantedType("dead", "DEAD", 60, 0.001, 0.02, "response"),
    PlantedType("low_qe", "LOW_QE", 60, 0.2, 0.4, "response"),
    PlantedType("open", "OPEN", 60, 0.1, 0.25, "response"),
    PlantedType("hot", "hot", 60, 35.0, 210.0, "DN/frame"),
    PlantedType("hot_saturated", "hot", 60, 1.5e5, 6.0e5, "DN/frame"),
    PlantedType("rc", "rc", 60, 1500.0, 8000.0, "DN"),
    PlantedType("telegraph", "high_cr", 60, 80.0, 120.0, "DN"),
    PlantedType("noisy", "noisy", 60, 7.0, 10.0, "x read noise"),
    PlantedType("low_pedestal", "low_pedestal", 60, 600.0, 2000.0, "DN below superbias"),
    PlantedType("minority_dead", "", 20, 0.001, 0.02, "response"),
    PlantedType("minority_hot_saturated", "", 20, 1.5e5, 6.0e5, "DN/frame"),
    PlantedType("minority_telegraph", "", 20, 80.0, 120.0, "DN"),
    PlantedType("minority_low_pedestal", "", 20, 600.0, 2000.0, "DN below superbias"),
    PlantedType("minority_rc", "", 20, 1500.0, 8000.0, "DN"),
    PlantedType("crds_flagged_healthy", "", 20, 1.0, 1.0, "response"),
    PlantedType("crds_flagged_dead", "DEAD", 20, 0.001, 0.02, "response"),
)
CODES = {planted.name: code for code, planted in enumerate(PLANTED_TYPES, start=1)}

# A second parameter for three behaviours: (low, high), drawn evenly
SECOND_PARAMETER = {
    "open": (1.13, 1.20),  # response of the four direct neighbours
    "rc": (1.0, 3.0),  # time constant in frames
    "telegraph": (0.70, 0.85),  # probability to switch per group: at least 10 jumps in 30 groups, always
}

GRID_PITCH = 5  # one planted pixel per 5 x 5 cell, shifted by at most 1: never closer than 4, so rings do not touch
SCIENCE_MARGIN = 4  # planted pixels keep this far from the edge of the science area

PIXEL_DTYPE = np.dtype(
    [("y", "i4"), ("x", "i4"), ("code", "i2"), ("strength", "f4"), ("second", "f4"), ("phase", "i2")]
)


@dataclass(frozen=True)
class DetectorModel:
    """Static truth of one detector: geometry, planted pixels and float32 maps (y, x), without the planted behaviour.

    `pixels` has PIXEL_DTYPE: 0-based y and x, type code, strength, second parameter (NaN where there is none) and
    the phase of a minority pixel (bad where (exposure index - 1) % MINORITY_PERIOD equals it; else -1).
    """

    geometry: Geometry
    pixels: np.ndarray
    reference: np.ndarray  # bool: reference pixels
    bias_dn: np.ndarray
    superbias_error_dn: np.ndarray
    gain_e_per_dn: np.ndarray
    read_noise_dn: np.ndarray  # of one read
    read_noise_error: np.ndarray  # relative error of the read noise reference
    dark_rate_dn_per_s: np.ndarray
    response: np.ndarray  # quantum efficiency relative to the mean
    illumination: np.ndarray  # of the internal lamp, mean 1
    saturation_dn: np.ndarray  # raw counts, bias included

    def select(self, behaviour: str, index: int | None = None) -> np.ndarray:
        """Planted pixels that show `behaviour` in exposure `index` (from 1); None: those that show it always."""
        codes = [CODES[planted.name] for planted in PLANTED_TYPES if planted.behaviour == behaviour]
        chosen = self.pixels[np.isin(self.pixels["code"], codes)]
        steady = chosen["phase"] < 0
        return chosen[steady if index is None else steady | (chosen["phase"] == (index - 1) % MINORITY_PERIOD)]

    def planted_as(self, name: str) -> np.ndarray:
        """Planted pixels of one type by its name."""
        return self.pixels[self.pixels["code"] == CODES[name]]


def make_detector(geometry: Geometry, seed: int) -> DetectorModel:
    """The detector that belongs to this geometry and seed: it does not depend on the exposures made with it."""
    plan_rng, map_rng = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
    reference = reference_pixels(geometry)
    return DetectorModel(
        geometry=geometry, pixels=plan_pixels(geometry, plan_rng), reference=reference,
        **static_maps(geometry, reference, map_rng),
    )  # fmt: skip


def reference_pixels(geometry: Geometry) -> np.ndarray:
    """Bool (y, x): True within 4 pixels of the edge of the full 2048 x 2048 detector."""
    full_x = np.arange(geometry.size) + geometry.xstart - 1
    full_y = np.arange(geometry.size) + geometry.ystart - 1
    edge_x, edge_y = ((full < REFERENCE_BORDER) | (full >= FULL_SIZE - REFERENCE_BORDER) for full in (full_x, full_y))
    return edge_y[:, None] | edge_x[None, :]


def plan_pixels(geometry: Geometry, rng: np.random.Generator) -> np.ndarray:
    """Choose positions and strengths of all planted pixels; numbers scale with the area, with a minimum each."""
    science = ~reference_pixels(geometry)
    rows, columns = np.flatnonzero(science.any(axis=1)), np.flatnonzero(science.any(axis=0))
    y_cells = np.arange(rows[0] + SCIENCE_MARGIN, rows[-1] - SCIENCE_MARGIN - 1, GRID_PITCH)
    x_cells = np.arange(columns[0] + SCIENCE_MARGIN, columns[-1] - SCIENCE_MARGIN - 1, GRID_PITCH)
    counts = [planted_count(planted, geometry.size) for planted in PLANTED_TYPES]
    cells = rng.permutation(len(y_cells) * len(x_cells))[: sum(counts)]
    if len(cells) < sum(counts):
        raise ValueError(f"{sum(counts)} planted pixels do not fit into an array of {geometry.size}")
    pixels = np.zeros(len(cells), PIXEL_DTYPE)
    pixels["y"] = y_cells[cells // len(x_cells)] + rng.integers(0, 2, len(cells))
    pixels["x"] = x_cells[cells % len(x_cells)] + rng.integers(0, 2, len(cells))
    pixels["code"] = np.repeat(np.arange(1, len(counts) + 1), counts)
    for code, planted in enumerate(PLANTED_TYPES, start=1):
        mine = pixels["code"] == code
        number = np.count_nonzero(mine)
        pixels["strength"][mine] = np.exp(rng.uniform(np.log(planted.low), np.log(planted.high), number))
        low, high = SECOND_PARAMETER.get(planted.behaviour, (np.nan, np.nan))
        pixels["second"][mine] = low + (high - low) * rng.random(number)
        pixels["phase"][mine] = rng.integers(0, MINORITY_PERIOD, number) if planted.minority else -1
    return pixels


def planted_count(planted: PlantedType, size: int) -> int:
    """Number of planted pixels of a type in an array of `size` x `size`."""
    minimum = max(2, planted.count // 10)  # a 64 x 64 array still has 6 of each main type
    return max(minimum, round(planted.count * (size / 256) ** 2))


def static_maps(geometry: Geometry, reference: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The maps of DetectorModel by name, all of a healthy detector: float32 (y, x).

    Bulk numbers are those of a typical H2RG; every distribution has the tail a real one has, on purpose: a healthy
    detector that is too clean would flatter any classifier.
    """
    shape = reference.shape
    science = (~reference).astype(np.float32)

    def normal(sigma, size=shape):
        return (sigma * rng.standard_normal(size)).astype(np.float32)

    bias = 11000 + normal(40) + normal(15, (1, shape[1])) + normal(6, (shape[0], 1))
    bias += output_map(geometry, 60 * rng.standard_normal(geometry.noutputs))
    gain = 1.6 * (1 + normal(0.005)) * (1 + output_map(geometry, 0.02 * rng.standard_normal(geometry.noutputs)))
    read_noise = 6.5 * np.exp(normal(0.12))
    # median 0.01 e/s with a tail of warm pixels: about one in a thousand is 12 times as high
    dark_rate = 0.006 * np.exp(normal(0.8)) * science
    response = (1 + normal(0.01)) * science
    y, x = (np.linspace(-0.5, 0.5, n, dtype=np.float32) for n in shape)
    illumination = 1 + 0.10 * x[None, :] + 0.07 * y[:, None] - 0.06 * (x[None, :] ** 2 + y[:, None] ** 2)
    maps = {
        "bias_dn": bias,
        "superbias_error_dn": normal(1.0),  # a superbias is made from a finite number of reads
        "gain_e_per_dn": gain,
        "read_noise_dn": read_noise,
        "read_noise_error": normal(0.04),  # as from a noise measured in some 300 reads
        "dark_rate_dn_per_s": dark_rate,
        "response": response,
        "illumination": illumination / illumination.mean(),
        "saturation_dn": 60000 + normal(400),
    }
    return {name: values.astype(np.float32) for name, values in maps.items()}


def output_map(geometry: Geometry, values: np.ndarray) -> np.ndarray:
    """Spread one value per amplifier output over its part of the image: float32 (y, x).

    The outputs divide the axis that is read fast: strips along y where FASTAXIS is +-1, along x where it is +-2.
    """
    line = np.repeat(np.asarray(values, np.float32), geometry.size // geometry.noutputs)
    image = np.broadcast_to(line, (geometry.size, geometry.size))
    return image if abs(geometry.fastaxis) == 1 else image.T
