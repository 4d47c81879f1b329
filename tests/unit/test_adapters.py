"""The scripts' own functions on tiny products made by hand: what they write, and which exposures they reject.

The array is 16 x 16 with a border of two reference pixels. Rows of PLANTED are y, x.
"""

import dataclasses
import logging
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

import bad_pixel_mask
import compare_exposures
import flat_response
import leave_one_out
import plots
import reference_statistics
from badpix.config.check import load_schema, load_steps, validated
from badpix.config.settings import ResponseSettings, vote_keys, with_max_dead_norm_signal
from badpix.core.errors import BadExposure, TooFewExposures
from badpix.formats.comparison_file import ComparisonRow, write_comparison
from badpix.formats.evidence_file import read_evidence
from badpix.formats.flat_product import FlatProductError
from badpix.formats.leave_one_out_file import read_votes
from badpix.formats.mask_file import read_mask
from badpix.formats.product_file import provenance_of
from badpix.formats.provenance import Provenance
from badpix.formats.response_file import Responses
from badpix.formats.statistics_file import rejection_reason, write_rejected
from badpix.instrument.detectors import detector_from_mapping, load_detectors
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.mask.selectors import SelectorError
from badpix.statistics.dark import DarkMeasurement
from badpix.statistics.flat import FlatMeasurement
from badpix.statistics.given import measure_given
from badpix.vote.exposure_set import VoteFiles

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "config" / "schemas"
SIZE, BORDER, N_GROUPS, GROUP_S = 16, 2, 8, 10.0
DETECTOR = dataclasses.asdict(load_detectors(ROOT / "config" / "detectors")["NIS"]) | {
    "n_columns": SIZE, "n_rows": SIZE, "reference_pixels": dict.fromkeys(["left", "right", "bottom", "top"], BORDER),
}  # fmt: skip
KEYWORDS = {
    "TELESCOP": "JWST", "INSTRUME": "NIRISS", "DETECTOR": "NIS", "EXP_TYPE": "NIS_DARK", "READPATT": "NISRAPID",
    "SUBARRAY": "FULL", "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": SIZE, "SUBSIZE2": SIZE, "FASTAXIS": -2,
    "SLOWAXIS": -1, "NINTS": 2, "NGROUPS": N_GROUPS, "NFRAMES": 1, "TFRAME": GROUP_S, "TGROUP": GROUP_S,
    "DATE-OBS": "2024-06-01", "CRDS_CTX": "jwst_0001.pmap", "R_MASK": "reference_pixel_mask.fits",
    "S_DQINIT": "COMPLETE", "S_SATURA": "COMPLETE", "S_JUMP": "COMPLETE", "S_RAMP": "COMPLETE",
}  # fmt: skip
PLANTED = {
    "hot": (3, 3), "rc": (3, 7), "low_pedestal": (3, 11), "high_cr": (7, 3), "noisy": (7, 7),
    "DEAD": (11, 3), "LOW_QE": (11, 7), "OPEN": (11, 11),
}  # fmt: skip
ALL_TYPES = {**dict.fromkeys(PLANTED, 1), "ADJ_OPEN": 8}
SCHEMA = load_schema(SCHEMAS / "config.schema.yaml")
DEFAULTS = with_max_dead_norm_signal(
    validated({"darks": "d"}, SCHEMA, load_steps(SCHEMAS / "detector1_steps.json")), None
)


def config(**changes):
    """The configuration of the vote: the defaults, with changes for a small array."""
    small = {"flat_mean_normalization_method": "mean", "dead_search_type": "absolute_rate", "max_jump_limit": 5}
    return {key: DEFAULTS[key] for key in vote_keys(SCHEMA)} | small | {"min_flats": 2} | changes


def save(path, images, **keywords):
    primary = fits.PrimaryHDU()
    primary.header.update(KEYWORDS | keywords)
    fits.HDUList([primary, *(fits.ImageHDU(i, name=n) for n, i in images.items())]).writeto(path, overwrite=True)
    return path


def rates(slope):
    """Images of a rateints file; a slope of NaN is DO_NOT_USE."""
    ones = np.ones_like(slope)
    return {"SCI": slope, "DQ": np.isnan(slope).astype(np.uint32), "VAR_POISSON": ones, "VAR_RNOISE": 2 * ones}


def make_dark(folder, name, seed, n_ints=2):
    """Products of a dark: 0.5 DN/s on a pedestal of 50 +- 1 DN, 0.01 DN/s of noise in the slope; and PLANTED."""
    rng = np.random.default_rng(seed)
    slope = (0.5 + 0.01 * rng.standard_normal((n_ints, SIZE, SIZE))).astype(np.float32)
    slope[:, *PLANTED["noisy"]] = [-2.0, 3.0][:n_ints]
    pedestal = (50 + rng.standard_normal((n_ints, SIZE, SIZE))).astype(np.float32)
    pedestal[:, *PLANTED["rc"]] += 500
    pedestal[:, *PLANTED["low_pedestal"]] -= 500
    times = GROUP_S * np.arange(1, N_GROUPS + 1)[:, None, None]
    sci = (pedestal[:, None] + slope[:, None] * times).astype(np.float32)
    groupdq = np.zeros(sci.shape, np.uint8)
    groupdq[:, 1:7, *PLANTED["high_cr"]] = PIXEL_FLAGS["JUMP_DET"]
    groupdq[:, :, *PLANTED["hot"]] = PIXEL_FLAGS["SATURATED"]
    slope[:, *PLANTED["hot"]] = np.nan
    jump = {"SCI": sci, "PIXELDQ": np.zeros((SIZE, SIZE), np.uint32), "GROUPDQ": groupdq}
    products = {"jump": jump, "rateints": rates(slope), "fitopt": {"PEDESTAL": pedestal}}
    return {p: save(folder / f"{name}_{p}.fits", images, NINTS=n_ints) for p, images in products.items()}


