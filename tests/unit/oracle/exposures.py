"""Exposures for the independent evaluation, small enough for arithmetic by hand."""

import numpy as np
from astropy.io import fits

DO_NOT_USE = 1
SATURATED = 2
JUMP_DET = 4
REFERENCE_PIXEL = 2**31

# The effective time of group g is 10 g + 2 (1 + (4 + 1) / 2) = 10 g + 7 seconds.
TIMING = {"NFRAMES": 4, "GROUPGAP": 0, "TFRAME": 2.0, "TGROUP": 10.0, "DRPFRMS1": 1}


def write(path, header, **extensions):
    hdus = [fits.PrimaryHDU()]
    hdus[0].header.update(header)
    hdus += [fits.ImageHDU(data, name=name) for name, data in extensions.items()]
    fits.HDUList(hdus).writeto(path)
    return path


class Dark:
    """An exposure: ramps that start at `pedestal` (DN) and increase by `slope` (DN/s), without flags."""

    def __init__(self, n_integrations=1, n_groups=8, shape=(3, 4)):
        self.slope = np.zeros((n_integrations, *shape), dtype=np.float32)
        self.pedestal = np.zeros((n_integrations, *shape), dtype=np.float32)
        self.dq = np.zeros((n_integrations, *shape), dtype=np.uint32)
        self.groupdq = np.zeros((n_integrations, n_groups, *shape), dtype=np.uint8)
        self.pixeldq = np.zeros(shape, dtype=np.uint32)

    def write(self, folder, name, fitopt_pedestal=0):
        times = 10 * np.arange(self.groupdq.shape[1]) + 7
        ramp = self.pedestal[:, None] + self.slope[:, None] * times[:, None, None]
        return {
            "rateints": write(folder / f"{name}_rateints.fits", {}, SCI=self.slope, DQ=self.dq),
            "jump": write(
                folder / f"{name}_jump.fits",
                TIMING,
                SCI=ramp.astype(np.float32),
                GROUPDQ=self.groupdq,
                PIXELDQ=self.pixeldq,
            ),
            "fitopt": write(folder / f"{name}_fitopt.fits", {}, PEDESTAL=np.full_like(self.pedestal, fitopt_pedestal)),
        }


def write_flat(folder, name, rate, dq=None, header=None, uncal=None):
    rate = np.asarray(rate, dtype=np.float32)
    dq = np.zeros(rate.shape, dtype=np.uint32) if dq is None else dq
    exposure = {"rateints": write(folder / f"{name}_rateints.fits", header or {}, SCI=rate, DQ=dq)}
    if uncal is not None:
        exposure["uncal"] = write(folder / f"{name}_uncal.fits", {}, SCI=np.asarray(uncal, dtype=np.uint16))
    return exposure


def pixels(image):
    return [(int(y), int(x)) for y, x in np.argwhere(image)]
