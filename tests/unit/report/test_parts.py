"""The parts of the report pages, on small arrays with the arithmetic by hand."""

import base64
import gzip
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits
from bokeh.models import Span

from badpix.formats.comparison_file import ComparisonRow
from badpix.formats.evidence_file import Evidence
from badpix.formats.thresholds import ABOVE, around, vote_rows
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.mask.flags import flags_by_type
from badpix.report.assemble import check_n_votes, history_entries
from badpix.report.darks import ABSTAINED, NO, YES, exposure_votes
from badpix.report.figures import as_bytes, block_means
from badpix.report.histograms import Histogram
from badpix.report.inspector import deviation_of, mean_deviation, n_detailed, panel
from badpix.report.packing import Pack
from badpix.report.page import histogram_figures
from badpix.report.pixels import RAMPS_PER_TYPE, by_rarity, listed_pixels, ramps_per_type, sampled_pixels
from badpix.report.ramps import read_ramps
from badpix.report.tables import column_forms, exposure_table, flag_table, job_times
from badpix.report.templating import as_json, environment, number
from badpix.report.words import LOOKS, QUANTITIES, TESTS, look, title


def evidence(found, intermittent=None, names=("hot", "rc")):
    """An Evidence of small images, without thresholds."""
    nothing = np.zeros_like(found)
    bits = {name: bit for bit, name in enumerate(names)}
    return Evidence("", "", bits, {}, [], found, nothing, nothing if intermittent is None else intermittent, {})


@pytest.fixture
def short_ramps():
    """An Evidence in which the second integration is too short for a quantity.

    So are MIRI's later integrations, which lose a group more than the first.
    """
    limits = [
        around(
            "early_rc", "CDS_EARLY - CDS_LATE", ABOVE, centre, 3.0, unit="DN/group", exposure="a", integration=number
        )
        for number, centre in ((1, 2.0), (2, np.nan))
    ]
    nothing = np.zeros((2, 2), np.uint32)
    limits += vote_rows("early_rc", 0.5, "integrations", 1)
    return Evidence("", "", {"rc": 0}, {"rc": ["early_rc"]}, limits, nothing, nothing, nothing, {})


INTEGRATIONS = [("a", 1, "a"), ("a", 2, "a")]


def test_a_ramp_too_short_for_a_quantity_has_no_line(short_ramps):
    entry = panel(short_ramps, "CDS_EARLY - CDS_LATE", INTEGRATIONS, "q")
    assert [line["values"] for line in entry["lines"]] == [{0: [5.0, None]}]
    as_json(entry)


@pytest.mark.parametrize("short", [1, 2])
def test_a_ramp_too_short_for_a_quantity_has_no_deviation(short_ramps, short):
    """Whichever integration it is: the quantity of the test is known all the same."""
    first, second = short_ramps.thresholds[:2]
    short_ramps.thresholds[:2] = [replace(second, integration=short), replace(first, integration=3 - short)]
    values = np.full((4, 2), 7.0, np.float32)
    values[:, short - 1] = np.nan
    darks = SimpleNamespace(integrations=INTEGRATIONS, values={"CDS_EARLY - CDS_LATE": values})
    deviation, weights = deviation_of("early_rc", short_ramps, darks, np.zeros(4, int))
    assert weights.shape == deviation.shape
    assert (deviation[:, 2 - short] == 5).all() and np.isnan(deviation[:, short - 1]).all()
    assert short_ramps.quantity("none") is None


# ---------------------------------------------------------------- which pixels


def test_rare_types_come_first_and_every_pixel_once():
    common = np.zeros((20, 20), bool)
    common[:10] = True
    rare = np.zeros_like(common)
    rare[3, 3], rare[15, 15] = True, True
    order = by_rarity([common, rare])
    assert sorted(order) == sorted(np.flatnonzero(common | rare))
    assert {63, 315} <= set(order[:4]), "each mask has its turn"
    assert (by_rarity([common, rare]) == order).all() and by_rarity([]).size == 0


