"""Simulate raw darks and lamp flats of one detector with planted bad pixels, and a CRDS cache for them.

Writes below the output folder: darks/*_uncal.fits, flats/*_uncal.fits, truth.fits, truth.csv, crds_cache/ and
config.yaml. Run again into the same folder with --first-dark (--first-flat) to add exposures of the same detector:
its truth, cache and config are then left as they are.
"""

import argparse
import json
import sys
from pathlib import Path

from badpix.simulate.crds_cache import write_crds_cache
from badpix.simulate.detector import make_detector
from badpix.simulate.headers import INSTRUMENTS, make_geometry
from badpix.simulate.populations import POPULATIONS
from badpix.simulate.ramps import simulate_exposure
from badpix.simulate.truth import check_same_detector, write_truth
from badpix.simulate.uncal import write_uncal

SERVER_URL = "https://jwst-serverless.invalid"  # "serverless" in the address keeps CRDS off the network


def main(
    out: str | Path,
    size: int = 256,
    instrument: str = "NIRISS",
    detector: str | None = None,
    darks: int = 5,
    flats: int = 5,
    integrations: int = 2,
    groups: int = 30,
    seed: int = 1,
    first_dark: int = 1,
    first_flat: int = 1,
    population: str = "demo",
) -> list[Path]:
    """Write the simulation and return the paths of the exposures, darks first. Arguments as on the command line."""
    folder = Path(out)
    model = make_detector(make_geometry(instrument, size, detector), seed, POPULATIONS[population])
    truth = folder / "truth.fits"
    if truth.exists():
        check_same_detector(truth, model, seed)
    paths = []
    for kind, count, first in (("dark", darks, first_dark), ("flat", flats, first_flat)):
        kind_folder = folder / f"{kind}s"
        kind_folder.mkdir(parents=True, exist_ok=True)
        for index in range(first, first + count):
            counts_dn = simulate_exposure(model, kind, index, integrations, groups, seed)
            paths.append(write_uncal(kind_folder, counts_dn, model.geometry, kind, index))
            print(paths[-1], flush=True)
    if not truth.exists():  # written last: where it exists, the cache is complete
        write_crds_cache(folder / "crds_cache", [model], groups)
        write_config(folder / "config.yaml", out)
        write_truth(truth, folder / "truth.csv", model, seed)
    print(f"{len(model.pixels)} planted pixels: {truth}")
    return paths


def write_config(path: Path, out: str | Path) -> None:
    """Write the workflow configuration that runs this demo; paths as given, quoted as JSON, which is valid YAML."""
    keys = {
        "darks": f"{out}/darks",
        "flats": f"{out}/flats",
        "results": f"{out}/results",
        "crds_path": f"{out}/crds_cache",
        "crds_server_url": SERVER_URL,
    }
    path.write_text("".join(f"{key}: {json.dumps(str(value))}\n" for key, value in keys.items()))


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="folder to write, made if needed")
    parser.add_argument("--size", type=int, default=256, help="pixels on a side: 2048 is the full frame (256)")
    parser.add_argument("--instrument", choices=sorted(INSTRUMENTS), default="NIRISS")
    parser.add_argument("--detector", help="NIS, NRCA1, NRCALONG ... (the first of the instrument)")
    parser.add_argument("--darks", type=int, default=5, help="number of dark exposures (5)")
    parser.add_argument("--flats", type=int, default=5, help="number of internal flat exposures (5)")
    parser.add_argument("--integrations", type=int, default=2, help="per exposure (2)")
    parser.add_argument("--groups", type=int, default=30, help="per integration (30)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same detector and exposures (1)")
    parser.add_argument("--first-dark", type=int, default=1, help="number of the first dark, to add more later (1)")
    parser.add_argument("--first-flat", type=int, default=1, help="number of the first flat, to add more later (1)")
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
