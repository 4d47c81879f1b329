# Injection-recovery test: bad pixels are planted into copies of the exposures, and the found share is measured. The
# target is `injection_recovery`.
#
# The copies belong to a detector named <detector>/injection_recovery, to which all rules apply unchanged.


include: "functions/injection.smk"


# A chosen plan stays, and this rule does not match its detector any more: otherwise the copies would depend on the mask,
# and another threshold would repeat detector1 for all of them.
rule injection_plan:
    """The healthy pixels to plant bad pixels in, with types and strengths."""
    input:
        unpack(findings_of_all_masks),
    output:
        truth="<results>/{detector}/injection_recovery/truth.fits",
        table="<results>/{detector}/injection_recovery/truth.csv",
        plan="<results>/{detector}/injection_recovery/plan.json",
    log:
        "<results>/{detector}/injection_recovery/logs/injection_plan.log",
    benchmark:
        "<results>/{detector}/injection_recovery/benchmarks/injection_plan.tsv"
    wildcard_constraints:
        # A regular expression that matches no name, once all detectors have their plan.
        detector="|".join(unplanned()) or "(?!)",
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
        truth="<results>/{detector}/injection_recovery/truth.fits",
    output:
        uncal=keep_or_temp("<results>/{detector}/injection_recovery/{kind}/{exposure}_uncal.fits"),
    log:
        "<results>/{detector}/injection_recovery/logs/inject/{kind}/{exposure}.log",
    benchmark:
        "<results>/{detector}/injection_recovery/benchmarks/inject/{kind}/{exposure}.tsv"
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
    """The found share of the planted pixels, and the changes of all other pixels."""
    input:
        unpack(injected_findings),
        truth="<results>/{detector}/injection_recovery/truth.fits",
    output:
        strengths="<results>/{detector}/injection_recovery{epoch}/injection_recovery.csv",
        changes="<results>/{detector}/injection_recovery{epoch}/changes.csv",
        confusion="<results>/{detector}/injection_recovery{epoch}/confusion.csv",
        figure="<results>/{detector}/injection_recovery{epoch}/injection_recovery.png",
    log:
        "<results>/{detector}/injection_recovery{epoch}/logs/injection_report.log",
    benchmark:
        "<results>/{detector}/injection_recovery{epoch}/benchmarks/injection_report.tsv"
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
        "{wildcards.detector}{wildcards.epoch}: found share of the planted pixels"
    conda:
        CONDA_ENV
    script:
        "../scripts/injection_report.py"


rule injection_recovery:
    """The injection-recovery test of all masks, as a target."""
    input:
        injection_recovery_targets,
