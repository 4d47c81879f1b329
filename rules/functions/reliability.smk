# Functions of reliability.smk.


def reliability_inputs(wildcards):
    """The statistics of the exposures, and the table of outliers where the configuration rejects outliers."""
    files = {kind: statistics_of(wildcards, kind) for kind in KINDS}
    return files | {"outliers": outliers(wildcards)}
