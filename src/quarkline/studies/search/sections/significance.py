"""What the score is worth: significances, curves and matrices."""

from __future__ import annotations

from quarkline.report import Figures, Results, Row, Section, Table, Text, number, result_of
from quarkline.statistics.evaluation import BinnedSignificances, RocCurves, SignificanceScan


def significance_section(results: Results, draw: Figures) -> Section:
    """Cuts and bins of the score, then the classes."""
    scan = result_of(results, "scan", SignificanceScan)
    binned = result_of(results, "binned", BinnedSignificances)
    roc = result_of(results, "roc", RocCurves)
    merits: list[Row] = [
        [
            merit.name,
            number(merit.best.significance),
            number(merit.best.threshold),
            number(merit.best.optimism),
            number(merit.best.signal),
            number(merit.best.background),
        ]
        for merit in scan.merits
    ]
    binnings: list[Row] = [
        [
            binning.name,
            number(len(binning.significance)),
            number(binning.total),
            number(binning.total_uncertain),
            number(binning.left_out),
        ]
        for binning in binned.binnings
    ]
    curves: list[Row] = [
        [
            curve.name,
            curve.against,
            number(curve.auc),
            number(curve.auc_unweighted),
            number(curve.events[0]),
            number(curve.events[1]),
        ]
        for curve in (*roc.classes, *roc.pairs)
    ]
    return Section(
        "Significance",
        [
            Text(
                f"Every event is scored by a model that has not seen its group. Errors are from "
                f"{scan.replicas} bootstrap replicas of groups. A relative error of "
                f"{100 * scan.relative_error:g} % of the background and the statistics of the "
                f"simulation enter where a significance says so; a cut keeps at least "
                f"{scan.min_background} simulated background events.",
                "evaluate",
            ),
            Table(
                "binned",
                ["bins", "number", "Asimov", "with errors of the background", "signal left out"],
                binnings,
                "evaluate",
                "Bins of the score in quadrature. Signal in bins without background is left out.",
            ),
            draw("binned_significance", "The automatic bins.", "evaluate"),
            Table(
                "thresholds",
                ["", "best", "at score", "of it by choice", "signal", "background"],
                merits,
                "evaluate",
                "The best cut on the score, and how much of its significance is due to choosing it "
                "with the same events.",
            ),
            draw("significance_scan", "Significance of every cut.", "evaluate"),
            draw("yields", "Expected events behind every cut.", "evaluate"),
            Table(
                "curves",
                ["class", "against", "AUC", "unweighted", "events", "of the others"],
                curves,
                "evaluate",
                "Areas under the ROC curves.",
            ),
            draw("roc_curves", "Each class against the rest.", "evaluate"),
            *(
                [draw("signal_roc", "The signal against each other class.", "evaluate")]
                if roc.pairs
                else []
            ),
        ],
    )