def test_listed_are_the_flagged_and_all_of_a_small_array(monkeypatch):
    found, intermittent_bits, by_hand = (
        np.zeros((20, 20), np.uint32),
        np.zeros((20, 20), np.uint32),
        np.zeros((20, 20), bool),
    )
    found[1, 1], intermittent_bits[2, 2], by_hand[3, 3] = 2, 1, True
    pixels, candidates = listed_pixels(evidence(found, intermittent_bits), by_hand)
    assert set(pixels[:3]) == {21, 42, 63} and candidates == pixels.size == 400
    monkeypatch.setattr("badpix.report.pixels.WHOLE_ARRAY", 100)
    assert set(listed_pixels(evidence(found, intermittent_bits), by_hand)[0]) == {21, 42, 63}
    monkeypatch.setattr("badpix.report.pixels.MAX_LISTED", 2)
    pixels, candidates = listed_pixels(evidence(found, intermittent_bits), by_hand)
    assert pixels.size == 2 and candidates == 3


def test_what_fits_is_told():
    assert n_detailed(50_000, 300, 20_000_000) == 50_000
    assert n_detailed(100_000, 400, 20_000_000) == 50_000
    assert ramps_per_type(300, 10) == RAMPS_PER_TYPE and ramps_per_type(10**7, 10) == 1


def test_some_ramps_of_each_type():
    found = np.zeros((30, 30), np.uint32)
    found[:, :15], found[2, 20] = 1, 2
    pixels = sampled_pixels(evidence(found))
    assert pixels.size == RAMPS_PER_TYPE + 1 and 80 in pixels and (np.diff(pixels) > 0).all()


# ---------------------------------------------------------------- votes


def test_an_exposure_votes_yes_with_half_of_its_integrations():
    votes = np.array([[YES, NO], [NO, NO], [YES, ABSTAINED], [ABSTAINED, ABSTAINED]], np.uint8)
    assert exposure_votes(votes).tolist() == [YES, NO, YES, ABSTAINED]


def test_votes_that_do_not_add_up_stop_the_job():
    votes = np.array([[YES, NO], [ABSTAINED, YES]], np.uint8)
    k, n = np.array([[9, 1, 1]]), np.array([[9, 2, 1]])
    check_n_votes("t", votes, (k, n), np.array([1, 2]))
    for wrong in ((k + 1, n), (k, n + 1)):
        with pytest.raises(ValueError, match="votes of test t do not add up"):
            check_n_votes("t", votes, wrong, np.array([1, 2]))


def test_a_mean_passes_over_what_is_missing():
    values = np.array([[1, np.nan, 3], [np.nan] * 3, [np.inf, 1, 1]], np.float32)
    weights = np.array([[1.5, 1, 0.5]] * 3, np.float32)
    assert mean_deviation(values, weights).tolist() == pytest.approx([1.5, np.nan, np.inf], nan_ok=True)
    without = np.array([[0, 1.5, 1.5]] * 3, np.float32)
    assert mean_deviation(values, without).tolist() == pytest.approx([2.25, np.nan, 1], nan_ok=True)


# ---------------------------------------------------------------- histograms and images


def test_a_histogram_has_typical_values_and_limits_in_range_and_the_rest_at_its_ends():
    values = np.random.default_rng(0).normal(10, 1, 10_000).astype(np.float32)
    histogram = Histogram.around(values, [30.0])
    assert histogram.low < 2 and histogram.high > 35
    histogram.add(np.array([10.0, np.inf, -1e30, np.nan], np.float32))
    assert histogram.counts.sum() == 3 and histogram.counts[0] == histogram.counts[-1] == 1
    assert histogram.n_missing == 1
    middle = np.searchsorted(histogram.edges, 10.0) - 1
    assert histogram.counts[middle] == 1
    counts = Histogram.around(np.array([0, 1, 1, 30], np.int16), [20], whole_numbers=True)
    counts.add(np.array([0, 1, 1, 30, 99], np.int16))
    assert counts.counts[:2].tolist() == [1, 2] and counts.counts[30] == 2 and counts.edges[1] == 0.5
    assert Histogram.around(np.full(3, np.nan), []).high > 0, "nothing measured is no error"
    scatter = np.abs(np.random.default_rng(0).normal(1, 0.3, 1000))
    assert Histogram.around(scatter, [3.0]).low == 0, "no bins below 0 for what cannot be negative"


def test_an_integration_without_a_centre_has_no_limit_drawn():
    """Of two integrations the first has no value at all: its centre, and so its limits, are not known."""
    limits = [
        around("high_pedestal", "PEDESTAL", ABOVE, centre, 10.0, unit="DN", exposure="a", integration=integration)
        for integration, centre in ((1, np.nan), (2, 5.0))
    ]
    known = evidence(np.zeros((2, 2), np.uint32))
    known.thresholds.extend(limits)
    histogram = Histogram.around(np.arange(20.0), [10.0], False)
    (plot,) = histogram_figures(
        {"PEDESTAL": histogram}, {"PEDESTAL": {("a", 2): 5.0}}, known, [("a", 1, "a"), ("a", 2, "a")]
    )
    assert [part.location for part in plot.center if isinstance(part, Span)] == [10.0]


