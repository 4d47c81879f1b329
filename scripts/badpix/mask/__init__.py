"""From the vote to the mask: flags, manual flags, provenance, outputs and their check."""