def make_flat(folder, name, raw):
    """A flat of two integrations, and its raw file with 1000 DN more in each group."""
    slope = np.full((2, SIZE, SIZE), 100, np.float32)
    y, x = PLANTED["OPEN"]
    slope[:, [y - 1, y + 1, y, y], [x, x, x - 1, x + 1]] *= 1.2
    for kind, value in (("DEAD", 1), ("LOW_QE", 30), ("OPEN", 30)):
        slope[:, *PLANTED[kind]] = value
    paths = {"rateints": save(folder / f"{name}_rateints.fits", rates(slope), EXP_TYPE="NIS_LAMP")}
    if raw:
        groups = 1000 * np.arange(1, N_GROUPS + 1, dtype=np.uint16)[None, :, None, None]
        uncal = {"SCI": np.broadcast_to(groups, (2, N_GROUPS, SIZE, SIZE)).copy()}
        paths["uncal"] = save(folder / f"{name}_uncal.fits", uncal, EXP_TYPE="NIS_LAMP")
    return paths


def dark(folder, products, name="d", detector=DETECTOR):
    output = folder / f"{name}_dark_statistics.fits"
    measure_given(products, output, name, DarkMeasurement(detector_from_mapping(detector), 0.25))
    return output


@pytest.fixture(scope="module")
def statistics(tmp_path_factory):
    """Statistics of three darks and three flats, and the flats' response. Read only."""
    folder = tmp_path_factory.mktemp("statistics")
    darks = [dark(folder, make_dark(folder, f"d{i}", i), f"d{i}") for i in (1, 2, 3)]
    flats = [folder / f"f{i}_flat_statistics.fits" for i in (1, 2, 3)]
    for i, path in enumerate(flats, start=1):
        products = make_flat(folder, f"f{i}", raw=i != 3)
        measure_given(products, path, f"f{i}", FlatMeasurement())
    settings = ResponseSettings.from_config(config())
    flat_response.main(flats, folder / "response.fits", DETECTOR, settings)
    return {"darks": darks, "flats": flats, "response": folder / "response.fits"}


def vote(
    folder, statistics, darks=True, flats=True, rejected=None, manual=None, more=(), comparison=None, product=None,
    reference=(), **changes,
):  # fmt: skip
    """Run the vote; returns the paths of its outputs."""
    folder.mkdir(exist_ok=True)
    endings = {"mask": "fits", "evidence": "fits", "summary": "csv", "rejected": "csv", "inputs": "csv"}
    outputs = {name: folder / f"{name}.{ending}" for name, ending in endings.items()}
    files = VoteFiles(
        [*statistics["darks"], *more] if darks else [],
        statistics["flats"] if flats else [],
        Responses(statistics["response"] if flats else None),
        comparison,
        rejected or {},
        manual,
        flat_types=product,
        reference_pixels=reference,
    )
    origin = bad_pixel_mask.HeaderOrigin("none", {})
    detector = changes.pop("detector", DETECTOR)
    bad_pixel_mask.main(files, outputs, detector, config(**changes), origin)
    return outputs


def flagged(mask, flag):
    return {tuple(map(int, p)) for p in np.argwhere(read_mask(mask) & PIXEL_FLAGS[flag])}


def history_of(mask):
    """The text of HISTORY; cards are 72 characters long."""
    return "".join(f"{card:<72}" for card in fits.getheader(mask)["HISTORY"])


def type_counts(outputs):
    table = pd.read_csv(outputs["summary"]).query("kind == 'type'")
    return dict(zip(table["name"], table["n_pixels"], strict=True))


def test_dark_statistics_of_single_pixels(tmp_path):
    with fits.open(dark(tmp_path, make_dark(tmp_path, "d", 1))) as hdus:
        values = {hdu.name: hdu.data for hdu in hdus[1:] if hdu.is_image}
        table, header = hdus["INTEGRATIONS"].data, hdus[0].header
    y, x = PLANTED["rc"]
    assert values["PEDESTAL_T0"][0, y, x] == pytest.approx(values["PEDESTAL"][0, y, x], abs=1e-3)
    assert values["VAR_SLOPE"][0, y, x] == 3.0
    assert [values[f"NJUMP{part}"][1, *PLANTED["high_cr"]] for part in ("", "_EARLY", "_LATE")] == [6, 1, 1]
    hot = tuple(values[name][0, *PLANTED["hot"]] for name in ("NSAT", "FIRST_SAT", "NGOOD", "SLOPE", "PEDESTAL"))
    assert hot[:3] == (N_GROUPS, 0, 0) and np.isnan(hot[3:]).all()
    assert table["N_GROUPS"].tolist() == [N_GROUPS] * 2 and table["PEDESTAL_T0_N"].tolist() == [143, 143]
    assert table["PEDESTAL_T0_MEAN"] == pytest.approx([50, 50], abs=0.4)
    assert (header["REJECTED"], header["TGROUP"]) == (False, GROUP_S)


def test_miri_has_the_pedestal_relative_to_its_second_raw_group(tmp_path):
    paths = make_dark(tmp_path, "d", 1)
    raw = np.full((2, N_GROUPS, SIZE, SIZE), 7, np.uint16)
    raw[:, 1] = 40
    paths["uncal"] = save(tmp_path / "d_uncal.fits", {"SCI": raw})
    with fits.open(dark(tmp_path, paths)) as hdus:
        for name in ("PEDESTAL", "PEDESTAL_T0"):
            relative = np.abs(40 - hdus[name].data)
            np.testing.assert_array_equal(hdus[name.replace("PEDESTAL", "PEDESTAL_REL")].data, relative)
        assert np.isfinite(hdus["INTEGRATIONS"].data["PEDESTAL_REL_T0_MEAN"]).all()