def test_large_images_become_means_of_blocks():
    image = np.arange(20, dtype=np.float32).reshape(4, 5)
    image[0, 0] = np.nan
    means, step = block_means(image, 3)
    assert step == 2 and means.shape == (2, 3)
    assert means[0, 0] == pytest.approx((1 + 5 + 6) / 3) and means[1, 2] == pytest.approx((14 + 19) / 2)
    assert block_means(image, 5)[1] == 1
    image[2:, :2] = np.nan
    assert np.isnan(block_means(image, 3)[0][1, 0])


def test_bytes_keep_zero_for_what_was_not_measured():
    image = np.linspace(0, 1, 1000).reshape(10, 100)
    image[0, 0] = np.nan
    data, low, high = as_bytes(image)
    assert data[0, 0] == 0 and data.min() == 0 and data[0, 1] == 1 and data[-1, -1] == 255
    assert 0 < low < 0.01 and 0.99 < high < 1
    assert set(np.unique(as_bytes(np.ones((3, 3)))[0])) == {1}, "a flat image is no division by zero"


# ---------------------------------------------------------------- tables


def test_an_outlier_of_the_comparison_is_marked():
    rows = [{"kind": "dark", "exposure": name} for name in ("a", "b", "c")]
    cells = [("a", "light", 7.0), ("a", "noise", 5.0), ("a", "pedestal", 6.0), ("b", "light", 4.0)]
    compared = [ComparisonRow("darks", name, m, 1, 0, 0, 1, d, 5.0, "outlier", "") for name, m, d in cells]
    table = exposure_table(rows, compared)
    assert [row["odd"] for row in table] == [["light", "pedestal"], [], []]
    assert [row["distance"] for row in table] == [7.0, 4.0, None]


def test_flags_with_what_changed():
    hot, dead = PIXEL_FLAGS["HOT"], PIXEL_FLAGS["DEAD"]
    now, before = np.array([[hot, hot, 0, 0]], np.uint32), np.array([[0, hot, hot | dead, 0]], np.uint32)
    rows = {row["name"]: row for row in flag_table(now, before)}
    assert [rows["HOT"][key] for key in ("n", "fraction", "before", "added", "removed")] == [2, 0.5, 2, 1, 1]
    assert rows["DEAD"]["n"] == 0 and rows["DEAD"]["removed"] == 1
    assert [row["name"] for row in flag_table(now)] == ["HOT"]


def test_times_of_jobs(tmp_path):
    head = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
    for name, seconds, memory in (("one/a", 3.0, 10.5), ("one/b", 5.0, "-"), ("two", 1.0, "-")):
        path = tmp_path / f"{name}.tsv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(head + f"{seconds}\t0:00:03\t{memory}" + "\t0" * 7 + "\n")
    one, two = job_times([tmp_path, tmp_path / "nowhere"])
    assert (one["rule"], one["jobs"], one["total"], one["longest"], one["longest_job"]) == ("one", 2, 8.0, 5.0, "b")
    assert one["peak_mb"] == 10.5 and two["peak_mb"] == 0


def test_long_entries_of_the_history_are_joined():
    header = fits.Header()
    for entry in ("short", "x" * 200, "last"):
        header.add_history(entry)
    assert history_entries(header) == ["short", "x" * 200, "last"]
    assert history_entries(fits.Header()) == []


# ---------------------------------------------------------------- the page


def test_packed_arrays_start_where_the_manifest_lists_them():
    pack = Pack()
    pack.add("a", np.array([1, 2, 3], np.uint8))
    pack.add("b", np.array([[1.5, -2], [np.nan, 7]], ">f4"))
    data = gzip.decompress(base64.b64decode(pack.base64()))
    entry = pack.manifest["b"]
    assert entry == {"type": "Float32Array", "start": 4, "count": 4, "columns": 2}
    assert np.array_equal(np.frombuffer(data, "<f4", 4, 4), [1.5, -2, np.nan, 7], equal_nan=True)
    with pytest.raises(ValueError, match="c: dtype float64 cannot be packed; allowed are uint8"):
        pack.add("c", np.zeros(2))


