"""One change of each configuration key, with what must run again and what must come out differently."""

import shutil
from dataclasses import dataclass, field

import numpy as np
from astropy.io import fits
from crds.core import rmap

from workflow.products import edited

VOTE = {"bad_pixel_mask": 1}
# What follows other exposures or statistics of darks.
COMPARED = {"compare_exposures": 1} | VOTE
# What hangs on the mask.
REST = {"quality_check": 1, "plots": 1}
RESPONSE = {"flat_response": 1} | VOTE
# What follows other exposures or statistics of flats.
FLATS = {"flat_response": 1} | COMPARED
# Both kinds from the raw files on, of one exposure each.
BOTH_KINDS = {
    "prefetch_references": 1, "detector1_dark": 1, "detector1_flat": 1,
} | FLATS  # fmt: skip
FOUND = frozenset({"mask", "evidence"})

DARK = "jw09001001001_02101_0000{}_nis"
FLAT = "jw09002001001_03101_0000{}_nis"
MIRI_EXPOSURES = ("mirimage1", "mirimage2", "mirimage3")


# ---------------------------------------------------------------- preparations


def other_slopes(directory):
    """Slopes of one flat in which a row is nearly dead."""
    name = f"{FLAT.format(2)}_rateints.fits"
    source = directory / "results" / "NIS" / "flats" / name
    edited(source, directory / "edited" / name, "SCI", lambda data: data[:, 30].fill(0.5))


def bright_end(directory):
    """The raw file of one flat with all pixels bright in the groups of the flux check."""
    name = f"{FLAT.format(1)}_uncal.fits"
    edited(directory / "flats" / name, directory / "bright" / name, "SCI", lambda data: data[:, -4:].fill(65535))


def fading(data):
    data[:, :16] *= np.interp(np.arange(16), [9, 14], [0.005, 1])[:, np.newaxis]


def unlit_edge(directory):
    """Slopes of all flats in which the light fades towards the first rows; an edge without a blur would be dead."""
    for source in sorted((directory / "results" / "NIS" / "flats").glob("*_rateints.fits")):
        edited(source, directory / "unlit" / source.name, "SCI", fading)


def more_linear(data):
    data[1] *= 1.1


def other_cache(directory):
    """A CRDS cache whose linearity reference is another."""
    shutil.copytree(directory / "crds_cache", directory / "other_cache")
    (path,) = (directory / "other_cache").glob("references/jwst/niriss/*_linearity_0001.fits")
    with fits.open(path, mode="update") as hdus:
        more_linear(hdus["COEFFS"].data)


def other_context(directory):
    """A second context in the CRDS cache that selects another linearity reference."""
    references = directory / "crds_cache" / "references" / "jwst" / "niriss"
    mappings = directory / "crds_cache" / "mappings" / "jwst"
    name = "jwst_niriss_linearity_{}.fits"
    edited(references / name.format("0001"), references / name.format("0002"), "COEFFS", more_linear)
    for mapping in ("jwst_niriss_linearity_{}.rmap", "jwst_niriss_{}.imap", "jwst_{}.pmap"):
        text = (mappings / mapping.format("0001")).read_text(encoding="utf-8")
        for old in (name, "jwst_niriss_linearity_{}.rmap", "jwst_niriss_{}.imap", "jwst_{}.pmap"):
            text = text.replace(old.format("0001"), old.format("0002"))
        new = mappings / mapping.format("0002")
        new.write_text(text, encoding="utf-8")
        rmap.Mapping.from_file(str(new), ignore_checksum=True).write()


def flag_table(directory):
    """A table of manual flags for a block of pixels of the subarray, which is in the far corner of the detector."""
    (directory / "flags.txt").write_text("1994:1996 2004 UNRELIABLE_SLOPE\n", encoding="utf-8")


def one_replaced(product):
    """The files of all MIRI darks and of the NIRISS one, the third MIRI dark's from folder `edited`."""
    *names, last = MIRI_EXPOSURES
    return [f"given/{name}_{product}.fits" for name in (*names, "niriss4")] + [f"edited/{last}_{product}.fits"]


# ---------------------------------------------------------------- one case per key


@dataclass(frozen=True)
class Change:
    """A change of one key: its new value, what must run again, and what must come out differently.

    `data` are products, `header` maps keywords of the mask to what they must contain. `companion` are keys in force
    before and after, `prepare(directory)` makes files that the new value names, `start` is the run to start from.
    """

    value: object
    jobs: dict = field(default_factory=lambda: VOTE)
    data: frozenset = FOUND
    header: dict = field(default_factory=dict)
    companion: dict = field(default_factory=dict)
    prepare: object = None
    start: str = "finished"


