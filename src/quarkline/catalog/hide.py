"""Where figures show no data."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from quarkline.engine.core.config import Config


class Hide(Config):
    """Where figures show no data; `blind` keeps data unread.

    Hidden bins are counted and fitted. Hidden signal regions are fitted to Asimov data, as
    TRExFitter does it.
    """

    threshold: float | None = Field(
        None, ge=0, description="Bins in which the ratio exceeds this show no data."
    )
    ratio: Literal["s/b", "s/(s+b)", "s/sqrt(b)", "s/sqrt(s+b)"] = Field(
        "s/b", description="The ratio of signal to background meant."
    )
    same_after_fit: bool = Field(
        False, description="Whether the bins hidden before the fit are those hidden after it."
    )
    signal_regions: bool = Field(False, description="Whether signal regions show no data at all.")
