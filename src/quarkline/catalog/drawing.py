"""How figures and tables of an analysis look; nothing here changes a number."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from quarkline.catalog.names import Listed
from quarkline.engine.core.config import Config

Range = tuple[float | None, float | None]


class RegionDrawing(Config):
    """How the figure of one region looks."""

    log: bool = Field(False, description="Whether the y axis is logarithmic.")
    y_range: Range = Field((None, None), description="Lowest and highest value of the y axis.")
    headroom: float | None = Field(None, gt=0, description="Highest y over the highest bin.")
    x_range: tuple[float, float] | None = None
    y_title: str = ""
    ratio_range: Range = Field((None, None), description="Range of the ratio.")
    ratio_range_after: Range = Field((None, None), description="The same after the fit.")
    bin_width: float | None = Field(
        None, gt=0, description="Bins of another width are scaled to this one."
    )
    bin_labels: Listed[str] = Field(default_factory=list, description="Names of the bins.")


class SampleDrawing(Config):
    """How a sample looks."""

    fill: str | None = Field(None, description="Colour of its area, as `#rrggbb`.")
    line: str | None = Field(None, description="Colour of its line.")


class Drawing(Config):
    """How all figures and tables look."""

    label: str = Field("", description="Text below the experiment's name.")
    experiment: str = Field("", description="Name in the corner.")
    status: str = Field("", description="Kind of result, such as `Internal`.")
    energy: str = Field("", description="Centre-of-mass energy with its unit.")
    formats: Listed[Literal["pdf", "png", "svg"]] = Field(
        default=["pdf", "png"], description="Formats of figures."
    )
    yields: bool = Field(False, description="Whether legends hold yields.")
    signal_line: Literal["none", "normalised", "scaled"] = Field(
        "none", description="Line of the signal over the stack, scaled to its total or a factor."
    )
    signal_scale: float = Field(1.0, gt=0, description="The factor of `scaled`.")
    signal_in_stack: bool = True
    chi2: bool = Field(False, description="Whether χ² and its probability are written.")
    before_over_after: bool = Field(False, description="Whether the pre-fit total is drawn after.")
    ratio_title: str = "Data / pred."
    ratio_range: Range = (0.5, 1.5)
    ratio_range_after: Range = (None, None)
    correlation_threshold: float = Field(
        0.0, ge=0, le=1, description="Parameters without a larger correlation are left out."
    )
    summary_regions: Listed[str] = Field(
        default_factory=list, description="Regions of the summary; all if empty."
    )
    summary_log: bool = True
    signal_regions: Listed[str] = Field(
        default_factory=list, description="Regions of the S/B figure and the pie charts."
    )
    control_figures: bool = Field(True, description="Whether each systematic is drawn.")
    poi_title: str = ""
    poi_precision: int = Field(2, ge=0)
