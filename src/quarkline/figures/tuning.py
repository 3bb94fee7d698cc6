"""A search for hyper-parameters: its trials in time, key by key, and what mattered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from quarkline.figures.pieces import plain_text, say_empty, set_labels
from quarkline.figures.style import BLUE, GREY, ORANGE, RED, Label, canvas, panels, panels_size
from quarkline.figures.tables import Array, Table, points, values, words
from quarkline.learning.training.search.result import TrialRow, TrialState, TuneResult

TRIAL = "Trial"
LOOKS = {TrialState.COMPLETE: (BLUE, "o", "Complete"), TrialState.PRUNED: (GREY, "x", "Pruned")}


def plot_tuning_history(
    result: TuneResult,
    *,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the metric of every trial and the best so far.

    Args:
        result: The search.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style) as frame:
        for state, (colour, marker, name) in LOOKS.items():
            trials = _with_value(result, state)
            numbers, metric = _numbers(trials), _metric(trials)
            if trials:
                frame.main.plot(numbers, metric, marker, color=colour, label=name)
            columns = (values(result.metric, metric),)
            frame.tables.append(Table(f"{name} trials", (points(TRIAL, numbers),), columns))
        complete = _with_value(result, TrialState.COMPLETE)
        if complete:
            upwards = result.direction == "maximize"
            best = (np.maximum if upwards else np.minimum).accumulate(_metric(complete))
            last = max(trial.number for trial in result.trials)
            frame.main.step(
                [*_numbers(complete), last],
                [*best, best[-1]],
                where="post",
                color=ORANGE,
                label="Best so far",
            )
            columns = (values(f"Best {result.metric}", best),)
            numbers = _numbers(complete)
            frame.tables.append(Table("Best so far", (points(TRIAL, numbers),), columns))
            _failed(frame.main, result)
            frame.main.legend(loc="best")
        else:
            say_empty(frame.main, "no complete trials")
        _headroom(frame.main)
        frame.main.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        frame.main.tick_params(axis="x", which="minor", bottom=False, top=False)
        set_labels(frame, TRIAL, _named(result.metric))
    return frame.figure


def plot_tuning_slices(
    result: TuneResult,
    *,
    ax: Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the metric of complete trials against the value of each key, a panel a key.

    Args:
        result: The search.
        ax: Axes to draw on, one a key, instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    trials = _with_value(result, TrialState.COMPLETE)
    keys = sorted({key for trial in trials for key in trial.parameters})
    count = max(len(keys), 1)
    with canvas(
        ax, label=label, style=style, layout=panels(count), size=panels_size(count)
    ) as frame:
        if not keys:
            say_empty(frame.main, "no complete trials")
        for axes, key in zip(frame.axes, keys, strict=False):
            drawn = [trial.parameters[key] for trial in trials]
            axes.set_xlabel(plain_text(key))
            axes.set_ylabel(_named(result.metric))
            metric = _metric(trials)
            if all(_is_number(value) for value in drawn):
                x = np.asarray(drawn, dtype=np.float64)
                axes.set_xscale("log" if key in result.logarithmic else "linear")
                column = points(key, x)
            else:
                names = sorted({_text(value) for value in drawn})
                x = np.asarray([names.index(_text(value)) for value in drawn], dtype=np.float64)
                axes.set_xticks(range(len(names)), [_short(name) for name in names])
                axes.minorticks_off()
                axes.set_xlim(-0.5, len(names) - 0.5)
                column = words(key, [_text(value) for value in drawn])
            points_of = axes.scatter(
                x, metric, c=_numbers(trials), cmap="viridis", s=28, linewidths=0
            )
            points_of.set_clim(0, max(trial.number for trial in trials) or 1)
            best = [index for index, trial in enumerate(trials) if trial.number == result.best]
            axes.plot(x[best], metric[best], "*", color=RED, markersize=13, label="Best")
            _headroom(axes)
            frame.tables.append(Table(key, (column,), (values(result.metric, metric),)))
        if keys:
            frame.main.legend(loc="best", title="Dark: early trials")
    return frame.figure


def plot_tuning_importance(
    result: TuneResult,
    *,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw each key's share in the variation of the metric.

    Args:
        result: The search.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    shares = sorted(result.importance.items(), key=lambda item: item[1])
    with canvas(ax, label=label, style=style) as frame:
        places = np.arange(len(shares))
        share = np.asarray([value for _, value in shares], dtype=np.float64)
        names = [key for key, _ in shares]
        frame.main.barh(places, share, color=BLUE, height=0.6)
        frame.main.set_yticks([])
        for place, name in enumerate(names):
            frame.main.annotate(
                f"{plain_text(name)}: {share[place]:.2f}",
                (0, place + 0.32),
                xytext=(6, 2),
                textcoords="offset points",
                fontsize="small",
                va="bottom",
            )
        if shares:
            frame.main.set_ylim(-0.6, len(shares) - 0.1)
        else:
            say_empty(frame.main, "too few complete trials")
        frame.main.set_xlim(0, max(1.08 * share.max(initial=0.0), 0.01))
        set_labels(frame, f"Share in the variation of {_named(result.metric, inside=True)}", "")
        frame.tables.append(
            Table("Importance", (words("Key", names),), (values("Importance", share),))
        )
    return frame.figure


def _with_value(result: TuneResult, state: TrialState) -> list[TrialRow]:
    return [trial for trial in result.trials if trial.state is state and trial.value is not None]


def _numbers(trials: Sequence[TrialRow]) -> Array:
    return np.asarray([trial.number for trial in trials], dtype=np.float64)


def _metric(trials: Sequence[TrialRow]) -> Array:
    return np.asarray([trial.value for trial in trials], dtype=np.float64)


def _failed(ax: Axes, result: TuneResult) -> None:
    """Say how many trials failed, which have no place in the figure."""
    if failed := result.count(TrialState.FAILED):
        ax.plot([], [], " ", label=f"{failed} failed")


def _headroom(ax: Axes) -> None:
    """Keep points off the frame."""
    ax.margins(y=0.12)


def _named(metric: str, *, inside: bool = False) -> str:
    """A metric as an axis says it, at the start of a label or inside it."""
    if metric == "auc":
        return "AUC"
    return metric if inside else metric[:1].upper() + metric[1:]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _short(name: str) -> str:
    text = plain_text(name)
    return text if len(text) <= 14 else text[:13] + "…"
