"""What a job asks for, from the size of its exposure: memory and disk (MB), time (minutes).

Memory is above the largest peak that `benchmarks/resources.py` has measured and below 1.5 times it, but for a floor;
docs/clusters.md has the table.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """The size of an exposure, and how many exposures there are of its detector."""

    pixels: int
    groups: int
    integrations: int
    exposures: int = 1
    si_as: bool = False
    irs2: bool = False

    @classmethod
    def from_keywords(cls, keywords, material, exposures=1):
        """From keywords SUBSIZE1, SUBSIZE2 (columns, rows), NGROUPS, NINTS, READPATT, and the Detector's material."""
        return cls(
            keywords["SUBSIZE1"] * keywords["SUBSIZE2"],
            keywords["NGROUPS"],
            keywords["NINTS"],
            exposures,
            si_as=material == "Si:As",
            irs2="IRS2" in str(keywords.get("READPATT")).upper(),
        )

    @property
    def planes(self):
        """Pixels of all integrations."""
        return self.pixels * self.integrations

    @property
    def samples(self):
        """Values of all ramps."""
        return self.planes * self.groups

    def times(self, per_pixel, per_plane, per_sample):
        """A figure that is so much per pixel, per pixel and integration, and per pixel, integration and group."""
        return per_pixel * self.pixels + per_plane * self.planes + per_sample * self.samples


@dataclass(frozen=True)
class Needs:
    """What a job of one rule needs: a fixed part, and parts that grow with its size.

    Memory and disk: bytes per pixel, per pixel and integration (plane), and per pixel, integration and group (sample).
    Of memory there is such a triple for each of the stages that can be the largest; `si_as` is that of the pipeline's
    steps for Si:As detectors alone, `irs2` that of the steps on raw IRS2 arrays, which have 3200 rows for 2048. Time:
    seconds per million of planes and of samples; those of a job of all exposures also grow with their number.
    """

    fixed_mb: float
    memory: tuple = ((0, 0, 0),)
    si_as: tuple = (0, 0, 0)
    irs2: tuple = (0, 0, 0)
    disk: tuple = (0, 0, 0)
    seconds: tuple = (0, 0)
    of_all_exposures: bool = False


# The two Snakemake processes that a scheduler starts in the job to start the script (106 MB each, of their own).
SNAKEMAKE_MB = 220
# Python with the jwst pipeline, which each process of several threads loads again.
PIPELINE_MB = 300
# With several threads the arrays are there once more, for the processes to work on.
COPIES = 1.8
# What is measured varies a little from run to run.
MARGIN = 1.05
# Waiting for files of a shared disk takes longer than any import should.
FIXED_MINUTES = 10
# Times are measured on a quiet machine; others are slower, and shared.
SLOWER = 5

RULES = {
    "reference_pixel_mask": Needs(145, memory=((21, 0, 0),), disk=(5, 0, 0)),
    "prefetch_references": Needs(160, memory=((0, 0, 4.1),), irs2=(0, 0, 6.4)),
    "detector1_dark": Needs(
        PIPELINE_MB, ((0, 601, 2), (0, 412, 11)), irs2=(0, 333, 17), disk=(0, 45, 30), seconds=(2, 1)
    ),
    "detector1_flat": Needs(
        PIPELINE_MB, ((0, 213, 11), (0, 83, 18)), (0, 510, 7), (0, 333, 17), disk=(0, 45, 0), seconds=(2, 1)
    ),
    "dark_statistics": Needs(230, memory=((0, 150, 4),), disk=(0, 80, 0), seconds=(3, 0.1)),
    "flat_statistics": Needs(75, memory=((0, 60, 0),), disk=(0, 20, 0), seconds=(1, 0)),
    "exposure_response": Needs(225, memory=((176, 0, 0),), disk=(5, 0, 0), seconds=(2, 0)),
    "flat_response": Needs(310, memory=((170, 0, 0),), disk=(30, 0, 0), seconds=(2, 0), of_all_exposures=True),
    "leave_one_out": Needs(280, memory=((400, 0, 0),), seconds=(20, 0), of_all_exposures=True),
    "bad_pixel_mask": Needs(330, memory=((300, 0, 0),), disk=(150, 0, 0), seconds=(4, 0), of_all_exposures=True),
    "quality_check": Needs(155, memory=((0, 0, 6.3),), irs2=(0, 0, 9.9), seconds=(1, 0.1)),
    "plots": Needs(122, memory=((130, 0, 0),), disk=(1, 0, 0), seconds=(3, 0)),
    "crds_mask": Needs(145, memory=((0, 0, 4.1),), irs2=(0, 0, 6.4), disk=(20, 0, 0)),
    "compare_masks": Needs(185, memory=((38, 0, 0),), disk=(10, 0, 0), seconds=(3, 0)),
    "release_gate": Needs(40),
    "history": Needs(200, memory=((50, 0, 0),), disk=(10, 0, 0), seconds=(5, 0)),
    "report_page": Needs(300, memory=((200, 0, 0),), disk=(20, 0, 0), seconds=(20, 0)),
    "report_index": Needs(60),
    "reliability": Needs(320, memory=((400, 0, 0),), disk=(100, 0, 0), seconds=(20, 0), of_all_exposures=True),
    "sweep_vote": Needs(290, memory=((300, 0, 0),), seconds=(4, 0), of_all_exposures=True),
    "sweep_table": Needs(230),
    "injection_plan": Needs(230, memory=((52, 0, 0),), disk=(20, 0, 0), seconds=(4, 0)),
    "inject": Needs(230, memory=((0, 0, 1.9),), disk=(0, 10, 3), seconds=(1, 0.1)),
    "injection_report": Needs(250, memory=((100, 0, 0),), disk=(10, 0, 0), seconds=(4, 0)),
}


def memory_mb(rule, size, threads=1):
    """Memory (MB of 2^20 bytes, int) of a job of `rule`; each of several threads is a process of its own."""
    needs = RULES[rule]
    stages = [*needs.memory, *[needs.si_as] * size.si_as, *[needs.irs2] * size.irs2]
    growing = max(size.times(*stage) for stage in stages) / 2**20
    if threads > 1:
        growing = COPIES * growing + PIPELINE_MB * threads
    return round(SNAKEMAKE_MB + MARGIN * (needs.fixed_mb + growing))


def disk_mb(rule, size):
    """What a job of `rule` writes (MB of 10^6 bytes, int), at least 1."""
    return round(size.times(*RULES[rule].disk) / 1e6) + 1


def runtime_minutes(rule, size):
    """Time (minutes, int) that a job of `rule` may take: generous, since machines and their disks differ."""
    needs = RULES[rule]
    per_plane, per_sample = needs.seconds
    seconds = (per_plane * size.planes + per_sample * size.samples) / 1e6
    return FIXED_MINUTES + round(SLOWER * seconds * (size.exposures if needs.of_all_exposures else 1) / 60)
