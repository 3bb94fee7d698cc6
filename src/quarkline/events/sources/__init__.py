"""Where events are read from: one file a format behind one registry."""

from quarkline.events.sources.base import Chunk, Source, TreeInfo
from quarkline.events.sources.registry import open_source

__all__ = ["Chunk", "Source", "TreeInfo", "open_source"]
