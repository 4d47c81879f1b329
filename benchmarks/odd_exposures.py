"""Exposures that are no darks or flats under valid headers, and good exposures that differ: which are outliers.

    python benchmarks/odd_exposures.py --out odd_exposures

`kinds`: each kind of odd exposure takes the place of a good exposure among seven; raw counts are changed, headers
stay. `good`: sets of good exposures of each instrument, with other levels and profiles of the lamp, temperatures, glow,
rates of cosmic rays, read patterns and numbers of groups. All exposures are simulated, and processed with the
unmodified calwebb_detector1. Writes kinds.csv and good.csv.
"""

import argparse
import dataclasses
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT / "scripts"), str(PROJECT / "benchmarks")]

from astropy.io import fits  # noqa: E402
from children import configuration, detector_data, script  # noqa: E402
from odd_kinds import DARK_KINDS, FLAT_KINDS, Exposures, clipped  # noqa: E402

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
GROUPS, INTEGRATIONS = 15, 1
# (instrument, detector, size, read pattern) of the sets of good exposures.
GOOD_SETS = (
    ("NIRISS", "NIS", 64, None), ("NIRISS", "NIS", 128, None), ("NIRCAM", "NRCA1", 64, None),
    ("NIRCAM", "NRCBLONG", 64, None), ("NIRSPEC", "NRS1", 128, None), ("NIRSPEC", "NRS2", 128, None),
    ("FGS", "GUIDER1", 128, None), ("FGS", "GUIDER2", 128, None), ("MIRI", "MIRIMAGE", 64, None),
    ("MIRI", "MIRIMAGE", 128, None),
)  # fmt: skip
PER_SET = 20  # half darks, half flats


# ---------------------------------------------------------------- simulation and processing


class Set:
    """Exposures of a detector in a folder: raw files, CRDS cache, statistics."""

    def __init__(self, folder, instrument, detector, size, readpatt=None, seed=11):
        self.folder, self.seed = folder, seed
        geometry = make_geometry(instrument, size, detector, None, readpatt)
        self.model = make_detector(geometry, seed, POPULATIONS["survey"])
        self.detector = detector_data(detector)
        folder.mkdir(parents=True, exist_ok=True)
        write_crds_cache(folder / "crds_cache", [self.model], GROUPS)
        self.steps = configuration({})
        self.mask = None

    def counts(self, kind, index, model=None, groups=GROUPS):
        return simulate_exposure(model or self.model, Exposure(kind, index, INTEGRATIONS, groups), self.seed)

    def add(self, name, kind, counts, frames=1):
        """Process `counts` as exposure `name` of `kind`; the path of its statistics, None if they exist."""
        output = self.folder / f"{kind}s" / f"{name}_statistics.fits"
        if output.exists():
            return output
        import logging

        logging.disable(logging.WARNING)
        from badpix.detector1.pipeline import PipelineSettings

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
            script("dark_statistics")(needed, output, name, self.detector, 0.25)
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
    """The detector at another temperature, with glow; and for flats another lamp."""
    n_y, n_x = model.reference.shape
    y, x = (np.linspace(0, 1, n) for n in (n_y, n_x))
    # Glow at an edge and in a corner, fading over a tenth of the array.
    glow = rng.uniform(0, 0.1) * np.exp(-x / 0.1) + rng.uniform(0, 0.1) * np.exp(-(y[:, None] ** 2 + x**2) / 0.02)
    changes = {
        "dark_rate_dn_per_s": (model.dark_rate_dn_per_s * rng.uniform(0.5, 3) + glow * ~model.reference).astype("f4")
    }
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
        for index in range(1, PER_SET // 2 + 1):
            cosmic_rays.HITS_PER_PIXEL_GROUP = hits * 10 ** rng.uniform(0, 1)
            model = varied(made.model, rng, kind)
            frames = int(rng.choice([1, 1, 2, 4]))
            groups = int(rng.integers(8, 25))
            made.add(f"good{index}", kind, made.counts(kind, index, model, groups * frames), frames)


def main(out, only=None):
    out = Path(out).resolve()
    start = time.monotonic()
    if only is None:
        for part_name in ["kinds", *(f"good{n}" for n in range(len(GOOD_SETS)))]:
            # CRDS keeps its cache in the process.
            subprocess.run([sys.executable, __file__, "--out", str(out), "--only", part_name], check=True)
            print(f"{part_name}: {time.monotonic() - start:.0f} s", flush=True)
    elif only == "kinds":
        make_kinds(out / "kinds")
    else:
        make_good(out / only, int(only.removeprefix("good")))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="odd_exposures", help="folder to write (odd_exposures)")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    given = parser.parse_args()
    main(given.out, given.only)
