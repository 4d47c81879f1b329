"""The report pages in a real browser: the data of a pixel agree with the files, and the keys `report` and
`compare_with` make the pages."""

import json
import re
import shutil

import numpy as np
import pytest
import yaml
from astropy.io import fits

import report_index
from badpix.formats.mask_file import read_mask
from badpix.formats.pixel_types import PIXEL_TYPES
from badpix.instrument.dq import PIXEL_FLAGS
from workflow.browser import needs_browser, opened
from workflow.conftest import FULL_RUN, make_once
from workflow.key_changes import DARK, FLAT
from workflow.runner import PROJECT, copy_run, snakemake, succeed

pytestmark = pytest.mark.pipeline

FLIGHT = yaml.safe_load((PROJECT / "config" / "presets" / "flight.yaml").read_text(encoding="utf-8"))
PAGE = {"report": True, "quality_check": False, "plot": False}
OLD = "old_mask.fits"


# Name and label of the element that has the focus.
FOCUSED = """() => {
    const host = document.activeElement;
    let e = host;  // the tools of a plot are in a tree of their own
    while (e.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
    const label = e.getAttribute("aria-label") || e.title || e.textContent.trim() || e.labels?.[0]?.textContent.trim();
    return [host.id || host.dataset.layer || host.tagName, label || ""];
}"""


@pytest.fixture(scope="session")
def reported(finished, tmp_path_factory):
    """Pages of the finished run with official defaults, kept ramps and a rejected exposure (folder `official`), and
    of a vote with the preset without them, compared with the former mask (in `results`). Read only."""

    def make(directory):
        copy_run(finished, directory)
        (directory / "darks" / "broken_uncal.fits").touch()
        run = succeed(directory, config=FULL_RUN | PAGE)
        assert run.jobs == {"bad_pixel_mask": 1, "report_page": 1, "report_index": 1}
        shutil.copytree(directory / "results", directory / "official")
        shutil.copy2(directory / "results" / "NIS" / "test_bpm.fits", directory / OLD)
        succeed(directory, config=FLIGHT | PAGE | {"compare_with": OLD})

    return make_once(tmp_path_factory, "reported", make)


@pytest.fixture(params=["official", "results"])
def run(request, reported):
    """The results of one of the two runs."""
    return reported / request.param / "NIS"


def planes(run, name, kind="dark"):
    """Plane `name` of all integrations of the exposures of a kind, in the order of their names: (integration, y, x)."""
    stacks = []
    for path in sorted((run / f"{kind}s").glob(f"*_{kind}_statistics.fits")):
        with fits.open(path) as hdus:
            if not hdus[0].header["REJECTED"]:
                stacks.append(np.array(hdus[name].data))
    return np.concatenate(stacks)


