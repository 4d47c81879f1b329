# Messages of a run on the terminal, in the main process alone.

import atexit
import contextlib
import time


def own_rule(name):
    """The name of rule `name` in the run, which differs in a module of another workflow. Only while it is read."""
    return workflow.modifier.modify_rulename(name)


class Progress:
    """As text: the number of exposures that are measured, of all exposures of the run.

    Empty in a job on a cluster, and where a dry run lists the jobs by rule. Each message of a job has it, and a count goes
    through all jobs: a count is kept for 100 times its own duration, so that thousands of jobs cost what few jobs cost.
    """

    def __init__(self):
        self.rules = set()
        self.text, self.kept_until = "", 0.0

    def __str__(self):
        if not workflow.is_main_process or LISTING in logger.filters:
            return ""
        if (start := time.monotonic()) >= self.kept_until:
            jobs = [job for job in workflow.dag.jobs if job.rule.name in self.rules]
            n_done = sum(workflow.dag.finished(job) or not workflow.dag.needrun(job) for job in jobs)
            self.text = f" ({n_done} of {len(jobs)} exposures measured)"
            end = time.monotonic()
            self.kept_until = end + 100 * (end - start)
        return self.text


# Snakemake looks for the names in messages in the outermost Snakefile; modules share the object there.
PROGRESS = workflow.modifier_stack[0].globals.setdefault("PROGRESS", Progress())
PROGRESS.rules |= set(map(own_rule, ("detector1_dark", "detector1_flat", "dark_statistics", "flat_statistics")))
VOTES = set(map(own_rule, VOTE_RULES))
RUN_FOLDER = os.getcwd()
# Filled when the summary of the run is written.
CLOSED = []


def complete(mask_id):
    """False if the job of a mask was needed and did not finish."""
    return not any(
        workflow.dag.needrun(job) and not workflow.dag.finished(job)
        for job in workflow.dag.jobs
        if job.rule.name in VOTES and mask_id_of(job.wildcards) == mask_id
    )


def close_run(snakemake_logs=None):
    """Write the summary of the run to the terminal; with `snakemake_logs` for a run that failed."""
    # A fetch writes its own lines.
    if not workflow.is_main_process or FETCHING:
        return
    CLOSED.append(True)
    # A job that was killed may have left gigabytes in memory.
    sweep_memory()
    # Imported here because only the end of a run needs it.
    from badpix.formats.mask_tables import restore_rejected_exposures
    from badpix.history.text import history_lines
    from badpix.report.terminal import MadeMask, error_lines, success_lines

    for mask_id in INVENTORY.masks:
        # On a full disk the summary is still written.
        with contextlib.suppress(OSError):
            if not complete(mask_id):
                restore_rejected_exposures(Path(RESULTS) / mask_id, INVENTORY.rejected[mask_id])
    masks = [
        MadeMask(RESULTS, mask_id, mask_name(mask_id), complete(mask_id), config["report"])
        for mask_id in INVENTORY.masks
    ]
    arguments, earlier = sys.argv[1:], renewed_pages()
    if snakemake_logs is not None:
        say(error_lines(masks, arguments, snakemake_logs, earlier, FAILED.lines))
    else:
        say(success_lines(masks, arguments, [*history_lines(histories()), *earlier]))


def histories():
    """The folders with the results of the histories that are kept -> the masks of each."""
    found = {}
    for mask_id in INVENTORY.masks if config["keep_history"] else ():
        found.setdefault(f"{RESULTS}/{series_of(mask_id)}", []).append(mask_file(mask_id))
    return found


def renewed_pages():
    """Renew the lists and banners of all report pages; lines on what is not of this run."""
    # Imported here because only the end of a run needs it.
    from badpix.report.products import Place
    from badpix.report.renew import Masks, RunMask, renew

    made = {
        mask_id: RunMask(Place(Path(RESULTS), mask_id, Path(mask_file(mask_id))), complete(mask_id))
        for mask_id in INVENTORY.masks
    }
    series = tuple(dict.fromkeys(map(series_of, made)))
    # A page that cannot be written does not hide the summary.
    try:
        return renew(Masks(Path(RESULTS), made, INVENTORY.refused, known_detectors(), series))
    except (OSError, ValueError, KeyError, TypeError) as error:
        return [f"Warning: the report pages could not be renewed, and may show other masks: {error}"]


def known_detectors():
    """The names of all detectors, without those of planted pixels and of the science check."""
    return [name for name in DETECTORS if "/" not in name]


def failed_jobs():
    """The FailedJobs of this run; the same in all modules."""
    found = next((kept for kept in logger.filters if isinstance(kept, FailedJobs)), None) or FailedJobs()
    logger.addFilter(found)
    return found


FAILED = failed_jobs()


def listing_of_dry_run():
    """The JobListing of a dry run of this workflow alone; one without effect if Snakemake is to list each job, or none."""
    for earlier in [kept for kept in logger.filters if isinstance(kept, JobListing)]:
        logger.removeFilter(earlier)
    listing, options = JobListing(), workflow.output_settings
    each_or_none = options.verbose or options.printshellcmds or options.quiet
    if workflow.is_main_process and not LINTING and len(workflow.modifier_stack) == 1:
        if workflow.output_settings.dryrun and not each_or_none:
            logger.addFilter(listing)
    return listing


LISTING = listing_of_dry_run()


def at_exit():
    """The summary where Snakemake runs no handler: a run with nothing to do. A dry run repeats its first lines."""
    if workflow.execution_settings is None or workflow.dag is None or REFUSALS:
        return
    if workflow.dryrun:
        say([*LISTING.lines(), *KNOWN_AT_START])
    elif not CLOSED:
        # Snakemake has left the folder of the run. Handlers of modules do not run. Without a scheduler no job ran.
        with contextlib.chdir(RUN_FOLDER):
            if not len(workflow.dag):
                close_run()
            elif workflow.scheduler is not None and not FETCHING:
                say(renewed_pages())


if workflow.is_main_process and not LINTING:
    atexit.register(at_exit)
