"""A real Slurm on this machine for the time of a test: munged, slurmctld and a slurmd for each node, on loopback.

Everything it writes is in one directory. It needs no systemd and no cgroups, and ends each daemon by its process id.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
# The view of a node on a shared disk.
TOOLS = ("bindfs", "unshare")
CLIENTS = ("sbatch", "scancel", "scontrol", "sinfo", "squeue", "srun")
# Debian puts daemons where the PATH of users does not look.
SEARCH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
START_S = 30

CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={directory}/munge/socket
CredType=cred/munge
# On loopback alone.
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={directory}/state
SlurmdSpoolDir={directory}/spool-%n
SlurmctldPidFile={directory}/slurmctld.pid
SlurmdPidFile={directory}/%n.pid
SlurmctldLogFile={directory}/log/slurmctld.log
SlurmdLogFile={directory}/log/%n.log
# No cgroups.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=UsePss{memory_kill}
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
# The node may claim to be what it is not.
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1
PriorityType=priority/basic
CompleteWait=0
KillWait=2
InactiveLimit=0
# Finished jobs stay visible to squeue, which is asked for their state since there is no accounting.
MinJobAge=7200
SlurmctldTimeout=60
SlurmdTimeout=120
MessageTimeout=20
AccountingStorageType=accounting_storage/none
# Each job on the node with the most idle cores.
PartitionName=normal Nodes=ALL Default=YES MaxTime=INFINITE DefaultTime=10 DefMemPerCPU=100 LLN=YES State=UP
"""
# A node is a slurmd with a port of its own.
NODE = """\
NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cpus} Boards=1 SocketsPerBoard=1 \
CoresPerSocket={cpus} ThreadsPerCore=1 RealMemory={memory_mb} State=UNKNOWN
"""


def missing():
    """What keeps Slurm from being started here, in words; empty if nothing does."""
    absent = [name for name in DAEMONS + CLIENTS + TOOLS if shutil.which(name, path=SEARCH) is None]
    if absent:
        return f"no {', '.join(absent)} here: install slurmctld, slurmd, slurm-client, munge and bindfs"
    return "" if os.geteuid() == 0 else "only root can mount the disks of its nodes"


