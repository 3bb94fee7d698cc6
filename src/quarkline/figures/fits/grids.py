"""Systematics against samples in every region: what pruning kept, and changes of yields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from quarkline.figures.fits.words import MINUS, Titles, letters, title_of
from quarkline.figures.pieces import say_empty
from quarkline.figures.style import BOTTOM, Canvas, Label, canvas, with_margins
from quarkline.figures.tables import Array, Column, Table, values, words
from quarkline.templates.sets import Shift, TemplateSet

STATES = {
    "not present": "#ececee",
    "kept": "#3f90da",
    "norm only": "#ffc95e",
    "shape only": "#b48fd6",
    "dropped": "#bd1f01",
}
"""What pruning did, with its colour."""
MARKS = {"norm only": "_", "shape only": "|", "dropped": "x"}
"""Marks that tell states apart without colours."""
LETTER = 0.088  # inches


@dataclass(frozen=True)
class Grid:
    """Rows of systematics and columns of samples, region by region with a gap between.

    Attributes:
        systematics: Names of the rows.
        regions: Names of the regions.
        samples: Names of the samples, the same in each region.
    """

    systematics: tuple[str, ...]
    regions: tuple[str, ...]
    samples: tuple[str, ...]

    @property
    def columns(self) -> list[tuple[str, str] | None]:
        """Region and sample of each column; None for a gap."""
        every: list[tuple[str, str] | None] = []
        for region in self.regions:
            every += [None] * bool(every) + [(region, sample) for sample in self.samples]
        return every

    def begins(self, region: str) -> int:
        """The first column of a region."""
        return self.regions.index(region) * (len(self.samples) + 1)


def plot_pruning(
    templates: TemplateSet,
    *,
    regions: Sequence[str] | None = None,
    samples: Sequence[str] | None = None,
    systematics: Sequence[str] | None = None,
    titles: Titles | None = None,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw what pruning kept of each systematic on each sample in each region.

    Args:
        templates: The templates.
        regions: Regions drawn; all by default.
        samples: Samples drawn; all by default.
        systematics: Systematics drawn, in this order; all by default.
        titles: Titles of regions, samples and systematics.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    grid = _grid(templates, regions, samples, systematics)
    names = list(STATES)
    numbers = _filled(grid, lambda region, sample, row: names.index(
        _state(_shift(templates, region, sample, row))
    ))  # fmt: skip
    with _grid_canvas(ax, label, style, grid, titles, (0.27, 0.25), foot=2.2) as frame:
        if numbers.size:
            frame.main.imshow(
                np.ma.masked_invalid(numbers), cmap=ListedColormap(list(STATES.values())),
                vmin=-0.5, vmax=len(STATES) - 0.5, aspect="auto",
            )  # fmt: skip
        for state, marker in MARKS.items():
            rows, columns = np.nonzero(numbers == names.index(state))
            frame.main.plot(columns, rows, marker, color="black", markersize=5, markeredgewidth=1)
        _lines(frame.main, grid)
        patches = [Patch(facecolor=colour, label=name) for name, colour in STATES.items()]
        frame.main.legend(
            handles=patches, loc="lower center", ncols=3, fontsize="xx-small", framealpha=0
        )
        found = [names[int(number)] for number in numbers[np.isfinite(numbers)]]
        kept = {
            "Norm kept": [_kept(state, "norm only") for state in found],
            "Shape kept": [_kept(state, "shape only") for state in found],
        }
        parts = tuple(values(name, flags) for name, flags in kept.items())
        frame.tables.append(Table("Pruning", _cells(grid), parts))
    return frame.figure


def plot_normalisation(
    templates: TemplateSet,
    *,
    regions: Sequence[str] | None = None,
    samples: Sequence[str] | None = None,
    systematics: Sequence[str] | None = None,
    titles: Titles | None = None,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Write by how many percent each systematic changes the yield of each sample at +1 and -1.

    Args:
        templates: The templates.
        regions: Regions drawn; all by default.
        samples: Samples drawn; all by default.
        systematics: Systematics drawn, in this order; all by default.
        titles: Titles of regions, samples and systematics.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    grid = _grid(templates, regions, samples, systematics)
    sides = {side: _filled(grid, _changes(templates, side)) for side in ("up", "down")}
    larger = np.fmax(np.abs(sides["up"]), np.abs(sides["down"]))
    with _grid_canvas(ax, label, style, grid, titles, (0.52, 0.36)) as frame:
        if np.isfinite(larger).any():
            top = max(float(np.nanmax(larger)), 1.0)
            shown = np.ma.masked_invalid(larger)
            frame.main.imshow(shown, cmap="YlOrBr", vmin=0, vmax=1.4 * top, aspect="auto")
        for row, column in np.argwhere(np.isfinite(larger)):
            pair = [_percent(sides[side][row, column]) for side in ("up", "down")]
            frame.main.text(
                column, row, "\n".join(pair), ha="center", va="center", fontsize=8, linespacing=1.0
            )
        _lines(frame.main, grid)
        frame.main.set_xlabel(
            "Change of the yield at +1 and \N{MINUS SIGN}1 [%]", fontsize="x-small"
        )
        gaps = np.array([column is not None for column in grid.columns], dtype=bool)
        columns = tuple(
            values("Change of the yield [%]", numbers[:, gaps], qualifiers={"side": side})
            for side, numbers in sides.items()
        )
        frame.tables.append(Table("Changes of yields", _cells(grid), columns))
    return frame.figure


def _grid(
    templates: TemplateSet,
    regions: Sequence[str] | None,
    samples: Sequence[str] | None,
    systematics: Sequence[str] | None,
) -> Grid:
    """What is drawn: what was asked for, or all in the order in which it is found."""
    chosen = tuple(templates.regions) if regions is None else tuple(regions)
    found = [
        (sample, template)
        for region in chosen
        for sample, template in templates.regions[region].templates.items()
        if samples is None or sample in samples
    ]
    rows = dict.fromkeys(name for _, template in found for name in template.shifts)
    return Grid(
        tuple(rows) if systematics is None else tuple(systematics),
        chosen,
        tuple(dict.fromkeys(name for name, _ in found)) if samples is None else tuple(samples),
    )


def _filled(grid: Grid, one: Callable[[str, str, str], float]) -> Array:
    """A number for each cell, NaN in gaps; shape (systematics, columns)."""
    numbers = np.full((len(grid.systematics), len(grid.columns)), np.nan)
    for column, key in enumerate(grid.columns):
        if key is not None:
            numbers[:, column] = [one(*key, row) for row in grid.systematics]
    return numbers


def _cells(grid: Grid) -> tuple[Column, Column, Column]:
    """Columns of a table that name systematic, region and sample of each cell, row by row."""
    keys = [key for key in grid.columns if key is not None]
    return (
        words("Systematic", [row for row in grid.systematics for _ in keys]),
        words("Region", [region for _ in grid.systematics for region, _ in keys]),
        words("Sample", [sample for _ in grid.systematics for _, sample in keys]),
    )


def _shift(templates: TemplateSet, region: str, sample: str, systematic: str) -> Shift | None:
    template = templates.regions[region].templates.get(sample)
    return None if template is None else template.shifts.get(systematic)


def _state(shift: Shift | None) -> str:
    """What pruning did to a systematic; one without a shape is `norm only` where it is kept."""
    if shift is None:
        return "not present"
    shape = shift.shape_kept and shift.shape_up is not None
    if shift.norm_kept:
        return "kept" if shape else "norm only"
    return "shape only" if shape else "dropped"


def _kept(state: str, half: str) -> float:
    """Whether a part of a systematic is kept, as 1 or 0; NaN where the systematic is absent."""
    return float("nan") if state == "not present" else float(state in {"kept", half})


def _changes(templates: TemplateSet, side: str) -> Callable[[str, str, str], float]:
    """What tells the change of a yield in percent, by region, sample and systematic."""

    def change(region: str, sample: str, systematic: str) -> float:
        shift = _shift(templates, region, sample, systematic)
        if shift is None:
            return float("nan")
        return 100 * (shift.norm_up if side == "up" else shift.norm_down)

    return change


def _percent(value: float) -> str:
    return f"{value:+.1f}".replace("-", MINUS) if abs(value) < 100 else f"{value:+.0f}"


@contextmanager
def _grid_canvas(
    ax: Axes | None,
    label: Label | None,
    style: str,
    grid: Grid,
    titles: Titles | None,
    cell: tuple[float, float],
    foot: float = 0,
) -> Iterator[Canvas]:
    """Axes with cells of a size in inches, with names of rows and columns, regions above."""
    rows = [title_of(name, titles) for name in grid.systematics]
    columns = ["" if key is None else title_of(key[1], titles) for key in grid.columns]
    regions = [title_of(name, titles) for name in grid.regions]
    upright = LETTER * letters(regions) > cell[0] * (len(grid.samples) + 0.6)
    head = (LETTER * letters(regions) if upright else 0.2) / cell[1] + 0.8
    left, bottom = 0.75 + LETTER * letters(rows), BOTTOM + LETTER * letters(columns)
    width = max(cell[0] * len(columns), 3.4)
    height = cell[1] * (max(len(rows), 4) + head + foot)
    size = (left + width + 0.5, bottom + height + 0.45)
    layout = with_margins(left=left, bottom=bottom)
    with canvas(ax, label=label, style=style, layout=layout, size=size) as frame:
        main = frame.main
        frame.y_label = left - 0.3
        yield frame
        main.set_yticks(range(len(rows)), rows, fontsize="x-small")
        main.set_xticks(range(len(columns)), columns, fontsize="x-small", rotation=90)
        main.tick_params(which="both", length=0)
        main.minorticks_off()
        main.set_xlim(-0.5, max(len(columns), 1) - 0.5)
        main.set_ylim(max(len(rows), 4) + foot - 0.5, -head - 0.5)
        main.set_ylabel("Systematic")
        if not main.get_xlabel():
            main.set_xlabel("Sample")
        if not (rows and columns):
            say_empty(main, "no systematics")
        for name, text in zip(grid.regions, regions, strict=True):
            middle = grid.begins(name) + (len(grid.samples) - 1) / 2
            main.text(
                middle, -0.8, text, ha="center", va="bottom", fontsize="x-small",
                rotation=90 if upright else 0,
            )  # fmt: skip


def _lines(ax: Axes, grid: Grid) -> None:
    """White lines between the cells."""
    count = len(grid.systematics)
    for row in range(count + 1):
        ax.axhline(row - 0.5, color="white", linewidth=1)
    for column in range(len(grid.columns) + 1):
        ax.plot([column - 0.5] * 2, [-0.5, count - 0.5], color="white", linewidth=1)
