"""`Fits/NPRanking_<POI>.txt` and `Fits/GroupedImpact.txt`: what moves the measured parameter."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from quarkline.statistics.likelihood.results import (
    FittedParameter,
    GroupedImpacts,
    LikelihoodFit,
    RankedParameter,
    Ranking,
)
from quarkline.statistics.likelihood.spec import Role
from quarkline.trexfitter.outputs.text import lines_of, refuse, spelt

COLUMNS = 8


@dataclass(frozen=True)
class RankingLine:
    """One parameter: its fitted value and errors, and the shifts of the measured one.

    Attributes:
        name: Its name.
        value: Its best value.
        up: Its upper error.
        down: Its lower error, positive.
        shifts: Shift with it fixed at its upper and at its lower error after the fit, then one
            above and one below its best value; 0 for the latter where nothing constrains it.
    """

    name: str
    value: float
    up: float
    down: float
    shifts: tuple[float, float, float, float]

    def __str__(self) -> str:
        """The line as TRExFitter writes it."""
        first, second, third, fourth = map(spelt, self.shifts)
        errors = f"+{spelt(self.up)} -{spelt(self.down)}"
        return (
            f"{self.name}   {spelt(self.value)} {errors}  {first}   {second}  {third}   {fourth} "
        )


@dataclass(frozen=True)
class ImpactLine:
    """One group: what it adds to the error, the symmetric one and both sides, positive."""

    name: str
    error: float
    up: float
    down: float

    def __str__(self) -> str:
        """The line as TRExFitter writes it."""
        return f"{self.name}    {spelt(self.error)}  ( +{spelt(self.up)}, -{spelt(self.down)} )"


def ranking_lines(
    ranking: Ranking, order: tuple[str, ...], fit: LikelihoodFit
) -> list[RankingLine]:
    """A ranking as lines, not by size.

    Args:
        ranking: The ranking.
        order: Parameters in the order wanted; others come last.
        fit: Its fit, whose errors may be asymmetric.
    """
    rows = {row.name: row for row in ranking.rows}
    names = [name for name in order if name in rows]
    names += [row.name for row in ranking.rows if row.name not in order]
    return [_ranking_line(rows[name], fit.by_name[name]) for name in names]


def _ranking_line(row: RankedParameter, fitted: FittedParameter) -> RankingLine:
    before = (row.up_before, row.down_before)
    if row.role != "systematic" or None in before:
        before = (0.0, 0.0)
    shifts = (row.up, row.down, before[0] or 0.0, before[1] or 0.0)
    up = row.error if fitted.up is None else fitted.up
    down = row.error if fitted.down is None else fitted.down
    return RankingLine(row.name, row.value, up, down, shifts)


def written(lines: list[RankingLine] | list[ImpactLine]) -> str:
    """Lines as a file."""
    return "".join(f"{line}\n" for line in lines)


def read_ranking(path: Path) -> list[RankingLine]:
    """Read a ranking.

    Raises:
        InputError: If it is absent, or not such a file.
    """
    found = []
    for number, line in enumerate(lines_of(path, "r")):
        if not line.strip():
            continue
        words = line.split()
        try:
            value, up, down, *shifts = (float(word) for word in words[1:])
            first, second, third, fourth = shifts
        except ValueError:
            refuse(path, number, line, f"a name and {COLUMNS - 1} numbers")
        shown = (first, second, third, fourth)
        found.append(RankingLine(words[0], value, up, abs(down), shown))
    return found


def ranking_of(lines: list[RankingLine], fit: LikelihoodFit, poi: str | None = None) -> Ranking:
    """Lines as a result, the largest shift first.

    Args:
        lines: The lines.
        fit: The fit they belong to, which knows what each parameter is for.
        poi: Parameter that is moved; the one of the fit if none.
    """
    measured = fit.by_name[poi or fit.poi or ""]
    rows = [_ranked(line, fit.by_name[line.name].role) for line in lines]
    rows.sort(key=lambda row: -row.size)
    return Ranking(measured.name, measured.value, measured.error, tuple(rows))


def _ranked(line: RankingLine, role: Role) -> RankedParameter:
    constrained = role == "systematic"
    return RankedParameter(
        name=line.name,
        role=role,
        value=line.value,
        error=(line.up + line.down) / 2,
        before=1.0 if constrained else None,
        up=line.shifts[0],
        down=line.shifts[1],
        up_before=line.shifts[2] if constrained else None,
        down_before=line.shifts[3] if constrained else None,
    )


def impact_lines(impacts: GroupedImpacts) -> list[ImpactLine]:
    """Grouped impacts as lines, by name."""
    lines = []
    for group in sorted(impacts.groups, key=lambda group: group.name):
        up = group.error if group.up is None else group.up
        down = group.error if group.down is None else group.down
        lines.append(ImpactLine(group.name, group.error, up, down))
    return lines


def read_impacts(path: Path) -> list[ImpactLine]:
    """Read grouped impacts; a square root that did not exist is 0.

    Raises:
        InputError: If it is absent, or not such a file.
    """
    found = []
    for number, line in enumerate(lines_of(path, "i")):
        if not line.strip():
            continue
        head, _, sides = line.partition("(")
        try:
            name, error = head.rsplit(maxsplit=1)
            up, down = (_number(side) for side in sides.rstrip(" )").split(","))
        except ValueError:
            refuse(path, number, line, "a line such as `Theory    0.26  ( +0.25, -0.27 )`")
        found.append(ImpactLine(name, _number(error), abs(up), abs(down)))
    return found


def _number(word: str) -> float:
    value = float(word.replace("--nan", "nan").replace("+-nan", "nan").replace("-nan", "nan"))
    return 0.0 if math.isnan(value) else value
