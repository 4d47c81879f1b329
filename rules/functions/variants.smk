# The epoch and the variant of a mask_id, and what depends on them: configuration, names, folders.

# The rules of the vote: name -> mask file and pattern of the wildcard `epoch`. Variants with an `output_file` of their own
# have a rule of their own, because the name of an output is a part of its rule.
NAMED_VARIANTS = [name for name, keys in config["variants"].items() if "output_file" in keys]
_OTHERS = "".join(rf"(?!{re.escape(name)}(/|$))" for name in NAMED_VARIANTS)
VOTE_RULES = {"bad_pixel_mask": ("<mask_file>", rf"(/epochs/[^/]+)?(/variants/{_OTHERS}[^/]+)?")} | {
    f"bad_pixel_mask_{name}": (
        str(Path(config["variants"][name]["output_file"])),
        rf"(/epochs/[^/]+)?/variants/{re.escape(name)}",
    )
    for name in NAMED_VARIANTS
}


def config_of(mask_id):
    """The configuration of a mask: of its variant, with the values of its detector."""
    default = DETECTORS[detector_of(mask_id)].max_dead_norm_signal_dn_per_s
    of_mask = of_detector(of_variant(config, variant_of(mask_id)), detector_of(mask_id))
    return with_max_dead_norm_signal(of_mask, default)


def mask_name(mask_id):
    """The path of a mask in its folder: the `output_file` of the configuration or of the variant."""
    return str(Path(of_variant(config, variant_of(mask_id))["output_file"]))


def mask_file(mask_id):
    """The path of a mask."""
    return f"{RESULTS}/{mask_id}/{mask_name(mask_id)}"


def mask_of(wildcards):
    """An input function: the path of the mask."""
    return mask_file(mask_id_of(wildcards))


def series_of(mask_id):
    """The mask_id without its epoch: the masks of all epochs of a detector and variant have it in common."""
    return f"{detector_of(mask_id)}{Variant(variant_of(mask_id)).folder}"


def set_folder(wildcards):
    """The folder of the products of the set of exposures of a mask, which variants without a selection share."""
    mask_id = source_mask_id(wildcards)
    return f"{RESULTS}/{wildcards.detector}{INVENTORY.set_id(mask_id).removeprefix(detector_of(mask_id))}"


def division_name(mask_id):
    """The names of the epoch and the variant of a mask, separated by a space; empty without both."""
    parts = Path(mask_id).parts
    return " ".join(name for folder, name in zip(parts, parts[1:]) if folder in ("epochs", "variants"))
