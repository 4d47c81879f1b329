"""Bad pixels planted into copies of real exposures, and the share of them that is found."""
