"""What the mask says about its own making."""

import platform
from importlib.metadata import version

from badpix import __version__

PACKAGES = ("jwst", "stcal", "stdatamodels", "crds", "numpy", "scipy", "astropy", "pandas", "snakemake")


def versions_line():
    """One line with the version of this workflow, of Python and of every package that a result depends on."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"Made with jwst-badpix {__version__}: Python {platform.python_version()}, {packages}"


def history_lines(user_text, files, rejected, contexts, reference_masks):
    """The HISTORY entries of a mask.

    `user_text` is the configured `history`; `files` maps kind (darks, flats) to the input file names; `rejected` maps
    input to the reason why it was not used; `contexts` are the CRDS contexts of the products, `reference_masks` the
    masks (R_MASK) that they were processed with.
    """
    lines = [line for line in user_text.splitlines() if line.strip()]
    lines.append(versions_line())
    lines.append("CRDS context: " + (", ".join(sorted(contexts)) or "unknown"))
    foreign = sorted(mask for mask in reference_masks if not mask.endswith("reference_pixel_mask.fits"))
    if foreign:
        lines.append(
            "Some inputs were processed with the mask "
            + ", ".join(foreign)
            + "; pixels that it calls DO_NOT_USE could not be judged in them"
        )
    for kind, names in files.items():
        lines.append(f"{len(names)} {kind} used")
        lines.extend(f"{kind}: {name}" for name in sorted(names))
        if not names:
            lines.append(f"No {kind} were given: the types that need them were not searched")
    lines.extend(f"Left out: {name}: {reason}" for name, reason in sorted(rejected.items()))
    return lines
