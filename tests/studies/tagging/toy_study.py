"""A tagging study whose jets and trainings are toys; all that follows them is real."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quarkline.engine.core.config import Config
from quarkline.engine.core.findings import Finding
from quarkline.engine.core.results import Result
from quarkline.engine.workflow.runs import Run
from quarkline.engine.workflow.samples import InputSample
from quarkline.engine.workflow.stage import Context, Stage
from quarkline.engine.workflow.study import StudyConfig
from quarkline.studies.tagging.analyze import stage as analyze
from quarkline.studies.tagging.analyze.config import AnalyzeConfig
from quarkline.studies.tagging.analyze.stage import AnalyzeStageConfig
from quarkline.studies.tagging.export import stage as export
from quarkline.studies.tagging.export.config import ExportConfig
from quarkline.studies.tagging.features.results import JetCounts, JetFeatures, MassPoint
from quarkline.studies.tagging.figures import FIGURES, FiguresStageConfig
from quarkline.studies.tagging.figures import run as figures
from quarkline.studies.tagging.sections import headline, write_report
from quarkline.studies.tagging.train.results import TaggerTraining, TaggingTraining
from quarkline.studies.tagging.watch.config import DrawConfig, WatchConfig
from tests.studies.tagging.toy_training import toy


class ToyConfig(StudyConfig):
    """The settings that a test changes."""

    analyze: AnalyzeConfig = AnalyzeConfig(ks_limit=0.5)
    trainings: int = 2
    hidden: int = 8
    draw: bool = False


class ToyStageConfig(Config):
    trainings: int
    hidden: int


def train(context: Context) -> Mapping[str, Any]:
    """Jets and trainings that nobody trained."""
    made = toy(context.out, trainings=context.config.trainings)
    trainings = [
        TaggerTraining(seed, 2, (0, 1, 2), {"val_original_lossf": [0.9, 0.8, 0.7]}, {"": (60, 180)})
        for seed in range(context.config.trainings)
    ]
    features = JetFeatures(
        (JetCounts("main", "train", 1, 20, 20.0), JetCounts("control", "test", 2, 9, 9.0)),
        (MassPoint(125, 5, 10), MassPoint(600, 150, 10)),
        {"main": 240, "control": 240},
        {"kind": "none"},
        "lists",
        ("jet_pt",),
    )
    training = TaggingTraining("lstm-streams", "none", 99, "none", "", tuple(trainings))
    found = {"main": made.main, "control": made.control, "trainings": made.trainings}
    return {**found, "features": features, "training": training}


class ToyTagging:
    """The study."""

    name = "tagging"
    Config = ToyConfig

    def stages(self, config: ToyConfig) -> list[Stage]:
        jets = {"main": "train.main", "control": "train.control"}
        trained = jets | {"trainings": "train.trainings"}
        outputs = ("main", "control", "trainings", "features", "training")
        settings = AnalyzeStageConfig(
            **config.analyze.model_dump(), watch=WatchConfig(permutations=20), seed=config.seed
        )
        drawn = FiguresStageConfig(label={"experiment": "Toy"}, draw=DrawConfig(forms=("png",)))
        shown = {name: f"analyze.{name}" for name in ("choice", "tagger")}
        shown |= {"trainings": "train.trainings"}
        model = {"model": "analyze.model"}
        formats = ExportConfig(formats=("frugally-deep", "cpp"))
        own = ToyStageConfig(trainings=config.trainings, hidden=config.hidden)
        return [
            Stage("train", 1, own, {}, outputs, train),
            Stage("analyze", 1, settings, trained, analyze.OUTPUTS, analyze.run),
            Stage("export", 1, formats, model, (export.EXPORTS, "exported"), export.run),
            *([Stage("figures", 1, drawn, shown, (FIGURES,), figures)] if config.draw else []),
        ]

    def checks(self, config: ToyConfig) -> list[Finding]:
        return []

    def samples(self, config: ToyConfig) -> list[InputSample]:
        return []

    def headline(self, results: Mapping[str, Result]) -> str:
        return headline(results)

    def report(self, run: Run) -> Path:
        return write_report(run) if FIGURES in run.stages else run.folder
