"""Lets docstrings be written as in Markdown, with `code` in single backticks; shows only ours."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

CODE = re.compile(r"(``[^`]+``|(?<!:)`[^`]+`)")
SPECIAL = re.compile(r"([|*]|\b_\b|(?<=\w)_(?=\W|$))")


def as_rst(line: str) -> str:
    """One docstring line with code spans as RST literals and RST's own signs escaped."""
    parts = CODE.split(line)
    return "".join(
        f"``{part.strip('`')}``" if CODE.fullmatch(part) else SPECIAL.sub(r"\\\1", part)
        for part in parts
    )


def _translate(_app: Sphinx, _what: str, _name: str, _of: Any, _how: Any, lines: list[str]) -> None:
    lines[:] = [line if line.startswith("    >>>") else as_rst(line) for line in _joined(lines)]


def _joined(lines: list[str]) -> list[str]:
    """Lines whose code span runs over a line end, joined with the next."""
    joined: list[str] = []
    for line in lines:
        if joined and joined[-1].count("`") % 2:
            joined[-1] += " " + line.strip()
        else:
            joined.append(line)
    return joined


def _skip_inherited(_app: Sphinx, _what: str, _name: str, of: Any, skip: bool, _how: Any) -> bool:
    """Leave out what another library puts into our classes."""
    return skip or not (getattr(of, "__module__", None) or "quarkline").startswith("quarkline")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx, ahead of napoleon."""
    app.connect("autodoc-process-docstring", _translate, priority=100)
    app.connect("autodoc-skip-member", _skip_inherited)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
