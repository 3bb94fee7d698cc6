"""How tightly operators bind: ROOT's rules, and Python's to compare with.

ROOT's `TTreeFormula` splits an expression at its loosest operator, and not everywhere as C does:
`%` binds looser than `*`, `/` and shifts, shifts tighter than `+`, `+` looser than `-`, and `^`
associates to the left. Measured with ROOT 6.40 (`tests/events/expressions/root_values.json`):
`7 % 4 * 3` is `7 % 12`, `2 * 3 % 4 * 5` is `6 % 20`, and `2 ^ 3 ^ 2` is 64.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

COMPARISONS = frozenset({"<", ">", "<=", ">=", "==", "!="})
CHAINS = frozenset({"||", "&&", "|", "&", "+", "*"})


@dataclass(frozen=True)
class Power:
    """Binding power of an infix operator: what may stand to its left and to its right."""

    left: int
    right: int


@dataclass(frozen=True)
class Grammar:
    """Binding powers; higher binds tighter.

    Attributes:
        infix: Power by operator.
        minus: What the operand of a sign must bind at least.
        negation: The same for `!`.
        word_negation: The same for the word `not`.
        compares_chain: Whether `a < b < c` is read, as Python does, and not refused.
    """

    infix: Mapping[str, Power]
    minus: int
    negation: int
    word_negation: int
    compares_chain: bool = False


def _left(level: int) -> Power:
    return Power(level, level + 1)


def _right(level: int) -> Power:
    return Power(level, level)


CONDITIONAL = _right(10)

ROOT = Grammar(
    infix={
        "?": CONDITIONAL,
        "||": _left(20),
        "&&": _left(30),
        "|": _left(40),
        "&": _left(50),
        **dict.fromkeys(COMPARISONS, _left(60)),
        "+": _left(70),
        "-": _left(80),
        "%": _right(90),
        ">>": _right(100),
        "<<": _right(110),
        "*": _left(120),
        "/": _left(130),
        "^": _left(140),
    },
    minus=90,
    negation=150,
    word_negation=150,
)

PYTHON = Grammar(
    infix={
        "?": CONDITIONAL,
        "||": _left(20),
        "&&": _left(30),
        **dict.fromkeys(COMPARISONS, _left(50)),
        "|": _left(60),
        "&": _left(70),
        ">>": _left(80),
        "<<": _left(80),
        "+": _left(90),
        "-": _left(90),
        "*": _left(100),
        "/": _left(100),
        "%": _left(100),
        "^": _right(120),
    },
    minus=110,
    negation=130,
    word_negation=40,
    compares_chain=True,
)
