"""The exposures of each mask: files, headers, checks, epochs."""