def raw_darks(folder, names, n_groups=N_GROUPS):
    """Measured reference pixels of raw darks with a noisy one at (0, 5), a railed one at (15, 9)."""
    paths = []
    for seed, name in enumerate(names):
        raw = np.random.default_rng(seed).normal(11000, 6, (2, n_groups, SIZE, SIZE))
        raw[..., 0, 5] += np.random.default_rng(seed).normal(0, 60, raw.shape[:2])
        raw[..., 15, 9], raw[..., 8, 8] = 65535, 0
        uncal = save(folder / f"{name}_uncal.fits", {"SCI": raw.round().astype(np.uint16)}, NGROUPS=N_GROUPS)
        paths.append(folder / f"{name}_reference_statistics.fits")
        reference_statistics.main(uncal, paths[-1], name, DETECTOR)
    return paths


def test_bad_reference_pixels_are_flagged_and_science_pixels_are_not_touched(statistics, tmp_path):
    reference = raw_darks(tmp_path, ["d1", "d2", "d3"])
    off = vote(tmp_path / "off", statistics)
    on = vote(tmp_path / "on", statistics, reference=reference, bad_reference_pixels={"do_not_use": True})
    before, after = read_mask(off["mask"]), read_mask(on["mask"])
    science = before & np.uint32(PIXEL_FLAGS["REFERENCE_PIXEL"]) == 0
    assert np.array_equal(before[science], after[science])
    changed = {(int(y), int(x)): int(after[y, x]) for y, x in np.argwhere(before != after)}
    expected = sum(PIXEL_FLAGS[name] for name in ("REFERENCE_PIXEL", "BAD_REF_PIXEL", "DO_NOT_USE"))
    assert changed == {(0, 5): expected, (15, 9): expected}
    assert "Reference pixels: 2 of 112 are BAD_REF_PIXEL, DO_NOT_USE by a vote of 3 darks" in history_of(on["mask"])
    assert fits.getval(on["mask"], "BADPIX BAD_REFERENCE_PIXELS.NOISE") == 1.5
    assert read_evidence(on["evidence"]).detector == "NIS", "its checksums are right"
    table = fits.getdata(on["evidence"], "REFERENCE_PIXELS")
    assert table["DQ"].max() == expected - PIXEL_FLAGS["REFERENCE_PIXEL"]
    row = table[(table["X"] == 9) & (table["Y"] == 15)][0]
    assert (row["RAILING_K"], row["RAILING_N"], len(table)) == (3, 3, 112)
    assert {file.product for file in provenance_of(on["evidence"]).inputs} >= {"reference_statistics"}
    full = vote(tmp_path / "full", statistics, reference=reference, bad_reference_pixels={"noise": 1.5})
    assert flagged(full["mask"], "BAD_REF_PIXEL") == {(0, 5), (15, 9)}
    assert not flagged(full["mask"], "DO_NOT_USE") & {(0, 5), (15, 9)}


def test_darks_without_a_usable_raw_file_have_no_vote_on_reference_pixels(statistics, tmp_path):
    reference = raw_darks(tmp_path, ["d1"]) + raw_darks(tmp_path, ["d2"], n_groups=N_GROUPS + 1)
    made = vote(tmp_path / "some", statistics, reference=reference, bad_reference_pixels={"noise": 1.5})
    text = history_of(made["mask"])
    assert "Warning: bad_reference_pixels: 2 of 3 darks have no vote on reference pixels" in text
    assert "NGROUPS of the uncal file is 8, but by its array it is 9" in text and "d3: no raw file" in text
    made = vote(tmp_path / "none", statistics, bad_reference_pixels={"noise": 1.5})
    assert "no reference pixel was judged, because no dark has a usable raw file" in history_of(made["mask"])
    assert not flagged(made["mask"], "BAD_REF_PIXEL")


def test_manual_flags_of_reference_pixels_are_bad_ref_pixel_only(statistics, tmp_path):
    (tmp_path / "flags.txt").write_text(": 5 DEAD\n0 3 BAD_REF_PIXEL DO_NOT_USE\n8:9 8 RC\n")
    made = vote(tmp_path / "out", statistics, manual=tmp_path / "flags.txt")
    dead = {(y, x) for y, x in flagged(made["mask"], "DEAD") if y == 5}
    assert dead == {(5, x) for x in range(BORDER, SIZE - BORDER)}
    assert flagged(made["mask"], "BAD_REF_PIXEL") == {(3, 0)} and (3, 0) in flagged(made["mask"], "DO_NOT_USE")
    assert (
        f"Warning: manual flags: 4 reference pixels in rows of {tmp_path}/flags.txt (line 1) do not get the flags; only"
        " rows with BAD_REF_PIXEL change reference pixels"
    ) in history_of(made["mask"])


def test_too_few_usable_reference_pixels_are_warned_of_whatever_their_source(statistics, tmp_path):
    table = tmp_path / "flags.txt"
    table.write_text("0:1 4:7 BAD_REF_PIXEL DO_NOT_USE\n15 8 BAD_REF_PIXEL DO_NOT_USE\n")
    made = vote(tmp_path / "few", statistics, manual=table)
    assert (
        "Warning: reference pixels: DO_NOT_USE leaves fewer than 4 reference pixels in 3 of 20 groups, so refpix does"
        " not correct as it should (0 of 4 of left, output 2, even rows; 0 of 4 of left, output 2, odd rows; 3 of 4 of"
        " right, output 3, even rows)"
    ) in history_of(made["mask"])
    table.write_text("0:1 4:7 BAD_REF_PIXEL\n")
    for manual in (table, None):
        made = vote(tmp_path / "enough", statistics, manual=manual)
        assert "DO_NOT_USE leaves fewer" not in history_of(made["mask"])
    # Without reference pixels there are no groups.
    table.write_text("0:1 4:7 BAD_REF_PIXEL DO_NOT_USE\n")
    detector = DETECTOR | {"reference_pixels": dict.fromkeys(DETECTOR["reference_pixels"], 0)}
    made = vote(tmp_path / "none", statistics, manual=table, detector=detector)
    assert "DO_NOT_USE leaves fewer" not in history_of(made["mask"])


