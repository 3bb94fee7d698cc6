"""What the tables of yields and of systematics hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from quarkline.catalog import Catalog
from quarkline.templates.expectation import Expectation
from quarkline.templates.sets import TemplateSet
from quarkline.trexfitter.outputs.tables import EffectRow, EffectTable, YieldRow, YieldTable

GAMMA = "gamma_"
Expectations = Mapping[str, Expectation]
"""What is expected in each region."""


def yield_table(
    expected: Expectations,
    templates: TemplateSet,
    catalog: Catalog,
    *,
    regions: Sequence[str],
    signal: bool = True,
) -> YieldTable:
    """Yields of the samples by title, their sum and data.

    Args:
        expected: What is expected.
        templates: The templates, which hold the data.
        catalog: The analysis.
        regions: The regions, in order.
        signal: Whether signals are in the table and in the sum.
    """
    roles = {"signal", "background"} if signal else {"background"}
    titled: dict[str, list[str]] = {}
    for name, sample in catalog.samples.items():
        if sample.role in roles:
            titled.setdefault(sample.title or name, []).append(name)
    rows = [
        _yield_row(expected, regions, title, names, catalog.samples[names[0]].tex_title)
        for title, names in titled.items()
    ]
    everything = [name for names in titled.values() for name in names]
    rows.append(_yield_row(expected, regions, "Total" if signal else "Tot.Bkg.", everything))
    rows += _data_rows(templates, catalog, regions)
    labels = tuple(catalog.regions[region].label or region for region in regions)
    tex_labels = tuple(catalog.regions[region].tex_label for region in regions)
    return YieldTable(labels, tuple(rows), tex_labels)


def _yield_row(
    expected: Expectations,
    regions: Sequence[str],
    title: str,
    names: list[str],
    tex_title: str = "",
) -> YieldRow:
    sums = [expected[region].sum_of(names) for region in regions]
    values = tuple(one.total for one in sums)
    return YieldRow(title, values, tuple(one.total_error for one in sums), tex_title)


def _data_rows(
    templates: TemplateSet, catalog: Catalog, regions: Sequence[str]
) -> Iterable[YieldRow]:
    """Data, if any region has some; those of hidden regions are 0."""
    counts = [templates.regions[region].data for region in regions]
    samples = [(name, one) for name, one in catalog.samples.items() if one.role == "data"]
    if samples and any(counts):
        name, sample = samples[0]
        values = tuple(0.0 if count is None else count.integral for count in counts)
        yield YieldRow(sample.title or name, values, None, sample.tex_title)


def effects_before(expected: Expectation, templates: TemplateSet, catalog: Catalog) -> EffectTable:
    """Relative changes of yields by systematics, whether pruning left them or not.

    Args:
        expected: What is expected before a fit.
        templates: The templates.
        catalog: The analysis.
    """
    here = templates.regions[expected.region].templates
    shifts = [here[sample].shifts for sample in expected.samples]
    names = _first_seen([name for name in catalog.systematics if name in of] for of in shifts)
    rows = []
    for name in names:
        sides = [of.get(name) for of in shifts]
        up = tuple(side.norm_up if side else 0.0 for side in sides)
        down = tuple(side.norm_down if side else 0.0 for side in sides)
        rows.append(EffectRow(catalog.systematics[name].title or name, up, down))
    return _table(catalog, expected, rows)


def effects_after(
    expected: Expectation, catalog: Catalog, titles: Mapping[str, str]
) -> EffectTable:
    """Relative changes of yields by the errors of the parameters after a fit.

    Args:
        expected: What is expected after the fit.
        catalog: The analysis.
        titles: Titles of parameters.
    """
    with np.errstate(divide="ignore", invalid="ignore"):  # samples without any events
        shifts = [expected.relative_shifts(sample) for sample in expected.samples]
    names = _first_seen([name for name, sides in of.items() if any(sides)] for of in shifts)
    rows = []
    for name in names:
        up, down = zip(*(of[name] for of in shifts), strict=True)
        rows.append(EffectRow(titles.get(name) or name.removeprefix(GAMMA), up, down))
    return _table(catalog, expected, rows)


def categories(
    expected: Expectation, catalog: Catalog, category_of: Mapping[str, str]
) -> EffectTable:
    """Relative errors of yields by category, added linearly over the bins as TRExFitter does.

    Args:
        expected: What is expected, before or after a fit.
        catalog: The analysis.
        category_of: Categories of parameters.
    """
    known = [category_of.get(name, "") for name in expected.parameters]
    rows = []
    for category in sorted(set(filter(None, known))):
        places = [at for at, name in enumerate(known) if name == category]
        halves = (expected.up[places] - expected.down[places]) / 2
        matrix = expected.correlation[np.ix_(places, places)]
        squared = np.einsum("psn,pq,qsn->sn", halves, matrix, halves)
        errors = np.sqrt(np.maximum(squared, 0.0)).sum(axis=1)
        totals = expected.contents.sum(axis=1)
        parts = np.divide(errors, totals, out=np.zeros_like(errors), where=totals > 0)
        rows.append(EffectRow(category, tuple(map(float, parts)), None))
    return _table(catalog, expected, rows)


def _first_seen(lists: Iterable[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(name for names in lists for name in names))


def _table(catalog: Catalog, expected: Expectation, rows: list[EffectRow]) -> EffectTable:
    titles = tuple(catalog.samples[name].title or name for name in expected.samples)
    tex_titles = tuple(catalog.samples[name].tex_title for name in expected.samples)
    return EffectTable(titles, tuple(rows), tex_titles)
