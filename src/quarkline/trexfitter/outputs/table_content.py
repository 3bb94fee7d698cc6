"""What the tables of yields and of systematics hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from quarkline.catalog import Catalog
from quarkline.templates.sets import TemplateSet
from quarkline.trexfitter.outputs.expected import Expected
from quarkline.trexfitter.outputs.tables import EffectRow, EffectTable, YieldRow, YieldTable

GAMMA = "gamma_"


def yield_table(
    expected: Expected,
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
    expected: Expected, regions: Sequence[str], title: str, names: list[str], tex_title: str = ""
) -> YieldRow:
    values, errors = [], []
    for region in regions:
        here = set(expected.samples(region))
        present = [name for name in names if name in here]
        values.append(expected.total(region, present))
        errors.append(expected.error(region, present))
    return YieldRow(title, tuple(values), tuple(errors), tex_title)


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


def effects_before(
    expected: Expected, templates: TemplateSet, catalog: Catalog, region: str
) -> EffectTable:
    """Relative changes of yields by systematics, whether pruning left them or not."""
    samples = expected.samples(region)
    shifts = {name: templates.regions[region].templates[name].shifts for name in samples}
    names = _first_seen(
        [name for name in catalog.systematics if name in shifts[sample]] for sample in samples
    )
    rows = []
    for name in names:
        sides = [shifts[sample].get(name) for sample in samples]
        up = tuple(side.norm_up if side else 0.0 for side in sides)
        down = tuple(side.norm_down if side else 0.0 for side in sides)
        rows.append(EffectRow(catalog.systematics[name].title or name, up, down))
    return _table(catalog, samples, rows)


def effects_after(
    expected: Expected, catalog: Catalog, region: str, titles: Mapping[str, str]
) -> EffectTable:
    """Relative changes of yields by the errors of the parameters after a fit.

    Args:
        expected: What is expected after the fit.
        catalog: The analysis.
        region: The region.
        titles: Titles of parameters.
    """
    samples = expected.samples(region)
    names = _first_seen(
        [name for name in expected.up if expected.acts_on(name, region, sample)]
        for sample in samples
    )
    rows = []
    for name in names:
        effects = [expected.effect(name, region, sample) for sample in samples]
        up, down = zip(*effects, strict=True)
        rows.append(EffectRow(titles.get(name) or name.removeprefix(GAMMA), up, down))
    return _table(catalog, samples, rows)


def categories(
    expected: Expected, catalog: Catalog, region: str, category_of: Mapping[str, str]
) -> EffectTable:
    """Relative errors of yields by category, added linearly over the bins as TRExFitter does.

    Args:
        expected: What is expected, before or after a fit.
        catalog: The analysis.
        region: The region.
        category_of: Categories of parameters.
    """
    samples = expected.samples(region)
    rows = []
    for category in sorted(set(category_of.values())):
        names = [name for name in expected.up if category_of.get(name) == category]
        errors = tuple(_category_error(expected, names, (region, sample)) for sample in samples)
        rows.append(EffectRow(category, errors, None))
    return _table(catalog, samples, rows)


def _category_error(expected: Expected, names: list[str], key: tuple[str, str]) -> float:
    total = expected.contents[key].sum()
    if not names or total <= 0:
        return 0.0
    halves = np.array([(expected.up[name][key] - expected.down[name][key]) for name in names])
    places = [list(expected.up).index(name) for name in names]
    matrix = expected.correlation[np.ix_(places, places)]
    squared = np.einsum("ib,ij,jb->b", halves / 2, matrix, halves / 2)
    return float(np.sqrt(np.maximum(squared, 0.0)).sum() / total)


def _first_seen(lists: Iterable[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(name for names in lists for name in names))


def _table(catalog: Catalog, samples: list[str], rows: list[EffectRow]) -> EffectTable:
    titles = tuple(catalog.samples[name].title or name for name in samples)
    tex_titles = tuple(catalog.samples[name].tex_title for name in samples)
    return EffectTable(titles, tuple(rows), tex_titles)
