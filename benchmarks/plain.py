"""Gain of the optimised code over plain code with the same results.

    python benchmarks/plain.py

Prints medians of alternating repeats of the plain and the optimised code.
"""

import statistics
import subprocess
import sys
import time

import numpy as np
from astropy.stats import sigma_clip
from measure import PROJECT, machine

sys.path.insert(0, str(PROJECT / "scripts"))

from badpix.numerics.clipping import CLIP_ITERATIONS, clipped_mean_std
from badpix.numerics.column_sort import CHUNK, sort_columns, sorting_network
from badpix.numerics.compiled import compiled
from badpix.response.normalise import clipped_stack

REPEATS = 7
IMPORT = "from jwst.pipeline import Detector1Pipeline"
STARTUP = "import sys; sys.path.insert(0, {!r}); from badpix.core.startup import *\n".format(str(PROJECT / "scripts"))
USE_SCHEMAS = "from stdatamodels.jwst.datamodels import MaskModel; MaskModel().close()"
COLLECT = "import gc\nfor _ in range(17): gc.collect()"


@compiled
def sort_in_turn(pixels):
    """Sort the values (pixel, value) of each pixel in place, pixel after pixel."""
    for pixel in range(len(pixels)):
        pixels[pixel].sort()


def sort_chunks(columns, comparators):
    """Sort a copy of the columns (value, pixel), as the statistics of a dark do."""
    for start in range(0, columns.shape[1], CHUNK):
        chunk = columns[:, start : start + CHUNK].copy()
        sort_columns(chunk, comparators)
        columns[:, start : start + CHUNK] = chunk


def child(program):
    """A function that runs `program` in a separate Python process."""
    return lambda: subprocess.run([sys.executable, "-c", STARTUP + program], check=True, capture_output=True)


def statistics_left(clipped, **axis):
    """Mean, standard deviation and number of the values in `clipped`, a masked array."""
    return clipped.mean(**axis), clipped.std(**axis), clipped.count(**axis)


def compare(what, plain, fast):
    """Print the median time of both functions, called in turn after a first call that compiles and caches."""
    seconds = {plain: [], fast: []}
    for function in (plain, fast) * (REPEATS + 1):
        start = time.perf_counter()
        function()
        seconds[function].append(time.perf_counter() - start)
    before, after = (statistics.median(times[1:]) for times in seconds.values())
    print(f"{what}: {before:.3f} s plain, {after:.3f} s optimised", flush=True)


def main():
    print(machine())
    rng = np.random.default_rng(1)
    values = rng.normal(50, 8, 2**22).astype(np.float32)
    values[:20_000] *= 300
    compare(
        "clipping of 4,194,304 values at 3 sigma, astropy's sigma_clip",
        lambda: statistics_left(sigma_clip(values, 3, maxiters=CLIP_ITERATIONS)),
        lambda: clipped_mean_std(values, 3, CLIP_ITERATIONS),
    )
    stack = rng.normal(100, 3, (10, 512, 512)).astype(np.float32)
    stack[rng.random(stack.shape) < 0.01] += 300
    compare(
        "clipping along 10 x 512 x 512, astropy's sigma_clip",
        lambda: statistics_left(sigma_clip(stack, 3, maxiters=CLIP_ITERATIONS, axis=0), axis=0),
        lambda: clipped_stack(stack, 3),
    )
    columns, network = rng.normal(0, 5, (19, 2**20)).astype(np.float32), sorting_network(19)
    pixels = np.ascontiguousarray(columns.T)

    def sort_fast():
        sort_chunks(columns.copy(), network)

    compare("19 values of 1,048,576 pixels sorted, numpy's sort", lambda: np.sort(columns, axis=0), sort_fast)
    compare("the same, sorted by numba pixel after pixel", lambda: sort_in_turn(pixels.copy()), sort_fast)
    compare("the mask's datamodel, YAML in Python", child(USE_SCHEMAS), child(f"read_yaml_in_c()\n{USE_SCHEMAS}"))
    compare(
        "the pipeline's imports and the 17 collections of its steps",
        child(f"{IMPORT}\n{COLLECT}\nend_quickly()"),
        child(f"with importing_much():\n    {IMPORT}\n{COLLECT}\nend_quickly()"),
    )
    few = "from badpix.core.startup import detector1_pipeline\ndetector1_pipeline()"
    compare("imports of all pipelines", child(f"with importing_much():\n    {IMPORT}"), child(few))
    compare("the pipeline's imports and the end", child(IMPORT), child(f"{IMPORT}\nend_quickly()"))


if __name__ == "__main__":
    main()
