# A plain workflow with a job per exposure, for benchmarks/many.py: what a user would write without this project.

import os
from pathlib import Path

RAW = {}
for path in sorted(Path(config["darks"]).glob("*_uncal.fits")):
    name = path.name.removesuffix("_uncal.fits")
    RAW.setdefault(name.rsplit("_", 1)[1].upper(), {})[name] = str(path)


rule all:
    input:
        expand("masks/{detector}.fits", detector=RAW),


rule statistics:
    input:
        lambda wildcards: RAW[wildcards.detector][wildcards.exposure],
    output:
        rate="results/{detector}/{exposure}_rate.fits",
        statistics="results/{detector}/{exposure}_statistics.fits",
    log:
        "results/{detector}/logs/statistics/{exposure}.log",
    benchmark:
        "results/{detector}/benchmarks/statistics/{exposure}.tsv"
    resources:
        mem_mb=lambda wildcards, input, attempt: attempt * (500 + 20 * os.path.getsize(input[0]) // 10**6),
        runtime=20,
    params:
        steps={"jump": {"rejection_threshold": 4.0}},
    script:
        "bare_detector1.py"


rule mask:
    input:
        lambda wildcards: expand(
            "results/{detector}/{exposure}_statistics.fits",
            detector=wildcards.detector,
            exposure=RAW[wildcards.detector],
        ),
    output:
        "masks/{detector}.fits",
    log:
        "results/{detector}/logs/mask.log",
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        threshold=3,
    script:
        "bare_detector1.py"
