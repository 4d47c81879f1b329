"""Bad exposures of many kinds, made from the good ones of a finished run.

Each entry of RAW, DARK_PRODUCTS and FLAT_PRODUCTS is a name, what makes the bad exposure, and words of the reason that
it must get. Raw ones are made from a raw file, the others from the products of one exposure, with a start of their own
so that they pass for other exposures.
"""

import gzip
import os
import shutil
from pathlib import Path

import numpy as np
from astropy.io import fits

KINDS = {"darks": ("rateints", "jump", "fitopt"), "flats": ("rateints",)}
CARD, BLOCK = 80, 2880


def good(directory, kind, number=1):
    """The name and raw file of a good exposure."""
    path = sorted((directory / kind).glob("jw*_uncal.fits"))[number - 1]
    return path.name.removesuffix("_uncal.fits"), path


def given_without_values(directory, number):
    """The rates of all flats of a finished run in the folder `given`, the first `number` without any value."""
    (directory / "given").mkdir()
    for i, path in enumerate(sorted((directory / "results" / "NIS" / "flats").glob("*_rateints.fits"))):
        shutil.copy2(path, directory / "given")
        if i < number:
            with fits.open(directory / "given" / path.name, mode="update") as hdus:
                hdus["SCI"].data[:] = np.nan


def with_own_start(source, target, number):
    """Copy a FITS file with a start of observation of its own."""
    shutil.copyfile(source, target)
    with fits.open(target, mode="update") as hdus:
        hdus[0].header["TIME-OBS"] = f"20:{number // 60:02d}:{number % 60:02d}.000"
        hdus[0].header["EXPSTART"] = 60500 + number / 1000
    return target


# ---------------------------------------------------------------- changes of bytes: path -> None


def cut(where):
    """Cut the file after `where(path)` bytes."""
    return lambda path: os.truncate(path, where(path))


def location(extension, key, plus=0):
    """Place in the file: `key` is hdrLoc or datLoc of `extension`."""

    def where(path):
        with fits.open(path) as hdus:
            return hdus[extension].fileinfo()[key] + plus

    return where


def size_minus(number):
    return lambda path: path.stat().st_size - number


def overwrite(where, content):
    def change(path):
        with path.open("r+b") as file:
            file.seek(where(path))
            file.write(content)

    return change


def replace(content):
    """The whole contents, from the good ones."""
    return lambda path: path.write_bytes(content(path.read_bytes()))


def card(extension, key, old, new):
    """Change a few bits of the card `key` of the header of `extension`: `old` becomes `new`, as long."""
    assert len(old) == len(new)

    def change(path):
        start, end = (location(extension, key)(path) for key in ("hdrLoc", "datLoc"))
        data = path.read_bytes()
        place = next(p for p in range(start, end, CARD) if data[p : p + 8].rstrip() == key.encode())
        changed = data[place : place + CARD].replace(old.encode(), new.encode(), 1)
        assert changed != data[place : place + CARD], f"{key} holds no {old}"
        path.write_bytes(data[:place] + changed + data[place + CARD :])

    return change


# ---------------------------------------------------------------- changes of data and headers


def hdus_of(change):
    """Change the open file by `change(hdus)`, which may return another list of HDUs."""

    def apply(path):
        with fits.open(path, memmap=False) as source:
            hdus = fits.HDUList([hdu.copy() for hdu in source])
        (change(hdus) or hdus).writeto(path, overwrite=True)

    return apply


def keys(**values):
    def change(path):
        for key, value in values.items():
            fits.setval(path, key, value=value)

    return change


def data(extension, function):
    """Replace the array of `extension` by `function(array)`."""

    def change(hdus):
        hdus[extension].data = function(hdus[extension].data)

    return hdus_of(change)


def fill(extension, value, where=...):
    def filled(array):
        array[where] = value
        return array

    return data(extension, filled)


def rename(extension, name):
    return hdus_of(lambda hdus: setattr(hdus[extension], "name", name))


def remove(extension):
    return hdus_of(lambda hdus: hdus.pop(hdus.index_of(extension)) and None)


def as_table(extension):
    def change(hdus):
        table = fits.BinTableHDU.from_columns([fits.Column("A", "J", array=[1, 2])], name=extension)
        return fits.HDUList([table if hdu.name == extension else hdu for hdu in hdus])

    return hdus_of(change)


