"""What a likelihood must keep before it is compiled: names, lengths and numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from quarkline.engine.core.findings import Finding, Place, Rule, did_you_mean
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
    ShapeShift,
)

NUMBERS = Rule(
    "QL-FIT-001",
    "numbers of a likelihood are finite and possible",
    "Contents, data, variations, bounds and errors of a likelihood must be finite numbers; data "
    "and norm factors must not be negative, widths of constraints must be positive, and a "
    "parameter must begin inside its bounds. One NaN would make every fit fail without a reason.",
)
NAMES = Rule(
    "QL-FIT-002",
    "names of a likelihood are known and unique",
    "Channels, parameters, and the samples of a channel have one name each, and everything that "
    "changes a sample names a parameter of the likelihood.",
)
LENGTHS = Rule(
    "QL-FIT-003",
    "histograms of a channel have one number of bins",
    "Samples, variations, factors of bins and data of a channel must all have as many bins as its "
    "first sample.",
)
NO_DATA = Rule(
    "QL-FIT-004",
    "a fit has data",
    "A likelihood may come without data, for Asimov data and pseudo-data. A fit of the observed "
    "data needs them in every channel.",
)


def check_spec(spec: LikelihoodSpec) -> list[Finding]:
    """Everything that is wrong with a likelihood, each with its channel, sample and parameter."""
    names = [parameter.name for parameter in spec.parameters]
    known = set(names)
    findings = [
        *_twice(names, "parameter"),
        *_twice([channel.name for channel in spec.channels], "channel"),
        *(finding for parameter in spec.parameters for finding in _parameter(parameter)),
        *(finding for channel in spec.channels for finding in _channel(channel, known)),
    ]
    if not spec.channels:
        findings.append(LENGTHS.finding("the likelihood has no channels"))
    if spec.poi is not None and spec.poi not in known:
        findings.append(_unknown(spec.poi, known, "the parameter of interest"))
    return findings


def _parameter(parameter: Parameter) -> Iterator[Finding]:
    place = Place(label=f"parameter `{parameter.name}`")
    low, initial, high = parameter.low, parameter.initial, parameter.high
    if not math.isfinite(initial) or math.isnan(low) or math.isnan(high):
        numbers = f"initial {initial:g}, bounds {low:g} and {high:g}"
        yield NUMBERS.finding(f"not a number: {numbers}", place=place)
    elif not low <= initial <= high:
        yield NUMBERS.finding(
            f"the initial value {initial:g} is outside the bounds {low:g} and {high:g}", place=place
        )
    match parameter.constraint:
        case Gaussian(centre, width) if not (math.isfinite(centre) and 0 < width < math.inf):
            yield NUMBERS.finding(
                f"a measurement of {centre:g} with the error {width:g}; errors are positive",
                place=place,
            )
        case Poisson(tau, counted) if not (0 < tau < math.inf and 0 <= (counted or 0) < math.inf):
            yield NUMBERS.finding(
                f"an auxiliary count that expects {tau:g}; it must be positive", place=place
            )


def _channel(channel: ChannelSpec, known: set[str]) -> Iterator[Finding]:
    where = f"channel `{channel.name}`"
    if not channel.samples or not channel.bins:
        yield LENGTHS.finding("there are no samples or no bins", place=Place(label=where))
        return
    yield from _twice([sample.name for sample in channel.samples], "sample", Place(label=where))
    if channel.data is not None:
        yield from _contents(channel.data, channel.bins, Place(label=f"data of {where}"))
        if any(count < 0 for count in channel.data):
            yield NUMBERS.finding(
                f"data are negative: {min(channel.data):g}", place=Place(label=where)
            )
    for sample in channel.samples:
        yield from _sample(sample, channel.bins, known, f"sample `{sample.name}` of {where}")


def _sample(sample: SampleSpec, bins: int, known: set[str], where: str) -> Iterator[Finding]:
    yield from _contents(sample.contents, bins, Place(label=where))
    for modifier in sample.modifiers:
        names = _names(modifier)
        place = Place(label=f"`{names[0] if names else ''}` on {where}")
        for name in names:
            if name not in known:
                yield _unknown(name, known, "a parameter", place)
        match modifier:
            case NormShift(_, up, down, _):
                yield from _norm(up, down, place)
            case ShapeShift(_, up_contents, down_contents, _):
                yield from _contents(up_contents, bins, place)
                yield from _contents(down_contents, bins, place)
            case BinScale(parameters) if len(parameters) != bins:
                yield _length(len(parameters), bins, place)


def _names(modifier: Modifier) -> list[str]:
    if isinstance(modifier, BinScale):
        return sorted({name for name in modifier.parameters if name is not None})
    return [modifier.parameter]


def _norm(up: float, down: float, place: Place) -> Iterator[Finding]:
    if not all(math.isfinite(factor) and factor >= 0 for factor in (up, down)):
        yield NUMBERS.finding(
            f"norm factors are {up:g} at +1 and {down:g} at -1; they cannot be negative",
            suggestion="a variation larger than 100 % needs another description",
            place=place,
        )


def _contents(contents: Sequence[float], bins: int, place: Place) -> Iterator[Finding]:
    if len(contents) != bins:
        yield _length(len(contents), bins, place)
    wrong = [at for at, content in enumerate(contents) if not math.isfinite(content)]
    if wrong:
        yield NUMBERS.finding(
            f"bin {wrong[0]} holds {contents[wrong[0]]:g} ({len(wrong)} such of {len(contents)})",
            place=place,
        )


def _length(found: int, bins: int, place: Place) -> Finding:
    return LENGTHS.finding(f"{found} bins where the channel has {bins}", place=place)


def _twice(names: Iterable[str], what: str, place: Place | None = None) -> list[Finding]:
    return [
        NAMES.finding(f"{count} {what}s are called `{name}`", place=place)
        for name, count in Counter(names).items()
        if count > 1
    ]


def _unknown(name: str, known: set[str], what: str, place: Place | None = None) -> Finding:
    return NAMES.finding(
        f"{what} is called `{name}`, which the likelihood does not have",
        suggestion=did_you_mean(name, known, what="parameters"),
        place=place,
    )
