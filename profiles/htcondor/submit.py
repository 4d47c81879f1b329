#!/usr/bin/env python3
"""Submit a job script of Snakemake to HTCondor and print the job's id: submit.py JOBSCRIPT"""

import json
import subprocess
import sys
from pathlib import Path

# A job held for its memory or time limit is removed: Snakemake then submits it again with higher limits.
SUBMIT = """\
universe = vanilla
executable = {script}
initialdir = {directory}
getenv = true
should_transfer_files = no
batch_name = {name}
request_cpus = {threads}
request_memory = {mem_mb}
request_disk = {disk_kb}
allowed_execute_duration = {seconds}
periodic_remove = JobStatus == 5
output = {logs}/$(Cluster).out
error = {logs}/$(Cluster).err
log = {logs}/$(Cluster).log
queue
"""


def check_text(text):
    """End with a message unless `text` keeps its meaning in a line of a submit file.

    A line break begins another command, HTCondor expands $, a backslash at the end continues the line, and blanks at
    the ends are cut off.
    """
    if "$" in text or not text.isprintable() or text.endswith("\\") or text != text.strip():
        sys.exit(
            f"submit.py: HTCondor cannot be given {text!r}: it has a $, a character that cannot be printed, or a blank"
            " or backslash at its end; run the workflow in a directory of another name"
        )
    return text


def main(script):
    (line,) = (line for line in Path(script).read_text().splitlines() if line.startswith("# properties = "))
    job = json.loads(line.removeprefix("# properties = "))
    needs = job["resources"]
    logs = Path(".snakemake/htcondor_logs").resolve()
    check_text(str(logs))
    logs.mkdir(parents=True, exist_ok=True)
    Path(script).chmod(0o755)
    text = SUBMIT.format(
        script=check_text(str(Path(script).resolve())), directory=check_text(str(Path.cwd())),
        name=check_text(job.get("groupid") or job["rule"]), logs=logs,
        threads=job["threads"], mem_mb=needs["mem_mb"], disk_kb=needs["disk_mb"] * 1000, seconds=needs["runtime"] * 60,
    )  # fmt: skip
    done = subprocess.run(["condor_submit", "-terse", "-"], input=text, stdout=subprocess.PIPE, text=True)
    print(done.stdout.split(" ")[0])  # "12.0 - 12.0": first and last job
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
