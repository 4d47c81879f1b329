"""`crds certify` of a mask with the cache of CRDS alone, and the exposures to which CRDS would give the mask."""

import datetime
import logging
import multiprocessing
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from astropy.io import fits

from badpix.core.content import sha256_of
from badpix.core.startup import importing_much, read_yaml_in_c
from badpix.formats.certificate_file import NOT_RUN, PASSED, REFUSED, Certificate, rules_digest
from badpix.mask.crds_rules import MaskRules, RulesUnavailable, cache_alone, mask_rules
from badpix.mask.selectors import PATTERNS

TIMEOUT_S = 1800
MAX_NOTES = 5
# A line of CRDS: level and message; the message names the file with its path.
_LINE = re.compile(r"CRDS - (ERROR|WARNING) -\s+(?:instrument=\S+ type=\S+ data=\S+ ::\s+)?(.*)")


class NotCertified(Exception):
    """A mask has no certificate, because CRDS has no rules; the message has the reason."""


class MaskRefused(Exception):
    """CRDS refuses the mask; the message has its errors."""


def certify(
    mask: str | Path, headers: Iterable[Mapping[str, Any]], crds: Mapping[str, str | None], contexts: Iterable[str] = ()
) -> Certificate:
    """The Certificate of the file `mask`.

    Parameters
    ----------
    mask : path
        The mask.
    headers : iterable of mapping
        Headers of the exposures that the mask was made of.
    crds : mapping
        Path, server and context of CRDS; the server is not used.
    contexts : iterable of str
        The CRDS contexts of the exposures.
    """
    header, digest = fits.getheader(mask), sha256_of(mask)
    cached = rules_digest(crds)
    with cache_alone(crds, contexts) as old_rules:
        try:
            rules = mask_rules(str(header.get("INSTRUME")))
        except RulesUnavailable as error:
            reason = str(error)
            return Certificate(NOT_RUN, Path(mask).name, digest, reason=reason, crds=version("crds"), rules=cached)
        # Without -z, parallel runs write a copy of the rmap to the same temporary file; insertion is tested below.
        status, output = run_certify(["-z", "--comparison-context", rules.context, str(mask)])
        errors, warnings = messages(output)
        if status and not errors:
            errors = [f"crds certify ended with status {status}: {output[-500:].strip()}"]
        kinds = kinds_of(headers, rules)
        selection_errors, notes = selection(rules, Path(mask), header, kinds)
        current, replaces = replaced(rules, header, kinds)
    errors += selection_errors
    return Certificate(
        status=REFUSED if errors else PASSED,
        mask=Path(mask).name,
        sha256=digest,
        context=rules.context,
        crds=version("crds"),
        selectors={key: header[card] for key in rules.keywords if (card := _card(key, header)) in header},
        current=current,
        replaces=replaces,
        errors=tuple(errors),
        warnings=(*([old_rules] if old_rules else []), *warnings, *notes),
        output=output,
        rules=cached,
    )


def run_certify(arguments: Sequence[str]) -> tuple[int, str]:
    """Exit status and output of `crds certify` with command-line `arguments`.

    It runs in a fork of this process, which has imported it: a new Python needs two and a half times as long.
    """
    read_yaml_in_c()
    with importing_much():
        from crds.certify import certify as _imported  # noqa: F401
    with tempfile.TemporaryFile() as output:
        process = multiprocessing.get_context("fork").Process(target=_certify_script, args=(arguments, output.fileno()))
        process.start()
        process.join(TIMEOUT_S)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"crds certify {' '.join(arguments)} did not end within {TIMEOUT_S} s")
        output.seek(0)
        return process.exitcode, output.read().decode(errors="replace")


def _certify_script(arguments: Sequence[str], output: int) -> None:
    """The program `crds.certify`, with its output to the file descriptor `output`; ends the process."""
    from crds.certify.certify import CertifyScript

    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout = sys.stderr = os.fdopen(output, "w", buffering=1, encoding="utf-8", closefd=False)
    # The logger of CRDS has the stream that was sys.stderr when CRDS was imported.
    for handler in logging.getLogger("CRDS").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(sys.stderr)
    sys.exit(CertifyScript(["crds.certify", *arguments])())


