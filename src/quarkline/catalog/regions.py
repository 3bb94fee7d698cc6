"""Regions: a selection, the variable that is looked at in it, and its bins."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from quarkline.catalog.drawing import RegionDrawing
from quarkline.catalog.files import Files
from quarkline.catalog.names import Listed
from quarkline.catalog.written import Written
from quarkline.engine.core.config import Config


class Uniform(Config):
    """Bins of one width."""

    kind: Literal["uniform"] = "uniform"
    bins: int = Field(ge=1, le=1_000_000)
    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Uniform:
        if self.low >= self.high:
            message = f"the range {self.low:g} to {self.high:g} is empty"
            raise ValueError(message)
        return self


class Edges(Config):
    """Bins by their edges."""

    kind: Literal["edges"] = "edges"
    edges: list[float] = Field(min_length=2)

    @model_validator(mode="after")
    def _rising(self) -> Edges:
        if any(low >= high for low, high in pairwise(self.edges)):
            message = f"the edges {', '.join(f'{edge:g}' for edge in self.edges)} do not rise"
            raise ValueError(message)
        return self


class Automatic(Config):
    """Bins merged from fine ones, from the right, by how much signal and background they hold."""

    kind: Literal["automatic"] = "automatic"
    rule: Literal["TransfoD", "TransfoF", "TransfoJ"] = "TransfoD"
    parameters: list[float] = Field(
        description="Of the rule; for TransfoD the shares of signal and background."
    )
    fine: Uniform | None = Field(None, description="The fine bins; those of the histogram if none.")


Binning = Annotated[Uniform | Edges | Automatic, Field(discriminator="kind")]


class BinOf(Config):
    """A bin of another region, whose smoothing also counts for a region that stands for it."""

    region: str = Field(description="A region that comes earlier, of role `validation`.")
    bin: int = Field(ge=1, description="Its bin, from 1.")


class Region(Config):
    """A selection, and what is looked at in it."""

    role: Literal["signal", "control", "validation"] = Field(
        "signal", description="Validation regions are never fitted."
    )
    variable: Written | None = Field(None, description="What is drawn.")
    binning: Binning | None = Field(None, description="Bins; None keeps those of the histogram.")
    merge: int | list[float] | None = Field(
        None, description="Later merging: so many bins into one, or new edges."
    )
    selection: Written | None = None
    weight: Written | None = Field(None, description="Factor of the weight of each event.")
    variable_for: dict[str, Written] = Field(
        default_factory=dict, description="Variable of single samples."
    )
    selection_for: dict[str, Written] = Field(
        default_factory=dict, description="Selection of single samples."
    )
    files: Files = Field(default_factory=Files)
    data: Literal["observed", "asimov"] | None = Field(
        None, description="What the fit takes as data; None leaves it to the fit."
    )
    drop_bins: Listed[int] = Field(default_factory=list, description="Bins left out, from 1.")
    drop_hidden_bins: bool = Field(
        False, description="Whether bins above `hide.threshold` before the fit are left out, too."
    )
    bin_of: BinOf | None = Field(
        None, description="Bin whose smoothing scales the variations of this region."
    )
    smooth: bool = Field(True, description="Whether variations are smoothed where they ask for it.")
    title: str = Field("", description="Title of the axis.")
    label: str = ""
    short_label: str = ""
    tex_label: str = ""
    group: str = Field("", description="Regions of one group share a summary.")
    drawing: RegionDrawing = Field(default_factory=RegionDrawing)
    blind: bool = Field(False, description="Whether data in it are hidden.")
