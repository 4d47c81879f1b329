"""Before a run: the files of earlier runs that do not agree with the configuration and the inputs of today.

Snakemake keeps records of a working directory, and compares times of modification. Both miss a change where results
were moved or voted on from another directory, where the records were lost, and where a file was replaced by an older
file. The provenance of each file shows it in these cases too.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from badpix.core.content import stamp
from badpix.core.files import card_text
from badpix.exposures.header_cache import HeaderCache
from badpix.exposures.headers import read_header_info
from badpix.formats.provenance import (
    CONTEXT,
    InputFile,
    NoProvenance,
    Provenance,
    different_setting,
    read_provenance,
    versions,
)

# Values of the configuration key `remake`.
REJECTED, OUTDATED = "rejected", "outdated"
# Another version of these packages may give other measurements.
COMPARED_PACKAGES = ("jwst", "numpy")


@dataclass(frozen=True)
class Wanted:
    """A file that a rule makes: its path, settings (key -> JSON value), and inputs as (product, path).

    `inputs` of the `made` products are files of the workflow, with a provenance of their own. A file that is not
    `required` is made only where another file needs it. `context` is the CRDS context of today, None if not known.
    """

    path: str
    settings: Mapping[str, Any]
    inputs: tuple[tuple[str, str], ...]
    made: frozenset[str] = frozenset()
    required: bool = True
    context: str | None = None


@cache
def provenance_or_reason(path: str) -> Provenance | str:
    """The Provenance of a file, or the reason why it has none."""
    try:
        return read_provenance(path)
    except NoProvenance as reason:
        return str(reason)
    except OSError as error:
        return f"it cannot be read: {error.strerror}"


def _other_software(found: Provenance, context: str | None) -> str | None:
    """'jwst 1.16.0, 3.0.0 is installed' for the first package of another version; None if all agree."""
    for package in COMPARED_PACKAGES:
        if package in found.software and found.software[package] != installed(package):
            return f"{package} {found.software[package]}, {installed(package)} is installed"
    used = found.software.get(CONTEXT)
    return f"{CONTEXT} {used}, {context} is used now" if used and context and used != context else None


@cache
def installed(package: str) -> str:
    """The installed version of a package."""
    return versions(package)[package]


@dataclass
class CurrentProducts:
    """Compares files with what is wanted.

    `headers` knows the contents of the input files. `remake` is the configuration key: `rejected` also makes the
    products of rejected exposures again, `outdated` those of other versions of the software. `stale` collects the files
    that are to be made again (path -> reason), `outdated` the files of other software that are kept (text -> number).
    """

    headers: HeaderCache
    remake: str | None = None
    stale: dict[str, str] = field(default_factory=dict)
    outdated: dict[str, int] = field(default_factory=dict)
    checked: set[str] = field(default_factory=set)

    def check(self, wanted: Wanted) -> str | None:
        """The reason why a file must be made again; None if it is as wanted, or need not be there."""
        if wanted.path in self.checked:
            return self.stale.get(wanted.path)
        self.checked.add(wanted.path)
        # Without a Path object: for thousands of files before every run.
        if not os.path.exists(wanted.path):  # noqa: PTH110
            reason = "it is missing" if wanted.required else None
        else:
            found = provenance_or_reason(wanted.path)
            reason = found if isinstance(found, str) else self._difference(found, wanted)
        if reason:
            self.stale[wanted.path] = reason
        return reason

    def _difference(self, found: Provenance, wanted: Wanted) -> str | None:
        if found.settings.keys() != wanted.settings.keys():
            keys = ", ".join(sorted(found.settings.keys() ^ wanted.settings.keys()))
            return f"it was made with other settings ({keys})"
        if reason := different_setting(found.settings, wanted.settings) or self._other_inputs(found, wanted):
            return reason
        if found.rejected and self.remake == REJECTED:
            return "the exposure was rejected (remake: rejected)"
        if (other := _other_software(found, wanted.context)) is not None:
            if found.rejected or self.remake == OUTDATED:
                return f"it was made with {other}"
            self.outdated[other] = self.outdated.get(other, 0) + 1
        return None

    def _other_inputs(self, found: Provenance, wanted: Wanted) -> str | None:
        """The first difference of the inputs, as text. Inputs that will be made again are left to Snakemake."""
        recorded: dict[tuple[str, str], list[InputFile]] = {}
        for file in found.inputs:
            recorded.setdefault((file.product, file.name), []).append(file)
        for product, path in wanted.inputs:
            known = recorded.get((product, card_text(Path(path).name)))
            if not known:
                return f"it was made without {path}"
            if path in self.stale or not Path(path).exists():
                known.pop()
                continue
            same = self._same_product if product in wanted.made else self._same_content
            match = next((file for file in known if same(file, path)), None)
            if match is None:
                return f"the content of {path} is not that of the file it was made from"
            known.remove(match)
        if left := [file.name for files in recorded.values() for file in files]:
            return f"it was made with {left[0]} as well"
        return None

    def _same_product(self, file: InputFile, path: str) -> bool:
        now = provenance_or_reason(path)
        return isinstance(now, Provenance) and now.digest == file.digest

    def _same_content(self, file: InputFile, path: str) -> bool:
        state = stamp(path)
        # Equal stamps are of equal contents; a file that was moved or copied is read.
        return state == file.stamp or (state[0] == file.n_bytes and self.headers.sha256(path) == file.digest)

    def check_fits(self, path: str) -> str | None:
        """The reason why a FITS file without provenance, such as a mask, must be made again: missing or incomplete."""
        try:
            reason = read_header_info(Path(path))["problem"] if Path(path).exists() else "it is missing"
        except OSError as error:
            reason = f"it cannot be read: {error.strerror}"
        if reason:
            self.stale[path] = reason
        return reason

    def check_exists(self, path: str) -> str | None:
        """The reason why a table without provenance must be made again: missing or empty."""
        if not Path(path).exists():
            self.stale[path] = "it is missing"
        elif Path(path).stat().st_size == 0:
            self.stale[path] = "it is empty"
        return self.stale.get(path)

    def check_references(self, listing: str, cache: Path) -> str | None:
        """The reason why the reference files of `listing` (of prefetch_references) must be looked up again.

        `cache` is the folder of the CRDS cache.
        """
        if not Path(listing).exists():
            return None
        try:
            files = json.loads(Path(listing).read_text(encoding="utf-8"))["files"]
            changed = next((path for path, was in files.items() if self._changed(cache / path, was)), None)
        except (ValueError, KeyError, TypeError, AttributeError):
            self.stale[listing] = "it is damaged, or was made by an earlier version"
            return self.stale[listing]
        if changed:
            self.stale[listing] = f"the reference file {changed} changed"
        return self.stale.get(listing)

    def _changed(self, path: Path, was: Mapping[str, Any]) -> bool:
        """True if the content of a reference file changed. A file that is gone is for CRDS to fetch."""
        if not path.is_file():
            return False
        size, modified, _ = stamp(path)
        if (size, modified) == (was["n_bytes"], was["modified"]):
            return False
        return size != was["n_bytes"] or self.headers.sha256(path) != was["sha256"]
