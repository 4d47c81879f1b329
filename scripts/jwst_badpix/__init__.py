"""The command `jwst-badpix` and the Python call `bad_pixels`, which both run the workflow of this project.

Without an installation, in a clone of the repository: `PYTHONPATH=scripts python -m jwst_badpix --help`.
"""

from jwst_badpix.bad_pixel_mask import bad_pixels
from jwst_badpix.errors import BadPixelsError

__all__ = ["BadPixelsError", "bad_pixels"]
