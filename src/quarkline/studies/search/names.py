"""Names that figures show, from the way ROOT spells formulas to matplotlib's."""

from __future__ import annotations

import re

FORMULA = re.compile(r"#[A-Za-z]+|[\^_]\{")


def typeset(text: str) -> str:
    """A title with ROOT's formulas, such as `t#bar{t}H` or `fb^{-1}`, as matplotlib writes it.

    Titles without them, and those with `$`, stay as they are.
    """
    if "$" in text or not FORMULA.search(text):
        return text
    return "$\\mathrm{" + text.replace("#", "\\").replace(" ", "\\ ") + "}$"
