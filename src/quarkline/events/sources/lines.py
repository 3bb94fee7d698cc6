"""Text files whose rows are lines, cut into blocks of whole lines."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import awkward as ak

from quarkline.events.sources.base import Source
from quarkline.events.sources.problems import reading

BLOCK_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Block:
    """Whole lines of a file, and the rows in them.

    Attributes:
        offset: First byte.
        size: Number of bytes.
        line: Number of the first line in the file, counted from 1.
        start: First row.
        stop: Row after the last one.
    """

    offset: int
    size: int
    line: int
    start: int
    stop: int


NOTHING = Block(0, 0, 0, 0, 0)


class LineSource(Source):
    """A table whose rows are lines of a file; a subclass parses a block of them."""

    _blocks: Sequence[Block]

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream = path.open("rb")
        self._parsed: tuple[object, Mapping[str, ak.Array]] = (None, {})

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    @abc.abstractmethod
    def _values(self, data: bytes, line: int, columns: Sequence[str]) -> Mapping[str, ak.Array]:
        """Parse lines, the first of which is line `line` of the file."""

    def _scan(self, line: int, rows_of: Callable[[bytes, int], int]) -> list[Block]:
        """Cut the file from where its stream stands, at line `line`, into blocks.

        Args:
            line: Number of the next line.
            rows_of: Looks at the bytes of a block and the number of its first line, and counts
                its rows.
        """
        blocks: list[Block] = []
        rows, offset = 0, self._stream.tell()
        for data in self._raw_blocks():
            found = rows_of(data, line)
            if found:
                blocks.append(Block(offset, len(data), line, rows, rows + found))
            rows, offset, line = rows + found, offset + len(data), line + data.count(b"\n")
        return blocks

    def _raw_blocks(self) -> Iterator[bytes]:
        while data := self._stream.read(BLOCK_BYTES):
            yield data + self._stream.readline()

    def _arrays(self, columns: Sequence[str], start: int, stop: int) -> Mapping[str, ak.Array]:
        if not columns:
            return {}
        pieces = [self._block(NOTHING, columns)]
        for block in self._blocks:
            if block.start < stop and block.stop > start:
                inside = slice(max(0, start - block.start), stop - block.start)
                values = self._block(block, columns)
                pieces.append({name: array[inside] for name, array in values.items()})
        return {name: ak.concatenate([piece[name] for piece in pieces]) for name in columns}

    def _block(self, block: Block, columns: Sequence[str]) -> Mapping[str, ak.Array]:
        """The rows of one block; the last block parsed is kept for the next chunk."""
        key = (block, tuple(columns))
        if self._parsed[0] != key:
            with reading(self.path, ", ".join(columns), None):
                self._stream.seek(block.offset)
                values = self._values(self._stream.read(block.size), block.line, columns)
                if any(len(array) != block.stop - block.start for array in values.values()):
                    msg = f"line {block.line}: the file changed after it was opened"
                    raise ValueError(msg)
            self._parsed = (key, values)
        return self._parsed[1]
