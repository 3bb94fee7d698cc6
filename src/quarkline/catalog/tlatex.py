"""Titles as ROOT spells their formulas, in matplotlib's spelling."""

from __future__ import annotations

import re

COMMAND = re.compile(r"[#\\]([A-Za-z]+)")
DROPPED = re.compile(r"#(?:font|scale|color|lower|kern)\[[^\]]*\]")
ROOT_OF = re.compile(r"[#\\]sqrt\{([^{}#\\]+)\}")  # drawn without a bar, which matplotlib warns of
SCRIPT = re.compile(r"[\^_]\{")
WORD = re.compile(r"(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|\S)+")
HYPHEN = re.compile(r"(?<=[A-Za-z\d}])-(?=[A-Za-z])")

SAME = re.compile(
    "alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|vartheta|iota|kappa|"
    "lambda|mu|nu|xi|pi|rho|sigma|tau|upsilon|phi|varphi|chi|psi|omega|Gamma|"
    "Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega|bar|hat|tilde|vec|"
    "dot|sqrt|frac|rightarrow|leftarrow|leftrightarrow|Rightarrow|uparrow|downarrow|"
    "pm|mp|times|cdot|geq|leq|neq|approx|equiv|propto|infty|circ|ell|hbar|"
    "partial|nabla|sum|prod|int|in|oplus|otimes|perp|ldots|parallel|bullet|"
    "mathrm|mathit|mathbf|text"
)
"""Commands that mean the same in both."""

OTHER = {
    "it": "mathit",
    "bf": "mathbf",
    "lbar": "bar{l}",
    "cbar": "bar{c}",
    "ge": "geq",
    "le": "leq",
    "ne": "neq",
    "to": "rightarrow",
}
"""Commands of ROOT or LaTeX by what matplotlib calls them."""


def typeset(text: str) -> str:
    """A title with ROOT's formulas, such as `t#bar{t}H` or `fb^{-1}`, as matplotlib writes it.

    Words with a formula are set in math, the others stay. Titles without any, those with `$`, and
    those with a command that is unknown stay as they are.
    """
    if "$" in text:
        return text
    plain = ROOT_OF.sub(r"√\1", DROPPED.sub("", text))
    if not all(map(_known, COMMAND.findall(plain))):
        return text
    if plain == text and not (COMMAND.search(text) or SCRIPT.search(text)):
        return text
    return WORD.sub(lambda word: _word(word[0]), plain)


def _word(word: str) -> str:
    """A word as it is, or in math if it holds a formula."""
    if not (COMMAND.search(word) or SCRIPT.search(word)):
        return word
    hyphens = HYPHEN.sub(r"\\text{-}", word)
    safe = re.sub(r"([%& ]|_(?!\{))", r"\\\1", hyphens)
    return "$\\mathrm{" + COMMAND.sub(lambda found: _command(found[1]), safe) + "}$"


def _known(name: str) -> str | None:
    """The longest command that a name begins with: `#geqb` is `#geq` before a `b`."""
    heads = (name[:end] for end in range(len(name), 0, -1))
    return next((head for head in heads if head in OTHER or SAME.fullmatch(head)), None)


def _command(name: str) -> str:
    known = _known(name) or name
    rest = name[len(known) :]
    return f"\\{OTHER.get(known, known)}" + (f" {rest}" if rest else "")
