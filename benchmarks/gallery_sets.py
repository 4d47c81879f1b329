"""The detectors of the pictures: simulated exposures, the unmodified calwebb_detector1, and masks of the workflow."""

import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import yaml
from astropy.io import fits
from measure import ENVIRONMENT, PROJECT

sys.path[:0] = [str(PROJECT / "scripts")]

import simulate  # noqa: E402
from badpix.formats.evidence_file import Evidence, read_evidence  # noqa: E402
from badpix.formats.mask_file import read_mask  # noqa: E402
from badpix.formats.truth_file import read_truth  # noqa: E402
from badpix.instrument.dq import flag_text  # noqa: E402
from badpix.instrument.readout import GroupTimes  # noqa: E402
from badpix.report.ramps import read_ramps  # noqa: E402
from badpix.simulate.crds_cache import write_crds_cache  # noqa: E402
from badpix.simulate.detector import make_detector  # noqa: E402
from badpix.simulate.effects import Effects  # noqa: E402
from badpix.simulate.headers import make_geometry  # noqa: E402
from badpix.simulate.simulation import Simulation  # noqa: E402
from badpix.simulate.truth import write_truth  # noqa: E402

PRESETS = ("official", "flight")
SEED = 20
SURVEY = Simulation(
    size=128, population="survey", effects=Effects(full_frame_time=1, slow_telegraph=8), darks=8, flats=6,
    integrations=1, groups=30, bad_reference_pixels=20, seed=SEED,
)  # fmt: skip
# Cold pixels need a dark current above the noise; the simulated NIRISS has 0.006 DN/s.
COLD = Simulation(size=64, effects=Effects(full_frame_time=1), darks=8, flats=0, integrations=1, seed=SEED)
DARK_CURRENT_DN_PER_S, COLD_LIMIT_DN_PER_S = 0.10, 0.02
KEYS = {"keep_intermediates": True, "keep_history": False, "certify": False}
KEYS |= {"pedigree": "INFLIGHT", "useafter": "2024-06-30 00:00:00"}
REFERENCE = {"bad_reference_pixels": {"noise": 1.5, "level": 6, "railing": True, "do_not_use": True}}


def simulate_survey(folder):
    simulate.main(folder, SURVEY)


def simulate_cold(folder):
    """A detector with a high dark current, which the pixels planted as dead do not have."""
    geometry = make_geometry(COLD.instrument, COLD.size, None, None, None)
    model = make_detector(geometry, COLD.seed, effects=COLD.effects)
    rate = np.where(model.reference, 0, model.dark_rate_dn_per_s + DARK_CURRENT_DN_PER_S).astype(np.float32)
    dead = model.planted_as("dead")
    rate[dead["y"], dead["x"]] = 0
    model = replace(model, dark_rate_dn_per_s=rate)
    for exposure in COLD.exposures():
        simulate.write_exposure(folder, model, exposure, COLD.seed, segments=1)
    write_crds_cache(folder / "crds_cache", [model], COLD.groups)
    simulate.write_config(folder / "config.yaml", folder)
    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    del config["flats"]
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    write_truth(folder / "truth.fits", model, COLD.seed, COLD.groups)


def vote(folder, preset, keys):
    """Run the workflow on the simulation in `folder`, and keep mask and evidence in the folder of the preset."""
    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8")) | KEYS | keys | {"preset": preset}
    path, kept = folder / f"{preset}.yaml", folder / preset
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--snakefile", PROJECT / "Snakefile", "--cores", "1"]
    with (folder / f"{preset}.log").open("w", encoding="utf-8") as log:
        words = [str(word) for word in (*command, "--configfile", path)]
        subprocess.run(words, check=True, cwd=PROJECT, env=ENVIRONMENT, stdout=log, stderr=log)
    kept.mkdir(exist_ok=True)
    for name in ("test_bpm.fits", "evidence.fits", "summary.csv"):
        shutil.copy2(folder / "results" / "NIS" / name, kept)


@dataclass(frozen=True)
class Detector:
    """A simulated detector in `folder`, with its exposures and the masks of both presets."""

    folder: Path

    @classmethod
    def made(cls, folder, make, keys, presets=PRESETS):
        """The Detector in `folder`; simulated with `make` and run with the `keys` unless it exists."""
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "truth.fits").exists():
            make(folder)
        for preset in presets:
            if not (folder / preset / "summary.csv").exists():
                vote(folder, preset, keys)
        return cls(folder)

    @cached_property
    def truth(self):
        return read_truth(self.folder / "truth.fits")

    @cached_property
    def evidence(self) -> dict[str, Evidence]:
        """Preset -> Evidence."""
        return {p: read_evidence(self.folder / p / "evidence.fits") for p in PRESETS if (self.folder / p).exists()}

    def names(self, kind):
        """The names of the exposures of a kind (dark, flat)."""
        return [p.name.removesuffix("_uncal.fits") for p in sorted((self.folder / f"{kind}s").glob("*_uncal.fits"))]

    def product(self, kind, name, product):
        """The path of a product of the exposure `name`."""
        return self.folder / "results" / "NIS" / f"{kind}s" / f"{name}_{product}.fits"

    def ramps(self, kind, name, y, x):
        """Times of the groups in s, signal in DN and flags (group) of the pixel (y, x) in an exposure.

        Darks have the signal after the jump step; flats raw counts since the first group, without flags.
        """
        jump, raw = self.product(kind, name, "jump"), self.folder / f"{kind}s" / f"{name}_uncal.fits"
        ramps = read_ramps(name, kind, {"jump": str(jump), "uncal": str(raw)}, np.array([y]), np.array([x]))
        signal = ramps.signal[0, 0].astype(float)
        times = GroupTimes.from_header(fits.getheader(raw)).effective_time_s(np.arange(signal.size))
        if ramps.flags is None:
            return times, signal - signal[0], np.zeros(signal.size, np.uint8)
        return times, signal, ramps.flags[0, 0]

    @cached_property
    def statistics(self):
        """Name of a dark -> its planes: name -> image (y, x) of the first integration."""
        found = {}
        for name in self.names("dark"):
            with fits.open(self.product("dark", name, "dark_statistics")) as hdus:
                found[name] = {h.name: np.array(h.data[0]) for h in hdus if h.is_image and h.data is not None}
                found[name]["times"] = GroupTimes.from_header(hdus[0].header)
        return found

    def found_types(self, preset, y, x):
        """The types of the pixel (y, x) under `preset`."""
        evidence = self.evidence[preset]
        return [name for name in evidence.bit_of if evidence.is_found(name)[y, x]]

    def findings(self, y, x):
        """What both presets find at the pixel (y, x), in words."""
        parts = []
        for preset in self.evidence:
            dq = read_mask(self.folder / preset / "test_bpm.fits")
            types = ", ".join(f"`{name}`" for name in self.found_types(preset, y, x)) or "no type"
            flags = flag_text(int(dq[y, x]))
            parts.append(f"`{preset}`: {types} ({flags})")
        return "; ".join(parts)
