"""The score as a column of an analysis: who names it, which files need it, what shifts it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quarkline.catalog import Catalog, Variation, Varied, Written
from quarkline.catalog.files import is_there
from quarkline.catalog.systematics import Systematic
from quarkline.engine.core.findings import InputError
from quarkline.events.expressions import nodes, parse
from quarkline.studies.search.config import SearchConfig
from quarkline.studies.search.fits.blind import hidden_selections, seen_region
from quarkline.studies.search.fits.parts import catalog_of
from quarkline.studies.search.readings import NOMINAL, readings_of, side_name
from quarkline.templates.fill import HistRequest, requests_of
from quarkline.templates.fill.requests import Meaning, meaning_of


def meanings_of(catalog: Catalog) -> dict[HistRequest, Meaning]:
    """What each histogram of an analysis is made of, but for data that nobody is to see."""
    return {
        request: meaning_of(request, catalog)
        for request in requests_of(catalog)
        if not catalog.hides(request.sample, request.region)
    }


def reads_scores(catalog: Catalog, columns: Collection[str]) -> bool:
    """Whether templates name a column of scores.

    Args:
        catalog: The analysis.
        columns: The columns of unshifted events.
    """
    texts = {
        text
        for meaning in meanings_of(catalog).values()
        for text in (
            meaning.variable,
            meaning.selection,
            meaning.weight,
            *dict(meaning.columns).values(),
        )
    }
    return any(name in columns for text in texts for name in _names(text))


def _names(text: str) -> Iterator[str]:
    """Names in an expression; one that is no expression has none, and is a finding elsewhere."""
    try:
        tree = parse(text)
    except InputError:
        return
    yield from (node.name for node in nodes.walk(tree) if isinstance(node, nodes.Name))


def scored_catalog(config: SearchConfig, columns: Iterable[str]) -> Catalog:
    """The analysis as its templates are made.

    Shifted columns bring their own scores, friends are those of this study, blind regions are
    fitted to Asimov data, and nothing is blind in a run that says why.

    Args:
        config: The config.
        columns: Columns of the scores of unshifted events; none if templates do not read them.
    """
    open_ = config.unblind is not None
    sample = {"use_friends": False} | ({"blind": False} if open_ else {})
    scores = list(columns)
    return catalog_of(
        config,
        samples={name: one.model_copy(update=sample) for name, one in config.samples.items()},
        regions={
            name: seen_region(config, name, scores).model_copy(
                update={"blind": False} if open_ else {"data": "asimov"} if one.blind else {}
            )
            for name, one in config.regions.items()
        },
        systematics={
            name: _with_scores(name, one, scores) for name, one in config.systematics.items()
        },
    )


def _with_scores(name: str, systematic: Systematic, scores: list[str]) -> Systematic:
    """A systematic whose shifted columns come with the scores of these events."""
    if not isinstance(systematic, Varied):
        return systematic
    return systematic.model_copy(
        update={
            side: _shifted(variation, side_name(name, side), scores)
            for side, variation in systematic.sides.items()
            if variation.columns
        }
    )


def _shifted(variation: Variation, suffix: str, scores: list[str]) -> Variation:
    found = {name: Written(f"{name}_{suffix}") for name in scores}
    return variation.model_copy(update={"columns": found | variation.columns})


@dataclass
class ScoredFile:
    """A file whose events are scored.

    Attributes:
        path: The file.
        sample: Name of the first sample that it is of.
        simulated: Whether the fold that scores an event is that of its group, not its identity.
        trees: Trees in it.
        shifts: Shifted columns by the end of the names of their scores.
        hidden: Selections of events that nobody is to see, and that get no score.
    """

    path: Path
    sample: str
    simulated: bool
    trees: dict[str, None] = field(default_factory=dict)
    shifts: dict[str, Mapping[str, str]] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()


def scored_files(config: SearchConfig, columns: Collection[str]) -> list[ScoredFile]:
    """The files whose events are scored: those of the region trained in, and of templates.

    Args:
        config: The config.
        columns: Columns of the scores of unshifted events.
    """
    found: dict[Path, ScoredFile] = {}

    def add(path: Path, tree: str, sample: str) -> ScoredFile:
        simulated = config.samples[sample].role != "data"
        file = found.setdefault(path, ScoredFile(path, sample, simulated))
        file.trees[tree] = None
        hidden = map(str, hidden_selections(config, sample))
        file.hidden = tuple(dict.fromkeys((*file.hidden, *hidden)))
        return file

    shifts: dict[str, dict[str, Mapping[str, str]]] = {}
    pairs = list(readings_of(config).pairs)
    for reading, _ in pairs:
        if reading.shift != NOMINAL and reading.columns and config.friends.systematics:
            shifts.setdefault(reading.sample, {})[reading.shift] = dict(reading.columns)
    for reading, paths in pairs:
        if reading.shift == NOMINAL:
            for path, tree in zip(paths, reading.trees, strict=True):
                add(path, tree, reading.sample).shifts |= shifts.get(reading.sample, {})
    if config.fit is None or not reads_scores(config, columns):
        return list(found.values())
    for request, meaning in meanings_of(config).items():
        shift = side_name(request.systematic, request.side) if meaning.columns else ""
        for item in meaning.files:
            if is_there(item.path):
                file = add(item.path, item.tree, request.sample)
                if shift and config.friends.systematics:
                    file.shifts[shift] = {name: str(text) for name, text in meaning.columns}
    return list(found.values())
