"""Simulated exposures, processed with calwebb_detector1, for odd_exposures.py."""

import dataclasses
import logging
import sys
from pathlib import Path

import numpy as np

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT / "scripts"), str(PROJECT / "benchmarks")]

from astropy.io import fits  # noqa: E402
from children import configuration, detector_data, names_of, script  # noqa: E402
from odd_kinds import DARK_KINDS, FLAT_KINDS, Exposures, clipped  # noqa: E402

from badpix.detector1.pipeline import PipelineSettings  # noqa: E402
from badpix.instrument.geometry import Geometry  # noqa: E402
from badpix.simulate import cosmic_rays  # noqa: E402
from badpix.simulate.crds_cache import write_crds_cache  # noqa: E402
from badpix.simulate.detector import make_detector  # noqa: E402
from badpix.simulate.exposure import Exposure  # noqa: E402
from badpix.simulate.headers import make_geometry  # noqa: E402
from badpix.simulate.populations import POPULATIONS  # noqa: E402
from badpix.simulate.ramps import simulate_exposure  # noqa: E402
from badpix.simulate.uncal import write_uncal  # noqa: E402

N_GOOD = 6
GROUPS = 15
# Arguments of Set: instrument, detector, size, read pattern, integrations.
GOOD_SETS = (
    ("NIRISS", "NIS", 64, None, 1), ("NIRISS", "NIS", 128, None, 2), ("NIRCAM", "NRCA1", 64, None, 2),
    ("NIRCAM", "NRCBLONG", 64, None, 1), ("NIRSPEC", "NRS1", 128, None, 1), ("NIRSPEC", "NRS2", 128, None, 2),
    ("FGS", "GUIDER1", 128, None, 1), ("FGS", "GUIDER2", 128, None, 2), ("MIRI", "MIRIMAGE", 64, None, 2),
    ("MIRI", "MIRIMAGE", 128, None, 1),
)  # fmt: skip
PER_KIND = 10
FULL_FRAME_S = 10.7


logging.disable(logging.WARNING)


