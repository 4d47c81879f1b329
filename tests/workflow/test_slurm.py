"""The demo as jobs of a real Slurm: what it asks for, a job that fails, one that is cancelled, a crash, a new exposure.

Skipped where Slurm is not installed. All points are taken from one story, told once, since each job costs seconds.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from badpix.workflow.resources import Size, memory_mb, runtime_minutes
from workflow.corruptions import good, products_of
from workflow.products import images_of, same
from workflow.runner import PROJECT, announced_jobs, command, copy_run, succeed
from workflow.slurm import Slurm, missing

pytestmark = [
    pytest.mark.pipeline,
    # Together in one process, or each would tell the story again.
    pytest.mark.xdist_group("slurm"),
    pytest.mark.skipif(bool(missing()), reason=f"Slurm cannot be started: {missing()}"),
]

PROFILE = str(PROJECT / "profiles" / "slurm")
# Jobs of a test last seconds, and there is no accounting to ask.
OPTIONS = (
    "--profile", PROFILE, "--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2",
    "--seconds-between-status-checks", "2", "--latency-wait", "10", "--slurm-no-account",
)  # fmt: skip
RAW = {"darks": (1, 2), "flats": (1,)}
PROCESSED = {"darks": (3,), "flats": (3, 4)}
CONFIG = {
    "dark_slope_files": "products/darks", "dark_jump_files": "products/darks", "dark_fitopt_files": "products/darks",
    "flat_slope_files": "products/flats", "keep_history": False, "certify": False,
}  # fmt: skip
NEW_FLAT = 2
# Rules whose jobs are done when the scheduler and Snakemake are killed.
EARLY = {"reference_pixel_mask", "prefetch_references"}
# For one run; it takes a tenth of that on an idle machine.
PATIENCE_S = 600


def prepare(directory, finished):
    """Some exposures raw, others processed, so that there are jobs of every rule and not too many."""
    shutil.copytree(finished / "crds_cache", directory / "crds_cache")
    shutil.copy2(finished / "config.yaml", directory)
    for kind, raw in RAW.items():
        (directory / kind).mkdir()
        (directory / "products" / kind).mkdir(parents=True)
        for number in raw:
            shutil.copy2(good(finished, kind, number)[1], directory / kind)
        for number in PROCESSED[kind]:
            for path in products_of(finished, kind, number).values():
                shutil.copy2(path, directory / "products" / kind)
    (directory / "empty_cache").mkdir()


def start(directory, slurm, *arguments, config=CONFIG):
    """Start the workflow with the profile; its output goes to `output.txt`."""
    words = command(directory, *OPTIONS, *arguments, config=config, cores=8, environment=slurm.environment)
    with (directory / "output.txt").open("w") as output:
        return subprocess.Popen(**words, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True)


def finish(directory, slurm, *arguments, **options):
    """The workflow to its end: (exit status, output)."""
    run = start(directory, slurm, *arguments, **options)
    try:
        run.wait(PATIENCE_S)
    finally:
        run.kill()
    return run.returncode, (directory / "output.txt").read_text()


def until(condition, what, run=None):
    """Wait until `condition()` is true, and return it; as long as the process `run` lives, if there is one."""
    deadline = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not seen in {PATIENCE_S} s: {what}"
        assert run is None or run.poll() is None, f"Snakemake ended before this was seen: {what}"
        time.sleep(0.5)
    return value


def submitted(slurm, word):
    """How many jobs have been submitted whose comment has that word."""
    return sum(word in job["Comment"] for job in slurm.jobs().values())


def submitted_since(slurm, known, comment):
    """The job with that comment whose id is not among the `known`, or None: times of jobs are whole seconds."""
    return next((job for n, job in slurm.jobs().items() if job["Comment"] == comment and n not in known), None)


def in_state(slurm, state, *words):
    """The jobs in a state whose comment (the rule or group, and its rules) has all `words`, by job id."""
    return {
        number: job
        for number, job in slurm.jobs().items()
        if job["JobState"] == state and all(word in job["Comment"] for word in words)
    }


def finished_rules(output):
    """The rules of which Snakemake says that a job is finished."""
    return set(re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", output))


def cancel_and_crash(directory, slurm, story):
    """Cancel one dark's job, and when it has been submitted again, kill the scheduler and Snakemake."""
    output = directory / "output.txt"
    run = start(directory, slurm)
    try:
        # Jobs of both darks look alike to the scheduler: only when both are there is a later one a second attempt.
        until(lambda: submitted(slurm, "detector1_dark") == len(RAW["darks"]), "the jobs of all darks", run)
        number = min(until(lambda: in_state(slurm, "RUNNING", "detector1_dark"), "a dark in detector1", run))
        known = slurm.jobs().keys()
        slurm.client("scancel", str(number))
        until(lambda: number in in_state(slurm, "CANCELLED"), "the job cancelled", run)
        story.cancelled = slurm.jobs()[number]
        story.again = until(lambda: submitted_since(slurm, known, story.cancelled["Comment"]), "the next attempt", run)
        until(lambda: any("detector1_flat" in job["Comment"] for job in slurm.jobs().values()), "a flat's job", run)
        until(lambda: finished_rules(output.read_text()) >= EARLY, "the first jobs finished", run)
        # slurmctld writes down what it knows every few seconds; what is younger would be lost.
        time.sleep(8)
        story.at_crash = slurm.jobs()
    finally:
        story.first_output = output.read_text()
        print(story.first_output[-4000:])
        slurm.kill_controller()
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
    slurm.start_controller()
    story.after_crash = slurm.jobs()
    story.first_jobs = list(story.at_crash.values())
    # As docs/howto/clusters.md says: what is left of a killed run is cancelled before the next.
    slurm.client("scancel", "--user", str(os.geteuid()))
    until(lambda: not slurm.client("squeue", "--noheader").strip(), "an empty queue")


