# Memory, disk, time and cores of the jobs; benchmarks/resources.py measures them.

from snakemake import resources as snakemake_resources

# Later versions of Snakemake than the oldest allowed call all resource functions through this method, and ask for its
# parameters at every call.
if hasattr(snakemake_resources, "Resource"):
    read_once(snakemake_resources.Resource.evaluate)


def size_of(wildcards, kind):
    """The size of the job's exposure; without `kind`, of an exposure of its detector, and the number of exposures."""
    if "detector" not in wildcards.keys():
        return resources.Size(pixels=0, groups=0, integrations=0)
    material = DETECTORS[wildcards.detector].material
    if kind is None:
        n_exposures = sum(len(exposures(wildcards, kind)) for kind in KINDS)
        return resources.Size.from_keywords(any_exposure(wildcards).keywords, material, n_exposures)
    return resources.Size.from_keywords(exposures(wildcards, kind)[wildcards.exposure].keywords, material)


def memory(rule, kind=None):
    """A resource function: memory (MB) of a job of `rule`; more at each attempt, since too little kills a job."""
    return read_once(
        lambda wildcards, threads, attempt: attempt * resources.memory_mb(rule, size_of(wildcards, kind), threads)
    )


def disk(rule, kind=None):
    """A resource function: disk (MB) that a job of `rule` writes."""
    return read_once(lambda wildcards: resources.disk_mb(rule, size_of(wildcards, kind)))


def runtime(rule, kind=None):
    """A resource function: time limit (minutes) of a job of `rule`; more at each attempt."""
    return read_once(lambda wildcards, attempt: attempt * resources.runtime_minutes(rule, size_of(wildcards, kind)))


@functools.cache
def cores_per_exposure():
    """Cores for each raw exposure without statistics: 1 unless `detector1_use_idle_cores` is set and jobs run here.

    Do not call it while the rules are read: Snakemake chooses the executor later.
    """
    cores = workflow.resource_settings.cores
    if not (config["detector1_use_idle_cores"] and workflow.is_main_process and workflow.local_exec and cores):
        return 1
    waiting = sum(
        not os.path.exists(f"{RESULTS}/{detector}/{kind}/{name}_{kind.removesuffix('s')}_statistics.fits")
        for detector, kinds in INVENTORY.detectors.items()
        for kind in KINDS
        for name, exposure in kinds[kind].items()
        if not exposure.from_products
    )
    return max(1, min(cores, os.cpu_count()) // max(1, waiting))


def threads_per_exposure():
    """The threads of a raw exposure: a number where Snakemake does not have to ask for each job."""
    return (lambda wildcards: cores_per_exposure()) if config["detector1_use_idle_cores"] else 1


@read_once
def scratch(wildcards):
    """The configured scratch directory, or `auto`; None for the folder of the results.

    A scheduler gives a job the memory of its processes, without room for files in memory. A function, because the
    executor is known only after the rules are read. A resource of all rules in the group `exposure`, also of those
    without temporary files: Snakemake refuses a text that not all jobs of a submission have.
    """
    is_local = workflow.is_main_process and workflow.local_exec
    return config["scratch"] if config["scratch"] != AUTO or is_local else None


# The largest number of jobs of detector1 that run here at a time.
AT_A_TIME = workflow.resource_settings.cores or 1 if workflow.is_main_process else 1
