# The configuration, the inventory of exposures, and the functions that all rules share.

import dataclasses
import functools
import gc
import inspect
import json
import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path

from snakemake.common import overwrite_function_params
from snakemake.exceptions import WorkflowError
from snakemake.io import IOFile
from snakemake.iocontainers import Wildcards
from snakemake.logging import logger
from snakemake.path_modifier import PathModifier
from snakemake.settings.types import Quietness

# The folder of this Snakefile; as a module of another workflow, workflow.basedir would be the folder of the outer file.
BASE = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent
if not BASE.is_dir():
    raise WorkflowError(f"the snakefile of a module must be a file of a local copy of jwst-badpix, not in {BASE}")
# prefix and replace_prefix of a module. The rules have the paths of the configuration and of what it finds on disk while
# it is read, so the prefix moves the folders of the configuration that are written, and no path a second time.
PREFIX = workflow.modifier.path_modifier
workflow.modifier.path_modifier = PathModifier(None, None, workflow)
sys.path.insert(0, str(BASE / "scripts"))

# The packages that reading the rules and the headers needs; any snakemake has the others.
for _package in ("numpy", "jsonschema", "astropy"):
    if find_spec(_package) is None:
        raise WorkflowError(
            f"the Python of this snakemake, {sys.executable}, lacks the package {_package}; activate the environment of the"
            " workflow (README.md)"
        )

from badpix.workflow import resources
from badpix.workflow.failed_jobs import FailedJobs
from badpix.workflow.job_listing import JobListing
from badpix.config.check import ConfigError, check_detector, load_schema, load_steps, validated
from badpix.config.command import is_snakemake, lost_options
from badpix.config.dates import date_warnings
from badpix.config.duplicates import duplicate_keys
from badpix.config.exp_types import missing_kinds, with_exp_types
from badpix.config.placeholders import placeholder_warnings
from badpix.config.presets import problems_with_preset, record_text, with_preset
from badpix.instrument.detectors import load_detectors
from badpix.workflow.digest import library_digest
from badpix.formats.certificate_file import CERTIFICATE, outdated
from badpix.exposures.epochs import EPOCH_PATTERN, divide
from badpix.exposures.variants import Variant, selection_text, variant_of, variants_of, without_variant
from badpix.history.comparable import digest_of, settings_text
from badpix.history.removed import removed_digest
from badpix.instrument.geometry import Geometry, full_frame
from badpix.core.content import cache_folder, sha256_of
from badpix.exposures.check_exposures import CheckExposures, take_check_exposures
from badpix.exposures.current_products import CurrentProducts, Wanted
from badpix.exposures.header_cache import HeaderCache, Unreadable
from badpix.exposures.find import InputError, NoFiles, configured_kinds, find_files, match_inputs
from badpix.exposures.flat_types import products_of, refuse_without_product
from badpix.exposures.gain_scale import rates_are_scaled
from badpix.exposures.inventory import (
    Inventory,
    InventoryError,
    refuse_incomplete,
    rejected_at_start,
    take_inventory,
)
from badpix.exposures.notices import header_notices, start_notices
from badpix.exposures.optical_setup import setup_warnings, used_again
from badpix.mask.manual_flags import ManualFlagError, check_manual_flags
from badpix.mask.selectors import SelectorError, subarray_name
from badpix.core.reasons import reason_lines
from badpix.core.paths import is_same_file, path_problem, shown, text_problem
from badpix.core.startup import end_quickly
from badpix.core.scratch import AUTO, ScratchError, check_scratch, sweep_memory
from badpix.instrument.exp_types import is_even
from badpix.instrument.segments import by_exposure
from badpix.config.settings import (
    IN_ELECTRONS,
    KINDS,
    RESPONSE_KEYS,
    SKY_KEYS,
    of_detector,
    vote_keys,
    with_max_dead_norm_signal,
)
from badpix.config.sweep import sweep_points
from badpix.config.variants import of_variant

# Snakemake keeps many objects for each job, which Python, after every 700 new objects, would search for cycles: a tenth of
# the time of a dry run of thousands of exposures.
gc.set_threshold(50_000)