def rename(name):
    return lambda hdus: setattr(hdus[name], "name", "OTHER")


def cut(name, *index):
    return lambda hdus: setattr(hdus[name], "data", hdus[name].data[index].copy())


@pytest.mark.parametrize(
    ("product", "change", "words"),
    [
        ("jump", rename("GROUPDQ"), "the jump file has no GROUPDQ extension (it has SCI, PIXELDQ, OTHER)"),
        ("rateints", rename("VAR_RNOISE"), "the rateints file has no VAR_RNOISE extension"),
        ("fitopt", rename("PEDESTAL"), "the fitopt file has no PEDESTAL extension"),
        ("fitopt", cut("PEDESTAL", slice(1)), "shapes differ: jump (2, 16, 16)"),
        ("jump", cut("GROUPDQ", slice(None), slice(5)), "shapes differ in the jump file: GROUPDQ (2, 5, 16, 16)"),
        ("jump", cut("PIXELDQ", slice(5)), "shapes differ in the jump file: PIXELDQ (5, 16)"),
        ("rateints", cut("DQ", slice(1)), "shapes differ in the rateints file: DQ (1, 16, 16)"),
        ("jump", lambda hdus: hdus[0].header.set("S_JUMP", "SKIPPED"), "S_JUMP is SKIPPED"),
    ],
)
def test_a_dark_whose_products_do_not_fit_is_rejected(tmp_path, product, change, words):
    paths = make_dark(tmp_path, "d", 1)
    with fits.open(paths[product], mode="update") as hdus:
        change(hdus)
    assert words in rejection_reason(dark(tmp_path, paths))


def test_darks_of_two_groups_vote_without_tests_of_jumps(tmp_path):
    def short_dark(name, seed):
        paths = make_dark(tmp_path, name, seed)
        for product, path in paths.items():
            with fits.open(path, mode="update") as hdus:
                hdus[0].header.update({"S_JUMP": "SKIPPED", "NGROUPS": 2})
                if product == "jump":
                    for plane in ("SCI", "GROUPDQ"):
                        hdus[plane].data = hdus[plane].data[:, :2].copy()
        return dark(tmp_path, paths, name)

    darks = [short_dark(f"s{number}", number) for number in (1, 2, 3)]
    outputs = vote(tmp_path, {"darks": darks, "flats": [], "response": None}, flats=False)
    counts = type_counts(outputs)
    assert counts["hot"] == counts["low_pedestal"] == 1
    # No slope is known to be without jumps.
    evidence = fits.getdata(outputs["evidence"], "NCLEAN")
    assert counts["noisy"] == counts["high_cr"] == 0 and (evidence == 0).all()


@pytest.mark.parametrize("n_ints", [1, 2])
def test_a_rate_file_suffices_for_a_single_integration_only(tmp_path, n_ints):
    paths = make_dark(tmp_path, "d", 1, n_ints)
    with fits.open(paths["rateints"]) as hdus:
        images = {hdu.name: hdu.data[0].copy() for hdu in hdus[1:]}
    save(paths["rateints"], images, NINTS=n_ints)
    reason = rejection_reason(path := dark(tmp_path, paths))
    if n_ints == 2:
        assert "averages 2 integrations (NINTS); give the rateints file instead" in reason
    else:
        np.testing.assert_array_equal(fits.getdata(path, "SLOPE")[0], images["SCI"])


def test_a_dark_with_a_wrong_file_is_rejected(tmp_path):
    paths = make_dark(tmp_path, "d", 1)
    paths["fitopt"].write_text("text" * 999)
    assert "d_fitopt.fits is not readable as FITS" in rejection_reason(dark(tmp_path, paths))
    write_rejected(paths["jump"], "d", "no light", Provenance())
    assert rejection_reason(dark(tmp_path, paths)) == "no light"


def test_darks_and_flats_together(tmp_path, statistics):
    outputs = vote(tmp_path, statistics, rejected={"d9": "DETECTOR is NRCA1, not NIS"})
    assert type_counts(outputs) == ALL_TYPES
    for kind in ("hot", "rc", "DEAD", "LOW_QE", "OPEN"):
        assert flagged(outputs["mask"], kind.upper()) == {PLANTED[kind]}
    assert flagged(outputs["mask"], "OTHER_BAD_PIXEL") == {PLANTED["low_pedestal"]}
    assert flagged(outputs["mask"], "TELEGRAPH") == {PLANTED["high_cr"], PLANTED["noisy"]}
    assert flagged(outputs["mask"], "DO_NOT_USE") == set(list(PLANTED.values())[:5]), "those of the darks"
    assert len(flagged(outputs["mask"], "REFERENCE_PIXEL")) == SIZE**2 - 12**2
    header = fits.getheader(outputs["mask"])
    assert (header["DETECTOR"], header["SUBARRAY"], header["BADPIX MAX_JUMP_LIMIT"]) == ("NIS", "FULL", 5)
    history = "".join(f"{card:<72}" for card in header["HISTORY"])
    for words in ("3 darks used", "darks: d1_jump.fits", "darks: d2_fitopt.fits", "3 flats used",
                  "flats: f3_rateints.fits",
                  "CRDS context: jwst_0001.pmap", "Rejected: d9: DETECTOR is NRCA1, not NIS"):  # fmt: skip
        assert words in history
    assert pd.read_csv(outputs["rejected"]).to_numpy().tolist() == [["d9", "DETECTOR is NRCA1, not NIS"]]


