"""The headers of many files, read by several processes: at each start of Snakemake nothing else happens meanwhile.

Processes and not threads, since astropy's Python code is what takes the time; and none of `multiprocessing`, whose
children would either import Snakemake's main program once more or be forked among its threads.
"""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# A process takes half a second to start, which 200 files take to be read.
FEWEST = 1000
# Others work on the computer that Snakemake is started on as well.
MOST_PROCESSES = 8


def available_cores():
    """How many cores this process may use (Linux; elsewhere those of the machine)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def read_many(paths):
    """The entries (dicts of stamp and facts) of `paths`, by path; none if there are too few files or cores for that.

    Files that cannot be read are left out, and so are all that a process had which did not end well: whoever asks reads
    those again, and then learns what is wrong.
    """
    processes = min(available_cores(), MOST_PROCESSES)
    if len(paths) < FEWEST or processes < 2:
        return {}
    # Neighbours on the disk differ in what they cost, such as flats and darks: every process gets of all.
    shares = [paths[number::processes] for number in range(processes)]
    with ThreadPoolExecutor(processes) as pool:
        return {path: entry for entries in pool.map(_read_share, shares) for path, entry in entries.items()}


def _read_share(paths):
    """The entries of `paths`, read by one process of its own."""
    library = str(Path(__file__).resolve().parents[2])
    search = os.pathsep.join(filter(None, (library, os.environ.get("PYTHONPATH"))))
    child = subprocess.run(
        [sys.executable, "-m", "badpix.exposures.header_processes"],
        input=json.dumps([str(path) for path in paths]).encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": search},
        check=False,
    )
    try:
        return json.loads(child.stdout) if child.returncode == 0 else {}
    except ValueError:
        return {}


def main():
    """Read the files whose paths are a JSON list on standard input; write their entries as JSON."""
    from badpix.exposures.headers import read_entry

    entries = {}
    for path in json.load(sys.stdin):
        try:
            entries[path] = read_entry(path)
        except OSError:
            continue
    # Nothing else may be on standard output; what astropy has to say goes to standard error.
    sys.stdout.write(json.dumps(entries))


if __name__ == "__main__":
    main()
