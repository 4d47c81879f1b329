"""Collect the content of a detector's report page from the files of its run."""

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from bokeh.plotting import figure

from badpix import __version__
from badpix.changes.compare import change_counts, compare
from badpix.changes.files import align, read_image
from badpix.changes.text import short_lines
from badpix.core.content import sha256_of
from badpix.formats.comparison_file import read_comparison
from badpix.formats.evidence_file import Evidence
from badpix.formats.leave_one_out_file import read_exposures
from badpix.formats.mask_file import read_warnings
from badpix.formats.mask_tables import read_rejected_exposures
from badpix.formats.response_file import Responses, read_response
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.instrument.geometry import cut, full_frame
from badpix.report import inspector, page
from badpix.report.darks import ABSTAINED, YES, DarkReader
from badpix.report.flats import FlatReader
from badpix.report.histograms import Histogram
from badpix.report.packing import Pack
from badpix.report.pixels import intermittent_bits, listed_pixels, ramps_per_type, sampled_pixels, type_masks
from badpix.report.ramps import Ramps, read_ramps
from badpix.report.tables import MEASURES, column_forms, exposure_table, flag_table, job_times, type_table
from badpix.report.words import LIMITS, look, title
from badpix.vote.exposure_set import KINDS, ExposureSet
from badpix.vote.settings import VoteSettings

ODD_NOTE = (
    "An exposure is an outlier (▲) if its distance from the other exposures exceeds outlier_limit in a measure of "
    "exposure_comparison.csv."
)
NOTHING = np.zeros(0, np.int64)


def check_n_votes(
    test: str, votes: np.ndarray, counts: tuple[np.ndarray, np.ndarray] | None, pixels: np.ndarray
) -> None:
    """Raise ValueError if the votes to be shown differ from the counts in the evidence.

    The statistics files and the evidence file then belong to different runs. `votes` is uint8 (pixel, vote), `counts`
    are the images (y, x) of yes votes and of valid votes, `pixels` flat indices.
    """
    if counts is None:
        raise ValueError(f"the evidence has no counts of test {test}; make the mask anew")
    k, n_valid = (image.ravel()[pixels] for image in counts)
    same_k = np.array_equal((votes == YES).sum(axis=1), k)
    if not (same_k and np.array_equal((votes != ABSTAINED).sum(axis=1), n_valid)):
        raise ValueError(f"the votes of test {test} do not add up to the votes in the evidence; make the mask anew")


def bytes_per_pixel(exposures: ExposureSet, evidence: Evidence, settings: VoteSettings) -> int:
    """Approximate number of bytes of a pixel's measurements: values and votes of every integration."""
    n = {kind: sum(e.n_integrations() for e in exposures.of(kind)) for kind in KINDS}
    n_tests = sum(len(tests) for tests in evidence.tests.values())
    measures = [measure for search in settings.searches_on for measure in search.measures.values()]
    search_values = 4 * sum(measure.quantity not in (None, "SLOPE") for measure in measures)
    return n["darks"] * (12 + search_values + n_tests) + n["flats"] * 5 + 8 * n_tests


def ramps_of(
    exposures: ExposureSet, ramp_files: Mapping[str, Mapping[str, str]], evidence: Evidence
) -> tuple[list[Ramps], np.ndarray]:
    """Ramps of a sample of the found pixels in all exposures used, darks first; and the pixels (flat indices)."""
    shapes = [
        (kind.removesuffix("s"), segment.name, segment.header)
        for kind in KINDS
        for exposure in exposures.of(kind)
        for segment in exposure.segments
    ]
    n_values = sum(int(header.get("NINTS", 1)) * int(header.get("NGROUPS", 1)) for _, _, header in shapes)
    pixels = sampled_pixels(evidence, ramps_per_type(n_values, len(evidence.bit_of)))
    y, x = np.divmod(pixels, evidence.found.shape[1])
    ramps = [read_ramps(name, kind, ramp_files.get(name, {}), y, x) for kind, name, _ in shapes] if pixels.size else []
    return [ramp for ramp in ramps if ramp is not None], pixels