def test_a_warning_of_the_vote_is_in_the_log_and_in_the_history(tmp_path, statistics, caplog):
    leaking = dark(tmp_path, make_dark(tmp_path, "d4", 4), "d4")
    with fits.open(leaking, mode="update") as hdus:
        hdus["SLOPE"].data += np.linspace(0, 30, SIZE, dtype=np.float32)
    words = "Darks that deviate: d4 (typical slope"

    def history(**changes):
        header = fits.getheader(vote(tmp_path, statistics, flats=False, **changes)["mask"])
        return "".join(f"{card:<72}" for card in header["HISTORY"])

    assert words not in history() and words not in caplog.text
    assert words in history(more=[leaking]).split("Warning: noisy:", 1)[1] and words in caplog.text
    assert words not in history(more=[leaking], noisy_test="cds"), "another search replaces the official one"


def test_the_unlit_area_is_in_log_summary_and_history(tmp_path, statistics, caplog):
    caplog.set_level(logging.INFO)
    # The planted pixels are single, and no part of this array is dark.
    outputs = vote(tmp_path / "some", statistics, min_unlit_area=0.01)
    line = "Not illuminated in the flats, or at the edge of the illumination: 0 science pixels (0.00%)"
    assert line in history_of(outputs["mask"]) and line in caplog.text
    (row,) = pd.read_csv(outputs["summary"]).query("kind == 'area'").to_dict("records")
    assert (row["name"], row["n_pixels"], row["fraction"]) == ("not_lit", 0, 0)
    assert "area" not in set(pd.read_csv(vote(tmp_path / "none", statistics)["summary"])["kind"])


def test_other_exposure_types_than_the_default_are_in_the_history(tmp_path, statistics):
    def history(**changes):
        header = fits.getheader(vote(tmp_path, statistics, detector=DETECTOR | changes)["mask"])
        return "".join(f"{card:<72}" for card in header["HISTORY"])

    assert "EXP_TYPE of the" not in history()
    text = history(flat_exp_types=["NRC_LED"])
    assert "EXP_TYPE of the flats: 3 NIS_LAMP (flat_exp_types; the default is NRC_LED)" in text
    assert "EXP_TYPE of the darks" not in text


def test_ground_and_flight_exposures_together(tmp_path, statistics):
    flats = []
    for name in ("g1", "g2"):
        products = make_flat(tmp_path, name, raw=False)
        fits.setval(products["rateints"], "DATE-OBS", value="2018-06-01")
        flats.append(tmp_path / f"{name}_flat_statistics.fits")
        measure_given(products, flats[-1], name, FlatMeasurement())
    flat_response.main(flats, tmp_path / "response.fits", DETECTOR, ResponseSettings.from_config(config()))
    ground = statistics | {"flats": flats, "response": tmp_path / "response.fits"}
    mask = vote(tmp_path / "vote", ground, pedigree="INFLIGHT GROUND")["mask"]
    day = KEYWORDS["DATE-OBS"]
    assert fits.getval(mask, "PEDIGREE") == f"INFLIGHT {day} {day}"
    assert "Exposures of the ground, before 2021-12-25, beside those of flight: flats: g1, g2 " in history_of(mask)
    flight = vote(tmp_path / "flight", statistics, pedigree="INFLIGHT GROUND")["mask"]
    assert "Exposures of the ground" not in history_of(flight)


def test_the_mask_has_the_selectors_of_crds(tmp_path, statistics):
    detector = DETECTOR | {"mask_selectors": ["EXP_TYPE", "READPATT"]}
    outputs = vote(tmp_path, statistics, detector=detector, subarray_name="GENERIC")
    header = fits.getheader(outputs["mask"])
    assert (header["EXP_TYPE"], header["READPATT"], header["SUBARRAY"]) == ("N/A", "NISRAPID", "GENERIC")
    assert "CRDS selects by DETECTOR, EXP_TYPE, READPATT, from the documentation" in history_of(outputs["mask"])
    chosen = {"EXP_TYPE": "measured", "READPATT": "NIS|NISRAPID"}
    header = fits.getheader(vote(tmp_path, statistics, flats=False, detector=detector, selectors=chosen)["mask"])
    assert (header["EXP_TYPE"], header["P_READPA"]) == ("NIS_DARK", "NIS|NISRAPID|")
    with pytest.raises(SelectorError, match="selectors: NGROUPS is not allowed for NIRISS"):
        vote(tmp_path, statistics, detector=detector, selectors={"NGROUPS": 20})


def test_summary_and_evidence_agree_with_the_images(tmp_path, statistics):
    outputs = vote(tmp_path, statistics, min_valid=3)
    dq, table = read_mask(outputs["mask"]), pd.read_csv(outputs["summary"])
    with fits.open(outputs["evidence"]) as hdus:
        bits = {row["TYPE"]: int(row["BIT"]) for row in hdus["TYPES"].data}
        counts = {hdu.name: np.array(hdu.data) for hdu in hdus[1:]}
    types, flags = (table[table["kind"] == kind].set_index("name") for kind in ("type", "flag"))
    assert list(types.index) == list(bits)
    for name, bit in bits.items():
        for image, ending in (("FOUND", ""), ("INSUFFICIENT", "_insufficient")):
            number = int((counts[image] >> bit & 1).sum())
            assert types.loc[name, f"n{ending or '_pixels'}"] == number
            assert types.loc[name, f"fraction{ending}"] == pytest.approx(number / 144)
    # The hot pixel has no valid pedestal, jump or slope; the pixel with many jumps has no clean slope.
    assert types["n_insufficient"].sum() == 4 + 1
    assert set(flags.index) == {name for name, bit in PIXEL_FLAGS.items() if (dq & bit).any()}
    for name, row in flags.iterrows():
        number = int(np.count_nonzero(dq & PIXEL_FLAGS[name]))
        assert row["n_pixels"] == number and row["fraction"] == pytest.approx(number / dq.size)
    tests = [name.removesuffix("_K") for name in counts if name.endswith("_K")]
    assert len(tests) == 10
    assert all((counts[f"{test}_K"] <= counts[f"{test}_N"]).all() for test in tests)
    assert counts["SATURATED_K"][PLANTED["hot"]] == 6 and counts["LOW_PEDESTAL_K"][PLANTED["low_pedestal"]] == 3


