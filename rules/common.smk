# The inventory of exposures and the helpers of the rules; no rules here.

import dataclasses
import functools
import json
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

BASE = Path(workflow.basedir)
sys.path.insert(0, str(BASE / "scripts"))

from badpix.workflow import resources
from badpix.config.check import ConfigError, check_detector, load_schema, load_steps, validated
from badpix.instrument.detectors import load_detectors
from badpix.workflow.digest import library_digest
from badpix.exposures.epochs import EPOCH_PATTERN, divide
from badpix.instrument.geometry import Geometry
from badpix.exposures.header_cache import HeaderCache
from badpix.exposures.find import InputError, configured_kinds, find_files, match_inputs
from badpix.exposures.inventory import InventoryError, refuse_incomplete, take_inventory
from badpix.mask.manual_flags import ManualFlagError, check_manual_flags
from badpix.core.scratch import ScratchError, check_scratch
from badpix.instrument.segments import by_exposure
from badpix.config.settings import KINDS, RESPONSE_KEYS, vote_keys, with_max_dead_norm_signal
from badpix.config.sweep import sweep_points

CONDA_ENV = str(BASE / "envs" / "badpix.yaml")
DETECTORS = load_detectors(BASE / "config" / "detectors")
SCHEMA = load_schema(BASE / "config" / "schemas" / "config.schema.yaml")
VOTE_KEYS = vote_keys(SCHEMA)


def read_config():
    """The configuration with all defaults, checked against the schema before anything else happens."""
    steps = load_steps(BASE / "config" / "schemas" / "detector1_steps.json")
    complete = validated(config, SCHEMA, steps)
    # Snakemake matches paths as text, and warns of every `./results/...`.
    complete["results"] = os.path.normpath(complete["results"])
    if complete["scratch"]:
        check_scratch(complete["scratch"], complete["results"])
    return complete


def read_inventory():
    """The exposures that make the masks, from the headers of all input files."""
    headers = HeaderCache(Path(config["results"]) / ".inventory.json")
    files = match_inputs(config)
    inventory = take_inventory(files, headers.header_info, DETECTORS, config)
    headers.save()
    refuse_incomplete(inventory, configured_kinds(config), config)
    divide(inventory, configured_kinds(config), config)
    for detector, kinds in inventory.detectors.items():
        if kinds["flats"]:
            check_detector(config, DETECTORS[detector])
        if config["manual_flag_file"] not in ("none", "default"):
            check_manual_flags(config["manual_flag_file"], DETECTORS[detector])
    if config["on_bad_exposure"] == "fail":
        for rejected in inventory.rejected.values():
            for name, reason in rejected.items():
                raise InventoryError(f"{name}: {reason} (on_bad_exposure is fail)")
    return inventory


try:
    config = read_config()
    INVENTORY = read_inventory()
except (ConfigError, InputError, InventoryError, ManualFlagError, ScratchError) as error:
    raise WorkflowError(str(error)) from None

RESULTS = config["results"]
# Braces would be taken for wildcards.
MASK_FILE = str(Path(config["output_file"])).replace("{", "{{").replace("}", "}}")


# The run on exposures with planted pixels is that of a detector of its own, <detector>/injection_recovery (rules/injection.smk).
INJECTED = "/injection_recovery"
DETECTORS |= {detector + INJECTED: DETECTORS[detector] for detector in INVENTORY.detectors}


wildcard_constraints:
    detector=f"[A-Z0-9]+({INJECTED})?",
    # Empty for a mask of all exposures of a detector.
    epoch=EPOCH_PATTERN,
    exposure="[^/]+",


def digest(script):
    """Digest of the library modules that scripts/<script> uses: as a param it makes their edits re-run the rule."""
    return library_digest(BASE / "scripts" / script)


def detector_data(wildcards):
    """The detector's data as a plain mapping."""
    return dataclasses.asdict(DETECTORS[wildcards.detector])


def config_of(detector):
    """The configuration with the detector's own value where a key's default depends on it."""
    return with_max_dead_norm_signal(config, DETECTORS[detector].max_dead_norm_signal_dn_per_s)


def mask_id_of(wildcards):
    """The mask_id of a mask below the results: its detector, and its epoch if there are epochs."""
    return wildcards.detector + wildcards.get("epoch", "")


def source_mask_id(wildcards):
    """The mask_id of the mask of the exposures as they were given: that of the same without planted pixels."""
    return wildcards.detector.removesuffix(INJECTED) + wildcards.get("epoch", "")


@functools.cache
def copies(mask_id, kind, folder):
    """The exposures at a mask_id and of a kind with the raw files in `folder` in mask_id of their own."""
    return {
        name: dataclasses.replace(exposure, files={"uncal": f"{folder}/{kind}/{name}_uncal.fits"})
        for name, exposure in INVENTORY.exposures(mask_id, kind).items()
    }


def exposures(wildcards, kind):
    """The exposures of a detector (or of one of its epochs) and kind: name -> Exposure."""
    mask_id = source_mask_id(wildcards)
    if wildcards.detector.endswith(INJECTED):
        return copies(mask_id, kind, f"{RESULTS}/{wildcards.detector}")
    return INVENTORY.exposures(mask_id, kind)


def any_exposure(wildcards):
    """An exposure of the detector; all share their geometry."""
    return next(e for kind in KINDS for e in exposures(wildcards, kind).values())


