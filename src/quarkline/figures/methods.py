"""Methods side by side: significance against the cut, with its spread over trainings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import ArrayLike

from quarkline.figures.pieces import floats, linear_y, log_axis, say_empty, set_labels
from quarkline.figures.scans import FPR, mark_working_point
from quarkline.figures.style import GREY, Label, canvas, looks
from quarkline.figures.tables import Array, Table, points, values

SIGNIFICANCE = "Local significance $Z$ [$\\sigma$]"
_LINES: tuple[Any, ...] = ("-", "--", ":", "-.")


def plot_method_comparison(
    fpr: ArrayLike,
    z: Mapping[tuple[str, str], ArrayLike],
    *,
    working_point: float | None = None,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw each method's mean significance against the cut, in a band of its spread over seeds.

    Args:
        fpr: Fraction of sideband events each cut keeps, with shape (n,).
        z: Significances by (method, classifier), each with shape (seeds, n); methods are told by
            colour and marker, classifiers by line style. Bands are one standard deviation wide
            each way.
        working_point: The FPR declared before looking.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    methods = list(dict.fromkeys(method for method, _ in z))
    classifiers = list(dict.fromkeys(classifier for _, classifier in z))
    colours = dict(zip(methods, looks(len(methods)), strict=True))
    lines = {name: _LINES[index % len(_LINES)] for index, name in enumerate(classifiers)}
    with canvas(ax, label=label, style=style) as frame:
        cuts = floats(fpr)
        columns, tops = [], [np.array([1.0])]
        for (method, classifier), curves in z.items():
            look = colours[method]
            mean, spread = _over_seeds(curves)
            tops.append(mean + spread)
            frame.main.fill_between(
                cuts, mean - spread, mean + spread, color=look.color, alpha=0.15, linewidth=0
            )
            frame.main.plot(
                cuts, mean, color=look.color, linestyle=lines[classifier], marker=look.marker
            )
            columns.append(
                values(
                    "Mean local significance",
                    mean,
                    error=spread,
                    source="standard deviation over seeds",
                    qualifiers={"method": method, "classifier": classifier},
                )
            )
        if not any(np.isfinite(top).any() for top in tops[1:]):
            say_empty(frame.main, "no significances")
        linear_y(frame.main, np.concatenate(tops), headroom=0.28)
        positive = cuts[np.isfinite(cuts) & (cuts > 0)]
        log_axis(frame.main, "x", positive.min() / 1.3 if positive.size else 1e-3, 1.0)
        mark_working_point(frame.main, working_point)
        set_labels(frame, FPR, SIGNIFICANCE)
        if z:
            handles = [
                *(
                    Line2D([], [], color=look.color, marker=look.marker, label=name)
                    for name, look in colours.items()
                ),
                *(
                    Line2D([], [], color="black", linestyle=lines[name], label=name)
                    for name in classifiers
                ),
                Patch(color=GREY, alpha=0.4, linewidth=0, label="$\\pm$1 s.d. over seeds"),
            ]
            frame.main.legend(handles=handles, loc="upper left", ncols=2)
        frame.tables.append(Table("Methods", (points(FPR, cuts),), tuple(columns)))
    return frame.figure


def _over_seeds(curves: ArrayLike) -> tuple[Array, Array]:
    """Mean and standard deviation over seeds of curves (seeds, n), each with shape (n,)."""
    of_seeds = np.atleast_2d(np.asarray(curves, dtype=np.float64))
    spread = of_seeds.std(axis=0, ddof=min(1, len(of_seeds) - 1))
    return of_seeds.mean(axis=0), spread
