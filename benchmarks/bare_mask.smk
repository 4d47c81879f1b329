# A plain workflow that votes on nothing, for benchmarks/whole.py: a mask is written by its datamodel, and certified.


rule all:
    input:
        "certificate.txt",


rule mask:
    input:
        config["mask"],
    output:
        "mask.fits",
    script:
        "bare_mask.py"


rule certificate:
    input:
        "mask.fits",
    output:
        "certificate.txt",
    shell:
        "{config[python]} -m crds.certify -z --comparison-context {config[context]} {input} > {output} 2>&1"
