"""Resources of a job from the size of its exposure: memory and disk (MB), time (minutes).

Memory lies between the largest peak measured by `benchmarks/resources.py` and 1.75 times the peak, above a floor.
docs/howto/clusters.md has the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

# Numbers per pixel, per plane (pixel and integration), and per sample (pixel, integration and group).
PerSize = tuple[float, float, float]


@dataclass(frozen=True)
class Size:
    """The size of an exposure, and the number of exposures of its detector."""

    pixels: int
    groups: int
    integrations: int
    exposures: int = 1
    si_as: bool = False
    irs2: bool = False

    @classmethod
    def from_keywords(cls, keywords: Mapping[str, Any], material: str, exposures: int = 1) -> Self:
        """From SUBSIZE1, SUBSIZE2 (columns, rows), NGROUPS, NINTS and READPATT, and the material of the Detector."""
        return cls(
            keywords["SUBSIZE1"] * keywords["SUBSIZE2"],
            keywords["NGROUPS"],
            keywords["NINTS"],
            exposures,
            si_as=material == "Si:As",
            irs2="IRS2" in str(keywords.get("READPATT")).upper(),
        )

    @property
    def planes(self) -> int:
        """Number of pixels of all integrations."""
        return self.pixels * self.integrations

    @property
    def samples(self) -> int:
        """Number of values of all ramps."""
        return self.planes * self.groups

    def times(self, per_pixel: float, per_plane: float, per_sample: float) -> float:
        """The sum of a number per pixel, a number per plane and a number per sample, each times their count."""
        return per_pixel * self.pixels + per_plane * self.planes + per_sample * self.samples


@dataclass(frozen=True)
class Needs:
    """The needs of a job of a rule: a fixed part, and parts that grow with the size of the exposure.

    Attributes
    ----------
    fixed_mb : float
        Memory (MB) that is independent of the size.
    memory : tuple of PerSize
        Memory (bytes): an entry for each stage of the job that can have the largest peak.
    si_as : PerSize
        Memory (bytes) of the pipeline steps for Si:As detectors only.
    irs2 : PerSize
        Memory (bytes) of the steps on raw IRS2 arrays, with 3200 rows for 2048.
    disk : PerSize
        Size (bytes) of the written files, with the temporary files of detector1.
    seconds : tuple of float
        Time (s) per million planes and per million samples.
    of_all_exposures : bool
        The job reads all exposures; its time grows with their number.
    disk_of_each : float
        Size (bytes) of the temporary files for each exposure of the detector.
    shares_memory : bool
        The threads of the job share its memory, which `memory` holds for all; else each is a process.
    """

    fixed_mb: float
    memory: tuple[PerSize, ...] = ((0, 0, 0),)
    si_as: PerSize = (0, 0, 0)
    irs2: PerSize = (0, 0, 0)
    disk: PerSize = (0, 0, 0)
    seconds: tuple[float, float] = (0, 0)
    of_all_exposures: bool = False
    disk_of_each: float = 0
    shares_memory: bool = False


# The two Snakemake processes that start the script in a job of a scheduler (106 MB of unshared memory each).
SNAKEMAKE_MB = 220
# Python with the jwst pipeline, which each process of a job with several threads loads again.
PIPELINE_MB = 300
# Factor on the arrays with several threads, since the processes work on copies.
COPIES = 1.8
# Measured peaks vary slightly from run to run.
MARGIN = 1.05
# Waiting for files on a shared disk can take longer than all imports.
FIXED_MINUTES = 10
# The times were measured on an idle machine; other machines are slower and shared.
SLOWER = 5

RULES = {
    "reference_pixel_mask": Needs(145, memory=((21, 0, 0),), disk=(5, 0, 0)),
    "prefetch_references": Needs(160, memory=((0, 0, 4.1),), irs2=(0, 0, 6.4)),
    "detector1_dark": Needs(
        PIPELINE_MB, ((0, 601, 2), (0, 250, 20)), irs2=(0, 333, 17), disk=(0, 95, 30), seconds=(3, 1)
    ),
    "detector1_flat": Needs(
        PIPELINE_MB, ((0, 213, 11), (0, 83, 18)), (0, 510, 7), (0, 333, 17), disk=(0, 65, 0), seconds=(3, 1)
    ),
    "dark_statistics": Needs(230, memory=((0, 150, 4),), disk=(0, 80, 0), seconds=(3, 0.1)),
    "reference_statistics": Needs(65, memory=((42, 0, 0.7),), disk=(1, 0, 0), seconds=(1, 0.1)),
    "flat_statistics": Needs(75, memory=((0, 60, 0),), disk=(0, 20, 0), seconds=(1, 0)),
    "compare_exposures": Needs(
        300, memory=((18, 0, 0),), seconds=(0.2, 0), of_all_exposures=True, disk_of_each=800_000
    ),
    "exposure_response": Needs(225, memory=((176, 0, 0),), disk=(5, 0, 0), seconds=(2, 0)),
    "sky_response": Needs(200, memory=((190, 0, 0),), disk=(14, 0, 0), seconds=(10, 0)),
    "flat_response": Needs(310, memory=((170, 0, 0),), disk=(30, 0, 0), seconds=(2, 0), of_all_exposures=True),
    "leave_one_out": Needs(280, memory=((330, 0, 0),), seconds=(20, 0), of_all_exposures=True),
    "bad_pixel_mask": Needs(
        330, memory=((330, 0, 0),), disk=(150, 0, 0), seconds=(4, 0), of_all_exposures=True, shares_memory=True
    ),
    "quality_check": Needs(155, memory=((0, 0, 6.3),), irs2=(0, 0, 9.9), seconds=(1, 0.1)),
    "certify_mask": Needs(300, memory=((30, 0, 0),), seconds=(2, 0)),
    "deliver_mask": Needs(330, memory=((40, 0, 0),), disk=(15, 0, 0), seconds=(10, 0)),
    "plots": Needs(122, memory=((130, 0, 0),), disk=(1, 0, 0), seconds=(3, 0)),
    "gain_reference": Needs(145, memory=((0, 0, 4.1),), irs2=(0, 0, 6.4), disk=(5, 0, 0)),
    "crds_mask": Needs(145, memory=((0, 0, 4.1),), irs2=(0, 0, 6.4), disk=(20, 0, 0)),
    "compare_masks": Needs(185, memory=((38, 0, 0),), disk=(10, 0, 0), seconds=(3, 0)),
    "release_gate": Needs(40),
    "bad_pixel_table": Needs(250, memory=((60, 0, 0),), disk=(10, 0, 0), seconds=(4, 0), of_all_exposures=True),
    "known_bad_pixels": Needs(280, memory=((60, 0, 0),), disk=(10, 0, 0), seconds=(4, 0), of_all_exposures=True),
    "known_bad_gate": Needs(40),
    "history": Needs(200, memory=((50, 0, 0),), disk=(10, 0, 0), seconds=(5, 0)),
    "report_page": Needs(300, memory=((300, 0, 0),), disk=(20, 0, 0), seconds=(20, 0)),
    "report_index": Needs(60),
    "reliability": Needs(250, memory=((90, 0, 0),), disk=(100, 0, 0), seconds=(20, 0), of_all_exposures=True),
    "sweep_vote": Needs(290, memory=((330, 0, 0),), seconds=(4, 0), of_all_exposures=True),
    "sweep_table": Needs(230),
    "apply_masks": Needs(200, memory=((280, 0, 0),), disk=(2, 0, 0), seconds=(10, 0), of_all_exposures=True),
    "injection_plan": Needs(230, memory=((52, 0, 0),), disk=(20, 0, 0), seconds=(4, 0)),
    "inject": Needs(230, memory=((0, 0, 1.9),), disk=(0, 10, 3), seconds=(1, 0.1)),
    "injection_report": Needs(250, memory=((100, 0, 0),), disk=(10, 0, 0), seconds=(4, 0)),
}


def memory_mb(rule: str, size: Size, threads: int = 1) -> int:
    """Memory (MB of 2^20 bytes) of a job of `rule`; several threads are as many processes, unless they share memory."""
    needs = RULES[rule]
    stages = [*needs.memory, *[needs.si_as] * size.si_as, *[needs.irs2] * size.irs2]
    growing = max(size.times(*stage) for stage in stages) / 2**20
    if threads > 1 and not needs.shares_memory:
        growing = COPIES * growing + PIPELINE_MB * threads
    return round(SNAKEMAKE_MB + MARGIN * (needs.fixed_mb + growing))


def disk_mb(rule: str, size: Size) -> int:
    """Size (MB of 10^6 bytes) of the files that a job of `rule` writes, at least 1."""
    needs = RULES[rule]
    return round((size.times(*needs.disk) + needs.disk_of_each * size.exposures) / 1e6) + 1


def runtime_minutes(rule: str, size: Size) -> int:
    """Time limit (minutes) of a job of `rule`: generous, since machines and their disks differ."""
    needs = RULES[rule]
    per_plane, per_sample = needs.seconds
    seconds = (per_plane * size.planes + per_sample * size.samples) / 1e6
    return FIXED_MINUTES + round(SLOWER * seconds * (size.exposures if needs.of_all_exposures else 1) / 60)
