"""Rankings: features by importance or agreement, systematics by what they move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from quarkline.engine.core.results import Quantity
from quarkline.figures.pieces import floats, plain_text, say_empty
from quarkline.figures.style import BLUE, GREY, ORANGE, RED, Canvas, Label, canvas, with_margins
from quarkline.figures.tables import Array, Table, values, words
from quarkline.statistics.evaluation import (
    Agreement,
    Attribution,
    PermutationImportance,
    ScoreShifts,
)

LETTER, ROW = 0.088, 0.27
"""Inches for a letter of a name, and for a row."""
LEAST = 1e-6  # p-values below are drawn here
MOST = 50  # rows drawn


def plot_importance(
    result: PermutationImportance,
    *,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the area lost without each feature, the most important first.

    Args:
        result: Losses by feature.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    rows = result.features
    names = [row.name for row in rows]
    with _ranked(ax, label, style, names, "Feature") as frame:
        _bars(frame, names, [row.auc_drop for row in rows], BLUE, "no features")
        frame.main.set_xlabel(f"AUC lost, of {result.auc:.4f}")
        _table(
            frame,
            "Permutation importance",
            names,
            {
                "AUC lost": [row.auc_drop for row in rows],
                "Significance lost": [row.significance_drop for row in rows],
            },
        )
    return frame.figure


def plot_attribution(
    result: Attribution,
    *,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the mean size of each feature's attribution, and its mean with sign as a point.

    Args:
        result: Integrated gradients.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    rows = result.features
    names = [row.name for row in rows]
    with _ranked(ax, label, style, names, "Feature") as frame:
        _bars(frame, names, [row.size for row in rows], BLUE, "no features")
        shown = rows[:MOST]
        frame.main.plot(
            [row.mean.value for row in shown], range(len(shown)), "D", color=RED, label="Mean"
        )
        if shown:
            frame.main.legend(loc="center right")
        frame.main.set_xlabel(f"Mean |attribution| to p({plain_text(result.target)})")
        _table(
            frame,
            "Integrated gradients",
            names,
            {"Mean size": [row.size for row in rows], "Mean": [row.mean for row in rows]},
        )
    return frame.figure


def plot_agreement(
    result: Agreement,
    *,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the p-values of data against simulation of every feature, the worst first.

    Args:
        result: Tests of all features.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    rows = result.features[:MOST]
    names = [row.name for row in rows]
    with _ranked(ax, label, style, names, "Feature") as frame:
        _names(frame.main, names, len(result.features), "no features")
        kinds = {
            r"$\chi^2$": ([row.p_chi2 for row in rows], "o", BLUE),
            "K-S": ([row.ks.p_value for row in rows], "s", ORANGE),
        }
        every = floats([*(row.p_chi2 for row in rows), *(row.ks.p_value for row in rows)])
        lowest = float(np.clip(np.nanmin([*every, 1.0]) / 3, LEAST, 1e-2))
        for name, (p_values, marker, colour) in kinds.items():
            inside = np.clip(floats(p_values), LEAST, 1.0)
            frame.main.plot(
                inside, range(len(rows)), marker, color=colour, label=name, clip_on=False
            )
        frame.main.axvline(0.05, color=GREY, linestyle=":", linewidth=1)
        frame.main.set(xscale="log", xlim=(lowest, 1))
        frame.main.legend(loc="lower left")
        frame.main.set_xlabel("p-value of data against simulation")
        frame.tables.append(
            Table(
                "Agreement",
                (words("Feature", [row.name for row in result.features]),),
                (
                    values("chi2", [row.chi2 for row in result.features]),
                    values("ndf", [row.ndf for row in result.features]),
                    values("p (chi2)", [row.p_chi2 for row in result.features]),
                    values("p (K-S)", [row.ks.p_value for row in result.features]),
                ),
            )
        )
    return frame.figure


def plot_score_shifts(
    result: ScoreShifts,
    *,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw which systematics change the background in a bin of the score most.

    Args:
        result: Shifts of all systematics.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    names = list(dict.fromkeys(shift.name for shift in result.shifts))
    with _ranked(ax, label, style, names, "Systematic", foot=1) as frame:
        _names(frame.main, names[:MOST], len(names), "no systematics", foot=1)
        for side, colour, offset in (("up", RED, -0.19), ("down", BLUE, 0.19)):
            found = {shift.name: shift.largest for shift in result.shifts if shift.side == side}
            heights = [100 * found.get(name, np.nan) for name in names[:MOST]]
            rows = np.arange(len(heights)) + offset
            frame.main.barh(rows, np.nan_to_num(heights), 0.36, color=colour, alpha=0.7, label=side)
        frame.main.axvline(0, color="black", linewidth=1)
        if names:
            frame.main.legend(loc="lower right", ncols=2)
        told = "Largest change of the background in a bin of the score [%]"
        frame.main.set_xlabel(told, fontsize="small")
        frame.tables.append(
            Table(
                "Systematics",
                (words("Systematic", [f"{row.name}, {row.side}" for row in result.shifts]),),
                (
                    values("Largest change [%]", [100 * row.largest for row in result.shifts]),
                    values("Mean shift of the score", [row.mean.value for row in result.shifts]),
                    values("RMS shift of the score", [row.rms for row in result.shifts]),
                    values("Change of the AUC", [row.auc for row in result.shifts]),
                    values(
                        "Change of the significance", [row.significance for row in result.shifts]
                    ),
                ),
            )
        )
    return frame.figure


@contextmanager
def _ranked(
    ax: Axes | None, label: Label | None, style: str, names: Sequence[str], what: str, foot: int = 0
) -> Iterator[Canvas]:
    """Axes with a row each, and some for a legend, and room for the names at the left."""
    left = 0.85 + LETTER * max(map(len, names), default=0)
    size = (left + 5.7, 1.5 + ROW * max(min(len(names), MOST) + foot, 6))
    with canvas(ax, label=label, style=style, layout=with_margins(left=left), size=size) as frame:
        frame.y_label = left - 0.35
        frame.main.set_ylabel(what)
        yield frame


def _bars(
    frame: Canvas, names: Sequence[str], sizes: Sequence[Quantity], colour: str, nothing: str
) -> None:
    shown = sizes[:MOST]
    _names(frame.main, names[:MOST], len(names), nothing)
    lengths = np.nan_to_num([size.value for size in shown])
    frame.main.barh(range(len(shown)), lengths, 0.7, color=colour, alpha=0.55)
    frame.main.errorbar(
        lengths, range(len(shown)), xerr=_errors(shown), fmt="none", color="black", linewidth=1.2
    )
    frame.main.axvline(0, color="black", linewidth=1)


def _names(ax: Axes, names: Sequence[str], every: int, nothing: str, foot: int = 0) -> None:
    """Names at the left of the rows, and how many are not drawn."""
    ax.set_yticks(range(len(names)), [plain_text(name) for name in names], fontsize=11)
    ax.tick_params(axis="y", which="both", length=0)
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_ylim(max(len(names), 1) + foot - 0.4, -0.6)
    if every > len(names):
        told = f"first {len(names)} of {every}"
        ax.text(0.98, 0.02, told, transform=ax.transAxes, ha="right", fontsize="xx-small")
    if not names:
        say_empty(ax, nothing)


def _table(
    frame: Canvas, name: str, names: Sequence[str], columns: dict[str, list[Quantity]]
) -> None:
    filled = tuple(
        values(title, [item.value for item in items], error=_errors(items))
        for title, items in columns.items()
    )
    frame.tables.append(Table(name, (words("Feature", names),), filled))


def _errors(items: Sequence[Quantity]) -> Array:
    return floats([0.0 if item.up is None else item.up for item in items])[: len(items)]
