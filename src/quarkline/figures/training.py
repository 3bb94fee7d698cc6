"""Training: losses over the epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from quarkline.figures.pieces import floats, log_y, plain_text, say_empty, set_labels
from quarkline.figures.style import (
    BLUE,
    ORANGE,
    Label,
    across_page,
    canvas,
    looks,
    panels,
    panels_size,
)
from quarkline.figures.tables import Array, Table, points, values

WINDOW = 5
"""Epochs in the moving average."""
RATE = "learning_rate"


def plot_training_losses(
    train: Sequence[ArrayLike],
    validation: Sequence[ArrayLike],
    *,
    selected: Sequence[int | None] = (),
    y_range: tuple[float, float] | None = None,
    y_label: str = "Loss per event [nats]",
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the training and validation losses of every seed, with their 5-epoch moving average.

    Args:
        train: Training loss after each epoch, one array a seed.
        validation: Validation loss after each epoch, one array a seed.
        selected: The epoch whose model is used, counted from 1, one a seed.
        y_range: Limits of the y axis; by default what the losses after the first epochs need.
        y_label: Name and unit of the y axis.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style) as frame:
        kinds = {"Training": (train, BLUE, "-"), "Validation": (validation, ORANGE, "--")}
        everything: list[Array] = []
        for name, (losses, colour, line) in kinds.items():
            for seed, loss in enumerate(map(floats, losses), start=1):
                epochs = np.arange(1, loss.size + 1)
                mean = moving_average(loss)
                frame.main.plot(
                    epochs,
                    loss,
                    color=colour,
                    alpha=0.35,
                    linewidth=0.8,
                    marker="." if loss.size < WINDOW else "",
                )
                frame.main.plot(epochs, mean, color=colour, linestyle=line, linewidth=1.6)
                everything.append(loss)
                columns = (values("Loss", loss), values("Loss, 5-epoch average", mean))
                frame.tables.append(
                    Table(f"{name}, seed {seed}", (points("Epoch", epochs),), columns)
                )
        for loss, epoch in zip(map(floats, validation), selected, strict=False):
            if epoch is not None and 1 <= epoch <= loss.size:
                frame.main.plot(epoch, loss[epoch - 1], "*", color="black", markersize=11, zorder=3)
        _limits(frame.main, everything, y_range)
        set_labels(frame, "Epoch", y_label)
        _legend(frame.main, len(train), any(epoch is not None for epoch in selected))
    return frame.figure


def plot_training_metrics(
    folds: Mapping[str, Mapping[str, ArrayLike]],
    *,
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw every metric over the epochs, a panel a metric and a curve a fold.

    Metrics `train_X` and `validation_X` share the panel `X`.

    Args:
        folds: Values after each epoch by metric, by fold.
        ax: Axes to draw on, one a panel.
        label: The line above the figure.
        style: Name of a style.
    """
    names = list(dict.fromkeys(_panel(name) for fold in folds.values() for name in fold))
    count = max(len(names), 1)
    across = across_page(count)
    layout, size = panels(count, across), panels_size(count, across)
    with canvas(ax, label=label, style=style, layout=layout, size=size) as frame:
        frame.y_label = 0.76
        for axes, name in zip(frame.axes, names or ["Metric"], strict=False):
            axes.set(xlabel="Epoch", ylabel=_words(name))
        if not any(floats(values).size for fold in folds.values() for values in fold.values()):
            say_empty(frame.main, "no epochs")
        for (fold, metrics), look in zip(folds.items(), looks(len(folds)), strict=True):
            for name, array in metrics.items():
                axes = frame.axes[names.index(_panel(name))]
                known = floats(array)
                epochs = np.arange(1, known.size + 1)
                kind = name.split("_", 1)[0]
                axes.plot(
                    epochs,
                    known,
                    color=look.color,
                    linestyle=":" if kind == "train" else "-",
                    marker="." if known.size < WINDOW else "",
                    linewidth=1.2,
                    label=None if kind == "train" else plain_text(fold),
                )
                column = values(name, known, qualifiers={"fold": fold})
                frame.tables.append(Table(f"{name}, {fold}", (points("Epoch", epochs),), (column,)))
        if RATE in names:
            rates = [floats(metrics[RATE]) for metrics in folds.values() if RATE in metrics]
            log_y(frame.axes[names.index(RATE)], np.concatenate(rates), headroom=0.1)
        if any(name.startswith("train_") for fold in folds.values() for name in fold):
            frame.main.plot([], [], ":", color="black", label="Training")
        if frame.main.get_legend_handles_labels()[0]:
            frame.main.legend(loc="best")
    return frame.figure


def _words(name: str) -> str:
    words = name.replace("_", " ")
    return words.upper() if name == "auc" else words.capitalize()


def _panel(name: str) -> str:
    return name.removeprefix("train_").removeprefix("validation_")


def moving_average(loss: Array, window: int = WINDOW) -> Array:
    """Mean of each value with the `window - 1` before it; NaN where there are not as many."""
    sums = np.cumsum(np.concatenate([[0.0], np.nan_to_num(loss)]))
    known = np.cumsum(np.concatenate([[0.0], np.isfinite(loss)]))
    stop = np.arange(1, loss.size + 1)
    start = np.maximum(stop - window, 0)
    number = np.where(stop >= window, known[stop] - known[start], 0)
    mean = np.full(loss.shape, np.nan)
    np.divide(sums[stop] - sums[start], number, out=mean, where=number > 0)
    return mean


def _limits(ax: Axes, losses: Sequence[Array], y_range: tuple[float, float] | None) -> None:
    """Show every epoch, and the losses without the first steep ones."""
    late = [loss[loss.size // 20 :] for loss in losses]
    known = np.concatenate([*(loss[np.isfinite(loss)] for loss in late), np.empty(0)])
    longest = max((loss.size for loss in losses), default=0)
    ax.set_xlim(0, max(longest, 1) * 1.02)
    if not known.size:
        say_empty(ax, "no losses")
        return
    low, high = y_range or (known.min(), known.max())
    margin = 0.0 if y_range else 0.08 * max(high - low, 1e-3)
    ax.set_ylim(low - margin, high + 4 * margin)


def _legend(ax: Axes, seeds: int, marked: bool) -> None:
    words = f" ({seeds} seeds)" if seeds > 1 else ""
    handles = [
        Line2D([], [], color=BLUE, label=f"Training, {WINDOW}-epoch average{words}"),
        Line2D(
            [], [], color=ORANGE, linestyle="--", label=f"Validation, {WINDOW}-epoch average{words}"
        ),
        Line2D([], [], color="black", alpha=0.35, linewidth=0.8, label="Each epoch"),
    ]
    if marked:
        handles.append(
            Line2D(
                [], [], color="black", marker="*", markersize=11, linestyle="", label="Epoch used"
            )
        )
    ax.legend(handles=handles, loc="upper right")
