"""Checks of weights, luminosities and ranges: numbers that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from quarkline.catalog.catalog import Catalog
from quarkline.catalog.checks.names import PlaceOf
from quarkline.catalog.checks.texts import tree_of
from quarkline.catalog.regions import Automatic, Region, Uniform
from quarkline.catalog.written import Written
from quarkline.engine.core.findings import Finding, Place, Rule, Severity
from quarkline.events.expressions import nodes
from quarkline.events.expressions.comparisons import comparison_in
from quarkline.events.expressions.evaluate import constant
from quarkline.events.expressions.nodes import Node

YEARS = Rule(
    "QL-CATALOG-011",
    "the luminosities of the years add up to that of the analysis",
    "A weight that takes each year's share of the luminosity, `(36.2*(year==2015)+...)/138.97`, is "
    "multiplied by the luminosity of the analysis. If the two come from different calibrations, "
    "the years have wrong shares, or the sum a wrong scale.",
    Severity.WARNING,
)
CONSTANT_WEIGHT = Rule(
    "QL-CATALOG-012",
    "the weight of a simulated event depends on the event",
    "A constant weight says that every event counts the same: generator weights, cross-sections "
    "and corrections are left out. Of raw event counts that is meant. A weight that is not "
    "positive never is.",
    Severity.NOTE,
)
OUT_OF_RANGE = Rule(
    "QL-CATALOG-013",
    "the variable lies inside its bins",
    "A constant outside the range puts every event into the overflow, which joins the last bin "
    "only where outer bins are merged.",
    Severity.NOTE,
)
ALIKE = 0.1  # sums of years differ from the luminosity by less, unless they are something else
EQUAL = 1e-6


def number_findings(catalog: Catalog, place: PlaceOf) -> list[Finding]:
    """What is wrong with the numbers."""
    return [
        *_years(catalog),
        *_weights(catalog, place),
        *(item for name, region in catalog.regions.items() for item in _range(name, region, place)),
    ]


def _years(catalog: Catalog) -> Iterator[Finding]:
    for name, text in catalog.weights.items():
        for node, total in _sums_over_years(text):
            ratio = catalog.luminosity.value / total
            if EQUAL < abs(ratio - 1) < ALIKE:
                where = text.within(*node.span) or Place()
                yield YEARS.finding(
                    f"the luminosities of the years add up to {total:,.8g}, and the analysis is "
                    f"scaled to {catalog.luminosity.value:,.8g}, {ratio:.5f} times as much",
                    suggestion="take both from one calibration",
                    place=replace(where, label=f"weight `{name}`"),
                    evidence={"sum": total, "luminosity": catalog.luminosity.value},
                )


def _sums_over_years(text: Written) -> Iterator[tuple[Node, float]]:
    """Sums of numbers, each times a condition that names values of one and the same column."""
    tree = tree_of(text)
    for node in nodes.walk(tree) if tree else ():
        if isinstance(node, nodes.Chain) and node.operator == "+":
            terms = [_term(operand) for operand in node.operands]
            known = [term for term in terms if term is not None]
            if len(known) == len(terms) and len({column for _, column in known}) == 1:
                yield node, sum(number for number, _ in known)


def _term(node: Node) -> tuple[float, Node] | None:
    """Number and column of `number * (column == value || ...)`."""
    factors = nodes.clauses(node, "*")
    numbers = [factor.value for factor in factors if isinstance(factor, nodes.Number)]
    columns = {column for factor in factors if (column := _chosen(factor)) is not None}
    if len(numbers) == 1 and len(columns) == 1 and len(factors) == 2:
        return numbers[0], columns.pop()
    return None


def _chosen(node: Node) -> Node | None:
    compared = [comparison_in(clause) for clause in nodes.clauses(node, "||")]
    subjects = {item.subject for item in compared if item and item.operator == "=="}
    return subjects.pop() if all(compared) and len(subjects) == 1 else None


def _weights(catalog: Catalog, place: PlaceOf) -> Iterator[Finding]:
    region = next(iter(catalog.regions), None)
    for name, sample in catalog.samples.items():
        if region is None or sample.role == "data" or catalog.reads == "histograms":
            continue
        tree = tree_of(catalog.weight_of(name, region))
        if tree is None or any(isinstance(node, nodes.Name) for node in nodes.walk(tree)):
            continue
        value = constant(tree)
        yield CONSTANT_WEIGHT.finding(
            f"every event of sample `{name}` weighs {value:g}",
            suggestion="give the analysis or the sample a weight"
            if value > 0
            else "check its sign",
            place=place("samples", name, "weight"),
            severity=Severity.NOTE if value > 0 else Severity.ERROR,
        )


def _range(name: str, region: Region, place: PlaceOf) -> Iterator[Finding]:
    binning = region.binning.fine if isinstance(region.binning, Automatic) else region.binning
    tree = tree_of(region.variable) if region.variable else None
    if not isinstance(binning, Uniform) or not isinstance(tree, nodes.Number):
        return
    if not binning.low <= tree.value < binning.high:
        yield OUT_OF_RANGE.finding(
            f"region `{name}` draws {tree.value:g} into bins from {binning.low:g} to "
            f"{binning.high:g}: every event is in the overflow",
            place=place("regions", name, "variable"),
        )