def one_of_each_type(run):
    """(x, y) of a found pixel of each type, and of a pixel without findings."""
    with fits.open(run / "evidence.fits") as hdus:
        found, types = hdus["FOUND"].data, {row["TYPE"]: int(row["BIT"]) for row in hdus["TYPES"].data}
        inside = np.zeros(found.shape, bool)
        inside[5:-5, 5:-5] = True
        places = [np.argwhere((found >> np.uint32(bit)) & 1 == 1) for bit in types.values()]
        places.append(np.argwhere((found == 0) & (hdus["INTERMITTENT"].data == 0) & inside))
    return [tuple(int(i) for i in place[len(place) // 2][::-1]) for place in places if len(place)]


def choose(page, x, y):
    """Select a pixel on the page, as a reader does."""
    page.fill("#pixel-x", str(x))
    page.fill("#pixel-y", str(y))
    page.press("#pixel-y", "Enter")
    page.wait_for_function(f"document.getElementById('h-pixel').textContent.startsWith('Pixel x {x}, y {y}')")


def votes_shown(page):
    """Test -> (text "k of n", marks of the single votes) from the tables of the page."""
    return page.evaluate(
        "() => Object.fromEntries([...document.querySelectorAll('tr[data-test]')].map((row) => [row.dataset.test,"
        " [row.cells[2].textContent, row.cells[1].querySelector('[aria-hidden]')?.textContent || '']]))"
    )


def drawn(page, name):
    """The points or thresholds in a plot of the inspector: (positions, values), NaN: no value."""
    source = page.evaluate(
        "(name) => { const d = Bokeh.documents[0].get_model_by_name(name).data; return [[...d.x], [...d.y].map((v) =>"
        " Number.isFinite(v) ? v : null)]; }",
        name,
    )
    return source[0], np.array([np.nan if value is None else value for value in source[1]])


@needs_browser
def test_it_opens_without_a_network_and_without_complaint(run):
    with opened(run / "report.html") as seen:
        seen.page.evaluate("document.documentElement.style.scrollBehavior = 'auto'")
        for section in ("exposures", "distributions", "images", "provenance"):
            seen.page.evaluate("(id) => document.getElementById(id).scrollIntoView()", section)
            seen.page.wait_for_timeout(300)
        lazy = "() => [...document.querySelectorAll('.lazy')].every((place) => place.childElementCount > 0)"
        seen.page.wait_for_function(lazy)
        assert seen.page.locator(".lazy").count() >= 15
        assert len(seen.requests) == 1 and seen.requests[0].startswith("file://"), "the page itself and nothing else"
        assert seen.errors == []


@needs_browser
def test_the_inspector_agrees_with_the_files(run):
    """Types, flags, votes, measurements and thresholds of a pixel of each type, read in the browser."""
    dq = read_mask(run / "test_bpm.fits")
    slopes, pedestals = planes(run, "SLOPE"), planes(run, "PEDESTAL_T0")
    with fits.open(run / "evidence.fits") as evidence, opened(run / "report.html") as seen:
        types = {row["TYPE"]: int(row["BIT"]) for row in evidence["TYPES"].data}
        tests = {row["TEST"] for row in evidence["TESTS"].data}
        thresholds = evidence["THRESHOLDS"].data
        limits = thresholds["VALUE"][thresholds["QUANTITY"] == "PEDESTAL_T0"]
        assert limits.size >= 20
        panels = seen.page.evaluate("() => badpix.page.panels.map((p) => [p.quantity, p.figure])")
        labels = {name: entry["label"] for name, entry in seen.page.evaluate("() => badpix.page.looks").items()}
        places = one_of_each_type(run)
        assert len(places) >= 9
        for x, y in places:
            choose(seen.page, x, y)
            found = {name for name, bit in types.items() if evidence["FOUND"].data[y, x] >> np.uint32(bit) & 1}
            chips = seen.page.eval_on_selector_all(
                "#pixel-types .chip:not(.off)", "all => all.map((c) => c.textContent)"
            )
            assert set(chips) == {labels[name] for name in found}
            flags = {name for name, bit in PIXEL_FLAGS.items() if dq[y, x] & np.uint32(bit)}
            shown_flags = seen.page.text_content("#pixel-data dd")
            assert set(shown_flags.split(", ")) == (flags or {"none"})

            votes = votes_shown(seen.page)
            assert votes.keys() == {test for test in tests if f"{test.upper()}_K" in evidence}
            for test, (counted, marks) in votes.items():
                k, n = (int(evidence[f"{test.upper()}_{what}"].data[y, x]) for what in "KN")
                assert counted == f"{k} of {n}", (test, x, y)
                if marks:
                    assert (marks.count("■"), marks.count("■") + marks.count("□")) == (k, n), (test, x, y)

            figure = dict(panels)
            for quantity, stack in (("SLOPE", slopes), ("PEDESTAL_T0", pedestals)):
                _, shown = drawn(seen.page, f"{figure[quantity]}-points")
                assert np.array_equal(shown.astype(np.float32), stack[:, y, x], equal_nan=True), (quantity, x, y)
            _, lines = drawn(seen.page, f"{figure['PEDESTAL_T0']}-limits")
            assert np.allclose(np.sort(lines), np.sort(limits), rtol=0, atol=1e-6)
        assert seen.errors == []


@needs_browser
def test_flats_and_their_thresholds(reported):
    """With the preset each flat votes by its own response; with official defaults only the mean flat decides."""
    of_responses = "() => badpix.page.panels.find((panel) => panel.quantity === 'RESPONSE').figure"
    run = reported / "results" / "NIS"
    responses = [fits.getdata(path, "RESPONSE") for path in sorted((run / "flats").glob("*_exposure_response.fits"))]
    with opened(run / "report.html") as seen:
        figure = seen.page.evaluate(of_responses)
        for x, y in one_of_each_type(run)[-4:]:
            choose(seen.page, x, y)
            _, shown = drawn(seen.page, f"{figure}-points")
            assert np.array_equal(
                shown.astype(np.float32), np.array([r[y, x] for r in responses], np.float32), equal_nan=True
            )
            assert set(drawn(seen.page, f"{figure}-limits")[1]) == {0.05, 0.5}
    run = reported / "official" / "NIS"
    with fits.open(run / "flat_response.fits") as hdus, opened(run / "report.html") as seen:
        mean, normalised = hdus["MEAN"].data, hdus["RESPONSE"].data
        x, y = one_of_each_type(run)[-1]
        choose(seen.page, x, y)
        figure = seen.page.evaluate(of_responses)
        _, shown = drawn(seen.page, f"{figure}-points")
        expected = planes(run, "SLOPE", "flat")[:, y, x] / (mean[y, x] / normalised[y, x])
        assert len(shown) == 10 and np.allclose(shown, expected, rtol=1e-6)


@needs_browser
def test_ramps_come_from_kept_jump_files_or_from_raw_files(reported):
    for name, source in (("official", "jump"), ("results", "uncal")):
        run = reported / name / "NIS"
        with opened(run / "report.html") as seen:
            index, width = seen.page.evaluate("() => [badpix.arrays.ramp_index[3], badpix.page.nx]")
            x, y = index % width, index // width
            choose(seen.page, x, y)
            assert DARK.format(1) in seen.page.text_content("#ramp-exposure option:checked")
            path = (
                reported / ("official/NIS/darks" if source == "jump" else "darks") / f"{DARK.format(1)}_{source}.fits"
            )
            with fits.open(path) as hdus:
                expected = np.array(hdus["SCI"].data[:, :, y, x], np.float32)
            assert np.array_equal(
                drawn(seen.page, "ramp-points")[1].astype(np.float32), expected.ravel(), equal_nan=True
            )
            assert ("jump file (output" if source == "jump" else "raw file (uncal)") in seen.page.text_content(
                "#ramp-note"
            )
            last = seen.page.locator("#ramp-exposure option").count() - 1
            seen.page.select_option("#ramp-exposure", str(last))
            assert FLAT.format(5) in seen.page.text_content("#ramp-exposure option:checked")
            assert "raw file (uncal)" in seen.page.text_content("#ramp-note"), "the ramps of flats are never kept"
            healthy = one_of_each_type(run)[-1]
            choose(seen.page, *healthy)
            seen.page.click("#ramp-note button")
            assert re.match(r"Pixel x \d+, y \d+", seen.page.text_content("#h-pixel"))
            assert seen.page.evaluate("() => document.querySelectorAll('#pixel-types .chip').length") > 0


WIDTHS = (400, 768, 1400)
# Parts whose content is wider than the part, and parts beyond the right edge of the window.
CUT = """() => {
    const name = (e) => `${e.tagName}.${e.className} in ${e.closest("section")?.id}`;
    const parts = [...document.querySelectorAll("main *, header, nav")].filter((e) => !e.closest(".unseen"));
    return parts.filter((e) => (getComputedStyle(e).overflowX !== "visible" && e.scrollWidth > e.clientWidth + 1
        && !e.matches("select, input")) || e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
        .map(name);
}"""


@needs_browser
@pytest.mark.parametrize("width", WIDTHS)
def test_no_part_is_cut_in_a_narrow_window(reported, width):
    with opened(reported / "results" / "NIS" / "report.html", width=width) as seen:
        page = seen.page
        page.wait_for_function("document.documentElement.dataset.drawn")
        page.click("#more-votes summary")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CUT) == []
        map_size = """() => { const m = Bokeh.documents[0].get_model_by_name("map"), r = m.x_range, s = m.y_range;
            return [m.inner_width, m.inner_width / (r.end - r.start), m.inner_height / (s.end - s.start)]; }"""
        across, *pixel = page.evaluate(map_size)
        assert across > 0.45 * min(width, 1000) and pixel[0] == pytest.approx(pixel[1], rel=0.01), "square pixels"


@needs_browser
def test_the_index_of_long_names_is_not_cut(reported, tmp_path):
    overview = json.loads((reported / "results" / "NIS" / "report.json").read_text(encoding="utf-8"))
    overview |= {"detector": "NRCALONG", "epoch": "2025-07-01_cycle4", "array": "FULL, 2048 × 2048 pixels"}
    overview["types"] = dict.fromkeys(PIXEL_TYPES, 123_456)
    overview["stand_out"] = [f"jw01234001001_02101_0000{number}-seg001_nrcalong" for number in range(9)]
    (tmp_path / "report.json").write_text(json.dumps(overview), encoding="utf-8")
    refused = {"NRCA2": "NRCA2: no mask, " + "because the darks are of another read pattern " * 4}
    report_index.main([tmp_path / "report.json"] * 2, ["a.html", "b.html"], refused, tmp_path / "index.html")
    with opened(tmp_path / "index.html") as seen:
        for width in WIDTHS:
            seen.page.set_viewport_size({"width": width, "height": 1000})
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
            assert seen.page.evaluate(CUT) == [], width
        for name in overview["stand_out"]:
            assert name in seen.page.inner_text("main")


# Plots in print: number of different values of their pixels; and parts that overlap, are cut or missing.
PRINTED = """() => {
    const pictures = [...document.querySelectorAll(".printed")];
    const values = (e) => {
        const copy = Object.assign(document.createElement("canvas"), { width: e.width, height: e.height });
        const context = copy.getContext("2d", { willReadFrequently: true });
        context.drawImage(e, 0, 0);
        return new Set(context.getImageData(0, 0, e.width, e.height).data).size;
    };
    const box = (e) => e.getBoundingClientRect();
    const outside = pictures.filter((e) => box(e).right > box(e.closest(".card")).right + 1).length;
    const [a, b] = [".map", ".inspector"].map((part) => box(document.querySelector(part)));
    return { values: pictures.map(values), outside, apart: a.bottom <= b.top + 1 || a.right <= b.left + 1,
             undrawn: document.querySelectorAll(".lazy:not(.drawn)").length };
}"""


@needs_browser
def test_print_has_all_plots_and_no_part_is_cut(run, tmp_path):
    with opened(run / "report.html") as seen:
        page = seen.page
        page.wait_for_function("document.documentElement.dataset.drawn")
        n_lazy, n_panels = page.locator(".lazy").count(), page.locator("#panels figure").count()
        page.evaluate(f"addEventListener('beforeprint', () => {{ window.printed = ({PRINTED})(); }})")
        page.pdf(path=tmp_path / "page.pdf")
        printed = page.evaluate("window.printed")
        images = page.locator("#images .card").count()
        assert len(printed["values"]) == n_lazy + n_panels + images + 2, "with the map and the ramp"
        assert min(printed["values"]) > 10, "no picture is empty"
        assert page.locator(".printed").count() == 0, "they are gone after printing"
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 1047, "height": 718})  # A4 across, without margins
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        printed = page.evaluate(PRINTED)
        assert printed["apart"] and printed["outside"] == printed["undrawn"] == 0
        assert page.evaluate(CUT) == []
        assert seen.errors == []


