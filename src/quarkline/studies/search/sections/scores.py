"""The score itself: what it takes events for, whether it was learned by heart, its friends."""

from __future__ import annotations

from pathlib import Path

from quarkline.engine.core.addresses import spelt
from quarkline.report import Figures, Results, Row, Section, Table, Text, number, result_of
from quarkline.statistics.evaluation import Calibration, ConfusionMatrix, Overtraining
from quarkline.studies.search.results import Friends


def score_section(results: Results, draw: Figures) -> Section:
    """Matrices, overtraining and calibration."""
    matrix = result_of(results, "confusion", ConfusionMatrix)
    trained = result_of(results, "overtraining", Overtraining)
    calibrated = result_of(results, "calibration", Calibration)
    overtraining: list[Row] = [
        [
            row.name,
            number(row.auc_train),
            number(row.auc_test),
            number(row.auc_difference),
            number(row.p_chi2),
            number(row.ks.p_value),
        ]
        for row in trained.classes
    ]
    reliability: list[Row] = [[item.name, number(item.ece)] for item in calibrated.classes]
    return Section(
        "Score",
        [
            draw("confusion_matrix", "What events of each class are taken for.", "evaluate"),
            draw("confusion_signal", "The same at the best cut on the score.", "evaluate"),
            Text(
                f"Accuracy {number(matrix.accuracy).text}, unweighted "
                f"{number(matrix.accuracy_unweighted).text}.",
                "evaluate",
            ),
            Table(
                "overtraining",
                ["class", "AUC trained on", "AUC out of fold", "difference", "p chi2", "p K-S"],
                overtraining,
                "evaluate",
                "The same events scored by a model that has seen them, and by one that has not.",
            ),
            draw("overtraining", "The score of both.", "evaluate"),
            Table(
                "calibration",
                ["class", "calibration error"],
                reliability,
                "evaluate",
                "Mean distance of probability and observed share, with events weighted as in "
                "the loss.",
            ),
            draw("calibration", "Observed share by probability.", "evaluate"),
        ],
    )


def friends_section(results: Results, folder: Path | None) -> Section:
    """The friends by file, and where they were copied to."""
    scored = result_of(results, "scored", Friends)
    rows: list[Row] = [
        [friend.sample, friend.place, number(friend.entries), sum(friend.infinities.values())]
        for friend in scored.friends
    ]
    shifted = ", ".join(f"`<column>_{name}`" for name in scored.shifts)
    text = f"Columns {', '.join(f'`{name}`' for name in scored.columns)}"
    text += f", and {shifted} of shifted events." if shifted else "."
    text += " Each friend has the tree and length of its file."
    text += f" They were copied to `{spelt(folder)}`." if folder else ""
    return Section(
        "Friends",
        [
            Text(text, "friends"),
            Table(
                "friends",
                ["sample", "friend", "events", "infinite values"],
                rows,
                "friends",
                folded=True,
            ),
        ],
    )
