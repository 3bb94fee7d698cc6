"""Significance and yields behind cuts on a score, and in its bins."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from quarkline.figures.pieces import log_y, say_empty, set_labels
from quarkline.figures.style import BLUE, GREY, RED, Label, canvas, looks, with_lower
from quarkline.figures.tables import Table, intervals, points, values
from quarkline.statistics.evaluation import BinnedSignificance, SignificanceScan

THRESHOLD = "Threshold on the score"
NOT_BOUND = "s/sqrt(b)"
"""Ends at the legend where the background vanishes, so that the others can be read."""
LINE = 0.062
"""Height of a line of the legend as a fraction of the frame."""


def plot_significance_scan(
    result: SignificanceScan,
    *,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw figures of merit of all cuts with their bootstrap bands and best cuts.

    s / sqrt(b) may leave the part of the frame below the legend.

    Args:
        result: The scan.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    cuts = np.asarray(result.thresholds)
    ceiling = 0.96 - LINE * len(result.merits)
    with canvas(ax, label=label, style=style) as frame:
        highest = [0.0]
        for merit, look in zip(result.merits, looks(len(result.merits)), strict=True):
            best = merit.best
            known = np.isfinite(best.threshold.value)
            error = "" if best.significance.up is None else f" $\\pm$ {best.significance.up:.2f}"
            at = f": {best.significance.value:.2f}{error} at {best.threshold.value:.3g}"
            name = merit.name.replace("sqrt", "√")
            frame.main.plot(
                cuts,
                merit.significance,
                color=look.color,
                linestyle=look.linestyle,
                label=name + at if known else f"{name}: no cut is allowed",
            )
            frame.main.fill_between(
                cuts, merit.low, merit.high, color=look.color, alpha=0.18, linewidth=0
            )
            frame.main.plot(
                best.threshold.value, best.significance.value, "*", color=look.color, markersize=12
            )
            below = np.asarray(merit.significance) - np.asarray(merit.low)
            above = np.asarray(merit.high) - np.asarray(merit.significance)
            column = values("Significance", merit.significance, error=np.stack([below, above]))
            frame.tables.append(Table(merit.name, (points(THRESHOLD, cuts),), (column,)))
            if merit.name != NOT_BOUND:
                highest.append(float(np.nanmax([*merit.significance, *merit.high, 0.0])))
        if max(highest) == 0.0:
            say_empty(frame.main, "no cuts")
        frame.main.set(xlim=(0, 1), ylim=(0, 1.04 * max(highest) / ceiling or 1))
        _cut_off(frame.main, ceiling)
        set_labels(frame, THRESHOLD, r"Significance [$\sigma$]")
        if result.merits:
            frame.main.legend(loc="upper left")
    return frame.figure


def _cut_off(ax: Axes, ceiling: float) -> None:
    """Let nothing be drawn above a fraction of the frame, where the legend is."""
    below = Rectangle((0, 0), 1, ceiling, transform=ax.transAxes)
    for artist in (*ax.lines, *ax.collections):
        artist.set_clip_path(below)


def plot_yields(
    result: SignificanceScan,
    *,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the signal and background expected behind every cut.

    Args:
        result: The scan.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    cuts = np.asarray(result.thresholds)
    s, b, error = (
        np.asarray(row) for row in (result.signal, result.background, result.background_error)
    )
    with canvas(ax, label=label, style=style) as frame:
        frame.main.plot(cuts, s, color=RED, label="Signal")
        frame.main.plot(cuts, b, color=BLUE, linestyle="--", label="Background")
        frame.main.fill_between(
            cuts, np.maximum(b - error, 1e-12), b + error, color=BLUE, alpha=0.2, linewidth=0
        )
        if not (s > 0).any() and not (b > 0).any():
            say_empty(frame.main)
        frame.main.set_xlim(0, 1)
        log_y(frame.main, np.concatenate([s, b]), headroom=0.12)
        set_labels(frame, THRESHOLD, "Events behind the cut")
        frame.main.legend(loc="upper right")
        columns = (values("Signal", s), values("Background", b, error=error))
        frame.tables.append(Table("Yields", (points(THRESHOLD, cuts),), columns))
    return frame.figure


def plot_binned_significance(
    result: BinnedSignificance,
    *,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw signal and background in bins of the score, with each bin's significance below.

    Bins are drawn equally wide, with the scores of their edges.

    Args:
        result: One binning.
        ax: Axes to draw on: one, or two for yields and significance.
        label: The line above the figure.
        style: Name of a style.
    """
    s, b, error = (
        np.asarray(row) for row in (result.signal, result.background, result.background_error)
    )
    places = np.arange(s.size + 1.0)
    with canvas(ax, label=label, style=style, layout=with_lower) as frame:
        frame.main.stairs(b, places, fill=True, color=BLUE, alpha=0.35, label="Background")
        frame.main.stairs(
            b + error, places, baseline=b - error, fill=True, color=GREY, alpha=0.6,
            label="Background error",
        )  # fmt: skip
        frame.main.stairs(s, places, color=RED, linewidth=2, label="Signal")
        if not (s > 0).any() and not (b > 0).any():
            say_empty(frame.main)
        log_y(frame.main, np.concatenate([s, b]), headroom=0.3)
        total = result.total
        spread = "" if total.up is None else f" $\\pm$ {total.up:.2f}"
        title = f"{result.name.capitalize()}: {total.value:.2f}{spread} $\\sigma$"
        frame.main.legend(loc="upper right", title=title, alignment="left")
        bottom = frame.lower or frame.main
        if frame.lower is not None:
            frame.lower.stairs(np.nan_to_num(result.significance), places, color=RED)
            frame.lower.set_ylim(
                0, 1.25 * max(np.nan_to_num(result.significance).max(initial=0), 0.1)
            )
        step = max(1, -(-places.size // 9))
        bottom.set_xlim(0, places[-1])
        bottom.set_xticks(places[::step], [f"{edge:.3g}" for edge in result.edges[::step]])
        bottom.minorticks_off()
        set_labels(frame, "Score", "Events / bin", r"$Z$ [$\sigma$]")
        edges = np.asarray(result.edges)
        columns = (
            values("Signal", s),
            values("Background", b, error=error),
            values("Significance", result.significance),
        )
        frame.tables.append(
            Table(f"Score, {result.name}", (intervals("Score", edges[:-1], edges[1:]),), columns)
        )
    return frame.figure