for _folder, _problem in ((BASE, path_problem(str(BASE))), (Path.cwd(), text_problem(os.getcwd()))):
    if _problem:
        raise WorkflowError(f"the directory {shown(str(_folder))!r} {_problem}; rename it")

end_quickly()
CONDA_ENV = str(BASE / "envs" / "badpix.yaml")
CAPTIONS = BASE / "rules" / "captions"
DETECTORS = load_detectors(BASE / "config" / "detectors")
SCHEMA = load_schema(BASE / "config" / "schemas" / "config.schema.yaml")
VOTE_KEYS = vote_keys(SCHEMA)
# `snakemake --lint` checks the text of the rules: it must work without a configuration and without exposures. Snakemake
# leaves environment variables unchecked for linting only.
LINTING = not workflow.check_envvars
# Detector -> the finished product in place of its flats.
FLAT_PRODUCTS = {}
# The exposures of the science check.
CHECK_EXPOSURES = CheckExposures()


def moved(folder):
    """The path of a folder that is written, with the prefix of a module."""
    # A prefix to replace may end with the slash after the folder.
    return os.path.normpath(str(PREFIX.replace_prefix(f"{folder}/")))


include: "functions/profiles.smk"


def read_config():
    """The configuration with its preset and all defaults, checked against the schema before anything else happens.

    `preset` is the record of the preset (badpix.config.presets), or None.
    """
    if workflow.is_main_process and is_snakemake(sys.argv[0]):
        if lost := lost_options(sys.argv[1:], profile_files()):
            raise ConfigError(lost)
    if workflow.is_main_process and (duplicates := duplicate_keys(workflow.configfiles)):
        raise ConfigError(duplicates)
    # `config` of a module is given by the outer workflow; otherwise it holds the defaults too.
    own = config if workflow.modifier.skip_configfile else workflow.config_settings.overwrite_config
    given, preset = with_preset(config, own, SCHEMA, BASE / "config" / "presets")
    given |= {"darks": config.get("darks") or "darks"} if LINTING else {}
    try:
        complete = validated(given, SCHEMA, load_steps(BASE / "config" / "schemas" / "detector1_steps.json"))
    except ConfigError as error:
        raise problems_with_preset(error, preset, own) from None
    complete["preset"] = preset.record if preset else None
    # Snakemake compares paths as text, and warns about every `./results/...`.
    complete["results"] = moved(os.path.normpath(complete["results"]))
    if complete["history_directory"]:
        complete["history_directory"] = moved(os.path.normpath(complete["history_directory"]))
    if complete["scratch"]:
        check_scratch(complete["scratch"], complete["results"])
    return complete


def read_inventory():
    """The exposures of each mask, from the headers of all input files. Empty for `snakemake --lint` and fetch."""
    if LINTING or FETCHING:
        return Inventory()
    files = match_inputs(config, HEADERS.sha256)
    inventory = take_inventory(files, HEADERS.header_info, with_exp_types(DETECTORS, config), config)
    FLAT_PRODUCTS.update(products_of(config["flat_types_from"], HEADERS.header_info, DETECTORS))
    if (setting := config["science_check"]["exposures"]) is not None:
        given = take_check_exposures(setting, HEADERS.header_info, DETECTORS, config)
        CHECK_EXPOSURES.usable.update(given.usable)
        CHECK_EXPOSURES.left_out.update(given.left_out)
    HEADERS.save()
    refuse_incomplete(inventory, configured_kinds(config), config)
    divide(inventory, configured_kinds(config), config)
    if FLAT_PRODUCTS:
        refuse_without_product(inventory, FLAT_PRODUCTS)
    for mask_id, kinds in inventory.masks.items():
        of_mask, detector = of_variant(config, variant_of(mask_id)), DETECTORS[detector_of(mask_id)]
        if kinds["flats"]:
            check_detector(of_mask, detector)
        if FLAT_PRODUCTS and workflow.is_main_process:
            check_flat_product(of_mask, detector, kinds)
        if of_mask["manual_flag_file"] not in ("none", "default"):
            check_manual_flags(of_mask["manual_flag_file"], detector)
        check_subarray_name(of_mask, next(e.keywords for of_kind in kinds.values() for e in of_kind.values()), detector)
    if config["on_bad_exposure"] == "fail":
        for rejected in inventory.rejected.values():
            for name, reason in rejected.items():
                raise InventoryError(f"{name}: {reason} (on_bad_exposure is fail)")
    return inventory