@needs_browser
def test_it_opens_on_a_pixel_with_a_ramp(run):
    with opened(run / "report.html") as seen:
        page = seen.page
        assert page.evaluate("badpix.arrays.ramp_index.includes(Number(document.getElementById('pixel-y').value)"
                             " * badpix.page.nx + Number(document.getElementById('pixel-x').value))")  # fmt: skip
        assert np.isfinite(drawn(page, "ramp-points")[1]).sum() >= 10
        assert page.locator("#pixel-types .chip:not(.off)").count() > 0, "a bad pixel"
        assert page.locator("#ramps .bk-Figure").is_visible()
        choose(page, *one_of_each_type(run)[-1])
        assert not page.locator("#ramps .bk-Figure").is_visible(), "no axes without a ramp"


@needs_browser
def test_by_keyboard_alone(run):
    with opened(run / "report.html", "#pixel=20,30") as seen:
        page = seen.page
        assert page.text_content("#h-pixel").startswith("Pixel x 20, y 30 ")
        page.focus("#map-frame")
        assert page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") == "solid", "focus is seen"
        for key, place in (("ArrowRight", "21, y 30"), ("ArrowUp", "21, y 31"), ("Shift+ArrowDown", "21, y 21"),
                           ("ArrowLeft", "20, y 21"), ("Shift+ArrowLeft", "10, y 21")):  # fmt: skip
            page.keyboard.press(key)
            assert page.text_content("#h-pixel").startswith(f"Pixel x {place} "), key
        with fits.open(run / "evidence.fits") as hdus:
            bad = np.flatnonzero(hdus["FOUND"].data)
            width = hdus["FOUND"].data.shape[1]
        after = bad[np.searchsorted(bad, 21 * width + 10, "right")]
        page.keyboard.press("n")
        assert page.text_content("#h-pixel").startswith(f"Pixel x {after % width}, y {after // width} ")
        page.keyboard.press("p")
        before = bad[np.searchsorted(bad, after) - 1]
        assert page.text_content("#h-pixel").startswith(f"Pixel x {before % width}, y {before // width} ")

        # Every control is reached with the tabulator and has a name.
        page.focus("nav a")
        names = []
        for _ in range(60):
            page.keyboard.press("Tab")
            names.append(page.evaluate(FOCUSED))
        reached = {name for name, _ in names}
        assert {"DEAD", "all-layers", "map-frame", "zoom-in", "pixel-x", "pixel-y", "step-type", "next"} <= reached
        assert [name for name, label in names if not label and name != "BODY"] == []


