"""What a tagger is worth: shares of tagged jets, rejection, S/sqrt(B), and its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from quarkline.figures.pieces import (
    auc_words,
    floats,
    linear_y,
    log_axis,
    say_empty,
    set_labels,
)
from quarkline.figures.style import GREY, Label, canvas, looks, ordered_looks
from quarkline.figures.tables import Array, Column, Table, points, values, words
from quarkline.statistics.tagging import MeritCurve, TaggedShare, TaggerCurve, TaggerCurves

FEW_EPOCHS = 12


def plot_signal_efficiencies(
    shares: Sequence[TaggedShare],
    *,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the efficiency of the signal against m_H, one mark a mass m_S.

    Points of one m_H stand a little beside each other.

    Args:
        shares: Shares of jets whose largest output is the signal's.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style) as frame:
        heavy = sorted({one.mass[0] for one in shares})
        light = sorted({one.mass[1] for one in shares})
        for mass, look in zip(light, ordered_looks(len(light)), strict=True):
            chosen = [one for one in shares if one.mass[1] == mass]
            places = [_place(one, shares, heavy) for one in chosen]
            frame.main.errorbar(
                places,
                [one.share.value for one in chosen],
                yerr=_share_errors(chosen),
                color=look.color,
                marker=look.marker,
                linestyle="",
                markersize=6,
                linewidth=1.4,
                label=f"$m_S$ = {mass:g} GeV",
            )
        if not shares:
            say_empty(frame.main, "no signal jets")
        frame.main.set_xticks(range(len(heavy)), [f"{mass:g}" for mass in heavy])
        frame.main.minorticks_off()
        frame.main.set(xlim=(-0.6, max(len(heavy), 1) - 0.4), ylim=(0, 1.3))
        frame.main.axhline(1.0, color=GREY, linewidth=1, linestyle=":")
        set_labels(frame, "$m_H$ [GeV]", "Jets whose largest output is signal")
        if light:
            frame.main.legend(loc="upper right", ncols=3)
        frame.tables.append(
            Table(
                "Signal efficiency",
                (
                    points("m_H [GeV]", [one.mass[0] for one in shares]),
                    points("m_S [GeV]", [one.mass[1] for one in shares]),
                ),
                (_share_column(shares),),
            )
        )
    return frame.figure


def plot_false_positives(
    shares: Sequence[TaggedShare],
    *,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the share of each background whose largest output is the signal's.

    Args:
        shares: Of each background.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style) as frame:
        names = [f"{one.name[0].upper()}{one.name[1:]}" for one in shares]
        known = floats([one.share.value for one in shares])
        places = np.arange(len(shares))
        frame.main.errorbar(
            places, known, yerr=_share_errors(shares), fmt="o", color="black", markersize=6
        )
        for place, one in enumerate(shares):
            if np.isfinite(one.share.value):
                frame.main.annotate(
                    f"{one.share.value:.3g}",
                    (place, one.share.value),
                    (10, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize="x-small",
                )
        if not np.isfinite(known).any():
            say_empty(frame.main, "no background jets")
        entries = [f"{name} ({one.jets:,})" for name, one in zip(names, shares, strict=True)]
        frame.main.set_xticks(places, entries)
        frame.main.minorticks_off()
        frame.main.set_xlim(-0.6, max(len(shares), 1) - 0.4)
        highest = known + _share_errors(shares)[1] if len(shares) else known
        linear_y(frame.main, highest, headroom=0.2)
        set_labels(frame, "True class (jets)", "Jets whose largest output is signal")
        frame.tables.append(
            Table("False positives", (words("Class", names),), (_share_column(shares),))
        )
    return frame.figure


def plot_rejection(
    result: TaggerCurves,
    *,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw background rejection against signal efficiency, a curve a cut and a mass.

    Args:
        result: The curves.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style) as frame:
        heights: list[float] = [1.0]
        curves = (*result.cuts, *result.masses)
        for curve, look in zip(curves, looks(len(curves)), strict=True):
            title = _title(curve, result.third)
            mistaken, kept = floats(curve.background), floats(curve.signal)
            some = mistaken > 0.0
            rejected = 1.0 / mistaken[some]
            about = auc_words(curve.area) if curve.status == "ok" else curve.status
            frame.main.plot(
                kept[some],
                rejected,
                color=look.color,
                linestyle=look.linestyle,
                label=f"{title}: {about}",
            )
            heights += rejected.tolist()
            frame.tables.append(
                Table(
                    title,
                    (points("Signal efficiency", kept),),
                    (values("Background efficiency", mistaken),),
                )
            )
        if len(heights) == 1:
            say_empty(frame.main, "no curves")
        steps = np.geomspace(1e-4, 1.0, 200)
        frame.main.plot(steps, 1 / steps, color=GREY, linestyle=":", linewidth=1, label="By chance")
        frame.main.set_xlim(0, 1)
        highest = max(*heights, 10.0)
        log_axis(frame.main, "y", 0.8, highest * (1.5 * highest) ** 0.25)
        set_labels(frame, "Signal efficiency", "Background rejection")
        frame.main.legend(loc="upper right")
    return frame.figure


def plot_merit(
    curve: MeritCurve,
    *,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw S/sqrt(B) against one minus the cut on the signal's output.

    Args:
        curve: A scan.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    x, merit = 1.0 - floats(curve.thresholds), floats(curve.merit)
    with canvas(ax, label=label, style=style) as frame:
        (look,) = looks(1)
        frame.main.plot(x, merit, color=look.color, label=_scanned(curve.name))
        if curve.best >= 0:
            best = float(x[curve.best])
            frame.main.plot(
                best,
                curve.maximum,
                "*",
                color="black",
                markersize=12,
                zorder=3,
                linestyle="",
                label=f"Largest {curve.maximum:.3g} at {1 - best:.3g}; area {curve.area:.3g}",
            )
        else:
            say_empty(frame.main, "no scan")
        log_axis(frame.main, "x", max(float(x.min(initial=1.0)) * 0.7, 1e-5), 1.0)
        linear_y(frame.main, merit, headroom=0.3)
        set_labels(frame, "1 - cut on the signal output", "S / √B")
        frame.main.legend(loc="upper right")
        columns = (
            values("S", curve.signal),
            values("B", curve.background),
            values("S/sqrt(B)", merit),
        )
        frame.tables.append(
            Table(_scanned(curve.name), (points("Cut", curve.thresholds),), columns)
        )
    return frame.figure


def plot_epoch_history(
    curves: Mapping[str, ArrayLike],
    y_label: str,
    *,
    expected: ArrayLike | None = None,
    limit: ArrayLike | None = None,
    chosen: int | None = None,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw quantities after each epoch, counted from 0.

    Args:
        curves: Values after each epoch, by name.
        y_label: Name and unit of the y axis.
        expected: What is expected without a difference, after each epoch.
        limit: What 95 % stay below without a difference; drawn with `expected` only.
        chosen: The epoch that is marked.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style) as frame:
        arrays = {name: floats(array) for name, array in curves.items()}
        everything = np.concatenate([*arrays.values(), np.empty(0)])
        if expected is not None and limit is not None:
            floor, high = floats(expected), floats(limit)
            epochs = np.arange(floor.size)
            frame.main.fill_between(
                epochs,
                0,
                high,
                color=GREY,
                alpha=0.3,
                linewidth=0,
                label="95 % by chance",
            )
            frame.main.plot(epochs, floor, ":", color=GREY, label="Median by chance")
            columns = (values("Median", floor), values("95 %", high))
            frame.tables.append(Table("Without a difference", (points("Epoch", epochs),), columns))
            everything = np.concatenate([everything, high, [0.0]])
        for (name, array), look in zip(arrays.items(), looks(len(arrays)), strict=True):
            epochs = np.arange(array.size)
            frame.main.plot(
                epochs,
                array,
                color=look.color,
                linestyle=look.linestyle,
                marker=look.marker if array.size <= FEW_EPOCHS else "",
                markersize=4,
                label=name,
            )
            frame.tables.append(Table(name, (points("Epoch", epochs),), (values(y_label, array),)))
            frame.not_finite += int((~np.isfinite(array)).sum())
        if chosen is not None:
            frame.main.axvline(chosen, color="black", linewidth=1, linestyle="--", label="Chosen")
        _history_range(frame.main, everything, max((a.size for a in arrays.values()), default=0))
        set_labels(frame, "Epoch", y_label)
        frame.main.legend(loc="upper right")
    return frame.figure


def _history_range(ax: Axes, drawn: ArrayLike, epochs: int) -> None:
    known = floats(drawn)
    known = known[np.isfinite(known)]
    ax.set_xlim(-0.3, max(epochs - 0.7, 1.0))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if not epochs:
        say_empty(ax, "no epochs")
    if not known.size:
        return
    margin = 0.06 * max(known.max() - known.min(), 1e-3 * abs(known.max()), 1e-9)
    ax.set_ylim(known.min() - margin, known.max() + 8 * margin)


def _place(one: TaggedShare, shares: Sequence[TaggedShare], heavy: Sequence[float]) -> float:
    """Where the point of one mass stands: beside the others of the same m_H."""
    beside = sorted(other.mass[1] for other in shares if other.mass[0] == one.mass[0])
    return heavy.index(one.mass[0]) + 0.16 * (beside.index(one.mass[1]) - (len(beside) - 1) / 2)


def _share_errors(shares: Sequence[TaggedShare]) -> Array:
    ends = [(one.share.down or 0.0, one.share.up or 0.0) for one in shares]
    return np.asarray(ends, dtype=np.float64).reshape(-1, 2).T


def _share_column(shares: Sequence[TaggedShare]) -> Column:
    known = [one.share.value for one in shares]
    return values("Share of tagged jets", known, error=_share_errors(shares))


def _title(curve: TaggerCurve, third: str) -> str:
    if curve.mass is not None:
        return f"$m_H$ = {curve.mass:g} GeV"
    if curve.cut is None:
        return "All signal"
    return f"{third} output < {curve.cut:.3g} (without {100 * curve.fraction:g} % of {third})"


def _scanned(name: str) -> str:
    if name.startswith("mH"):
        return f"$m_H$ = {float(name.removeprefix('mH')):g} GeV"
    return name or "QCD and BIB"
