"""What is done with the likelihood of an analysis: fits, scans, rankings, limits."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from quarkline.catalog.names import Listed
from quarkline.engine.core.config import Config


class ScanSettings(Config):
    """The likelihood along a parameter, or two."""

    parameters: Listed[str] = Field(min_length=1, max_length=2, description="One name, or two.")
    low: Listed[float | None] | None = Field(
        None, description="Where it begins, for each; null: -3 σ."
    )
    high: Listed[float | None] | None = Field(None, description="Where it ends, for each.")
    steps: Listed[int] = Field(default_factory=lambda: [30], description="Points, for each.")


class RandomStart(Config):
    """Nuisance parameters that do not begin at zero."""

    width: float = Field(gt=0, description="Half the width of the range they are drawn from.")
    seed: int = 0


class FitSettings(Config):
    """How the likelihood is fitted."""

    hypothesis: Literal["signal+background", "background"] = Field(
        "signal+background", description="`background` fixes the measured parameter at 0."
    )
    regions: Listed[str] = Field(
        default_factory=lambda: ["signal", "control"],
        description="Roles or names of the regions that are fitted; never validation regions.",
    )
    data: Literal["observed", "asimov"] = Field("observed", description="What is fitted.")
    asimov: dict[str, float] = Field(
        default_factory=dict, description="Parameters of the Asimov data, by name; others nominal."
    )
    asimov_from: str | None = Field(
        None, description="File with a fit's result whose values the Asimov data have."
    )
    pseudo_data: str | None = Field(
        None, description="Set of samples, by `asimov_for`, whose sum is fitted as data."
    )
    shift_measurements: bool = Field(
        False, description="Whether auxiliary measurements of Asimov data have these values, too."
    )
    fixed: dict[str, float] = Field(default_factory=dict, description="Parameters held there.")
    free: Listed[str] = Field(
        default_factory=list, description="Constant norm factors that are fitted all the same."
    )
    minos: Listed[str] = Field(
        default_factory=list, description="Parameters with asymmetric errors; `all` for all."
    )
    statistics_only: bool = Field(False, description="Whether all but norm factors is fixed.")
    fix_norm_factors: bool = Field(
        False,
        description="Whether `statistics_only` fixes norm factors that are not measured, too.",
    )
    fitted_gammas: bool = Field(
        True, description="Whether the expectation after the fit has the fitted errors of bins."
    )
    scans: list[ScanSettings] = Field(default_factory=list)
    goodness_of_fit: bool = Field(False, description="Whether the saturated model is compared.")
    toys: int = Field(0, ge=0, description="Fits of pseudo-data.")
    seed: int = Field(1, description="Seed of pseudo-data.")
    toys_with: dict[str, float] = Field(
        default_factory=dict,
        description="Parameters of the pseudo-data, by name; others as in Asimov data.",
    )
    toys_hold: Listed[str] = Field(
        default_factory=list,
        description="Parameters that fits of pseudo-data hold at their nominal values.",
    )
    strategy: Literal[0, 1, 2] = Field(1, description="Minuit's strategy.")
    random_start: RandomStart | None = None
    hidden_parameters: Listed[str] = Field(
        default_factory=list, description="Parameters whose values are not shown."
    )


class RankingSettings(Config):
    """Which parameters move the measured one."""

    parameters: Listed[str] = Field(default_factory=lambda: ["all"], description="Which ones.")
    most: int = Field(20, ge=1, description="How many a figure shows.")
    include_pois: bool = Field(False, description="Whether norm factors that are measured count.")


class LimitSettings(Config):
    """An upper limit by CLs."""

    poi: str | None = Field(None, description="Parameter limited; the measured one if none.")
    level: float = Field(0.95, gt=0, lt=1, description="Confidence level.")
    data: Literal["observed", "asimov"] = Field("observed", description="Whether data are used.")
    injected: float | None = Field(
        None, description="Strength of a signal for which the limit is expected, too."
    )
    method: Literal["asymptotic", "toys"] = "asymptotic"
    toys: int = Field(2000, ge=1, description="Pseudo-data for each value and hypothesis.")


class SignificanceSettings(Config):
    """How unlikely the data are without signal."""

    poi: str | None = Field(None, description="Parameter of the signal; the measured one if none.")
    data: Literal["observed", "asimov"] = Field("observed", description="Whether data are used.")
    expected_with: float = Field(1.0, description="Strength with which it is expected.")
