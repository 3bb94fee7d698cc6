"""The config of a tagging study: from simulation, ntuples or tables to an exported network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from quarkline.engine.core.config import Config, ConfigPath
from quarkline.engine.workflow.study import StudyConfig
from quarkline.learning.training.trackers.config import Tracked
from quarkline.studies.tagging.analyze.config import AnalyzeConfig
from quarkline.studies.tagging.build.config import BuildConfig
from quarkline.studies.tagging.convert.config import ConvertConfig, NtuplesConfig
from quarkline.studies.tagging.convert.xaod import XaodCommand
from quarkline.studies.tagging.export.config import ExportConfig
from quarkline.studies.tagging.features.config import JetFeaturesConfig
from quarkline.studies.tagging.simulate.config import SimulateConfig
from quarkline.studies.tagging.train.config import TrainConfig
from quarkline.studies.tagging.watch.config import DrawConfig, WatchConfig

Source = Literal["simulate", "ntuples", "tables", "files"]
SOURCES: tuple[Source, ...] = ("simulate", "ntuples", "tables", "files")


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Paths = Annotated[list[ConfigPath], BeforeValidator(_as_list)]


class BuiltConfig(Config):
    """Tables that are built already, by `quarkline build` or by the CalRatio trainer."""

    main: Paths = Field(min_length=1, description="Jets of the three classes.")
    control: Paths = Field(default_factory=list, description="Jets of the control region.")


class LabelsConfig(Config):
    """What figures say about the data."""

    experiment: str = Field("", description="Name in the corner of figures.")
    data: str = Field("Simulation", description="Kind of data, such as `Work in progress`.")
    luminosity: str = Field("", description="Luminosity and energy, such as `139 fb-1, 13 TeV`.")


class TaggingConfig(StudyConfig, Tracked):
    """Where jets come from, how a network is trained on them, and what is made of it."""

    simulate: SimulateConfig | None = Field(None, description="Jets are simulated.")
    ntuples: list[NtuplesConfig] | None = Field(
        None, min_length=1, description="Jets come from DiVertAnalysis ntuples."
    )
    xaod: XaodCommand | None = Field(
        None, description="The `ntuples` are xAOD files, of which this program makes ntuples."
    )
    tables: ConfigPath | None = Field(
        None, description="Jets come from tables in this folder, where `build` finds them."
    )
    files: BuiltConfig | None = Field(None, description="Jets come from built tables.")
    convert: ConvertConfig = Field(
        default_factory=ConvertConfig, description="Which jets of ntuples become rows."
    )
    build: BuildConfig = Field(default_factory=BuildConfig, description="What is mixed, and how.")
    features: JetFeaturesConfig = Field(
        default_factory=JetFeaturesConfig, description="What a network is told of which jets."
    )
    train: TrainConfig = Field(default_factory=TrainConfig, description="What is trained.")
    watch: WatchConfig = Field(
        default_factory=WatchConfig, description="What is measured after each epoch."
    )
    analyze: AnalyzeConfig = Field(
        default_factory=AnalyzeConfig, description="How an epoch is chosen."
    )
    export: ExportConfig = Field(
        default_factory=ExportConfig, description="As what the network is written."
    )
    draw: DrawConfig = Field(
        default_factory=DrawConfig, description="Which epochs are drawn, and how."
    )
    labels: LabelsConfig = Field(
        default_factory=LabelsConfig, description="What figures say about the data."
    )

    @model_validator(mode="before")
    @classmethod
    def _simulated_without_more(cls, data: Any) -> Any:
        """`simulate:` without keys means its defaults."""
        if isinstance(data, Mapping) and "simulate" in data and data["simulate"] is None:
            return {**data, "simulate": {}}
        return data

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            what = " and ".join(f"`{name}`" for name in given) or "none of them"
            msg = (
                f"jets come from one of {', '.join(f'`{name}`' for name in SOURCES)}; here: {what}"
            )
            raise ValueError(msg)
        return self

    @property
    def source(self) -> Source:
        """Where jets come from."""
        return next(name for name in SOURCES if getattr(self, name) is not None)
