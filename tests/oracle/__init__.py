"""A second, plain and slow evaluation of the algorithm, written apart from the workflow's own code.

It reads the products of calwebb_detector1 into memory and says which pixel is of which type. The tests compare the
workflow's masks with it, pixel for pixel.
"""

from .darks import dark_types
from .flats import flat_types
from .vote import DEFAULTS, combine, decide

__all__ = ["DEFAULTS", "combine", "dark_types", "decide", "flat_types"]
