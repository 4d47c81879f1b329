"""Bytes that an exposure writes to disk and that stay, and the whole workflow beside a program that writes."""

import multiprocessing
import os
import shutil
from contextlib import contextmanager

from inputs import raw_files, simulate
from measure import Row, run, snakemake
from whole import KINDS, Exposures, pair

# Bytes that the other program writes before it waits for the disk.
BLOCK = 2**26
# The places of the temporary files: in memory, on disk without waiting for it, and kept, with waiting (fsync).
PLACES = {
    "in memory": {"scratch": "auto"},
    "on disk, no fsync": {"scratch": None},
    "kept, fsync": {"scratch": None, "keep_intermediates": True},
}
KEPT = {
    "by default": ({"keep_rates": True}, {"dark": 1.7, "flat": 0.9}),
    "with keep_rates false": ({"keep_rates": False}, {"dark": 1.2, "flat": 0.35}),
}


def per_exposure(folder, exposures, kind, **keys):
    """(bytes written to disk, bytes kept) of the job of the first exposure of `kind`, by its raw bytes."""
    raw = exposures.raw[kind][0]
    results = folder / "results"
    shutil.rmtree(results, ignore_errors=True)
    config = exposures.config(folder / "config.yaml", results=str(results), **keys)
    name = raw.name.removesuffix("_uncal.fits")
    # What all exposures share, before.
    run(snakemake(folder, config, 1, "--until", "reference_pixel_mask", "prefetch_references"), folder / "first.log")
    (mask,) = results.glob("*/reference_pixel_mask.fits")
    target = mask.parent / f"{kind}s" / f"{name}_{kind}_statistics.fits"
    written = run(snakemake(folder, config, 1, target), folder / f"{kind}.log").written_mb
    kept = sum(path.stat().st_size for path in target.parent.glob(f"{name}_*.fits")) / 1e6
    n_raw = raw.stat().st_size / 1e6
    return written / n_raw, kept / n_raw


def _write_for_ever(path):
    with path.open("wb") as file:
        while True:
            file.seek(0)
            file.write(os.urandom(2**20) * (BLOCK // 2**20))
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def busy_disk(path):
    """Another program that writes to `path` and waits for the disk, again and again."""
    writer = multiprocessing.Process(target=_write_for_ever, args=(path,), daemon=True)
    writer.start()
    try:
        yield
    finally:
        writer.terminate()
        writer.join()
        path.unlink(missing_ok=True)


def measure(folder, options):
    """Rows of the disk: written and kept bytes, and the whole workflow beside a program that writes."""
    own = folder / "disk"
    own.mkdir(exist_ok=True)
    data = simulate(folder, options)
    exposures = Exposures(data, {kind: raw_files(data, f"{kind}s")[:5] for kind in KINDS})
    for place, keys in PLACES.items():
        written, kept = per_exposure(own, exposures, "dark", **keys)
        is_target = place == "in memory"
        yield Row(f"bytes written to disk per dark / raw bytes, temporary files {place}", written, "",
                  "<= 4" if is_target else "", written <= 4 or not is_target, {"kept": kept})  # fmt: skip
    for text, (keys, limits) in KEPT.items():
        for kind, limit in limits.items():
            kept = per_exposure(own, exposures, kind, **keys)[1]
            yield Row(f"bytes kept per {kind} / raw bytes, {text}", kept, "", f"<= {limit}", kept <= limit)
    for place, keys in PLACES.items():
        with busy_disk(own / "other_program"):
            whole, plain = pair(own, exposures, **keys)
        yield Row(f"whole workflow / bare detector1 beside a program that writes, temporary files {place}",
                  whole / plain, "", "", True, {"workflow s": whole, "bare s": plain})  # fmt: skip
    shutil.rmtree(own)
