"""Checks of cuts against what titles, comments and README files say about them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from quarkline.catalog.catalog import Catalog
from quarkline.catalog.checks.names import PlaceOf
from quarkline.catalog.checks.texts import tree_of
from quarkline.catalog.regions import Region
from quarkline.catalog.written import Written
from quarkline.engine.core.findings import Finding, Place, Rule, Severity
from quarkline.events.expressions import nodes
from quarkline.events.expressions.comparisons import comparison_in

OTHER_CUT = Rule(
    "QL-CATALOG-014",
    "a cut is the one that the text beside it states",
    "A title, a comment or a README file says at which value a variable is cut, and the selection "
    "cuts at another. One of the two is out of date.",
    Severity.WARNING,
)

FRACTION = re.compile(r"(?<![\d.\w])0?\.\d+(?![\d.\w])")
SENTENCE = re.compile(r"[^.!?\n](?:[^.!?\n]|\.(?=\d))*")
CUTTING = re.compile(r"(?i)cut|below|above|at least|more than|less than|threshold|[<>]")
STEM = 4


@dataclass(frozen=True)
class Note:
    """A line of text about an analysis.

    Attributes:
        text: The line.
        place: Where it stands.
    """

    text: str
    place: Place


def notes_in(path: Path) -> list[Note]:
    """The lines of a text file."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [
        Note(line, Place(path, number, 1, max(1, len(line)), line))
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]


def note_findings(catalog: Catalog, place: PlaceOf, notes: Iterable[Note] = ()) -> list[Finding]:
    """Cuts on the variable of a region at a value other than the one a text states.

    Args:
        catalog: The analysis.
        place: Where keys stand.
        notes: Comments, and lines of README files.
    """
    told = list(notes)
    return [
        finding
        for name, region in catalog.regions.items()
        for column, value, where in _score_cuts(region.variable, region.selection)
        for finding in _others(name, column, value, where, [*_titles(name, region, place), *told])
    ]


def _titles(name: str, region: Region, place: PlaceOf) -> Iterator[Note]:
    for key in ("title", "label", "short_label"):
        if text := getattr(region, key):
            yield Note(text, place("regions", name, key))


def _score_cuts(
    variable: Written | None, selection: Written | None
) -> Iterator[tuple[str, float, Place | None]]:
    """Column, value and place of cuts between 0 and 1 on a column that is drawn."""
    drawn, tree = tree_of(variable or ""), tree_of(selection or "")
    if selection is None or drawn is None or tree is None:
        return
    columns = {node.name for node in nodes.walk(drawn) if isinstance(node, nodes.Name)}
    for node in nodes.walk(tree):
        found = comparison_in(node)
        subject = found.subject if found else None
        drawn_on = isinstance(subject, nodes.Name) and subject.name in columns
        if found and drawn_on and 0 < found.value < 1:
            yield str(subject), found.value, selection.within(*node.span)


def _others(
    region: str, column: str, value: float, where: Place | None, notes: Iterable[Note]
) -> Iterator[Finding]:
    stems = [part[:STEM].lower() for part in column.split("_") if len(part) >= STEM]
    for note in notes:
        for sentence in SENTENCE.findall(note.text):
            about = CUTTING.search(sentence) and any(stem in sentence.lower() for stem in stems)
            stated = {float(number) for number in FRACTION.findall(sentence)}
            if about and stated and value not in stated:
                said = " and ".join(f"{number:g}" for number in sorted(stated))
                yield OTHER_CUT.finding(
                    f"region `{region}` cuts `{column}` at {value:g}, and {note.place} says {said}",
                    suggestion="change the one that is out of date",
                    place=replace(where or Place(), label=f"selection of region `{region}`"),
                    evidence={"cut": value, "stated": sorted(stated)},
                )
