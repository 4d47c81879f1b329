"""The sky of a simulated flat: diffuse light, and stars that move on the detector with the pointing."""

from dataclasses import dataclass

import numpy as np

# Total light of a star in DN at the end of a ramp, from below the noise to saturation: the number above a flux falls as
# 1 / flux, as for stars in the plane of a disk.
FAINTEST_DN, BRIGHTEST_DN = 400.0, 3e6
# Moffat profile of exponent BETA, with the wings of a diffraction pattern, out to STAMP pixels.
FWHM_PX, BETA, STAMP = 2.0, 2.5, 25
PIXEL_DEG = 0.0656 / 3600
# Position of the first pointing (deg), away from the poles.
RIGHT_ASCENSION, DECLINATION = 80.0, -69.5
_STARS, _POINTINGS = 11, 12


@dataclass(frozen=True)
class Sky:
    """The sky of the flats: their EXP_TYPE, the stars in the area of the array, diffuse light, largest dither offset.

    `signal_dn` is the diffuse light (DN) at the end of a ramp, `dither_px` is in pixels, along each axis.
    """

    exp_type: str
    n_stars: int = 60
    signal_dn: float = 6000.0
    dither_px: float = 40.0

    def offset(self, index: int, seed: int) -> tuple[float, float]:
        """Position (y, x) in pixels of the sky on the detector in exposure `index`, from its own random numbers."""
        rng = np.random.default_rng(np.random.SeedSequence([seed, _POINTINGS, index]))
        y, x = rng.uniform(-self.dither_px, self.dither_px, 2)
        return float(y), float(x)

    def stars(self, shape: tuple[int, int], index: int, seed: int) -> np.ndarray:
        """Light of the stars in DN at the end of a ramp, float32 (y, x), in exposure `index`."""
        rng = np.random.default_rng(np.random.SeedSequence([seed, _STARS]))
        margin = self.dither_px + STAMP
        size = np.array(shape) + 2 * margin
        number = rng.poisson(self.n_stars * size.prod() / np.prod(shape))
        positions = rng.uniform(-margin, size - margin, (number, 2)) + self.offset(index, seed)
        fluxes = 1 / rng.uniform(1 / BRIGHTEST_DN, 1 / FAINTEST_DN, number)
        edge = 2 * STAMP
        image = np.zeros(np.array(shape) + 2 * edge, np.float32)
        for (y, x), flux in zip(positions, fluxes, strict=True):
            row, column = round(y), round(x)
            first_y, first_x = row + edge - STAMP, column + edge - STAMP
            if first_y >= 0 and first_x >= 0:
                part = image[first_y : first_y + 2 * STAMP + 1, first_x : first_x + 2 * STAMP + 1]
                part += flux * star(y - row, x - column)[: part.shape[0], : part.shape[1]]
        return image[edge:-edge, edge:-edge]

    def meta(self, index: int, seed: int) -> dict:
        """Datamodel paths below `meta` of the pointing of exposure `index`; the detector is aligned with the sky."""
        y, x = self.offset(index, seed)
        declination = DECLINATION - y * PIXEL_DEG
        right_ascension = RIGHT_ASCENSION - x * PIXEL_DEG / np.cos(np.radians(declination))
        return {
            "pointing.ra_v1": right_ascension,
            "pointing.dec_v1": declination,
            "pointing.pa_v3": 0.0,
            "wcsinfo.crpix1": 1.0,
            "wcsinfo.crpix2": 1.0,
            "wcsinfo.crval1": right_ascension,
            "wcsinfo.crval2": declination,
            "wcsinfo.cdelt1": PIXEL_DEG,
            "wcsinfo.cdelt2": PIXEL_DEG,
        }


def star(y: float, x: float) -> np.ndarray:
    """A star of flux 1, `y` and `x` pixels from the central pixel: float64 (2 STAMP + 1, 2 STAMP + 1)."""
    width = FWHM_PX / (2 * np.sqrt(2 ** (1 / BETA) - 1))
    # Mean of 3 x 3 points of each pixel.
    parts = (np.arange(3) - 1) / 3
    along_y, along_x = (np.add.outer(np.arange(-STAMP, STAMP + 1) - d, parts) for d in (y, x))
    squared = along_y[:, None, :, None] ** 2 + along_x[None, :, None, :] ** 2
    profile = (BETA - 1) / (np.pi * width**2) * (1 + squared / width**2) ** -BETA
    return profile.mean(axis=(2, 3))
