"""One integration of a dark, as read from its statistics."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from astropy.io import fits


@dataclass(frozen=True)
class DarkIntegration:
    """The planes of an integration, images (y, x), and what else its statistics file has.

    `row` is its row of the table INTEGRATIONS, `header` the primary header. `voting_pedestal` is the plane of the
    pedestals that vote in the official tests. `segment` and `number` (1-based) identify the integration. `is_alone`:
    the exposure has no other integration.
    """

    planes: Mapping[str, np.ndarray]
    row: fits.FITS_record
    header: fits.Header
    voting_pedestal: str
    segment: str
    number: int
    is_alone: bool

    @property
    def n_groups(self) -> int:
        """The number of groups."""
        return int(self.row["N_GROUPS"])
