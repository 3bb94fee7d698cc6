"""Samples: files with one meaning."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from quarkline.catalog.drawing import SampleDrawing
from quarkline.catalog.files import Files
from quarkline.catalog.names import Listed
from quarkline.catalog.written import Written
from quarkline.engine.core.config import Config


class Arithmetic(Config):
    """What is done with the histogram of a sample and those of others."""

    kind: Literal["add", "subtract", "multiply", "divide", "normalise"] = Field(
        description="`normalise` scales the sample to the yield of the other."
    )
    samples: Listed[str] = Field(description="The other samples.", min_length=1)


class Replaced(Config):
    """In whose stead a sample stands in one set of Asimov data."""

    name: str = Field(description="Name of the set.")
    sample: str = Field(description="The sample it replaces.")


class Sample(Config):
    """Files with one meaning, such as one process."""

    role: Literal["signal", "background", "data", "reference"] = Field(
        "background", description="`reference` samples serve others only, and enter no sum."
    )
    title: str = Field("", description="Name in legends.")
    tex_title: str = Field("", description="Name in tables.")
    group: str = Field("", description="Samples of one group are drawn together.")
    files: Files = Field(default_factory=Files)
    use_friends: bool = Field(False, description="Whether its friend trees are read.")
    weight: Written | None = Field(None, description="Factor of the weight of each event.")
    selection: Written | None = Field(None, description="Cut on top of the region's.")
    ignore_selection: bool | Written = Field(
        False, description="Whether other cuts are left out, or the part that is left out."
    )
    ignore_weight: bool | Written = Field(
        False,
        description="Whether weights of analysis and region are left out, or the part that is.",
    )
    normalised_by_theory: bool = Field(
        True, description="Whether the analysis' weights and luminosity apply."
    )
    scales: Listed[float] = Field(
        default_factory=list, description="Factor after filling, one for all files or one each."
    )
    regions: Listed[str] = Field(
        default_factory=lambda: ["all"], description="Regions it is in; `*` is a wildcard."
    )
    exclude: Listed[str] = Field(default_factory=list, description="Regions it is not in.")
    arithmetic: list[Arithmetic] = Field(default_factory=list)
    mc_statistics: bool = Field(True, description="Whether its statistical errors count.")
    separate_mc_statistics: bool = Field(
        False, description="Whether these have parameters of their own."
    )
    mc_statistics_scale: float = Field(1.0, description="Factor of its statistical errors.")
    share_mc_statistics_in: Listed[str] = Field(
        default_factory=list, description="Regions in which the parameters are the same."
    )
    share_mc_statistics_with: str | None = Field(
        None, description="Sample whose parameters it has."
    )
    use_systematics: bool | None = Field(
        None, description="Whether systematics apply to it; null: to signals and backgrounds."
    )
    systematics_from: str | None = Field(
        None, description="Sample whose relative variations it takes."
    )
    smooth: bool = Field(False, description="Whether its nominal histogram is smoothed.")
    asimov_for: Replaced | None = None
    drawing: SampleDrawing = Field(default_factory=SampleDrawing)
    blind: bool = Field(False, description="Whether nothing of it is shown.")

    @property
    def has_systematics(self) -> bool:
        """Whether systematics apply to it."""
        simulated = self.role in {"signal", "background"}
        wanted = simulated if self.use_systematics is None else self.use_systematics
        return wanted and self.role != "data"
