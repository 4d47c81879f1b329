"""An independent, simple and slow implementation of the algorithm, which imports nothing of the workflow.

It classifies the pixels from the products of calwebb_detector1, read into memory. The tests compare the masks of the
workflow with its masks, pixel by pixel.
"""

from .darks import dark_types
from .flats import flat_types
from .vote import DEFAULTS, combine, decide

__all__ = ["DEFAULTS", "combine", "dark_types", "decide", "flat_types"]
