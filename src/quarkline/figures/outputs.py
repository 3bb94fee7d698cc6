"""The outputs of a tagger: classes beside each other, and data against simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quarkline.figures.pieces import (
    DATA,
    HALO,
    centres,
    linear_y,
    log_axis,
    log_y,
    say_empty,
    set_labels,
)
from quarkline.figures.stacked import draw_ratio
from quarkline.figures.style import BLUE, RED, Canvas, Label, canvas, with_lower
from quarkline.figures.tables import Array, Table, bins, values
from quarkline.statistics.tagging import OutputHistogram, OutputKs, OutputPart

TITLES: Mapping[str, str] = {"qcd": "QCD output", "sig": "Signal output", "bib": "BIB output"}
LOWEST = 2e-5
"""Where a logarithmic axis of an output begins."""
Y = "Fraction of jets / bin"


def plot_outputs(
    histogram: OutputHistogram,
    *,
    log_x: bool = False,
    log_y_axis: bool = False,
    note: str = "",
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw one output for signal (filled), QCD (dots) and BIB (circles), each normalised to one.

    Args:
        histogram: The output in each class.
        log_x: Whether the x axis is logarithmic, from 2e-5.
        log_y_axis: Whether the y axis is.
        note: A line of words in the frame.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    edges = np.asarray(histogram.edges, dtype=np.float64)
    with canvas(ax, label=label, style=style) as frame:
        for part in histogram.parts:
            shares, error = part.shares
            frame.not_finite += part.not_finite
            if part.name == "signal":
                _area(frame.main, edges, shares, RED, _entry(part))
            else:
                open_ = part.name == "BIB"
                _marks(frame.main, edges, (shares, error), _entry(part), open_, log_x)
        frame.tables.append(_table(histogram))
        drawn = np.concatenate([part.shares[0] for part in histogram.parts] or [np.zeros(1)])
        if not drawn.any():
            say_empty(frame.main, "no jets")
        _axes(frame, edges, drawn, log_x, "log" if log_y_axis else "linear")
        set_labels(frame, TITLES[histogram.output], Y)
        frame.main.legend(loc="upper right")
        _words(frame.main, [note])
    return frame.figure


def plot_output_agreement(
    histogram: OutputHistogram,
    test: OutputKs | None = None,
    *,
    log_x: bool = False,
    note: str = "",
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw one output for data and simulation of a control region, each normalised to one.

    Args:
        histogram: The output in data and in simulation.
        test: The K-S test of the two, for the frame.
        log_x: Whether the x axis is logarithmic, from 2e-5.
        note: A line of words in the frame.
        ax: Axes to draw on: one, or two for shapes and ratio.
        label: The line above the figure.
        style: Name of a style.
    """
    edges = np.asarray(histogram.edges, dtype=np.float64)
    parts = {part.name: part for part in histogram.parts}
    simulation, data = parts["simulation"], parts["data"]
    with canvas(ax, label=label, style=style, layout=with_lower, size=(7.2, 6.6)) as frame:
        frame.not_finite += simulation.not_finite + data.not_finite
        expected, error = simulation.shares
        _area(frame.main, edges, expected, BLUE, _entry(simulation, "Multijet simulation"))
        _marks(frame.main, edges, data.shares, _entry(data, "Data"), False, log_x)
        drawn = np.concatenate([expected, data.shares[0]])
        if not drawn.any():
            say_empty(frame.main, "no jets")
        _axes(frame, edges, drawn, log_x, "log")
        _ratio(frame, edges, data.shares, (expected, error), log_x)
        set_labels(frame, TITLES[histogram.output], Y, "Data / sim.")
        frame.main.legend(loc="upper right")
        _words(frame.main, [_region(test), note, *_tested(test)])
        frame.tables.append(_table(histogram))
    return frame.figure


def _entry(part: OutputPart, name: str = "") -> str:
    words = name or f"{part.name[0].upper()}{part.name[1:]}"
    return f"{words} ({part.jets:,})"


def _area(ax: Axes, edges: Array, shares: Array, colour: str, entry: str) -> None:
    ax.stairs(
        shares,
        edges,
        fill=True,
        facecolor=(colour, 0.5),
        edgecolor=colour,
        linewidth=1.2,
        label=entry,
    )


def _marks(
    ax: Axes,
    edges: Array,
    measured: tuple[Array, Array],
    entry: str,
    open_: bool,
    log_x: bool,
) -> None:
    shown = np.where(measured[0] > 0, measured[0], np.nan)
    fill = {"markerfacecolor": "white", "color": "black"} if open_ else {}
    marks = {**DATA, **fill, "markersize": 5 if open_ else 4.5}
    ax.errorbar(_middles(edges, log_x), shown, yerr=measured[1], label=entry, **marks)


def _middles(edges: Array, log_x: bool) -> Array:
    """Where the points of the bins stand."""
    if not log_x:
        return centres(edges)
    return np.sqrt(np.maximum(edges[:-1], LOWEST) * edges[1:])


def _axes(
    frame: Canvas, edges: Array, drawn: Array, log_x: bool, scale: Literal["log", "linear"]
) -> None:
    if log_x:
        for axes in frame.axes:
            log_axis(axes, "x", LOWEST, edges[-1])
    else:
        frame.main.set_xlim(0, edges[-1])
    if scale == "log":
        log_y(frame.main, drawn, headroom=0.34, footroom=2)
    else:
        linear_y(frame.main, drawn, headroom=0.3)


def _ratio(
    frame: Canvas,
    edges: Array,
    data: tuple[Array, Array],
    expected: tuple[Array, Array],
    log_x: bool,
) -> None:
    if frame.lower is None:
        return
    known = (expected[0] > 0) & (data[0] > 0)
    nothing = np.full_like(expected[0], np.nan)
    ratio, error = (np.divide(part, expected[0], out=nothing.copy(), where=known) for part in data)
    draw_ratio(
        frame.lower,
        edges,
        ratio,
        np.stack([error, error]),
        *expected,
        (0.0, 2.0),
        places=_middles(edges, log_x),
    )


def _region(test: OutputKs | None) -> str:
    if test is None or test.region == "all":
        return ""
    low, high = test.low, test.high
    if low is None or low <= 0.0:
        return f"Jet $p_T$ < {high:g} GeV" if high is not None else ""
    return f"Jet $p_T$ > {low:g} GeV" if high is None else f"Jet $p_T$ {low:g} to {high:g} GeV"


def _tested(test: OutputKs | None) -> list[str]:
    if test is None:
        return []
    if test.status != "ok":
        return [f"K-S: {test.status}"]
    p_value = test.p_asymptotic if np.isnan(test.p_value) else test.p_value
    return [f"K-S {test.statistic:.3f}, p = {p_value:.2g}"]


def _words(ax: Axes, lines: list[str]) -> None:
    """Words at the upper left of the frame."""
    ax.text(
        0.03,
        0.965,
        "\n".join(line for line in lines if line),
        transform=ax.transAxes,
        va="top",
        fontsize="x-small",
        path_effects=HALO,
    )


def _table(histogram: OutputHistogram) -> Table:
    columns = []
    for part in histogram.parts:
        shares, error = part.shares
        columns.append(
            values("Fraction of jets", shares, error=error, qualifiers={"class": part.name})
        )
    title = TITLES[histogram.output]
    return Table(f"{title}, {histogram.region}", (bins(title, histogram.edges),), tuple(columns))
