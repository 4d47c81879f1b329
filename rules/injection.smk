# Bad pixels planted into copies of the user's own exposures, and what the workflow finds of them: target `injection_recovery`.
#
# The run on the copies is that of a detector called <detector>/injection_recovery: all rules apply to it as they are.

import json


def injection_recovery_targets(wildcards):
    """The tables and the figure of each mask; every exposure must be raw."""
    wanted = []
    for mask_id, kinds in INVENTORY.masks.items():
        given = [e.name for kind in KINDS for e in kinds[kind].values() if e.from_products]
        if given:
            raise WorkflowError(
                f"injection_recovery: {mask_id}: pixels are planted into raw files, and {len(given)} exposures were given"
                f" already processed, the first {given[0]}; give the raw ones (*_uncal.fits) as darks and flats"
            )
        detector, *epoch = mask_id.split("/", 1)
        folder = "/".join([RESULTS, detector + INJECTED, *epoch])
        wanted += [f"{folder}/injection_recovery.{end}" for end in ("csv", "png")]
    return wanted


def plain_mask_file():
    """The path of the mask in its folder, for input functions: braces are none of a wildcard there."""
    return MASK_FILE.replace("{{", "{").replace("}}", "}")


def injected_findings(wildcards):
    """Evidence and mask of the run as it is and of that with planted pixels."""
    before = f"{RESULTS}/{wildcards.detector}{wildcards.epoch}"
    after = f"{RESULTS}/{wildcards.detector}{INJECTED}{wildcards.epoch}"
    return {
        "evidence": f"{before}/evidence.fits",
        "mask": f"{before}/{plain_mask_file()}",
        "injected_evidence": f"{after}/evidence.fits",
        "injected_mask": f"{after}/{plain_mask_file()}",
    }


def findings_of_all_masks(wildcards):
    """Evidence and masks of a detector, one or one for each epoch, and the statistics of its darks."""
    folders = [f"{RESULTS}/{mask_id}" for mask_id in INVENTORY.masks if mask_id.split("/")[0] == wildcards.detector]
    return {
        "evidence": [f"{folder}/evidence.fits" for folder in folders],
        "mask": [f"{folder}/{plain_mask_file()}" for folder in folders],
        "statistics": statistics_of(wildcards, "darks"),
    }


PLAN = json.dumps({"injection": config["injection"], "library": digest("injection_plan.py")}, sort_keys=True)


def unplanned():
    """The detectors whose pixels to plant are not chosen yet, or were chosen with other settings."""

    def is_planned(path):
        return path.exists() and path.read_text(encoding="utf-8") == PLAN

    detectors = {mask_id.split("/")[0]: None for mask_id in INVENTORY.masks}
    return [name for name in detectors if not is_planned(Path(f"{RESULTS}/{name}{INJECTED}/plan.json"))]


# Once chosen, the pixels stay, and there is no rule that chooses them: through it the copies would hang on the mask. For
# another threshold all would be processed again, or (with ancient input) nothing looked at that hangs on the copies.
if unplanned():

    rule injection_plan:
        """Healthy pixels, and what is planted in them."""
        input:
            unpack(findings_of_all_masks),
        output:
            truth=RESULTS + "/{detector}/injection_recovery/truth.fits",
            table=RESULTS + "/{detector}/injection_recovery/truth.csv",
            plan=RESULTS + "/{detector}/injection_recovery/plan.json",
        log:
            RESULTS + "/{detector}/injection_recovery/logs/injection_plan.log",
        benchmark:
            RESULTS + "/{detector}/injection_recovery/benchmarks/injection_plan.tsv"
        wildcard_constraints:
            detector="|".join(unplanned()),
        resources:
            mem_mb=memory("injection_plan"),
            disk_mb=disk("injection_plan"),
            runtime=runtime("injection_plan"),
        params:
            detector=detector_data,
            geometry=geometry_of,
            injection=config["injection"],
            kinds=lambda wildcards: [kind for kind in KINDS if exposures(wildcards, kind)],
            plan=PLAN,
            library=digest("injection_plan.py"),
        message:
            "{wildcards.detector}: pixels to plant"
        conda:
            CONDA_ENV
        script:
            "../scripts/injection_plan.py"


rule inject:
    """A copy of a raw exposure with planted pixels."""
    input:
        uncal=lambda wildcards: raw_file(wildcards, wildcards.kind),
        truth=RESULTS + "/{detector}/injection_recovery/truth.fits",
    output:
        uncal=keep_or_temp(RESULTS + "/{detector}/injection_recovery/{kind}/{exposure}_uncal.fits"),
    log:
        RESULTS + "/{detector}/injection_recovery/logs/inject/{kind}/{exposure}.log",
    benchmark:
        RESULTS + "/{detector}/injection_recovery/benchmarks/inject/{kind}/{exposure}.tsv"
    wildcard_constraints:
        detector="[A-Z0-9]+",
        kind="darks|flats",
    resources:
        mem_mb=memory("inject"),
        disk_mb=disk("inject"),
        runtime=runtime("inject"),
    params:
        seed=config["injection"]["seed"],
        library=digest("inject.py"),
    message:
        "{wildcards.detector}: planted pixels in {wildcards.exposure}"
    conda:
        CONDA_ENV
    script:
        "../scripts/inject.py"


rule injection_report:
    """What was found of the planted pixels, and what changed elsewhere."""
    input:
        unpack(injected_findings),
        truth=RESULTS + "/{detector}/injection_recovery/truth.fits",
    output:
        strengths=RESULTS + "/{detector}/injection_recovery{epoch}/injection_recovery.csv",
        changes=RESULTS + "/{detector}/injection_recovery{epoch}/changes.csv",
        confusion=RESULTS + "/{detector}/injection_recovery{epoch}/confusion.csv",
        figure=RESULTS + "/{detector}/injection_recovery{epoch}/injection_recovery.png",
    log:
        RESULTS + "/{detector}/injection_recovery{epoch}/logs/injection_report.log",
    benchmark:
        RESULTS + "/{detector}/injection_recovery{epoch}/benchmarks/injection_report.tsv"
    wildcard_constraints:
        detector="[A-Z0-9]+",
    resources:
        mem_mb=memory("injection_report"),
        disk_mb=disk("injection_report"),
        runtime=runtime("injection_report"),
    params:
        detector=detector_data,
        geometry=geometry_of,
        n_exposures=lambda wildcards: max(len(by_exposure(exposures(wildcards, kind))) for kind in KINDS),
        library=digest("injection_report.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: what was found of the planted pixels"
    conda:
        CONDA_ENV
    script:
        "../scripts/injection_report.py"


rule injection_recovery:
    input:
        injection_recovery_targets,
