"""The simulated exposures and the configurations that the benchmarks share, made once."""

import sys

import yaml
from astropy.io import fits
from measure import PROJECT, run

NUMBER = 5


def simulate(folder, options):
    """Raw exposures of a NIRCam detector in `folder`/data: NUMBER flats, NUMBER darks and one more dark for later."""
    data = folder / "data"
    if not (data / "config.yaml").exists():
        run([sys.executable, PROJECT / "scripts" / "simulate.py", "--out", data, "--instrument", "NIRCAM", "--size",
             options.size, "--groups", options.groups, "--integrations", 1, "--darks", NUMBER + 1, "--flats", NUMBER],
            folder / "simulate.log")  # fmt: skip
    return data


def raw_files(data, kind):
    """The raw exposures of a kind (darks or flats), sorted."""
    return sorted((data / kind).glob("*_uncal.fits"))


def write_config(path, data, **keys):
    """A configuration of the simulated exposures with `keys` in place of its own; returns its path."""
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
            # Byte by byte but for the name of the exposure, which identifies it.
            with fits.open(path) as hdus:
                header, offset = hdus[0].header.copy(), hdus[1]._header_offset
            header["EXPOSURE"] = name
            with open(path, "rb") as source, open(copy, "wb") as target:
                target.write(header.tostring().encode("ascii"))
                source.seek(offset)
                while block := source.read(2**24):
                    target.write(block)
        paths.append(copy)
    return paths
