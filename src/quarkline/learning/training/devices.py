"""Where a training computes: one device, or several that share each batch."""

from __future__ import annotations

import logging
from typing import Any, Literal, cast

import torch
from lightning.fabric import Fabric
from lightning.fabric.plugins import MixedPrecision
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from torch import Tensor

logging.getLogger("lightning.fabric").setLevel(logging.WARNING)  # else each process says hello

Precision = Literal["32", "16-mixed", "bf16-mixed"]


def new_fabric(precision: Precision, *, devices: int = 1) -> Fabric:
    """GPUs where this process sees any, else the CPU.

    Args:
        precision: Of the steps.
        devices: GPUs, or processes on the CPU; more than one are new processes.
    """
    accelerator = "cuda" if torch.cuda.is_available() else "cpu"
    plugins: list[Any] = [LightningEnvironment()]  # a job of ours is one process, not Slurm's
    if precision != "32":
        plugins.append(MixedPrecision(precision, accelerator))  # the CPU knows float16, too
    return Fabric(
        accelerator=accelerator,
        devices=devices,
        strategy="ddp_spawn" if devices > 1 else "auto",
        plugins=plugins,
    )


def summed(fabric: Fabric, mine: Tensor) -> Tensor:
    """The sum of every process's tensor."""
    return cast("Tensor", fabric.all_reduce(mine, reduce_op="sum"))


def gathered(fabric: Fabric, mine: Tensor, count: int) -> Tensor:
    """The parts of all processes in order, of `count` rows in all.

    Args:
        fabric: The processes.
        mine: This process's part, as `tensor_split` shares `count` rows out.
        count: Rows of all processes.
    """
    if fabric.world_size == 1:
        return mine
    rows = torch.arange(count, device=mine.device).tensor_split(fabric.world_size)
    together = torch.zeros((count, *mine.shape[1:]), dtype=mine.dtype, device=mine.device)
    together[rows[fabric.global_rank]] = mine
    return summed(fabric, together)