def image_histograms(evidence: Evidence, science: np.ndarray) -> dict[str, Histogram]:
    """Histograms of the images NOISE and RESPONSE of the evidence file, as far as they exist, over `science` pixels."""
    found: dict[str, Histogram] = {}
    for name in ("NOISE", "RESPONSE"):
        if name in evidence.measured:
            values = evidence.measured[name][science]
            limits = [row.value for row in evidence.limits(quantity=name)]
            found[name] = Histogram.around(values, limits)
            found[name].add(values)
    return found


def history_entries(header: fits.Header) -> list[str]:
    """The HISTORY entries of a header. An entry that fills its card continues in the next card."""
    entries: list[str] = []
    continued = False
    for card in header.cards:
        if card.keyword == "HISTORY":
            entries[-1:] = [entries[-1] + card.value] if continued else [*entries[-1:], card.value]
            continued = len(card.image.rstrip()) == len(card.image)
    return entries


def mask_identity(path: str | Path) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """From the header of a mask: identity (keyword -> value), parameters (key -> value) and HISTORY entries."""
    header = fits.getheader(path, 0)
    keys = ("FILENAME", "DATE", "INSTRUME", "DETECTOR", "SUBARRAY", "AUTHOR", "DESCRIP", "PEDIGREE", "USEAFTER")
    parameters = {
        key.removeprefix("BADPIX ").lower(): str(value) for key, value in header.items() if key.startswith("BADPIX ")
    }
    return {key: header[key] for key in keys if key in header}, parameters, history_entries(header)


@dataclass(frozen=True)
class PageInputs:
    """Inputs of a page beside the exposures and the evidence.

    `mask`, `rejected`, `comparison`, `leave_one_out` and `compare_with` are paths, the last three None if there is no
    such file.
    `responses` are the response files of the flats, `ramp_files` maps exposures to {`jump`, `uncal`: path},
    `benchmarks` lists folders. `index` is the address of the page of all detectors, `epoch` the name of the mask's
    epoch (empty without epochs), `config` has the keys of the vote.
    """

    mask: str
    rejected: str
    responses: Responses
    ramp_files: Mapping[str, Mapping[str, str]]
    benchmarks: Sequence[str]
    index: str
    epoch: str
    config: Mapping
    comparison: str | None = None
    leave_one_out: str | None = None
    compare_with: str | None = None