@needs_browser
def test_switches_and_zoom(run):
    with opened(run / "report.html") as seen:
        page = seen.page
        visible = "(name) => Bokeh.documents[0].get_model_by_name('layer-' + name).visible"
        button = page.locator("button[data-layer=DEAD]")
        for key, on in (("Space", False), ("Enter", True)):
            button.focus()
            page.keyboard.press(key)
            assert button.get_attribute("aria-pressed") == str(on).lower() and page.evaluate(visible, "DEAD") is on
        page.click("#no-layers")
        assert not page.evaluate(visible, "hot") and not page.evaluate(visible, "OPEN")
        page.click("#all-layers")
        assert page.evaluate(visible, "hot") and page.evaluate(visible, "OPEN")
        page.select_option("#background", "noise")
        shown = "(name) => Bokeh.documents[0].get_model_by_name('background-' + name).visible"
        assert page.evaluate(shown, "noise") and not page.evaluate(shown, "response")

        ranges = "() => { const r = Bokeh.documents[0].get_model_by_name('map').x_range; return [r.start, r.end]; }"
        choose(page, 30, 40)
        whole = page.evaluate(ranges)
        page.focus("#map-frame")
        page.keyboard.press("+")
        start, end = page.evaluate(ranges)
        assert end - start == pytest.approx((whole[1] - whole[0]) / 2, rel=0.05) and start + end == pytest.approx(
            60, abs=1
        )
        page.keyboard.press("0")
        assert page.evaluate(ranges)[1] - page.evaluate(ranges)[0] == pytest.approx(whole[1] - whole[0], rel=0.05)

        # A click on the map chooses the pixel under it; the wheel zooms.
        page.evaluate("document.documentElement.style.scrollBehavior = 'auto'")
        page.evaluate("document.getElementById('inspect').scrollIntoView()")
        box = page.locator("#map-frame").bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_function("!document.getElementById('h-pixel').textContent.startsWith('Pixel x 30, y 40 ')")
        x, y = map(int, re.match(r"Pixel x (\d+), y (\d+)", page.text_content("#h-pixel")).groups())
        assert 20 < x < 44 and 20 < y < 44
        page.mouse.wheel(0, -400)
        page.wait_for_function(f"() => ({ranges})()[1] - ({ranges})()[0] < {0.9 * (whole[1] - whole[0])}")
        assert seen.errors == []