ONE_DARK = {"dark_statistics": 1} | COMPARED
NO_DATA = frozenset()

CHANGES = {
    # Inputs
    "darks": Change(f"darks/{DARK.format('[1-4]')}_uncal.fits", COMPARED, data=frozenset({"evidence"})),
    "flats": Change(f"flats/{FLAT.format('[1-4]')}_uncal.fits", FLATS, FOUND | {"flat_response"}),
    "flat_slope_files": Change(
        [f"edited/{FLAT.format(2)}_rateints.fits"],
        {"flat_statistics": 1} | FLATS,
        FOUND | {"flat_statistics", "flat_response"},
        prepare=other_slopes,
    ),
    "dark_slope_files": Change(one_replaced("rateints"), ONE_DARK, FOUND | {"dark_statistics"}, start="processed"),
    "dark_uncal_files": Change(one_replaced("uncal"), ONE_DARK, FOUND | {"dark_statistics"}, start="processed"),
    "dark_jump_files": Change(one_replaced("jump"), ONE_DARK, FOUND | {"dark_statistics"}, start="processed"),
    "dark_fitopt_files": Change(one_replaced("fitopt"), ONE_DARK, FOUND | {"dark_statistics"}, start="processed"),
    "dead_flux_check_files": Change(
        [f"bright/{FLAT.format(1)}_uncal.fits"],
        {"detector1_flat": 1} | FLATS,
        FOUND | {"flat_statistics"},
        companion={"run_dead_flux_check": True, "flux_check": 20000},
        prepare=bright_end,
    ),
    "min_groups": Change(26, COMPARED, frozenset({"evidence"}), start="processed"),
    # Processing
    "detector1_dark": Change(
        {"jump": {"rejection_threshold": 40.0}},
        {"detector1_dark": 1} | COMPARED,
        frozenset({"dark_statistics", "evidence"}),
        start="single",
    ),
    "detector1_flat": Change(
        {"linearity": {"skip": True}},
        {"detector1_flat": 1} | FLATS,
        frozenset({"flat_statistics", "flat_response", "evidence"}),
        start="single",
    ),
    # Darks
    "dark_stdev_clipping_sigma": Change(2),
    "dark_max_clipping_iters": Change(1, companion={"dark_stdev_clipping_sigma": 2}),
    "dark_noisy_threshold": Change(3),
    "max_saturated_fraction": Change(0.1),
    "max_jump_limit": Change(5),
    "jump_ratio_threshold": Change(1),
    "early_cutoff_fraction": Change(0.45, {"detector1_dark": 5} | COMPARED, frozenset({"dark_statistics"})),
    "pedestal_sigma_threshold": Change(3),
    "rc_fraction_threshold": Change(0.1),
    "low_pedestal_fraction": Change(0.1),
    "high_cr_fraction": Change(0.1),
    "dark_vote_unit": Change("integration"),
    "pedestal_source": Change("fitopt"),
    "min_valid": Change(6),
    "min_clean_slopes": Change(10),
    # Flats
    "dead_search": Change(False),
    "low_qe_and_open_search": Change(False),
    "dead_search_type": Change("absolute_rate"),
    "flat_mean_sigma_threshold": Change(1.5, RESPONSE, FOUND | {"flat_response"}),
    "flat_mean_normalization_method": Change("mean", RESPONSE, FOUND | {"flat_response"}),
    "smoothing_box_width": Change(7, RESPONSE, FOUND | {"flat_response"}),
    "smoothing_type": Change("Median", RESPONSE, FOUND | {"flat_response"}),
    "dead_sigma_threshold": Change(20),
    "max_dead_norm_signal": Change(0.2),
    "run_dead_flux_check": Change(True, companion={"flux_check": 15000}),
    "flux_check": Change(15000, companion={"run_dead_flux_check": True}),
    "max_low_qe_norm_signal": Change(0.3),
    "max_open_adj_norm_signal": Change(1.0),
    # Beyond the official algorithm
    "false_flags_per_million": Change(1000, data=frozenset({"evidence"}), companion={"pedestal_test": "significance"}),
    "hot_rate_threshold": Change(20.0),
    "warm_rate_threshold": Change(1e5, companion={"hot_rate_threshold": 500.0}),
    "hot_fraction": Change(0.1, companion={"hot_rate_threshold": 20.0}),
    "pedestal_test": Change("significance", data=frozenset({"evidence"})),
    "ramp_shape_search": Change(True, data=frozenset({"evidence"})),
    "noisy_test": Change("cds"),
    "noisy_fraction": Change(0.05, data=frozenset({"evidence"}), companion={"noisy_test": "cds"}),
    "telegraph_search": Change(True, data=frozenset({"evidence"})),
    "slow_telegraph_search": Change(True, data=frozenset({"evidence"})),
    "ipc_neighbor_search": Change(True, data=frozenset({"evidence"}), companion={"hot_rate_threshold": 20.0}),
    "exclusive_types": Change(True),
    "flat_vote_unit": Change("exposure", {"exposure_response": 5} | VOTE),
    "flat_vote_fraction": Change(0.1, companion={"flat_vote_unit": "exposure", "dead_search_type": "absolute_rate"}),
    "open_neighbour_rule": Change("mean", companion={"max_open_adj_norm_signal": 1.135}),
    "open_includes_dead": Change(True, companion={"max_dead_norm_signal": 0.2}),
    "bad_reference_pixels": Change(
        {"level": 2}, {"reference_statistics": 5} | VOTE, header={"HISTORY": "Reference pixels:"}
    ),
    "min_unlit_area": Change(0.01, companion={"flat_slope_files": "unlit"}, prepare=unlit_edge),
    # Flags
    "flag_values": Change({"hot": ["WARM"]}, data=frozenset({"mask"})),
    "dark_do_not_use": Change(["hot"], data=frozenset({"mask"})),
    "flat_do_not_use": Change(["DEAD"], data=frozenset({"mask"})),
    "manual_flag_file": Change("flags.txt", data=frozenset({"mask"}), prepare=flag_table),
    # The mask's header
    "mask_frame": Change("full", data=frozenset({"mask"}), header={"SUBARRAY": "FULL", "SUBSIZE1": "2048"}),
    "author": Change("A. N. Other", data=NO_DATA, header={"AUTHOR": "A. N. Other"}),
    "selectors": Change({"NGROUPS": ">=20"}, data=NO_DATA, header={"NGROUPS": ">=20"}, start="processed"),
    "description": Change("Another mask", data=NO_DATA, header={"DESCRIP": "Another mask"}),
    "pedigree": Change("INFLIGHT 2024-02-01 2024-02-29", data=NO_DATA, header={"PEDIGREE": "2024-02-29"}),
    "useafter": Change("2024-03-01 12:34:56", data=NO_DATA, header={"USEAFTER": "2024-03-01T12:34:56"}),
    "history": Change("A remark.", data=NO_DATA, header={"HISTORY": "A remark."}),
    # The run
    "crds_path": Change(
        "other_cache",
        BOTH_KINDS,
        frozenset({"dark_statistics", "flat_statistics", "flat_response", "evidence"}),
        prepare=other_cache,
        start="single",
    ),
    "crds_context": Change(
        "jwst_0002.pmap",
        BOTH_KINDS,
        frozenset({"dark_statistics", "flat_statistics", "flat_response", "evidence"}),
        header={"HISTORY": "CRDS context: jwst_0002.pmap"},
        prepare=other_context,
        start="single",
    ),
}

