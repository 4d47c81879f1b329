"""How large is the report page of a full frame, how long does it take to make, and to open in a browser?

    python benchmarks/report_full_frame.py --results data/demo/results/NIS --out bench/report [--flagged 50000]

Takes the statistics of a small simulated run (5 darks, 5 flats), tiles them to 2048 x 2048 pixels with some noise on
every value, so that they compress like measured ones, and heals so many tiles that about as many pixels as asked for
are flagged. Then votes with the preset `flight`, makes the page and opens it in headless Chromium, several times.
"""

import argparse
import dataclasses
import resource
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import yaml
from astropy.io import fits
from measure import PROJECT, machine

sys.path[:0] = [str(PROJECT / "scripts"), str(PROJECT / "tests")]

# The scripts and their library, which no package has.
import bad_pixel_mask  # noqa: E402
import report_page  # noqa: E402
from badpix.config import load_schema, load_steps, validated  # noqa: E402
from badpix.detectors import load_detectors  # noqa: E402
from badpix.report.evidence import read_evidence  # noqa: E402
from workflow.browser import ARGUMENTS, CHROMIUM  # noqa: E402

SIDE, TILE = 2048, 60
PRESET = PROJECT / "config" / "presets" / "flight.yaml"


class Tiling:
    """Makes full frames of images (..., y, x) of a small array: its first TILE rows and columns, over and over.

    `bad` is the boolean image of its bad pixels; healthy ones take their place in all tiles but a part `spoilt`.
    """

    def __init__(self, bad, spoilt, seed=0):
        self.rng = np.random.default_rng(seed)
        n_tiles = -(-SIDE // TILE)
        spoilt_tiles = self.rng.random((n_tiles, n_tiles)) < spoilt
        self.tile_spoilt = np.kron(spoilt_tiles, np.ones((TILE, TILE), bool))[:SIDE, :SIDE]
        self.repeats = n_tiles
        healthy = np.flatnonzero(~bad[:TILE, :TILE])
        self.source = np.arange(TILE * TILE).reshape(TILE, TILE)
        self.source[bad[:TILE, :TILE]] = self.rng.choice(healthy, int(bad[:TILE, :TILE].sum()))

    def __call__(self, image):
        small = image[:TILE, :TILE]
        spoilt, healed = (np.tile(part, (self.repeats, self.repeats))[:SIDE, :SIDE]
                          for part in (small, small.ravel()[self.source]))  # fmt: skip
        frame = np.where(self.tile_spoilt, spoilt, healed)
        if frame.dtype.kind == "f":
            frame = frame * (1 + 1e-3 * self.rng.standard_normal(frame.shape, np.float32))
        return frame.astype(image.dtype.newbyteorder("="))


def tile_file(source, target, tiling):
    """Write `source` with all its images tiled to the full frame at `target`."""
    with fits.open(source) as hdus:
        tiled = [fits.PrimaryHDU(header=hdus[0].header)]
        keys = {"SUBARRAY": "FULL", "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": SIDE, "SUBSIZE2": SIDE}
        tiled[0].header.update({key: value for key, value in keys.items() if key in hdus[0].header})
        for hdu in hdus[1:]:
            if hdu.is_image:
                stack = np.asarray(hdu.data)
                planes = [tiling(plane) for plane in stack.reshape(-1, *stack.shape[-2:])]
                data = np.stack(planes) if stack.ndim > 2 else planes[0]
                tiled.append(fits.ImageHDU(data, name=hdu.name))
            else:
                tiled.append(hdu.copy())
        fits.HDUList(tiled).writeto(target, overwrite=True)


def opening_times(page, repeats):
    """Until the page is ready, each time in a new browser: seconds, and those of all its processes' CPU time.

    And the JavaScript memory (MB). On a busy machine the CPU time tells more.
    """
    from playwright.sync_api import sync_playwright

    times, busy, heap = [], [], 0
    with sync_playwright() as playwright:
        for _ in range(repeats):
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            view = browser.new_page(viewport={"width": 1440, "height": 1000})
            start = time.perf_counter()
            view.goto(page.resolve().as_uri())
            view.wait_for_function("document.documentElement.dataset.ready", timeout=120_000)
            times.append(time.perf_counter() - start)
            processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
            chromium = [process for process in processes if "chromium" in process.name()]
            busy.append(sum(sum(process.cpu_times()[:2]) for process in chromium))
            heap = view.evaluate("performance.memory.usedJSHeapSize") / 2**20
            view.screenshot(path=page.with_suffix(".png"))
            browser.close()
    return times, busy, heap


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", required=True, type=Path, help="results of a detector, made with preset flight")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--flagged", type=int, default=50_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    config = {"darks": "x"} | yaml.safe_load(PRESET.read_text(encoding="utf-8"))
    schemas = PROJECT / "config" / "schemas"
    config = validated(
        config, load_schema(schemas / "config.schema.yaml"), load_steps(schemas / "detector1_steps.json")
    )
    evidence = read_evidence(options.results / "evidence.fits")
    bad = (evidence.found != 0) | (evidence.intermittent != 0)
    per_frame = np.count_nonzero(evidence.found[:TILE, :TILE]) * (SIDE / TILE) ** 2
    tiling = Tiling(bad, min(1.0, options.flagged / per_frame))
    files = {}
    for kind, pattern in (("darks", "darks/*_dark_statistics"), ("flats", "flats/*_flat_statistics"),
                          ("exposures", "flats/*_exposure_response"), ("mean", "flat_response")):  # fmt: skip
        files[kind] = []
        for source in sorted(options.results.glob(f"{pattern}.fits")):
            files[kind].append(str(options.out / source.name))
            if not Path(files[kind][-1]).exists():
                tile_file(source, files[kind][-1], tiling)
    detector = dataclasses.asdict(load_detectors(PROJECT / "config" / "detectors")[evidence_detector(options.results)])
    outputs = {name: str(options.out / file) for name, file in
               (("evidence", "evidence.fits"), ("mask", "mask.fits"), ("summary", "summary.csv"),
                ("quarantine", "quarantine.csv"))}  # fmt: skip
    statistics = {kind: files[kind] for kind in ("darks", "flats")}
    responses = {"mean": files["mean"][0], "exposures": files["exposures"]}
    bad_pixel_mask.main(statistics, responses, outputs, detector, config, None, {}, {}, {})
    start, start_cpu = time.perf_counter(), time.process_time()
    page = options.out / "report.html"
    report_page.main(
        statistics, {"page": page, "facts": options.out / "report.json"}, detector, config, {}, None,
        outputs["evidence"], mask=outputs["mask"], quarantine=outputs["quarantine"], leave_one_out=None,
        compare_with=None, responses=responses, ramp_files={}, benchmarks=[options.results / "benchmarks"],
        index="", epoch="",
    )  # fmt: skip
    made, made_cpu = time.perf_counter() - start, time.process_time() - start_cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    times, busy, heap = opening_times(page, options.repeats)
    flagged = np.count_nonzero(read_evidence(outputs["evidence"]).found)
    print(f"machine: {machine()}")
    size = page.stat().st_size / 2**20
    print(
        f"pixels found: {flagged}; page: {size:.1f} MB, made in {made:.0f} s ({made_cpu:.0f} s CPU); peak {peak:.0f} MB"
    )
    for words, seconds in (("opens in", times), ("CPU time of the browser, its own start included:", busy)):
        print(words, ", ".join(f"{value:.1f}" for value in seconds), "s")
    print(f"{heap:.0f} MB of JavaScript memory")


def evidence_detector(results):
    """The detector of a results folder."""
    return fits.getval(results / "evidence.fits", "DETECTOR")


if __name__ == "__main__":
    main()
