"""Which exposures make which mask: files, headers, checks, epochs."""