# Keys that change nothing of the mask of all exposures, and the files of their tests.
TESTED_ELSEWHERE = {
    "epochs": "test_epoch_masks.py",
    "compare_with": "test_epoch_masks.py",
    "max_new_fraction": "test_epoch_masks.py",
    "max_recovered_fraction": "test_epoch_masks.py",
    "keep_history": "test_epoch_masks.py",
    "history_directory": "test_epoch_masks.py",
    "comparable_settings": "test_epoch_masks.py",
    "dark_exp_types": "test_sky_flats.py",
    "flat_exp_types": "test_sky_flats.py",
    "mast": "test_fetch.py",
    "source_threshold": "test_sky_flats.py",
    "source_growth": "test_sky_flats.py",
    "flat_setup": "test_flat_sources.py",
    "variants": "test_variants.py",
    "certify": "test_delivery.py",
    "delivery": "test_delivery.py",
    "flat_types_from": "test_flat_sources.py",
    "hot_rate_threshold_e_per_s": "test_variants.py",
    "warm_rate_threshold_e_per_s": "test_variants.py",
    "cold_rate_threshold": "test_variants.py",
    "cold_rate_threshold_e_per_s": "test_variants.py",
    "gain_e_per_dn": "test_variants.py",
    "dark_local_level": "test_flight.py",
    "preset": "test_flight.py",
    "intermittent": "test_epoch_masks.py",
    "intermittent_from": "test_epoch_masks.py",
    "report": "test_report.py",
    "pixel_table": "test_pixel_tables.py",
    "known_bad": "test_pixel_tables.py",
    "science_check": "test_science_check.py",
    "scratch": "test_idle_cores.py",
    "detector1_use_idle_cores": "test_idle_cores.py",
}