class Set:
    """Exposures of a detector in a folder: raw files, CRDS cache, statistics."""

    def __init__(self, folder, instrument, detector, size, readpatt=None, integrations=1, seed=11):
        self.folder, self.seed, self.integrations = folder, seed, integrations
        geometry = make_geometry(instrument, size, detector, None, readpatt)
        self.model = make_detector(geometry, seed, POPULATIONS["survey"])
        self.detector = detector_data(detector)
        folder.mkdir(parents=True, exist_ok=True)
        write_crds_cache(folder / "crds_cache", [self.model], GROUPS)
        self.steps = configuration({})

    def counts(self, kind, index, model=None, groups=GROUPS):
        return simulate_exposure(model or self.model, Exposure(kind, index, self.integrations, groups), self.seed)

    def add(self, name, kind, counts, frames=1):
        """Process `counts` as exposure `name` of `kind`, with `frames` of them averaged in a group.

        Returns the path of its statistics, which are kept from an earlier call.
        """
        output = self.folder / f"{kind}s" / f"{name}_statistics.fits"
        if output.exists():
            return output
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        exposure = Exposure(kind, 1, counts.shape[0], counts.shape[1] // frames)
        if frames > 1:
            n_int, n_groups, *image = counts.shape
            counts = clipped(counts[:, : n_groups // frames * frames].reshape(n_int, -1, frames, *image).mean(axis=2))
        path = write_uncal(work, counts, self.model.geometry, exposure)
        with fits.open(path, mode="update") as hdus:
            header = hdus[0].header
            header["NFRAMES"] = header["FRMDIVSR"] = frames
            header["TGROUP"] = header["TFRAME"] * frames
            geometry = dataclasses.asdict(Geometry.from_header(header))
        mask = self.folder / "reference_pixel_mask.fits"
        if not mask.exists():
            script("reference_pixel_mask")(mask, self.detector, geometry)
        products = ("rateints", "rate", "jump", "fitopt") if kind == "dark" else ("rateints", "rate")
        outputs = {product: str(work / f"{name}_{product}.fits") for product in products}
        crds = {"path": str(self.folder / "crds_cache"), "server_url": "https://jwst-serverless.invalid",
                "context": None}  # fmt: skip
        settings = PipelineSettings(kind, self.steps[f"detector1_{kind}"], crds, 1,
                                    tuple(self.detector["edgeless_subarrays"]))  # fmt: skip
        script("detector1")({"uncal": path, "reference_pixel_mask": mask}, outputs, name, settings)
        output.parent.mkdir(exist_ok=True)
        if kind == "dark":
            needed = {p: outputs[p] for p in ("jump", "rateints", "fitopt")}
            if self.detector["relative_pedestal"]:
                needed["uncal"] = path
            scripts = names_of("dark_statistics")
            scripts["main"](needed, output, name, self.detector, scripts["Measurement"](0.25))
        else:
            script("flat_statistics")({"rateints": outputs["rateints"], "uncal": path}, output, name)
        for file in work.iterdir():
            file.unlink()
        return output


def make_kinds(folder):
    """Six good darks and flats, and an exposure of each odd kind."""
    made = Set(folder, "NIRISS", "NIS", 64)
    other = Set(folder / "other", "NIRISS", "NIS", 64, seed=12)
    dark, flat = (made.counts(kind, N_GOOD + 1) for kind in ("dark", "flat"))
    other_dark, other_flat = (other.counts(kind, 1) for kind in ("dark", "flat"))
    given = Exposures(dark, flat, other_dark, other_flat, made.model.geometry.frame_time_s)
    for kind, kinds in (("dark", DARK_KINDS), ("flat", FLAT_KINDS)):
        for index in range(1, N_GOOD + 2):
            made.add(f"good{index}", kind, made.counts(kind, index))
        for number, (title, change) in enumerate(kinds.items(), 1):
            made.add(f"odd{number:02d}", kind, np.ascontiguousarray(change(given)))
            print(kind, title, flush=True)


def varied(model, rng, kind):
    """The detector at another temperature, with glow; and for flats another lamp.

    Dark current and glow per group are those of a full frame, whose frames are longer.
    """
    longer = FULL_FRAME_S / model.geometry.frame_time_s
    n_y, n_x = model.reference.shape
    y, x = (np.linspace(0, 1, n) for n in (n_y, n_x))
    # Glow at an edge and in a corner, fading over a tenth of the array.
    glow = rng.uniform(0, 0.1) * np.exp(-x / 0.1) + rng.uniform(0, 0.1) * np.exp(-(y[:, None] ** 2 + x**2) / 0.02)
    rate = longer * (model.dark_rate_dn_per_s * rng.uniform(0.5, 3) + glow * ~model.reference)
    changes = {"dark_rate_dn_per_s": rate.astype("f4")}
    if kind == "flat":
        light = 1 + rng.uniform(-0.3, 0.3) * (x - 0.5) + rng.uniform(-0.3, 0.3) * (y[:, None] - 0.5)
        light *= 10 ** rng.uniform(-1, 0.1)
        changes["illumination"] = (model.illumination * light).astype("f4")
    return dataclasses.replace(model, **changes)


def make_good(folder, number):
    """A set of good exposures that differ."""
    made = Set(folder, *GOOD_SETS[number], seed=30 + number)
    rng = np.random.default_rng(number)
    hits = cosmic_rays.HITS_PER_PIXEL_GROUP
    for kind in ("dark", "flat"):
        for index in range(1, PER_KIND + 1):
            cosmic_rays.HITS_PER_PIXEL_GROUP = hits * 10 ** rng.uniform(0, 1)
            model = varied(made.model, rng, kind)
            frames = int(rng.choice([1, 1, 2, 4]))
            groups = int(rng.integers(8, 25))
            made.add(f"good{index}", kind, made.counts(kind, index, model, groups * frames), frames)
