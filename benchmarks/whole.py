"""The whole workflow against the same detector1 calls as bare processes; an added exposure; another threshold."""

import json
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from bare_detector1 import CALL, default_steps
from inputs import NUMBER, raw_files, simulate, write_config
from measure import Row, run, snakemake

KINDS = ("dark", "flat")


def bare(folder, raw, kind, mask, crds):
    """Run detector1 on an exposure in a separate process; its products stay in `folder`.

    Parameters
    ----------
    folder : Path
        Folder of the products.
    raw : str
        Path of the raw file.
    kind : str
        dark or flat.
    mask : Path
        The reference-pixel mask.
    crds : Path
        The CRDS cache.

    Returns
    -------
    Usage
    """
    folder.mkdir(parents=True, exist_ok=True)
    steps = json.dumps(default_steps(mask)[kind])
    return run([sys.executable, "-c", CALL, raw, steps, folder], folder / "detector1.log", CRDS_PATH=str(crds))


def all_bare(folder, work, mask, crds):
    """Wall time (s) of detector1 for all of `work` (kind, raw file), two at a time; keeps products of each kind."""
    start = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda item: _bare_of(folder, item, mask, crds), enumerate(work)))
    return time.monotonic() - start


def _bare_of(folder, numbered, mask, crds):
    number, (kind, raw) = numbered
    own = folder / f"{number:02d}_{kind}"
    bare(own, raw, kind, mask, crds)
    if number % NUMBER:
        shutil.rmtree(own)


def products_kept(folder):
    """kind -> product -> path of the products kept by `all_bare`."""
    found = {}
    for number, kind in enumerate(KINDS):
        paths = (folder / f"{number * NUMBER:02d}_{kind}").glob("*.fits")
        found[kind] = {path.stem.rsplit("_", 1)[1]: path for path in paths}
    return found


def measure(folder, options):
    """Rows of the whole workflow; the statistics and the products of detector1 stay in `folder`."""
    data = simulate(folder, options)
    crds = data / "crds_cache"
    darks, flats = ([str(path) for path in raw_files(data, kind)] for kind in ("darks", "flats"))
    keys = {"results": str(folder / "results"), "quality_check": False}
    config = write_config(folder / "config.yaml", data, darks=darks[:NUMBER], flats=flats, **keys)
    shutil.rmtree(folder / "results", ignore_errors=True)
    whole = run(snakemake(folder, config, 2), folder / "whole.log")
    (mask,) = (folder / "results").glob("*/reference_pixel_mask.fits")
    work = [("dark", path) for path in darks[:NUMBER]] + [("flat", path) for path in flats]
    plain = all_bare(folder / "bare", work, mask, crds)
    ratio = whole.wall_s / plain
    yield Row(f"whole workflow, {NUMBER} darks + {NUMBER} flats, 2 cores / bare detector1, two at a time", ratio, "",
              "<= 1.20", ratio <= 1.2, {"workflow s": whole.wall_s, "bare s": plain})  # fmt: skip
    again = run(snakemake(folder, write_config(folder / "config.yaml", data, darks=darks[:NUMBER], flats=flats,
                                               max_jump_limit=12, **keys), 2), folder / "again.log")  # fmt: skip
    yield Row(f"another threshold, {2 * NUMBER} exposures", again.wall_s, "s", "<= 10", again.wall_s <= 10)
    single = bare(folder / "bare_one", darks[NUMBER], "dark", mask, crds)
    shutil.rmtree(folder / "bare_one")
    more = run(snakemake(folder, write_config(folder / "config.yaml", data, darks=darks, flats=flats,
                                              max_jump_limit=12, **keys), 2), folder / "more.log")  # fmt: skip
    ratio = more.wall_s / single.wall_s
    yield Row("one dark added to ten exposures / one bare detector1", ratio, "", "<= 1.6", ratio <= 1.6,
              {"workflow s": more.wall_s, "bare s": single.wall_s})  # fmt: skip
