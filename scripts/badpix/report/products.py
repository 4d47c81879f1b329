"""Everything that exists about a mask, for its report page: a line per product with its result and its links.

Most products are made after the page, some by targets of their own, and none is made with the page. Their lines are
therefore read from the files when a run ends (`badpix.report.renew`). A product of an earlier mask is named so, without
its result.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from badpix.core.csv_table import TableError
from badpix.core.logs import failure_in
from badpix.exposures.variants import variant_of, without_variant
from badpix.formats.certificate_file import certificate_of
from badpix.formats.page_parts import PAGE
from badpix.formats.provenance import NoProvenance, different_setting, read_provenance
from badpix.report import product_texts as texts
from badpix.report.product_texts import Result

# Files of a mask beside the mask, and folders: name -> text of the link.
FILES = {
    "evidence.fits": "evidence.fits", "summary.csv": "summary.csv", "inputs.csv": "inputs.csv",
    "rejected_exposures.csv": "rejected_exposures.csv", "delivery_form.previous.yaml": "earlier delivery form",
}  # fmt: skip
DETECTOR_FOLDERS = {"darks": "products of the darks", "flats": "products of the flats"}
LOGS = {"logs": "logs", "benchmarks": "times of the jobs"}


@dataclass(frozen=True)
class Place:
    """Where the files of a mask are: `mask_id` is its folder below `results`, `mask` the path of the file."""

    results: Path
    mask_id: str
    mask: Path

    @property
    def folder(self) -> Path:
        """The folder of the mask."""
        return self.results / self.mask_id

    @property
    def detector(self) -> Path:
        """The folder of the detector."""
        return self.results / self.mask_id.partition("/")[0]

    @property
    def series(self) -> Path:
        """The folder of the history: that of the detector, or of the variant."""
        name = variant_of(self.mask_id)
        return self.detector / "variants" / name if name else self.detector

    @property
    def exposures(self) -> Path:
        """The folder of the comparison of the exposures, which variants without a selection share."""
        of_all = self.results / without_variant(self.mask_id)
        return self.folder if (self.folder / "exposure_comparison.csv").exists() else of_all

    @property
    def injection(self) -> Path:
        """The folder of the injection-recovery test."""
        detector, slash, rest = self.mask_id.partition("/")
        return self.results / detector / "injection_recovery" / rest if slash else self.detector / "injection_recovery"

    def made_after(self, path: Path) -> bool:
        """True if the file `path` is newer than the mask, as Snakemake compares them."""
        return path.stat().st_mtime_ns >= self.mask.stat().st_mtime_ns


def certified(place: Place, _path: Path) -> bool:
    """True if the certificate is of this very mask."""
    return certificate_of(place.mask, place.folder) is not None


def same_vote(place: Place, _path: Path) -> bool:
    """True if the votes without each exposure have the exposures and the settings of the mask.

    They are made beside the mask, not after it.
    """
    votes, mask = (read_provenance(place.folder / name) for name in ("leave_one_out.fits", "evidence.fits"))
    products = ("statistics", "exposure_response")
    inputs = [sorted((f.name, f.digest) for f in made.inputs if f.product in products) for made in (votes, mask)]
    return inputs[0] == inputs[1] and different_setting(votes.settings, mask.settings) is None


def made_before(_place: Place, _path: Path) -> bool:
    """True: the vote reads the file, and Snakemake makes the mask again after it."""
    return True


@dataclass(frozen=True)
class Product:
    """A product of a mask.

    `files` maps the paths of its files below `folder(place)` to the texts of their links; the first proves that the
    product exists. `how` makes it. `result` reads its result, `is_current` tells whether it is of the mask. `rule` is
    the rule whose log says why the product is missing, `gate` a rule that checks the product and may fail.
    """

    label: str
    files: Mapping[str, str]
    how: str
    result: Callable[[Place, Path], Result]
    rule: str
    gate: str = ""
    folder: Callable[[Place], Path] = field(default=lambda place: place.folder)
    is_current: Callable[[Place, Path], bool] = field(default=Place.made_after)

    def found(self, place: Place) -> list[Path]:
        """The files that exist."""
        return [path for name in self.files if (path := self.folder(place) / name).exists()]


PRODUCTS = (
    Product("Quality check", {"quality_check.json": "result"}, "quality_check: true", texts.quality, "quality_check"),
    Product("crds certify", {"certify.json": "output", "logs/certify.json": "output"}, "certify: true",
            texts.certificate, "certify_mask", is_current=certified),
    Product("Known bad pixels", {"known_bad/known_bad.json": "numbers", "known_bad/known_bad_pixels.csv": "pixels"},
            "key known_bad", texts.known_bad, "known_bad_pixels"),
    Product("Changes", {"changes/mask_changes.json": "numbers", "changes/mask_changes.png": "figure",
                        "changes/changed_pixels.csv": "pixels", "changes/mask_changes.csv": "flags before and after"},
            "key compare_with", texts.changes, "compare_masks", gate="release_gate"),
    Product("Science check", {"science_check/science_check.json": "numbers", "science_check/science_check.md": "report",
                              "science_check/science_check.png": "figure",
                              "science_check/differing_pixels.csv": "pixels"},
            "snakemake science_check", texts.science_check, "apply_masks"),
    Product("Reliability", {"reliability.csv": "table", "stability.fits": "stability of each flag"},
            "reliability: true", texts.reliability, "reliability"),
    Product("Votes without each exposure", {"leave_one_out.csv": "table", "leave_one_out.fits": "pixels"},
            "leave_one_out: true", texts.leave_one_out, "leave_one_out", is_current=same_vote),
    Product("Exposures compared", {"exposure_comparison.csv": "table"}, "every run", texts.comparison,
            "compare_exposures", folder=lambda place: place.exposures, is_current=made_before),
    Product("History", {"history.png": "figure", "history.json": "numbers",
                        "intermittent_pixels.csv": "intermittent pixels"},
            "keep_history: true", texts.history, "history", folder=lambda place: place.series),
    Product("Table of the bad pixels", {"bad_pixels.csv": "CSV", "bad_pixels.parquet": "Parquet"},
            "pixel_table: true", texts.pixel_table, "bad_pixel_table"),
    Product("Plots", {"plots.png": "figure"}, "plot: true", texts.nothing, "plots"),
    Product("Injection-recovery", {"injection_recovery.csv": "table", "injection_recovery.png": "figure",
                                   "changes.csv": "other pixels", "confusion.csv": "types"},
            "snakemake injection_recovery", texts.injection, "injection_report",
            folder=lambda place: place.injection),
    Product("Sweep", {"sweep/sweep.csv": "table", "sweep/sweep.png": "figure"}, "snakemake sweep", texts.sweep,
            "sweep_table"),
    Product("Delivery", {"delivery/certify.json": "output of crds certify", "delivery": "folder"},
            "snakemake deliver", texts.delivery, "deliver_mask"),
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A line of the page: label, result, links (text -> path).

    `alert`: something is wrong; `old`: the product is of an earlier mask.
    """

    label: str
    text: str
    links: Mapping[str, Path]
    alert: bool = False
    old: bool = False

    def addresses(self, folder: Path) -> list[tuple[str, str]]:
        """Text and address, from a page in `folder`, of each link."""
        return [(text, address(path, folder)) for text, path in self.links.items()]


