"""The simulator: a near-infrared detector with planted bad pixels, its exposures and its CRDS references.

`populations` says what is planted and how far the physics goes, `planting` and `clusters` where it is planted,
`static_maps` makes the healthy detector and `detector` puts both together; `ramps` makes the counts of an exposure
with `cosmic_rays` and `coupling`; `exposure`, `headers` and `uncal` write it under JWST names and keywords,
`crds_cache` writes the references the pipeline looks up, `truth` the answer. `simulation` holds the options of a run.
"""
