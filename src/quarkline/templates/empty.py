"""Bins without or with negative contents, which no likelihood can take."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import Rule, Severity
from quarkline.templates.algebra import with_contents, with_errors
from quarkline.templates.drafts import Draft, Drafts, Pair, Where
from quarkline.templates.histograms import Array, Histogram

EMPTY = Rule(
    "QL-TEMPLATE-001",
    "templates have no empty bins",
    "A bin of a background without or with a negative content is set to 1e-6, with the error that "
    "it has, or the smallest one of the histogram, and the others are scaled so that the sum "
    "stays. Wider bins or more simulated events avoid it.",
    Severity.WARNING,
)
NEGATIVE_SUM = Rule(
    "QL-TEMPLATE-002",
    "templates have positive sums",
    "The sum over all bins is negative, so it cannot be kept while negative bins are set. Leave "
    "the sample out of this region, or set `templates.repair_negative_sums`.",
    Severity.WARNING,
)
ODD = Rule(
    "QL-TEMPLATE-003",
    "variations are like the nominal histogram",
    "A bin of a variation is negative, not a number, or more than a hundred times the nominal "
    "content. Negative ones are set to 1e-6, those that are no number to the nominal content.",
    Severity.WARNING,
)

Bools = NDArray[np.bool_]
TINY = 1e-6
"""What empty bins are set to."""
TINY_ERROR = 1e-7
"""Error of negative bins of signals, which become `TINY`."""
LARGEST = 100.0
"""Largest relative change of a bin that is not odd."""


def fill_empty(where: Where, name: str, drafts: Drafts) -> Draft:
    """A background whose bins are all above 0, with the same sum; other samples as they are."""
    draft = drafts[name]
    if where.sample(name).role not in {"background", "reference"}:
        return draft
    total = draft.nominal.integral
    empty = draft.nominal.contents <= 0
    if not empty.any():
        return draft
    templates = where.catalog.templates
    nominal = with_contents(draft.nominal, np.where(empty, TINY, draft.nominal.contents))
    errors = _errors(draft.nominal, empty, guess=templates.guess_empty_bins)
    nominal = with_errors(nominal, errors)
    _say(where, name, empty, total)
    wanted = total if total > 0 else TINY if templates.repair_negative_sums else nominal.integral
    nominal = with_contents(nominal, nominal.contents * (wanted / nominal.integral))
    pairs = {key: pair.apply(lambda side: _side(side, empty)) for key, pair in draft.pairs.items()}
    guessed = tuple(np.flatnonzero(empty).tolist())
    return replace(draft, nominal=nominal, pairs=pairs, guessed=guessed)


def _errors(nominal: Histogram, empty: Bools, *, guess: bool) -> Array:
    """Errors of all bins; those of empty bins without one are guessed."""
    errors = nominal.errors
    known = errors[(nominal.contents > 0) & (errors > 0)]
    least = float(known.min()) if guess and known.size else TINY
    return np.where(empty & (errors <= 0), least, errors)


def _side(side: Histogram, empty: Bools) -> Histogram:
    """A variation without empty bins where the nominal histogram had some, and the same sum."""
    total = side.integral
    filled = with_contents(side, np.where(empty & (side.contents <= 0), TINY, side.contents))
    return filled.scaled(total / filled.integral) if filled.integral != total else filled


def _say(where: Where, name: str, empty: Bools, total: float) -> None:
    bins = (np.flatnonzero(empty) + 1).tolist()
    what = f"`{name}` in `{where.name}`"
    message = f"{what} has no events"
    if not empty.all() or total != 0:
        listed = ", ".join(map(str, bins))
        message = f"{what} has no or a negative content in bin{'s' * (len(bins) > 1)} {listed}"
    evidence = {"sample": name, "region": where.name, "bins": bins}
    where.found.append(EMPTY.finding(message, evidence=evidence))
    if total < 0:
        message = f"{what} sums to {total:g}"
        where.found.append(NEGATIVE_SUM.finding(message, evidence={**evidence, "sum": total}))


def check(where: Where, name: str, draft: Draft) -> Draft:
    """A sample and its variations without what no likelihood can take, which is told."""
    if not draft.pairs:
        return draft
    signal = where.sample(name).role == "signal"
    contents = draft.nominal.contents
    bad = contents < 0 if signal else contents <= 0
    nominal = draft.nominal
    if bad.any():
        _say(where, name, bad, 0.0)
        nominal = with_contents(nominal, np.where(bad, TINY, contents))
        nominal = with_errors(nominal, np.where(bad, TINY_ERROR, nominal.errors))
    draft = replace(draft, nominal=nominal)
    return draft.with_pairs(lambda key, pair: checked(where, name, key, nominal, pair))


def checked(where: Where, name: str, key: str, nominal: Histogram, pair: Pair) -> Pair:
    """A pair without negative bins and bins that are no number, which is told."""
    if pair.stated is not None:
        return pair
    reasons = [_oddities(nominal, side) for side in (pair.up, pair.down)]
    for side, reason in zip(("up", "down"), reasons, strict=True):
        if reason:
            message = f"`{key}` ({side}) of `{name}` in `{where.name}`: {reason}"
            evidence = {"sample": name, "region": where.name, "systematic": key, "side": side}
            where.found.append(ODD.finding(message, evidence=evidence))
    return pair.apply(lambda side: _mended(nominal, side)) if any(reasons) else pair


def _oddities(nominal: Histogram, side: Histogram) -> str:
    contents = side.contents
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.abs(contents / nominal.contents - 1)
    kinds = {
        "negative": contents < 0,
        "no number": np.isnan(contents),
        "over a hundred times the nominal content": (nominal.contents > 0) & (change >= LARGEST),
    }
    return "; ".join(
        f"bins {', '.join(str(bin_ + 1) for bin_ in np.flatnonzero(found))} {kind}"
        for kind, found in kinds.items()
        if found.any()
    )


def _mended(nominal: Histogram, side: Histogram) -> Histogram:
    contents = np.where(np.isnan(side.contents), nominal.contents, side.contents)
    return with_contents(side, np.where(contents < 0, TINY, contents))
