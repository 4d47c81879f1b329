"""The script of benchmarks/bare_mask.smk: the mask of the workflow written again, by its datamodel."""

from stdatamodels.jwst.datamodels import MaskModel

with MaskModel(snakemake.input[0]) as mask:
    mask.save(snakemake.output[0])
