# jwst-badpix: bad pixel masks for JWST from raw flats and darks.
#
#   snakemake --cores 2 --configfile my_config.yaml
#
# config/README.md explains every key of the configuration, ARCHITECTURE.md the layout of the project.

from snakemake.utils import min_version

# Path variables such as <results> need this version.
min_version("9.12")


# workflow.basedir would be the folder of the outer Snakefile where this one is used as a module.
configfile: workflow.source_path("config/config.yaml")


report: "rules/captions/workflow.rst"


include: "rules/common.smk"
include: "rules/fetch.smk"
include: "rules/detector1.smk"
include: "rules/statistics.smk"
include: "rules/comparison.smk"
include: "rules/response.smk"
include: "rules/mask.smk"
include: "rules/changes.smk"
include: "rules/pixels.smk"
include: "rules/delivery.smk"
include: "rules/history.smk"
include: "rules/report.smk"
include: "rules/sweep.smk"
include: "rules/injection.smk"
include: "rules/reliability.smk"
include: "rules/science_check.smk"


onsuccess:
    close_run()


onerror:
    close_run(log)


rule all:
    input:
        targets,