def check_subarray_name(keys, keywords, detector):
    """Raise SelectorError unless exposures of `detector` with `keywords` can make a mask of the SUBARRAY asked for."""
    measured = Geometry.from_header(keywords)
    frame = full_frame(measured, detector) if keys["mask_frame"] == "full" else measured
    subarray_name(keys["subarray_name"], measured, frame, detector)


def detector_of(mask_id):
    """The detector of a mask_id, or of the detector with planted pixels: its first part."""
    return mask_id.split("/", maxsplit=1)[0]


def check_flat_product(of_mask, detector, kinds):
    """Raise InputError now, before hours of darks, if the product in place of the flats cannot be used.

    `of_mask` is the configuration of a mask, `detector` its Detector, `kinds` are its exposures.
    """
    # Imported here because only runs with such a product need it.
    from badpix.formats.flat_product import FlatProductError, read_flat_product
    from badpix.instrument.geometry import reference_pixels
    from badpix.vote.finished_flat import product_results
    from badpix.vote.settings import FlatSettings

    geometry = Geometry.from_header(next(iter(kinds["darks"].values())).keywords)
    settings = with_max_dead_norm_signal(of_mask, detector.max_dead_norm_signal_dn_per_s)
    try:
        product = read_flat_product(FLAT_PRODUCTS[detector.name], geometry, detector)
        product_results(product, ~reference_pixels(geometry, detector), FlatSettings.from_config(settings))
    except FlatProductError as error:
        raise InputError(f"flat_types_from: {error}") from None


def write_refused(tables):
    """Write the rejected exposures of masks that are not made: mask_id -> exposure -> reason. Not in a dry run."""
    # workflow.dryrun is always False while the rules are read.
    if workflow.is_main_process and not workflow.output_settings.dryrun:
        from badpix.formats.mask_tables import REJECTED, write_rejected_exposures

        for mask_id, rejected in tables.items():
            write_rejected_exposures(Path(config["results"]) / mask_id / REJECTED, rejected)


def say(lines):
    """Write lines to the terminal, once: jobs read these files too."""
    if workflow.is_main_process and not LINTING:
        for line in lines:
            print(line, file=sys.stderr)


REFUSALS = []


def refusal(message):
    """The error that ends the run with `message`, which `snakemake --quiet all`, as in a cron job, would hide."""
    if Quietness.ALL in (workflow.output_settings.quiet or ()):
        say([message])
    REFUSALS.append(message)
    return WorkflowError(message)


include: "functions/fetch.smk"


# Targets that bring exposures, so that there may be none yet.
FETCHING = fetching()


def warned_at_start():
    """The warnings of the dates and of the headers of all masks, also of none, each once."""
    found = {}
    for mask_id, kinds in INVENTORY.masks.items():
        starts = [exposure.start for of_kind in kinds.values() for exposure in of_kind.values()]
        of_mask = of_variant(config, variant_of(mask_id))
        useafter = INVENTORY.start(mask_id) if config["epochs"] else of_mask["useafter"]
        flats = {name: flat.keywords for name, flat in kinds["flats"].items()}
        warnings = [*date_warnings(of_mask["pedigree"], useafter, starts), *setup_warnings(flats.values())]
        warnings += start_notices(kinds, of_mask["min_darks"])
        if workflow.is_main_process:
            warnings += used_again(Path(config["results"]) / mask_id / "rejected_exposures.csv", flats)
        for warning in warnings:
            found.setdefault(warning, []).append(mask_id)
        instrument = DETECTORS[mask_id.split("/")[0]].instrument
        for warning in missing_kinds(instrument, bool(kinds["darks"]), bool(kinds["flats"] or FLAT_PRODUCTS)):
            found.setdefault(warning, []).append(mask_id)
    return [f"Warning: {', '.join(mask_ids)}: {warning}" for warning, mask_ids in found.items()]


try:
    config = read_config()
    HEADERS = HeaderCache(Path(config["results"]) / ".inventory.json")
    INVENTORY = read_inventory()
