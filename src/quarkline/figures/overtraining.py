"""Whether a classifier learned its events by heart, and whether its scores are probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quarkline.figures.pieces import centres, log_y, plain_text, say_empty
from quarkline.figures.style import BLUE, GREY, Label, across_page, canvas, panels, panels_size
from quarkline.figures.tables import Table, bins, points, values
from quarkline.statistics.evaluation import Calibration, Overtraining


def plot_overtraining(
    result: Overtraining,
    *,
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the score of events trained on against that of others, a panel a class.

    Args:
        result: The comparison.
        ax: Axes to draw on, one a class.
        label: The line above the figure.
        style: Name of a style.
    """
    count = max(len(result.classes), 1)
    across = across_page(count)
    layout, size = panels(count, across), panels_size(count, across)
    with canvas(ax, label=label, style=style, layout=layout, size=size) as frame:
        if not result.classes:
            _name(frame.main, result.signal)
            say_empty(frame.main, "no classes")
        for axes, row in zip(frame.axes, result.classes, strict=False):
            shape = row.shape
            edges = np.asarray(shape.edges)
            middle = centres(edges)
            train, test = np.asarray(shape.train), np.asarray(shape.test)
            axes.stairs(
                np.nan_to_num(train), edges, fill=True, color=BLUE, alpha=0.35,
                label=f"Trained on ({row.events[0]:,})",
            )  # fmt: skip
            axes.errorbar(
                middle, train, yerr=shape.train_error, fmt="none", color=BLUE, linewidth=1
            )
            axes.errorbar(
                middle,
                np.where(test > 0, test, np.nan),
                yerr=shape.test_error,
                color="black",
                fmt="o",
                markersize=3.5,
                linewidth=1,
                label=f"Out of fold ({row.events[1]:,})",
            )
            axes.set_xlim(0, 1)
            log_y(axes, np.concatenate([train, test]), headroom=0.42)
            _name(axes, result.signal)
            axes.legend(loc="upper right", title=_title(result, row.name), alignment="left")
            if not (np.isfinite(train).any() or np.isfinite(test).any()):
                say_empty(axes)
            columns = (
                values("Trained on", train, error=shape.train_error),
                values("Out of fold", test, error=shape.test_error),
            )
            frame.tables.append(Table(f"Score of {row.name}", (bins("Score", edges),), columns))
    return frame.figure


def _name(ax: Axes, signal: str) -> None:
    ax.set_xlabel(f"Score of {plain_text(signal)}")
    ax.set_ylabel("Fraction of events / bin")


def _title(result: Overtraining, name: str) -> str:
    row = next(row for row in result.classes if row.name == name)
    area = row.auc_difference
    lines = [plain_text(name)]
    if np.isfinite(area.value):
        error = "" if area.up is None else f" $\\pm$ {area.up:.4f}"
        lines.append(f"$\\Delta$AUC = {area.value:.4f}{error}")
    if row.ndf:
        lines.append(f"$\\chi^2$/ndf = {row.chi2:.1f}/{row.ndf}, p = {row.p_chi2:.2g}")
    return "\n".join(lines)


def plot_calibration(
    result: Calibration,
    *,
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw how often events of a score are of the class, a panel a class.

    Args:
        result: Reliability of all classes.
        ax: Axes to draw on, one a class.
        label: The line above the figure.
        style: Name of a style.
    """
    count = max(len(result.classes), 1)
    across = across_page(count)
    layout, size = panels(count, across), panels_size(count, across)
    with canvas(ax, label=label, style=style, layout=layout, size=size) as frame:
        for axes in frame.axes[:count]:
            axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1.2)
            axes.set(xlim=(0, 1), ylim=(0, 1.3), xlabel="Mean score", ylabel="Share of the class")
        if not result.classes:
            say_empty(frame.main, "no classes")
        for axes, row in zip(frame.axes, result.classes, strict=False):
            axes.errorbar(
                row.predicted, row.observed, yerr=row.error, color=BLUE, fmt="o-", linewidth=1.2
            )
            error = "" if row.ece.up is None else f" $\\pm$ {row.ece.up:.3f}"
            title = f"{plain_text(row.name)}\nECE = {row.ece.value:.3f}{error}"
            axes.annotate(
                title, (0, 1), (14, -12), "axes fraction", textcoords="offset points", va="top",
                fontsize="small",
            )  # fmt: skip
            if not np.isfinite(row.observed).any():
                say_empty(axes)
            columns = (
                values("Share of the class", row.observed, error=row.error),
                values("Sum of weights", row.weight),
            )
            frame.tables.append(
                Table(f"Calibration of {row.name}", (points("Mean score", row.predicted),), columns)
            )
    return frame.figure
