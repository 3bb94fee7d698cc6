"""Which tree is read once for which histograms, as items of work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from quarkline.catalog import Catalog, InputFile
from quarkline.catalog.files import is_there
from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.findings import Finding, InputError, Place, QuarklineError
from quarkline.events.expressions import nodes, parse
from quarkline.events.friends.read import UNPROVED
from quarkline.events.sources import Source
from quarkline.templates.fill.bins import Bins
from quarkline.templates.fill.bound import BoundTable
from quarkline.templates.fill.findings import NO_BINS, NO_EVENTS, NO_PROOF
from quarkline.templates.fill.requests import HistRequest, Meaning, meaning_of
from quarkline.templates.fill.tables import Columns, Drawn, Table
from quarkline.templates.fill.task import open_table, told

RANGE_ROWS = 500_000

Where = Callable[[InputFile], InputFile]
"""Where a file of the analysis lies, with the friends that it has there."""


def as_named(file: InputFile) -> InputFile:
    """The file as the analysis names it."""
    return file


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
    requests: Iterable[HistRequest],
    catalog: Catalog,
    *,
    unblind: bool = False,
    where: Where = as_named,
) -> Plan:
    """Look into every tree that the requests need, and share it out.

    Args:
        requests: The histograms.
        catalog: The analysis, of ntuples.
        unblind: Whether data of blind samples and regions are read.
        where: Where each file lies.

    Raises:
        InputError: If a region has no variable or bins, or an expression does not fit the files.
    """
    meanings, hidden = seen(requests, catalog, unblind=unblind, where=where)
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
    survey = _Survey(catalog.templates.max_events)
    tables = [found for file in sorted(drafts, key=_name) if (found := survey.look(drafts[file]))]
    findings = tuple(survey.findings)
    return Plan(meanings, bins, tuple(tables), tuple(missing), survey.bad, hidden, findings)


def seen(
    requests: Iterable[HistRequest],
    catalog: Catalog,
    *,
    unblind: bool,
    where: Where = as_named,
) -> tuple[dict[HistRequest, Meaning], tuple[HistRequest, ...]]:
    """What each histogram is made of, and those of data that nobody is to see.

    Args:
        requests: The histograms.
        catalog: The analysis.
        unblind: Whether data of blind samples and regions are read.
        where: Where each file lies.
    """
    asked = dict.fromkeys(requests)
    hidden = {x: None for x in asked if not unblind and catalog.hides(x.sample, x.region)}
    meanings = {x: meaning_of(x, catalog) for x in asked if x not in hidden}
    return {x: _placed(meaning, where) for x, meaning in meanings.items()}, tuple(hidden)


def _placed(meaning: Meaning, where: Where) -> Meaning:
    return replace(meaning, files=tuple(map(where, meaning.files)))


def short(path: Path) -> str:
    """A file as messages name it, without the folder it is in here."""
    return "/".join(path.parts[-3:])


def _name(file: InputFile) -> tuple[str, ...]:
    return (str(file.path), file.tree, *map(str, file.friends))


class _Draft:
    """A table in the making."""

    def __init__(self, file: InputFile) -> None:
        self.file = file
        self.parts: list[Part] = []
        self._numbers: dict[tuple[Columns, str, str, Bins], int] = {}
        self._weights: list[dict[str, int]] = []

    def add(self, request: HistRequest, meaning: Meaning, scale: float, bins: Bins) -> None:
        """Let the tree add to a histogram."""
        key = (meaning.columns, meaning.variable, meaning.selection, bins)
        number = self._numbers.setdefault(key, len(self._numbers))
        if number == len(self._weights):
            self._weights.append({})
        weights = self._weights[number]
        weight = weights.setdefault(meaning.weight, len(weights))
        self.parts.append(Part(request, scale, number, weight))

    @property
    def table(self) -> Table:
        """What is drawn of the tree."""
        pairs = zip(self._numbers, self._weights, strict=True)
        return Table(self.file, tuple(Drawn(*key, tuple(weights)) for key, weights in pairs))


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


class _Survey:
    """Looks into one tree after the other.

    Args:
        most: Events read of each tree; None for all.
    """

    def __init__(self, most: int | None) -> None:
        self.most = most
        self.bad: dict[Path, str] = {}
        self.findings: list[Finding] = []
        self._fitted: set[tuple[Drawn, ...]] = set()

    def look(self, draft: _Draft) -> PlannedTable | None:
        """The work on a tree; None if it cannot be read."""
        table = draft.table
        if gone := [path for path in table.file.friends if not is_there(path)]:
            self.bad[table.file.path] = f"its friend {gone[0]} is not there"
            return None
        try:
            return PlannedTable(table, tuple(self._items(table)), tuple(draft.parts))
        except QuarklineError as error:
            self.bad[table.file.path] = told(error)
            return None

    def _items(self, table: Table) -> list[Item]:
        """The ranges of a tree; expressions are fitted to the first of several alike.

        Raises:
            InputError: If it cannot be read, or an expression does not fit.
        """
        file = table.file
        with open_table(file) as source:
            entries = source.schema.entries
            self._tell(source)
            if table.drawn not in self._fitted:
                BoundTable.of(table, source.schema)
                self._fitted.add(table.drawn)
            ranges = list(source.ranges(RANGE_ROWS))
        end = entries if self.most is None else min(entries, self.most)
        shared = table.args | {"entries": entries}
        inputs = {f"friend{number}": path for number, path in enumerate(file.friends)}
        name = " ".join([short(file.path), file.tree, *map(short, file.friends)])
        return [
            Item(
                f"{name} {start:,}" if start else name,
                shared | {"start": start, "stop": min(stop, end)},
                {"events": file.path} | inputs,
            )
            for start, stop in ranges
            if start < end
        ]

    def _tell(self, source: Source) -> None:
        """Note what is worth knowing about a tree."""
        if not source.schema.entries:
            what = f"{short(source.path)}: tree `{source.schema.tree}` is empty"
            self.findings.append(NO_EVENTS.finding(what))
        unproved = source.schema.metadata.get(UNPROVED)
        for path in unproved if isinstance(unproved, list) else ():
            what = "it does not say whose friend it is, and is joined entry by entry"
            self.findings.append(NO_PROOF.finding(what, place=Place(Path(path))))