def zip_it(change=None):
    """Compress the file under the name `.fits.gz`, and change the archive's bytes."""

    def apply(path):
        packed = gzip.compress(path.read_bytes(), 1, mtime=0)
        path.with_suffix(".fits.gz").write_bytes(change(packed) if change else packed)
        path.unlink()

    return apply


def instead(make):
    """Put something else where the file was."""

    def apply(path):
        path.unlink()
        make(path)

    return apply


HEADER_END = location("SCI", "datLoc")
RAW = {
    # cut off
    "cut_in_primary_header": (cut(lambda path: 1000), "not readable as FITS"),
    "cut_after_primary_header": (cut(location(1, "hdrLoc")), "no SCI extension (it has none)"),
    "cut_in_sci_header": (cut(location("SCI", "hdrLoc", 400)), "last 400 bytes are no extension that can be read"),
    "cut_after_sci_header": (cut(HEADER_END), "the file is truncated: "),
    "cut_in_data": (cut(location("SCI", "datLoc", 100_000)), "the file is truncated: "),
    "cut_in_later_extension": (cut(location("INT_TIMES", "datLoc", 10)), "the file is truncated: "),
    "cut_last_byte": (cut(size_minus(1)), "the file is truncated: "),
    "empty": (cut(lambda path: 0), "the file is empty"),
    # overwritten
    "text": (lambda path: path.write_text("this is not FITS\n" * 400), "not readable as FITS"),
    "zero_bytes": (replace(lambda content: bytes(len(content))), "not readable as FITS"),
    "zeroed_first_block": (overwrite(lambda path: 0, bytes(BLOCK)), "not readable as FITS"),
    "zeroed_sci_header": (overwrite(location("SCI", "hdrLoc"), bytes(BLOCK)), "HDUList's element 1 is not"),
    "zeroed_sector": (
        overwrite(location("SCI", "datLoc", 40_960), bytes(512)), "of SCI of the uncal file has no data (zero bytes)"
    ),
    # bits flipped in the headers
    "flip_simple": (card(0, "SIMPLE", "SIMPLE", "SIMPLD"), "not readable as FITS"),
    "flip_simple_value": (card(0, "SIMPLE", " T", " V"), "not readable as FITS"),
    "flip_ngroups_name": (card(0, "NGROUPS", "NGROUPS", "NGROWPS"), "the primary header lacks NGROUPS"),
    "flip_end": (card("SCI", "END", "END", "ENE"), "the file is "),
    "flip_xtension": (card("SCI", "XTENSION", "IMAGE", "IMAGG"), "no SCI extension"),
    "flip_extname": (card("SCI", "EXTNAME", "SCI", "SCK"), "no SCI extension (it has SCK"),
    "flip_bitpix": (card("SCI", "BITPIX", "16", "17"), "the file is truncated: "),
    "flip_bitpix_32": (card("SCI", "BITPIX", "16", "32"), "the file is "),
    "flip_naxis": (card("SCI", "NAXIS", " 4", " 5"), "not readable as FITS: KeyError: 'NAXIS5'"),
    "flip_naxis4": (card("SCI", "NAXIS4", " 2", " 3"), "the file is "),
    "flip_bzero": (card("SCI", "BZERO", "32768", "32760"), "BZERO 32760; raw data have BITPIX 16, BSCALE 1"),
    "flip_detector": (card(0, "DETECTOR", "NIS", "NIR"), "DETECTOR is 'NIR', not a detector of JWST"),
    "flip_ngroups": (card(0, "NGROUPS", "30", "38"), "NGROUPS, SUBSIZE2, SUBSIZE1 are [38, 64, 64]"),
    "flip_tgroup": (card(0, "TGROUP", "0.0494", "1.0494"), "TGROUP is 1.0494, the rest have 0.0494"),
    "flip_fastaxis": (card(0, "FASTAXIS", "-2", "-3"), "FASTAXIS is -3, but NIS has -2"),
    "flip_time": (card(0, "TIME-OBS", "20:", "r0:"), "not a date and a time"),
    # content and structure
    "sci_all_zero": (fill("SCI", 0), "100.00% of SCI of the uncal file has no data (zero bytes), first in"),
    "group_zero": (fill("SCI", 0, np.s_[1, 7]), "first in integration 2, group 8"),
    "sci_removed": (remove("SCI"), "no SCI extension (it has none)"),
    "sci_renamed": (rename("SCI", "IMAGE"), "no SCI extension (it has IMAGE"),
    "sci_table": (as_table("SCI"), "no SCI extension"),
    "sci_float": (data("SCI", np.float32), "SCI of the uncal file has BITPIX -32, raw data have 16"),
    "sci_signed": (data("SCI", lambda sci: (sci // 2).astype(np.int16)), "BZERO 0; raw data have BITPIX 16, BSCALE 1"),
    "sci_three_axes": (data("SCI", lambda sci: sci[0]), "SCI of the uncal file has shape [30, 64, 64]"),
    "sci_narrow": (data("SCI", lambda sci: sci[..., :60]), "SCI of the uncal file has shape [2, 30, 64, 60]"),
    "one_integration_lost": (data("SCI", lambda sci: sci[:1]), "has 1 integrations, but NINTS is 2"),
    # another set-up
    "other_detector": (keys(DETECTOR="NRCA1", INSTRUME="NIRCAM", EXP_TYPE="NRC_DARK", FASTAXIS=-1, SLOWAXIS=2),
                       "DETECTOR is NRCA1, not NIS"),
    "other_instrument": (keys(INSTRUME="NIRCAM"), "INSTRUME is 'NIRCAM', but NIS is a detector of NIRISS"),
    "other_exp_type": (keys(EXP_TYPE="NIS_LAMP"), "EXP_TYPE is 'NIS_LAMP'; darks of NIS are NIS_DARK"),
    "other_subarray": (keys(SUBARRAY="SUB80"), "SUBARRAY is 'SUB80', the rest have 'SUB64'"),
    "other_place": (keys(SUBSTRT1=1), "SUBSTRT1 is 1, the rest have 1985"),
    "other_readpatt": (keys(READPATT="NIS"), "READPATT is 'NIS', the rest have 'NISRAPID'"),
    "other_frames": (keys(NFRAMES=4), "NFRAMES is 4, the rest have 1"),
    "one_group": (lambda path: (data("SCI", lambda sci: sci[:, :1])(path), keys(NGROUPS=1)(path)), "NGROUPS is 1"),
    "wrong_ngroups": (keys(NGROUPS=29), "NGROUPS, SUBSIZE2, SUBSIZE1 are [29, 64, 64]"),
    # no file at all, or packed
    "directory": (instead(Path.mkdir), "it is a directory, not a FITS file"),
    "named_pipe": (instead(os.mkfifo), "it is no regular file"),
    "dangling_link": (instead(lambda path: path.symlink_to("nowhere.fits")), "cannot be read: No such file"),
    "link_to_itself": (instead(lambda path: path.symlink_to(path.name)), "cannot be read: "),
    "gz_cut": (zip_it(lambda packed: packed[: len(packed) // 2]), "the compressed file is truncated or damaged"),
    "gz_cut_at_the_end": (zip_it(lambda packed: packed[:-4]), "the compressed file is truncated or damaged"),
    "gz_damaged": (
        zip_it(lambda packed: packed[:-8] + bytes(4) + packed[-4:]), "the compressed file is truncated or damaged"
    ),
    "gz_of_text": (zip_it(lambda packed: gzip.compress(b"this is not FITS\n" * 400)), "not readable as FITS"),
    "gz_is_text": (zip_it(lambda packed: b"this is not FITS\n" * 400), "not readable as FITS"),
    "two\nlines_uncal": (
        lambda path: path.rename(path.with_name("two\nlines_uncal.fits")), "characters that cannot be printed; rename"
    ),
}  # fmt: skip
FLAT_RAW = {
    "flat_cut": (cut(location("SCI", "datLoc", 100_000)), "the file is truncated: "),
    "flat_zero": (fill("SCI", 0), "100.00% of SCI of the uncal file has no data"),
    "dark_among_flats": (keys(EXP_TYPE="NIS_DARK"), "EXP_TYPE is 'NIS_DARK'; flats of NIS are NIS_LAMP"),
}


def on(product, change):
    """Change one product of an exposure: paths (product -> path) -> None."""
    return lambda paths: change(paths[product])


def all_of(change):
    return lambda paths: [change(path) for path in paths.values()]


def without(product):
    return lambda paths: paths[product].unlink()


def averaged(paths):
    """A rate of two integrations instead of the rateints."""
    data_of = ("SCI", "ERR", "DQ", "VAR_POISSON", "VAR_RNOISE")
    with fits.open(paths["rateints"], memmap=False) as hdus:
        images = [fits.ImageHDU(hdus[name].data[0], name=name) for name in data_of]
        rate = fits.HDUList([fits.PrimaryHDU(header=hdus[0].header), *images])
        rate.writeto(str(paths["rateints"]).replace("_rateints", "_rate"))
    paths["rateints"].unlink()


DARK_PRODUCTS = {
    "rateints_cut": (on("rateints", cut(size_minus(5000))), "rateints file: the file is truncated"),
    "jump_cut": (on("jump", cut(location("GROUPDQ", "datLoc", 99))), "jump file: the file is truncated"),
    "fitopt_empty": (on("fitopt", cut(lambda path: 0)), "fitopt file: the file is empty"),
    "fitopt_missing": (without("fitopt"), "has no fitopt file, and no uncal file to make it from"),
    "jump_renamed_sci": (on("jump", rename("SCI", "RAMP")), "jump file: no SCI extension"),
    "jump_float_flags": (on("jump", data("GROUPDQ", np.float32)), "GROUPDQ of the jump file has BITPIX -32"),
    "jump_zero": (on("jump", fill("SCI", 0)), "SCI of the jump file has no data (zeros) in integration 1, group 1"),
    "jump_sector_lost": (
        on("jump", overwrite(location("SCI", "datLoc", 163_840), bytes(512))),
        "SCI of the jump file has no data (zeros) in integration 1, group 11",
    ),
    "jump_no_tgroup": (on("jump", card(0, "TGROUP", "TGROUP", "TGROQP")), "the primary header lacks TGROUP"),
    "jump_skipped": (on("jump", keys(S_JUMP="SKIPPED")), "step jump of the jump file is not COMPLETE"),
    "rateints_nan": (on("rateints", fill("SCI", np.nan)), "has no valid value in any of 3600 pixels"),
    "rateints_zero": (on("rateints", fill("SCI", 0)), "SCI of the rateints file, integration 1, has no data (zeros)"),
    "rateints_variances_zero": (
        on("rateints", lambda path: [fill(name, 0)(path) for name in ("VAR_POISSON", "VAR_RNOISE")]),
        "VAR_POISSON + VAR_RNOISE of the rateints file, integration 1, is above zero in none",
    ),
    "pedestal_zero": (on("fitopt", fill("PEDESTAL", 0)), "PEDESTAL of the fitopt file, integration 1, has no data"),
    "averaged_rate": (averaged, "the rate file averages 2 integrations (NINTS); give the rateints file instead"),
    "products_of_a_flat": (all_of(keys(EXP_TYPE="NIS_LAMP")), "EXP_TYPE is 'NIS_LAMP'; darks of NIS are NIS_DARK"),
}  # fmt: skip
# These are only given to the script itself, since a job each would take long.
MORE_DARK_PRODUCTS = {
    "ramp_fit_skipped": (on("rateints", keys(**{"S_RAMP": "SKIPPED"})), "step ramp_fit of the rateints file is not"),
    "jump_no_groupdq": (on("jump", remove("GROUPDQ")), "the jump file has no GROUPDQ extension"),
    "jump_fewer_groups": (
        on("jump", lambda path: [data(name, lambda a: a[:, :20])(path) for name in ("SCI", "GROUPDQ")]),
        "NGROUPS of the jump file is 30, but by its array it is 20",
    ),
    "rateints_one_nan": (on("rateints", fill("SCI", np.nan, 1)), "the rateints file, integration 2, has no valid"),
    "rateints_dq_bad": (on("rateints", fill("DQ", 1)), "has no valid value in any of 3600 pixels"),
    "rateints_no_dq": (on("rateints", remove("DQ")), "the rateints file has no DQ extension"),
    "rateints_table": (on("rateints", as_table("VAR_RNOISE")), "extension VAR_RNOISE of the rateints file is no image"),
    "rateints_integers": (
        on("rateints", data("SCI", lambda sci: np.nan_to_num(sci).astype(np.int16))),
        "SCI of the rateints file has BITPIX 16; it should hold floating point numbers",
    ),
    "rateints_shape": (on("rateints", data("VAR_RNOISE", lambda a: a[:, :60])), "shapes differ in the rateints file"),
    "pedestal_nan": (on("fitopt", fill("PEDESTAL", np.nan)), "the fitopt file, integration 1, has no valid value"),
    "pedestal_shape": (on("fitopt", data("PEDESTAL", lambda a: a[:1])), "shapes differ: jump (2, 64, 64)"),
}  # fmt: skip
FLAT_PRODUCTS = {
    "flat_rateints_nan": (on("rateints", fill("SCI", np.nan)), "has no valid value in any of 3600 pixels"),
    "flat_rateints_zero": (on("rateints", fill("SCI", 0)), "the rateints file, integration 1, has no data (zeros)"),
    "flat_no_variance": (on("rateints", remove("VAR_POISSON")), "the rateints file has no VAR_POISSON extension"),
    "flat_not_fitted": (on("rateints", keys(**{"S_RAMP": "SKIPPED"})), "step ramp_fit is not COMPLETE"),
    "flat_float_flags": (on("rateints", data("DQ", np.float64)), "DQ of the rateints file has BITPIX -64"),
    "flat_rateints_cut": (on("rateints", cut(location("DQ", "hdrLoc", 999))), "rateints file: the file is damaged"),
}  # fmt: skip
# Made of several good exposures.
MIXED = {
    "mixed_rateints": "its files are not of one exposure: TIME-OBS is ",
    "mixed_fitopt": "its files are not of one exposure: TIME-OBS is ",
    "z_dark_copy": "z_dark_copy is the same exposure as {dark}: both have DATE-OBS 2024-06-01, TIME-OBS 01:00:00.000",
    "z_dark_link": "z_dark_link is the same exposure as {dark2}: both have DATE-OBS 2024-06-01, TIME-OBS 02:00:00.000",
    "z_dark_products": "z_dark_products is the same exposure as {dark2}: both have DATE-OBS",
    "z_flat_copy": "z_flat_copy is the same exposure as {flat}: both have DATE-OBS 2024-07-01",
}


def make_raw(directory):
    """Bad raw exposures beside the good ones."""
    for kind, corruptions in (("darks", RAW), ("flats", FLAT_RAW)):
        _, source = good(directory, kind)
        for number, (name, (change, _)) in enumerate(corruptions.items()):
            change(with_own_start(source, directory / kind / f"{name}_uncal.fits", number))


def products_of(directory, kind, number=1):
    name, _ = good(directory, kind, number)
    return {product: directory / "results" / "NIS" / kind / f"{name}_{product}.fits" for product in KINDS[kind]}


def make_products(directory):
    """Bad products in the folders `products/darks` and `products/flats`, from those of the finished run."""
    for kind, corruptions in (("darks", DARK_PRODUCTS), ("flats", FLAT_PRODUCTS)):
        folder, sources = directory / "products" / kind, products_of(directory, kind, 3)
        folder.mkdir(parents=True)
        for number, (name, (change, _)) in enumerate(corruptions.items(), start=600):
            paths = {product: folder / f"{name}_{product}.fits" for product in sources}
            for product, path in paths.items():
                with_own_start(sources[product], path, number)
            change(paths)


def make_mixed(directory):
    """Products of two exposures under one name, and exposures under two names."""
    folder = directory / "products" / "darks"
    (_, dark), (_, dark2), (_, flat) = good(directory, "darks"), good(directory, "darks", 2), good(directory, "flats")
    one, other = products_of(directory, "darks", 3), products_of(directory, "darks", 4)
    for name, odd in (("mixed_rateints", "rateints"), ("mixed_fitopt", "fitopt")):
        for product in one:
            shutil.copyfile((other if product == odd else one)[product], folder / f"{name}_{product}.fits")
    shutil.copyfile(dark, directory / "darks" / "z_dark_copy_uncal.fits")
    (directory / "darks" / "z_dark_link_uncal.fits").symlink_to(dark2.name)
    for product, path in products_of(directory, "darks", 2).items():
        shutil.copyfile(path, folder / f"z_dark_products_{product}.fits")
    shutil.copyfile(flat, directory / "flats" / "z_flat_copy_uncal.fits")


# The keys that name the bad products.
CONFIG = {
    "dark_slope_files": "products/darks",
    "dark_jump_files": "products/darks",
    "dark_fitopt_files": "products/darks",
    "flat_slope_files": "products/flats",
}


def expected_reasons(directory):
    """Name -> words of its reason, of all bad exposures."""
    names = {"dark": ("darks", 1), "dark2": ("darks", 2), "flat": ("flats", 1)}
    good_names = {word: good(directory, *where)[0] for word, where in names.items()}
    mixed = {name: words.format_map(good_names) for name, words in MIXED.items()}
    return {
        n: words for table in (RAW, FLAT_RAW, DARK_PRODUCTS, FLAT_PRODUCTS) for n, (_, words) in table.items()
    } | mixed


NAMES = (*RAW, *FLAT_RAW, *DARK_PRODUCTS, *FLAT_PRODUCTS, *MIXED)
