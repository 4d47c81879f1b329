# Functions of reliability.smk.


def leave_one_out_inputs(wildcards):
    """The files of the vote, and the comparison of the exposures where the configuration rejects outliers."""
    return vote_files(wildcards) | {"comparison": outliers(wildcards)}


def reliability_inputs(wildcards):
    """The statistics of the exposures, and their comparison where the configuration rejects outliers."""
    files = {kind: statistics_of(wildcards, kind) for kind in KINDS}
    return files | {"comparison": outliers(wildcards)}
