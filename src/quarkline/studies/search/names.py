"""Names that figures show, from the way ROOT spells formulas to matplotlib's."""

from __future__ import annotations

import re

COMMAND = re.compile(r"#([A-Za-z]+)")
SCRIPT = re.compile(r"[\^_]\{")
SHARED = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|"
    "upsilon|phi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega|bar|hat|"
    "tilde|vec|sqrt|rightarrow|leftarrow|pm|times|geq|leq|neq|approx|infty|circ|ell"
)
"""Commands that mean the same in both."""


def typeset(text: str) -> str:
    """A title with ROOT's formulas, such as `t#bar{t}H` or `fb^{-1}`, as matplotlib writes it.

    Titles without them, those with `$`, and those with a command that is ROOT's alone stay as
    they are.
    """
    commands = COMMAND.findall(text)
    foreign = "$" in text or not all(SHARED.fullmatch(command) for command in commands)
    if foreign or not (commands or SCRIPT.search(text)):
        return text
    return "$\\mathrm{" + text.replace("#", "\\").replace(" ", "\\ ") + "}$"
