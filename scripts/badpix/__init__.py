"""The jwst-badpix library: pure functions of arrays and dataclasses, and the few modules that read or write files.

Array axes are always (integration, group, y, x). Nothing here depends on Snakemake.
"""

__version__ = "0.2.0"