def _free_ports(number):
    """So many ports of loopback that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def late_view(directory, seconds, *words):
    """The command `words` on a machine to which `directory` is a shared disk whose new files appear late.

    A file that was looked for in vain stays absent for so many seconds, as with the cache of names of a network disk.
    Locks are of this machine alone.
    """
    mount = f"bindfs -o attr_timeout=0,entry_timeout={seconds},negative_timeout={seconds} {directory} {directory}"
    return ("unshare", "--mount", "sh", "-c", f'{mount} && exec "$@"', "sh", *words)


class Slurm:
    """A Slurm of `nodes` nodes: node1, node2, ...; `with Slurm() as slurm:` starts it and stops it.

    `late` is a directory and seconds: on each node, files of other nodes appear in this directory so much later.
    Each node claims `cpus` and `memory_mb`. With `memory_kill` a job that takes more memory than it asked for is
    killed.
    """

    def __init__(self, nodes=1, cpus=2, memory_mb=16000, memory_kill=False, late=None):
        # munged wants every directory above its socket to be searched by all, and its name to be short.
        self.directory = Path(tempfile.mkdtemp(prefix="badpix-slurm-"))
        self.directory.chmod(0o755)
        self.late = late
        self.nodes = [f"node{number}" for number in range(1, nodes + 1)]
        self._daemons = {}
        self._options = {"cpus": cpus, "memory_mb": memory_mb, "memory_kill": ",OverMemoryKill" if memory_kill else ""}

    def __enter__(self):
        try:
            self._prepare()
            self._start_munge()
            self.start_controller()
            for node in self.nodes:
                self.start_node(node)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def environment(self):
        """What a process needs in its environment to be a client of this Slurm."""
        path = os.pathsep.join([str(self.directory / "bin"), SEARCH])
        return {"SLURM_CONF": str(self.directory / "slurm.conf"), "PATH": path}

    def client(self, *words, timeout=20):
        """Run a command of Slurm and return its output; subprocess.CalledProcessError if it fails."""
        return subprocess.run(
            words, env=os.environ | self.environment, check=True, capture_output=True, text=True, timeout=timeout
        ).stdout

    def jobs(self):
        """Job id -> fields of `scontrol show job`."""
        output = self.client("scontrol", "--oneliner", "show", "job")
        rows = [dict(field.split("=", 1) for field in line.split() if "=" in field) for line in output.splitlines()]
        return {int(row["JobId"]): row for row in rows if "JobId" in row}

    def _log(self, node):
        return self.directory / "log" / f"{node}.log"

    def start_controller(self):
        """Start slurmctld, for the first time or again: it knows its jobs from its state directory."""
        self._launch("slurmctld", "slurmctld", "-D")
        self._wait("slurmctld", lambda: "UP" in self.client("scontrol", "ping"))

    def kill_controller(self):
        """Kill slurmctld, as a crash does."""
        self._end("slurmctld", signal.SIGKILL)

    def start_node(self, node):
        """Start the slurmd of a node, for the first time or again."""
        words = ("slurmd", "-D", "-N", node)
        self._launch(node, *(late_view(*self.late, *words) if self.late else words), SLURMD_NODENAME=node)
        self._wait(node, lambda: self.client("sinfo", "--noheader", "--nodes", node, "--format=%T").strip() == "idle")

    def processes(self, node):
        """The ids of all processes of a node: slurmd, the slurmstepd of its jobs, and what they started."""
        # Jobs have the name of their node in the environment; slurmstepd has none, but the log of its node open.
        marks, log = (f"SLURMD_NODENAME={node}\0".encode(), bytes(self.directory / "bin")), self._log(node)
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                environment = (entry / "environ").read_bytes()
                if all(m in environment for m in marks) or any(f.readlink() == log for f in (entry / "fd").iterdir()):
                    found.append(int(entry.name))
        return found

    def signal(self, node, how, only=""):
        """Send a signal to all processes of a node, or to those with `only` in the command."""
        for process in self.processes(node):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if only.encode() in Path(f"/proc/{process}/cmdline").read_bytes():
                    os.kill(process, how)

    def runs_jobs(self, node):
        """Whether any process of a job is on a node, also on one whose slurmd is gone."""
        commands = (Path(f"/proc/{process}/comm") for process in self.processes(node))
        return any(command.read_text().strip() == "slurmstepd" for command in commands if command.exists())

    def lose_node(self, node, kill=True):
        """Let a node fail, with all its processes; without `kill` they are stopped and may go on, except its slurmd.

        Slurm is told that the node is down, as a health check does; by itself it notices after SlurmdTimeout. The jobs
        of the node are in the queue again, to start at once, not after the two minutes that Slurm waits. A node that is
        back within these minutes would get the order to kill the jobs that it lost.
        """
        self._end(node, signal.SIGKILL)
        self.signal(node, signal.SIGSTOP)
        if kill:
            self.signal(node, signal.SIGKILL)
        lost = [
            number
            for number, job in self.jobs().items()
            if job.get("BatchHost") == node and job["JobState"] == "RUNNING"
        ]
        self.client("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=lost")
        for number in lost:
            self.client("scontrol", "update", f"JobId={number}", "StartTime=now")

    def stop(self):
        """Cancel all jobs, end the daemons, and take their directory away."""
        if "slurmctld" in self._daemons:
            with contextlib.suppress(subprocess.SubprocessError):
                self.client("scancel", "--user", str(os.geteuid()))
                self._wait("slurmctld", lambda: not self.client("squeue", "--noheader").strip())
        for node in self.nodes:
            self._end(node, signal.SIGTERM)
            self.signal(node, signal.SIGKILL)
        for name in ("slurmctld", "munged"):
            self._end(name, signal.SIGTERM)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _prepare(self):
        for name in ("bin", "log", "munge", "state"):
            (self.directory / name).mkdir(mode=0o755)
        fields = self._options | {
            "directory": self.directory,
            "host": socket.gethostname().split(".")[0],
            "user": subprocess.check_output(["id", "--user", "--name"], text=True).strip(),
        }
        port, *ports = _free_ports(1 + len(self.nodes))
        nodes = (NODE.format(name=n, port=p, **fields) for n, p in zip(self.nodes, ports, strict=True))
        text = CONFIGURATION.format(port=port, **fields) + "".join(nodes)
        (self.directory / "slurm.conf").write_text(text, encoding="utf-8")
        for name in CLIENTS:
            # A job's own Snakemake takes SLURM_CONF out of the environment of its srun, as it takes all of SLURM_*.
            wrapper = self.directory / "bin" / name
            program = shutil.which(name, path=SEARCH)
            wrapper.write_text(f'#!/bin/sh\nSLURM_CONF={self.directory}/slurm.conf exec {program} "$@"\n')
            wrapper.chmod(0o755)

    def _start_munge(self):
        munge = self.directory / "munge"
        key = munge / "key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(1024))
        self._launch(
            "munged", "munged", "--foreground", f"--key-file={key}", f"--socket={munge}/socket",
            f"--pid-file={munge}/pid", f"--log-file={self.directory}/log/munged.log", f"--seed-file={munge}/seed",
        )  # fmt: skip
        self._wait("munged", lambda: self.client("munge", "--socket", f"{munge}/socket", "--no-input"))

    def _launch(self, name, *words, **environment):
        with (self.directory / "log" / f"{name}.out").open("ab") as output:
            self._daemons[name] = subprocess.Popen(
                [shutil.which(words[0], path=SEARCH), *words[1:]],
                env=os.environ | self.environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _wait(self, name, condition):
        """Wait until `condition()` holds while the daemon `name` lives."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._daemons[name].poll() is None:
            with contextlib.suppress(subprocess.SubprocessError):
                if condition():
                    return
            time.sleep(0.1)
        logs = "\n".join(path.read_text(errors="replace")[-2000:] for path in (self.directory / "log").glob(f"{name}*"))
        raise RuntimeError(f"{name} did not get ready within {START_S} s:\n{logs}")

    def _end(self, name, how):
        daemon = self._daemons.pop(name, None)
        if daemon is None:
            return
        daemon.send_signal(how)
        try:
            daemon.wait(15)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
