"""Pieces that several figures share: histograms with errors, limits, reference lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from numpy.typing import ArrayLike

from quarkline.engine.core.results import Quantity
from quarkline.figures.style import GREY, Canvas
from quarkline.figures.tables import Array, header
from quarkline.statistics.significance import binomial_interval, poisson_interval

MASS = "Mass [GeV]"
DIMUON_MASS = r"$m_{\mu\mu}$ [GeV]"

DATA: Mapping[str, Any] = {"color": "black", "fmt": "o", "markersize": 4, "linewidth": 1.2}
"""How measured points are drawn."""


HALO = [withStroke(linewidth=2.5, foreground="white")]
"""Keeps words readable on top of what is drawn."""


def floats(values: ArrayLike) -> Array:
    """Any numbers as a flat float64 array."""
    return np.atleast_1d(np.asarray(values, dtype=np.float64)).ravel()


def finite(canvas: Canvas, values: ArrayLike) -> Array:
    """The finite ones of `values`; the figure says how many were not."""
    array = floats(values)
    good = np.isfinite(array)
    canvas.not_finite += int(array.size - good.sum())
    return array[good]


def filled(values: ArrayLike, edges: Array) -> Array:
    """Bin contents; entries outside the edges are not drawn."""
    return np.histogram(floats(values), bins=edges)[0].astype(np.float64)


def poisson_error(counts: ArrayLike) -> Array:
    """Distances down and up to the central 68.3 % Poisson interval, with shape (2, n)."""
    n = floats(counts)
    low, high = poisson_interval(n)
    return np.stack([n - low, high - n])


def binomial_error(passed: ArrayLike, total: float) -> Array:
    """Distances down and up to the 68.3 % Clopper-Pearson interval of a fraction, (2, n)."""
    k = floats(passed)
    low, high = binomial_interval(k, total)
    return np.stack([k / total - low, high - k / total])


def centres(edges: Array) -> Array:
    """Middles of the bins."""
    return (edges[1:] + edges[:-1]) / 2


def per_bin(edges: Array, label: str, what: str = "Events") -> str:
    """A y label such as `Events / 0.145 GeV`, or `Events / bin` where the bins differ."""
    widths = np.diff(edges)
    if widths.size == 0 or not np.allclose(widths, widths[0], rtol=1e-6):
        return f"{what} / bin"
    unit = header(label).get("units")
    width = f"{widths[0]:.3g}" if widths[0] < 1000 else f"{widths[0]:,.0f}"
    return f"{what} / {width} {unit}" if unit else f"{what} / {width}"


def plain_text(name: str) -> str:
    """A column or expression as a label: the dollar sign of `Sum$(x)` starts no formula."""
    return name.replace("$", r"\$")


def percent(fraction: float) -> str:
    """A fraction as text, such as `0.5 %`."""
    return f"{100 * fraction:.3g} %"


def auc_words(auc: Quantity) -> str:
    """An area under a ROC curve as text, with its error if it is known."""
    error = "" if auc.up is None else f" $\\pm$ {auc.up:.3f}"
    return f"AUC = {auc.value:.3f}{error}"


def set_labels(canvas: Canvas, x: str, y: str, lower: str | None = None) -> None:
    """Name the axes; the x axis is named on the lowest panel."""
    canvas.main.set_ylabel(y)
    bottom = canvas.lower or canvas.main
    bottom.set_xlabel(x)
    if canvas.lower is not None and lower is not None:
        canvas.lower.set_ylabel(lower, loc="center")


def integer_ticks(axis: Any) -> None:
    """A few ticks at whole numbers, for a low panel."""
    axis.set_major_locator(MaxNLocator(nbins=4, integer=True))


def set_range(ax: Axes, values: ArrayLike) -> None:
    """Make the x axis run over the range of some edges, of whatever number."""
    array = floats(values)
    array = array[np.isfinite(array)]
    if array.size and array.max() > array.min():
        ax.set_xlim(array.min(), array.max())


def log_y(ax: Axes, values: ArrayLike, *, headroom: float = 0.3, footroom: float = 3) -> None:
    """A logarithmic y axis around the positive values.

    Args:
        ax: The axes.
        values: Everything drawn; what is not positive does not count.
        headroom: Fraction of the axis left free above the values, for a legend.
        footroom: Factor left free below the smallest value.
    """
    array = floats(values)
    array = array[np.isfinite(array) & (array > 0)]
    low = array.min() / footroom if array.size else 0.5
    high = max(array.max(), 30 * low) if array.size else 100 * low
    log_axis(ax, "y", low, high * (1.4 * high / low) ** (headroom / (1 - headroom)))


def linear_y(ax: Axes, values: ArrayLike, *, headroom: float = 0.3) -> None:
    """A linear y axis from zero with free space above the values."""
    array = floats(values)
    array = array[np.isfinite(array)]
    high = array.max() if array.size and array.max() > 0 else 1.0
    ax.set_ylim(0, high / (1 - headroom))


def log_axis(ax: Axes, which: Literal["x", "y"], low: float, high: float) -> None:
    """A logarithmic axis whose ticks survive many decades; minor ticks carry no numbers.

    The limits come before the scale: what is drawn may have no positive value to scale to.
    """
    ax.set(**{f"{which}lim": (low, high)})
    ax.set(**{f"{which}scale": "log"})
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(LogLocator(numticks=9))
    axis.set_minor_locator(LogLocator(subs="auto", numticks=99))
    axis.set_minor_formatter(NullFormatter())


def say_empty(ax: Axes, what: str = "no events") -> None:
    """Say in the middle of a frame why nothing is drawn there."""
    ax.text(
        0.5,
        0.5,
        what,
        transform=ax.transAxes,
        ha="center",
        va="center",
        color=GREY,
        fontsize=20,
        path_effects=HALO,
    )


def mark_window(ax: Axes, window: tuple[float, float] | None) -> None:
    """Shade the signal window and draw its edges."""
    if window is None:
        return
    ax.axvspan(*window, color=GREY, alpha=0.16, linewidth=0, zorder=0)
    for edge in window:
        ax.axvline(edge, color=GREY, linewidth=1, linestyle="--", zorder=0.5)


def mark_masses(ax: Axes, masses: Mapping[str, float] | None, *, foot: float = 0.02) -> None:
    """Draw a thin line at each known mass with its name at the foot of the frame.

    Args:
        ax: The axes.
        masses: Masses by name.
        foot: Where the names begin, as a fraction of the height of the frame.
    """
    for name, mass in (masses or {}).items():
        ax.axvline(mass, color="black", linewidth=0.8, linestyle=":", zorder=0.5)
        ax.annotate(
            name,
            (mass, foot),
            (-2, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            rotation=90,
            ha="right",
            va="bottom",
            fontsize="xx-small",
            path_effects=HALO,
        )
