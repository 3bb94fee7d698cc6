"""ROC curves of a classifier of several classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quarkline.figures.pieces import auc_words, floats, log_axis, plain_text, say_empty, set_labels
from quarkline.figures.style import GREY, Canvas, Label, canvas, looks, with_margins
from quarkline.figures.tables import Table, points, values, words
from quarkline.statistics.evaluation import ClassRoc, RocCurves

LEGEND = 3.9  # inches right of the frame


def plot_roc_curves(
    result: RocCurves,
    *,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the ROC curve of each class against all others.

    Args:
        result: Curves and areas.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style, layout=_wide, size=(10.4, 5.8)) as frame:
        frame.main.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1)
        title = f"Mean {auc_words(result.mean_auc)}"
        _draw(frame, result.classes, [curve.name for curve in result.classes], title)
        frame.main.set(xlim=(0, 1), ylim=(0, 1.02))
        set_labels(frame, "Efficiency of all other classes", "Efficiency of the class")
    return frame.figure


def plot_signal_roc(
    result: RocCurves,
    *,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw signal against all background and against each class, down to few mistakes.

    Args:
        result: Curves and areas.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    curves = [curve for curve in result.classes if curve.name == result.signal]
    names = ["all background"] * len(curves) + [curve.against for curve in result.pairs]
    with canvas(ax, label=label, style=style, layout=_wide, size=(10.4, 5.8)) as frame:
        shares = np.geomspace(1e-6, 1, 200)
        frame.main.plot(shares, shares, color=GREY, linestyle=":", linewidth=1)
        title = f"{plain_text(result.signal)} against"
        _draw(frame, [*curves, *result.pairs], names, title)
        lowest = [min((x for x in curve.mistaken if x > 0), default=1.0) for curve in curves]
        log_axis(frame.main, "x", max(min([*lowest, 0.1]), 1e-6), 1.0)
        frame.main.set_ylim(0, 1.02)
        set_labels(
            frame, "Background efficiency", f"Signal efficiency ({plain_text(result.signal)})"
        )
    return frame.figure


def _wide(figure: Figure) -> tuple[Axes, ...]:
    return with_margins(right=LEGEND)(figure)


def _draw(frame: Canvas, curves: Sequence[ClassRoc], names: Sequence[str], title: str) -> None:
    for curve, name, look in zip(curves, names, looks(len(curves)), strict=True):
        if curve.status != "ok":
            frame.main.plot([], [], " ", label=f"{plain_text(name)}: {plain_text(curve.status)}")
            continue
        frame.main.plot(
            curve.mistaken,
            curve.efficiency,
            color=look.color,
            linestyle=look.linestyle,
            linewidth=1.6,
            label=f"{plain_text(name)}: {auc_words(curve.auc)}",
        )
        columns = (
            values(f"Efficiency of {curve.name}", curve.efficiency),
            values("Threshold", curve.thresholds),
        )
        against = f"Efficiency of {curve.against}"
        frame.tables.append(
            Table(
                f"{curve.name} against {curve.against}", (points(against, curve.mistaken),), columns
            )
        )
    if not any(floats(curve.efficiency).size for curve in curves):
        say_empty(frame.main, "no curves")
    areas = Table(
        "Areas",
        (
            words("Class", [curve.name for curve in curves]),
            words("Against", [curve.against for curve in curves]),
        ),
        (
            values(
                "AUC",
                [curve.auc.value for curve in curves],
                error=[curve.auc.up or np.nan for curve in curves],
            ),
        ),
    )
    frame.tables.append(areas)
    if curves:
        _legend(frame, title)


def _legend(frame: Canvas, title: str) -> None:
    frame.main.legend(
        loc="upper left",
        bbox_to_anchor=(1.01, 1.02),
        borderaxespad=0,
        title=title,
        alignment="left",
    )
