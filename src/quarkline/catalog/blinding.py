"""What must not be looked at."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from quarkline.engine.core.config import Config


class Blinding(Config):
    """Where data are hidden. Bins hidden by a threshold still enter the fit."""

    threshold: float | None = Field(
        None, ge=0, description="Bins of figures in which the ratio exceeds this show no data."
    )
    ratio: Literal["s/b", "s/(s+b)", "s/sqrt(b)", "s/sqrt(s+b)"] = Field(
        "s/b", description="The ratio of signal to background meant."
    )
    signal_regions: bool = Field(
        False, description="Whether data of signal regions are hidden altogether."
    )
