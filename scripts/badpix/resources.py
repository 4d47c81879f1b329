"""What a job asks for, from the size of its exposure: memory and disk (MB), time (minutes).

Memory is above the largest peak that `benchmarks/resources.py` has measured and below 1.5 times it, but for a floor;
docs/clusters.md has the table. Memory and disk are in MB of 10^6 bytes, as Snakemake's `mem_mb` and `disk_mb` are.
"""

from dataclasses import dataclass

MB = 1e6


@dataclass(frozen=True)
class Size:
    """The size of an exposure, and how many exposures there are of its detector."""

    pixels: int
    groups: int
    integrations: int
    exposures: int = 1

    @classmethod
    def from_keywords(cls, keywords, exposures=1):
        """From header keywords SUBSIZE1, SUBSIZE2 (columns, rows), NGROUPS and NINTS."""
        pixels = keywords["SUBSIZE1"] * keywords["SUBSIZE2"]
        return cls(pixels, keywords["NGROUPS"], keywords["NINTS"], exposures)

    @property
    def planes(self):
        """Pixels of all integrations."""
        return self.pixels * self.integrations

    @property
    def samples(self):
        """Values of all ramps."""
        return self.planes * self.groups


@dataclass(frozen=True)
class Needs:
    """What a job of one rule needs: a fixed part, and parts that grow with its size.

    Memory and disk: bytes per pixel, per pixel and integration (plane), and per pixel, integration and group (sample).
    Time: seconds per million of planes and of samples; those of a job of all exposures also grow with their number.
    """

    fixed_mb: float
    memory: tuple = (0, 0, 0)
    disk: tuple = (0, 0, 0)
    seconds: tuple = (0, 0)
    of_all_exposures: bool = False


# Python with the libraries of the rule, and the Snakemake that a scheduler starts in the job.
ARRAYS_MB = 500
PIPELINE_MB = 900
# Waiting for files of a shared disk takes longer than any import should.
FIXED_MINUTES = 10
# Times are measured on a quiet machine; others are slower, and shared.
SLOWER = 5

RULES = {
    "reference_pixel_mask": Needs(ARRAYS_MB, memory=(20, 0, 0), disk=(5, 0, 0)),
    "prefetch_references": Needs(PIPELINE_MB, memory=(0, 0, 0), disk=(0, 0, 0)),
    "detector1_dark": Needs(PIPELINE_MB, memory=(275, 0, 12), disk=(20, 30, 12), seconds=(1, 0.4)),
    "detector1_flat": Needs(PIPELINE_MB, memory=(275, 0, 8), disk=(20, 20, 0), seconds=(1, 0.4)),
    "dark_statistics": Needs(ARRAYS_MB, memory=(0, 165, 0), disk=(0, 75, 0), seconds=(2, 0.2)),
    "flat_statistics": Needs(ARRAYS_MB, memory=(0, 30, 0), disk=(0, 20, 0), seconds=(1, 0)),
    "exposure_response": Needs(ARRAYS_MB, memory=(150, 0, 0), disk=(4, 0, 0), seconds=(2, 0)),
    "flat_response": Needs(ARRAYS_MB, memory=(150, 0, 0), disk=(8, 0, 0), seconds=(2, 0), of_all_exposures=True),
    "leave_one_out": Needs(PIPELINE_MB, memory=(270, 0, 0), seconds=(20, 0), of_all_exposures=True),
    "bad_pixel_mask": Needs(PIPELINE_MB, memory=(270, 0, 0), disk=(120, 0, 0), seconds=(4, 0), of_all_exposures=True),
    "quality_check": Needs(PIPELINE_MB, memory=(275, 0, 12), disk=(0, 0, 0), seconds=(1, 0.4)),
    "plots": Needs(ARRAYS_MB, memory=(270, 0, 0), disk=(1, 0, 0)),
}


def memory_mb(rule, size, threads=1):
    """Memory (MB, int) of a job of `rule`; each thread beyond the first is a process that holds its part again."""
    needs = RULES[rule]
    per_pixel, per_plane, per_sample = needs.memory
    growing = (per_pixel * size.pixels + per_plane * size.planes + per_sample * size.samples) / MB
    return round(needs.fixed_mb + growing)


def disk_mb(rule, size):
    """What a job of `rule` writes (MB, int), at least 1."""
    per_pixel, per_plane, per_sample = RULES[rule].disk
    return round((per_pixel * size.pixels + per_plane * size.planes + per_sample * size.samples) / MB) + 1


def runtime_minutes(rule, size):
    """Time (minutes, int) that a job of `rule` may take: generous, since machines and their disks differ."""
    needs = RULES[rule]
    per_plane, per_sample = needs.seconds
    seconds = (per_plane * size.planes + per_sample * size.samples) / 1e6
    return FIXED_MINUTES + round(SLOWER * seconds * (size.exposures if needs.of_all_exposures else 1) / 60)
