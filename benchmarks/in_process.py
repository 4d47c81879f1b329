"""Vote and response in separate processes: time and memory."""

import json
import sys

import numpy as np
from astropy.io import fits
from inputs import copies
from measure import PROJECT, Row, run

MEMORY_MB = 1536
VOTE_MB = 1.4 * 1024
# Preset -> the longest time (s) per pair of a dark and a flat, of the vote of the largest number.
PAIR_S = {"official defaults": 0.10, "flight preset": 0.22}
VOTE_THREADS = 2  # as in the rule
FLATS_STACKED = 25
LIMITS = {"DEAD": (-np.inf, 0.05), "LOW_QE": (0.05, 0.5), "bright": (1.05, np.inf)}


def child(task, folder, name, /, **arguments):
    """Run a task of children.py: (its seconds, Usage)."""
    log, given = folder / f"{name}.log", folder / f"{name}.json"
    given.write_text(json.dumps(arguments), encoding="utf-8")  # too long for an argument if there are many files
    usage = run([sys.executable, PROJECT / "benchmarks" / "children.py", task, given], log)
    return json.loads(log.read_text(encoding="utf-8").splitlines()[-1]), usage


def votes(folder, results, detector, numbers, presets):
    """Rows for the vote.

    Parameters
    ----------
    folder : Path
        Folder to write.
    results : Path
        Results of a detector, with the statistics to copy.
    detector : str
        Name of the detector.
    numbers : sequence of int
        Numbers of darks, and of flats, of the votes.
    presets : dict
        Name -> configuration keys.
    """
    response, work = str(results / "flat_response.fits"), {}
    for number in numbers:
        sources = {kind: sorted((results / kind).glob("*_statistics.fits")) for kind in ("darks", "flats")}
        paths = {
            kind: [str(p) for i, path in enumerate(files)
                   for p in copies(path, len(range(i, number, len(files))), folder / f"{number}" / kind / f"{i}")]
            for kind, files in sources.items()
        }  # fmt: skip
        for preset, keys in presets.items():
            outputs = {name: str(folder / f"{name}.out") for name in ("evidence", "summary", "rejected", "inputs")}
            outputs["mask"] = str(folder / "mask.fits")
            times, usage = child("vote", folder, f"vote_{number}_{preset}", response=response, keys=keys,
                                outputs=outputs, detector=detector, statistics=paths, threads=VOTE_THREADS)  # fmt: skip
            work.setdefault(preset, {})[number] = times["work s"]
            what = f"vote, N = {number}, {preset}"
            fits_in = usage.peak_mb <= VOTE_MB
            yield Row(f"{what}: peak memory", usage.peak_mb, "MB", f"<= {VOTE_MB:.0f}", fits_in, times)
        for kind in paths:
            for path in paths[kind]:
                (folder / path).unlink()
    for preset, seconds in work.items():
        most, least = max(seconds), min(seconds)
        per_pair, target = seconds[most] / most, PAIR_S[preset]
        made_of = {f"{number} + {number} s": value for number, value in seconds.items()}
        if most > least:
            made_of["s of one pair more"] = (seconds[most] - seconds[least]) / (most - least)
        yield Row(f"vote, N = {most} + {most}, {preset}: time per pair of a dark and a flat", per_pair, "s",
                  f"<= {target:.2f}", per_pair <= target, made_of)  # fmt: skip


def add_noise(paths):
    """Add noise to the statistics of flats: copies of a single flat have no scatter."""
    for seed, path in enumerate(paths):
        with fits.open(path, mode="update") as hdus:
            scatter = np.sqrt(np.nan_to_num(hdus["VAR_SLOPE"].data))
            hdus["SLOPE"].data += np.random.default_rng(seed).normal(size=scatter.shape).astype(np.float32) * scatter
            hdus["SLOPE"].add_checksum()


def responses(folder, results, detector, settings):
    """Rows for the response of FLATS_STACKED flats, against astropy on the whole stack."""
    source = sorted((results / "flats").glob("*_statistics.fits"))[0]
    flats = copies(source, FLATS_STACKED, folder / "flats_stacked")
    add_noise(flats)
    flats = [str(path) for path in flats]
    own_file, astropy_file = folder / "response.fits", folder / "astropy_response.fits"
    _, usage = child(
        "response", folder, "response", flats=flats, output=str(own_file), detector=detector, keys=settings
    )
    own_times = child(
        "response", folder, "response", flats=flats, output=str(own_file), detector=detector, keys=settings
    )[0]
    astropy_times, astropy_usage = child(
        "astropy_response", folder, "astropy_response", flats=flats, output=str(astropy_file),
        sigma=settings["flat_mean_sigma_threshold"], width=settings["smoothing_box_width"],
    )  # fmt: skip
    found = [{name: (image >= low) & (image < high) for name, (low, high) in LIMITS.items()}
             for image in (fits.getdata(path, "RESPONSE") for path in (own_file, astropy_file))]  # fmt: skip
    differing = sum(int((found[0][name] != found[1][name]).sum()) for name in LIMITS)
    faster = astropy_times["work s"] / own_times["work s"]
    made_of = {
        "work s": own_times["work s"],
        "astropy s": astropy_times["work s"],
        "astropy peak MB": astropy_usage.peak_mb,
    }
    title = f"flat_response of {FLATS_STACKED} integrations"
    yield Row(f"{title}: peak memory", usage.peak_mb, "MB", f"<= {MEMORY_MB}", usage.peak_mb <= MEMORY_MB, made_of)
    yield Row(f"{title}: times as fast as astropy", faster, "", ">= 2", faster >= 2, made_of)
    yield Row(f"{title}: pixels flagged differently", differing, "", "0", differing == 0,
              {name: int(image.sum()) for name, image in found[0].items()})  # fmt: skip
    for path in flats:
        (folder / path).unlink()
