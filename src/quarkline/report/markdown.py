"""Writes a report as Markdown, with its pictures in a folder beside it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from quarkline.engine.store.atomic import atomic_path, write_atomic
from quarkline.report.blocks import Block, Cell, Figure, Table, Text, number
from quarkline.report.page import Document

SIGNS = re.compile(r"[\\*<>\[\]#]|(?<!\w)_|_(?!\w)")
"""What Markdown would take for more than a sign."""


def write_markdown(document: Document, path: Path) -> Path:
    """Write a report as `<stem>.md`, and its pictures as `<stem>_figures/0000-<name>.png`.

    Pictures of an earlier report of this name are removed.
    """
    folder = path.with_name(f"{path.stem}_figures")
    for old in folder.glob("[0-9][0-9][0-9][0-9]-*.png"):
        old.unlink()
    pictures = _Pictures(folder)
    lines = [f"# {_plain(document.headline)}", "", _plain(document.title), ""]
    for section in document.sections:
        lines += [f"## {_plain(section.title)}", ""]
        for block in section.blocks:
            lines += [*_lines(block, pictures), ""]
    return write_atomic(path, "\n".join(lines).rstrip() + "\n")


class _Pictures:
    """The pictures of a report, numbered as they come."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = 0

    def placed(self, figure: Figure) -> str:
        """Copy a figure's PNG; its address from the report."""
        name = re.sub(r"[^\w.-]+", "-", figure.stem.name)
        place = self.folder / f"{self.number:04d}-{name}.png"
        self.number += 1
        with atomic_path(place) as partial:
            shutil.copyfile(figure.stem.with_name(f"{figure.stem.name}.png"), partial)
        return f"{self.folder.name}/{place.name}".replace(" ", "%20")


def _lines(block: Block, pictures: _Pictures) -> Iterator[str]:
    if isinstance(block, Text):
        yield _plain(block.text)
    elif isinstance(block, Table):
        yield from _table(block)
    else:
        yield f"![{_plain(block.caption)}]({pictures.placed(block)})"
        yield ""
        yield _plain(block.caption)


def _table(table: Table) -> Iterator[str]:
    if table.caption:
        yield from (_plain(table.caption), "")
    yield _row([_plain(column) for column in table.columns])
    yield _row(["---"] * len(table.columns))
    for row in table.rows:
        yield _row([_cell(cell) for cell in row])


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _cell(cell: Cell | str | float | None) -> str:
    if isinstance(cell, str):
        return _plain(cell)
    shown = cell if isinstance(cell, Cell) else number(cell)
    text = _plain(shown.text)
    return f"**{text}**" if shown.strong else text


def _plain(text: str) -> str:
    """Text that Markdown shows as it is; `words` in backticks stay code."""
    parts = text.split("`")
    return "`".join(
        part if place % 2 else SIGNS.sub(r"\\\g<0>", part) for place, part in enumerate(parts)
    )
