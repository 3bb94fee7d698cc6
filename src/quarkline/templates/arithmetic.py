"""Samples made of other samples: sums, differences, products, quotients, equal yields.

Systematics go with it. Where one sample has a systematic and the other has none with the same
parameter, the nominal histogram stands for the other's sides; the result has the systematics of
both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from quarkline.engine.core.findings import Rule, Severity
from quarkline.templates.algebra import added, divided, multiplied
from quarkline.templates.drafts import Draft, Drafts, Pair, Where
from quarkline.templates.histograms import Histogram

ABSENT = Rule(
    "QL-TEMPLATE-004",
    "samples that others are made of are in the region",
    "A sample is to be combined with another one that is not in this region, so it stays as it is. "
    "Put both in the same regions.",
    Severity.WARNING,
)

Operation = Callable[[Histogram, Histogram], Histogram]


def _subtracted(first: Histogram, second: Histogram) -> Histogram:
    return added(first, second, -1)


OPERATIONS: dict[str, Operation] = {
    "add": added,
    "subtract": _subtracted,
    "multiply": multiplied,
    "divide": divided,
}


def combine_samples(where: Where, name: str, drafts: Drafts) -> Draft:
    """A sample after what its `arithmetic` says, in the order it is written."""
    draft = drafts[name]
    for step in where.sample(name).arithmetic:
        for other in step.samples:
            if other not in drafts:
                message = f"`{name}` needs `{other}` in `{where.name}`, which is not there"
                evidence = {"sample": name, "needs": other, "region": where.name}
                where.found.append(ABSENT.finding(message, evidence=evidence))
            elif step.kind == "normalise":
                draft = _normalised(draft, drafts[other])
            else:
                draft = _combined(where, step.kind, draft, drafts[other])
    return draft


def _normalised(draft: Draft, other: Draft) -> Draft:
    own = draft.nominal.integral
    factor = other.nominal.integral / own if own else 1.0
    draft = draft.with_pairs(lambda _, pair: pair.apply(lambda side: side.scaled(factor)))
    return replace(draft, nominal=draft.nominal.scaled(factor))


def _combined(where: Where, kind: str, first: Draft, second: Draft) -> Draft:
    operation = OPERATIONS[kind]
    others = _by_parameter(where, second)
    pairs = {}
    for name, pair in first.pairs.items():
        other = others.get(_parameter(where, name))
        ups, downs = (other.up, other.down) if other else (second.nominal, second.nominal)
        pairs[name] = replace(pair, up=operation(pair.up, ups), down=operation(pair.down, downs))
    nominal = operation(first.nominal, second.nominal)
    known = {_parameter(where, name) for name in pairs}
    for name, pair in second.pairs.items():
        parameter = _parameter(where, name)
        if parameter in known:
            continue
        known.add(parameter)
        pairs[name] = _inherited(kind, first, nominal, second, pair)
    return replace(first, nominal=nominal, pairs=pairs)


def _inherited(kind: str, first: Draft, nominal: Histogram, second: Draft, pair: Pair) -> Pair:
    """The sides of a systematic that only the second sample has.

    A quotient shifts as much as with the inverse of the second sample's relative shift to first
    order: 2 q - q v / n.
    """

    def side(variation: Histogram) -> Histogram:
        if kind != "divide":
            return OPERATIONS[kind](first.nominal, variation)
        shifted = multiplied(divided(nominal, second.nominal), variation)
        return added(shifted.scaled(-1), nominal, 2)

    return Pair(side(pair.up), side(pair.down), first.filled, first.filled)


def _parameter(where: Where, name: str) -> str:
    return where.catalog.systematics[name].parameter or name


def _by_parameter(where: Where, draft: Draft) -> dict[str, Pair]:
    """The first pair of each parameter."""
    pairs: dict[str, Pair] = {}
    for name, pair in draft.pairs.items():
        pairs.setdefault(_parameter(where, name), pair)
    return pairs
