"""A real Slurm of one computer on loopback: `python tests/farm/slurm.py FOLDER COMMAND...`

It installs Debian's packages where they are missing, keeps keys, config and state in a folder of
its own, runs its three daemons as children and ends them by their numbers.
"""

from __future__ import annotations

import contextlib
import os
import platform
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo")
PACKAGES = ("slurm-wlm", "munge")
CONFIG = """
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={daemon}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
KillWait=2
MinJobAge=2
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=2000 State=UNKNOWN
PartitionName=debug Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class CannotRunError(Exception):
    """Why there can be no Slurm here."""


def install() -> None:
    """Install what is missing.

    Raises:
        CannotRunError: If this is not a Debian on which we are root.
    """
    if all(map(shutil.which, PROGRAMS)):
        return
    if platform.system() != "Linux" or not shutil.which("apt-get"):
        raise CannotRunError("Slurm is not installed, and there is no apt-get to install it")
    if os.geteuid() != 0:
        raise CannotRunError("Slurm is not installed, and only root could install it")
    quiet = ["apt-get", "-qq", "-o=Dpkg::Use-Pty=0"]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--no-install-recommends", "--yes", *PACKAGES]):
        done = subprocess.run([*quiet, *command], env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            msg = f"apt-get {command[0]} failed: {done.stderr.strip()[-500:]}"
            raise CannotRunError(msg)


@contextlib.contextmanager
def slurm(folder: Path) -> Iterator[dict[str, str]]:
    """Run Slurm while the block runs; gives what its commands need in their environment.

    Raises:
        CannotRunError: If it cannot be installed or does not start.
    """
    if os.geteuid() != 0:
        raise CannotRunError("Slurm's daemons need root")
    install()
    config = _configure(folder)
    environment = os.environ | {"SLURM_CONF": str(config)}
    daemons = (
        ["munged", "--foreground", "--force", *_munge_options(folder)],
        ["slurmctld", "-D", "-f", str(config)],
        ["slurmd", "-D", "-f", str(config)],
    )
    started: list[subprocess.Popen[bytes]] = []
    try:
        for command in daemons:
            with (folder / f"{command[0]}.out").open("wb") as out:
                started.append(
                    subprocess.Popen(command, env=environment, stdout=out, stderr=out, cwd=folder)
                )
            if command[0] == "munged":
                _wait((folder / "munge.socket").exists, "munged", folder)
        _wait(lambda: _is_idle(environment), "slurmd", folder)
        yield {"SLURM_CONF": str(config)}
    finally:
        _end_jobs(environment)
        for process in reversed(started):
            process.terminate()
        for process in reversed(started):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()


def _end_jobs(environment: dict[str, str]) -> None:
    """End what failed tests left: a job would outlive the daemons."""
    subprocess.run(["scancel", "--user=root"], env=environment, capture_output=True)
    for _ in range(50):
        command = ["squeue", "--noheader"]
        if not subprocess.run(command, env=environment, capture_output=True).stdout:
            return
        time.sleep(0.2)


def _configure(folder: Path) -> Path:
    for part in ("state", "spool"):
        (folder / part).mkdir(parents=True)
    folder.chmod(0o755)  # munged refuses a socket that others cannot reach
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o600)
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
    host = platform.node().partition(".")[0]
    config = folder / "slurm.conf"
    controller, daemon = _free_ports(2)
    config.write_text(CONFIG.format(folder=folder, host=host, controller=controller, daemon=daemon))
    return config


def _munge_options(folder: Path) -> list[str]:
    files = {"key-file": "key", "log-file": "log", "pid-file": "pid", "seed-file": "seed"}
    options = [f"--{option}={folder}/munge.{ending}" for option, ending in files.items()]
    return [*options, f"--socket={folder}/munge.socket"]


def _free_ports(number: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _is_idle(environment: dict[str, str]) -> bool:
    command = ["sinfo", "--noheader", "--format=%T"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    return done.stdout.strip() == "idle"


def _wait(is_ready: Callable[[], bool], what: str, folder: Path, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_ready():
        if time.monotonic() > deadline:
            logs = sorted([*folder.glob("*.log"), *folder.glob("*.out")])
            told = "\n".join(f"{log.name}: {log.read_text()[-800:]}" for log in logs)
            msg = f"{what} does not start\n{told}"
            raise CannotRunError(msg)
        time.sleep(0.1)


if __name__ == "__main__":
    try:
        with slurm(Path(sys.argv[1]).absolute()) as variables:
            sys.exit(subprocess.run(sys.argv[2:], env=os.environ | variables).returncode)
    except CannotRunError as error:
        sys.exit(f"{error}")
