"""`quarkline trexfitter compare`: what two folders of one job say, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from quarkline.trexfitter.compare import ComparedFile, ComparedNumber, Comparison

MOST_ROWS = 60
"""Rows shown of one file; `--json` has all."""
WIDTH = 120
"""Least width in signs: tables that do not fit are harder to read than lines that wrap."""


def show(comparison: Comparison) -> None:
    """Print a summary by file, then yields and fits number by number, then words that differ."""
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    console.width = max(console.width, WIDTH)
    console.print(f"theirs  {comparison.theirs}\nours    {comparison.ours}\n")
    console.print(_summary(comparison))
    for file in comparison.files:
        if file.numbers and any(number.their_error for number in file.numbers):
            console.print(f"{file.name}")
            console.print(_numbers(file))
        for word in file.words:
            console.print(f"{file.name}: {word.name} {word.theirs}; ours {word.ours}")
        _show_only(console, file)
    for name in comparison.missing:
        console.print(f"{name}: ours has no such file")


def _show_only(console: Console, file: ComparedFile) -> None:
    """How many entries only one of both has, with the first of them."""
    for whose in ("theirs", "ours"):
        names = [name for name in file.only if name.endswith(f"only {whose}")]
        if names:
            first = names[0].removesuffix(f": only {whose}")
            console.print(f"{file.name}: {len(names)} entries only in {whose}, such as {first}")


def _summary(comparison: Comparison) -> Table:
    table = _table("file", "entries", "same digits", "largest difference", "of errors")
    for file in comparison.files:
        shift = f"{file.largest_shift:.2g}" if file.numbers else f"{len(file.words)} words"
        change = f"{100 * file.largest_error_change:.2g} %" if file.numbers else ""
        table.add_row(file.name, str(file.entries), str(file.alike), shift, change)
    return table


def _numbers(file: ComparedFile) -> Table:
    table = _table("", "theirs", "ours", "difference", "of the error")
    for number in file.numbers[:MOST_ROWS]:
        table.add_row(*_row(number))
    if len(file.numbers) > MOST_ROWS:
        table.add_row(f"... {len(file.numbers) - MOST_ROWS} more: --json")
    return table


def _row(number: ComparedNumber) -> tuple[str, ...]:
    shift = "same" if number.printed_alike else _signed(number.shift)
    change = number.error_change
    return (
        number.name,
        _with_error(number.theirs, number.their_error),
        _with_error(number.ours, number.our_error),
        shift + (" σ" if number.their_error and shift not in {"same", "-"} else ""),
        "" if change is None else f"{100 * change:+.2g} %",
    )


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2g}"


def _with_error(value: float, error: float | None) -> str:
    return f"{value:.6g}" if error is None else f"{value:.6g} ± {error:.6g}"


def _table(*headings: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    table.columns[0].justify = "left"
    return table
