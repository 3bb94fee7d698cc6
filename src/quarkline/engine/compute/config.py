"""Config of where the work runs; none of it is ever part of a content key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from quarkline.engine.compute.batch.config import HTCondorConfig, SlurmConfig
from quarkline.engine.core.config import Config, ConfigPath, resolve_path


def _cluster(value: Any) -> Any:
    """An address as it is; the path of a scheduler file resolved like every path."""
    return value if not isinstance(value, str) or "://" in value else str(resolve_path(value))


class ComputeConfig(Config):
    """Where and how to compute; never part of a content key."""

    workers: int | None = Field(None, ge=1, description="Processes; default: all cores.")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where models train.")
    devices: int = Field(
        1, ge=1, description="GPUs that share one training; on the CPU, processes."
    )
    cluster: Annotated[str | None, BeforeValidator(_cluster)] = Field(
        None, description="A Dask cluster instead: `tcp://HOST:PORT`, or its scheduler file."
    )
    batch: SlurmConfig | HTCondorConfig | None = Field(
        None, discriminator="kind", description="Jobs of a batch system instead."
    )
    submit_dir: ConfigPath | None = Field(
        None, description="Scripts and logs of jobs; default: beside the results."
    )

    @model_validator(mode="after")
    def _one_place(self) -> ComputeConfig:
        if self.cluster is not None and self.batch is not None:
            msg = "the work runs on a `cluster` or in `batch` jobs, not both"
            raise ValueError(msg)
        return self

    @property
    def device_of_workers(self) -> str:
        """What a worker is told: the kind of device, and how many if more than one."""
        return self.device if self.devices == 1 else f"{self.device}:{self.devices}"


def compute_overrides(values: Mapping[str, Any]) -> list[str]:
    """Values of the `compute` section as texts for `--set`, which win over every layer.

    Args:
        values: JSON values by key.
    """
    return [f"compute.{key}={json.dumps(value)}" for key, value in values.items()]