class ReportPage:
    """Collects the content of the page for `exposures`, the ExposureSet of a vote with `settings`."""

    def __init__(self, exposures: ExposureSet, settings: VoteSettings, evidence: Evidence, given: PageInputs):
        self.exposures, self.settings, self.evidence, self.given = exposures, settings, evidence, given
        self.science = exposures.science
        self.shape = exposures.geometry.shape
        self.pack = Pack()
        self.figures: list[figure] = []
        self.panels: list[dict] = []
        self.rows: list[dict] = []
        self.changes: list[str] = []

    def read_mask(self) -> None:
        """Read the mask and the mask to compare with; cut both to the array of the exposures."""
        geometry = self.exposures.geometry
        mask, before = read_image(self.given.mask), None
        if self.given.compare_with is not None:
            pair = align(read_image(self.given.compare_with), mask)
            before = pair.before
            counts = change_counts(compare(before, pair.after, pair.compared))
            self.changes = short_lines({**counts, "notes": pair.notes})
        dq = mask.dq
        frame = geometry if dq.shape == geometry.shape else full_frame(geometry, self.exposures.detector)
        self.flags = flag_table(dq, before)
        self.do_not_use = float(np.mean((dq & np.uint32(PIXEL_FLAGS["DO_NOT_USE"])) != 0))
        self.dq = cut(dq, frame, geometry)
        self.before = None if before is None else cut(before, frame, geometry)

    def read_pixels(self) -> None:
        """Select the pixels of the page and read their values, votes and ramps."""
        settings, evidence = self.settings, self.evidence
        by_hand = (self.dq != 0) & (evidence.found == 0) & self.science
        self.pixels, self.n_candidates = listed_pixels(evidence, by_hand)
        self.n_detailed = inspector.n_detailed(self.pixels.size, bytes_per_pixel(self.exposures, evidence, settings))
        detailed = self.pixels[: self.n_detailed]
        self.tests = inspector.pack_pixels(self.pack, evidence, self.dq, self.pixels)
        self.histograms, self.per_exposure = [], []
        if self.exposures.darks:
            reader = DarkReader(self.exposures, settings, evidence, detailed)
            darks = reader.read()
            self._check(darks.votes, detailed)
            self.per_exposure = [row["integrations"] for row in darks.rows]
            self.panels += inspector.pack_darks(self.pack, evidence, darks, reader.region_of)
            self.rows += darks.rows
            self.histograms += page.histogram_figures(darks.histograms, darks.centres, evidence, darks.integrations)
        responses = self.given.responses
        if self.exposures.flats and responses.mean is not None:
            response = read_response(responses.mean)
            flats = FlatReader(self.exposures, settings, response, responses, detailed).read()
            self._check(flats.votes, detailed)
            self.panels += inspector.pack_flats(self.pack, evidence, flats)
            self.rows += flats.rows
        self.histograms += page.image_histogram_figures(image_histograms(evidence, self.science), evidence)
        ramps, sampled = ramps_of(self.exposures, self.given.ramp_files, evidence)
        self.ramps = inspector.pack_ramps(self.pack, ramps, sampled) if ramps else []

    def _check(self, votes: Mapping[str, np.ndarray], pixels: np.ndarray) -> None:
        for test, test_votes in votes.items():
            check_n_votes(test, test_votes, self.evidence.counts(test), pixels)

    def draw(self) -> None:
        """Make all plots and the layers of the map."""
        evidence, science = self.evidence, self.science
        masks = type_masks(evidence.found, evidence.bit_of)
        changed = [None, None]
        if self.before is not None:
            now, then = (self.dq != 0) & science, (self.before != 0) & science
            changed = [now & ~then, then & ~now]
        by_hand = (self.dq != 0) & (evidence.found == 0) & science
        self.layers = page.layers_of(masks, by_hand, intermittent_bits(evidence) != 0, *changed)
        images = {}
        if "RESPONSE" in evidence.measured:
            images["response"] = (evidence.measured["RESPONSE"], "Normalised response of the flats", "")
        if "NOISE" in evidence.measured:
            images["noise"] = (evidence.measured["NOISE"], "Scatter of the jump-free dark slopes", "DN/s")
        figures, self.map_info = page.detector_figures(self.shape, self.layers, images)
        self.rows = exposure_table(self.rows, read_comparison(self.given.comparison))
        self.exposure_figures = page.exposure_figures(self.rows)
        self.votes = page.vote_figures(evidence, science)
        self.figures = figures + page.panel_figures(self.panels, bool(self.ramps))
        by_kind = (plot for plots in self.exposure_figures.values() for plot in plots)
        self.lazy = [*self.histograms, *self.votes, *by_kind]

    def page_data(self) -> dict[str, Any]:
        """The data of inspector.js, beside the packed numbers."""
        evidence, geometry = self.evidence, self.exposures.geometry
        for test in self.tests:
            name = test["name"]
            means = evidence.mean_limits(name)
            test["mean_side"] = means[0].side if means else None
            test["mean_unit"] = title(evidence.quantity(name) or "")[1]
            test["limits"] = [
                {
                    "quantity": row.quantity,
                    "label": LIMITS.get(row.quantity) or title(row.quantity)[0],
                    "side": row.side,
                    "value": row.value,
                    # The label of a ratio names both numbers.
                    "unit": "" if "/" in row.quantity or "RATIO" in row.quantity else row.unit,
                }
                for row in evidence.limits(name)
                if not row.exposure
            ]
        styles = {name: look(name) for name in evidence.bit_of}
        looks = {
            name: {
                "label": style.label,
                "color": style.marker.color,
                "outline": style.marker.outline,
                "solid": style.marker.solid,
            }
            for name, style in styles.items()
        }
        return {
            "nx": self.shape[1],
            "ny": self.shape[0],
            "x0": geometry.x_start - 1,
            "y0": geometry.y_start - 1,
            "types": [{"name": name, "bit": bit} for name, bit in evidence.bit_of.items()],
            "flags": [{"name": name, "bit": bit.bit_length() - 1} for name, bit in PIXEL_FLAGS.items()],
            "looks": looks,
            "tests": self.tests,
            "panels": self.panels,
            "ramps": self.ramps,
            "images": self.map_info["images"],
            "measured": [
                ["RESPONSE", "Response"],
                ["NFLAT", "Flat integrations used"],
                ["NOISE", "Scatter of slopes (DN/s)"],
                ["NCLEAN", "Slopes without a jump"],
            ],
            "integrations": self.per_exposure,
            "titles": {plot.name: page.heading(plot) for plot in (*self.figures, *self.lazy)},
            "n_listed": int(self.pixels.size),
            "n_candidates": int(self.n_candidates),
            "n_detailed": int(self.n_detailed),
            "manifest": self.pack.manifest,
        }

    def listed_note(self) -> str:
        """The note on which pixels the page contains."""
        n, kind = self.pixels.size, "flagged or intermittent pixels"
        words = "all pixels of the array" if n == self.evidence.found.size else f"the {n:,} {kind}"
        if n < self.n_candidates:
            words = f"{n:,} of the {self.n_candidates:,} {kind}, rare types first"
        note = f"This page contains {words}."
        if self.n_detailed < self.pixels.size:
            note += f" {self.n_detailed:,} of them have measurements per integration, rare types first."
        return note

    def overview(self) -> dict[str, Any]:
        """The row of this detector on the page of all detectors."""
        kinds = [row["kind"] for row in self.rows]
        geometry = self.exposures.geometry
        return {
            "instrument": self.exposures.detector.instrument,
            "mask": sha256_of(self.given.mask),
            "epoch": self.given.epoch,
            "detector": self.exposures.detector.name,
            "array": f"{geometry.subarray}, {geometry.n_columns} × {geometry.n_rows} pixels",
            "darks": kinds.count("dark"),
            "flats": kinds.count("flat"),
            "left_out": len(self.exposures.rejected),
            "stand_out": [row["exposure"] for row in self.rows if row["odd"]],
            "do_not_use": self.do_not_use,
            "types": {row["name"]: row["n"] for row in type_table(self.evidence, self.science.sum())},
            "added": None if self.before is None else int(self.layers.get("added", NOTHING).size),
            "removed": None if self.before is None else int(self.layers.get("removed", NOTHING).size),
        }

    def variables(self) -> dict[str, Any]:
        """The variables of templates/page.html."""
        given, overview = self.given, self.overview()
        identity, parameters, history = mask_identity(given.mask)
        loo = {}
        if given.leave_one_out:
            loo = dict(read_exposures(given.leave_one_out)[["exposure", "n_changed"]].values)
        keys = {
            kind: [key for key in MEASURES if any(key in row for row in self.rows if row["kind"] == kind)]
            for kind in ("dark", "flat")
        }
        return {
            **{key: overview[key] for key in ("instrument", "detector", "epoch", "array", "do_not_use")},
            "description": identity.get("DESCRIP", ""),
            "mask_digest": overview["mask"],
            "n_darks": overview["darks"],
            "n_flats": overview["flats"],
            "flat_product": parameters.get("flat_types_from"),
            "left_out": list(read_rejected_exposures(given.rejected).items()),
            "warnings": read_warnings(given.mask),
            "n_odd": len(overview["stand_out"]),
            "index": given.index,
            "n_science": int(self.science.sum()),
            "types": type_table(self.evidence, self.science.sum()),
            "flags": self.flags,
            "compared": given.compare_with,
            "changes": self.changes,
            "layers": {name: int(pixels.size) for name, pixels in self.layers.items()},
            "off": ("intermittent", "added", "removed"),
            "sampled": {n: shown for n, shown in self.map_info["shown"].items() if shown < self.layers[n].size},
            "images": self.map_info["images"],
            "image_step": self.map_info["step"],
            "nx": self.shape[1],
            "ny": self.shape[0],
            "panels": [{key: panel.get(key) for key in ("figure", "note", "legend")} for panel in self.panels],
            "has_ramps": bool(self.ramps),
            "listed_note": self.listed_note(),
            "exposures": self.rows,
            "exposure_keys": keys,
            "forms": column_forms(self.rows),
            "exposure_figures": {kind: [plot.name for plot in plots] for kind, plots in self.exposure_figures.items()},
            "odd_note": ODD_NOTE,
            "loo": loo,
            "histograms": [plot.name for plot in self.histograms],
            "votes": [plot.name for plot in self.votes],
            "identity": identity,
            "parameters": parameters,
            "history": history,
            "config": {key: json.dumps(value) for key, value in sorted(given.config.items())},
            "jobs": job_times(given.benchmarks),
            "version": __version__,
            "made": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
            "page_data": self.page_data(),
            "pixel_pack": self.pack.base64(),
        }