@needs_browser
def test_marks_are_as_large_as_the_space_allows(run):
    """All marks in view together cover a part of the map, and none is smaller than its pixel or larger than a shape."""
    look = """() => {
      const model = (name) => Bokeh.documents[0].get_model_by_name(name), map = model("map");
      const on = [...document.querySelectorAll(".layer")].map((b) => model("layer-" + b.dataset.layer))
        .filter((layer) => layer.visible);
      const number = on.reduce((sum, layer) => sum + layer.data_source.data.x.length, 0);
      const pixel = map.inner_width / (map.x_range.end - map.x_range.start);
      return { sizes: [...new Set(on.map((layer) => layer.glyph.size.value))], number, pixel,
               area: badpix.page.nx * badpix.page.ny * pixel * pixel, alpha: on[0].glyph.fill_alpha.value };
    }"""
    with opened(run / "report.html") as seen:
        page = seen.page
        page.click("#all-layers")
        page.wait_for_timeout(1000)
        whole = page.evaluate(look)
        (size,) = whole["sizes"]
        wanted = max(0.9 * whole["pixel"], (0.15 * whole["area"] / whole["number"]) ** 0.5)
        assert size == pytest.approx(min(9, max(1.5, wanted)), abs=0.25)
        # With fewer in view they are shapes, and from afar, where the array takes a few pixels of the screen, dots.
        for _ in range(3):
            page.click("#zoom-in")
        page.wait_for_timeout(1000)
        near = page.evaluate(look)
        assert near["sizes"] == [9] and near["alpha"] == pytest.approx(0.15)
        page.click("#zoom-all")
        for _ in range(3):
            page.click("#zoom-out")
        page.wait_for_timeout(1000)
        far = page.evaluate(look)
        assert far["sizes"][0] < min(5, size) and far["alpha"] == pytest.approx(0.8)
        assert seen.errors == []


