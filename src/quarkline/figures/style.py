"""The look of every figure: one style sheet, axes of fixed margins, and the experiment's label."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import matplotlib.style
import mplhep
import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec, SubplotSpec

from quarkline.engine.core.findings import InputError, Rule, did_you_mean
from quarkline.figures.tables import Table, forget, record

UNKNOWN_STYLE = Rule(
    "QL-FIG-001",
    "figures are drawn in a known style",
    "`quarkline` is the default; the sheets of CMS, ATLAS, LHCb, ALICE and DUNE come from mplhep "
    "and change fonts and ticks, while sizes, colours and line styles stay ours.",
)

SHEETS: Mapping[str, Mapping[str, Any]] = {
    "quarkline": mplhep.style.CMS,
    "CMS": mplhep.style.CMS,
    "ATLAS": mplhep.style.ATLAS,
    "LHCb": mplhep.style.LHCb2,
    "ALICE": mplhep.style.ALICE,
    "DUNE": mplhep.style.DUNE,
}

BLUE, ORANGE, RED, PURPLE, GREY, VIOLET = (
    "#5790fc",
    "#f89c20",
    "#e42536",
    "#964a8b",
    "#9c9ca1",
    "#7a21dd",
)
"""Six colours kept apart by all kinds of colour vision (M. Petroff, arXiv:2107.02270)."""

SIZE = (7.2, 5.8)
"""Width and height of a one-panel figure in inches."""

_OURS: Mapping[str, Any] = {
    "figure.figsize": SIZE,
    "figure.dpi": 100,
    "figure.autolayout": False,
    "font.size": 16,
    "axes.linewidth": 1.2,
    "axes.formatter.use_mathtext": True,
    "axes.formatter.limits": (-4, 5),
    "axes.labelsize": "medium",
    "xtick.labelsize": "small",
    "ytick.labelsize": "small",
    "xtick.major.size": 8,
    "xtick.minor.size": 4,
    "xtick.major.pad": 5,
    "ytick.major.size": 8,
    "ytick.minor.size": 4,
    "legend.fontsize": "x-small",
    "legend.title_fontsize": "x-small",
    "legend.handlelength": 2.2,
    "legend.labelspacing": 0.35,
    "legend.columnspacing": 1.2,
    "hatch.linewidth": 0.6,
    "legend.frameon": True,
    "legend.facecolor": "white",
    "legend.edgecolor": "none",
    "legend.framealpha": 0.8,
    "legend.fancybox": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "errorbar.capsize": 0,
    "savefig.dpi": 150,
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "quarkline",
}

_LEFT, _RIGHT, BOTTOM, _TOP = 1.0, 0.5, 0.72, 0.45
"""Margins in inches: the same on every figure, whatever its size."""


@dataclass(frozen=True)
class Label:
    """The line above a figure.

    Attributes:
        experiment: In bold, such as `CMS`.
        text: In italics after it, such as `Open Data` or `Simulation`.
        luminosity: At the right, such as `8.7 fb$^{-1}$ (13 TeV)`.
    """

    experiment: str = ""
    text: str = ""
    luminosity: str = ""


class Look(NamedTuple):
    """How one of several curves is drawn; colour, line and marker each tell curves apart."""

    color: str
    linestyle: Any
    marker: str


_CYCLE = (
    Look(BLUE, "-", "o"),
    Look(ORANGE, "--", "s"),
    Look(RED, "-.", "^"),
    Look(PURPLE, ":", "D"),
    Look(GREY, (0, (5, 1, 1, 1, 1, 1)), "v"),
    Look(VIOLET, (0, (1, 2)), "P"),
)


def looks(count: int) -> list[Look]:
    """Looks for `count` curves without an order; up to 36 differ in colour or line."""
    number = len(_CYCLE)
    return [
        _CYCLE[(index + index // number) % number]._replace(color=_CYCLE[index % number].color)
        for index in range(count)
    ]


_FILLS = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
"""Ten colours for areas (M. Petroff, arXiv:2107.02270)."""
_HATCHES = ("", "///", "...", "xxx")


class Fill(NamedTuple):
    """How one of several areas is filled."""

    color: str
    hatch: str


def fills(count: int) -> list[Fill]:
    """Fills for `count` areas; up to 40 differ in colour or hatching."""
    number = len(_FILLS)
    return [
        Fill(_FILLS[index % number], _HATCHES[index // number % len(_HATCHES)])
        for index in range(count)
    ]


def ordered_looks(count: int) -> list[Look]:
    """Looks for `count` curves with an order, dark to light, so that grey prints keep it."""
    shades = np.linspace(0.0, 0.74, max(count, 2))[:count]
    colours = [to_hex(colormaps["viridis"](shade)) for shade in shades]
    return [look._replace(color=colour) for look, colour in zip(looks(count), colours, strict=True)]


def sheet(style: str) -> dict[str, Any]:
    """The matplotlib settings of a style.

    Raises:
        InputError: If there is no such style.
    """
    if style not in SHEETS:
        raise InputError(
            UNKNOWN_STYLE.finding(
                f"unknown figure style `{style}`",
                suggestion=did_you_mean(style, SHEETS, what="styles"),
            )
        )
    return {**SHEETS[style], **_OURS}


def styled(style: str) -> AbstractContextManager[None]:
    """Matplotlib's defaults plus one style, untouched by the user's own settings."""
    context: AbstractContextManager[None] = matplotlib.style.context(sheet(style), after_reset=True)
    return context


class StyledFigure(Figure):
    """A figure that is drawn in its own style wherever it is shown.

    Matplotlib looks up the fonts of formulae when a figure is drawn, not when it is made.
    """

    def __init__(self, style: str, size: tuple[float, float]) -> None:
        super().__init__(figsize=size)
        self.style = style
        FigureCanvasAgg(self)

    def draw(self, renderer: RendererBase) -> None:
        """Draw in the figure's style."""
        with styled(self.style):
            super().draw(renderer)


