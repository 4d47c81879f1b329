"""The parts of the benchmarks that run in a separate process, so that its memory can be measured.

    python benchmarks/children.py TASK FILE

The JSON file has the arguments of the task. Prints a JSON object of seconds. The times exclude the start of Python;
the imports are listed separately.
"""

import json
import sys
import time
from pathlib import Path

START = time.perf_counter()
PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "scripts"))

import dataclasses  # noqa: E402
import runpy  # noqa: E402

import numpy as np  # noqa: E402

from badpix.config.check import load_schema, load_steps, validated  # noqa: E402
from badpix.config.settings import ResponseSettings, with_max_dead_norm_signal  # noqa: E402
from badpix.formats.response_file import Responses  # noqa: E402
from badpix.instrument.detectors import load_detectors  # noqa: E402
from badpix.vote.exposure_set import VoteFiles  # noqa: E402

BUFFER = np.empty(2**24, np.uint8)


def names_of(name):
    """The names that a script of the workflow defines, imported."""
    return runpy.run_path(str(PROJECT / "scripts" / f"{name}.py"), run_name=name)


def script(name):
    """The function `main` of a script of the workflow, imported."""
    return names_of(name)["main"]


def detector_data(name):
    """The fields of the Detector as a plain mapping."""
    return dataclasses.asdict(load_detectors(PROJECT / "config" / "detectors")[name])


def configuration(keys):
    """All keys of the configuration, with defaults."""
    schemas = PROJECT / "config" / "schemas"
    schema, steps = load_schema(schemas / "config.schema.yaml"), load_steps(schemas / "detector1_steps.json")
    return validated({"darks": "d", "flats": "f"} | keys, schema, steps)


def seconds(function, *arguments):
    """Seconds of a call."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def read_whole(paths):
    """Read all bytes of the files, piece by piece."""
    for path in paths:
        with Path(path).open("rb", buffering=0) as stream:
            while stream.readinto(BUFFER):
                pass


def vote(statistics, response, keys, outputs, detector, threads):
    """The vote, and reading all its statistics files once.

    Parameters
    ----------
    statistics : dict
        Kind (darks, flats) -> paths.
    response : str
        Path of the flats' response.
    keys : dict
        Configuration keys that differ from the defaults.
    outputs : dict
        mask, evidence, summary, rejected -> path.
    detector : str
        Name of the detector.
    threads : int
        Threads of the vote.

    Returns
    -------
    dict
        Seconds of imports, reading and work.
    """
    names = names_of("bad_pixel_mask")
    imports = time.perf_counter() - START
    config = with_max_dead_norm_signal(configuration(keys), None)
    files = [*statistics["darks"], *statistics["flats"]]
    read_whole(files)
    reading = seconds(read_whole, files)
    voting = VoteFiles(statistics["darks"], statistics["flats"], Responses(response))
    working = seconds(names["main"], voting, outputs, detector_data(detector), config, names["HeaderOrigin"](), threads)
    return {"imports s": imports, "read s": reading, "work s": working}


def response(flats, output, detector, keys):
    """The response of the flats by rows."""
    main, settings = script("flat_response"), ResponseSettings.from_config(keys)
    imports = time.perf_counter() - START
    return {"imports s": imports, "work s": seconds(main, flats, output, detector_data(detector), settings)}


def astropy_response(flats, output, sigma, width):
    """The same with astropy alone: the whole stack clipped at once, and divided by its box-smoothed mean."""
    from astropy.convolution import Box2DKernel, convolve
    from astropy.io import fits
    from astropy.stats import sigma_clip

    imports = time.perf_counter() - START
    start = time.perf_counter()
    stack = np.concatenate([fits.getdata(path, "SLOPE") for path in flats]).astype(np.float64)
    clipped = sigma_clip(np.ma.masked_invalid(stack), sigma=sigma, maxiters=5, axis=0)
    mean = np.ma.filled(clipped.mean(axis=0), np.nan)
    # Reference pixels as in the workflow: no light, and the median beyond the border.
    border = np.zeros(mean.shape, bool)
    border[:4], border[-4:], border[:, :4], border[:, -4:] = True, True, True, True
    mean[border] = np.nan
    smooth = convolve(mean, Box2DKernel(width), boundary="fill", fill_value=np.nanmedian(mean))
    norm = mean / smooth
    working = time.perf_counter() - start
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(norm, name="RESPONSE")]).writeto(output, overwrite=True)
    return {"imports s": imports, "work s": working}


def measure_many(folder, exposures):
    """The statistics of many exposures with products below `folder`, as the rules for given products write them.

    `exposures` maps name to detector, kind and products.
    """
    from badpix.instrument.detectors import detector_from_mapping
    from badpix.statistics.dark import DarkMeasurement
    from badpix.statistics.flat import FlatMeasurement
    from badpix.statistics.given import measure_given

    fraction = configuration({})["early_cutoff_fraction"]
    for name, (detector, kind, products) in exposures.items():
        paths = {product: f"{folder}/{kind}/{name}_{product}.fits" for product in products}
        output = Path(folder, "results", detector, kind, f"{name}_{kind.removesuffix('s')}_statistics.fits")
        output.parent.mkdir(parents=True, exist_ok=True)
        dark = DarkMeasurement(detector_from_mapping(detector_data(detector)), fraction)
        measure_given(paths, output, name, dark if kind == "darks" else FlatMeasurement())
    return {"work s": time.perf_counter() - START}


if __name__ == "__main__":
    tasks = (vote, response, astropy_response, measure_many)
    task = {function.__name__: function for function in tasks}[sys.argv[1]]
    print(json.dumps(task(**json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")))))
