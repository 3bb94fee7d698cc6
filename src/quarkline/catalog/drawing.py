"""How figures and tables of an analysis look; nothing here changes templates or fits."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from quarkline.catalog.names import Listed
from quarkline.engine.core.config import Config

Range = tuple[float | None, float | None]


SignalLine = Literal["none", "normalised", "scaled"]
RatioOf = Literal["data/total", "data/background", "s/b", "s/sqrt(b)", "s/sqrt(s+b)"]
Kind = Literal[
    "regions",
    "summary",
    "merged",
    "tables",
    "signal-regions",
    "pie-charts",
    "controls-with-data",
    "normalisation",
]
USUAL: list[Kind] = [
    "regions",
    "summary",
    "tables",
    "signal-regions",
    "pie-charts",
    "normalisation",
]


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
    luminosity: str = Field("", description="Text for the luminosity, if another than elsewhere.")
    energy: str = Field("", description="Centre-of-mass energy, if another than elsewhere.")


class SampleDrawing(Config):
    """How a sample looks."""

    fill: str | None = Field(None, description="Colour of its area, as `#rrggbb`.")
    line: str | None = Field(None, description="Colour of its line.")
    pull_table: Literal["norm", "norm+shape"] | None = Field(
        None, description="Whether a table shows what each pulled parameter does to it."
    )


class TableDrawing(Config):
    """How tables look."""

    standalone: bool = Field(True, description="Whether TeX files are whole documents.")
    small: bool = Field(False, description="Whether they are set in footnote size.")
    landscape: bool = False
    clean: bool = Field(False, description="Whether TeX files without `#` are written, too.")
    by_category: bool = Field(False, description="Whether systematics are summed by category, too.")
    rounded: Listed[Literal["txt", "tex"]] = Field(
        default_factory=list, description="Files whose numbers are rounded by their errors."
    )


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
    signal_line: SignalLine = Field(
        "none", description="Line of the signal over the stack, scaled to its total or a factor."
    )
    signal_scale: float = Field(1.0, gt=0, description="The factor of `scaled`.")
    signal_in_stack: bool = True
    chi2: bool = Field(False, description="Whether χ² and its probability are written.")
    chi2_errors: Literal["statistical", "all"] = Field("all", description="Errors in χ².")
    poisson_errors: bool = Field(
        True, description="Whether data have Poisson intervals; else the root of the count."
    )
    scale_to_data: Listed[str] = Field(
        default_factory=list,
        description="Samples that figures and tables scale in each region to what data leave them.",
    )
    x_errors: bool = Field(False, description="Whether points have bars as wide as their bins.")
    ratio: RatioOf | None = Field("data/total", description="The lower panel; null for none.")
    before_over_after: bool = Field(False, description="Whether the pre-fit total is drawn after.")
    ratio_title: str = Field("", description="Name of the lower panel's axis, if not the usual.")
    ratio_range: Range = Field((None, None), description="Range of the lower panel.")
    ratio_range_after: Range = (None, None)
    correlation_threshold: float = Field(
        0.0, ge=0, le=1, description="Parameters without a larger correlation are left out."
    )
    correlations_of_bins: bool = Field(
        False, description="Whether statistical errors of bins are in the correlation matrix."
    )
    hidden_parameters: Listed[str] = Field(
        default_factory=list, description="Parameters left out of pulls and correlations."
    )
    wanted: Listed[Kind] = Field(
        default_factory=lambda: list(USUAL), description="What is drawn and written."
    )
    summary_regions: Listed[str] = Field(
        default_factory=list, description="Regions of the summary; all if empty."
    )
    summary_validation_regions: Listed[str] = Field(
        default_factory=list, description="Regions of the validation summary; all if empty."
    )
    summary_log: bool = True
    summary_y_range: Range = Field((None, None), description="Range of the summary's y axis.")
    summary_prefix: str = Field("", description="What names of the summary's files begin with.")
    summary_signal_line: SignalLine | None = Field(None, description="If not `signal_line`.")
    summary_signal_in_stack: bool | None = Field(None, description="If not `signal_in_stack`.")
    control_figures: bool = Field(True, description="Whether each systematic is drawn.")
    tables: TableDrawing = Field(default_factory=TableDrawing)
    hepdata: bool = Field(False, description="Whether tables for HEPData are written.")
    region_groups: Listed[str] = Field(
        default_factory=list, description="Groups of regions with tables and figures of their own."
    )
    signal_regions: Listed[str] = Field(
        default_factory=list,
        description="Regions of the S/B figure and the pie charts; `EMPTY` and `ENDL` lay out.",
    )
    ranking: Listed[Literal["merged", "systematics", "gammas"]] = Field(
        default=["merged"], description="Figures of the ranking."
    )
    validation_pruning: bool = Field(
        False, description="Whether the pruning is shown for validation regions."
    )
    poi_title: str = ""
    poi_precision: int = Field(2, ge=0)
