"""Cut-flow: how many events each step of a selection keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quarkline.events.selection import CutFlow
from quarkline.figures.legends import legend_below, room_below
from quarkline.figures.pieces import floats, log_axis, plain_text, say_empty
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
from quarkline.figures.tables import Array, Column, Table, values, words

LEGEND_ROOM = 0.45  # of the bars' decades, to the right of the longest
MOST_BARS = 3  # samples
LINE, WRAPPED = 52, 36
"""Letters of a selection above bars, and in one of up to three lines beside curves."""
LETTER = 0.078  # inches


def plot_cut_flow(
    flows: Mapping[str, CutFlow | Mapping[str, float]],
    *,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the events left after each step, with the fraction of the step before.

    Up to three samples have bars with their numbers; more have curves, with what is left at the
    end in the legend.

    Args:
        flows: Cut-flows, or numbers of events after each step, by sample; every sample has the
            same steps in the same order.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    lefts = {name: _left(flow) for name, flow in flows.items()}
    steps = list(next(iter(lefts.values()), {}))
    counts = {name: floats([flow[step][0] for step in steps]) for name, flow in lefts.items()}
    errors = {name: floats([flow[step][1] for step in steps]) for name, flow in lefts.items()}
    weighted = any(isinstance(flow, CutFlow) and flow.weight for flow in flows.values())
    what = "Sum of weights" if weighted else "Events"
    draw = _bars if len(flows) <= MOST_BARS else _curves
    with draw(ax, label, style, steps, counts, errors) as frame:
        if not steps:
            say_empty(frame.main, "no steps")
        frame.main.set_xlabel(what)
        columns = tuple(_column(what, *item, errors[item[0]]) for item in counts.items())
        frame.tables.append(Table("Cut-flow", (words("Step", steps),), columns))
    return frame.figure


@contextmanager
def _bars(
    ax: Axes | None,
    label: Label | None,
    style: str,
    steps: Sequence[str],
    counts: Mapping[str, Array],
    errors: Mapping[str, Array],
) -> Iterator[Canvas]:
    """A bar a step and sample, with its number in words."""
    slot = 1 + len(counts)
    size = (SIZE[0], max(3.0, 1.6 + 0.24 * slot * len(steps)))
    with canvas(ax, label=label, style=style, size=size) as frame:
        for place, ((name, kept), look) in enumerate(
            zip(counts.items(), looks(len(counts)), strict=True), start=1
        ):
            rows = slot * np.arange(len(steps)) + place
            frame.main.barh(
                rows, np.maximum(kept, 0), 0.86, color=look.color, alpha=0.55, label=name
            )
            for row, text in zip(rows.tolist(), _words(kept), strict=True):
                _write(frame.main, row, text)
            if errors[name].any():
                frame.main.errorbar(
                    kept, rows, xerr=errors[name], fmt="none", color=look.color, linewidth=1.2
                )
        for number, step in enumerate(steps):
            _write(frame.main, slot * number, _in_lines(step, LINE, 1), fontweight="bold")
        every = np.concatenate([*counts.values(), np.empty(0)])
        _axes(frame.main, slot * len(steps), every, legend=len(counts) > 1)
        yield frame
        if len(counts) > 1:
            frame.main.legend(loc="lower right")


@contextmanager
def _curves(
    ax: Axes | None,
    label: Label | None,
    style: str,
    steps: Sequence[str],
    counts: Mapping[str, Array],
    errors: Mapping[str, Array],
) -> Iterator[Canvas]:
    """A curve a sample from step to step, with what is left in the legend."""
    names = [_in_lines(plain_text(step), WRAPPED, 3) for step in steps]
    longest = max((len(line) for name in names for line in name.split("\n")), default=0)
    lines = max((name.count("\n") + 1 for name in names), default=1)
    entries = [
        f"{plain_text(name)}: {_words(kept[[0, -1]])[-1] if kept.size else 'no steps'}"
        for name, kept in counts.items()
    ]
    left, room = 0.3 + LETTER * longest, room_below(entries)
    height = max(len(steps), 3) * (0.2 + 0.16 * lines)
    layout = with_margins(left=left, bottom=BOTTOM + room)
    with canvas(
        ax, label=label, style=style, layout=layout, size=(left + 5.7, height + 1.2 + room)
    ) as frame:
        rows = np.arange(len(steps))
        for kept, error, entry, look in zip(
            counts.values(), errors.values(), entries, looks(len(counts)), strict=True
        ):
            frame.main.errorbar(
                np.where(kept > 0, kept, np.nan), rows, xerr=error, color=look.color,
                marker=look.marker, linestyle=look.linestyle, linewidth=1.4, label=entry,
            )  # fmt: skip
        _axes(frame.main, len(steps), np.concatenate(list(counts.values())), legend=False)
        frame.main.set_yticks(rows, names, fontsize=10)
        frame.main.tick_params(axis="y", labelleft=True)
        frame.main.grid(axis="y", color=GREY, alpha=0.4, linewidth=0.6)
        yield frame
        legend_below(frame)


def _in_lines(text: str, letters: int, most: int) -> str:
    """A selection in a few lines; what has no room is left out."""
    return "\n".join(wrap(text, letters, max_lines=most, placeholder=" …"))


def _write(ax: Axes, row: float, text: str, **look: Any) -> None:
    """Write at the left of a row; a selection may hold dollar signs that are no formula."""
    ax.annotate(
        text,
        (0, row),
        (6, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        fontsize="x-small",
        parse_math=False,
        **look,
    )


def _axes(ax: Axes, length: int, counts: Array, *, legend: bool) -> None:
    positive = counts[np.isfinite(counts) & (counts > 0)]
    high = positive.max() if positive.size else 10.0
    low = min(1.0, positive.min() / 2) if positive.size else 0.5
    room = (high / low) ** LEGEND_ROOM if legend else 2
    log_axis(ax, "x", low, room * high)
    ax.set_ylim(max(length, 1) - 0.3, -0.7)
    ax.tick_params(axis="y", which="both", left=False, right=False, labelleft=False)


def _words(kept: Array) -> list[str]:
    """Each count, with its fraction of the one before."""
    texts = []
    for number, count in enumerate(kept):
        text = f"{count:,.0f}" if np.isfinite(count) else "not counted"
        if number and kept[number - 1] > 0 and np.isfinite(count):
            text += f"  ({100 * count / kept[number - 1]:.3g} %)"
        texts.append(text)
    return texts


def _left(flow: CutFlow | Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """What is left after each step, with its error if it is known."""
    if not isinstance(flow, CutFlow):
        return {step: (count, 0.0) for step, count in flow.items()}
    error = flow.error if flow.weight else 0.0
    left = {"all events": (flow.sum_weights, error)}
    for step in flow.steps:
        left[step.name] = (step.sum_weights, step.error if flow.weight else 0.0)
    return left


def _column(label: str, name: str, kept: Array, error: Array) -> Column:
    known = error if error.any() else None
    return values(label, kept, error=known, qualifiers={"sample": name})
