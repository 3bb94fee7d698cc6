"""`Fits/<job>.txt`: fitted parameters, their correlations, and the likelihood."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quarkline.statistics.likelihood.results import FitQuality, FittedParameter, LikelihoodFit
from quarkline.statistics.likelihood.spec import Gaussian, LikelihoodSpec, Parameter
from quarkline.trexfitter.outputs.text import lines_of, refuse, spelt

HEADINGS = ("NUISANCE_PARAMETERS", "CORRELATION_MATRIX", "NLL")
WHOLE_OFFSET, ZEROS_OFFSET = 1234, 5678
"""What TRExFitter adds to the parts of a hidden number."""


@dataclass(frozen=True)
class FitLine:
    """One fitted parameter; `up` and `down` are distances, positive."""

    name: str
    value: float
    up: float
    down: float
    hidden: bool = False

    @property
    def error(self) -> float:
        """Mean of both distances; the larger one where a bound cut the other off."""
        small, large = sorted((abs(self.up), abs(self.down)))
        return large if small < 1e-3 * large else (small + large) / 2


@dataclass(frozen=True, eq=False)
class FitText:
    """What a fit's text file says.

    Attributes:
        lines: The parameters, in the order of the file.
        correlation: Their correlations, shape (parameters, parameters).
        nll: Minus the logarithm of the likelihood.
    """

    lines: tuple[FitLine, ...]
    correlation: NDArray[np.float64]
    nll: float

    @property
    def by_name(self) -> dict[str, FitLine]:
        """The parameters by name."""
        return {line.name: line for line in self.lines}

    def __str__(self) -> str:
        """The file as TRExFitter writes it: the matrix has its columns from last to first."""
        size = len(self.lines)
        rows = [[f"{spelt(value)}   " for value in row[::-1]] for row in self.correlation]
        return "\n".join(
            [
                HEADINGS[0],
                *(_line(line) for line in self.lines),
                f"\n\n{HEADINGS[1]}",
                f"{size}   {size}",
                *("".join(row) for row in rows),
                f"\n\n{HEADINGS[2]}",
                f"{spelt(self.nll)}\n\n",
            ]
        )


def _line(line: FitLine) -> str:
    value = hidden_number(line.value) if line.hidden else spelt(line.value)
    return f"{line.name}  {value} +{spelt(abs(line.up))} -{spelt(abs(line.down))}"


def hidden_number(value: float) -> str:
    """A number that cannot be read at a glance, as TRExFitter writes blinded parameters."""
    whole, decimals = f"{value:f}".split(".")
    zeros = len(decimals) - len(decimals.lstrip("0"))
    parts = (int(whole) + WHOLE_OFFSET, zeros + ZEROS_OFFSET, int(decimals))
    return ".".join(f"{part & 0xFFFFFFFF:x}" for part in parts)


def shown_number(text: str) -> float:
    """The number behind `hidden_number`; a minus before a zero is lost, as it is there."""
    whole, zeros, decimals = (int(part, 16) for part in text.split("."))
    signed = whole - (1 << 32) if whole >= 1 << 31 else whole
    return float(f"{signed - WHOLE_OFFSET}.{'0' * (zeros - ZEROS_OFFSET)}{decimals}")


def fit_text(fit: LikelihoodFit, hidden: tuple[str, ...] = ()) -> FitText:
    """A fit as text: its free parameters, sorted as RooFit does.

    RooFit sorts by the names in its workspace, where systematics begin with `alpha_`.

    Args:
        fit: The fit.
        hidden: Parameters whose value is not to be seen.
    """
    free = sorted(fit.free, key=lambda name: _roofit_name(fit.by_name[name]))
    chosen = [fit.free.index(name) for name in free]
    lines = []
    for name in free:
        found = fit.by_name[name]
        bound = name in fit.quality.at_limit
        up, down = (_side(side, found, bound=bound) for side in (found.up, found.down))
        lines.append(FitLine(name, found.value, up, down, name in hidden))
    matrix = fit.correlation if fit.covariance else np.eye(len(free))
    return FitText(tuple(lines), matrix[np.ix_(chosen, chosen)], fit.nll)


def _side(side: float | None, found: FittedParameter, *, bound: bool) -> float:
    """An error of one side: the symmetric one if none was found; nothing below a bound."""
    if side is not None:
        return side
    other_found = found.up is not None or found.down is not None
    return 0.0 if bound and other_found else found.error


def _roofit_name(parameter: FittedParameter) -> str:
    return f"alpha_{parameter.name}" if parameter.role == "systematic" else parameter.name


def read_fit(path: Path, made_by: str = "f") -> FitText:
    """Read a fit's text file, hidden values included.

    Raises:
        InputError: If it is absent, or not such a file.
    """
    text = [line.strip() for line in lines_of(path, made_by)]
    starts = [_start(path, text, heading) for heading in HEADINGS]
    lines = [
        _read_line(path, number, text[number])
        for number in range(starts[0] + 1, starts[1])
        if text[number]
    ]
    rows = [number for number in range(starts[1] + 2, starts[2]) if text[number]]
    found = [_numbers(path, number, text[number], len(lines)) for number in rows]
    if len(found) != len(lines):
        refuse(path, starts[1], text[starts[1]], f"{len(lines)} rows of correlations below")
    last = next((number for number in range(starts[2] + 1, len(text)) if text[number]), None)
    if last is None:
        refuse(path, starts[2], text[starts[2]], "the likelihood below")
    matrix = np.array(found).reshape(len(lines), len(lines))[:, ::-1]
    return FitText(tuple(lines), matrix, _numbers(path, last, text[last], 1)[0])


def _start(path: Path, text: list[str], heading: str) -> int:
    if heading not in text:
        refuse(path, max(0, len(text) - 1), text[-1] if text else "", f"a line `{heading}`")
    return text.index(heading)


def _read_line(path: Path, number: int, line: str) -> FitLine:
    words = line.replace("\\", "").split()
    try:
        name, value, up, down = words
        hidden = value.count(".") == 2
        found = shown_number(value) if hidden else float(value)
        return FitLine(name.removeprefix("alpha_"), found, float(up), abs(float(down)), hidden)
    except ValueError:
        refuse(path, number, line, "a name, a value and its errors, such as `mu  1.0 +0.1 -0.1`")


def _numbers(path: Path, number: int, line: str, count: int) -> list[float]:
    try:
        found = [float(word) for word in line.split()]
    except ValueError:
        found = []
    if len(found) != count:
        refuse(path, number, line, f"{count} number" + "s" * (count != 1))
    return found


def fit_of(text: FitText, spec: LikelihoodSpec) -> LikelihoodFit:
    """A fit as a value, for what follows it; parameters not in the text were fixed.

    Errors are those of the text: the mean of both sides where they differ.

    Args:
        text: The text.
        spec: The likelihood that was fitted.
    """
    known = text.by_name
    fitted = tuple(_fitted(parameter, known.get(parameter.name)) for parameter in spec.parameters)
    free = tuple(parameter.name for parameter in fitted if not parameter.fixed)
    order = [[line.name for line in text.lines].index(name) for name in free]
    errors = np.array([known[name].error for name in free])
    covariance = text.correlation[np.ix_(order, order)] * np.outer(errors, errors)
    rows = tuple(tuple(float(value) for value in row) for row in covariance)
    quality = FitQuality(True, 0.0, 0, ("read from text",))
    return LikelihoodFit(spec.poi, fitted, free, rows, text.nll, quality)


def _fitted(parameter: Parameter, line: FitLine | None) -> FittedParameter:
    gaussian = parameter.constraint if isinstance(parameter.constraint, Gaussian) else None
    fixed = FittedParameter(
        name=parameter.name,
        role=parameter.role,
        value=parameter.initial,
        error=0.0,
        up=None,
        down=None,
        initial=parameter.initial,
        before=gaussian.width if gaussian else None,
        fixed=True,
    )
    if line is None:
        return fixed
    sides = (line.up, abs(line.down)) if line.up != abs(line.down) else (None, None)
    return replace(
        fixed, value=line.value, error=line.error, up=sides[0], down=sides[1], fixed=False
    )
