"""Learning rates: the loss of a scan, and what was chosen."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quarkline.figures.pieces import floats, log_axis, say_empty, set_labels
from quarkline.figures.style import BLUE, GREY, ORANGE, RED, Label, canvas
from quarkline.figures.tables import Table, points, values
from quarkline.learning.training.scan import LearningRateScan

RATE = "Learning rate"
_MARKS = {"steepest": ("Steepest descent", ORANGE, "o"), "minimum": ("Minimum", RED, "s")}


def plot_learning_rate_scan(
    scan: LearningRateScan,
    *,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the loss against the learning rate, its running mean, and the rates that stand out.

    Args:
        scan: What the finder measured.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style) as frame:
        rates, losses, smoothed = map(floats, (scan.rates, scan.losses, scan.smoothed))
        known = np.concatenate([losses, smoothed])
        known = known[np.isfinite(known)]
        if not known.size:
            say_empty(frame.main, "no losses")
        frame.main.plot(rates, losses, ".", color=GREY, label="One batch")
        frame.main.plot(rates, smoothed, color=BLUE, label="Running mean")
        for name, (words, colour, marker) in _MARKS.items():
            rate = getattr(scan, name)
            at = np.isclose(rates, rate)
            used = ", used" if scan.chosen == name else ""
            frame.main.plot(
                rates[at],
                smoothed[at],
                marker,
                color=colour,
                markersize=9,
                markeredgecolor="black",
                linestyle="",
                zorder=3,
                label=f"{words}{used}: {rate:.2g}",
            )
        columns = (values("Loss [nats]", losses), values("Running mean [nats]", smoothed))
        frame.tables.append(Table("Learning rates", (points(RATE, rates),), columns))
        log_axis(frame.main, "x", *_decades(rates))
        low, high = (known.min(), known.max()) if known.size else (0.0, 1.0)
        margin = 0.1 * max(high - low, 1e-3)
        frame.main.set_ylim(low - margin, high + 4 * margin)
        set_labels(frame, RATE, "Loss per event [nats]")
        frame.main.legend(loc="upper left", ncols=2)
    return frame.figure


def _decades(rates: np.ndarray) -> tuple[float, float]:
    """Whole decades around the positive rates."""
    known = rates[np.isfinite(rates) & (rates > 0)]
    if not known.size:
        return 1e-7, 10.0
    low, high = np.floor(np.log10(known.min())), np.ceil(np.log10(known.max()))
    return float(10**low), float(10 ** max(high, low + 1))
