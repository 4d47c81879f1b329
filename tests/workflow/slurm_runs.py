"""Runs of the workflow through a real Slurm, and what is done to them: a job cancelled, a crash, nodes lost."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from workflow.corruptions import good, products_of
from workflow.runner import PROJECT, command

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


def in_detector1(slurm, node):
    """Whether detector1 is at work on a node: its job holds its working directory open."""
    for process in slurm.processes(node):
        with contextlib.suppress(OSError):
            if any(".detector1-" in str(file.readlink()) for file in Path(f"/proc/{process}/fd").iterdir()):
                return True
    return False


def lose_nodes(directory, slurm, story):
    """The rest, in which two nodes are lost while each takes a dark through detector1.

    One dies. The other is out of reach: its job goes on, and fails, when the same job has finished elsewhere.
    """
    known = slurm.jobs().keys()

    def darks(state):
        return {n: job for n, job in in_state(slurm, state, "detector1_dark").items() if n not in known}

    def at_work(lost):
        found = (item for item in darks("RUNNING").items() if item[0] not in lost)
        return next((item for item in found if in_detector1(slurm, item[1]["BatchHost"])), None)

    story.lost = {}
    run = start(directory, slurm)
    try:
        for kill in (True, False):
            number, job = until(lambda: at_work(story.lost), "a dark in detector1", run)
            story.lost[number], hidden = job, job["BatchHost"]
            slurm.lose_node(hidden, kill=kill)
        until(lambda: darks("COMPLETED").keys() == story.lost.keys(), "the same jobs finished elsewhere", run)
        slurm.signal(hidden, signal.SIGKILL, only="/.snakemake/scripts/")
        slurm.signal(hidden, signal.SIGCONT)
        run.wait(PATIENCE_S)
        until(lambda: not slurm.runs_jobs(hidden), "the end of the job out of reach")
    finally:
        run.kill()
        story.resumed = run.wait(), (directory / "output.txt").read_text()
        print(story.resumed[1][-4000:])


def table_of(jobs):
    """What the scheduler says of its jobs, a line for each."""
    fields = (
        "JobId",
        "JobState",
        "NumCPUs",
        "MinMemoryNode",
        "TimeLimit",
        "NodeList",
        "Restarts",
        "RunTime",
        "Comment",
    )
    rows = [fields, *([job[field] for field in fields] for _, job in sorted(jobs.items()))]
    return "\n".join("{:>5} {:<10} {:>7} {:>13} {:>9} {:>8} {:>8} {:>8}  {}".format(*row) for row in rows)
