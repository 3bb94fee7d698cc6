"""The table of `quarkline inspect --stats`: a line a column, with its shape in characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from quarkline.cli.commands.draw import ASCII, BLOCKS, Glyphs

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from quarkline.tools.inspect_values import ColumnValues

NAME_SHARE = 3  # names take at most a third of a line


def glyphs_of(console: Console) -> Glyphs:
    """Blocks where the terminal has them."""
    return BLOCKS if console.encoding.lower().startswith("utf") else ASCII


def values_table(values: Sequence[ColumnValues], width: int, glyphs: Glyphs) -> Table:
    """A line a column: range, mean and shape."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    longest = max(len(item.name) for item in values)
    table.add_column("column", overflow="fold", width=min(longest, width // NAME_SHARE))
    for heading in ("min", "max", "mean"):
        table.add_column(heading, justify="right", no_wrap=True, overflow="ellipsis")
    table.add_column("shape", no_wrap=True, overflow="crop")
    for item in values:
        numbers = [_number(value) for value in (item.min, item.max, item.mean)]
        table.add_row(item.name, *numbers, shape(item.histogram, glyphs))
    return table


def shape(counts: Sequence[int], glyphs: Glyphs) -> str:
    """A histogram in one line, a character a bin; a bin that is not empty is not blank."""
    top = max(counts, default=0)
    steps = len(glyphs.fill) - 1
    return "".join(glyphs.fill[-(-count * steps // top)] if count else " " for count in counts)


def remarks(item: ColumnValues) -> str:
    """What a reader should know before using the column."""
    if item.problem:
        return item.problem
    counted = [(item.nan, "NaN"), (item.infinite, "infinite")]
    found = [f"{n:,} {what}" for n, what in counted if n]
    found += [f"{n:,} at {value}" for value, n in item.sentinels.items()]
    if not item.n:
        found.append("no values")
    elif item.constant:
        found.append("constant")
    return ", ".join(found)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:d}" if isinstance(value, bool | int) and abs(value) < 10**9 else f"{value:.4g}"
