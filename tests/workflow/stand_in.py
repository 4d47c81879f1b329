#!/usr/bin/env python3
"""Replaces the commands of PBS, LSF and HTCondor, by the name of the call: records the call and runs the job here.

Each call is a line of JSON in the file calls.jsonl of the folder STAND_IN: its words and its standard input. Jobs run
at once, in the order of submission; output and exit status are those of the real commands.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

# Tests import this file for its names alone.
FOLDER = Path(os.environ.get("STAND_IN", ""))


def run(command, text=None):
    """Run a job here, shell command or path of a script; returns its number."""
    number = len(list(FOLDER.glob("job-*"))) + 1
    with (FOLDER / f"output-{number}").open("w") as output:
        status = subprocess.run(command, shell=True, stdout=output, stderr=output).returncode
    (FOLDER / f"job-{number}").write_text(str(status))
    return number


def status_of(number):
    return int((FOLDER / f"job-{number}").read_text())


def qsub(words, text):
    print(f"{run(f'sh {words[-1]}')}.server")


def qstat(words, text):
    print(f"Job Id: {words[-1]}\n    job_state = F\n    Exit_status = {status_of(words[-1].split('.')[0])}")


def condor_submit(words, text):
    number = run(re.search("^executable = (.*)$", text, re.MULTILINE)[1])
    print(f"{number}.0 - {number}.0")


def condor_q(words, text):
    """Nothing: a job that has ended is in the history."""


def condor_history(words, text):
    print(4, status_of(words[0].split(".")[0]))


def bsub(words, text):
    print(f"Job <{run(words[-1])}> is submitted to queue <normal>.")


def bjobs(words, text):
    for path in FOLDER.glob("job-*"):
        number = path.name.removeprefix("job-")
        print(number, "EXIT" if status_of(number) else "DONE")


def badmin(words, text):
    configuration = FOLDER / "lsbatch" / "test" / "configdir"
    configuration.mkdir(parents=True, exist_ok=True)
    (configuration / "lsb.params").write_text("DEFAULT_QUEUE = normal\n")
    print(f"MBD configuration\n LSB_SHAREDIR = {FOLDER}\n LSF_CONFDIR = {FOLDER}\n LSF_UNIT_FOR_LIMITS = MB")


def lsclusters(words, text):
    print("CLUSTER_NAME STATUS\ntest ok")


def bhist(words, text):
    sys.exit(1)


COMMANDS = {
    function.__name__: function
    for function in (qsub, qstat, condor_submit, condor_q, condor_history, bsub, bjobs, badmin, lsclusters, bhist)
}

if __name__ == "__main__":
    name, words = Path(sys.argv[0]).name, sys.argv[1:]
    text = sys.stdin.read() if words[-1:] == ["-"] else None
    with (FOLDER / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps([name, *words, text]) + "\n")
    COMMANDS[name](words, text)