@pytest.mark.parametrize("kind", ["darks", "flats"])
def test_a_single_kind(tmp_path, statistics, kind):
    outputs = vote(tmp_path, statistics, **{"flats" if kind == "darks" else "darks": False})
    of_flats = {"DEAD", "LOW_QE", "OPEN", "ADJ_OPEN"}
    assert type_counts(outputs) == {k: n for k, n in ALL_TYPES.items() if (k in of_flats) == (kind == "flats")}
    assert len(flagged(outputs["mask"], "REFERENCE_PIXEL")) == SIZE**2 - 12**2
    plots.main(outputs["evidence"], tmp_path / "plots.png")
    assert (tmp_path / "plots.png").read_bytes().startswith(b"\x89PNG")


def normalised_flat(path, **header):
    """A flat reference file with the response of `make_flat`, and a pixel without a value beside the border."""
    sci = np.ones((SIZE, SIZE), np.float32)
    y, x = PLANTED["OPEN"]
    sci[[y - 1, y + 1, y, y], [x, x, x - 1, x + 1]] = 1.2
    for kind, value in (("DEAD", 0.01), ("LOW_QE", 0.3), ("OPEN", 0.3)):
        sci[PLANTED[kind]] = value
    sci[BORDER, BORDER] = np.nan
    images = {"SCI": sci, "ERR": 0 * sci, "DQ": np.zeros((SIZE, SIZE), np.uint32)}
    return save(path, images, PEDIGREE="GROUND", USEAFTER="2022-01-01T00:00:00", REFTYPE="FLAT", **header)


@pytest.mark.parametrize("flat_vote_unit", ["mean", "exposure"])
def test_a_normalised_flat_in_place_of_flats(tmp_path, statistics, flat_vote_unit):
    flat = normalised_flat(tmp_path / "niriss_flat.fits")
    outputs = vote(tmp_path, statistics, flats=False, product=flat, flat_vote_unit=flat_vote_unit, min_valid=3)
    assert type_counts(outputs) == ALL_TYPES
    table = pd.read_csv(outputs["summary"]).query("kind == 'type'").set_index("name")
    assert table["n_insufficient"]["DEAD"] == 1, "NaN is not classified"
    header, text = fits.getheader(outputs["mask"]), history_of(outputs["mask"])
    assert "Flat types from niriss_flat.fits (FLAT, PEDIGREE GROUND, USEAFTER 2022-01-01T00:00:00), SHA-256 " in text
    assert "its SCI was classified in place of the response of flats; 1 science pixels have no value" in text
    assert "No flats were given" not in text
    assert (header["BADPIX FLAT_TYPES_FROM"], header["BADPIX MAX_LOW_QE_NORM_SIGNAL"]) == ("niriss_flat.fits", 0.5)
    assert not {"BADPIX SMOOTHING_TYPE", "BADPIX FLAT_VOTE_UNIT"} & set(header)
    row = pd.read_csv(outputs["inputs"]).set_index("file").loc["niriss_flat.fits"]
    assert (row["kind"], row["product"], row["bytes"]) == ("flats", "flat_types (FLAT)", flat.stat().st_size)
    assert any(file.name == "niriss_flat.fits" for file in provenance_of(outputs["evidence"]).inputs)
    other = vote(tmp_path, statistics, flats=False, product=flat, max_low_qe_norm_signal=0.2)
    assert type_counts(other)["LOW_QE"] == 0, "the configured limits decide"


def test_a_mask_in_place_of_flats(tmp_path, statistics):
    """Its flat types come into the mask by their mnemonics and the configured DO_NOT_USE, and nothing else."""
    given = vote(tmp_path / "given", statistics)["mask"]
    outputs = vote(tmp_path / "new", statistics, flats=False, product=given, flat_do_not_use=["DEAD"])
    assert type_counts(outputs) == ALL_TYPES
    dq = read_mask(outputs["mask"])
    assert dq[PLANTED["DEAD"]] == PIXEL_FLAGS["DEAD"] | PIXEL_FLAGS["DO_NOT_USE"]
    assert dq[PLANTED["LOW_QE"]] == PIXEL_FLAGS["LOW_QE"]
    assert "its DEAD, LOW_QE, OPEN, ADJ_OPEN were taken over through its DQ_DEF" in history_of(outputs["mask"])
    assert "BADPIX MAX_LOW_QE_NORM_SIGNAL" not in fits.getheader(outputs["mask"])
    no_dead = vote(tmp_path / "new", statistics, flats=False, product=given, dead_search=False)
    assert type_counts(no_dead) == ALL_TYPES | {"DEAD": 0}


def test_a_dummy_product_is_warned_of(tmp_path, statistics, caplog):
    flat = normalised_flat(tmp_path / "flat.fits")
    fits.setval(flat, "PEDIGREE", value="DUMMY")
    vote(tmp_path, statistics, flats=False, product=flat)
    assert "PEDIGREE of flat.fits is DUMMY, so its values were not measured" in caplog.text


def test_a_mask_without_dq_def_is_warned_of(tmp_path, statistics, caplog):
    dq = np.zeros((SIZE, SIZE), np.uint32)
    dq[PLANTED["DEAD"]] = PIXEL_FLAGS["DEAD"]
    mask = vote(tmp_path, statistics, flats=False, product=save(tmp_path / "given.fits", {"DQ": dq}))["mask"]
    assert flagged(mask, "DEAD") == {PLANTED["DEAD"]}
    assert "given.fits has no DQ_DEF: its bits are read as those of the pipeline" in caplog.text
    assert "by the standard bits, since it has no DQ_DEF" in history_of(mask)


