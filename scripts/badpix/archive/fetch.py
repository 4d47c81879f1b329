"""Fetch the exposures of a request from MAST into the folders of the configuration."""

import datetime
import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from badpix.archive.cloud import cloud_urls
from badpix.archive.download import Complete, Downloader, MachineFault, NoAccess, ServerDown, ServerFault, Stopped
from badpix.archive.index import INDEX, WORK, Fetched, locked, read_index, write_index
from badpix.archive.plan import Plan, names_here, planned
from badpix.archive.request import FetchError, Request
from badpix.archive.search import ArchiveFile, search
from badpix.archive.session import TOKEN_VARIABLE, Patience, open_session
from badpix.core.wording import first_of

# Faults of the server with single files, after which it is taken to be down.
MAX_FAULTS = 3
MAX_LISTED = 10
# Seconds between lines of progress.
PROGRESS_S = 10.0
GB = 1e9
Say = Callable[[str], None]
PATIENT = Patience()


@dataclass
class Outcome:
    """What became of the downloads; `warnings` and `errors` are messages."""

    n_files: int = 0
    n_bytes: int = 0
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def listing(request: Request, config: Mapping[str, Any], say: Say, patience: Patience = PATIENT) -> Plan:
    """Say what `fetch` would fetch now; no file is written."""
    _, has_token = open_session(request.server, patience)
    plan = _plan(request, config, has_token, patience, say)
    _say_plan(request, plan, say)
    for exposure in plan.fetch:
        for file in exposure:
            size = f"{file.size / GB:.3f} GB" if file.size else "size unknown"
            say(f"  {file.name}  {file.exp_type}  {file.date_obs[:10]}  {size}")
    return plan


def fetch(
    request: Request, config: Mapping[str, Any], say: Say, patience: Patience = PATIENT, on_terminal: bool = False
) -> Outcome:
    """Fetch the missing exposures; `say` receives the lines for the user, `on_terminal` also lines of progress.

    Exposures that are complete are among the inputs even if later ones fail. FetchError after the last of them names
    the failures.
    """
    with ExitStack() as stack:
        for folder in sorted(set(request.folders.values())):
            stack.enter_context(locked(folder))
        session, has_token = open_session(request.server, patience)
        plan = _plan(request, config, has_token, patience, say)
        _say_plan(request, plan, say)
        if not plan.fetch:
            return Outcome()
        _check_space(request, plan)
        files = [file for exposure in plan.fetch for file in exposure]
        urls, warning = cloud_urls([file.uri for file in files], session) if request.cloud else ({}, None)
        if warning:
            say(f"Warning: {warning}")
        if request.cloud:
            say(f"{len(urls)} of {len(files)} files are in the public bucket")

        def url(file: ArchiveFile) -> str:
            return urls.get(file.uri) or f"{request.server}/api/v0.1/Download/file?uri={quote(file.uri, safe=':/')}"

        stop = threading.Event()
        progress = Progress(plan, say if on_terminal else None)
        loaders = {
            kind: Downloader(session, url, folder / WORK, patience, stop, progress.add)
            for kind, folder in request.folders.items()
        }
        outcome = _download_all(request, plan, loaders, progress)
    for line in outcome.warnings:
        say(f"Warning: {line}")
    say(f"fetched: {outcome.n_files} of {len(files)} files, {outcome.n_bytes / GB:.3f} GB")
    if outcome.errors:
        listed = first_of(outcome.errors, MAX_LISTED, "\n  ")
        raise FetchError(f"files that could not be fetched (the same command continues):\n  {listed}")
    return outcome


def _plan(request: Request, config: Mapping[str, Any], has_token: bool, patience: Patience, say: Say) -> Plan:
    index: dict[str, Fetched] = {}
    for folder in request.folders.values():
        index |= read_index(folder)
    here = names_here(config, request.folders.values())
    return planned(search(request, patience, say), index, here, has_token, request.max_files)


def _say_plan(request: Request, plan: Plan, say: Say) -> None:
    """The numbers of files by what is done with them, and the reasons."""
    wanted = [file for exposure in plan.fetch for file in exposure]
    later = [file for exposure in plan.later for file in exposure]
    everything = (*wanted, *plan.here, *plan.removed, *plan.closed, *plan.incomplete, *later)
    for query in request.queries:
        n_found, n_wanted = (sum(file.query == query for file in group) for group in (everything, wanted))
        where = f" -> {request.folders[query.kind]}" if n_wanted else ""
        say(f"{query}, {request.dates}: {n_found} files in MAST, {n_wanted} new{where}")
    if plan.removed:
        say(
            f"{len(plan.removed)} files of earlier fetches were removed and are not fetched again; to fetch them,"
            f" delete their rows in {INDEX}"
        )
    if plan.closed:
        day = min(file.released or "an unknown day" for file in plan.closed)
        say(f"{len(plan.closed)} files are not public (the first from {day}) and need a token in {TOKEN_VARIABLE}")
    if plan.incomplete:
        exposures = sorted({file.exposure for file in plan.incomplete})
        say(f"MAST does not have all segments yet of {first_of(exposures, MAX_LISTED)}: left for a later run")
    if later:
        say(f"{len(later)} more files are left for the next run (mast.max_files: {request.max_files})")
    if not plan.fetch:
        say("no new exposures")


