"""Raw exposures from MAST: search, download, and the index of the files that were fetched."""
