"""Starts of Snakemake without its imports, which take two thirds of the time of a dry run.

A process that has imported Snakemake and packages of other projects forks for each run. The fork becomes what `python
-m snakemake` is: its arguments, directory, environment, standard streams and exit status are those of the run.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

from workflow import warm_jobs

# Interpreters with other paths, start-up files or threads than the process that forks.
OWN_START = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", *warm_jobs.THREADS)


def can_run(words):
    """Whether the arguments `words` of subprocess.Popen are of a Snakemake that can be a fork."""
    is_module = words["args"][:3] == [sys.executable, "-m", "snakemake"]
    return is_module and all(words["env"].get(name) == os.environ.get(name) for name in OWN_START)


def run(words, timeout):
    """Run Snakemake with the arguments `words` of subprocess.Popen; (exit status, output). As subprocess.run."""
    with tempfile.TemporaryFile() as output:
        server = _server()
        request = {"argv": words["args"][3:], "cwd": str(words["cwd"]), "env": words["env"]}
        # The server finds the file by its number in this process.
        request["output"] = f"/proc/{os.getpid()}/fd/{output.fileno()}"
        process = int(_ask(server, request))
        deadline, status = time.monotonic() + timeout, None
        while status is None:
            if time.monotonic() > deadline:
                os.kill(process, signal.SIGKILL)
                _ask(server, {"wait": process})
                raise subprocess.TimeoutExpired(words["args"], timeout)
            status = json.loads(_ask(server, {"poll": process}))
            time.sleep(0.05)
        output.seek(0)
        return status, output.read().decode()


def _ask(server, request):
    server.stdin.write(json.dumps(request) + "\n")
    server.stdin.flush()
    return server.stdout.readline()


@cache
def _server():
    """The process that forks, of this process."""
    words, tests = [sys.executable, "-m", "workflow.warm"], Path(__file__).parents[1]
    server = subprocess.Popen(words, cwd=tests, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(server.wait)
    atexit.register(server.stdin.close)
    return server


def _serve():
    """Answer the requests of `run`, a line of JSON each, until standard input ends."""
    import snakemake.cli

    # Imports the plugins, of which the plugin for Slurm imports pandas.
    snakemake.cli.get_argument_parser()
    added = warm_jobs.import_packages()
    while line := sys.stdin.readline():
        request = json.loads(line)
        if "argv" in request:
            answer = os.fork()
            if not answer:
                _become(snakemake, request, added)
                return
        elif "wait" in request:
            answer = os.waitstatus_to_exitcode(os.waitpid(request["wait"], 0)[1])
        else:
            process, status = os.waitpid(request["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if process else None
        print(json.dumps(answer), flush=True)


def _become(snakemake, request, added):
    """The run of a request, in the fork; SystemExit with its status. Returns in the processes of its jobs too."""
    output, nothing = os.open(request["output"], os.O_WRONLY | os.O_APPEND), os.open(os.devnull, os.O_RDONLY)
    for target, source in enumerate((nothing, output, output)):
        os.dup2(source, target)
    os.close(output)
    os.close(nothing)
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    os.chdir(request["cwd"])
    sys.path[0] = request["cwd"]
    requests, jobs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if not os.fork():
        jobs.close()
        return warm_jobs.serve(requests)
    requests.close()
    warm_jobs.fork_jobs(snakemake.script.PythonScript, jobs, added)
    sys.argv = [str(Path(snakemake.__file__).with_name("__main__.py")), *request["argv"]]
    return snakemake.cli.main()


if __name__ == "__main__":
    _serve()
