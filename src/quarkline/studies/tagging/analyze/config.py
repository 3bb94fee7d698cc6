"""The config of the choice of an epoch and of what is measured of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from quarkline.engine.core.config import Config


class AnalyzeConfig(Config):
    """How an epoch is chosen, and what is measured of the epochs that are looked at."""

    performance: str = Field(
        "val_original_lossf",
        min_length=1,
        description="Metric of an epoch that says how well it tells jets apart; one with `loss` in "
        "its name is better when lower, any other when higher.",
    )
    ks: Literal["worst", "sum"] = Field(
        "worst",
        description="How far data and simulation lie apart: the largest K-S distance of any output "
        "and pT bin, or the sum over outputs and bins.",
    )
    ks_limit: float = Field(
        0.1, gt=0, description="K-S below which the best performance is taken; else the knee."
    )
    best: int = Field(2, ge=1, description="Epochs looked at for each of the four reasons.")
    efficiencies: tuple[float, ...] = Field(
        (0.5, 0.8), description="Signal efficiencies at which rejections are told."
    )
    mistags: tuple[float, ...] = Field(
        (0.01,), description="QCD efficiencies at which signal efficiencies are told."
    )
