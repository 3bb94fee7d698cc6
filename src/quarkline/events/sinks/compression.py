"""How written files are compressed: one spelling for every format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quarkline.engine.core.findings import InputError, Rule, did_you_mean

BAD_COMPRESSION = Rule(
    "QL-EVENTS-046",
    "a compression is one that the format has",
    "It is written as `zstd:5`, `lz4:4`, `zlib:1` or `none`, a name and a level; without a level "
    "the usual one is taken. ROOT files and Parquet have them all, HDF5 has zlib, and CSV is not "
    "compressed.",
)


@dataclass(frozen=True)
class Compression:
    """A way to compress.

    Attributes:
        name: `zstd`, `lz4`, `zlib` or `none`.
        level: Its level, higher is smaller and slower; 0 for `none`.
    """

    name: str
    level: int

    def __str__(self) -> str:
        """As it is written in a config."""
        return f"{self.name}:{self.level}" if self.level else self.name


LEVELS: Mapping[str, tuple[int, int]] = {
    "zstd": (5, 19),
    "lz4": (4, 9),
    "zlib": (4, 9),
    "none": (0, 0),
}
"""The usual and the highest level of each."""


def parse_compression(text: str) -> Compression:
    """Read a compression such as `zstd:5`.

    Raises:
        InputError: If there is no such one, or it has no such level.
    """
    name, colon, level = text.partition(":")
    if name not in LEVELS:
        raise InputError(
            BAD_COMPRESSION.finding(
                f"`{name}` is no compression",
                suggestion=did_you_mean(name, LEVELS, what="compressions"),
            )
        )
    usual, highest = LEVELS[name]
    if not colon:
        return Compression(name, usual)
    if not level.isdecimal() or not 1 <= int(level) <= highest:
        hint = f"levels are 1 to {highest}" if highest else "write `none` alone"
        raise InputError(
            BAD_COMPRESSION.finding(f"`{level}` is no level of `{name}`", suggestion=hint)
        )
    return Compression(name, int(level))
