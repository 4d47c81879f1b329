"""The data that a run's products hold, and how two runs differ in them."""

import numpy as np
from astropy.io import fits

from badpix.formats.mask_file import read_mask

# Products that hold data, and the rules that make them: of raw exposures, and of given products.
RULES_OF = {
    "dark_statistics": {"detector1_dark", "dark_statistics"},
    "flat_statistics": {"detector1_flat", "flat_statistics"},
    "flat_response": {"flat_response"},
    "evidence": {"bad_pixel_mask"},
    "mask": {"bad_pixel_mask"},
}


def images_of(path):
    """All images and tables of a FITS file except its provenance: (file name, extension) -> array."""
    with fits.open(path) as hdus:
        measured = [hdu for hdu in hdus if hdu.data is not None and hdu.name != "PROVENANCE"]
        return {(path.name, hdu.name): np.array(hdu.data) for hdu in measured}


def measured(results):
    """The data of a detector's results: product -> {(file, extension): array}."""
    files = {
        "dark_statistics": sorted(results.glob("darks/*_dark_statistics.fits")),
        "flat_statistics": sorted(results.glob("flats/*_flat_statistics.fits")),
        "flat_response": sorted(results.glob("flat_response.fits")),
        "evidence": [results / "evidence.fits"],
    }
    data = {
        product: {name: image for path in paths for name, image in images_of(path).items()}
        for product, paths in files.items()
    }
    return data | {"mask": {"DQ": read_mask(results / "test_bpm.fits")}}


def same(one, other):
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    # Bit for bit, so that NaN equals NaN.
    return one.tobytes() == other.tobytes()


def differing(before, after):
    """The products of two `measured` whose data differ."""
    return {
        product
        for product, images in after.items()
        if images.keys() != before[product].keys()
        or not all(same(image, before[product][name]) for name, image in images.items())
    }


def jobs_of(run):
    """The jobs of a Run by rule; in how many parts the references are looked up does not matter."""
    return run.jobs | ({"prefetch_references": 1} if "prefetch_references" in run.jobs else {})


def mask_header(results, name="test_bpm.fits"):
    return fits.getheader(results / name, 0)


def edited(source, target, extension, change):
    """Write a copy of the FITS file `source` at `target` with `change` applied to the array of `extension`."""
    target.parent.mkdir(exist_ok=True)
    with fits.open(source) as hdus:
        change(hdus[extension].data)
        hdus.writeto(target)