def test_a_product_with_most_pixels_bad_is_refused(tmp_path, statistics):
    flat = normalised_flat(tmp_path / "flat.fits")
    with pytest.raises(
        FlatProductError, match="143 of the 144 science pixels of the array would be DEAD, LOW_QE, OPEN,"
    ):
        vote(tmp_path, statistics, flats=False, product=flat, max_low_qe_norm_signal=2.0)
    dq = np.full((SIZE, SIZE), PIXEL_FLAGS["DEAD"], np.uint32)
    mask = save(tmp_path / "mask.fits", {"DQ": dq})
    with pytest.raises(FlatProductError, match="144 of the 144 science pixels"):
        vote(tmp_path, statistics, flats=False, product=mask)


def test_manual_flags(tmp_path, statistics):
    (tmp_path / "manual.txt").write_text("5 12:13 unreliable_slope\n3 3 DEAD\n")
    mask = vote(tmp_path, statistics, manual=tmp_path / "manual.txt", flat_do_not_use=["UNRELIABLE_SLOPE"])["mask"]
    assert flagged(mask, "UNRELIABLE_SLOPE") == {(12, 5), (13, 5)} <= flagged(mask, "DO_NOT_USE")
    assert flagged(mask, "DEAD") == {PLANTED["DEAD"]}, "at 3, 3 is the hot pixel"


def test_mask_of_the_full_frame_from_a_part_of_it(tmp_path, statistics):
    # The array is the lower left corner of a detector of 20 x 24 pixels.
    detector = DETECTOR | {"n_columns": SIZE + 8, "n_rows": SIZE + 4}
    (tmp_path / "manual.txt").write_text("20 17 OPEN\n")
    how = {"manual": tmp_path / "manual.txt", "detector": detector}
    part = read_mask(vote(tmp_path, statistics, **how)["mask"])
    mask = vote(tmp_path, statistics, mask_frame="full", **how)["mask"]
    whole, header = read_mask(mask), fits.getheader(mask)
    assert part.shape == (SIZE, SIZE) and whole.shape == (SIZE + 4, SIZE + 8)
    assert (header["SUBARRAY"], header["SUBSIZE1"], header["SUBSIZE2"]) == ("FULL", SIZE + 8, SIZE + 4)
    assert "Only this part of the frame was measured" in "".join(f"{card:<72}" for card in header["HISTORY"])
    np.testing.assert_array_equal(whole[:SIZE, :SIZE], part)
    expected = np.zeros_like(whole)
    for border in (np.s_[:BORDER], np.s_[-BORDER:], np.s_[:, :BORDER], np.s_[:, -BORDER:]):
        expected[border] = PIXEL_FLAGS["REFERENCE_PIXEL"]
    expected[17, 20] = PIXEL_FLAGS["OPEN"]
    expected[:SIZE, :SIZE] = part
    np.testing.assert_array_equal(whole, expected)


def test_too_few_darks(tmp_path, statistics):
    write_rejected(tmp_path / "d4.fits", "d4", "truncated", Provenance())
    changes = {"more": [tmp_path / "d4.fits"], "rejected": {"d5": "EXP_TYPE is X"}}
    with pytest.raises(TooFewExposures) as caught:
        vote(tmp_path, statistics, min_darks=4, **changes)
    reasons = "3 usable darks remain and min_darks is 4. Rejected:\n  d4: truncated\n  d5: EXP_TYPE is X"
    assert str(caught.value) == f"NIS: no mask, because {reasons}"
    with pytest.raises(BadExposure, match="^d4: truncated; d5: EXP_TYPE is X$"):
        vote(tmp_path, statistics, on_bad_exposure="fail", **changes)
    assert not (tmp_path / "mask.fits").exists()
    left_out = pd.read_csv(vote(tmp_path, statistics, **changes)["rejected"])
    assert left_out["input"].tolist() == ["d4", "d5"]


def test_darks_of_different_numbers_of_groups_vote_with_a_warning(tmp_path, statistics, caplog):
    vote(tmp_path, statistics)
    assert "numbers of groups" not in caplog.text
    longer = tmp_path / "d9_dark_statistics.fits"
    shutil.copyfile(statistics["darks"][0], longer)
    fits.setval(longer, "NGROUPS", value=2 * N_GROUPS)
    fits.setval(longer, "EXPOSURE", value="d9")
    outputs = vote(tmp_path, statistics | {"darks": [*statistics["darks"], longer]})
    assert "different numbers of groups (3 of 8 groups, 1 of 16 groups)" in caplog.text
    assert not (outputs["rejected"].read_text().splitlines())[1:]


def test_flux_check(tmp_path, statistics):
    with pytest.raises(ValueError, match="run_dead_flux_check needs the uncal file of f3; see dead_flux_check_files"):
        vote(tmp_path, statistics, run_dead_flux_check=True)
    two = statistics | {"flats": statistics["flats"][:2]}
    # The last four groups hold 5000, 6000, 7000 and 8000 DN.
    for limit, number in ((6500, 0), (6501, 1)):
        outputs = vote(tmp_path, two, run_dead_flux_check=True, flux_check=limit)
        assert type_counts(outputs)["DEAD"] == number


# ---------------------------------------------------------------- leave one out


def leaky_dark(folder):
    """A fourth dark in which a third of the detector is saturated."""
    paths = make_dark(folder, "leak", 4)
    with fits.open(paths["jump"], mode="update") as hdus:
        hdus["GROUPDQ"].data[:, :, 4:8] = PIXEL_FLAGS["SATURATED"]
    with fits.open(paths["rateints"], mode="update") as hdus:
        hdus["SCI"].data[:, 4:8] = np.nan
        hdus["DQ"].data[:, 4:8] = PIXEL_FLAGS["DO_NOT_USE"]
    return dark(folder, paths, "leak")


