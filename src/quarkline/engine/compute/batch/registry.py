"""The batch systems that are known, by the `kind` of their config."""

from __future__ import annotations

from quarkline.engine.compute.batch.htcondor import HTCondor
from quarkline.engine.compute.batch.slurm import Slurm
from quarkline.engine.compute.batch.systems import BatchSystem

SYSTEMS: dict[str, type[BatchSystem]] = {"slurm": Slurm, "htcondor": HTCondor}


def find_system(kind: str) -> BatchSystem:
    """The batch system of that name."""
    return SYSTEMS[kind]()
