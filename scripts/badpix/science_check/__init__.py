"""The science check: two masks applied to exposures that did not vote, and which mask is better."""