def _check_space(request: Request, plan: Plan) -> None:
    """FetchError if a disk has not enough free space for the files in all its folders, as far as MAST lists sizes."""
    disks: dict[int, list[str]] = {}
    for kind, folder in request.folders.items():
        disks.setdefault(folder.stat().st_dev, []).append(kind)
    for kinds in disks.values():
        folders = [request.folders[kind] for kind in kinds]
        sizes = [file.size or 0 for exposure in plan.fetch for file in exposure if file.kind in kinds]
        parts = [part.stat().st_size for folder in folders for part in (folder / WORK).glob("*.part")]
        needed, free = sum(sizes) - sum(parts), shutil.disk_usage(folders[0]).free
        if needed > free:
            raise FetchError(
                f"{' and '.join(map(str, folders))}: the new {' and '.join(kinds)} need {needed / GB:.1f} GB, and"
                f" {free / GB:.1f} GB are free on the disk; free space, or set mast.max_files to fewer files per run"
            )


def _download_all(request: Request, plan: Plan, loaders: Mapping[str, Downloader], progress: "Progress") -> Outcome:
    """Download the exposures in parallel; each is named and indexed once all its files are complete.

    Exposures that exceed `max_files` take the place of refused exposures, which else would be in their way in each run.
    """
    outcome = Outcome()
    faults = 0
    waiting, later = list(reversed(plan.fetch)), list(reversed(plan.later))
    refused = 0
    running: dict[Future[list[Complete]], tuple[ArchiveFile, ...]] = {}
    stop = next(iter(loaders.values())).stop
    with ThreadPoolExecutor(request.connections) as pool:
        try:
            while waiting or running:
                while waiting and len(running) < request.connections and not stop.is_set():
                    exposure = waiting.pop()
                    running[pool.submit(_download_exposure, loaders, exposure)] = exposure
                if not running:
                    break
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    exposure = running.pop(done)
                    try:
                        _publish(request, exposure, done.result(), outcome)
                        progress.files(len(exposure))
                    except NoAccess as error:
                        # Other programs of the request may be open to the token.
                        outcome.warnings.append(str(error))
                        refused += len(exposure)
                        while later and refused >= len(later[-1]):
                            refused -= len(later[-1])
                            waiting.insert(0, later.pop())
                    except Stopped:
                        continue
                    except FetchError as error:
                        outcome.errors.append(str(error))
                        faults += isinstance(error, ServerFault)
                        if isinstance(error, ServerDown | MachineFault) or faults >= MAX_FAULTS:
                            stop.set()
        finally:
            stop.set()
    if waiting:
        n_left = sum(map(len, waiting))
        outcome.errors.append(f"{n_left} more files were not tried after that")
    return outcome


def _download_exposure(loaders: Mapping[str, Downloader], exposure: tuple[ArchiveFile, ...]) -> list[Complete]:
    return [loaders[file.kind].download(file) for file in exposure]


def _publish(request: Request, exposure: tuple[ArchiveFile, ...], complete: list[Complete], outcome: Outcome) -> None:
    """Give the complete files of an exposure their names, and add them to the index."""
    folder = request.folders[exposure[0].kind]
    index = read_index(folder)
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    for file, found in zip(exposure, complete, strict=True):
        with found.path.open("rb") as written:
            os.fsync(written.fileno())
        found.path.replace(folder / file.name)
        for part in (folder / WORK).glob(f"{file.name}.*.part"):
            # Of an earlier version in MAST.
            part.unlink()
        index[file.name] = Fetched(
            name=file.name,
            exposure=file.exposure,
            kind=file.kind,
            detector=file.detector,
            exp_type=file.exp_type,
            date_obs=file.date_obs,
            size=found.size,
            sha256=found.sha256,
            checksum=found.md5,
            listed_size=file.size or 0,
            listed_checksum=file.checksum or "",
            fetched=now,
            uri=file.uri,
        )
        outcome.n_files += 1
        outcome.n_bytes += found.size
        outcome.warnings += [found.warning] if found.warning else []
    write_index(folder, index)


class Progress:
    """A line with the files and bytes that arrived, for `say`, every PROGRESS_S; none without `say`."""

    def __init__(self, plan: Plan, say: Say | None) -> None:
        self.n_files, self.size = sum(map(len, plan.fetch)), plan.size
        self.say = say
        self.lock = threading.Lock()
        self.arrived, self.complete, self.last = 0, 0, 0.0

    def add(self, n_bytes: int) -> None:
        """Count bytes; called by all downloads."""
        with self.lock:
            self.arrived += n_bytes
            now = time.monotonic()
            if self.say and now - self.last > PROGRESS_S:
                self.last = now
                self.say(
                    f"  {self.complete} of {self.n_files} files, {self.arrived / GB:.2f} of {self.size / GB:.2f} GB"
                )

    def files(self, n_files: int) -> None:
        """Count complete files."""
        with self.lock:
            self.complete += n_files
