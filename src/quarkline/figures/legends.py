"""Legends below the frame, for curves that leave no room inside it."""

from __future__ import annotations

from collections.abc import Sequence

from quarkline.figures.style import Canvas

LINE, GAP = 0.235, 0.62
"""Height of a line, and what the words of the x axis take, in inches."""
WIDEST = 40  # letters of entries that stand beside each other


def room_below(entries: Sequence[str], *, title: bool = False) -> float:
    """Inches that a legend takes below the frame."""
    return LINE * (-(-len(entries) // _columns(entries)) + title + 0.5)


def legend_below(frame: Canvas, title: str | None = None) -> None:
    """Draw the legend of the main axes below the words of its x axis."""
    entries = frame.main.get_legend_handles_labels()[1]
    width, height = frame.figure.get_size_inches() * frame.main.get_position().size
    frame.main.legend(
        loc="upper left",
        bbox_to_anchor=(-0.8 / width, -GAP / height),
        borderaxespad=0,
        ncols=_columns(entries),
        title=title,
        alignment="left",
        framealpha=0,
    )


def _columns(entries: Sequence[str]) -> int:
    return 2 if max(map(len, entries), default=0) <= WIDEST else 1
