"""Where in an expression a finding points to."""

from __future__ import annotations

from quarkline.engine.core.findings import Place
from quarkline.events.expressions.nodes import Span

SHOWN = 90


def place_in(text: str, span: Span) -> Place:
    """The place of some characters of an expression; a long text is cut around them."""
    line = "".join(" " if character.isspace() else character for character in text)
    start, stop = span[0], max(span[1], span[0] + 1)
    if len(line) <= SHOWN:
        return Place(column=start + 1, length=min(stop, len(line) + 1) - start, text=line)
    first = max(0, min(start - SHOWN // 3, len(line) - SHOWN))
    last = min(len(line), first + SHOWN)
    head, tail = "..." * (first > 0), "..." * (last < len(line))
    column = start - first + len(head) + 1
    return Place(
        column=column, length=min(stop, last + 1) - start, text=head + line[first:last] + tail
    )
