"""Checks of expressions as they are written, without events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from quarkline.catalog.catalog import Catalog
from quarkline.catalog.systematics import Variation, Varied
from quarkline.catalog.written import Written
from quarkline.engine.core.findings import Finding, InputError, Place, Rule, Severity
from quarkline.events.expressions import Expression, compile_expression, nodes, parse
from quarkline.events.expressions.nodes import Node
from quarkline.events.schema import Column, Schema

NO_CONDITION = Rule(
    "QL-CATALOG-010",
    "a selection is a condition",
    "The value of a selection multiplies the weight, as in ROOT: a count such as 2 counts the "
    "event twice. Compare it with something, for example `!= 0`.",
    Severity.NOTE,
)


def expressions(catalog: Catalog) -> Iterator[tuple[str, Written]]:
    """Every expression of an analysis, with what it is."""
    if catalog.selection:
        yield "selection", catalog.selection
    yield from ((f"weight `{name}`", text) for name, text in catalog.weights.items())
    for name, region in catalog.regions.items():
        of = f"region `{name}`"
        yield from _given(of, {"variable": region.variable, "weight": region.weight})
        yield from _given(of, {"selection": region.selection})
        for sample, text in region.variable_for.items():
            yield f"variable of {of} for `{sample}`", text
        for sample, text in region.selection_for.items():
            yield f"selection of {of} for `{sample}`", text
    for name, sample_ in catalog.samples.items():
        of = f"sample `{name}`"
        yield from _given(of, {"weight": sample_.weight, "selection": sample_.selection})
    for name, systematic in catalog.systematics.items():
        if isinstance(systematic, Varied):
            for side, variation in systematic.sides.items():
                yield from varied_texts(name, side, variation)


def varied_texts(name: str, side: str, variation: Variation) -> Iterator[tuple[str, Written]]:
    """Every expression of one side of a systematic, with what it is."""
    of = f"systematic `{name}`"
    weights = {"weight": variation.weight, "weight factor": variation.weight_factor}
    yield from _given(of, {f"{what} {side}": text for what, text in weights.items()})
    for column, text in variation.columns.items():
        yield f"column `{column}` {side} of {of}", text


def _given(of: str, texts: Mapping[str, Written | None]) -> Iterator[tuple[str, Written]]:
    return ((f"{what} of {of}", text) for what, text in texts.items() if text)


def text_findings(catalog: Catalog) -> list[Finding]:
    """What is wrong with the expressions as such; each place is told once."""
    found: dict[tuple[str, Place], Finding] = {}
    for label, text in expressions(catalog):
        findings = [*expression_findings(text, label), *_selection(text, label)]
        for finding in findings:
            where = replace(finding.place or Place(), label=None)
            found.setdefault((finding.code, where), finding)
    return list(found.values())


def expression_findings(text: Written, label: str) -> list[Finding]:
    """What is wrong with one expression, pointing at where it was written."""
    try:
        warnings = read_loosely(text).warnings
    except InputError as error:
        return [written_at(finding, text, label) for finding in error.findings]
    return [written_at(finding, text, label) for finding in warnings]


def read_loosely(text: str) -> Expression:
    """An expression with a number for every name in it, and an array for those with an index.

    Raises:
        InputError: If the text is no expression.
    """
    tree = parse(text)
    arrays = {
        node.base
        for node in nodes.walk(tree)
        if isinstance(node, nodes.Index | nodes.Container | nodes.Method)
    }
    names = {node.name: node in arrays for node in nodes.walk(tree) if isinstance(node, nodes.Name)}
    columns = {name: Column(name, "float64", depth=int(deep)) for name, deep in names.items()}
    return compile_expression(text, Schema(columns, entries=0), numbered=True)


def written_at(finding: Finding, text: Written, label: str) -> Finding:
    """A finding on an expression, at the file and line that the part of it comes from."""
    place = finding.place or Place()
    start = place.offset or 0
    where = text.within(start, start + place.length) or place
    return finding.at(replace(where, label=label))


def _selection(text: Written, label: str) -> Iterable[Finding]:
    if not label.startswith("selection"):
        return
    tree = tree_of(text)
    if tree is not None and not _is_condition(tree):
        yield NO_CONDITION.finding(
            f"`{tree}` multiplies the weight by its value",
            suggestion=f"write `({tree}) != 0` if it is a flag",
            place=replace(text.place or Place(), label=label),
        )


def tree_of(text: str) -> Node | None:
    """The tree of an expression; None if it is none, which another check tells."""
    try:
        return parse(text)
    except InputError:
        return None


def _is_condition(tree: Node) -> bool:
    """Whether the value can be 0 or 1 only, from its form."""
    match tree:
        case nodes.Boolean() | nodes.Unary("!", _):
            return True
        case nodes.Binary(operator, _, _):
            return operator in {"<", ">", "<=", ">=", "==", "!="}
        case nodes.Chain(operator, operands):
            both = operator == "*" and all(_is_condition(operand) for operand in operands)
            return operator in {"&&", "||"} or both
        case nodes.Conditional(_, yes, no):
            return _is_condition(yes) and _is_condition(no)
        case nodes.Number(value):
            return value in {0, 1}
    return False
