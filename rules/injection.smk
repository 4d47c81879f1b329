# Bad pixels planted into copies of the user's own exposures, and what the workflow finds of them: target `recovery`.
#
# The run on the copies is that of a detector called <detector>/recovery: all rules apply to it as they are.

import json


def recovery_targets(wildcards):
    """The tables and the figure of each detector, of which every exposure must be raw."""
    for detector, kinds in INVENTORY.detectors.items():
        given = [e.name for kind in KEYS for e in kinds[kind].values() if e.from_products]
        if given:
            raise WorkflowError(
                f"recovery: {detector}: pixels are planted into raw files, and {len(given)} exposures were given"
                f" already processed, the first {given[0]}; give the raw ones (*_uncal.fits) as darks and flats"
            )
    return [f"{RESULTS}/{detector}/recovery/recovery.{end}" for detector in INVENTORY.detectors for end in ("csv", "png")]


def injected_findings(wildcards):
    """Evidence and mask of the run as it is and of that with planted pixels."""
    folder = f"{RESULTS}/{wildcards.detector}"
    mask = MASK_FILE.replace("{{", "{").replace("}}", "}")
    return {
        "evidence": f"{folder}/evidence.fits",
        "mask": f"{folder}/{mask}",
        "injected_evidence": f"{folder}{RECOVERY}/evidence.fits",
        "injected_mask": f"{folder}{RECOVERY}/{mask}",
    }


PLAN = json.dumps({"injection": config["injection"], "library": digest("injection_plan.py")}, sort_keys=True)


def unplanned():
    """The detectors whose pixels to plant are not chosen yet, or were chosen with other settings."""

    def is_planned(path):
        return path.exists() and path.read_text(encoding="utf-8") == PLAN

    return [name for name in INVENTORY.detectors if not is_planned(Path(f"{RESULTS}/{name}{RECOVERY}/plan.json"))]


# Once chosen, the pixels stay, and there is no rule that chooses them: through it the copies would hang on the mask. For
# another threshold all would be processed again, or (with ancient input) nothing looked at that hangs on the copies.
if unplanned():

    rule injection_plan:
        """Healthy pixels, and what is planted in them."""
        input:
            evidence=RESULTS + "/{detector}/evidence.fits",
            mask=RESULTS + "/{detector}/" + MASK_FILE,
            statistics=lambda wildcards: statistics_of(wildcards, "darks"),
        output:
            truth=RESULTS + "/{detector}/recovery/truth.fits",
            table=RESULTS + "/{detector}/recovery/truth.csv",
            plan=RESULTS + "/{detector}/recovery/plan.json",
        log:
            RESULTS + "/{detector}/recovery/logs/injection_plan.log",
        benchmark:
            RESULTS + "/{detector}/recovery/benchmarks/injection_plan.tsv"
        wildcard_constraints:
            detector="|".join(unplanned()),
        resources:
            mem_mb=memory(resources.vote_mb),
        params:
            detector=detector_facts,
            geometry=geometry_of,
            injection=config["injection"],
            kinds=lambda wildcards: [kind for kind in KEYS if exposures(wildcards, kind)],
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
        truth=RESULTS + "/{detector}/recovery/truth.fits",
    output:
        uncal=keep_or_temp(RESULTS + "/{detector}/recovery/{kind}/{exposure}_uncal.fits"),
    log:
        RESULTS + "/{detector}/recovery/logs/inject/{kind}/{exposure}.log",
    benchmark:
        RESULTS + "/{detector}/recovery/benchmarks/inject/{kind}/{exposure}.tsv"
    wildcard_constraints:
        detector="[A-Z0-9]+",
        kind="darks|flats",
    resources:
        mem_mb=lambda wildcards, attempt: attempt * resources.mask_mb(any_exposure(wildcards).keywords),
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
        truth=RESULTS + "/{detector}/recovery/truth.fits",
    output:
        recovery=RESULTS + "/{detector}/recovery/recovery.csv",
        changes=RESULTS + "/{detector}/recovery/changes.csv",
        confusion=RESULTS + "/{detector}/recovery/confusion.csv",
        figure=RESULTS + "/{detector}/recovery/recovery.png",
    log:
        RESULTS + "/{detector}/recovery/logs/injection_report.log",
    benchmark:
        RESULTS + "/{detector}/recovery/benchmarks/injection_report.tsv"
    wildcard_constraints:
        detector="[A-Z0-9]+",
    resources:
        mem_mb=memory(resources.vote_mb),
    params:
        detector=detector_facts,
        geometry=geometry_of,
        n_exposures=lambda wildcards: max(len(by_exposure(exposures(wildcards, kind))) for kind in KEYS),
        library=digest("injection_report.py"),
    message:
        "{wildcards.detector}: what was found of the planted pixels"
    conda:
        CONDA_ENV
    script:
        "../scripts/injection_report.py"


rule recovery:
    input:
        recovery_targets,
