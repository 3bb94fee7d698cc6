"""Likelihoods as pyhf's workspaces: the same function of the parameters in pyhf's words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from quarkline.engine.core.findings import Finding, InputError, Place, Rule
from quarkline.statistics.likelihood.check import NO_DATA
from quarkline.statistics.likelihood.spec import (
    BinScale,
    ChannelSpec,
    Gaussian,
    LikelihoodSpec,
    Modifier,
    NormShift,
    Parameter,
    Poisson,
    SampleSpec,
    Scale,
    ShapeShift,
)
from quarkline.statistics.likelihood.workspace_gammas import BinSet, BinSets, Members

Json = dict[str, Any]

NOT_PYHF = Rule(
    "QL-FIT-007",
    "a workspace holds what pyhf has",
    "pyhf's workspaces have interpolation code 4 for norms and 4p for shapes, unit Gaussian "
    "constraints for systematics, a Gaussian one for a luminosity called `lumi`, and free norm and "
    "shape factors. A likelihood with anything else cannot be written as one; the XML of "
    "HistFactory has more.",
)
LUMINOSITY = "lumi"


def workspace_from_spec(spec: LikelihoodSpec) -> Json:
    """Write a likelihood as a workspace of pyhf that is the same function of the parameters.

    Poisson gammas of one sample become a `shapesys`, Gaussian ones a `staterror`. Poisson gammas
    that samples share have no modifier in pyhf: they become a `shapefactor` and a channel
    `auxiliary_<set>` whose observations are their auxiliary counts. A sample that has gammas in
    some bins only becomes two samples, the second called `<name>_without_<set>`. The likelihood
    may then differ by a constant factor, which no fit notices.

    Raises:
        InputError: If a channel has no data, or if pyhf cannot express something.
    """
    findings = [
        NO_DATA.finding("a workspace has observations", place=Place(label=f"channel `{row.name}`"))
        for row in spec.channels
        if row.data is None
    ]
    known = {parameter.name: parameter for parameter in spec.parameters}
    sets = BinSets(spec, known)
    writer = _Writer(known, sets)
    channels = [
        {
            "name": channel.name,
            "samples": [
                part for sample in channel.samples for part in writer.parts(channel, sample)
            ],
        }
        for channel in spec.channels
    ]
    if findings := [*findings, *writer.findings]:
        raise InputError(*findings)
    shared = [each for each in sets if each.kind == "shared"]
    return {
        "channels": [*channels, *(_auxiliary(each, known) for each in shared)],
        "observations": [
            *({"name": row.name, "data": list(row.data or ())} for row in spec.channels),
            *(
                {"name": f"auxiliary_{each.name}", "data": _counts(each.members, known)}
                for each in shared
            ),
        ],
        "measurements": [
            {
                "name": spec.name,
                "config": {
                    "poi": spec.poi or "",
                    "parameters": [
                        *(_scalar(known[name], kind) for name, kind in writer.kinds.items()),
                        *(_vector(each, known) for each in sets),
                    ],
                },
            }
        ],
        "version": "1.0.0",
    }


class _Writer:
    """Samples of a workspace, and what stands in their way.

    Attributes:
        kinds: Scalar parameters in use: "normfactor", "lumi" or "systematic".
        findings: What pyhf cannot express.
    """

    def __init__(self, known: Mapping[str, Parameter], sets: BinSets) -> None:
        self._known, self._sets = known, sets
        self._told: set[str] = set()
        self.kinds: dict[str, str] = {}
        self.findings: list[Finding] = [
            NOT_PYHF.finding("bins share their factors in two ways", place=Place(label=where))
            for where in sets.clashes
        ]
        self.findings += [
            NOT_PYHF.finding(
                f"pyhf has no set of factors such as `{each.name}`",
                suggestion="all of its bins need the same kind of constraint, in one channel",
            )
            for each in sets
            if each.kind == "none"
        ]

    def parts(self, channel: ChannelSpec, sample: SampleSpec) -> list[Json]:
        """A sample, or several if only some of its bins have a factor."""
        layers = [
            (each, members)
            for modifier in sample.modifiers
            if isinstance(modifier, BinScale)
            and (each := self._sets.of(members := self._sets.effective(modifier))) is not None
        ]
        signatures = [
            tuple(_has(each, members, at) for each, members in layers) for at in range(channel.bins)
        ]
        return [
            self._part(channel, sample, layers, present, [has == present for has in signatures])
            for present in sorted(set(signatures), reverse=True)
        ]

    def _part(
        self,
        channel: ChannelSpec,
        sample: SampleSpec,
        layers: Sequence[tuple[BinSet, Members]],
        present: tuple[bool, ...],
        inside: Sequence[bool],
    ) -> Json:
        where = f"sample `{sample.name}` of channel `{channel.name}`"
        modifiers = [
            written
            for modifier in sample.modifiers
            for written in self._written(modifier, inside, where)
        ]
        missing = []
        for (each, members), has in zip(layers, present, strict=True):
            if has:
                modifiers.append(self._bin_modifier(each, members, channel, sample))
            else:
                missing.append(f"_without_{each.name}")
        names = [(entry["type"], entry["name"]) for entry in modifiers]
        if len(names) > len(set(names)):
            self._refuse("a parameter changes it twice in the same way", where)
        return {
            "name": sample.name + "".join(missing),
            "data": _inside(sample.contents, inside),
            "modifiers": modifiers,
        }

    def _written(self, modifier: Modifier, inside: Sequence[bool], where: str) -> Iterator[Json]:
        match modifier:
            case Scale(name):
                constraint = self._known[name].constraint
                kind = "lumi" if isinstance(constraint, Gaussian) else "normfactor"
                if constraint is not None and (kind, name) != ("lumi", LUMINOSITY):
                    self._refuse(f"the factor `{name}` has a constraint", where)
                self._use(name, kind, where)
                yield {"name": name, "type": kind, "data": None}
            case NormShift(name, up, down, code):
                self._systematic(name, code == 4, where)
                yield {"name": name, "type": "normsys", "data": {"hi": up, "lo": down}}
            case ShapeShift(name, up_contents, down_contents, code):
                self._systematic(name, code == "4p", where)
                sides = {
                    "hi_data": _inside(up_contents, inside),
                    "lo_data": _inside(down_contents, inside),
                }
                yield {"name": name, "type": "histosys", "data": sides}

    def _bin_modifier(
        self, each: BinSet, members: Members, channel: ChannelSpec, sample: SampleSpec
    ) -> Json:
        entry: Json = {"name": each.name, "type": each.kind, "data": None}
        match each.kind:
            case "shared" | "none":
                entry["type"] = "shapefactor"
            case "shapesys":
                taus = _taus(members, self._known)
                entry["data"] = [
                    content / math.sqrt(tau) if tau else 0.0
                    for content, tau in zip(sample.contents, taus, strict=True)
                ]
            case "staterror":
                entry["data"] = self._errors(each, channel)
        return entry

    def _errors(self, each: BinSet, channel: ChannelSpec) -> list[float]:
        """Errors of the total, all told with the first sample: pyhf adds their squares."""
        if each.name in self._told:
            return [0.0] * channel.bins
        self._told.add(each.name)
        totals = [0.0] * channel.bins
        for sample in channel.samples:
            for modifier in sample.modifiers:
                members = self._sets.effective(modifier) if isinstance(modifier, BinScale) else ()
                if self._sets.of(members) is each:
                    for at, name in enumerate(members):
                        totals[at] += sample.contents[at] if name is not None else 0.0
        constraints = [self._known[name].constraint if name else None for name in each.members]
        return [
            normal.width * total if isinstance(normal, Gaussian) else 0.0
            for normal, total in zip(constraints, totals, strict=True)
        ]

    def _systematic(self, name: str, code: bool, where: str) -> None:
        if not code:
            self._refuse(f"`{name}` has an interpolation code other than 4 and 4p", where)
        parameter = self._known[name]
        normal = parameter.constraint
        if not (parameter.fixed or (isinstance(normal, Gaussian) and normal.width == 1.0)):
            self._refuse(f"`{name}` has no unit Gaussian constraint", where)
        self._use(name, "systematic", where)

    def _use(self, name: str, kind: str, where: str) -> None:
        if self.kinds.setdefault(name, kind) != kind:
            self._refuse(f"`{name}` is both a {kind} and a {self.kinds[name]}", where)

    def _refuse(self, message: str, where: str) -> None:
        self.findings.append(NOT_PYHF.finding(message, place=Place(label=where)))


def _has(each: BinSet, members: Members, at: int) -> bool:
    """Whether a sample with these members can have the set in a bin."""
    if each.kind == "shapesys":
        return True
    return members[at] is not None or (each.kind == "staterror" and each.members[at] is None)


def _inside(contents: Sequence[float], inside: Sequence[bool]) -> list[float]:
    return [content if kept else 0.0 for content, kept in zip(contents, inside, strict=True)]


def _taus(members: Members, known: Mapping[str, Parameter]) -> list[float]:
    """Auxiliary expectations at 1; 0 where there is no parameter."""
    constraints = [None if name is None else known[name].constraint for name in members]
    return [
        constraint.tau if isinstance(constraint, Poisson) else 0.0 for constraint in constraints
    ]


def _counts(members: Members, known: Mapping[str, Parameter]) -> list[float]:
    """Auxiliary counts; 1 where there is no parameter."""
    counts = []
    for name, tau in zip(members, _taus(members, known), strict=True):
        constraint = None if name is None else known[name].constraint
        counted = constraint.counted if isinstance(constraint, Poisson) else None
        counts.append(tau or 1.0 if counted is None else counted)
    return counts


def _auxiliary(each: BinSet, known: Mapping[str, Parameter]) -> Json:
    """The channel that constrains a shape factor as gammas are."""
    modifier = {"name": each.name, "type": "shapefactor", "data": None}
    data = [tau or 1.0 for tau in _taus(each.members, known)]
    name = f"auxiliary_{each.name}"
    return {"name": name, "samples": [{"name": name, "data": data, "modifiers": [modifier]}]}


def _scalar(parameter: Parameter, kind: str) -> Json:
    entry: Json = {
        "name": parameter.name,
        "inits": [parameter.initial],
        "bounds": [[parameter.low, parameter.high]],
        "fixed": parameter.fixed,
    }
    if kind != "normfactor":
        normal = parameter.constraint
        entry["auxdata"] = [normal.centre if isinstance(normal, Gaussian) else 0.0]
        if kind == "lumi" and isinstance(normal, Gaussian):
            entry["sigmas"] = [normal.width]
    return entry


def _vector(each: BinSet, known: Mapping[str, Parameter]) -> Json:
    parameters = [None if name is None else known[name] for name in each.members]
    entry: Json = {
        "name": each.name,
        "inits": [1.0 if row is None else row.initial for row in parameters],
        "bounds": [[1e-10, 10.0] if row is None else [row.low, row.high] for row in parameters],
    }
    if all(row is not None and row.fixed for row in parameters):
        entry["fixed"] = True
    if each.kind == "shapesys":
        entry["auxdata"] = _counts(each.members, known)
    if each.kind == "staterror":
        constraints = [None if row is None else row.constraint for row in parameters]
        entry["auxdata"] = [row.centre if isinstance(row, Gaussian) else 1.0 for row in constraints]
    return entry
