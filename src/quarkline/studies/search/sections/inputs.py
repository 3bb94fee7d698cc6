"""The features: what they look like, what is suspicious, and what they are worth."""

from __future__ import annotations

from quarkline.learning.features.summary import FeatureRow
from quarkline.report import Block, Figures, Results, Row, Section, Table, Text, number, result_of
from quarkline.statistics.evaluation import Agreement, PermutationImportance
from quarkline.studies.search.figures import input_figure
from quarkline.studies.search.results import Features

SUMMARY = (
    "feature",
    "of",
    "values",
    "missing",
    "infinite",
    "least",
    "mean",
    "deviation",
    "largest",
)

DRAWN = 6
"""Features whose figures are shown, so that the page stays one that a browser likes."""


def inputs_section(results: Results, draw: Figures) -> Section:
    """Importance, agreement with data, correlations, and the table of all features."""
    features = result_of(results, "features", Features)
    worth = result_of(results, "permutation", PermutationImportance)
    importance: list[Row] = [
        [row.name, number(row.auc_drop), number(row.significance_drop)] for row in worth.features
    ]
    blocks: list[Block] = [
        *_findings(features),
        Table(
            "importance",
            ["feature", "loss of AUC", "loss of significance"],
            importance,
            "evaluate",
            f"What is lost if a feature is permuted between {worth.events:,} events, "
            f"{worth.repetitions} times.",
            folded=True,
        ),
        draw("importance", "The most important features by permutation.", "evaluate"),
    ]
    if "gradients" in results:
        blocks.append(draw("attribution", "The largest integrated gradients.", "evaluate"))
    if "agreement" in results:
        blocks += _agreement(result_of(results, "agreement", Agreement), draw)
    blocks += [
        draw("correlation_signal", "Correlations in signal.", "evaluate"),
        draw("correlation_background", "Correlations in background.", "evaluate"),
        Table(
            "features",
            SUMMARY,
            [_summary(row) for row in features.training.features],
            "features",
            f"Features of the {features.training.events:,} events that are trained on.",
            folded=True,
        ),
    ]
    return Section("Inputs", blocks)


def _findings(features: Features) -> list[Block]:
    rows: list[Row] = [
        [item["code"], item["severity"], item["message"]] for item in features.findings
    ]
    words = "What is suspicious about the features."
    return [Table("findings", ["rule", "", "what"], rows, "features", words)] if rows else []


def _agreement(agreement: Agreement, draw: Figures) -> list[Block]:
    rows: list[Row] = [
        [
            row.name,
            number(row.chi2),
            number(row.ndf),
            number(row.p_chi2),
            number(row.ks.p_value),
            number(row.missing_data),
            number(row.missing_simulation),
        ]
        for row in agreement.features
    ]
    words = f"Data over simulation: {number(agreement.scale).text}. The worst agreement is first."
    if len(agreement.features) > DRAWN:
        words += f" The figures of the worst {DRAWN} are shown; the stage's folder has all."
    columns = ["feature", "chi2", "ndf", "p chi2", "p K-S", "missing in data", "in simulation"]
    return [
        Text(words, "evaluate"),
        Table("agreement", columns, rows, "evaluate", "Simulation scaled to data.", folded=True),
        draw("agreement", "Agreement of all features.", "evaluate"),
        *(
            draw(input_figure(row.name), f"`{row.name}` in data and simulation.", "evaluate")
            for row in agreement.features[:DRAWN]
        ),
    ]


def _summary(row: FeatureRow) -> Row:
    return [
        row.name,
        row.group or ("kind" if row.kind == "kind" else "event"),
        number(row.values),
        number(row.missing),
        number(row.infinities),
        number(row.least),
        number(row.mean),
        number(row.deviation),
        number(row.largest),
    ]