def table_of(jobs):
    """What the scheduler says of its jobs, a line for each."""
    fields = ("JobId", "JobState", "NumCPUs", "MinMemoryNode", "TimeLimit", "Partition", "RunTime", "Comment")
    rows = [fields, *([job[field] for field in fields] for _, job in sorted(jobs.items()))]
    return "\n".join("{:>5} {:<10} {:>7} {:>13} {:>9} {:>9} {:>8}  {}".format(*row) for row in rows)


@pytest.fixture(scope="module")
def story(finished, tmp_path_factory):
    """What happened, told once."""
    directory = tmp_path_factory.mktemp("slurm") / "run"
    directory.mkdir()
    prepare(directory, finished)
    story = SimpleNamespace(directory=directory, seconds={})

    def timed(name, function, *arguments, **options):
        begin = time.monotonic()
        value = function(*arguments, **options)
        story.seconds[name] = round(time.monotonic() - begin)
        print(f"{name}: {story.seconds[name]} s")
        return value

    with Slurm(cpus=4) as slurm:
        broken = CONFIG | {"crds_path": "empty_cache"}
        words = ("--until", "prefetch_references", "--retries", "0")
        story.failed = timed("a failing job", finish, directory, slurm, *words, config=broken)
        timed("a cancelled job and a crash", cancel_and_crash, directory, slurm, story)
        succeed(directory, "--unlock", config=CONFIG)
        jobs = set(slurm.jobs())
        story.resumed = timed("the rest", finish, directory, slurm)
        story.resumed_jobs = [job for n, job in slurm.jobs().items() if n not in jobs]
        shutil.copy2(good(finished, "flats", NEW_FLAT)[1], directory / "flats")
        jobs = set(slurm.jobs())
        story.more = timed("one more flat", finish, directory, slurm)
        story.more_jobs = [job for n, job in slurm.jobs().items() if n not in jobs]
        print(table_of(slurm.jobs()))
    return story


def asked(job):
    """What a job asked for, as the scheduler sees it: cores, memory (MB), time (minutes)."""
    resources = dict(part.split("=") for part in job["TRES"].split(","))
    hours, minutes, seconds = map(int, job["TimeLimit"].split(":"))
    assert seconds == 0
    return int(resources["cpu"]), int(resources["mem"].removesuffix("M")), 60 * hours + minutes


