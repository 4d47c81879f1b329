"""Starts of jobs without the imports of packages, which take half the time of a small job.

Beside each Snakemake of `warm` runs a process that has imported packages of other projects and forks for each script of
a rule. The fork becomes what `python script` is: its arguments, directory, environment, standard streams and exit
status are those of the job. It imports the library of this project itself.
"""

import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import yaml

# The libraries read them once: with other values, Snakemake and its jobs start as usual.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
PACKAGES = (
    "astropy.io.fits",
    "jwst.pipeline.calwebb_detector1",
    "matplotlib.figure",
    "numba",
    "pandas",
    "scipy.ndimage",
)
REQUEST_BYTES = 2**20


def import_packages():
    """Import what most jobs import, and load the schemas of the datamodels.

    Returns the environment variables that packages set when they are imported.
    """
    before, loader = dict(os.environ), yaml.SafeLoader
    os.environ.update(dict.fromkeys(THREADS, "1"))
    yaml.SafeLoader = yaml.CSafeLoader  # as the library does
    for name in PACKAGES:
        import_module(name)
    import_module("stdatamodels.jwst.datamodels").MaskModel().close()
    added = {name: value for name, value in os.environ.items() if name not in {*before, *THREADS}}
    os.environ.clear()
    os.environ.update(before)
    yaml.SafeLoader = loader
    return added


def fork_jobs(python_script, server, added):
    """Make Snakemake's class PythonScript ask the socket `server` to fork, if the script has no own environment."""
    as_usual = python_script.execute_script

    def execute_script(self, fname, edit=False):
        if self.container_img is not None or self.conda_env is not None or self.env_modules is not None:
            return as_usual(self, fname, edit)
        from snakemake.benchmark import benchmarked

        temporary = dict.fromkeys(("TMPDIR", "TMP", "TEMP", "TEMPDIR"), self.resources.get("tmpdir", "/tmp"))
        environment = added | os.environ | dict.fromkeys(THREADS, str(self.threads)) | temporary
        request = json.dumps({"script": str(fname), "cwd": str(Path.cwd()), "environment": environment}).encode()
        answer, own = os.pipe()
        socket.send_fds(server, [request], [own])
        os.close(own)
        with os.fdopen(answer, encoding="ascii") as answers:
            process = int(answers.readline())
            with benchmarked(process if self.bench_record is not None else False, self.bench_record):
                status = int(answers.readline() or -signal.SIGKILL)
        if status:
            raise subprocess.CalledProcessError(status, f"{sys.executable} {fname}")
        return None

    python_script.execute_script = execute_script


def serve(requests):
    """Fork for each request from the socket `requests`, until it ends; returns after a job, in the fork."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    while True:
        request, answer, *_ = socket.recv_fds(requests, REQUEST_BYTES, 1)
        if not request:
            os._exit(0)
        if not os.fork():
            break
        os.close(answer[0])
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    requests.close()
    process = os.fork()
    if process:
        os.write(answer[0], f"{process}\n".encode())
        os.write(answer[0], f"{os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])}\n".encode())
        os._exit(0)
    os.close(answer[0])
    _become(**json.loads(request))


def _become(script, cwd, environment):
    """The job, in the fork; SystemExit or an exception with its status."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.path[0] = str(Path(script).parent)
    sys.argv = [script]
    runpy.run_path(script, run_name="__main__")
