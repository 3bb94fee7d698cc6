"""What is converted: ntuples of each kind, which jets of them, and where the tables go."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from quarkline.engine.compute.config import ComputeConfig
from quarkline.engine.core.config import Config, ConfigPath
from quarkline.studies.tagging.convert.jets import Cuts
from quarkline.studies.tagging.convert.matching import MATCHED
from quarkline.studies.tagging.convert.ntuple import Kind


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


NtuplePatterns = Annotated[list[ConfigPath], BeforeValidator(_as_list)]
"""Paths or globs; a single one needs no list."""


class NtuplesConfig(Config):
    """Ntuples of one kind."""

    files: NtuplePatterns = Field(min_length=1, description="Paths or globs.")
    kind: Kind = Field(
        "sig",
        description="`sig` (displaced decays), `qcd` (multijets), `bib` (collisions with "
        "beam-induced background) or `data` (collisions of a control region).",
    )
    llp_mH: float = Field(  # noqa: N815  (the name of the column)
        0.0, ge=0, description="Mass of the heavy scalar in GeV; signal only."
    )
    llp_mS: float = Field(  # noqa: N815
        0.0, ge=0, description="Mass of the long-lived one in GeV; signal only."
    )
    folder: str = Field("", description="Folder for these tables, below that of all tables.")

    @field_validator("folder")
    @classmethod
    def _lies_below(cls, folder: str) -> str:
        path = PurePosixPath(folder)
        if path.is_absolute() or ".." in path.parts:
            message = f"`{folder}` is not below the folder of all tables"
            raise ValueError(message)
        return folder

    @property
    def masses(self) -> tuple[float, float]:
        """Masses mH and mS in GeV."""
        return self.llp_mH, self.llp_mS


class ConvertConfig(Config):
    """Which jets of ntuples become rows."""

    min_jet_pt: float = Field(40.0, ge=0, description="Least momentum of a jet in GeV.")
    max_jet_pt: float = Field(500.0, gt=0, description="Momentum in GeV that jets stay below.")
    trigger_distance: float | None = Field(
        MATCHED,
        gt=0,
        description="Largest distance in eta and phi of a jet from the trigger jet of beam-induced "
        "background that it became; null for any, as upstream.",
    )
    compatibility: Literal["none", "upstream"] = Field(
        "none",
        description="`upstream` gives the 815 columns of the CalRatio trainer in its units, and "
        "any distance from the trigger jet.",
    )
    allow_bad_files: int = Field(
        0, ge=0, description="How many ntuples may be left out before it is an error."
    )

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.max_jet_pt <= self.min_jet_pt:
            message = f"no jet is between {self.min_jet_pt:g} and {self.max_jet_pt:g} GeV"
            raise ValueError(message)
        return self

    @property
    def cuts(self) -> Cuts:
        """What jets are taken."""
        distance = None if self.compatibility == "upstream" else self.trigger_distance
        return Cuts(self.min_jet_pt, self.max_jet_pt, distance)


class ConversionConfig(ConvertConfig):
    """The config of `quarkline convert divertanalysis`."""

    schema_version: Literal[1] = Field(
        1, alias="schema", description="Version of the config format."
    )
    ntuples: list[NtuplesConfig] = Field(min_length=1, description="Ntuples by kind.")
    output: ConfigPath = Field(description="Folder for a table of each ntuple.")
    compute: ComputeConfig = Field(default_factory=ComputeConfig)


class NtupleSource(Config):
    """One ntuple of a study.

    Attributes:
        name: Name of its table without ending, with the folder before it. If the ntuples are a
            folder of an earlier stage, it is the ntuple's name in it, too.
        kind: What it holds.
        masses: Masses mH and mS in GeV.
    """

    name: str
    kind: Kind
    masses: tuple[float, float]
