"""Which configuration keys took part in a mask, for its header."""

DARK_KEYS = (
    "max_saturated_fraction", "early_cutoff_fraction", "rc_fraction_threshold", "low_pedestal_fraction",
    "high_cr_fraction", "dark_do_not_use", "ballot", "pedestal_source",
)  # fmt: skip
SLOPE_NOISE_KEYS = (
    "dark_stdev_clipping_sigma", "dark_max_clipping_iters", "dark_noisy_threshold", "min_clean_slopes",
)  # fmt: skip
FLAT_KEYS = (
    "dead_search", "low_qe_and_open_search", "flat_mean_sigma_threshold", "flat_mean_normalization_method",
    "flat_do_not_use",
)  # fmt: skip
SMOOTHING_KEYS = ("smoothing_box_width", "smoothing_type")
DEAD_KEYS = ("dead_search_type", "run_dead_flux_check")
LOW_QE_KEYS = ("max_low_qe_norm_signal", "max_open_adj_norm_signal")


def _dark_keys(config):
    keys = list(DARK_KEYS)
    beyond = []
    if config["noisy_test"] == "cds":
        beyond += ["noisy_test", "noisy_fraction"]
    else:
        keys += SLOPE_NOISE_KEYS
    if config["pedestal_test"] == "calibrated":
        beyond.append("pedestal_test")
    else:
        keys.append("pedestal_sigma_threshold")
    beyond += [key for key in ("ramp_shape_search", "telegraph_search") if config[key]]
    if not config["ramp_shape_search"]:
        keys.append("jump_ratio_threshold")
    if not (config["ramp_shape_search"] and config["telegraph_search"]):
        keys.append("max_jump_limit")
    if config["hot_rate_threshold"] is not None:
        beyond += ["hot_rate_threshold", "warm_rate_threshold", "hot_fraction"]
    return keys + beyond + (["false_flags_per_million"] if beyond else [])


def _flat_keys(config):
    keys = list(FLAT_KEYS)
    if config["flat_ballot"] == "exposure":
        keys += ["flat_ballot", "flat_fraction"]
    if config["unlit_fraction"] is not None:
        keys.append("unlit_fraction")
    if config["flat_mean_normalization_method"] == "smoothed":
        keys += SMOOTHING_KEYS
    searches = ()
    if config["dead_search"]:
        keys += DEAD_KEYS
        searches = config["dead_search_type"]
        if config["run_dead_flux_check"]:
            keys.append("flux_check")
    if "sigma_rate" in searches:
        keys.append("dead_sigma_threshold")
    if "absolute_rate" in searches or config["low_qe_and_open_search"]:
        keys.append("max_dead_norm_signal")
    if config["low_qe_and_open_search"]:
        keys += LOW_QE_KEYS
        keys += ["open_rule"] if config["open_rule"] != "all" else []
        keys += ["open_includes_dead"] if config["open_includes_dead"] else []
    return keys


def used_parameters(config, kinds):
    """The parameters (key -> value) that decided a mask made of `kinds` (darks, flats); those not used are left out.

    `flag_values` appears as a key per type, and the parameters of detector1 that the configuration set as
    `<kind>.<step>.<parameter>`, for the kinds that `kinds` maps to True (processed here).
    """
    keys = ["min_valid", "manual_flag_file"] + (["exclusive_types"] if config["exclusive_types"] else [])
    if "darks" in kinds:
        keys += _dark_keys(config)
    if "flats" in kinds:
        keys += _flat_keys(config)
    used = {key: config[key] for key in sorted(keys)}
    if "darks" in kinds:
        used.update({f"flag_values.{name}": flags for name, flags in sorted(config["flag_values"].items())})
    for kind, processed_here in kinds.items():
        if processed_here:
            key = f"detector1_{kind.removesuffix('s')}"
            for step, parameters in sorted(config[key].items()):
                used.update({f"{key}.{step}.{name}": value for name, value in sorted(parameters.items())})
    return used