except (ConfigError, InputError, InventoryError, ManualFlagError, ScratchError, SelectorError, Unreadable) as error:
    write_refused(getattr(error, "rejected", {}))
    fetch_hint = (
        "; `snakemake fetch` brings exposures from MAST"
        if isinstance(error, NoFiles) and str(error).startswith(("darks:", "flats:")) and config["mast"]["start"]
        else ""
    )
    raise refusal(f"{error}{fetch_hint}") from None

write_refused({mask_id: INVENTORY.rejected.get(mask_id, {}) for mask_id in INVENTORY.refused})
KNOWN_AT_START = [
    *([record_text(config["preset"])] if config["preset"] else []),
    *rejected_at_start(INVENTORY, f"{config['results']}/<detector>/rejected_exposures.csv"),
    *(f"Warning: {warning}" for warning in placeholder_warnings(config["author"])),
    *warned_at_start(),
]
say(KNOWN_AT_START)

RESULTS = config["results"]
MASK_FILE = str(Path(config["output_file"]))


pathvars:
    results=RESULTS,
    mask_file=MASK_FILE,


# Copies of the exposures with planted pixels belong to a detector named <detector>/injection_recovery (injection.smk).
INJECTED = "injection_recovery"
# Raw exposures of the science check belong to a detector named <detector>/science_check (science_check.smk).
CHECKED = "science_check"
DETECTORS |= {
    f"{detector}/{name}": DETECTORS[detector] for detector in INVENTORY.detectors for name in (INJECTED, CHECKED)
}


wildcard_constraints:
    detector=f"[A-Z0-9]+(/{INJECTED}|/{CHECKED})?",
    # The epoch and the variant of a mask; empty for the only mask of a detector.
    epoch=EPOCH_PATTERN,
    exposure="[^/]+",


def read_once(function):
    """`function` with its parameters at hand, which Snakemake asks for at every call: 0.1 us in place of 13 us."""
    overwrite_function_params(function, inspect.signature(function).parameters)
    return function


include: "functions/variants.smk"
include: "functions/resources.smk"
include: "functions/current.smk"


def digest(script):
    """Digest of the library modules that scripts/<script> uses: as a param, it re-runs the rule after their edits."""
    return library_digest(BASE / "scripts" / script)


@functools.cache
def fields_of(detector):
    """The fields of the Detector as a plain mapping."""
    return dataclasses.asdict(DETECTORS[detector])


@read_once
def detector_data(wildcards):
    """The fields of the Detector as a plain mapping."""
    return fields_of(wildcards.detector)


def mask_id_of(wildcards):
    """The mask_id, the folder of a mask below the results: <detector>, with /epochs/<epoch>, /variants/<name> or both."""
    return f"{wildcards.detector}{wildcards.get('epoch', '')}"


def wildcards_of(mask_id):
    """The wildcards of the files of a mask."""
    detector = detector_of(mask_id)
    return Wildcards(fromdict={"detector": detector, "epoch": mask_id.removeprefix(detector)})


def source_mask_id(wildcards):
    """The mask_id of the same exposures without planted pixels."""
    return f"{detector_of(wildcards.detector)}{wildcards.get('epoch', '')}"


@functools.cache
def exposures_of(detector, mask_id, kind):
    """The exposures of a kind of a mask, or of a detector for an empty `mask_id`: name -> Exposure.

    Of a detector with planted pixels, the raw files are the copies in its folder; of the science check, the exposures
    are the raw ones that it was given.
    """
    if detector.endswith(CHECKED):
        return CHECK_EXPOSURES.raw(detector_of(detector), kind)
    given = INVENTORY.exposures(mask_id, kind) if mask_id else INVENTORY.detectors[detector_of(detector)][kind]
    if not detector.endswith(INJECTED):
        return given
    folder = f"{RESULTS}/{detector}/{kind}"
    return {
        name: dataclasses.replace(exposure, files={"uncal": f"{folder}/{name}_uncal.fits"})
        for name, exposure in given.items()
    }


def exposures(wildcards, kind):
    """The exposures of a kind, name -> Exposure: of a mask in rules with the wildcard `epoch`, else of a detector."""
    mask_id = source_mask_id(wildcards) if "epoch" in wildcards.keys() else ""
    return exposures_of(wildcards.detector, mask_id, kind)


