"""The jwst-badpix library: pure functions of arrays and dataclasses, and the few modules that touch files.

Array axes are always (integration, group, y, x). Nothing here knows Snakemake.
"""

__version__ = "0.2.0"
