"""The simulated exposures and the configurations that the benchmarks share, made once."""

import sys

import yaml
from astropy.io import fits
from measure import PROJECT, run

NUMBER = 5


def simulate(folder, options, size=None, number=NUMBER):
    """Raw exposures of a NIRCam detector in `folder`/data: `number` flats and a dark more, of `size` pixels a side."""
    data = folder / "data"
    if not (data / "config.yaml").exists():
        run([sys.executable, PROJECT / "scripts" / "simulate.py", "--out", data, "--instrument", "NIRCAM", "--size",
             size or options.size, "--groups", options.groups, "--integrations", 1, "--darks", number + 1,
             "--flats", number],
            folder / "simulate.log")  # fmt: skip
    return data


def raw_files(data, kind):
    """The raw exposures of a kind (darks or flats), sorted."""
    return sorted((data / kind).glob("*_uncal.fits"))


def write_config(path, data, **keys):
    """Write the configuration of the simulated exposures, updated with `keys`; returns its path."""
    config = yaml.safe_load((data / "config.yaml").read_text(encoding="utf-8")) | keys
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def copies(path, number, folder):
    """`number` copies of a statistics file under other exposure names, in `folder`; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for index in range(number):
        name = f"copy_{folder.name}_{index:03d}"
        copy = folder / f"{name}_{path.name.split('_', 4)[-1]}"
        if not copy.exists():
            # All bytes are copied, except the header with the name of the exposure.
            with fits.open(path) as hdus:
                header, offset = hdus[0].header.copy(), hdus.fileinfo(1)["hdrLoc"]
            header["EXPOSURE"] = name
            primary = fits.PrimaryHDU(header=header)
            primary.add_checksum()
            with path.open("rb") as source, copy.open("wb") as target:
                target.write(primary.header.tostring().encode("ascii"))
                source.seek(offset)
                while block := source.read(2**24):
                    target.write(block)
        paths.append(copy)
    return paths
