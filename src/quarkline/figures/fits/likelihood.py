"""The profiled likelihood along one parameter, and along two."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from quarkline.figures.fits.words import MINUS, Titles, known, title_of
from quarkline.figures.pieces import say_empty, set_labels
from quarkline.figures.style import (
    GREY,
    ORANGE,
    RED,
    Canvas,
    Label,
    canvas,
    looks,
    with_colour_bar,
)
from quarkline.figures.tables import Array, Column, Table, points, values
from quarkline.statistics.likelihood.results import LikelihoodScan, LikelihoodSurface

HEIGHT = r"$-2\,\Delta\ln L$"
LEVELS = {
    1: float(stats.chi2.isf(2 * stats.norm.sf(1), 2)),
    2: float(stats.chi2.isf(2 * stats.norm.sf(2), 2)),
}
"""Heights of contours that hold 68.3 and 95.4 % with two parameters."""


def plot_likelihood_scan(
    scans: LikelihoodScan | Mapping[str, LikelihoodScan],
    *,
    titles: Titles | None = None,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the profiled likelihood along a parameter, with lines where it crosses 1 and 4.

    Args:
        scans: A scan, or several of the same parameter to compare, by title.
        titles: Titles of parameters.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    several = {"": scans} if isinstance(scans, LikelihoodScan) else dict(scans)
    with canvas(ax, label=label, style=style) as frame:
        highest, columns = 0.0, list[Column]()
        for (title, scan), look in zip(several.items(), looks(len(several)), strict=True):
            x, y = _sorted(scan)
            found = np.isfinite(y)
            frame.main.plot(
                x[found], y[found], color=look.color if title else "black", marker="o",
                linestyle=look.linestyle, markersize=3, label=_entry(title, scan),
            )  # fmt: skip
            _cross(frame, x[found], y[found], look.color if title else "black")
            highest = max(highest, float(y[found].max(initial=0.0)))
            _note_failed(frame, int(np.sum(~found)))
            columns.append(
                values("-2 ln(L / L max)", y, qualifiers={"scan": title} if title else None)
            )
            frame.tables.append(
                Table(f"Scan {title}".strip(), (points(scan.parameter, x),), (columns[-1],))
            )
        for sigma in (1, 2, 3):
            if sigma**2 <= max(highest, 4.5):
                frame.main.axhline(sigma**2, color=GREY, linewidth=1, linestyle="--", zorder=0.5)
                frame.main.annotate(
                    f"{sigma}$\\sigma$", (1, sigma**2), (4, 0),
                    xycoords=("axes fraction", "data"), textcoords="offset points", va="center",
                    fontsize="x-small", annotation_clip=False,
                )  # fmt: skip
        if highest == 0.0:
            say_empty(frame.main, "no scan")
        frame.main.set_ylim(0, 1.35 * min(max(highest, 4.5), 16.0))
        name = next(iter(several.values())).parameter if several else ""
        set_labels(frame, title_of(name, titles), HEIGHT)
        if several:
            frame.main.legend(loc="upper center", fontsize="xx-small", ncols=min(2, len(several)))
    return frame.figure


def plot_likelihood_surface(
    result: LikelihoodSurface,
    *,
    titles: Titles | None = None,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the profiled likelihood along two parameters, with contours of 68.3 and 95.4 %.

    Args:
        result: The surface.
        titles: Titles of parameters.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    x, y = known(result.x), known(result.y)
    heights = np.array(result.heights, dtype=np.float64).reshape(x.size, y.size)
    with canvas(ax, label=label, style=style, layout=with_colour_bar) as frame:
        main = frame.main
        if np.isfinite(heights).any() and min(heights.shape) > 1:
            visible = np.ma.masked_invalid(heights.T)
            top = float(min(np.nanmax(heights), 16.0)) or 1.0
            mesh = main.pcolormesh(
                x, y, visible, cmap="Blues_r", vmin=0, vmax=top, shading="nearest", rasterized=True
            )
            width = float(frame.figure.get_size_inches()[0] * main.get_position().width)
            inset = main.inset_axes((1 + 0.12 / width, 0, 0.18 / width, 1))
            frame.figure.colorbar(mesh, cax=inset).set_label(HEIGHT, fontsize="small")
            inset.tick_params(labelsize="xx-small")
            styles = {1: (ORANGE, "-", "68.3 %"), 2: (RED, "--", "95.4 %")}
            for sigma, (colour, line, name) in styles.items():
                if np.nanmin(heights) < LEVELS[sigma] < np.nanmax(heights):
                    main.contour(
                        x,
                        y,
                        visible,
                        [LEVELS[sigma]],
                        colors=[colour],
                        linestyles=[line],
                        linewidths=2,
                    )
                main.plot([], [], color=colour, linestyle=line, linewidth=2, label=name)
            main.plot(
                *result.best,
                "P",
                color="black",
                markeredgecolor="white",
                markersize=10,
                label="Best fit",
            )
            main.legend(loc="upper right")
        else:
            say_empty(main, "no scan")
        first, second = result.parameters
        set_labels(frame, title_of(first, titles), title_of(second, titles))
        across = np.meshgrid(x, y, indexing="ij")
        frame.tables.append(
            Table(
                "Surface",
                (points(first, across[0]), points(second, across[1])),
                (values("-2 ln(L / L max)", heights),),
            )
        )
    return frame.figure


def crossings(x: Array, y: Array, height: float) -> Array:
    """Where straight lines between points, in order, cross a height."""
    above = y > height
    before = np.flatnonzero(above[1:] != above[:-1])
    step = (height - y[before]) / (y[before + 1] - y[before])
    return np.asarray(x[before] + step * (x[before + 1] - x[before]))


def _sorted(scan: LikelihoodScan) -> tuple[Array, Array]:
    x, y = known(scan.values), known(scan.heights)
    order = np.argsort(x)
    return x[order], y[order]


def _entry(title: str, scan: LikelihoodScan) -> str:
    """Title, best value and the distances to where the likelihood crosses one."""
    x, y = _sorted(scan)
    found = np.isfinite(y)
    ends = crossings(x[found], y[found], 1.0)
    below, above = ends[ends < scan.best], ends[ends > scan.best]
    text = f"best {scan.best:.3g}".replace("-", MINUS)
    if below.size:
        text += f", {MINUS}{scan.best - below[-1]:.3g}"
    if above.size:
        text += f", +{above[0] - scan.best:.3g}"
    return f"{title}: {text}" if title else text


def _cross(frame: Canvas, x: Array, y: Array, colour: str) -> None:
    """Draw lines down from where the likelihood crosses 1 and 4."""
    for sigma in (1, 2):
        for place in crossings(x, y, sigma**2):
            frame.main.plot([place, place], [0, sigma**2], color=colour, linewidth=1, linestyle=":")


def _note_failed(frame: Canvas, count: int) -> None:
    if count:
        told = f"{count} fit{'s' * (count > 1)} failed"
        frame.main.annotate(
            told, (0, 0), (6, 6), "axes fraction", textcoords="offset points",
            fontsize="xx-small", color=RED,
        )  # fmt: skip
