"""Growth of the True areas of a boolean image."""

import numpy as np
from scipy.ndimage import binary_dilation


def grown(areas: np.ndarray, pixels: int) -> np.ndarray:
    """`areas`, boolean image (y, x), with all pixels within a distance of `pixels`."""
    if not pixels or not areas.any():
        return areas.copy()
    y, x = np.ogrid[-pixels : pixels + 1, -pixels : pixels + 1]
    return binary_dilation(areas, y**2 + x**2 <= pixels**2)
