"""`quarkline draw`: an expression over files of events, as statistics and a histogram in text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from quarkline.cli import options

if TYPE_CHECKING:
    from quarkline.tools.draw import DrawResult

ROWS = 12
PLOT_WIDTH = 64
LABEL_WIDTH = 11


class Glyphs(NamedTuple):
    """The characters of a plot; `fill` goes from empty to full."""

    fill: str
    side: str
    corner: str
    base: str


BLOCKS = Glyphs(" ▁▂▃▄▅▆▇█", "│", "└", "─")
ASCII = Glyphs(" #", "|", "+", "-")


def command(
    files: options.Files,
    expression: Annotated[
        str, typer.Argument(metavar="EXPR", help="What to draw, such as 'Muon_pt[0]/MET_pt'.")
    ],
    tree: Annotated[
        str | None, typer.Option(metavar="TREE", help="The tree, if a file has several.")
    ] = None,
    select: Annotated[
        str | None,
        typer.Option(metavar="CUT", help="What to keep, such as 'nMuon > 1 && Muon_pt > 5'."),
    ] = None,
    weight: Annotated[
        str | None, typer.Option(metavar="W", help="Weight of each entry; multiplies CUT.")
    ] = None,
    bins: Annotated[
        str | None,
        typer.Option(metavar="N,LO,HI", help="Bins; default: round ones that hold all values."),
    ] = None,
    friend: options.Friend = None,
    friend_by: options.FriendBy = options.JoinBy.position,
    files_from: options.FilesFrom = None,
    copy: options.Copy = False,
    as_json: options.Json = False,
) -> None:
    """Draw EXPR over the events of FILE, as TTree::Draw does.

    EXPR gives one entry an event, or one for every element of the arrays in it. Expressions are
    ROOT's, in C's or Python's spelling.
    """
    from rich.console import Console
    from rich.progress import Progress

    from quarkline.engine.core.results import pretty_json
    from quarkline.tools.binning import parse_bins
    from quarkline.tools.draw import draw
    from quarkline.tools.friend_files import friends_of
    from quarkline.tools.input_files import input_files

    chosen = parse_bins(bins) if bins is not None else None
    console = Console(stderr=True)
    paths = input_files(files, files_from=files_from, copy=copy)
    hidden = as_json or not console.is_terminal
    with Progress(console=console, transient=True, disable=hidden) as bars:
        bar = bars.add_task("reading", total=1.0)
        result = draw(
            paths,
            expression,
            tree=tree,
            select=select,
            weight=weight,
            bins=chosen,
            friends=friends_of(paths, friend or (), by=friend_by),
            progress=lambda read: bars.update(bar, completed=read),
        )
    if as_json:
        typer.echo(pretty_json(result), nl=False)
        return
    for warning in result.warnings:
        typer.echo(f"{warning['code']}  {warning['message']}\n   {warning['suggestion']}", err=True)
    _show(result)


def _show(result: DrawResult) -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    glyphs = BLOCKS if console.encoding.lower().startswith("utf") else ASCII
    unit = f" [{result.unit}]" if result.unit else ""
    console.print(f"{result.expression}{unit}")
    for name, text in (("selection", result.select), ("weight", result.weight)):
        if text:
            console.print(f"{name}: {text}")
    files = f"{result.files} file" + "s" * (result.files != 1)
    console.print(f"{result.events:,} events of {files}")
    for line in histogram(result, glyphs):
        console.print(line, soft_wrap=True)
    console.print(statistics(result))


def histogram(result: DrawResult, glyphs: Glyphs) -> list[str]:
    """The histogram as lines of at most 78 characters."""
    per_column = math.ceil(len(result.contents) / PLOT_WIDTH)
    starts = range(0, len(result.contents), per_column)
    columns = [sum(result.contents[start : start + per_column]) for start in starts]
    top = max(0.0, *columns)
    width = PLOT_WIDTH // len(columns)
    rows = [_row(row, columns, top, width, glyphs) for row in range(ROWS, 0, -1)]
    labels = {0: top, ROWS // 2: top / 2} if top else {}
    lines = []
    for number, row in enumerate(rows):
        label = _short(labels[number]) if number in labels else ""
        lines.append(f"{label:>{LABEL_WIDTH}} {glyphs.side}{row}".rstrip())
    plot = width * len(columns)
    lines.append(f"{'0':>{LABEL_WIDTH}} {glyphs.corner}{glyphs.base * plot}")
    lines.append(" " * (LABEL_WIDTH + 2) + _axis(result.edges, plot))
    return ["", *lines, *_notes(result, columns, per_column), ""]


def _row(row: int, columns: Sequence[float], top: float, width: int, glyphs: Glyphs) -> str:
    """One line of the plot; row 1 stands on the axis."""
    steps = len(glyphs.fill) - 1
    filled = [math.ceil(column / top * ROWS * steps) if column > 0 else 0 for column in columns]
    parts = [min(max(height - (row - 1) * steps, 0), steps) for height in filled]
    return "".join(glyphs.fill[part] * width for part in parts)


def _axis(edges: Sequence[float], plot: int) -> str:
    """Labels of the lower edge, the middle and the upper edge below an axis."""
    low, middle, high = (_short(edge) for edge in (edges[0], (edges[0] + edges[-1]) / 2, edges[-1]))
    if len(low) + len(middle) + len(high) + 4 > plot:
        return f"{low} to {high}"
    before = plot // 2 - len(low) - len(middle) // 2
    line = low + " " * before + middle
    return line + high.rjust(plot - len(line))


def _notes(result: DrawResult, columns: Sequence[float], per_column: int) -> list[str]:
    """What the plot does not show."""
    notes = []
    if per_column > 1:
        notes.append(f"each column is {per_column} bins")
    if below := sum(column < 0 for column in columns):
        notes.append(f"{below} of {len(columns)} columns are negative and not shown")
    if not result.n:
        notes.append("no entry is selected")
    return [" " * (LABEL_WIDTH + 2) + note for note in notes]


def statistics(result: DrawResult) -> str:
    """The numbers below the histogram, in lines of at most 78 characters."""
    numbers = [("n", f"{result.n:,}")]
    names = ["mean", "std", "min", "max", "sum"] + ["sum_weights"] * bool(result.weight)
    numbers += [(name.replace("_", " of "), _short(getattr(result, name), 6)) for name in names]
    outside = [("underflow", result.underflow), ("overflow", result.overflow)]
    numbers += [(name, _short(value, 6)) for name, value in outside]
    numbers += [("NaN", f"{result.nan:,}")] * bool(result.nan)
    lines = [""]
    for name, number in numbers:
        item = f"{name} {number}"
        if lines[-1] and len(lines[-1]) + len(item) > 75:
            lines.append("")
        lines[-1] += "   " * bool(lines[-1]) + item
    return "\n".join(lines)


def _short(value: float, digits: int = 4) -> str:
    if math.isnan(value):
        return "-"
    if float(value).is_integer() and abs(value) < 1e9:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"