def geometry_of(wildcards):
    """The geometry that the detector's exposures share, as a plain mapping."""
    return dataclasses.asdict(Geometry.from_header(any_exposure(wildcards).keywords))


def product(wildcards, kind, name):
    """Path of product `name` of an exposure: the file that was given, or the one that detector1 makes."""
    given = exposures(wildcards, kind)[wildcards.exposure]
    if given.from_products:
        return given.files[name]
    return f"{RESULTS}/{wildcards.detector}/{kind}/{wildcards.exposure}_{name}.fits"


def raw_file(wildcards, kind):
    """Path of the raw file of an exposure."""
    return exposures(wildcards, kind)[wildcards.exposure].files["uncal"]


def statistics_of(wildcards, kind):
    """The statistics files of all exposures of a detector and kind."""
    rule_name = f"{kind.removesuffix('s')}_statistics"
    return [f"{RESULTS}/{wildcards.detector}/{kind}/{name}_{rule_name}.fits" for name in exposures(wildcards, kind)]


def outliers(wildcards):
    """The table of outliers, if they are to be left out."""
    return [f"{RESULTS}/{mask_id_of(wildcards)}/leave_one_out.csv"] if config["reject_outliers"] else []


def crds_settings():
    """Where CRDS finds its references, as the configuration says; None leaves it to the environment."""
    return {"path": config["crds_path"], "server_url": config["crds_server_url"], "context": config["crds_context"]}


def size_of(wildcards, kind):
    """The size of the job's exposure; without `kind`, of one of its detector and the number of them all."""
    if "detector" not in wildcards.keys():
        return resources.Size(pixels=0, groups=0, integrations=0)
    material = DETECTORS[wildcards.detector].material
    if kind is None:
        number = sum(len(exposures(wildcards, kind)) for kind in KINDS)
        return resources.Size.from_keywords(any_exposure(wildcards).keywords, material, number)
    return resources.Size.from_keywords(exposures(wildcards, kind)[wildcards.exposure].keywords, material)


def memory(rule, kind=None):
    """A resource function: memory (MB) of a job of `rule`; more in each attempt, as the first may be killed for it."""
    return lambda wildcards, threads, attempt: attempt * resources.memory_mb(rule, size_of(wildcards, kind), threads)


def disk(rule, kind=None):
    """A resource function: what a job of `rule` writes (MB)."""
    return lambda wildcards: resources.disk_mb(rule, size_of(wildcards, kind))


def runtime(rule, kind=None):
    """A resource function: time (minutes) that a job of `rule` may take; more in each attempt."""
    return lambda wildcards, attempt: attempt * resources.runtime_minutes(rule, size_of(wildcards, kind))


@functools.cache
def cores_per_exposure():
    """Cores for each raw exposure that has no statistics yet, if `detector1_use_idle_cores` is set and jobs run here; else one.

    Not to be called while the rules are read: where jobs run is known only then.
    """
    cores = workflow.resource_settings.cores
    if not (config["detector1_use_idle_cores"] and workflow.is_main_process and workflow.local_exec and cores):
        return 1
    waiting = sum(
        not os.path.exists(f"{RESULTS}/{detector}/{kind}/{name}_{kind.removesuffix('s')}_statistics.fits")
        for detector, kinds in INVENTORY.detectors.items()
        for kind in KINDS
        for name, exposure in kinds[kind].items()
        if not exposure.from_products
    )
    return max(1, min(cores, os.cpu_count()) // max(1, waiting))


# None where what detector1 makes belongs among the results.
SCRATCH = None if config["keep_intermediates"] else config["scratch"]


def reported(name, label):
    """Mark file `name` of a mask as part of Snakemake's own report, with the caption of that name."""
    caption = BASE / "rules" / "captions" / f"{Path(name).stem}.rst"
    path = RESULTS + "/{detector}{epoch}/" + name
    return report(path, caption=caption, category="{detector}{epoch}", labels={"file": label})


def keep_or_temp(path):
    """Mark a large intermediate for removal once it has been used, unless the configuration keeps it."""
    return path if config["keep_intermediates"] else temp(path)


def targets():
    """All that a run makes."""
    wanted = []
    for mask_id in INVENTORY.masks:
        wanted.append(f"{RESULTS}/{mask_id}/{MASK_FILE}")
        if config["quality_check"]:
            wanted.append(f"{RESULTS}/{mask_id}/quality_check.json")
        if config["plot"]:
            wanted.append(f"{RESULTS}/{mask_id}/plots.png")
        if config["report"]:
            wanted.append(f"{RESULTS}/{mask_id}/report.html")
        if config["leave_one_out"]:
            wanted.append(f"{RESULTS}/{mask_id}/leave_one_out.csv")
        if config["reliability"]:
            wanted.append(f"{RESULTS}/{mask_id}/reliability.csv")
        wanted.extend(comparisons(mask_id))
    if config["keep_history"]:
        wanted.extend(f"{RESULTS}/{detector}/history.png" for detector in {p.split("/")[0]: 0 for p in INVENTORY.masks})
    if config["report"] and INVENTORY.masks:
        wanted.append(f"{RESULTS}/report.html")
    wanted.extend(f"{RESULTS}/{mask_id}/refused" for mask_id in INVENTORY.refused)
    return wanted