def test_nothing_ends_a_script_or_becomes_markup():
    assert "</script>" not in as_json({"a": "</script><b>&"})
    assert json.loads(str(as_json({"a": "</script><b>&"}))) == {"a": "</script><b>&"}
    overview = {"detector": "<b>", "instrument": "X", "epoch": "", "array": "", "page": "p", "darks": 1, "flats": 0,
             "left_out": 0, "do_not_use": 0.1, "types": {"hot": 3}, "added": None, "removed": None,
             "stand_out": ["<i>"]}  # fmt: skip
    text = (
        environment()
        .get_template("index.html")
        .render(
            detectors=[overview],
            types=["hot"],
            compared=False,
            masks={'"<b>': "0"},
            refused={"NIS": "NIS: no mask"},
            version="1",
            made="now",
        )
    )
    assert "&lt;b&gt;" in text and "<i>" not in text and "NIS: no mask" in text


def test_numbers():
    assert [number(value, ",.2f") for value in (16842.3, -0.15131)] == ["16,842.30", "−0.15"]
    assert [number(value, ",.2f") for value in (None, float("nan"))] == ["–", "–"]
    assert number(0.1234, ".1%") == "12.3%"


def test_a_column_has_the_same_decimals_in_all_rows():
    slopes = {"dark": (0.0316, 0.0004907, float("nan")), "flat": (-1211.4, 3.0)}
    rows = [{"kind": kind, "slope": value} for kind, values in slopes.items() for value in values]
    forms = column_forms(rows)
    assert [number(value, forms["dark"]["slope"]) for value in slopes["dark"]] == ["0.0316", "0.0005", "–"]
    assert [number(value, forms["flat"]["slope"]) for value in slopes["flat"]] == ["−1,211", "3"]
    assert column_forms([])["dark"]["slope"] == ",.0f", "nothing measured is no error"


def luminance(color):
    """Relative luminance of #rrggbb, as WCAG 2 defines it."""
    parts = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_the_map_can_be_read_without_colour():
    markers = [style.marker.glyph for style in LOOKS.values()]
    assert len(set(markers)) == len(markers), "no two layers share a shape"
    for name, style in LOOKS.items():
        assert 1.05 / (luminance(style.marker.color) + 0.05) >= 3, f"{name}: contrast with white below 3 (WCAG 1.4.11)"


def test_everything_has_a_name():
    types = flags_by_type({}, (), ())
    assert types.keys() <= LOOKS.keys()
    assert look("a new type").label == "a new type" and title("X") == ("X", "")
    assert all(unit for name, (_, unit) in QUANTITIES.items()) and all(TESTS.values())


# ---------------------------------------------------------------- ramps


def write_ramps(path, source):
    sci = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    primary = fits.PrimaryHDU()
    primary.header["TGROUP"] = 10.7
    hdus = [primary, fits.ImageHDU(sci.astype(np.uint16 if source == "uncal" else np.float32), name="SCI")]
    if source == "jump":
        dq = np.zeros(sci.shape, np.uint8)
        dq[0, 1, 2, 3], dq[1, 2, 2, 3] = 4, 2
        hdus.append(fits.ImageHDU(dq, name="GROUPDQ"))
    fits.HDUList(hdus).writeto(path)
    return sci


def test_ramps_from_kept_and_from_raw_files(tmp_path):
    y, x = np.array([2, 0]), np.array([3, 1])
    files = {source: str(tmp_path / f"{source}.fits") for source in ("jump", "uncal")}
    sci = write_ramps(files["uncal"], "uncal") + 0
    raw = read_ramps("e", "dark", files, y, x)
    assert raw.source == "uncal" and raw.flags is None, "the jump file is gone"
    assert raw.group_time_s == 10.7 and raw.signal.shape == (2, 2, 3)
    assert raw.signal[0].tolist() == sci[:, :, 2, 3].tolist() and raw.signal[1].tolist() == sci[:, :, 0, 1].tolist()
    write_ramps(files["jump"], "jump")
    kept = read_ramps("e", "dark", files, y, x)
    assert kept.source == "jump" and kept.signal[0].tolist() == sci[:, :, 2, 3].tolist()
    assert kept.flags[0].tolist() == [[0, 1, 0], [0, 0, 2]] and not kept.flags[1].any()
    assert read_ramps("e", "flat", {}, y, x) is None
