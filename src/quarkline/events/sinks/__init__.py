"""Where events are written to: one file a format behind one registry."""

from quarkline.events.sinks.base import Sink
from quarkline.events.sinks.registry import SINKS, OutputFormat, open_sink

__all__ = ["SINKS", "OutputFormat", "Sink", "open_sink"]