@dataclass
class Canvas:
    """Axes being drawn on, and the tables of what was drawn.

    Attributes:
        axes: The axes, the main one first.
        tables: What was drawn on them.
        not_finite: How many values were not drawn because they are not finite.
        y_label: Distance of the y labels from the axes in inches.
    """

    axes: tuple[Axes, ...]
    tables: list[Table] = field(default_factory=list)
    not_finite: int = 0
    y_label: float = 0.63

    @property
    def figure(self) -> Figure:
        """The figure the axes belong to."""
        figure = self.axes[0].get_figure(root=True)
        if figure is None:
            msg = "the axes belong to no figure"
            raise ValueError(msg)
        return figure

    @property
    def main(self) -> Axes:
        """The first axes."""
        return self.axes[0]

    @property
    def lower(self) -> Axes | None:
        """The panel below; absent when the caller gave a single axes."""
        return self.axes[1] if len(self.axes) > 1 else None


Layout = Callable[[Figure], tuple[Axes, ...]]


def single(figure: Figure) -> tuple[Axes, ...]:
    """One panel."""
    return (figure.add_subplot(grid_of(figure)[0, 0]),)


def with_colour_bar(figure: Figure) -> tuple[Axes, ...]:
    """One panel with room for a colour bar at its right."""
    return (figure.add_subplot(grid_of(figure, right=1.15)[0, 0]),)


def with_lower(figure: Figure) -> tuple[Axes, ...]:
    """A main panel and a small one below that shares its x axis."""
    return _pair(figure, grid_of(figure)[0, 0])


def with_margins(*, left: float = _LEFT, right: float = _RIGHT, bottom: float = BOTTOM) -> Layout:
    """One panel with other margins than usual, in inches."""
    margins = {"left": left, "right": right, "bottom": bottom}
    return lambda figure: (figure.add_subplot(grid_of(figure, 1, 1, **margins)[0, 0]),)


def panels(count: int, across: int = 3) -> Layout:
    """Panels in rows of at most `across`."""
    return lambda figure: tuple(figure.add_subplot(cell) for cell in _cells(figure, count, across))


def panels_with_lower(count: int) -> Layout:
    """As `panels`, each with a small one below: all main panels first, then all small ones."""

    def layout(figure: Figure) -> tuple[Axes, ...]:
        pairs = [_pair(figure, cell) for cell in _cells(figure, count)]
        return (*(main for main, _ in pairs), *(lower for _, lower in pairs))

    return layout


def panels_size(count: int, across: int = 3) -> tuple[float, float]:
    """Size in inches of a figure of `count` panels."""
    rows, columns = _shape(count, across)
    return (
        _LEFT + _RIGHT + columns * (_PANEL + _ACROSS) - _ACROSS,
        BOTTOM + _TOP + rows * (_PANEL + _DOWN) - _DOWN,
    )


def across_page(count: int) -> int:
    """Panels in a row that leave their words readable on a page: two of a few, else three."""
    return 2 if count <= 6 else 3


_PANEL, _ACROSS, _DOWN = 4.2, 1.15, 0.95
"""Side of one of many panels, and the gaps between them, in inches."""


