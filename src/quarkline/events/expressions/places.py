"""Where in an expression a finding points to."""

from __future__ import annotations

from quarkline.engine.core.findings import Place
from quarkline.events.expressions.nodes import Span

SHOWN = 90


def place_in(text: str, span: Span) -> Place:
    """The place of some characters of an expression; a long text is cut around them."""
    start, stop = span[0], max(span[1], span[0] + 1)
    if len(text) <= SHOWN:
        length = min(stop, len(text) + 1) - start
        return Place(column=start + 1, length=length, text=_on_one_line(text), offset=start)
    first = max(0, min(start - SHOWN // 3, len(text) - SHOWN))
    last = min(len(text), first + SHOWN)
    head, tail = "..." * (first > 0), "..." * (last < len(text))
    column = start - first + len(head) + 1
    shown = head + _on_one_line(text[first:last]) + tail
    return Place(column=column, length=min(stop, last + 1) - start, text=shown, offset=start)


def _on_one_line(text: str) -> str:
    return "".join(" " if character.isspace() else character for character in text)
