"""The whole workflow against the same detector1 calls as bare processes; an added exposure; another threshold."""

import json
import shutil
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bare_detector1 import CALL, default_steps
from inputs import NUMBER, raw_files, simulate, write_config
from measure import PROJECT, Row, run, snakemake

KINDS = ("dark", "flat")
PAIRS = 3


@dataclass(frozen=True)
class Exposures:
    """Raw files of `kind` (dark or flat) -> paths, in the folder `data` of the simulator with its CRDS cache."""

    data: Path
    raw: dict

    @property
    def crds(self):
        """The CRDS cache."""
        return self.data / "crds_cache"

    def config(self, path, **keys):
        """Write a configuration of the exposures, updated with `keys`; returns its path."""
        files = {f"{kind}s": [str(raw) for raw in self.raw[kind]] for kind in KINDS}
        return write_config(path, self.data, quality_check=False, **files | keys)


def bare(folder, raw, kind, mask, crds):
    """Run detector1 on the file `raw` in a separate process; its products stay in `folder`. Returns a Usage.

    `mask` is the reference-pixel mask, `crds` the CRDS cache.
    """
    folder.mkdir(parents=True, exist_ok=True)
    steps = json.dumps(default_steps(mask)[kind])
    return run([sys.executable, "-c", CALL, raw, steps, folder], folder / "detector1.log", CRDS_PATH=str(crds))


def all_bare(folder, exposures, mask):
    """Wall time (s) of detector1 for all `exposures`, two at a time; the products are removed, as by the workflow."""
    work = [(kind, raw) for kind in KINDS for raw in exposures.raw[kind]]

    def one(numbered):
        number, (kind, raw) = numbered
        own = folder / f"{number:02d}_{kind}"
        bare(own, raw, kind, mask, exposures.crds)
        shutil.rmtree(own)

    start = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, enumerate(work)))
    return time.monotonic() - start


def pair(folder, exposures, **keys):
    """Seconds of the whole workflow into `folder`/results, from nothing, and of the bare calls."""
    results = folder / "results"
    shutil.rmtree(results, ignore_errors=True)
    config = exposures.config(folder / "config.yaml", results=str(results), **keys)
    whole = run(snakemake(folder, config, 2), folder / "whole.log").wall_s
    (mask,) = results.glob("*/reference_pixel_mask.fits")
    return whole, all_bare(folder / "bare", exposures, mask)


def bare_mask(folder, mask, crds):
    """Wall time (s) of bare_mask.smk, which writes the file `mask` again and certifies it with the CRDS cache."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    context = max((crds / "mappings" / "jwst").glob("*.pmap"))
    words = [Path(sys.executable).with_name("snakemake"), "--snakefile", PROJECT / "benchmarks" / "bare_mask.smk",
             "--directory", folder, "--cores", 2, "--nolock",
             "--config", f"mask={mask}", f"context={context.name}", f"python={sys.executable}"]  # fmt: skip
    return run(words, folder / "run.log", CRDS_PATH=str(crds)).wall_s


def median_of_pairs(folder, exposures, n_pairs=PAIRS, **keys):
    """(median ratio, seconds of all pairs) of the whole workflow and the bare calls, in turn."""
    pairs = [pair(folder, exposures, **keys) for _ in range(n_pairs)]
    made_of = {f"{name} s {i}": seconds for i, both in enumerate(pairs, 1)
               for name, seconds in zip(("workflow", "bare"), both, strict=True)}  # fmt: skip
    return statistics.median(whole / plain for whole, plain in pairs), made_of


def measure(folder, options):
    """Rows of the whole workflow; its results stay in `folder`."""
    data = simulate(folder, options)
    raw = {kind: raw_files(data, f"{kind}s") for kind in KINDS}
    five = Exposures(data, {kind: paths[:NUMBER] for kind, paths in raw.items()})
    ratio, made_of = median_of_pairs(folder, five, options.pairs)
    yield Row(f"whole workflow, {NUMBER} darks + {NUMBER} flats, 2 cores / bare detector1, two at a time", ratio, "",
              "<= 1.05", ratio <= 1.05, made_of)  # fmt: skip
    results, config = str(folder / "results"), folder / "config.yaml"
    (mask,) = (folder / "results").glob("*/reference_pixel_mask.fits")
    voted = mask.with_name("test_bpm.fits")
    seconds, floor = [], []
    for limit in range(12, 12 + options.pairs):
        five.config(config, results=results, max_jump_limit=limit)
        seconds.append(run(snakemake(folder, config, 2), folder / "again.log").wall_s)
        floor.append(bare_mask(folder / "bare_mask", voted, data / "crds_cache"))
    again, least = statistics.median(seconds), statistics.median(floor)
    yield Row(f"another threshold, {2 * NUMBER} exposures", again, "s", "<= 5", again <= 5)
    yield Row("another threshold / a bare workflow that writes a mask and certifies it", again / least, "", "", True,
              {"workflow s": again, "bare s": least})  # fmt: skip
    ratios, made_of = [], {}
    for number in range(1, options.pairs + 1):
        single = bare(folder / "bare_one", raw["dark"][NUMBER], "dark", mask, five.crds).wall_s
        shutil.rmtree(folder / "bare_one")
        Exposures(data, raw).config(config, results=results, max_jump_limit=limit)
        more = run(snakemake(folder, config, 2), folder / "more.log").wall_s
        made_of |= {f"workflow s {number}": more, f"bare s {number}": single}
        ratios.append(more / single)
        for path in (folder / "results").glob(f"*/darks/{raw['dark'][NUMBER].name.removesuffix('_uncal.fits')}_*"):
            path.unlink()
    ratio = statistics.median(ratios)
    yield Row("one dark added to ten exposures / one bare detector1", ratio, "", "<= 1.17", ratio <= 1.17, made_of)


def small(folder, options):
    """The row of 20 + 20 exposures of 256 x 256 pixels."""
    folder = folder / "small"
    folder.mkdir(exist_ok=True)
    data = simulate(folder, options, size=256, number=20)
    exposures = Exposures(data, {kind: raw_files(data, f"{kind}s")[:20] for kind in KINDS})
    ratio, made_of = median_of_pairs(folder, exposures, options.pairs)
    yield Row("whole workflow, 20 darks + 20 flats of 256 x 256 pixels / bare detector1", ratio, "", "<= 1.05",
              ratio <= 1.05, made_of)  # fmt: skip
