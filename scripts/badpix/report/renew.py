"""At the end of a run: the lists of results on the report pages, and banners on pages that are of another mask.

A page is made with its mask, most products after it. The pages are therefore renewed from the files when a run ends,
also a run of other targets and a run with nothing to do. What an earlier run or another configuration left in the
results is named: on its page, in a text file beside masks and figures, and at the end of the run.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from astropy.io import fits

from badpix.core.content import sha256_of
from badpix.core.files import write_text
from badpix.formats.page_parts import (
    BANNER,
    PAGE,
    RESULTS,
    banner,
    mask_of_page,
    read_head,
    replace_part,
    short_date,
)
from badpix.report.products import Line, Place, file_lines, files_of_mask, product_lines

NOTICE = "NOT_OF_LAST_RUN.txt"
MAX_LISTED, MAX_NAMED = 10, 4
# A mask of dq_init in detector1, of the reference pixels alone.
NO_RESULT = "reference_pixel_mask.fits"
FOLDERS = ("", "variants/*", "epochs/*", "epochs/*/variants/*")


@dataclass(frozen=True)
class RunMask:
    """A mask of the configuration: its `place`, and False for `complete` if its job was needed and did not finish."""

    place: Place
    complete: bool = True


@dataclass(frozen=True)
class Masks:
    """The masks of a configuration below `results`: `made` by mask_id, and those `refused`, mask_id -> reason.

    `detectors` are the names that folders of detectors may have, `series` the mask_ids of the histories.
    """

    results: Path
    made: Mapping[str, RunMask]
    refused: Mapping[str, str]
    detectors: Sequence[str]
    series: Sequence[str] = ()


@dataclass(frozen=True)
class Leftover:
    """Files in the folder of `mask_id` that are not of the last run, with `reason`; `masks` maps masks to dates."""

    mask_id: str
    reason: str
    files: Sequence[Path]
    masks: Mapping[Path, str] = field(default_factory=dict)


def masks_in(folder: Path) -> dict[Path, str]:
    """The masks among the FITS files directly in `folder`: path -> date."""
    found = {}
    for path in sorted(set(folder.glob("*.fits")) - {folder / NO_RESULT}):
        with suppress(OSError):  # damaged files are no masks
            header = fits.getheader(path)
            if header.get("REFTYPE") == "MASK":
                found[path] = short_date(header.get("DATE", "at an unknown time"))
    return found


def leftovers(masks: Masks, products: Mapping[str, Sequence[Line]]) -> list[Leftover]:
    """What earlier masks, earlier runs and other configurations left in the results.

    `products` maps the mask_ids of the masks that exist to the lines of their products.
    """
    found = []
    for detector in masks.detectors:
        for pattern in FOLDERS:
            folders = sorted((masks.results / detector).glob(pattern)) if pattern else [masks.results / detector]
            for folder in filter(Path.is_dir, folders):
                mask_id = folder.relative_to(masks.results).as_posix()
                if entry := _leftover_of(masks, mask_id, products.get(mask_id, ())):
                    found.append(entry)
    return found


def _leftover_of(masks: Masks, mask_id: str, lines: Sequence[Line]) -> Leftover | None:
    folder = masks.results / mask_id
    in_folder = masks_in(folder)
    if of_run := masks.made.get(mask_id):
        others = {path: date for path, date in in_folder.items() if path != of_run.place.mask}
        older = [path for line in lines if line.old for path in line.links.values()]
        reason = f"{mask_id}: older than {of_run.place.mask.name}, the mask of the last run."
        return Leftover(mask_id, reason, [*others, *older], others) if others or older else None
    of_history = mask_id not in masks.series
    place = Place(masks.results, mask_id, folder / "no mask")
    files = list(files_of_mask(place, list(in_folder), of_history))
    if not files:
        return None
    detector = mask_id.partition("/")[0]
    now = [other for other in masks.made if other.partition("/")[0] == detector]
    if mask_id in masks.refused:
        reason = f"The last run made no mask of {mask_id}: {masks.refused[mask_id]}."
    elif now:
        listed = ", ".join(now[:MAX_LISTED]) + (f" and {len(now) - MAX_LISTED} more" if len(now) > MAX_LISTED else "")
        reason = f"The last run made no mask of {mask_id}; its masks of {detector} are: {listed}."
    else:
        reason = f"The last run in this folder made no mask of {detector}."
    return Leftover(mask_id, reason, files, in_folder)


def page_banner(of_run: RunMask) -> str:
    """The text of the banner of the page of a mask of the configuration; empty if the page is of this very mask."""
    digest, date = mask_of_page(of_run.place.folder / PAGE)
    shown = f"This page shows the mask made {date}." if date else "This page is of an earlier mask."
    mask = of_run.place.mask
    if not of_run.complete:
        return f"The last run did not finish this mask. {shown}"
    if not mask.exists():
        return f"The mask {mask.name} is not there any more. {shown}"
    if not digest:
        return "This page was made by an earlier version of jwst-badpix, and may show another mask."
    if digest != sha256_of(mask):
        now = short_date(fits.getheader(mask).get("DATE", "at another time"))
        return f"The mask was made again, {now}. {shown}"
    return ""


def _rendered(template: str, **values: object) -> str:
    # Imported here: its labels import the code of the vote, which takes a second, and most runs have no page.
    from badpix.report.templating import environment

    return environment().get_template(template).render(**values)


def results_part(place: Place, lines: Sequence[Line], missing: Sequence[tuple[str, str]]) -> str:
    """The list of results on the page of a mask (HTML); `lines` and `missing` of `product_lines`."""
    rows = [
        {"label": line.label, "text": line.text, "alert": line.alert, "old": line.old,
         "links": line.addresses(place.folder)}
        for line in [*lines, file_lines(place)]
    ]  # fmt: skip
    return _rendered("results.html", rows=rows, missing=missing)


def write_notice(folder: Path, entry: Leftover | None) -> None:
    """Write the text file about the leftover files in `folder`, or remove it."""
    path = folder / NOTICE
    if entry is None:
        path.unlink(missing_ok=True)
        return
    dates = {file: f"  (mask made {date})" for file, date in entry.masks.items()}
    files = [f"  {os.path.relpath(file, folder)}{dates.get(file, '')}" for file in entry.files]
    text = "\n".join([entry.reason, "These files are of earlier runs, or of another configuration:", *files, ""])
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)


def leftover_lines(found: Sequence[Leftover], results: Path) -> list[str]:
    """The leftovers as lines for the end of a run."""
    lines = []
    for entry in found[:MAX_LISTED]:
        folder = results / entry.mask_id
        named = [f"mask {path} (made {date})" for path, date in entry.masks.items()]
        named += [f"page {path}" for path in entry.files if path.name == PAGE]
        others = [path for path in entry.files if path not in entry.masks and path.name != PAGE]
        named += [os.path.relpath(path, folder) for path in others[:MAX_NAMED]]
        n_more = len(others) - MAX_NAMED
        more = [f"{n_more} more file{'s' if n_more > 1 else ''}"] if n_more > 0 else []
        lines += [f"  {entry.reason}", f"    {', '.join([*named, *more])}; listed in {folder / NOTICE}"]
    n_more = len(found) - MAX_LISTED
    return ["Not of this run:", *lines, *([f"  and {n_more} more folders"] if n_more > 0 else [])] if found else []


def renew(masks: Masks) -> list[str]:
    """Renew all pages and notices below the results; returns lines for the end of the run."""
    made = {mask_id: of_run for mask_id, of_run in masks.made.items() if of_run.place.mask.exists()}
    products = {mask_id: product_lines(of_run.place) for mask_id, of_run in made.items()}
    lines = {mask_id: of_mask for mask_id, (of_mask, _) in products.items()}
    found = leftovers(masks, lines)
    by_id = {entry.mask_id: entry for entry in found}
    stale = {}
    for mask_id, of_run in masks.made.items():
        page = of_run.place.folder / PAGE
        if not page.exists():
            continue
        if text := page_banner(of_run):
            stale[page] = text
        replace_part(page, BANNER, banner(text))
        if mask_id in products:
            replace_part(page, RESULTS, results_part(of_run.place, *products[mask_id]))
    for entry in found:
        page = masks.results / entry.mask_id / PAGE
        if page in entry.files:
            date = mask_of_page(page)[1]
            shown = f"This page shows the mask made {date}." if date else "This page is of an earlier run."
            replace_part(page, BANNER, banner(f"{entry.reason} {shown}"))
    noticed = {path.parent.relative_to(masks.results).as_posix()
               for detector in masks.detectors for pattern in FOLDERS
               for path in (masks.results / detector).glob(f"{pattern}/{NOTICE}" if pattern else NOTICE)}  # fmt: skip
    for mask_id in sorted(noticed | by_id.keys()):
        write_notice(masks.results / mask_id, by_id.get(mask_id))
    if (masks.results / PAGE).exists():
        renew_overview(masks, lines, [entry for entry in found if any(path.name == PAGE for path in entry.files)])
    return [
        *leftover_lines(found, masks.results),
        *(["Pages that are not of the masks of this run:"] if stale else []),
        *(f"  {page}: {text}" for page, text in stale.items()),
    ]


def renew_overview(masks: Masks, products: Mapping[str, Sequence[Line]], earlier: Iterable[Leftover]) -> None:
    """Renew the page over all masks: its banner, and the results of each mask with links.

    `products` maps the mask_ids of the masks that exist to the lines of their products; `earlier` have pages.
    """
    page, made = masks.results / PAGE, masks.made
    shown = json.loads(read_head(page, "masks") or "{}")
    now = {mask_id: sha256_of(made[mask_id].place.mask) for mask_id in products if made[mask_id].complete}
    old = [mask_id for mask_id in {**shown, **masks.made} if mask_id not in now or shown.get(mask_id) != now[mask_id]]
    text = f"This table is older than these masks, or they are not of the last run: {', '.join(old)}." if old else ""
    replace_part(page, BANNER, banner(text))
    rows = []
    for mask_id, lines in products.items():
        cells = [
            {"label": line.label, "text": line.text, "alert": line.alert, "old": line.old,
             "address": line.addresses(masks.results)[0][1]}
            for line in lines
        ]  # fmt: skip
        link = f"{mask_id}/{PAGE}" if (masks.results / mask_id / PAGE).exists() else ""
        rows.append({"mask_id": mask_id, "page": link, "cells": cells})
    others = [(entry.mask_id, f"{entry.mask_id}/{PAGE}", entry.reason) for entry in earlier]
    part = _rendered("overview.html", rows=rows, others=others)
    replace_part(page, RESULTS, part)
