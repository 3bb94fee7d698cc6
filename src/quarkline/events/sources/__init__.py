"""Where events are read from: one file a format behind one registry."""

from quarkline.events.sources.base import Chunk, Source, Sweep
from quarkline.events.sources.problems import TreeInfo
from quarkline.events.sources.registry import SOURCES, Format, detect, list_trees, open_source

__all__ = [
    "SOURCES",
    "Chunk",
    "Format",
    "Source",
    "Sweep",
    "TreeInfo",
    "detect",
    "list_trees",
    "open_source",
]
