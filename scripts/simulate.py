"""Simulate raw darks and lamp flats of detectors with planted bad pixels, and a CRDS cache for them.

Writes below the output folder: darks/*_uncal.fits, flats/*_uncal.fits, truth.fits, truth.csv, crds_cache/ and
config.yaml. Run again into the same folder with --first-dark (--first-flat) to add exposures of the same detector:
its truth, cache and config stay unchanged. With --epoch the detector is older: bad pixels are new, recovered or of
another type since the first epoch (truth_epoch<N>.fits, changes_epoch<N>.csv); the exposures of the epoch are added to
the folder.

The first detector of a folder has the truth file truth.fits, each further detector truth_<detector>.fits.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
from astropy.io import fits
from pandas import DataFrame

from badpix.core.csv_table import write_csv
from badpix.core.startup import end_quickly, read_yaml_in_c
from badpix.simulate.crds_cache import write_crds_cache
from badpix.simulate.detector import DetectorModel, make_detector
from badpix.simulate.effects import describe_effects, parse_effects
from badpix.simulate.evolution import evolve
from badpix.simulate.exposure import Exposure, split_integrations
from badpix.simulate.headers import make_geometry
from badpix.simulate.instruments import INSTRUMENTS
from badpix.simulate.populations import POPULATIONS
from badpix.simulate.ramps import simulate_exposure
from badpix.simulate.reference_pixels import plan_reference_pixels, plant_reference_pixels
from badpix.simulate.simulation import Simulation
from badpix.simulate.sky import Sky
from badpix.simulate.truth import check_same_detector, write_truth
from badpix.simulate.uncal import write_uncal

SERVER_URL = "https://jwst-serverless.invalid"  # "serverless" in the address keeps CRDS off the network


def main(out: str | Path, simulation: Simulation) -> list[Path]:
    """Write the simulation to the folder `out` and return the paths of the files, for each detector darks first."""
    read_yaml_in_c()
    folder, paths = Path(out), []
    for number, name in enumerate(simulation.detectors or [None]):
        geometry = make_geometry(simulation.instrument, simulation.size, name, simulation.subarray, simulation.readpatt)
        # Another seed for each detector: with the same planted pixels, mixed-up detectors would go unnoticed.
        seed, epoch = simulation.seed + number, simulation.epoch
        model = make_detector(geometry, seed, POPULATIONS[simulation.population], simulation.effects)
        truth = truth_path(folder, geometry.detector)
        if truth.exists():
            check_same_detector(truth, model, seed)
        elif epoch > 1:
            raise ValueError(f"epoch {epoch} needs the folder of the first epoch, and {truth} does not exist")
        model, changes = evolve(model, epoch, seed)
        reference = (
            plan_reference_pixels(model, simulation.bad_reference_pixels, seed)
            if (simulation.bad_reference_pixels)
            else None
        )
        for exposure in simulation.exposures():
            paths += write_exposure(folder, model, exposure, seed, simulation.segments, reference)
        if reference is not None:
            write_csv(truth.with_name(f"{truth.stem}_reference_pixels.csv"), reference)
        if not truth.exists():  # written last: if it exists, the cache is complete
            write_crds_cache(folder / "crds_cache", [model], simulation.groups)
            write_truth(truth, model, seed, simulation.groups)
            sky_type = simulation.sky.exp_type if simulation.sky else None
            write_config(folder / "config.yaml", out, several_detectors(folder), sky_type)
        if epoch > 1:
            truth = truth.with_name(f"{truth.stem}_epoch{epoch}.fits")
            write_truth(truth, model, seed, simulation.groups)
            write_csv(truth.with_name(truth.stem.replace("truth", "changes") + ".csv"), changes)
        print(f"{len(model.pixels)} planted pixels: {truth}")
    return paths


def truth_path(folder: Path, detector: str) -> Path:
    """Path of the truth of a detector: truth.fits for the first detector of a folder."""
    first = folder / "truth.fits"
    if not first.exists() or fits.getval(first, "DETECTOR") == detector:
        return first
    return folder / f"truth_{detector.lower()}.fits"


def write_exposure(
    out: Path, model: DetectorModel, exposure: Exposure, seed: int, segments: int, reference: DataFrame | None = None
) -> list[Path]:
    """Simulate an exposure and write its raw files.

    Parameters
    ----------
    out : Path
        Folder of the simulation; the files go to <out>/darks or <out>/flats.
    model : DetectorModel
        The detector with its planted pixels.
    exposure : Exposure
        Kind, number, start, groups and integrations.
    seed : int
        Seed of the detector.
    segments : int
        Number of files.
    reference : DataFrame, optional
        The bad reference pixels.

    Returns
    -------
    list of Path
        A file per segment.
    """
    folder = out / f"{exposure.kind}s"
    folder.mkdir(parents=True, exist_ok=True)
    parts = split_integrations(exposure.n_integrations, segments) if segments > 1 else [None]
    zero_frames_dn = None
    if model.geometry.has_zero_frame:
        zero_frames_dn = np.zeros((exposure.n_integrations, *model.geometry.shape), np.uint16)
    counts_dn = simulate_exposure(model, exposure, seed, zero_frames_dn)
    if reference is not None:
        plant_reference_pixels(counts_dn, reference, model, exposure, seed)
    paths = [write_uncal(folder, counts_dn, model.geometry, exposure, part, zero_frames_dn, seed) for part in parts]
    print(*paths, sep="\n", flush=True)
    return paths


def several_detectors(folder: Path) -> bool:
    """True if the folder has the truth of several detectors; epochs do not count."""
    return len([path for path in folder.glob("truth*.fits") if "_epoch" not in path.name]) > 1


def write_config(path: Path, out: str | Path, several: bool = False, sky_type: str | None = None) -> None:
    """Write the workflow configuration of the simulation; paths as given, quoted as JSON, which is valid YAML.

    `sky_type` is the EXP_TYPE of flats of the sky.
    """
    keys: dict[str, str | list[str]] = {
        "darks": f"{out}/darks",
        "flats": f"{out}/flats",
        "results": f"{out}/results",
        "crds_path": f"{out}/crds_cache",
        "crds_server_url": SERVER_URL,
    }
    if several:
        keys["detectors"] = "all"
    if sky_type:
        keys["flat_exp_types"] = [sky_type]
    path.write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in keys.items()))


def parse_arguments(arguments: list[str] | None = None) -> tuple[str, Simulation]:
    """Command line of this script as the arguments of `main`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="folder to write, made if needed")
    parser.add_argument("--size", type=int, help="pixels on a side of a square array (256, or the first subarray)")
    parser.add_argument("--subarray", help="name of a subarray, or FULL, in place of --size")
    parser.add_argument("--instrument", type=str.upper, choices=sorted(INSTRUMENTS), help="(%(default)s)")
    parser.add_argument(
        "--detector", nargs="+", dest="detectors", metavar="DETECTOR",
        help="NIS, NRCA1, NRCALONG ... (the first of the instrument); the seeds count up from --seed",
    )  # fmt: skip
    parser.add_argument("--readpatt", help="read pattern, such as NRSIRS2RAPID (the instrument's default)")
    parser.add_argument("--darks", type=int, help="number of dark exposures (%(default)s)")
    parser.add_argument("--flats", type=int, help="number of internal flat exposures (%(default)s)")
    parser.add_argument("--integrations", type=int, help="per exposure (%(default)s)")
    parser.add_argument("--segments", type=int, help="files per exposure (%(default)s)")
    parser.add_argument("--groups", type=int, help="per integration (%(default)s)")
    parser.add_argument(
        "--bad-reference-pixels", type=int, metavar="N",
        help="plant N noisy, N offset and N railed reference pixels; truth in truth_reference_pixels.csv (%(default)s)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, help="the same seed gives the same detector and exposures (%(default)s)")
    parser.add_argument("--first-dark", type=int, help="number of the first dark, to add more later (%(default)s)")
    parser.add_argument("--first-flat", type=int, help="number of the first flat, to add more later (%(default)s)")
    parser.add_argument(
        "--epoch", type=int,
        help="epoch of the detector; after the first (%(default)s), bad pixels are new, recovered or of another type",
    )  # fmt: skip
    parser.add_argument(
        "--population", choices=sorted(POPULATIONS),
        help="of bad pixels: demo has strong pixels only, survey ranges from undetectable to obvious (%(default)s)",
    )  # fmt: skip
    parser.add_argument("--sky", metavar="EXP_TYPE", help="flats of the sky of this type (flats of the lamp)")
    parser.add_argument("--stars", type=int, default=Sky.n_stars, help="in the area of the array (%(default)s)")
    parser.add_argument(
        "--sky-signal", type=float, default=Sky.signal_dn, help="diffuse light at the end of a ramp, DN (%(default)s)"
    )
    parser.add_argument(
        "--dither", type=float, default=Sky.dither_px, help="largest offset along an axis, pixels (%(default)s)"
    )
    parser.add_argument(
        "--effects", nargs="+", metavar="NAME[=VALUE]",
        help="effects beside the bad pixels (none), typical values in brackets: "
        + describe_effects().replace("%", "%%"),
    )  # fmt: skip
    parser.set_defaults(**asdict(Simulation()) | {"effects": []})
    found = vars(parser.parse_args(arguments))
    of_sky = [found.pop(name) for name in ("stars", "sky_signal", "dither")]
    if found["sky"]:
        found["sky"] = Sky(found["sky"], *of_sky)
    found["effects"] = parse_effects(found["effects"])
    return found.pop("out"), Simulation(**found)


if __name__ == "__main__":
    end_quickly()
    try:
        main(*parse_arguments())
    except ValueError as error:
        sys.exit(f"simulate.py: {error}")
