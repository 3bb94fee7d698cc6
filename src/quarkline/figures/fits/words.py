"""Titles of parameters, samples and regions as figures show them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

import numpy as np
from matplotlib.mathtext import MathTextParser

from quarkline.catalog.tlatex import typeset
from quarkline.figures.pieces import per_bin, plain_text
from quarkline.figures.tables import Array
from quarkline.statistics.likelihood.results import FittedParameter, RankedParameter

Titles = Mapping[str, str]
"""What figures call something, by its name; ROOT's formulas such as `t#bar{t}` are understood."""

GAMMA = re.compile(r"gamma_(?:stat|shape)_(.+)_bin_(\d+)")
SILENT = re.compile(r"\\(?:mathrm|mathit|mathbf|text|bar|hat|tilde|vec|dot)\b|[{}$^_]|\\ ?")
ERRORS = re.compile(r"\^\{([^{}]*)\}_\{[^{}]*\}")
SYMBOL = re.compile(r"\\[A-Za-z]+")
MINUS = "\N{MINUS SIGN}"


@lru_cache(4096)
def shown(text: str) -> str:
    """A title as matplotlib draws it; one that it cannot read is shown as written."""
    spelled = typeset(text)
    if "$" not in spelled:
        return spelled
    try:
        MathTextParser("path").parse(spelled)
    except ValueError:
        return plain_text(text)
    return spelled


def title_of(name: str, titles: Titles | None) -> str:
    """What a figure calls something: its title, words for a statistical factor, or its name."""
    title = (titles or {}).get(name, "")
    if title:
        return shown(title)
    gamma = GAMMA.fullmatch(name)
    if gamma:
        return f"$\\gamma$ ({plain_text(gamma[1])} bin {int(gamma[2]) + 1})"
    return plain_text(name)


def letters(texts: Iterable[str]) -> int:
    """About how many letters wide the longest of some texts is, formulas included."""
    plain = (SILENT.sub("", ERRORS.sub(lambda pair: pair[1][:-1], text)) for text in texts)
    return max((len(SYMBOL.sub("x", text)) for text in plain), default=0)


def number(value: float, digits: int = 2) -> str:
    """A number with a true minus; none before zero."""
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", MINUS)


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign; a question mark if it is none."""
    if not np.isfinite(value):
        return "?"
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", MINUS)


def interval_words(value: float, down: float, up: float, digits: int = 2) -> str:
    """A value with its errors: one if they agree to the digits shown."""
    middle = number(value, digits)
    if not np.isfinite([down, up]).all():
        return middle
    below, above = f"{down:.{digits}f}", f"{up:.{digits}f}"
    if below == above:
        return f"{middle} $\\pm$ {above}"
    return f"{middle} $^{{+{above}}}_{{-{below}}}$"


def errors_of(parameter: FittedParameter) -> tuple[float, float]:
    """Distances down and up: those of the likelihood where found, else those of the curvature."""
    down = parameter.error if parameter.down is None else parameter.down
    up = parameter.error if parameter.up is None else parameter.up
    return _number(down), _number(up)


def pull_of(parameter: FittedParameter | RankedParameter, initial: float) -> float:
    """Distance from the value before the fit, over the error before; NaN without such an error."""
    if not parameter.before:
        return float("nan")
    return (_number(parameter.value) - initial) / parameter.before


def count_title(edges: Array, variable: str, what: str = "Events") -> str:
    """A y title such as `Events / 20 GeV`; `Events` alone for one bin or bins of no variable."""
    return what if edges.size <= 2 or not variable else per_bin(edges, variable, what)


def known(values: Iterable[float | None]) -> Array:
    """Numbers as an array, NaN where there is none."""
    return np.array([_number(value) for value in values], dtype=np.float64)


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
