"""The demo simulator: a near-infrared detector with planted bad pixels, its exposures and its CRDS references.

`detector` plans the pixels and the static maps, `ramps` makes the counts of an exposure, `headers` and `uncal` write
it under JWST names and keywords, `crds_cache` writes the references the pipeline looks up, `truth` the answer.
"""