def address(path: Path, folder: Path) -> str:
    """The relative address of `path` on a page in `folder`; folders end with a slash."""
    return quote(os.path.relpath(path, folder) + ("/" if path.is_dir() else ""))


def time_of(path: Path) -> str:
    """The time of modification of a file as text."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M UTC")


def failure_of(place: Place, product: Product, rule: str) -> Line | None:
    """The failure of `rule` for this mask, from its log; None if it did not fail since the mask was made."""
    logs = place.series if product.label == "History" else product.folder(place)
    log = logs / "logs" / f"{rule}.log"
    if not rule or not log.exists() or not place.made_after(log) or not (error := failure_in(log)):
        return None
    return Line(product.label, f"failed: {error.splitlines()[0]}", {"log": log}, alert=True)


def line_of(place: Place, product: Product) -> Line | None:
    """The line of a product; None if it was not made."""
    found = product.found(place)
    if not found:
        return failure_of(place, product, product.rule)
    links = {product.files[path.relative_to(product.folder(place)).as_posix()]: path for path in found}
    try:
        if not product.is_current(place, found[0]):
            text = f"of an earlier mask ({time_of(found[0])}); made again by {product.how}"
            return failure_of(place, product, product.rule) or Line(product.label, text, links, old=True)
        text, alert = product.result(place, found[0])
    except (TableError, NoProvenance, OSError, ValueError, KeyError, TypeError, IndexError) as error:
        return Line(product.label, f"cannot be read: {error}", links, alert=True)
    if failed := failure_of(place, product, product.gate):
        return Line(product.label, f"{text}; {failed.text}", {**links, **failed.links}, alert=True)
    return Line(product.label, text, links, alert)


def product_lines(place: Place) -> tuple[list[Line], list[tuple[str, str]]]:
    """The lines of all products of a mask, and (label, how to make it) of those that were not made."""
    lines = [(product, line_of(place, product)) for product in PRODUCTS]
    return [line for _, line in lines if line], [(p.label, p.how) for p, line in lines if line is None]


def file_lines(place: Place) -> Line:
    """The line of the files of a mask."""
    links = {place.mask.name: place.mask}
    for folder, names in ((place.folder, FILES), (place.detector, DETECTOR_FOLDERS), (place.folder, LOGS)):
        links |= {text: path for name, text in names.items() if (path := folder / name).exists()}
    if place.folder != place.detector and (path := place.detector / "logs").exists():
        links["logs of the exposures"] = path
    return Line("Files", "", links)


def files_of_mask(place: Place, masks: Sequence[Path], with_history: bool) -> Iterator[Path]:
    """The files that belong to the mask of a place alone: `masks`, tables, products, page.

    `with_history`: also those of the history, if it is of this folder.
    """
    yield from masks
    names = [name for name in FILES if name != "rejected_exposures.csv"]
    yield from (path for name in [*names, PAGE, "report.json"] if (path := place.folder / name).exists())
    for product in PRODUCTS:
        of_series = product.label == "History" and not (with_history and place.folder == place.series)
        shared = product.is_current is made_before or of_series
        if not shared:
            yield from (path for path in product.found(place) if "logs" not in path.parts)
