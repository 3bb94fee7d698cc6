"""Variations of a likelihood: too large, one-sided, flipped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from quarkline.engine.core.findings import Finding, Rule, Severity
from quarkline.statistics.arrays import Bools, Floats
from quarkline.statistics.likelihood.doctor.patient import LEAST, Patient
from quarkline.statistics.likelihood.spec import NormShift, SampleSpec, ShapeShift

LARGE_NORM = Rule(
    "QL-FITDOCTOR-040",
    "variations change yields by less than all of them",
    "A standard deviation of a parameter doubles a yield or takes all of it away. A Gaussian "
    "parameter cannot describe such an ignorance: let a norm factor measure the yield, or look "
    "whether the variation has another normalisation by mistake.",
    Severity.WARNING,
)
LARGE_SHAPE = Rule(
    "QL-FITDOCTOR-041",
    "variations change shapes by less than half",
    "A bin that holds at least 1 % of what its region expects changes by more than 50 % against "
    "the rest. Interpolation beyond one standard deviation is then a guess. Mostly the variation "
    "has few events: smooth it or merge bins.",
    Severity.WARNING,
)
ONE_SIDED = Rule(
    "QL-FITDOCTOR-042",
    "the two sides of a variation go in opposite directions",
    "Most of what a systematic changes goes the same way at +1 and -1, or one side changes "
    "nothing. The likelihood then has a kink or two minima along the parameter, and its error is "
    "no standard deviation. Use one side and mirror it, or symmetrise.",
    Severity.WARNING,
)
FLIPPED = Rule(
    "QL-FITDOCTOR-043",
    "a variation has the same sign in all regions",
    "A systematic moves a sample up in all regions but one, where it moves it down by as much. "
    "That may be migration between regions; if it is not, up and down are swapped there, and the "
    "regions pull against each other.",
    Severity.WARNING,
)

ALL = 1.0
HALF = 0.5
COUNTS = 0.01  # of what a region expects, from which a bin has a say
SAME = 0.5  # part of a variation that goes the same way on both sides
VISIBLE = 0.01  # change of a sample, of what its region expects, from which its direction counts
ALIKE = 1.5  # factor between the flipped change and the usual one
REGIONS = 3  # fewer have no majority


@dataclass(frozen=True, eq=False)
class Variation:
    """What a parameter does to one sample.

    Attributes:
        region: Name of the channel.
        sample: Name of the sample.
        nominal: Contents, shape (n,).
        expected: What the channel expects.
        matters: Whether each bin holds enough of that.
        norms: Factors at +1 and -1.
        shapes: Contents at +1 and -1 before these factors.
    """

    region: str
    sample: str
    nominal: Floats
    expected: float
    matters: Bools
    norms: tuple[float, float] = (1.0, 1.0)
    shapes: tuple[Floats, Floats] | None = None

    @property
    def shifts(self) -> tuple[Floats, Floats]:
        """Changes of the contents at +1 and -1."""
        up, down = self.shapes or (self.nominal, self.nominal)
        return up * self.norms[0] - self.nominal, down * self.norms[1] - self.nominal

    @property
    def size(self) -> float:
        """Change of the yield for one standard deviation, with its sign."""
        up, down = self.shifts
        return float((up - down).sum() / 2 / max(self.nominal.sum(), LEAST))


def variations(patient: Patient) -> Iterator[Finding]:
    """What is wrong with variations, one finding for each parameter and illness, worst first."""
    collected = _collected(patient)
    for look in (_large_norms, _large_shapes, _one_sided, _flipped):
        found = [one for parameter, rows in collected.items() for one in look(parameter, rows)]
        yield from sorted(found, key=_size, reverse=True)


def _size(finding: Finding) -> float:
    return max(abs(float(one["size"])) for one in finding.evidence["all"])


def _collected(patient: Patient) -> dict[str, list[Variation]]:
    found: dict[str, list[Variation]] = defaultdict(list)
    total = patient.model.expected(patient.nominal)
    for channel in patient.model.spec.channels:
        expected = total[patient.model.channels[channel.name]]
        for sample in channel.samples:
            nominal = np.array(sample.contents)
            if nominal.sum() > COUNTS * COUNTS * expected.sum():
                whole = float(expected.sum())
                matters = nominal > COUNTS * whole
                blank = Variation(channel.name, sample.name, nominal, whole, matters)
                for parameter, one in _of_sample(sample, blank).items():
                    found[parameter].append(one)
    return found


def _of_sample(sample: SampleSpec, blank: Variation) -> dict[str, Variation]:
    found: dict[str, Variation] = {}
    for modifier in sample.modifiers:
        match modifier:
            case NormShift(name, up, down):
                found[name] = replace(found.get(name, blank), norms=(up, down))
            case ShapeShift(name, ups, downs):
                sides = (np.array(ups), np.array(downs))
                found[name] = replace(found.get(name, blank), shapes=sides)
            case _:
                pass
    return found


def _finding(
    rule: Rule,
    parameter: str,
    rows: Sequence[tuple[float, Variation]],
    what: str,
    suggestion: str,
) -> Iterator[Finding]:
    """One finding of a parameter that names the worst sample and lists all."""
    if not rows:
        return
    worst, one = max(rows, key=lambda row: abs(row[0]))
    more = f", and {len(rows) - 1} more" if len(rows) > 1 else ""
    yield rule.finding(
        f"`{parameter}` {what.format(worst)} (`{one.sample}` in `{one.region}`{more})",
        suggestion=suggestion,
        evidence={
            "parameter": parameter,
            "region": one.region,
            "sample": one.sample,
            "all": [
                {"region": each.region, "sample": each.sample, "size": size} for size, each in rows
            ],
        },
    )


def _large_norms(parameter: str, rows: Sequence[Variation]) -> Iterator[Finding]:
    sizes = [(max((by - 1 for by in one.norms), key=abs), one) for one in rows]
    bad = [(size, one) for size, one in sizes if abs(size) > ALL - 1e-6]
    yield from _finding(
        LARGE_NORM,
        parameter,
        bad,
        "changes a yield by {:+.0%}",
        "let a norm factor measure the yield, or look at the variation's normalisation",
    )


def _large_shapes(parameter: str, rows: Sequence[Variation]) -> Iterator[Finding]:
    bad = []
    for one in rows:
        if one.shapes is None or not one.matters.any():
            continue
        inside = one.nominal[one.matters]
        changes = np.concatenate([side[one.matters] / inside - 1 for side in one.shapes])
        largest = float(changes[np.argmax(np.abs(changes))])
        if abs(largest) > HALF:
            bad.append((largest, one))
    yield from _finding(
        LARGE_SHAPE,
        parameter,
        bad,
        "changes the shape by {:+.0%} in a bin",
        "smooth it, or merge bins",
    )


def _one_sided(parameter: str, rows: Sequence[Variation]) -> Iterator[Finding]:
    same, missing = [], []
    for one in rows:
        up, down = one.shifts
        largest = np.maximum(np.abs(up), np.abs(down)).sum()
        if largest < VISIBLE * one.expected:
            continue
        if not up.any() or not down.any():
            missing.append((float(largest / one.nominal.sum()), one))
            continue
        together = np.where(up * down > 0, np.minimum(np.abs(up), np.abs(down)), 0.0).sum()
        if together > SAME * largest:
            same.append((float(together / largest), one))
    yield from _finding(
        ONE_SIDED,
        parameter,
        same,
        "changes the same way up and down: {:.0%} of it",
        "use one side and mirror it, or symmetrise both",
    )
    yield from _finding(
        ONE_SIDED,
        parameter,
        missing,
        "changes by {:.1%} on one side and by nothing on the other",
        "mirror the side that is there",
    )


def _flipped(parameter: str, rows: Sequence[Variation]) -> Iterator[Finding]:
    bad = []
    for sample in dict.fromkeys(one.sample for one in rows):
        visible = [
            (one.size, one)
            for one in rows
            if one.sample == sample and abs(one.size) * one.nominal.sum() > VISIBLE * one.expected
        ]
        if len(visible) < REGIONS:
            continue
        up = [row for row in visible if row[0] > 0]
        down = [row for row in visible if row[0] < 0]
        fewer = min(up, down, key=len)
        if len(fewer) != 1:
            continue
        ((size, one),) = fewer
        usual = float(np.median([abs(each) for each, other in visible if other is not one]))
        if usual / ALIKE < abs(size) < usual * ALIKE:
            bad.append((size, one))
    yield from _finding(
        FLIPPED,
        parameter,
        bad,
        "moves a yield by {:+.1%}, against all other regions",
        "look whether up and down are swapped there",
    )