def left_out(folder, darks, flats, comparison=None, **changes):
    outputs = {"table": folder / "table.csv", "stability": folder / "stability.fits"}
    leave_one_out.main(VoteFiles(darks, flats, comparison=comparison), outputs, DETECTOR, config(**changes))
    return pd.read_csv(folder / "table.csv").set_index("exposure")


def compared(folder, darks, flats=(), limit=5.0):
    path = folder / "exposure_comparison.csv"
    compare_exposures.main({"darks": darks, "flats": flats}, path, DETECTOR, limit)
    return path


def test_the_number_of_pixels_that_change_without_an_exposure(tmp_path, statistics):
    darks = [*statistics["darks"], leaky_dark(tmp_path)]
    # A single saturated exposure of four is enough here.
    table = left_out(tmp_path, darks, statistics["flats"], max_saturated_fraction=0.25)
    assert table.index.tolist() == ["d1", "d2", "d3", "leak", "f1", "f2", "f3"]
    # With the leak, all science pixels of its four rows are hot, except the planted pixels.
    assert table.loc["leak", "n_changed"] >= 4 * 12 - 3 and table.loc["d2", "n_changed"] <= 10


def test_types_that_cannot_be_decided_without_an_exposure_are_listed(tmp_path, statistics, caplog):
    """Three darks of two integrations have six slopes; four are fewer than min_clean_slopes."""
    table = left_out(tmp_path, statistics["darks"], statistics["flats"])
    assert table["undecided"].fillna("").to_dict() == dict.fromkeys(["d1", "d2", "d3"], "noisy") | dict.fromkeys(
        ["f1", "f2", "f3"], ""
    )
    assert "noisy cannot be decided without any one of the 3 exposures" in caplog.text
    _, types = read_votes(tmp_path / "stability.fits")
    assert dict(types[["type", "votes"]].values)["noisy"] == 0
    caplog.clear()
    assert left_out(tmp_path, statistics["darks"], [], min_clean_slopes=4)["undecided"].isna().all()
    assert "cannot be decided" not in caplog.text


def test_an_outlier_is_rejected_where_the_configuration_rejects_outliers(tmp_path, statistics):
    more = [dark(tmp_path, make_dark(tmp_path, "d4", 7), "d4"), leaky_dark(tmp_path)]
    path = compared(tmp_path, [*statistics["darks"], *more], statistics["flats"])
    loose = {"max_saturated_fraction": 0.2}
    outputs = vote(tmp_path, statistics, more=more, comparison=path, reject_outliers=True, **loose)
    reasons = pd.read_csv(outputs["rejected"]).set_index("input")["reason"]
    assert list(reasons.index) == ["leak"]
    assert reasons["leak"].startswith("outlier: pixels without a slope 40.8%, in the others 0.833%")
    without_leak = vote(tmp_path / "without_leak", statistics, more=more[:1], **loose)
    np.testing.assert_array_equal(read_mask(outputs["mask"]), read_mask(without_leak["mask"]))
    with pytest.raises(TooFewExposures, match=r"4 usable darks remain and min_darks is 5(.|\n)*leak: outlier: pixels"):
        vote(tmp_path, statistics, more=more, comparison=path, reject_outliers=True, min_darks=5, **loose)

    named = vote(tmp_path / "named", statistics, more=more, comparison=path, **loose)
    assert type_counts(named)["hot"] > 40 and pd.read_csv(named["rejected"]).empty
    history = history_of(named["mask"])
    assert "Warning: leak is an outlier among the darks: pixels" in history and "reject_outliers is false" in history


def test_with_few_exposures_an_outlier_is_named_only(tmp_path, statistics, caplog):
    leak = leaky_dark(tmp_path)
    path = compared(tmp_path, [*statistics["darks"], leak])
    outputs = vote(tmp_path, statistics, flats=False, more=[leak], comparison=path, reject_outliers=True)
    assert pd.read_csv(outputs["rejected"]).empty
    assert "4 darks are too few to reject an outlier" in history_of(outputs["mask"])
    assert "leak is an outlier among the darks" in caplog.text


def test_a_flat_that_is_an_outlier_leaves_the_response(tmp_path, statistics):
    row = ComparisonRow("flats", "f2", "pattern", 1, 0.0, 1.0, 0.1, 10.0, 5.0, "outlier", "pattern 0%")
    write_comparison(tmp_path / "table.csv", [row])
    settings = ResponseSettings.from_config(config())
    flat_response.main(statistics["flats"], tmp_path / "r.fits", DETECTOR, settings, tmp_path / "table.csv")
    with fits.open(tmp_path / "r.fits") as hdus:
        assert hdus["USED"].data["EXPOSURE"].tolist() == ["f1", "f3"]


def test_the_stability_is_that_of_the_exposures_that_vote(tmp_path, statistics):
    darks = [*statistics["darks"], dark(tmp_path, make_dark(tmp_path, "d4", 7), "d4"), leaky_dark(tmp_path)]
    path = compared(tmp_path, darks)
    for rejected, votes in ((False, 5), (True, 4)):
        left_out(tmp_path, darks, [], path, max_saturated_fraction=0.2, reject_outliers=rejected)
        pixels, types = read_votes(tmp_path / "stability.fits")
        assert set(pixels["votes"]) == set(types["votes"]) == {votes}
        hot = pixels[pixels["type"] == "hot"]
        assert (len(hot) > 40) == (not rejected)
        planted = hot[(hot["y"] == PLANTED["hot"][0]) & (hot["x"] == PLANTED["hot"][1])]
        assert planted["stability"].tolist() == [1.0]


def test_a_single_exposure_cannot_be_left_out(tmp_path, statistics):
    assert left_out(tmp_path, statistics["darks"][:1], []).empty
