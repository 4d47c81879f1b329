"""How much memory a job needs, from the header of its exposure (in MB, as Snakemake's `mem_mb`).

Each takes the keywords of an exposure: SUBSIZE1, SUBSIZE2 (columns, rows), NGROUPS and NINTS.
"""

MB = 2**20
# Python with numpy and astropy; with the jwst pipeline loaded.
LIBRARY_MB = 250
PIPELINE_MB = 700


def _pixels(keywords):
    return keywords["SUBSIZE1"] * keywords["SUBSIZE2"]


def detector1_mb(keywords):
    """calwebb_detector1: about seven times the ramps as float32."""
    ramps = _pixels(keywords) * keywords["NGROUPS"] * keywords["NINTS"] * 4 / MB
    return round(PIPELINE_MB + 7 * ramps)


def statistics_mb(keywords):
    """Statistics: the planes of all integrations (56 bytes a pixel, twice while written), mapped files, some ramps."""
    return round(LIBRARY_MB + 400 + _pixels(keywords) * keywords["NINTS"] * 165 / MB)


def response_mb(keywords):
    """Response: a bounded stack and a dozen and a half images in double precision (831 MB at 2048 x 2048)."""
    return round(LIBRARY_MB + 300 + _pixels(keywords) * 18 * 8 / MB)


def vote_mb(keywords):
    """Vote: counts, verdicts and images, whatever the number of exposures; and the datamodels to write the mask.

    1293 MB at 2048 x 2048 with the preset, which counts most.
    """
    return round(PIPELINE_MB + _pixels(keywords) * 270 / MB)


def report_mb(keywords):
    """Report page: the planes of one integration, images and histograms, and what is known of the pixels it lists."""
    return round(PIPELINE_MB + 500 + _pixels(keywords) * 250 / MB)


def mask_mb(keywords):
    """Writing a mask with the datamodels."""
    return round(PIPELINE_MB + _pixels(keywords) * 20 / MB)


def comparison_mb(keywords):
    """Comparing two masks: a dozen images and the lists of what changed (345 MB at 2048 x 2048 with 3% bad)."""
    return round(LIBRARY_MB + 50 + _pixels(keywords) * 60 / MB)


def history_mb(keywords):
    """Tables of every pixel that was ever flagged: 1.2 GB after 30 masks of 2048 x 2048 with 3% bad."""
    return round(LIBRARY_MB + 150 + _pixels(keywords) * 250 / MB)
