"""What tables of jets a training set is mixed from, and how its values are scaled."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from quarkline.engine.core.config import Config

Scaling = Literal["quarkline", "upstream", "none"]
PT_EDGES = (40.0, 60.0, 80.0, 100.0, 150.0, 200.0, 300.0, 500.0)


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _as_input(value: Any) -> Any:
    return {"files": value} if isinstance(value, str) else value


class BuildInput(Config):
    """Tables of jets, and which of their jets are taken."""

    files: Annotated[list[str], BeforeValidator(_as_list)] = Field(
        min_length=1, description="Tables, folders or globs; in a run below its own tables."
    )
    jets: int | None = Field(
        None, ge=0, description="Take so many of the jets that pass, of all files together."
    )
    where: str | None = Field(
        None, description="Take jets that pass this expression, in the table's columns and units."
    )


Inputs = list[Annotated[BuildInput, BeforeValidator(_as_input)]]


class ControlConfig(Config):
    """The control region: multijets in simulation and in data, without signal."""

    simulation: Inputs = Field(
        default=[BuildInput(files=["control-simulation"])],
        min_length=1,
        description="Simulated multijets.",
    )
    data: Inputs = Field(
        default=[BuildInput(files=["control-data"])],
        min_length=1,
        description="Collision data rich in multijets.",
    )
    normalise: bool = Field(
        True, description="Scale the simulation's weights so that their sum is that of data."
    )
    match_pt: bool = Field(
        False,
        description="Weigh the simulation so that its momenta are distributed as in data, in bins "
        "of `pt_edges`.",
    )


class BuildConfig(Config):
    """Which jets are learned from, and how their values are scaled."""

    main: Inputs = Field(
        default=[BuildInput(files=["signal", "qcd", "bib"])],
        min_length=1,
        description="Jets of the three classes.",
    )
    control: ControlConfig | None = Field(
        default_factory=ControlConfig, description="The control region; null for none."
    )
    min_jet_pt: float = Field(0.0, ge=0, description="Least momentum of a jet in GeV.")
    max_jet_pt: float = Field(500.0, gt=0, description="Momentum in GeV that jets stay below.")
    scaling: Scaling = Field(
        "quarkline",
        description="`quarkline`; `none`, which leaves all values; or `upstream`, which gives the "
        "columns and values of the CalRatio trainer, with no cut on momenta.",
    )
    flatten: Literal["none", "flat", "signal"] = Field(
        "none",
        description="Weigh each class of the main set so that its momenta are spread evenly, or "
        "as those of signal, in bins of `pt_edges`.",
    )
    pt_edges: tuple[float, ...] = Field(PT_EDGES, description="Edges of these bins, in GeV.")
    remove: tuple[str, ...] = Field(
        ("HLT_jet_eta", "HLT_jet_isBIB", "HLT_jet_phi"),
        description="Columns that are left out; absent ones are no mistake.",
    )

    @model_validator(mode="after")
    def _ranges(self) -> Self:
        if self.max_jet_pt <= self.min_jet_pt:
            msg = f"max_jet_pt: {self.max_jet_pt:g} is not above min_jet_pt: {self.min_jet_pt:g}"
            raise ValueError(msg)
        if len(self.pt_edges) < 2 or any(high <= low for low, high in pairwise(self.pt_edges)):
            msg = f"pt_edges: {list(self.pt_edges)} do not rise"
            raise ValueError(msg)
        return self
