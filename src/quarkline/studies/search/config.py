"""The config of a search: an analysis's catalog, and what is trained and scored on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from quarkline.catalog import Catalog, Written
from quarkline.catalog.names import Listed
from quarkline.engine.core.config import Config, ConfigPath, resolve_path
from quarkline.engine.workflow.study import StudyConfig
from quarkline.events.identity import EVENT_KEY
from quarkline.learning.features.config import FeaturesConfig
from quarkline.learning.models.config import ModelConfig, ResidualNetworkConfig
from quarkline.learning.training.config import TrainingConfig
from quarkline.learning.training.search.config import Tunable
from quarkline.learning.training.trackers.config import Tracked
from quarkline.studies.search.classes import Classes
from quarkline.studies.search.presets import read_preset, with_preset


class InputsConfig(Config):
    """Which events are read, and who is who among them."""

    identity: Listed[Written] = Field(
        default=[Written(name) for name in EVENT_KEY],
        min_length=1,
        description="Columns that identify an event.",
    )
    group: Listed[Written] = Field(
        default_factory=list,
        description="Columns of what folds must not separate, in simulation; default: `identity`.",
    )
    fraction: float = Field(
        1.0, gt=0, le=1, description="Keep this fraction of the groups, chosen by seed."
    )
    max_files: int | None = Field(None, ge=1, description="Read this many files of each sample.")
    max_events: int | None = Field(None, ge=1, description="Read this many events of each sample.")
    allow_missing: int = Field(
        0, ge=0, description="How many files of the catalog may be absent before it is an error."
    )
    allow_bad_files: int = Field(
        0, ge=0, description="How many unreadable files are left out before the run is refused."
    )

    @property
    def group_columns(self) -> list[str]:
        """The columns of the group key."""
        return [str(name) for name in self.group or self.identity]

    @property
    def identity_columns(self) -> list[str]:
        """The columns of the event key."""
        return [str(name) for name in self.identity]


class BeyondConfig(Config):
    """Events outside the region that a model learns from, too; they are never evaluated."""

    selection: Written = Field(
        Written("1"), description="The looser cut, in place of the region's; `1` takes all events."
    )
    fraction: float = Field(
        1.0, gt=0, le=1, description="Fraction of the groups that is taken, chosen by seed."
    )


class TrainConfig(Config):
    """What is learned: from which events, with which model, and how."""

    preset: ConfigPath | None = Field(
        None, description="Settings of lq-asym's training configs; keys beside it win over them."
    )
    region: Written = Field(description="The region whose events are learned from and evaluated.")
    classes: Classes = Field(
        default_factory=dict,
        description="Samples by class, or a list of samples; default: every simulated sample.",
    )
    signal: Written | None = Field(None, description="The class searched for; the first if none.")
    beyond: BeyondConfig | None = None
    features: FeaturesConfig
    model: ModelConfig = Field(default_factory=ResidualNetworkConfig)
    fit: TrainingConfig = Field(default_factory=TrainingConfig)
    folds: int = Field(
        5,
        ge=2,
        le=100,
        description="Parts of the events, each scored by a model that has not seen it.",
    )
    members: int = Field(1, ge=1, description="Models of each fold, whose scores are averaged.")

    @model_validator(mode="before")
    @classmethod
    def _over_preset(cls, data: Any) -> Any:
        """The keys as they are with those of the preset below them."""
        if not isinstance(data, Mapping) or not isinstance(data.get("preset"), str):
            return data
        return with_preset(data, read_preset(resolve_path(data["preset"])))


class ScoreConfig(Config):
    """What the score is called."""

    column: str = Field(
        "score", pattern=r"^[A-Za-z]\w*$", description="Column of the signal's probability."
    )
    classes: Literal["signal", "all"] = Field(
        "signal", description="Whether friends hold every class, as `<column>_<class>`."
    )


class EvaluateConfig(Config):
    """What is said about the score."""

    background_error: float = Field(
        0.0, ge=0, description="Relative error of the background in significances."
    )
    min_background: int = Field(
        10, ge=1, description="Simulated background events that a cut or the highest bin keeps."
    )
    replicas: int = Field(100, ge=0, description="Bootstrap replicas behind errors.")
    importance_events: int = Field(
        20_000, ge=1, description="Most events in which features are permuted."
    )
    repetitions: int = Field(5, ge=2, description="Permutations of each feature.")


class FriendsConfig(Config):
    """Scores of all events of all files, beside the files."""

    write: bool = Field(True, description="Whether friends are written.")
    systematics: bool = Field(
        True, description="Whether they hold the scores of shifted columns, too."
    )


class LabelsConfig(Config):
    """What figures say about the data."""

    experiment: str = Field("", description="Name in the corner of figures.")
    data: str = Field("", description="Kind of data, such as `Simulation`.")
    energy: float | None = Field(13.0, gt=0, description="Centre-of-mass energy in TeV.")


class SearchConfig(StudyConfig, Catalog, Tracked, Tunable):
    """A search: the keys of a catalog, and what is trained, evaluated and scored."""

    unblind: str | None = Field(
        None, min_length=1, description="Why blind data are read all the same; `--unblind`."
    )
    inputs: InputsConfig = Field(default_factory=InputsConfig)
    train: TrainConfig
    score: ScoreConfig = Field(default_factory=ScoreConfig)
    evaluate: EvaluateConfig = Field(default_factory=EvaluateConfig)
    friends: FriendsConfig = Field(default_factory=FriendsConfig)
    labels: LabelsConfig = Field(default_factory=LabelsConfig)

    def hides(self, sample: str, region: str) -> bool:
        """Whether a sample is data that nobody is to see in a region of this run."""
        return self.unblind is None and super().hides(sample, region)
