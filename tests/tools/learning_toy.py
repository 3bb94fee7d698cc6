"""A study that trains nothing but leaves what trainings leave; workers import its tasks."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from matplotlib.image import imsave
from pydantic import Field

from quarkline.engine.compute.job import attempt, in_order
from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.config import Config
from quarkline.engine.core.findings import Finding
from quarkline.engine.core.results import Quantity, Result
from quarkline.engine.store.atomic import write_atomic
from quarkline.engine.workflow.samples import InputSample
from quarkline.engine.workflow.stage import Context, Stage
from quarkline.engine.workflow.study import StudyConfig, register_study
from quarkline.learning.training.search.config import Tunable
from quarkline.learning.training.search.trial import Trial
from quarkline.learning.training.trackers.config import Tracked


@dataclass(frozen=True)
class Score(Result, kind="learning-toy-score"):
    significance: Quantity
    curve: tuple[float, ...]


class ModelConfig(Config):
    width: int = Field(32, ge=1)
    rate: float = Field(0.1, gt=0)


class TrainConfig(Config):
    model: ModelConfig = ModelConfig()
    epochs: int = 4
    folds: int = 2


class FeaturesConfig(Config):
    scale: float = 1.0


class ToyConfig(StudyConfig, Tracked, Tunable):
    features: FeaturesConfig = FeaturesConfig()
    train: TrainConfig = TrainConfig()


def losses(model: ModelConfig, epochs: int) -> list[float]:
    """Losses that are best at a width of 64 and a rate of 0.01."""
    worst = abs(np.log2(model.width / 64)) + abs(np.log10(model.rate / 0.01))
    return [float(worst + 1 / (1 + epoch)) for epoch in range(epochs)]


def train_fold(args: Mapping[str, Any], _: Mapping[str, Path], folder: Path) -> float:
    """Writes a line an epoch; continues where a killed attempt stopped."""
    path = folder / "metrics.csv"
    if not path.exists():
        write_atomic(path, "epoch,train_loss,phase,best\n")
    found = losses(ModelConfig(**args["model"]), args["epochs"])
    done = len(path.read_text().splitlines()) - 1
    for epoch, loss in list(enumerate(found, start=1))[done:]:
        with path.open("a") as file:
            file.write(f"{epoch},{loss + args['fold']!r},first,nan\n")
        time.sleep(float(os.environ.get("TOY_EPOCH", "0")))
    return found[-1]


def make_features(context: Context) -> Mapping[str, Any]:
    note("features")
    path = write_atomic(context.out / "scale.txt", repr(context.config.scale))
    return {"scale": path}


def note(step: str) -> None:
    """Write down that a step is done, if that was asked for."""
    if trace := os.environ.get("TOY_TRACE"):
        with Path(trace).open("a") as file:
            file.write(f"{step}\n")


def make_training(context: Context) -> Mapping[str, Any]:
    config = context.config
    items = [
        Item(
            f"fold-{fold}",
            {"model": config.model.model_dump(), "epochs": config.epochs, "fold": fold},
        )
        for fold in range(config.folds)
    ]
    values = [done.value for done in context.map("fit", train_fold, items)]
    for fold in range(config.folds):
        write_atomic(context.out / "model" / f"fold-{fold}" / "model.json", "{}")
    write_atomic(context.out / "model" / "model.json", "{}")
    (context.out / "figures").mkdir()
    imsave(context.out / "figures" / "loss.png", np.zeros((3, 5)))
    score = Score(Quantity(min(values), 0.5), (1.0, 2.0))
    return {"model": context.out / "model", "figures": context.out / "figures", "score": score}


class LearningToy:
    name = "learning-toy"
    Config = ToyConfig
    tunes = "features"
    metrics: ClassVar[Mapping[str, str]] = {"loss": "minimize", "significance": "maximize"}

    def stages(self, config: ToyConfig) -> list[Stage]:
        outputs = ("model", "figures", "score")
        features = Stage("features", 1, config.features, {}, ("scale",), make_features)
        inputs = {"scale": "features.scale"}
        return [features, Stage("train", 1, config.train, inputs, outputs, make_training)]

    def trial(self, config: ToyConfig, trial: Trial) -> float:
        scale = float(trial.stages["features"].files["scale"].read_text())
        sign = -1 if trial.metric == "significance" else 1
        found = losses(config.train.model, config.train.epochs)
        if config.train.model.width == 13:
            message = "no luck"
            raise RuntimeError(message)
        state = trial.folder / "epoch.txt"
        start = int(state.read_text()) if state.exists() else 0
        for epoch, loss in list(enumerate(found, start=1))[start:]:
            time.sleep(float(os.environ.get("TOY_EPOCH", "0")))
            note(f"epoch {epoch} of width {config.train.model.width}")
            trial.report(epoch, sign * scale * loss)
            state.write_text(str(epoch))
        return sign * scale * found[-1]

    def checks(self, config: ToyConfig) -> list[Finding]:
        return []

    def samples(self, config: ToyConfig) -> list[InputSample]:
        return []

    def headline(self, results: Mapping[str, Result]) -> str:
        return f"Z = {results['score'].significance.value:.2f}"

    def report(self, run: Any) -> Path:
        return write_atomic(run.folder / "report.html", "<p>done</p>\n")


@dataclass(frozen=True)
class Inline:
    """Stands for worker processes, which take seconds to start: works in this one."""

    workers: int
    device: str = "auto"

    def check(self) -> None:
        """It is always there."""

    def map(self, task: str, items: Sequence[Any], *, retries: int = 0) -> Iterator[Any]:
        return in_order(items, lambda waiting: (attempt(task, *pair) for pair in waiting))

    def stop(self) -> None:
        """There is nothing to stop."""


register_study(LearningToy())
