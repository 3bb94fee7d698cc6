"""Stage `figures`: the choice of an epoch, and the figures of its training under their names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.config import Config
from quarkline.engine.workflow.stage import Context
from quarkline.studies.tagging.analyze.choose import Choice
from quarkline.studies.tagging.analyze.drawing import CHOICE, draw_choice_item
from quarkline.studies.tagging.analyze.trainings import trainings_in
from quarkline.studies.tagging.watch.config import DrawConfig
from quarkline.studies.tagging.watch.drawings import FORMS
from quarkline.studies.tagging.watch.judged import JudgedTagger
from quarkline.studies.tagging.watch.stage import draw_training

FIGURES = "figures"


class FiguresStageConfig(Config):
    """What the figures depend on, besides the results.

    Attributes:
        label: The line above figures: `experiment`, `text` and `luminosity`.
        draw: Which epochs are drawn, and how.
    """

    label: dict[str, str]
    draw: DrawConfig


def run(context: Context) -> dict[str, Any]:
    """One item a figure, and one an epoch that is drawn."""
    config: FiguresStageConfig = context.config
    folder = context.out / FIGURES
    choice = context.result("choice", Choice)
    (item,) = context.map(
        "choice",
        draw_choice_item,
        [Item(CHOICE, {"choice": choice.as_json(), "label": config.label})],
    )
    for form in FORMS:
        context.place(item.folder / f"{CHOICE}.{form}", folder / f"{CHOICE}.{form}")
    names = draw_training(
        context,
        _chosen(context.path("trainings"), choice),
        choice.chosen.epoch,
        context.result("tagger", JudgedTagger),
        label=config.label,
        config=config.draw,
        folder=folder,
    )
    context.summary(f"{len(names) + 1} figures")
    return {FIGURES: folder}


def _chosen(trainings: Path, choice: Choice) -> Path:
    by_name = {training.name: training.folder for training in trainings_in(trainings)}
    return by_name[choice.chosen.training]
