"""The delivery of a mask: its check by CRDS, the delivery form, lists for other programs, and the complete folder."""
