#!/usr/bin/env python3
"""Submit a job script of Snakemake to PBS and print the job's id, the output of qsub: submit.py JOBSCRIPT"""

import json
import subprocess
import sys
from pathlib import Path


def main(script):
    (line,) = (line for line in Path(script).read_text().splitlines() if line.startswith("# properties = "))
    job = json.loads(line.removeprefix("# properties = "))
    needs = job["resources"]
    logs = Path(".snakemake/pbs_logs").resolve()
    # PBS reads the text before a colon as the name of a machine.
    if ":" in str(logs) or not str(logs).isprintable():
        sys.exit(
            f"submit.py: PBS cannot be given the directory {str(logs)!r}: it has a colon, or a character that cannot be"
            " printed; run the workflow in a directory of another name"
        )
    logs.mkdir(parents=True, exist_ok=True)
    command = [
        "qsub", "-V", "-N", job.get("groupid") or job["rule"], "-j", "oe", "-o", f"{logs}/",
        "-l", f"select=1:ncpus={job['threads']}:mem={needs['mem_mb']}mb", "-l", f"walltime={needs['runtime'] * 60}",
        script,
    ]  # fmt: skip
    return subprocess.run(command).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
