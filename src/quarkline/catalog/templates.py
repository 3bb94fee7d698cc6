"""How histograms become templates of the fit: what holds for all of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from quarkline.engine.core.config import Config


class Pruning(Config):
    """Which parts of systematics are too small to keep."""

    norm: float = Field(0.0, ge=0, description="Relative change of the yield below which it goes.")
    shape: float = Field(0.0, ge=0, description="Relative change of every bin below which it goes.")
    large: float | None = Field(None, ge=0, description="Change above which it is suspicious.")
    remove_large: bool = Field(True, description="Whether suspicious ones go, too.")
    remove_on_empty: bool = Field(
        False, description="Whether systematics go on samples of less than 1e-4 events."
    )
    reference: Literal["sample", "background", "combined"] = Field(
        "sample", description="What changes are relative to."
    )
    shape_test: Literal["largest-bin", "ks-test"] = "largest-bin"


class Templates(Config):
    """How all histograms are treated."""

    merge_flow: bool | None = Field(
        None, description="Whether what lies outside joins the edge bins; None: if from ntuples."
    )
    mc_statistics: Literal["poisson", "gaussian"] | None = Field(
        "poisson", description="Constraint of the bins' statistical errors; null leaves them out."
    )
    mc_statistics_threshold: float = Field(
        0.0, ge=0, description="Relative error below which a bin has none."
    )
    guess_empty_bins: bool = Field(False, description="Whether empty bins get an error.")
    repair_negative_sums: bool = False
    smoothing_rule: str = Field("MAXVARIATION", description="How variations are smoothed.")
    symmetric_shapes: bool = Field(
        False,
        description="Whether variations are scaled to the nominal yield before their shapes are "
        "smoothed and symmetrised, so that these stay symmetric.",
    )
    pruning: Pruning = Field(default_factory=Pruning)
    statistics_only: bool = Field(False, description="Whether systematics are left out.")
    max_events: int | None = Field(None, ge=1, description="Events read of each tree.")
