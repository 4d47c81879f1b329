"""The result of `crds certify` for a mask: a JSON file, which belongs to a mask by the SHA-256 of the mask."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from badpix.core.content import cache_folder, sha256_of
from badpix.core.crds_settings import context_of_cache
from badpix.core.files import write_text

PASSED, REFUSED, NOT_RUN = "passed", "refused", "not run"
CERTIFICATE = "certify.json"


@dataclass(frozen=True)
class Certificate:
    """The result of `crds certify`.

    `status` is PASSED, REFUSED or NOT_RUN, with the `reason` why it was not run. `mask` and `sha256` are name and
    digest of the mask, `context` the CRDS context and `crds` the version of the package. `selectors` maps the keywords
    by which CRDS selects masks to their values. `current` are the masks that CRDS now gives to the exposures of the
    mask, today, and `replaces` also those that it gives to exposures at USEAFTER, those of today first. `errors` and
    `warnings` are lines; `warnings` also name exposures of the mask that CRDS would give another mask. `output` is
    the output of `crds certify`. `rules` is the `rules_digest`.
    """

    status: str
    mask: str
    sha256: str
    reason: str = ""
    context: str = ""
    crds: str = ""
    selectors: Mapping[str, Any] | None = None
    current: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    output: str = ""
    rules: str = ""


def rules_digest(crds: Mapping[str, str | None]) -> str:
    """Digest of the context in force and of names, sizes and times of the contexts and mask rules in the CRDS cache.

    `crds` has path, server and context of the configuration. CRDS_CONTEXT and CRDS_PATH are those of the environment;
    the digest must be taken before `set_crds_environment` changes them. The cache may be missing. A certificate with
    another digest was made before the cache had the rules of today.
    """
    cache = cache_folder(crds["path"] or os.environ.get("CRDS_PATH"))
    # Not the whole answer of the server, which has its time.
    context = crds["context"] or os.environ.get("CRDS_CONTEXT") or context_of_cache(cache)
    digest = hashlib.sha256(f"{context}\n".encode())
    for path in sorted((cache / "mappings" / "jwst").glob("*.[pr]map")):
        if path.suffix == ".pmap" or "_mask_" in path.name:
            status = path.stat()
            digest.update(f"{path.name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def outdated(path: str | Path, crds: Mapping[str, str | None]) -> str | None:
    """Why the certificate at `path` must be made again with the rules of CRDS as they are now, else None.

    `crds` is that of `rules_digest`.
    """
    try:
        is_current = read_certificate(path).rules == rules_digest(crds)
    except FileNotFoundError:
        return None
    except ValueError as error:
        return str(error)
    return None if is_current else "the rules in the cache of CRDS, or the context in use, changed"


def surviving_certificate(path: str | Path) -> Path:
    """Where the certificate of a refused mask stays: Snakemake deletes `path` with the outputs of a failed job."""
    return Path(path).parent / "logs" / Path(path).name


def write_certificate(path: str | Path, certificate: Certificate) -> None:
    """Write the certificate of a mask."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(asdict(certificate), indent=2) + "\n")


def read_certificate(path: str | Path) -> Certificate:
    """The certificate at `path`. ValueError if the file is damaged."""
    try:
        fields = json.loads(Path(path).read_text(encoding="utf-8"))
        return Certificate(
            **{**fields, **{key: tuple(fields[key]) for key in ("current", "replaces", "errors", "warnings")}}
        )
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"{path} is no certificate of a mask: {error}") from error


def certificate_of(mask: str | Path, folder: str | Path) -> Certificate | None:
    """The certificate of the file `mask` in the `folder` of the mask; None if there is none of this very file."""
    digest = sha256_of(mask)
    for path in (Path(folder) / CERTIFICATE, surviving_certificate(Path(folder) / CERTIFICATE)):
        if path.exists() and (found := read_certificate(path)).sha256 == digest:
            return found
    return None
