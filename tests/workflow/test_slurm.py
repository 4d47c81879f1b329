"""The demo as jobs of a real Slurm: what it asks for, jobs that fail, a crash, nodes that are lost, a new exposure.

Skipped where Slurm is not installed. All points are taken from one story, told once, since each job costs seconds.
"""

import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from badpix.workflow.resources import Size, memory_mb, runtime_minutes
from workflow.corruptions import good
from workflow.products import differing, images_of, measured, same
from workflow.runner import announced_jobs, copy_run, succeed
from workflow.slurm import Slurm, missing
from workflow.slurm_runs import CONFIG, EARLY, RAW, cancel_and_crash, finish, lose_nodes, prepare, table_of

pytestmark = [
    pytest.mark.pipeline,
    # Together in one process, or each would tell the story again.
    pytest.mark.xdist_group("slurm"),
    pytest.mark.skipif(bool(missing()), reason=f"Slurm cannot be started: {missing()}"),
]

NEW_FLAT = 2
LATE_S = 5


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

    # On each node, files of another one appear late, and locks of another one are not seen.
    with Slurm(nodes=3, cpus=3, late=(directory, LATE_S)) as slurm:
        broken = CONFIG | {"crds_path": "empty_cache"}
        words = ("--until", "prefetch_references", "--retries", "0")
        story.failed = timed("a failing job", finish, directory, slurm, *words, config=broken)
        timed("a cancelled job and a crash", cancel_and_crash, directory, slurm, story)
        succeed(directory, "--unlock", config=CONFIG)
        jobs = set(slurm.jobs())
        timed("the rest, and lost nodes", lose_nodes, directory, slurm, story)
        story.resumed_jobs = {n: job for n, job in slurm.jobs().items() if n not in jobs}
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
    mask = list(story.resumed_jobs.values())[-1]
    assert "bad_pixel_mask" in mask["Comment"] and mask["JobState"] == "COMPLETED"


def test_jobs_of_lost_nodes_run_again_on_another(story):
    """The run uses all nodes. Slurm puts the jobs into the queue again, and Snakemake submits none a second time.

    Nor does the job that goes on when its node is in reach again take away what the second one has made.
    """
    assert {job["BatchHost"] for job in story.first_jobs if "BatchHost" in job} == {"node1", "node2", "node3"}
    assert len(story.lost) == len(RAW["darks"])
    for number, lost in story.lost.items():
        again = story.resumed_jobs[number]
        assert again["JobState"] == "COMPLETED"
        assert int(again["Restarts"]) >= 1
        assert again["BatchHost"] != lost["BatchHost"]
    in_detector1 = [job for job in story.resumed_jobs.values() if "detector1" in job["Comment"]]
    assert len(in_detector1) == sum(map(len, RAW.values())), "each exposure is submitted once"
    assert "Trying to restart" not in story.resumed[1]


def test_a_new_exposure_is_all_that_is_submitted(story):
    status, output = story.more
    assert status == 0, output[-8000:]
    new = {"detector1_flat": 1, "flat_response": 1, "compare_exposures": 1, "bad_pixel_mask": 1}
    assert announced_jobs(output) == new
    assert len(story.more_jobs) == 2, "the exposure's, and the mask's"
    # In the group of the mask, the response and the comparison of the exposures run at the same time.
    assert [job["NumCPUs"] for job in story.more_jobs] == ["1", "2"], "idle cores are those of one machine"


def test_what_comes_out_is_what_a_local_run_makes(story, finished, tmp_path):
    for kind, raw in RAW.items():
        for number in raw:
            path = Path("results", "NIS", kind, f"{good(finished, kind, number)[0]}_{kind[:-1]}_statistics.fits")
            local = images_of(finished / path)
            assert all(same(image, local[name]) for name, image in images_of(story.directory / path).items())
    local = copy_run(story.directory, tmp_path / "local")
    succeed(local, "--forcerun", "flat_response", "bad_pixel_mask", config=CONFIG)
    assert not differing(*(measured(run / "results" / "NIS") for run in (local, story.directory)))
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