def needs(rules, attempt=1):
    """What jobs of `rules`, one after the other in one submission, need: the most memory, and all their times."""
    size = Size(64 * 64, 30, 2, exposures=6)
    memory = max(memory_mb(rule, size) for rule in rules)
    return 1, attempt * memory, attempt * sum(runtime_minutes(rule, size) for rule in rules)


def test_a_failing_job_is_reported_by_name_with_its_log(story):
    status, output = story.failed
    assert status != 0
    assert "Error in rule prefetch_references" in output
    assert "logs/prefetch_references/darks.log" in output
    assert "CRDS cannot provide the reference files" in output, "what the log says is shown"


def test_the_scheduler_sees_what_each_job_needs(story):
    """A job of an exposure is a submission with its own memory and time."""
    by_comment = {job["Comment"]: job for job in reversed(story.first_jobs)}  # the first attempt of each
    dark = next(job for comment, job in by_comment.items() if "detector1_dark" in comment)
    flat = next(job for comment, job in by_comment.items() if "detector1_flat" in comment)
    mask = next(job for comment, job in by_comment.items() if comment.startswith("rule_reference_pixel_mask"))
    assert asked(dark) == needs(["detector1_dark"])
    assert asked(flat) == needs(["detector1_flat"])
    assert asked(mask) == needs(["reference_pixel_mask"])
    assert {job["Partition"] for job in story.first_jobs} == {"normal"}


def test_a_cancelled_job_is_submitted_again_with_more(story):
    assert story.cancelled["JobState"] == "CANCELLED"
    assert asked(story.again) == needs(["detector1_dark"], attempt=2)


def test_after_a_crash_of_scheduler_and_snakemake_the_rest_is_done(story):
    """The scheduler knows its jobs again; what was finished before the crash is not submitted again."""
    assert story.at_crash.keys() <= story.after_crash.keys()
    status, output = story.resumed
    assert status == 0, output[-8000:]
    assert not EARLY & announced_jobs(output).keys()
    mask = story.resumed_jobs[-1]
    assert "bad_pixel_mask" in mask["Comment"] and mask["JobState"] == "COMPLETED"


def test_a_new_exposure_is_all_that_is_submitted(story):
    status, output = story.more
    assert status == 0, output[-8000:]
    new = {"detector1_flat": 1, "flat_response": 1, "compare_exposures": 1, "bad_pixel_mask": 1}
    assert announced_jobs(output) == new
    assert len(story.more_jobs) == 2, "the exposure's, and the mask's"
    # In the group of the mask, the response and the comparison of the exposures run at the same time.
    assert [job["NumCPUs"] for job in story.more_jobs] == ["1", "2"], "idle cores are those of one machine"


def test_what_comes_out_is_what_a_local_run_makes(story, finished):
    for kind, raw in RAW.items():
        for number in raw:
            path = Path("results", "NIS", kind, f"{good(finished, kind, number)[0]}_{kind[:-1]}_statistics.fits")
            local = images_of(finished / path)
            assert all(same(image, local[name]) for name, image in images_of(story.directory / path).items())
    assert (story.directory / "results" / "NIS" / "test_bpm.fits").exists()
    assert not list((story.directory / "results").rglob("*_jump.fits")), "intermediates are taken away"


def test_a_job_killed_for_its_memory_is_submitted_again_with_more(simulated, tmp_path):
    """The first attempt asks for less than its Snakemake alone takes, and Slurm kills it; the second for enough."""
    directory = copy_run(simulated, tmp_path / "run")
    words = ("--until", "reference_pixel_mask", "--set-resources", "reference_pixel_mask:mem_mb=attempt ** 2 * 150")
    with Slurm(memory_kill=True) as slurm:
        status, output = finish(directory, slurm, *words, config=None)
        jobs = list(slurm.jobs().values())
    assert status == 0, output[-8000:]
    assert [job["MinMemoryNode"] for job in jobs] == ["150M", "600M"]
    assert [job["JobState"] for job in jobs] == ["FAILED", "COMPLETED"]
    assert (directory / "results" / "NIS" / "reference_pixel_mask.fits").exists()
