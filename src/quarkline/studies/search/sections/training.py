"""How the models were trained."""

from __future__ import annotations

from quarkline.report import Figures, Results, Row, Section, Table, Text, number, result_of
from quarkline.studies.search.results import Features, FoldTraining, Training


def training_section(results: Results, draw: Figures) -> Section:
    """A row a training, the curves, and the events of each fold."""
    training = result_of(results, "training", Training)
    features = result_of(results, "features", Features)
    names = [name for name in training.folds[0].metrics if name != "learning_rate"]
    folds: list[Row] = [
        [name, *(number(events) for events in counts)]
        for name, counts in zip(features.classes, features.events, strict=True)
    ]
    return Section(
        "Training",
        [
            Text(
                f"{len(training.folds)} models of kind `{training.model}`: each is trained on all "
                "folds but one, and held-out groups among these pick the best epoch.",
                "train",
            ),
            Table(
                "trainings",
                ["fold", "member", "trained on", "held out", "best epoch", *names],
                [_row(fold, names) for fold in training.folds],
                "train",
                "Metrics after the epoch that is kept.",
            ),
            draw("training", "Metrics by epoch.", "train"),
            *(
                [draw("learning_rate", "How the first fold's learning rate was found.", "train")]
                if training.folds[0].scan
                else []
            ),
            Table(
                "folds",
                ["class", *(f"fold {number + 1}" for number in range(len(features.events[0])))],
                folds,
                "features",
                "Rows of each class in each fold.",
            ),
        ],
    )


def _row(fold: FoldTraining, names: list[str]) -> Row:
    return [
        fold.fold + 1,
        fold.member + 1,
        number(fold.events),
        number(fold.held_out),
        fold.best + 1,
        *(number(fold.metrics[name][fold.best]) for name in names),
    ]
