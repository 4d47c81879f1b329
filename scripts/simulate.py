"""Simulate raw darks and lamp flats of detectors with planted bad pixels, and a CRDS cache for them.

Writes below the output folder: darks/*_uncal.fits, flats/*_uncal.fits, truth.fits, truth.csv, crds_cache/ and
config.yaml. Run again into the same folder with --first-dark (--first-flat) to add exposures of the same detector:
its truth, cache and config are then left as they are. With --epoch it has grown older: bad pixels are new, recovered or
of another type, as truth_epoch<N>.fits and changes_epoch<N>.csv (all since the first epoch) say; the exposures of the
epoch are added to the folder.

With several detectors, or run again for another one, the truth of each after the first is truth_<detector>.fits.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from astropy.io import fits

from badpix.simulate.crds_cache import write_crds_cache
from badpix.simulate.detector import DetectorModel, make_detector
from badpix.simulate.evolution import evolve, first_number
from badpix.simulate.headers import make_geometry, split_integrations
from badpix.simulate.instruments import INSTRUMENTS
from badpix.simulate.populations import POPULATIONS
from badpix.simulate.ramps import simulate_exposure
from badpix.simulate.truth import check_same_detector, write_truth
from badpix.simulate.uncal import write_uncal

SERVER_URL = "https://jwst-serverless.invalid"  # "serverless" in the address keeps CRDS off the network


def main(
    out: str | Path,
    size: int | None = None,
    instrument: str = "NIRISS",
    detector: str | Sequence[str] | None = None,
    darks: int = 5,
    flats: int = 5,
    integrations: int = 2,
    groups: int = 30,
    seed: int = 1,
    first_dark: int = 1,
    first_flat: int = 1,
    population: str = "demo",
    subarray: str | None = None,
    readpatt: str | None = None,
    segments: int = 1,
    epoch: int = 1,
) -> list[Path]:
    """Write the simulation and return the paths of the files, darks first. Arguments as on the command line."""
    names = [detector] if detector is None or isinstance(detector, str) else list(detector)
    paths = []
    for number, name in enumerate(names):
        geometry = make_geometry(instrument, size, name, subarray, readpatt)
        # Detectors of one run differ: the same pixels planted in two of them would hide that they are mixed up.
        own_seed = seed + number
        model = make_detector(geometry, own_seed, POPULATIONS[population])
        truth = truth_path(Path(out), geometry.detector)
        if truth.exists():
            check_same_detector(truth, model, own_seed)
        elif epoch > 1:
            raise ValueError(f"epoch {epoch} goes into the folder of the first one, and {truth} is not there")
        model, changes = evolve(model, epoch, own_seed)
        for kind, count, first in (("dark", darks, first_dark), ("flat", flats, first_flat)):
            first += first_number(epoch) - 1
            for index in range(first, first + count):
                paths += write_exposure(
                    Path(out) / f"{kind}s", model, kind, index, integrations, groups, own_seed, segments
                )
        if not truth.exists():  # written last: where it exists, the cache is complete
            write_crds_cache(Path(out) / "crds_cache", [model], groups)
            write_truth(truth, model, own_seed)
            write_config(Path(out) / "config.yaml", out, several_detectors(Path(out)))
        if epoch > 1:
            truth = truth.with_name(f"{truth.stem}_epoch{epoch}.fits")
            write_truth(truth, model, own_seed)
            changes.to_csv(truth.with_name(truth.stem.replace("truth", "changes") + ".csv"), index=False)
        print(f"{len(model.pixels)} planted pixels: {truth}")
    return paths


def truth_path(folder: Path, detector: str) -> Path:
    """Where the truth of a detector is, or will be: the first one of a folder has truth.fits."""
    first = folder / "truth.fits"
    if not first.exists() or fits.getval(first, "DETECTOR") == detector:
        return first
    return folder / f"truth_{detector.lower()}.fits"


def write_exposure(
    folder: Path,
    model: DetectorModel,
    kind: str,
    index: int,
    integrations: int,
    groups: int,
    seed: int,
    segments: int,
) -> list[Path]:
    """Simulate one exposure and write it, in as many files as it has segments; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = split_integrations(integrations, segments) if segments > 1 else [None]
    counts_dn = simulate_exposure(model, kind, index, integrations, groups, seed)
    paths = [write_uncal(folder, counts_dn, model.geometry, kind, index, part) for part in parts]
    print(*paths, sep="\n", flush=True)
    return paths


def several_detectors(folder: Path) -> bool:
    """Whether the folder has the truth of more than one detector; epochs of one do not count."""
    return len([path for path in folder.glob("truth*.fits") if "_epoch" not in path.name]) > 1


def write_config(path: Path, out: str | Path, several: bool = False) -> None:
    """Write the workflow configuration that runs this demo; paths as given, quoted as JSON, which is valid YAML."""
    keys = {
        "darks": f"{out}/darks",
        "flats": f"{out}/flats",
        "results": f"{out}/results",
        "crds_path": f"{out}/crds_cache",
        "crds_server_url": SERVER_URL,
    }
    if several:
        keys["detectors"] = "all"
    path.write_text("".join(f"{key}: {json.dumps(str(value))}\n" for key, value in keys.items()))


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="folder to write, made if needed")
    parser.add_argument("--size", type=int, help="pixels on a side of a square array (256, or the first subarray)")
    parser.add_argument("--subarray", help="name of a subarray, or FULL, in place of --size")
    parser.add_argument("--instrument", type=str.upper, choices=sorted(INSTRUMENTS), default="NIRISS")
    parser.add_argument(
        "--detector", nargs="+",
        help="NIS, NRCA1, NRCALONG ... (the first of the instrument); seeds of several count up from --seed",
    )  # fmt: skip
    parser.add_argument("--readpatt", help="read pattern, such as NRSIRS2RAPID (the instrument's usual one)")
    parser.add_argument("--darks", type=int, default=5, help="number of dark exposures (5)")
    parser.add_argument("--flats", type=int, default=5, help="number of internal flat exposures (5)")
    parser.add_argument("--integrations", type=int, default=2, help="per exposure (2)")
    parser.add_argument("--segments", type=int, default=1, help="files that an exposure is cut into (1)")
    parser.add_argument("--groups", type=int, default=30, help="per integration (30)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same detector and exposures (1)")
    parser.add_argument("--first-dark", type=int, default=1, help="number of the first dark, to add more later (1)")
    parser.add_argument("--first-flat", type=int, default=1, help="number of the first flat, to add more later (1)")
    parser.add_argument(
        "--epoch", type=int, default=1,
        help="of the detector: after the first one (1) some bad pixels are new, recovered or of another type",
    )  # fmt: skip
    parser.add_argument(
        "--population", choices=sorted(POPULATIONS), default="demo",
        help="of bad pixels: demo is clear cut, survey reaches from undetectable to obvious (demo)",
    )  # fmt: skip
    return parser.parse_args(arguments)


if __name__ == "__main__":
    try:
        main(**vars(parse_arguments()))
    except ValueError as error:
        sys.exit(f"simulate.py: {error}")
