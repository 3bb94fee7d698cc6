"""Config of the trackers; none of it is ever part of a content key."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from quarkline.engine.core.config import Config, ConfigPath, resolve_path
from quarkline.engine.core.yaml_file import Text

SQLITE = "sqlite:///"


def _store(value: Any) -> Any:
    """An address as it is; the path of an SQLite file resolved like every path."""
    if not isinstance(value, str) or not value.startswith(SQLITE):
        return value
    path = value.removeprefix(SQLITE)
    return SQLITE + str(
        resolve_path(Text(path, value.file) if isinstance(value, Text) else path).absolute()
    )


class TensorBoardConfig(Config):
    """Event files for TensorBoard."""

    kind: Literal["tensorboard"]
    folder: ConfigPath | None = Field(
        None, description="Holds a folder a run; default: `tensorboard` in the run's folder."
    )

    @property
    def address(self) -> str:
        """What a run is continued in, as long as it is the same."""
        return f"tensorboard:{self.folder or ''}"


class MLflowConfig(Config):
    """A run of an MLflow experiment."""

    kind: Literal["mlflow"]
    uri: Annotated[str | None, BeforeValidator(_store)] = Field(
        None,
        description="A server (`http://HOST:PORT`) or a database (`sqlite:///FILE`); default: "
        "`mlflow.db` in the folder of all runs.",
    )
    experiment: str | None = Field(None, description="Default: the analysis's name.")

    @property
    def address(self) -> str:
        """What a run is continued in, as long as it is the same."""
        return f"mlflow:{self.uri or ''}#{self.experiment or ''}"


class WandbConfig(Config):
    """A run of a W&B project."""

    kind: Literal["wandb"]
    project: str = Field(description="Name of the project.")
    entity: str | None = Field(None, description="A user or team; default: the account's own.")
    mode: Literal["online", "offline"] = Field(
        "online", description="`offline` writes files that `wandb sync` sends later."
    )
    tags: tuple[str, ...] = Field((), description="Words to find the run by.")

    @property
    def address(self) -> str:
        """What a run is continued in, as long as it is the same."""
        return f"wandb:{self.entity or ''}/{self.project}"


TrackerConfig = Annotated[
    TensorBoardConfig | MLflowConfig | WandbConfig, Field(discriminator="kind")
]


class Tracked(Config):
    """The keys of a study's config whose trainings can be followed; no stage ever reads them."""

    tracking: tuple[TrackerConfig, ...] = Field(
        (), description="Where losses, figures and models are shown, too; changes no result."
    )