@needs_browser
def test_tables_of_the_page(reported):
    with opened(reported / "official" / "NIS" / "report.html") as seen:
        text = seen.page.inner_text("main")
        assert "broken" in seen.page.inner_text("#exposures") and "empty" in seen.page.inner_text("#exposures").lower()
        assert "Nothing to compare with" in text
        assert "4 direct neighbours" not in text
        for word in ("detector1_dark", "max_jump_limit", "CRDS context: jwst_0001.pmap", "astropy 8"):
            assert word in seen.page.text_content("#provenance"), word
        assert seen.page.locator("#exposures tbody tr").count() == 11, "five darks, five flats, a rejected exposure"
    with opened(reported / "results" / "NIS" / "report.html") as seen:
        assert "with DO_NOT_USE before:" in seen.page.inner_text("#counts")
        new, old = (read_mask(path) for path in (reported / "results" / "NIS" / "test_bpm.fits", reported / OLD))
        for name in ("DEAD", "HOT", "OTHER_BAD_PIXEL"):
            row = seen.page.locator("#counts tr", has=seen.page.locator(f"code:text-is('{name}')")).last
            now, then = ((dq & np.uint32(PIXEL_FLAGS[name])) != 0 for dq in (new, old))
            numbers = [re.sub("[^0-9]", "", cell) for cell in row.locator("td").all_inner_texts()]
            expected = [now.sum(), then.sum(), (now & ~then).sum(), (then & ~now).sum()]
            assert [numbers[0], *numbers[2:]] == [str(number) for number in expected], name
        removed = int(((old != 0) & (new == 0)).sum())
        assert f"Flagged before, not now {removed}" in seen.page.inner_text("#inspect")


@needs_browser
def test_the_page_over_all_detectors(reported):
    overview = json.loads((reported / "official" / "NIS" / "report.json").read_text(encoding="utf-8"))
    counts = tuple(overview[key] for key in ("darks", "flats", "left_out", "added"))
    assert counts == (5, 5, 1, None)
    with opened(reported / "official" / "report.html") as seen:
        cells = seen.page.locator("tbody tr").first.inner_text()
        assert "NIS" in cells and "SUB64" in cells and str(overview["types"]["ADJ_OPEN"]) in cells
        seen.page.click("text=NIS")
        seen.page.wait_for_function("document.documentElement.dataset.ready")
        assert seen.page.inner_text("h1") == "NIS"
        seen.page.click("nav >> text=All detectors")
        assert seen.page.inner_text("h1") == "1 mask"
        assert seen.errors == [] and all(address.startswith("file://") for address in seen.requests)


