"""Config of batch jobs: what each asks of the batch system, and how its environment is set up."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from quarkline.engine.core.config import Config

SIZE = r"^[1-9][0-9]{0,6} ?[MGT]B$"
TIME = r"^([0-9]{1,2}-)?[0-9]{1,3}:[0-5][0-9]:[0-5][0-9]$"
WORD = r"^[A-Za-z0-9][A-Za-z0-9_.,:@-]*$"

JobFlavour = Literal[
    "espresso", "microcentury", "longlunch", "workday", "tomorrow", "testmatch", "nextweek"
]


class JobConfig(Config):
    """What a job of any batch system asks for."""

    cpus: int = Field(1, ge=1, description="Cores of a job; an item uses one.")
    memory: str = Field("2GB", pattern=SIZE, description="Memory of a job, such as 2GB or 500MB.")
    disk: str | None = Field(None, pattern=SIZE, description="Scratch space of a job.")
    gpus: int = Field(0, ge=0, description="GPUs of a job.")
    time: str | None = Field(
        None, pattern=TIME, description="Longest time of a job: hours:minutes:seconds."
    )
    items_per_job: int = Field(1, ge=1, description="Items that a job does one after another.")
    retries: int = Field(
        1, ge=0, description="How often an item whose job was lost or held gets another job."
    )
    python: str | None = Field(
        None, description="Python that runs a job; default: the one that submits it."
    )
    setup: list[str] = Field([], description="Shell lines that a job runs first.")
    extra: list[str] = Field([], description="Further lines for the batch system, as they are.")


class SlurmConfig(JobConfig):
    """Job arrays of Slurm."""

    kind: Literal["slurm"] = "slurm"
    partition: str | None = Field(None, pattern=WORD, description="Partition of the jobs.")
    account: str | None = Field(None, pattern=WORD, description="Account that pays for the jobs.")


class HTCondorConfig(JobConfig):
    """Job clusters of HTCondor."""

    kind: Literal["htcondor"] = "htcondor"
    flavour: JobFlavour | None = Field(None, description="CERN's name for a longest time.")
    group: str | None = Field(None, pattern=WORD, description="Accounting group of the jobs.")


BatchConfig = Annotated[SlurmConfig | HTCondorConfig, Field(discriminator="kind")]
