"""What an analysis reads of which files, for whoever looks over them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from quarkline.catalog.catalog import Catalog
from quarkline.catalog.files import is_there
from quarkline.catalog.written import Written
from quarkline.engine.core.findings import InputError
from quarkline.engine.workflow.samples import InputSample
from quarkline.events.expressions import nodes, parse


def input_samples(catalog: Catalog) -> list[InputSample]:
    """The files of each sample that are there, with its weight and the columns of its cuts.

    A sample whose events lie in several trees is one for each of them. Its columns are those that
    selections and variables name, friends' columns included; those of the weight are not.
    """
    if catalog.reads == "histograms":
        return []
    return [part for name in catalog.samples for part in _parts(catalog, name)]


def _parts(catalog: Catalog, name: str) -> Iterator[InputSample]:
    regions = [region for region in catalog.regions if catalog.holds(name, region)]
    weight = catalog.weight_of(name, regions[0]) if regions else None
    columns = _columns(text for region in regions for text in _texts(catalog, name, region))
    trees: dict[str, dict[Path, None]] = {}
    anywhere: list[str | None] = [*regions]
    for where in anywhere or [None]:
        for file in catalog.files_of(name, where):
            if is_there(file.path):
                trees.setdefault(file.tree, {})[file.path] = None
    for tree, files in trees.items():
        label = name if len(trees) == 1 else f"{name}/{tree}"
        of_data = catalog.samples[name].role == "data"
        known = None if of_data or weight is None else str(weight)
        yield InputSample(label, tuple(files), tree=tree, columns=columns, weight=known)


def _texts(catalog: Catalog, sample: str, region: str) -> Iterator[Written]:
    yield catalog.selection_of(sample, region)
    if variable := catalog.variable_of(sample, region):
        yield variable


def _columns(texts: Iterable[Written]) -> tuple[str, ...]:
    """Names in expressions, each once; a text that is no expression has none."""
    found: dict[str, None] = {}
    for text in dict.fromkeys(map(str, texts)):
        try:
            tree = parse(text)
        except InputError:
            continue
        found |= {node.name: None for node in nodes.walk(tree) if isinstance(node, nodes.Name)}
    return tuple(found)