def any_exposure(wildcards):
    """An exposure of the detector; all exposures of a detector share their geometry."""
    return next(e for kind in KINDS for e in exposures(wildcards, kind).values())


def geometry_of(wildcards):
    """The fields of the Geometry that the exposures of the detector share, as a plain mapping."""
    return dataclasses.asdict(Geometry.from_header(any_exposure(wildcards).keywords))


def raw_file(wildcards, kind):
    """Path of the raw file of an exposure."""
    return exposures(wildcards, kind)[wildcards.exposure].files["uncal"]


def statistics_of(wildcards, kind):
    """The statistics files of all exposures of a detector and kind."""
    rule_name = f"{kind.removesuffix('s')}_statistics"
    return [f"{RESULTS}/{wildcards.detector}/{kind}/{name}_{rule_name}.fits" for name in exposures(wildcards, kind)]


def has_sky(wildcards):
    """Whether any flat of a mask is of the sky, or illuminates parts of the detector only."""
    return any(not is_even(flat.keywords["EXP_TYPE"]) for flat in exposures(wildcards, "flats").values())


def sky_responses(wildcards):
    """The files of the single flats of a mask with flats of the sky; none for flats of lamps alone."""
    names = by_exposure(exposures(wildcards, "flats")) if has_sky(wildcards) else ()
    return [f"{RESULTS}/{wildcards.detector}/flats/{name}_sky_response.fits" for name in names]


def response_settings(wildcards):
    """The settings of the responses of a mask's flats."""
    keys = (*RESPONSE_KEYS, *SKY_KEYS) if has_sky(wildcards) else RESPONSE_KEYS
    return {key: config[key] for key in keys}


def comparison(wildcards):
    """The comparison of the exposures of a mask."""
    return recorded([f"{set_folder(wildcards)}/exposure_comparison.csv"])[0]


def outliers(wildcards):
    """The comparison of the exposures where the configuration rejects outliers; else no file."""
    return [comparison(wildcards)] if config["reject_outliers"] else []


def crds_settings():
    """Path, server and context of CRDS from the configuration; None means the value of the environment."""
    return {"path": config["crds_path"], "server_url": config["crds_server_url"], "context": config["crds_context"]}


def reported(name, label):
    """The pattern of file `name` of a mask, marked for Snakemake's own report with the caption of that name."""
    return report(
        f"<results>/{{detector}}{{epoch}}/{name}",
        caption=CAPTIONS / f"{Path(name).stem}.rst",
        category="{detector}{epoch}",
        labels={"file": label},
    )


def keep_or_temp(path):
    """`path`, marked for removal after its last use unless the configuration keeps intermediates."""
    return path if config["keep_intermediates"] else temp(path)


def targets(_wildcards):
    """All files that a run makes."""
    wanted = []
    for mask_id in INVENTORY.masks:
        wanted.append(mask_file(mask_id))
        if config["quality_check"]:
            wanted.append(f"{RESULTS}/{mask_id}/quality_check.json")
        if config["certify"]:
            wanted.append(f"{RESULTS}/{mask_id}/{CERTIFICATE}")
        if config["plot"]:
            wanted.append(f"{RESULTS}/{mask_id}/plots.png")
        if config["report"]:
            wanted.append(f"{RESULTS}/{mask_id}/report.html")
        if config["leave_one_out"]:
            wanted.append(f"{RESULTS}/{mask_id}/leave_one_out.csv")
        if config["reliability"]:
            wanted.append(f"{RESULTS}/{mask_id}/reliability.csv")
        wanted.extend(comparisons(mask_id))
        if config["pixel_table"]:
            wanted.extend(pixel_tables(mask_id))
        wanted.extend(known_bad_files(mask_id))
    if config["keep_history"]:
        wanted.extend(f"{RESULTS}/{name}/history.png" for name in dict.fromkeys(map(series_of, INVENTORY.masks)))
    if config["report"] and INVENTORY.masks:
        wanted.append(f"{RESULTS}/report.html")
    masks = set(map(mask_file, INVENTORY.masks))
    recorded([path for path in wanted if path not in masks])
    wanted.extend(f"{RESULTS}/{mask_id}/refused" for mask_id in INVENTORY.refused)
    return wanted


include: "functions/messages.smk"