def messages(output: str) -> tuple[list[str], list[str]]:
    """The messages of the errors and of the warnings in the output of CRDS, each once."""
    found: dict[str, dict[str, None]] = {"ERROR": {}, "WARNING": {}}
    for level, text in _LINE.findall(output):
        found[level][text.strip()] = None
    return list(found["ERROR"]), list(found["WARNING"])


def _card(key: str, header: Mapping[str, Any]) -> str:
    """The keyword that has the value of the selector `key`: its pattern keyword, where the header has it."""
    return pattern if (pattern := PATTERNS.get(key, key)) in header else key


def selection(
    rules: MaskRules, mask: Path, header: Mapping[str, Any], kinds: Sequence[Mapping[str, Any]]
) -> tuple[list[str], list[str]]:
    """Insert the file `mask` into the rules, as at a delivery, and select masks for the `kinds` of its exposures.

    Returns (errors, notes): an error if CRDS cannot insert the mask; a note for each kind of exposures that CRDS would
    give another mask, at USEAFTER or today.
    """
    from crds.core.exceptions import CrdsError

    try:
        inserted = rules.rmap.insert_reference(str(mask.absolute()))
    except (CrdsError, ValueError, KeyError, AssertionError) as error:
        last = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        return [f"the mask cannot be inserted into {rules.rmap.basename}: {last.strip(' :')}"], []
    notes: list[str] = []
    for kind in kinds:
        for moment in _moments(header):
            found = _selected(inserted, {"INSTRUME": header["INSTRUME"], **kind}, moment)
            if found != mask.name:
                other = "no mask" if found.startswith("NOT FOUND") else found
                words = ", ".join(f"{key} {value}" for key, value in kind.items())
                notes.append(f"CRDS gives {other}, not this mask, to exposures of {moment:%Y-%m-%d} with {words}")
                break
    n_more = len(notes) - MAX_NOTES
    return [], notes if n_more <= 0 else [*notes[:MAX_NOTES], f"the same for {n_more} more kinds of exposures"]


def kinds_of(headers: Iterable[Mapping[str, Any]], rules: MaskRules) -> list[dict[str, Any]]:
    """The different values of the keywords of `rules` in the headers of exposures."""
    kinds = {tuple((key, header[key]) for key in rules.keywords if key in header) for header in headers}
    return [dict(kind) for kind in sorted(kinds, key=str)]


def replaced(
    rules: MaskRules, header: Mapping[str, Any], kinds: Sequence[Mapping[str, Any]]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The masks that CRDS now gives to exposures of `kinds`: those of today, and all.

    All are those of today and then those for exposures at USEAFTER in the `header` of a new mask.
    """
    useafter, today = (
        sorted({_selected(rules.rmap, {"INSTRUME": header["INSTRUME"], **kind}, moment) for kind in kinds})
        for moment in _moments(header)
    )
    found = [name for name in dict.fromkeys((*today, *useafter)) if not name.startswith("NOT FOUND")]
    return tuple(name for name in found if name in today), tuple(found)


def _moments(header: Mapping[str, Any]) -> tuple[datetime.datetime, datetime.datetime]:
    """USEAFTER of a mask, and today if it is later."""
    useafter = datetime.datetime.fromisoformat(str(header["USEAFTER"]))
    return useafter, max(useafter, datetime.datetime.now())


def _selected(rmap: Any, keywords: Mapping[str, Any], moment: datetime.datetime) -> str:
    """The mask that CRDS selects for an exposure at `moment`; a text that begins with NOT FOUND without a mask."""
    from crds.core import utils

    dates = {"DATE-OBS": f"{moment:%Y-%m-%d}", "TIME-OBS": f"{moment:%H:%M:%S}"}
    conditioned = utils.condition_header(rmap.locate.fits_to_parkeys({**keywords, **dates}))
    return str(rmap.get_best_references(rmap.minimize_header(conditioned), include=["mask"])["mask"])
