"""ROC curves of a classifier of several classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quarkline.figures.legends import legend_below, room_below
from quarkline.figures.pieces import auc_words, floats, log_axis, plain_text, say_empty, set_labels
from quarkline.figures.style import (
    BOTTOM,
    GREY,
    SIZE,
    Canvas,
    Label,
    canvas,
    looks,
    with_margins,
)
from quarkline.figures.tables import Table, points, values, words
from quarkline.statistics.evaluation import ClassRoc, RocCurves


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
    entries = [_entry(curve.name, curve) for curve in result.classes]
    with _above_legend(ax, label, style, entries) as frame:
        frame.main.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1)
        _draw(frame, result.classes, entries, f"Mean {auc_words(result.mean_auc)}")
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
    entries = [_entry("all background", curve) for curve in curves]
    entries += [_entry(curve.against, curve) for curve in result.pairs]
    with _above_legend(ax, label, style, entries) as frame:
        shares = np.geomspace(1e-6, 1, 200)
        frame.main.plot(shares, shares, color=GREY, linestyle=":", linewidth=1)
        _draw(frame, [*curves, *result.pairs], entries, f"{plain_text(result.signal)} against")
        lowest = [min((x for x in curve.mistaken if x > 0), default=1.0) for curve in curves]
        log_axis(frame.main, "x", max(min([*lowest, 0.1]), 1e-6), 1.0)
        frame.main.set_ylim(0, 1.02)
        set_labels(
            frame, "Background efficiency", f"Signal efficiency ({plain_text(result.signal)})"
        )
    return frame.figure


@contextmanager
def _above_legend(
    ax: Axes | None, label: Label | None, style: str, entries: Sequence[str]
) -> Iterator[Canvas]:
    """A frame of the usual size, with room for the legend below it."""
    room = room_below(entries, title=True)
    layout, size = with_margins(bottom=BOTTOM + room), (SIZE[0], SIZE[1] + room)
    with canvas(ax, label=label, style=style, layout=layout, size=size) as frame:
        yield frame


def _entry(name: str, curve: ClassRoc) -> str:
    """What the legend says of a curve."""
    about = auc_words(curve.auc) if curve.status == "ok" else plain_text(curve.status)
    return f"{plain_text(name)}: {about}"


def _draw(frame: Canvas, curves: Sequence[ClassRoc], entries: Sequence[str], title: str) -> None:
    for curve, entry, look in zip(curves, entries, looks(len(curves)), strict=True):
        if curve.status != "ok":
            frame.main.plot([], [], " ", label=entry)
            continue
        frame.main.plot(
            curve.mistaken,
            curve.efficiency,
            color=look.color,
            linestyle=look.linestyle,
            linewidth=1.6,
            label=entry,
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
        legend_below(frame, title)
