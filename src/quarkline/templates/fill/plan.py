"""Which tree is read once for which histograms, as items of work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quarkline.catalog import Catalog, InputFile
from quarkline.catalog.files import is_there
from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.findings import Finding, InputError, QuarklineError
from quarkline.events.expressions import nodes, parse
from quarkline.templates.fill.bins import Bins
from quarkline.templates.fill.bound import BoundTable
from quarkline.templates.fill.findings import NO_BINS, NO_EVENTS
from quarkline.templates.fill.requests import HistRequest, Meaning, meaning_of
from quarkline.templates.fill.tables import Columns, Drawn, Table
from quarkline.templates.fill.task import open_table

RANGE_ROWS = 500_000


@dataclass(frozen=True)
class Part:
    """What a tree adds to a histogram.

    Attributes:
        request: The histogram.
        scale: What it is multiplied with.
        drawn: Number of what is drawn, in its table.
        weight: Number of the weight, in what is drawn.
    """

    request: HistRequest
    scale: float
    drawn: int
    weight: int


@dataclass(frozen=True)
class PlannedTable:
    """A tree, the work on it, and what it adds to which histogram.

    Attributes:
        table: The tree.
        items: The work, in the order in which sums are taken.
        parts: What it adds.
    """

    table: Table
    items: tuple[Item, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Plan:
    """How all histograms are filled.

    Attributes:
        meanings: What each histogram is made of.
        bins: Bins of each region.
        tables: What is read.
        missing: Files that are not there.
        bad: Why files cannot be read.
        hidden: Requests for data that nobody is to see.
        findings: What is worth knowing.
    """

    meanings: Mapping[HistRequest, Meaning]
    bins: Mapping[str, Bins]
    tables: tuple[PlannedTable, ...]
    missing: tuple[Path, ...]
    bad: Mapping[Path, str]
    hidden: tuple[HistRequest, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def items(self) -> list[Item]:
        """The work, for `Context.map` or an executor; the task is `fill_range`."""
        return [item for table in self.tables for item in table.items]


def plan_filling(
    requests: Iterable[HistRequest], catalog: Catalog, *, unblind: bool = False
) -> Plan:
    """Look into every tree that the requests need, and share it out.

    Args:
        requests: The histograms.
        catalog: The analysis, of ntuples.
        unblind: Whether data of blind samples and regions are read.

    Raises:
        InputError: If a region has no variable or bins, or an expression does not fit the files.
    """
    asked = list(dict.fromkeys(requests))
    hidden = [] if unblind else [item for item in asked if catalog.hides(item.sample, item.region)]
    seen = dict.fromkeys(item for item in asked if item not in set(hidden))
    meanings = {item: meaning_of(item, catalog) for item in seen}
    bins = _bins(meanings, catalog)
    drafts: dict[InputFile, _Draft] = {}
    missing: dict[Path, None] = {}
    for request, meaning in meanings.items():
        for file, scale in zip(meaning.files, meaning.scales, strict=True):
            if is_there(file.path):
                draft = drafts.setdefault(file, _Draft(file))
                draft.add(request, meaning, scale, bins[request.region])
            else:
                missing[file.path] = None
    tables: list[PlannedTable] = []
    bad: dict[Path, str] = {}
    findings: list[Finding] = []
    fitted: set[tuple[Drawn, ...]] = set()
    for file in sorted(drafts, key=_name):
        table, parts = drafts[file].table, tuple(drafts[file].parts)
        try:
            items = _items(table, catalog.templates.max_events, fitted)
        except QuarklineError as error:
            bad[file.path] = error.findings[0].message
            continue
        tables.append(PlannedTable(table, items, parts))
        if not items:
            findings.append(NO_EVENTS.finding(f"{short(file.path)}: tree `{file.tree}` is empty"))
    return Plan(meanings, bins, tuple(tables), tuple(missing), bad, tuple(hidden), tuple(findings))


def short(path: Path) -> str:
    """A file as messages name it, without the folder it is in here."""
    return "/".join(path.parts[-3:])


def _name(file: InputFile) -> tuple[str, ...]:
    return (str(file.path), file.tree, *map(str, file.friends))


@dataclass
class _Draft:
    """A table in the making."""

    file: InputFile
    weights: dict[tuple[Columns, str, str, Bins], dict[str, int]] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)

    def add(self, request: HistRequest, meaning: Meaning, scale: float, bins: Bins) -> None:
        key = (meaning.columns, meaning.variable, meaning.selection, bins)
        weights = self.weights.setdefault(key, {})
        number = weights.setdefault(meaning.weight, len(weights))
        self.parts.append(Part(request, scale, list(self.weights).index(key), number))

    @property
    def table(self) -> Table:
        return Table(
            self.file, tuple(Drawn(*key, tuple(texts)) for key, texts in self.weights.items())
        )


def _bins(requests: Iterable[HistRequest], catalog: Catalog) -> dict[str, Bins]:
    """The bins of each region that is asked for."""
    found, findings = {}, []
    for name in dict.fromkeys(request.region for request in requests):
        region = catalog.regions[name]
        bins = Bins.of(region.binning)
        texts = [region.variable, *region.variable_for.values()]
        if bins is None or region.variable is None:
            lacking = "bins" if region.variable else "variable"
            findings.append(NO_BINS.finding(f"region `{name}` has no {lacking}"))
        elif several := [text for text in texts if text and _is_pair(text)]:
            what = f"region `{name}` draws two variables: `{several[0]}`"
            findings.append(
                NO_BINS.finding(what, place=several[0].place, suggestion="draw one of them")
            )
        else:
            found[name] = bins
    if findings:
        raise InputError(*findings)
    return found


def _is_pair(text: str) -> bool:
    """Whether a variable is two, `X|Y`."""
    try:
        tree = parse(text)
    except InputError:
        return False
    return isinstance(tree, nodes.Chain) and tree.operator == "|" and len(tree.operands) == 2


def _items(table: Table, most: int | None, fitted: set[tuple[Drawn, ...]]) -> tuple[Item, ...]:
    """The ranges of one tree, none if it is empty; expressions are fitted to the first of a kind.

    Raises:
        InputError: If it cannot be read, or an expression does not fit.
    """
    file = table.file
    inputs = {"events": file.path} | {f"friend{i}": path for i, path in enumerate(file.friends)}
    with open_table(file) as source:
        entries = source.schema.entries
        if table.drawn not in fitted:
            BoundTable.of(table, source.schema)
            fitted.add(table.drawn)
        ranges = list(source.ranges(RANGE_ROWS))
    shared = table.args | {"entries": entries}
    items = []
    for start, stop in ranges:
        if most is None or start < most:
            args = shared | {"start": start, "stop": stop if most is None else min(stop, most)}
            label = f"{short(file.path)} {file.tree}" + (f" {start:,}" if start else "")
            items.append(Item(label, args, inputs))
    return tuple(items)
