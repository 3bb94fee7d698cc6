"""Factors of bins grouped into the sets with one parameter for each bin that pyhf has."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from quarkline.statistics.likelihood.spec import (
    BinScale,
    Gaussian,
    LikelihoodSpec,
    Parameter,
    Poisson,
    SampleSpec,
)

Members = tuple[str | None, ...]
Kind = Literal["shapesys", "staterror", "shapefactor", "shared", "none"]


@dataclass
class BinSet:
    """Parameters of the bins of a channel that samples use together.

    Attributes:
        name: Name of the set.
        members: Parameter of each bin, None where there is none or it is held at 1.
        users: Channel and sample of all its uses.
        kind: How pyhf has it: "shared" is a shapefactor with an auxiliary channel, "none" is not
            possible.
    """

    name: str
    members: Members
    users: list[tuple[str, str]] = field(default_factory=list)
    kind: Kind = "none"


class BinSets:
    """The sets of a likelihood."""

    def __init__(self, spec: LikelihoodSpec, known: Mapping[str, Parameter]) -> None:
        self._known = known
        self._sets: list[BinSet] = []
        self._of: dict[str, BinSet] = {}
        self.clashes: list[str] = []
        for channel, sample, modifier in _bin_scales(spec):
            self._use(self.effective(modifier), channel, sample)
        contents = {(c.name, s.name): s for c in spec.channels for s in c.samples}
        names: set[str] = {name for name in known if name not in self._of}
        for each in self._sets:
            each.kind = _kind(each, known, contents)
            each.name = _free_name(each, names)
            names.add(each.name)

    def __iter__(self) -> Iterator[BinSet]:
        return iter(self._sets)

    def effective(self, modifier: BinScale) -> Members:
        """The parameters of a modifier without those that are held at 1, unless all are."""
        held = [
            name is None or (self._known[name].fixed and self._known[name].initial == 1.0)
            for name in modifier.parameters
        ]
        if all(held):
            return modifier.parameters
        return tuple(
            None if out else name for name, out in zip(modifier.parameters, held, strict=True)
        )

    def of(self, members: Members) -> BinSet | None:
        """The set that parameters belong to; None if there are none."""
        return next((self._of[name] for name in members if name in self._of), None)

    def _use(self, members: Members, channel: str, sample: str) -> None:
        """Add the parameters of a sample to their set, which they may join of several."""
        if not any(members):
            return
        parts = [each for each in self._sets if set(each.members) & set(filter(None, members))]
        joined: Members | None = members
        for each in parts:
            joined = None if joined is None else _joined(each.members, joined)
        if joined is None:
            self.clashes.append(f"sample `{sample}` of channel `{channel}`")
            return
        users = [user for each in parts for user in each.users]
        found = BinSet("", joined, [*users, (channel, sample)])
        self._sets = [each for each in self._sets if each not in parts] + [found]
        self._of.update((name, found) for name in joined if name is not None)


def _bin_scales(spec: LikelihoodSpec) -> Iterator[tuple[str, str, BinScale]]:
    for channel in spec.channels:
        for sample in channel.samples:
            for modifier in sample.modifiers:
                if isinstance(modifier, BinScale):
                    yield channel.name, sample.name, modifier


def _joined(one: Members, other: Members) -> Members | None:
    """Both together; None if a bin has two parameters or a parameter two bins."""
    if len(one) != len(other):
        return None
    joined = tuple(a if a is not None else b for a, b in zip(one, other, strict=True))
    agree = all(b is None or b == j for b, j in zip(other, joined, strict=True))
    named = [name for name in joined if name is not None]
    return joined if agree and len(named) == len(set(named)) else None


def _kind(
    each: BinSet, known: Mapping[str, Parameter], samples: Mapping[tuple[str, str], SampleSpec]
) -> Kind:
    constraints = [known[name].constraint for name in each.members if name is not None]
    users = [samples[user] for user in each.users]
    channels = {channel for channel, _ in each.users}
    if all(constraint is None for constraint in constraints):
        return "shapefactor" if all(each.members) else "none"
    if all(isinstance(constraint, Poisson) for constraint in constraints):
        layers = sum(isinstance(modifier, BinScale) for modifier in users[0].modifiers)
        alone = len(users) == 1 and layers == 1
        return "shapesys" if alone and _filled(each.members, users) else "shared"
    normal = all(isinstance(constraint, Gaussian) for constraint in constraints)
    possible = normal and len(channels) == 1 and _filled(each.members, users)
    return "staterror" if possible else "none"


def _filled(members: Members, samples: list[SampleSpec]) -> bool:
    totals = [sum(contents) for contents in zip(*(row.contents for row in samples), strict=True)]
    return all(total > 0 for name, total in zip(members, totals, strict=True) if name is not None)


def _free_name(each: BinSet, taken: set[str]) -> str:
    """What the names of the parameters begin with, made unique."""
    named = [name for name in each.members if name is not None]
    stems = {re.sub(r"\[\d+\]$", "", name) for name in named}
    stem = stems.pop() if len(stems) == 1 else _beginning(named)
    stem = stem.rstrip("_") or "gammas"
    others = (f"{stem}_{at}" for at in itertools.count(2))
    candidates = itertools.chain([stem, f"{stem}_{each.users[0][0]}"], others)
    return next(name for name in candidates if name not in taken)


def _beginning(names: list[str]) -> str:
    """The letters that all names begin with."""
    same = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in same)
