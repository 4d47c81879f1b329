"""The simulator: a detector with planted bad pixels, its exposures and its CRDS references.

`populations` has the planted types and the physics, `planting` and `clusters` set the positions, `static_maps` makes
the healthy detector, `detector` combines them. `ramps` makes the counts of an exposure with `cosmic_rays`, `coupling`
and the `effects` that are switched on; `exposure`, `headers` and `uncal` write it with JWST names and keywords.
`crds_cache` writes the reference files of the pipeline, `truth` the planted pixels. `simulation` has the options of a
run.
"""
