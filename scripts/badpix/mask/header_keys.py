"""The configuration keys that took part in a mask, for its header."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict

from badpix.config.presets import preset_text
from badpix.config.settings import SKY_KEYS
from badpix.formats.flat_product import MASK, FlatProduct
from badpix.formats.pixel_types import PIXEL_TYPES
from badpix.vote.dark_official import COMMON_KEYS, OFFICIAL_TESTS
from badpix.vote.reference_pixels import ReferenceSettings
from badpix.vote.settings import VoteSettings

FLAT_KEYS = (
    "dead_search", "low_qe_and_open_search", "flat_mean_sigma_threshold", "flat_mean_normalization_method",
    "flat_do_not_use",
)  # fmt: skip
SMOOTHING_KEYS = ("smoothing_box_width", "smoothing_type")
DEAD_KEYS = ("dead_search_type", "run_dead_flux_check")
# Keys of flats that a finished product in their place does not use, and the only keys that a mask in their place uses.
NOT_OF_PRODUCTS = (
    "flat_mean_normalization_method", *SMOOTHING_KEYS, "flat_vote_unit", "flat_vote_fraction", "run_dead_flux_check",
)  # fmt: skip
OF_MASKS = ("dead_search", "low_qe_and_open_search", "flat_do_not_use")
LOW_QE_KEYS = ("max_low_qe_norm_signal", "max_open_adj_norm_signal")


def _dark_keys(settings: VoteSettings) -> list[str]:
    # A search that replaces an official test uses its fraction, so all fractions are listed.
    keys = ["dark_do_not_use", *COMMON_KEYS, *(test.fraction for test in OFFICIAL_TESTS if test.fraction)]
    for test in OFFICIAL_TESTS:
        if test.name not in settings.replaced_tests:
            keys += test.keys
    for search in settings.searches_on:
        keys += ["false_flags_per_million", *search.header_keys(), *(["gain_e_per_dn"] if search.needs_gain else [])]
    if settings.searches_on and settings.dark_local_level:
        keys.append("dark_local_level")
    return keys


def _flat_keys(config: Mapping) -> list[str]:
    keys = list(FLAT_KEYS)
    if config["flat_vote_unit"] == "exposure":
        keys += ["flat_vote_unit", "flat_vote_fraction"]
    # Only votes with flats of the sky have these keys.
    keys += [key for key in SKY_KEYS if key in config]
    if config["min_unlit_area"] is not None:
        keys.append("min_unlit_area")
    if config["flat_mean_normalization_method"] == "smoothed":
        keys += SMOOTHING_KEYS
    searches: Sequence[str] = ()
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
        keys += ["open_neighbour_rule"] if config["open_neighbour_rule"] != "all" else []
        keys += ["open_includes_dead"] if config["open_includes_dead"] else []
    return keys


def used_parameters(
    config: Mapping, steps: Mapping[str, Mapping], kinds: Collection[str], product: FlatProduct | None = None
) -> dict[str, object]:
    """The parameters (key -> value) used for a mask of `kinds` (darks, flats); unused parameters are left out.

    `product` is the finished product in place of flats, None without it.
    `config` has the keys of the vote and `manual_flag_file`. `steps` maps `detector1_<kind>` to the configured step
    parameters, for the kinds that this run processes. The result has a key per type, `flag_values.<type>`, and a key
    per step parameter, `detector1_<kind>.<step>.<parameter>`.
    """
    keys = {"min_valid", "manual_flag_file"} | ({"exclusive_types"} if config["exclusive_types"] else set())
    if config["intermittent"]:
        keys |= {"intermittent", "intermittent_from"}
    if "darks" in kinds:
        keys.update(_dark_keys(VoteSettings.from_config(config)))
    if "flats" in kinds:
        keys.update(_flat_keys(config))
    elif product is not None:
        of_flats = OF_MASKS if product.kind == MASK else _flat_keys(config)
        keys.update(key for key in of_flats if key not in NOT_OF_PRODUCTS)
    # A threshold that is not set is no parameter of the mask.
    used = {key: config[key] for key in sorted(keys) if config[key] is not None}
    if config["preset"] is not None:
        used["preset"] = preset_text(config["preset"])
    if product is not None:
        used["flat_types_from"] = product.name
    if "darks" in kinds and config["bad_reference_pixels"] is not None:
        search = asdict(ReferenceSettings(**config["bad_reference_pixels"]))
        used.update({f"bad_reference_pixels.{name}": value for name, value in sorted(search.items())})
    searched = {*kinds, *(["flats"] if product is not None else [])}
    named = [name for name in sorted(config["flag_values"]) if f"{PIXEL_TYPES[name].kind}s" in searched]
    used.update({f"flag_values.{name}": config["flag_values"][name] for name in named})
    for key, of_key in steps.items():
        for step, parameters in sorted(of_key.items()):
            used.update({f"{key}.{step}.{name}": value for name, value in sorted(parameters.items())})
    return used