def _shape(count: int, across: int) -> tuple[int, int]:
    rows = -(-count // across)
    return rows, -(-count // rows)


def _cells(figure: Figure, count: int, across: int = 3) -> list[SubplotSpec]:
    rows, columns = _shape(count, across)
    gaps = {"wspace": _ACROSS / _PANEL, "hspace": _DOWN / _PANEL}
    grid = grid_of(figure, rows, columns, **gaps)
    return [grid[place // columns, place % columns] for place in range(count)]


def grid_of(
    figure: Figure,
    rows: int = 1,
    columns: int = 1,
    *,
    left: float = _LEFT,
    right: float = _RIGHT,
    bottom: float = BOTTOM,
    **gaps: float,
) -> GridSpec:
    """Cells inside the common margins, or wider ones in inches."""
    width, height = figure.get_size_inches()
    return GridSpec(
        rows,
        columns,
        figure=figure,
        left=left / width,
        right=1 - right / width,
        bottom=bottom / height,
        top=1 - _TOP / height,
        wspace=gaps.get("wspace"),
        hspace=gaps.get("hspace"),
    )


def _pair(figure: Figure, cell: SubplotSpec) -> tuple[Axes, Axes]:
    inner = cell.subgridspec(2, 1, height_ratios=(3, 1), hspace=0.07)
    main = figure.add_subplot(inner[0, 0])
    lower = figure.add_subplot(inner[1, 0], sharex=main)
    main.tick_params(labelbottom=False)
    return main, lower


@contextmanager
def canvas(
    ax: Axes | Sequence[Axes] | None,
    *,
    label: Label | None,
    style: str,
    layout: Layout = single,
    size: tuple[float, float] = SIZE,
) -> Iterator[Canvas]:
    """Axes to draw on; afterwards they carry the label and the figure knows its tables.

    Args:
        ax: Axes of the caller (several for a figure of several panels), or None for a new figure.
        label: The line above the first panel.
        style: Name of a style.
        layout: Makes the axes of a new figure.
        size: Width and height of a new figure in inches.
    """
    with styled(style):
        frame = Canvas(_given(ax) if ax is not None else layout(StyledFigure(style, size)))
        yield frame
        _write_label(frame.main, label or Label())
        if frame.not_finite:
            _note_not_finite(frame.main, frame.not_finite)
        for axes in frame.axes:
            _align_y_label(axes, frame.y_label)
            factor = axes.xaxis.get_offset_text()
            factor.set(position=(0, 0), horizontalalignment="left")  # at the right is the name
        record(frame.figure, frame.tables)


def wiped(figure: Figure) -> tuple[Axes, ...]:
    """The axes of a figure without what was drawn on them, to draw a like figure faster.

    Ticks and layouts of words are kept, which take most of the time of a figure.
    """
    for ax in figure.axes:
        for artist in (*ax.lines, *ax.patches, *ax.collections, *ax.texts):
            artist.remove()
        ax.containers.clear()
        legend = ax.get_legend()
        if legend is not None:
            legend.remove()
    forget(figure)
    return tuple(figure.axes)


def _given(ax: Axes | Sequence[Axes]) -> tuple[Axes, ...]:
    return (ax,) if isinstance(ax, Axes) else tuple(ax)


def _write_label(ax: Axes, label: Label) -> None:
    above: dict[str, Any] = {
        "textcoords": "offset points",
        "va": "baseline",
        "annotation_clip": False,
    }
    corner: Any = "axes fraction"
    if label.luminosity:
        ax.annotate(label.luminosity, (1, 1), (0, 7), corner, ha="right", fontsize="small", **above)
    start = (0.0, 0.0)
    if label.experiment:
        head = ax.annotate(
            label.experiment, (0, 1), (0, 7), corner, fontweight="bold", fontsize="large", **above
        )
        corner, start = (head, corner), (1.0, 5.0)
    if label.text:
        ax.annotate(label.text, (start[0], 1), (start[1], 7), corner, fontstyle="italic", **above)


def _note_not_finite(ax: Axes, count: int) -> None:
    verb = "value is" if count == 1 else "values are"
    ax.annotate(
        f"{count} {verb} not finite",
        (1, 1),
        (4, -2),
        xycoords="axes fraction",
        textcoords="offset points",
        rotation=90,
        va="top",
        ha="left",
        fontsize="xx-small",
        color=GREY,
        annotation_clip=False,
    )


def _align_y_label(ax: Axes, distance: float) -> None:
    """Put the y label at a fixed distance, so that it never leaves the margin."""
    figure = ax.get_figure(root=True)
    if isinstance(figure, StyledFigure):
        width = ax.get_position().width * figure.get_size_inches()[0]
        _, height = ax.yaxis.get_label().get_position()
        ax.yaxis.set_label_coords(-distance / width, height)
