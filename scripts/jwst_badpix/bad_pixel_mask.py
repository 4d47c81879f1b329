"""The call of the official algorithm, with its keywords, names and defaults; the workflow runs underneath.

A caller of `jwst_reffiles.bad_pixel_mask.bad_pixel_mask` changes its import to

    from jwst_badpix import bad_pixel_mask
"""

import os
from collections.abc import Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any

from jwst_badpix.options import Files, Options

# The defaults are those of the official call, which are never changed here.
_FLAG_VALUES = {"hot": ["HOT"], "rc": ["RC"], "low_pedestal": ["OTHER_BAD_PIXEL"], "high_cr": ["TELEGRAPH"]}
_DARK_DO_NOT_USE = ["hot", "rc", "low_pedestal", "high_cr"]


def bad_pixels(
    flat_slope_files: Files = None,
    dead_search: bool = True,
    low_qe_and_open_search: bool = True,
    dead_search_type: str | Sequence[str] = "sigma_rate",
    flat_mean_sigma_threshold: float = 3,
    flat_mean_normalization_method: str = "smoothed",
    smoothing_box_width: int = 15,
    smoothing_type: str = "Box2D",
    dead_sigma_threshold: float = 5.0,
    max_dead_norm_signal: float | None = None,
    run_dead_flux_check: bool = False,
    dead_flux_check_files: Files = None,
    flux_check: float = 45000,
    max_low_qe_norm_signal: float = 0.5,
    max_open_adj_norm_signal: float = 1.05,
    manual_flag_file: str | os.PathLike[str] = "default",
    flat_do_not_use: Sequence[str] = [],
    dark_slope_files: Files = None,
    dark_uncal_files: Files = None,
    dark_jump_files: Files = None,
    dark_fitopt_files: Files = None,
    dark_stdev_clipping_sigma: float = 5.0,
    dark_max_clipping_iters: int = 5,
    dark_noisy_threshold: float = 5,
    max_saturated_fraction: float = 0.5,
    max_jump_limit: int = 10,
    jump_ratio_threshold: float = 5,
    early_cutoff_fraction: float = 0.25,
    pedestal_sigma_threshold: float = 5,
    rc_fraction_threshold: float = 0.8,
    low_pedestal_fraction: float = 0.8,
    high_cr_fraction: float = 0.8,
    flag_values: Mapping[str, Sequence[str]] = _FLAG_VALUES,
    dark_do_not_use: Sequence[str] = _DARK_DO_NOT_USE,
    plot: bool = False,
    output_file: str | os.PathLike[str] = "./test_bpm.fits",
    author: str = "jwst_reffiles",
    description: str = "A bad pix mask",
    pedigree: str = "GROUND",
    useafter: str = "2019-04-01 00:00:00",
    history: str = "",
    quality_check: bool = False,
    *,
    cores: int = 1,
    config: Mapping[str, Any] | None = None,
    keep: str | os.PathLike[str] | None = None,
) -> Path:
    """Make the bad pixel mask `output_file` from processed exposures, and return its absolute path.

    The files of an exposure are found by their headers (DETECTOR, DATE-OBS, TIME-OBS, EXSEGNUM), whatever their names
    and their order. In place of slopes that are the mean of several integrations, the file beside them with each
    integration is used. Nothing else is written, but with `plot` the file `<output_file>_plots.png`. The summary of the
    run, rejected exposures and warnings on the mask go to the logger `jwst_badpix`; the HISTORY of the mask has the
    warnings too.

    Parameters
    ----------
    flat_slope_files, ..., quality_check
        The keywords of the official call; config/README.md of the workflow describes each.
    cores : int
        Number of cores of the run.
    config : mapping, optional
        Further keys of the workflow's configuration. A mask needs three darks and three flats, if any are given, unless
        `min_darks` and `min_flats` are among them. Arguments that have their default do not replace values of a preset.
    keep : path, optional
        A folder, made if needed, that keeps all files of the run, such as the evidence for each flag. A later call with
        the same folder uses them again.

    Raises
    ------
    BadPixelsError
        There is no mask: an argument is not allowed, or the run failed; with the workflow's message.
    """
    arguments = dict(locals())
    # Imported here because the command needs it as little as the help of this function.
    from jwst_badpix.call import make_mask

    options = Options(**{name: arguments.pop(name) for name in ("cores", "config", "keep")})
    defaults = {name: parameter.default for name, parameter in signature(bad_pixels).parameters.items()}
    return make_mask(arguments, defaults, options)
