"""Parts of systematics that are too small to matter, or too large to be true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from quarkline.catalog import Catalog, Normalisation
from quarkline.catalog.systematics import Independent
from quarkline.catalog.templates import Pruning
from quarkline.templates.algebra import positive_sum
from quarkline.templates.distances import alike
from quarkline.templates.drafts import Where
from quarkline.templates.histograms import Array, Histogram
from quarkline.templates.norms import drops
from quarkline.templates.sets import Shift, Template

SMALL_NORM, SMALL_SHAPE = "norm below the threshold", "shape below the threshold"
EMPTY_SAMPLE = "sample without events"
LARGE_NORM, LARGE_SHAPE = "norm suspiciously large", "shape suspiciously large"

EMPTY = 1e-4
"""Events below which a sample is empty."""


def prune(where: Where, templates: Mapping[str, Template]) -> dict[str, Template]:
    """All samples of a region, with what each of their systematics keeps."""
    reference = _reference(where.catalog, templates)
    pruned = {
        sample: replace(
            template,
            shifts={
                name: _verdict(where, sample, name, template.nominal, reference, shift)
                for name, shift in template.shifts.items()
            },
        )
        for sample, template in templates.items()
    }
    return {
        sample: replace(
            template,
            shifts={
                name: _as_reference(where, name, shift, pruned)
                for name, shift in template.shifts.items()
            },
        )
        for sample, template in pruned.items()
    }


def _reference(catalog: Catalog, templates: Mapping[str, Template]) -> Histogram | None:
    """What changes are relative to: a sum over samples; None if each sample is its own."""
    roles = {"background": {"background"}, "combined": {"background", "signal"}}
    wanted = roles.get(catalog.templates.pruning.reference, set())
    total: Histogram | None = None
    for sample, template in templates.items():
        if catalog.samples[sample].role in wanted:
            part = template.nominal.scaled(nominal_scale(catalog, sample))
            total = total + part if total else part
    return total


def nominal_scale(catalog: Catalog, sample: str) -> float:
    """Product of the nominal values of a sample's norm factors."""
    factors = [
        factor.nominal
        for factor in catalog.norm_factors.values()
        if factor.scales(sample) and factor.expression is None
    ]
    return float(np.prod(factors))


def _verdict(
    where: Where,
    sample: str,
    name: str,
    nominal: Histogram,
    reference: Histogram | None,
    shift: Shift,
) -> Shift:
    """A shift with what is kept of it."""
    systematic = where.catalog.systematics[name]
    has_shape = shift.shape_up is not None
    if shift.reason:  # part of another one
        return replace(shift, norm_kept=False, shape_kept=False)
    if isinstance(systematic, Independent):
        return shift
    if not systematic.prune:
        return replace(shift, shape_kept=has_shape)
    varied = where.varied(name)
    shift = _by_size(where.catalog.templates.pruning, nominal, reference or nominal, shift)
    reasons = [shift.reason] if shift.reason else []
    if isinstance(systematic, Normalisation) and not has_shape:
        return shift
    if varied and drops(varied.drop_shape, where.name, sample):
        shift = replace(shift, shape_kept=False)
        reasons.append("shape dropped by the analysis")
    if varied and drops(varied.drop_norm, where.name, sample):
        shift = replace(shift, norm_kept=False)
        reasons.append("norm dropped by the analysis")
    return replace(shift, reason=", ".join(reasons))


def _by_size(pruning: Pruning, nominal: Histogram, reference: Histogram, shift: Shift) -> Shift:
    total = positive_sum(reference)
    norms = [
        abs(positive_sum(side) - positive_sum(nominal)) / total if total else 0.0
        for side in (shift.up, shift.down)
    ]
    reasons = []
    has_shape = shift.shape_up is not None
    norm_kept = max(norms) >= pruning.norm
    shape_kept = _has_shape(pruning, nominal, reference, shift, pruning.shape)
    if not norm_kept:
        reasons.append(SMALL_NORM)
    if not shape_kept and has_shape:
        reasons.append(SMALL_SHAPE)
    bad: list[str] = []
    if pruning.large is not None and pruning.remove_large:
        if max(norms) > pruning.large:
            norm_kept = shape_kept = False
            reasons = [LARGE_NORM]
    elif pruning.large is not None:
        if _has_shape(pruning, nominal, reference, shift, pruning.large):
            shape_kept = False
            bad.append("shape")
            reasons.append(LARGE_SHAPE)
        if max(norms) > pruning.large:
            norm_kept = False
            bad.append("norm")
            reasons.append(LARGE_NORM)
    if pruning.remove_on_empty and positive_sum(nominal) < EMPTY:
        norm_kept = shape_kept = False
        reasons.append(EMPTY_SAMPLE)
    if bad:  # what is not too large stays then, however small
        norm_kept, shape_kept = "norm" not in bad, has_shape and "shape" not in bad
        reasons = [reason for reason in reasons if reason in (LARGE_NORM, LARGE_SHAPE)]
    return replace(
        shift,
        norm_kept=norm_kept,
        shape_kept=shape_kept,
        bad=tuple(bad),
        reason=", ".join(reasons),
    )


def _has_shape(
    pruning: Pruning, nominal: Histogram, reference: Histogram, shift: Shift, threshold: float
) -> bool:
    """Whether a side changes the shape by so much, in some bin or by the test."""
    if shift.shape_up is None or shift.shape_down is None:
        return False
    if pruning.shape_test == "ks-test":
        sides = (shift.up, shift.down)
        return any(alike(side, nominal) <= 1 - threshold for side in sides)
    shapes = (shift.shape_up, shift.shape_down)
    if any(shape.sum() == 0 for shape in shapes) or reference.integral == 0:
        return False
    used = nominal.contents >= 0
    return any(
        (_relative(shape - nominal.contents, reference.contents)[used] >= threshold).any()
        for shape in shapes
    )


def _relative(shift: Array, reference: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.abs(shift / reference)


def _as_reference(where: Where, name: str, shift: Shift, pruned: Mapping[str, Template]) -> Shift:
    """A shift that keeps what the sample of `reference_pruning` keeps."""
    varied = where.varied(name)
    chosen = pruned.get(varied.reference_pruning or "") if varied else None
    if chosen is None or name not in chosen.shifts:
        return shift
    theirs = chosen.shifts[name]
    return replace(
        shift,
        norm_kept=theirs.norm_kept,
        shape_kept=theirs.shape_kept,
        bad=theirs.bad,
        reason=theirs.reason,
    )
