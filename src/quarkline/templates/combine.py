"""Several variations that are one: of one parameter, or an envelope, a standard deviation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from quarkline.catalog import Catalog, Varied
from quarkline.catalog.names import selects
from quarkline.engine.core.findings import Rule, Severity
from quarkline.templates.algebra import added, with_contents
from quarkline.templates.drafts import Draft, Drafts, Pair, Where
from quarkline.templates.histograms import Array

FIRST_ABSENT = Rule(
    "QL-TEMPLATE-006",
    "the first systematic of a combination is on all its samples",
    "The first systematic of a combination holds the others, too. A sample that has others and not "
    "the first one is left without any of them. Put the first one on all samples.",
    Severity.WARNING,
)

Shifts = tuple[Array, Array]
"""Shifts up and down of the bins from the nominal histogram, each of shape (variations, n)."""
Combination = Callable[[Shifts], Shifts | None]
"""Shifts of shape (n,) that stand for several, or None if there are too few."""


def merge_parameters(where: Where, drafts: Drafts) -> Drafts:
    """Samples in which shifts with one parameter are added up.

    That is done for systematics whose parameter has the name of another systematic.
    """
    systematics = where.catalog.systematics
    for name, systematic in systematics.items():
        into = systematic.parameter or name
        other = systematics.get(into)
        if into == name or other is None or (other.parameter or into) != into:
            continue
        drafts = {sample: _added(draft, name, into) for sample, draft in drafts.items()}
    return drafts


def _added(draft: Draft, name: str, into: str) -> Draft:
    """A sample with the shift of one systematic added to that of another one."""
    if name not in draft.pairs or into not in draft.pairs:
        return draft
    one, other = draft.pairs[name], draft.pairs[into]
    both = replace(
        other,
        up=added(added(other.up, one.up), draft.nominal, -1),
        down=added(added(other.down, one.down), draft.nominal, -1),
        stated=None,
    )
    pairs = {**draft.pairs, into: both, name: _without_effect(draft, one, into)}
    return replace(draft, pairs=pairs)


def combine_variations(where: Where, drafts: Drafts) -> Drafts:
    """Samples in which the first systematic of each combination holds what all of them say.

    The others are left without effect.
    """
    groups: dict[str, list[str]] = {}
    for name in where.catalog.systematics:
        systematic = where.varied(name)
        if systematic and systematic.combine:
            groups.setdefault(systematic.combine.name, []).append(name)
    for names in groups.values():
        last = where.varied(names[-1])
        rule = last.combine.rule if last and last.combine else "envelope"
        _say_absent(where, drafts, names)
        drafts = {sample: _combined(draft, names, RULES[rule]) for sample, draft in drafts.items()}
        if selects(norm_dropped_in(where.catalog, names), where.name):
            drafts = {sample: _same_yield(draft, names[0]) for sample, draft in drafts.items()}
    return drafts


def norm_dropped_in(catalog: Catalog, names: Iterable[str]) -> list[str]:
    """Regions in which a combination of systematics keeps the yield: the first list there is."""
    found = (catalog.systematics[name] for name in names)
    lists = (one.combine.drop_norm for one in found if isinstance(one, Varied) and one.combine)
    return next((regions for regions in lists if regions), [])


def _same_yield(draft: Draft, name: str) -> Draft:
    """A sample with a systematic scaled to the nominal sum; all bins count."""
    pair = draft.pairs.get(name)
    if pair is None:
        return draft
    total = draft.nominal.integral
    kept = pair.apply(lambda side: side.scaled(total / side.integral) if side.integral else side)
    return replace(draft, pairs={**draft.pairs, name: kept})


def _say_absent(where: Where, drafts: Drafts, names: Sequence[str]) -> None:
    for sample, draft in drafts.items():
        others = [name for name in names if name in draft.pairs]
        if others and names[0] not in others:
            message = f"`{sample}` in `{where.name}` has `{others[0]}` and not `{names[0]}`"
            evidence = {"sample": sample, "region": where.name, "systematics": others}
            where.found.append(FIRST_ABSENT.finding(message, evidence=evidence))


def _combined(draft: Draft, names: Sequence[str], rule: Combination) -> Draft:
    """A sample whose first systematic holds the combination, and whose others do nothing."""
    members = {name: draft.pairs[name] for name in names if name in draft.pairs}
    if not members:
        return draft
    nominal = draft.nominal.contents
    shifts = (
        np.stack([pair.up.contents - nominal for pair in members.values()]),
        np.stack([pair.down.contents - nominal for pair in members.values()]),
    )
    combination = rule(shifts)
    first = members.get(names[0])
    pairs = dict(draft.pairs)
    if first and combination:
        up, down = (with_contents(first.up, nominal + shift) for shift in combination)
        pairs[names[0]] = replace(first, up=up, down=down)
    for name in names[1:]:
        if name in members:
            pairs[name] = _without_effect(draft, members[name], names[0])
    return replace(draft, pairs=pairs)


def _without_effect(draft: Draft, pair: Pair, into: str) -> Pair:
    return replace(pair, up=draft.nominal, down=draft.nominal, stated=None, merged=into)


def _envelope(shifts: Shifts) -> Shifts:
    """The largest shift above and the largest one below, of both sides of all variations."""
    both = np.concatenate(shifts)
    return np.maximum(both.max(axis=0), 0), np.minimum(both.min(axis=0), 0)


def _spread(freedom: Callable[[int], int]) -> Combination:
    def rule(shifts: Shifts) -> Shifts | None:
        """Root of the summed squares of the larger shifts from their mean, over `freedom`."""
        up, down = shifts
        if len(up) < 2:
            return None
        larger = np.where(np.abs(up) > np.abs(down), up, down)
        squares = np.square(larger - larger.mean(axis=0)).sum(axis=0)
        width = np.sqrt(squares / freedom(len(up)))
        return width, -width

    return rule


RULES: dict[str, Combination] = {
    "envelope": _envelope,
    "standard-deviation": _spread(lambda count: count - 1),
    "standard-deviation-without-dof": _spread(lambda count: count),
    "hessian": _spread(lambda _: 1),
}
