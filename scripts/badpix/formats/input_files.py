"""The InputFile of a file that a job reads."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from badpix.core.content import sha256_of, stamp
from badpix.core.files import card_text
from badpix.formats.product_file import provenance_of
from badpix.formats.provenance import InputFile

# A keyword R_<type> names the reference file that the pipeline used.
REFERENCE_KEYWORD = "R_"


def input_file(product: str, path: str | Path, header: Mapping[str, Any] | None = None) -> InputFile:
    """The InputFile of a given file; `header` is its primary header, or that of its products."""
    state = stamp(path)
    header = {} if header is None else header
    references = {
        key: str(header[key]) for key in header if key.startswith(REFERENCE_KEYWORD) and header[key] not in ("", "N/A")
    }
    return InputFile(
        product,
        card_text(Path(path).name),
        state[0],
        state,
        sha256_of(path),
        str(header.get("CAL_VER", "")),
        str(header.get("CRDS_CTX", "")),
        references,
    )


def product_input(product: str, path: str | Path) -> InputFile:
    """The InputFile of a file that the workflow made."""
    state = stamp(path)
    return InputFile(product, card_text(Path(path).name), state[0], state, provenance_of(path).digest)


def product_inputs(paths: Mapping[str, str | Iterable[str] | None]) -> tuple[InputFile, ...]:
    """The InputFiles of files that the workflow made: product -> a path, several paths, or None."""
    found = []
    for product, given in paths.items():
        of_product = [given] if isinstance(given, (str, Path)) else given or ()
        found += [product_input(product, path) for path in of_product]
    return tuple(found)
