"""The HISTORY of a mask: versions, inputs and rejected exposures."""

import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version

import numpy as np

from badpix import __version__
from badpix.formats.flat_product import FlatProduct

# Without the pipeline: the exposures may have been processed with a version that is not installed.
PACKAGES = ("stdatamodels", "crds", "numpy", "scipy", "astropy", "pandas", "snakemake")


def versions_line() -> str:
    """A line with the versions of this workflow, of Python and of the packages that the vote depends on."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"Made with jwst-badpix {__version__}: Python {platform.python_version()}, {packages}"


def history_lines(
    user_text: str,
    files: Mapping[str, Sequence[str]],
    processed_with: Mapping[str, Mapping[str, int]],
    rejected: Mapping[str, str],
    contexts: Iterable[str],
    reference_masks: Iterable[str],
    instead: Mapping[str, Sequence[str]],
) -> list[str]:
    """The HISTORY entries of a mask.

    Parameters
    ----------
    user_text : str
        The configured `history`.
    files : mapping of str to sequence of str
        Names of all input files of each kind of exposure (darks, flats).
    processed_with : mapping of str to mapping
        Kind -> version of the pipeline (CAL_VER) -> number of exposures.
    rejected : mapping of str to str
        The reason of rejection of each rejected input.
    contexts : iterable of str
        The CRDS contexts of the products.
    reference_masks : iterable of str
        The masks (R_MASK) that the products were processed with.
    instead : mapping of str to sequence of str
        Kind -> lines on what replaces exposures of a kind that were not given.
    """
    lines = [line for line in user_text.splitlines() if line.strip()]
    lines.append(versions_line())
    lines.append("CRDS context: " + (", ".join(sorted(contexts)) or "unknown"))
    foreign = sorted(mask for mask in reference_masks if not mask.endswith("reference_pixel_mask.fits"))
    if foreign:
        lines.append(
            "Some inputs were processed with the mask "
            + ", ".join(foreign)
            + "; pixels that it calls DO_NOT_USE could not be classified in them"
        )
    for kind, names in files.items():
        numbers = processed_with[kind]
        lines.append(f"{sum(numbers.values())} {kind} used")
        lines.extend(f"{number} {kind} processed with jwst {cal_ver}" for cal_ver, number in sorted(numbers.items()))
        lines.extend(f"{kind}: {name}" for name in sorted(names))
        if not names and kind in instead:
            lines += instead[kind]
        elif not names:
            lines.append(f"No {kind} were given: the types that need them were not searched")
    lines.extend(f"Rejected: {name}: {reason}" for name, reason in sorted(rejected.items()))
    return lines


def product_lines(product: FlatProduct, sha256: str, science: np.ndarray) -> list[str]:
    """The HISTORY entries of a finished product in place of flats; `science` is a boolean image (y, x)."""
    head = f"Flat types from {product.describe()}, SHA-256 {sha256}:"
    if product.response is None:
        bits = "through its DQ_DEF" if product.by_dq_def else "by the standard bits, since it has no DQ_DEF"
        return [f"{head} its {', '.join(product.found)} were taken over {bits}"]
    n_missing = int((science & ~np.isfinite(product.response)).sum())
    return [
        f"{head} its SCI was classified in place of the response of flats; {n_missing} science pixels have no value"
    ]
