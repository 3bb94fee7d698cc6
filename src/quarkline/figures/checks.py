"""Checks of the background model: samples against data, and what a cut does to the mass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from quarkline.engine.core.results import Quantity
from quarkline.figures.features import FeatureStyle, feature_axes, feature_style
from quarkline.figures.pieces import (
    DATA,
    MASS,
    auc_words,
    centres,
    filled,
    finite,
    floats,
    linear_y,
    log_y,
    mark_window,
    per_bin,
    poisson_error,
    say_empty,
    set_labels,
    set_range,
)
from quarkline.figures.style import (
    BLUE,
    GREY,
    Label,
    canvas,
    panels_size,
    panels_with_lower,
    with_lower,
)
from quarkline.figures.tables import Array, Column, Table, bins, values


def plot_flow_check(
    data: Mapping[str, ArrayLike],
    samples: Mapping[str, ArrayLike],
    *,
    ks: Mapping[str, float] | None = None,
    auc: Quantity | None = None,
    styles: Mapping[str, FeatureStyle] | None = None,
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw sideband data against samples of the background model, a panel and a ratio a feature.

    Args:
        data: Values of each feature in the data, each with shape (N,).
        samples: Values of each feature in the samples, each with shape (M,); scaled to the data.
        ks: Two-sample Kolmogorov-Smirnov distance of each feature, for the legend.
        auc: Area under the curve of a classifier of data against samples.
        styles: Labels and bins that replace the known ones.
        ax: Axes to draw on: one a feature, then one ratio panel a feature.
        label: The line above the figure.
        style: Name of a style.
    """
    names = list(data)
    count = max(len(names), 1)
    with canvas(
        ax, label=label, style=style, layout=panels_with_lower(count), size=panels_size(count)
    ) as frame:
        mains, lowers = frame.axes[:count], frame.axes[count:]
        if not names:
            say_empty(frame.main, "no features")
        for place, name in enumerate(names):
            known = (styles or {}).get(name) or feature_style(name)
            measured, sampled = finite(frame, data[name]), finite(frame, samples[name])
            edges = known.cells([measured, sampled])
            counts, model, error = _scaled(measured, sampled, edges)
            main, lower = mains[place], lowers[place] if lowers else None
            _draw_data_and_model(
                main, edges, counts, model, _title(ks, name, auc if place == 0 else None)
            )
            ratio = _ratio(counts, model)
            _draw_ratio(
                lower,
                edges,
                ratio,
                np.divide(error, model, where=model > 0, out=np.zeros_like(model)),
            )
            feature_axes(main, lower, known, edges)
            if lower is not None:
                lower.set_ylabel("Data / model", loc="center")
            frame.tables.append(
                Table(
                    f"Sideband {name}",
                    (bins(known.label, edges),),
                    (
                        values("Data", counts, error=poisson_error(counts)),
                        values("Samples", model, error=error),
                        _ratio_column(ratio),
                    ),
                )
            )
    return frame.figure


def plot_sculpting(
    before: ArrayLike,
    after: ArrayLike,
    *,
    edges: ArrayLike,
    window: tuple[float, float] | None = None,
    selection: str = "After the cut",
    mass_label: str = MASS,
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the shape of the sideband masses before and after the cut; a flat ratio is wanted.

    Args:
        before: Sideband masses of all events, with shape (N,).
        after: Sideband masses of the events the cut keeps, with shape (M,).
        edges: Bin edges with shape (n + 1,).
        window: Signal window [low, high); its events belong to neither array.
        selection: Name of the cut.
        mass_label: Name and unit of the x axis.
        ax: Axes to draw on: one, or two for shapes and ratio.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style, layout=with_lower) as frame:
        cells = floats(edges)
        kept = finite(frame, after)
        counts, model, error = _scaled(kept, finite(frame, before), cells)
        total, scale = counts.sum() or 1.0, model.sum() or 1.0
        _draw_data_and_model(
            frame.main,
            cells,
            counts / total,
            model / scale,
            "",
            log=False,
            error=poisson_error(counts) / total,
            names=(f"{selection} ({kept.size:,} events)", "Before the cut"),
        )
        ratio = _ratio(counts, model)
        _draw_ratio(
            frame.lower,
            cells,
            ratio,
            np.divide(error, model, where=model > 0, out=np.zeros_like(model)),
        )
        for axes in frame.axes:
            mark_window(axes, window)
        set_range(frame.main, cells)
        set_labels(
            frame, mass_label, per_bin(cells, mass_label, "Fraction of events"), "After / before"
        )
        frame.tables.append(
            Table(
                "Mass of sideband events",
                (bins(mass_label, cells),),
                (
                    values("After the cut", counts / total, error=poisson_error(counts) / total),
                    values("Before the cut", model / scale, error=error / scale),
                    _ratio_column(ratio),
                ),
            )
        )
    return frame.figure


def _scaled(data: Array, model: Array, edges: Array) -> tuple[Array, Array, Array]:
    """Bin contents of the data, of the model scaled to them, and the model's errors."""
    counts, raw = filled(data, edges), filled(model, edges)
    scale = counts.sum() / raw.sum() if raw.sum() else 0.0
    return counts, raw * scale, np.sqrt(raw) * scale


def _ratio(counts: Array, model: Array) -> tuple[Array, Array]:
    """Data over model with the data's errors, NaN where either is missing."""
    good = (model > 0) & (counts > 0)
    nothing = np.full_like(model, np.nan)
    ratio = np.divide(counts, model, out=nothing.copy(), where=good)
    error = np.divide(poisson_error(counts), model, out=np.stack([nothing] * 2), where=good)
    return ratio, error


def _ratio_column(ratio: tuple[Array, Array]) -> Column:
    return values("Ratio", ratio[0], error=ratio[1])


def _draw_data_and_model(
    ax: Axes,
    edges: Array,
    counts: Array,
    model: Array,
    title: str,
    *,
    log: bool = True,
    error: Array | None = None,
    names: tuple[str, str] = ("Data", "Samples"),
) -> None:
    error = poisson_error(counts) if error is None else error
    ax.stairs(
        model, edges, fill=True, facecolor=(BLUE, 0.35), edgecolor=BLUE, linewidth=1, label=names[1]
    )
    shown = np.where(counts > 0, counts, np.nan)
    ax.errorbar(centres(edges), shown, yerr=error, label=names[0], **DATA)
    if not counts.any():
        say_empty(ax)
    everything = np.concatenate([counts, model])
    if log:
        log_y(ax, everything, headroom=0.28)
    else:
        linear_y(ax, everything, headroom=0.28)
    ax.legend(loc="upper right", title=title or None)


def _draw_ratio(
    ax: Axes | None, edges: Array, ratio: tuple[Array, Array], model_error: Array
) -> None:
    if ax is None:
        return
    ax.axhline(1, color=GREY, linewidth=1)
    ax.stairs(1 + model_error, edges, baseline=1 - model_error, fill=True, color=BLUE, alpha=0.3)
    ax.errorbar(centres(edges), ratio[0], yerr=ratio[1], **DATA)
    ax.set_ylim(0.5, 1.5)
    for outside, edge, marker in ((ratio[0] > 1.5, 1.45, "^"), (ratio[0] < 0.5, 0.55, "v")):
        ax.plot(centres(edges)[outside], np.full(outside.sum(), edge), marker, color="black")


def _title(ks: Mapping[str, float] | None, name: str, auc: Quantity | None) -> str:
    lines = [f"K-S distance {ks[name]:.3f}"] if ks and name in ks else []
    if auc is not None:
        lines.append(f"Sideband {auc_words(auc)}")
    return "\n".join(lines)
