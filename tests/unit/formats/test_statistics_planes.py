"""Planes of statistics files are read once, in native byte order, and verified meanwhile."""

import numpy as np
import pytest
from astropy.io import fits

from badpix.core.errors import ProductError
from badpix.formats.provenance import Provenance
from badpix.formats.statistics_file import StatisticsWriter
from badpix.formats.statistics_planes import open_planes

DTYPES = {"SLOPE": np.float32, "NGOOD": np.uint8, "NJUMP": np.int16, "WIDE": np.float64}


def images(shape, n_integrations):
    rng = np.random.default_rng(1)
    return {name: (100 * rng.random((n_integrations, *shape))).astype(dtype) for name, dtype in DTYPES.items()}


def written(path, planes):
    n_integrations, *shape = planes["SLOPE"].shape
    writer = StatisticsWriter("dark1", fits.Header(), n_integrations, tuple(shape))
    for name, plane in planes.items():
        for i in range(n_integrations):
            writer.put(name, i, slice(0, shape[0]), plane[i])
    writer.write(path, Provenance(), integrations=[{"N_GROUPS": i} for i in range(n_integrations)])
    return path


def read(path):
    with open_planes([path]) as (segment,):
        return {name: [segment.read(name, i) for i in range(segment.n_integrations)] for name in DTYPES}


# Planes of 8 bits whose bytes are no multiple of a word of the checksum, and planes of several blocks.
@pytest.mark.parametrize(
    ("shape", "n_integrations"), [((4, 8), 1), ((3, 5), 1), ((3, 5), 3), ((1, 1), 5), ((400, 300), 2)]
)
def test_planes_are_read_in_native_byte_order(shape, n_integrations, tmp_path):
    planes = images(shape, n_integrations)
    for name, found in read(written(tmp_path / "s.fits", planes)).items():
        for i, image in enumerate(found):
            assert image.dtype == DTYPES[name] and image.dtype.isnative and image.flags.writeable
            np.testing.assert_array_equal(image, planes[name][i])


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("part", ["header", "first", "last", "padding"])
def test_a_changed_bit_is_noticed_when_the_last_integration_is_read(name, part, tmp_path):
    path = written(tmp_path / "s.fits", images((3, 5), 3))
    with fits.open(path) as hdus:
        info, n_bytes = hdus.fileinfo(name), hdus[name].data.nbytes
    at = {"header": info["datLoc"] - 1, "first": info["datLoc"], "last": info["datLoc"] + n_bytes - 1,
          "padding": info["datLoc"] + info["datSpan"] - 1}  # fmt: skip
    content = bytearray(path.read_bytes())
    content[at[part]] ^= 1
    path.write_bytes(content)
    with open_planes([path]) as (segment,):
        for i in range(2):
            segment.read(name, i)
        with pytest.raises(ProductError, match=rf"s\.fits: {name} changed after it was written.*remove"):
            segment.read(name, 2)


@pytest.mark.parametrize("extension", ["PRIMARY", "INTEGRATIONS"])
def test_a_changed_header_or_table_is_noticed_at_once(extension, tmp_path):
    path = written(tmp_path / "s.fits", images((3, 5), 1))
    with fits.open(path) as hdus:
        at = hdus.fileinfo(0 if extension == "PRIMARY" else extension)["datLoc"] - 1
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(ProductError, match=f"{extension} changed"), open_planes([path]):
        pass


def test_memory_is_used_again_where_it_fits(tmp_path):
    path = written(tmp_path / "s.fits", images((3, 5), 2))
    with open_planes([path]) as (segment,):
        first = segment.read("SLOPE", 0)
        assert segment.read("SLOPE", 1, first) is first
        assert segment.read("NJUMP", 0, first) is not first
