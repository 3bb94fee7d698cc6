"""Lets docstrings be written as in Markdown, with `code` in single backticks; shows only ours.

A name in a signature links to what it names, and to nothing of ours that is named alike.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.domains.python import PythonDomain
from sphinx.environment import BuildEnvironment

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


class ExactPythonDomain(PythonDomain):
    """Links a name in a signature to what it names, never to something of ours named alike."""

    def find_obj(
        self,
        env: BuildEnvironment,
        modname: str | None,
        classname: str | None,
        name: str,
        type: str | None,  # noqa: A002  (Sphinx's own name)
        searchmode: int = 0,  # noqa: ARG002
    ) -> Any:
        """Sphinx's search for `name` without its mode 1, which takes any ending that fits."""
        return super().find_obj(env, modname, classname, name, type, 0)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx, ahead of napoleon."""
    app.connect("autodoc-process-docstring", _translate, priority=100)
    app.connect("autodoc-skip-member", _skip_inherited)
    app.add_domain(ExactPythonDomain, override=True)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