def test_in_snakemakes_own_report(reported, tmp_path):
    directory = copy_run(reported, tmp_path / "run")
    snakes = tmp_path / "snakemake.html"
    succeed(directory, "--report", str(snakes), config=FLIGHT | PAGE | {"compare_with": OLD})
    text = snakes.read_text(encoding="utf-8")
    for part in ("report page", "rejected exposures", "counts per type and flag", "All detectors",
                 "The report page of detector NIS", "calwebb_detector1"):  # fmt: skip
        assert part in text, part


@needs_browser
def test_all_results_are_a_click_away(reported):
    """Every link leads to a file or folder; results that exist have their outcome, others the key that makes them."""
    folder = reported / "results" / "NIS"
    with opened(folder / "report.html") as seen:
        text = seen.page.inner_text("#results")
        links = seen.page.eval_on_selector_all("#results a", "all => all.map((a) => a.getAttribute('href'))")
        assert not seen.page.locator("[role=alert]").count()
    assert {"test_bpm.fits", "evidence.fits", "logs/", "changes/mask_changes.png", "plots.png", "darks/"} <= set(links)
    assert [link for link in links if not (folder / link).exists()] == []
    changes = json.loads((folder / "changes" / "mask_changes.json").read_text())
    assert f"{changes['new']:,} new, {changes['recovered']} recovered" in text
    assert "Quality check\tof an earlier mask (20" in text, "made for the official mask, not for that of the preset"
    assert "Injection-recovery (snakemake injection_recovery)" in text and "Sweep (snakemake sweep)" in text
    with opened(reported / "results" / "report.html") as seen:
        seen.page.click("text=Changes")
        seen.page.wait_for_function("document.readyState === 'complete'")
        assert seen.page.url.endswith("NIS/changes/mask_changes.json")


def test_pages_of_other_masks_say_so(reported, tmp_path):
    """A mask made again without its page, and then masks of an epoch in its place; and the summaries of both runs."""
    directory, page = copy_run(reported, tmp_path / "run"), tmp_path / "run" / "results" / "NIS" / "report.html"
    config = FLIGHT | PAGE | {"report": False, "max_jump_limit": 8}
    run = succeed(directory, config=config)
    banner = re.search(r'<p role="alert"[^>]*>([^<]*)', page.read_text(encoding="utf-8"))[1]
    assert banner.startswith("The mask was made again, 20") and "This page shows the mask made 20" in banner
    assert f"  results/NIS/report.html: {banner}" in run.output
    overview = page.parents[1] / "report.html"
    assert "older than these masks, or they are not of the last run: NIS." in overview.read_text(encoding="utf-8")

    epochs = {"epochs": [{"name": "all", "start": "2020-01-01", "end": "2030-01-01"}]}
    run = succeed(directory, config=config | epochs)
    assert run.jobs["bad_pixel_mask"] == 1
    reason = "The last run made no mask of NIS; its masks of NIS are: NIS/epochs/all."
    assert reason in page.read_text(encoding="utf-8") and reason in overview.read_text(encoding="utf-8")
    assert reason in run.output and "mask results/NIS/test_bpm.fits (made 20" in run.output
    assert "test_bpm.fits" in (page.parent / "NOT_OF_LAST_RUN.txt").read_text()


def test_the_keys_make_the_page_and_nothing_else(reported, tmp_path):
    """`report` makes the pages, `compare_with` changes them; neither runs any job before the mask again."""
    directory, config = copy_run(reported, tmp_path / "run"), FLIGHT | PAGE | {"compare_with": OLD}
    assert succeed(directory, "--dry-run", config=config).nothing_to_do
    for key, change, jobs in (
        ("report", False, {}),
        ("compare_with", None, {"report_page": 1, "report_index": 1}),
        ("pedestal_source", "fitopt", {"bad_pixel_mask": 1, "report_page": 1, "report_index": 1, "compare_masks": 1}),
    ):
        run = succeed(directory, "--dry-run", config=config | {key: change})
        assert run.jobs == jobs, key
    page = directory / "results" / "NIS" / "report.html"
    page.unlink()
    assert succeed(directory, "--dry-run", config=config | {"report": False}).nothing_to_do
    fits.setval(directory / OLD, "DETECTOR", value="NRS1")
    failed = snakemake(directory, "--until", "report_page", config=config)
    assert failed.status != 0 and "cannot be compared: DETECTOR is 'NRS1' and 'NIS'" in failed.output
    assert not page.exists()
