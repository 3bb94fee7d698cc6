"""Cut-flow: how many events each step of a selection keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quarkline.events.selection import CutFlow
from quarkline.figures.pieces import floats, log_axis, say_empty
from quarkline.figures.style import SIZE, Label, canvas, looks
from quarkline.figures.tables import Array, Column, Table, values, words

LEGEND_ROOM = 0.45  # of the bars' decades, to the right of the longest


def plot_cut_flow(
    flows: Mapping[str, CutFlow | Mapping[str, float]],
    *,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the events left after each step, with the fraction of the step before.

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
    slot = 1 + len(flows)
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
            _write(frame.main, slot * number, step, fontweight="bold")
        if not steps:
            say_empty(frame.main, "no steps")
        every = np.concatenate([*counts.values(), np.empty(0)])
        _axes(frame.main, slot * len(steps), every, legend=len(flows) > 1)
        frame.main.set_xlabel("Sum of weights" if weighted else "Events")
        if len(flows) > 1:
            frame.main.legend(loc="lower right")
        frame.tables.append(
            Table(
                "Cut-flow",
                (words("Step", steps),),
                tuple(
                    _column("Sum of weights" if weighted else "Events", *item, errors[item[0]])
                    for item in counts.items()
                ),
            )
        )
    return frame.figure


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
