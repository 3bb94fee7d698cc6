"""Instances by plain loops over Python lists: slow, and nothing like the arrays they check."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from quarkline.events.expressions import nodes
from quarkline.events.expressions.nodes import Node

Event = Mapping[str, object]


def instances(trees: list[Node], event: Event) -> Iterator[list[float]]:
    """Values of expressions that share their instances, for one event of plain lists."""
    columns = [found for tree in trees for found in columns_of(tree)]
    for at in loop([value_of(column, event) for column in columns]):
        values = dict(zip(columns, at, strict=True))
        yield [value(tree, values) for tree in trees]


def loop(values: list[object]) -> Iterator[list[object]]:
    """Take one element of every list at once, down to numbers; None gives nothing."""
    if any(item is None for item in values):
        return
    lists = [item for item in values if isinstance(item, list)]
    if not lists:
        yield values
        return
    for number in range(min(map(len, lists))):
        yield from loop([item[number] if isinstance(item, list) else item for item in values])


def columns_of(tree: Node) -> Iterator[Node]:
    if isinstance(tree, nodes.Name | nodes.Index):
        yield tree
    else:
        for child in tree.children:
            yield from columns_of(child)


def value_of(node: Node, event: Event) -> object:
    """What a column holds for an event; None if it lacks the element."""
    if isinstance(node, nodes.Name):
        return event[node.name]
    found = value_of(node.base, event)
    for index in node.indices:
        place = int(index.value)
        if not isinstance(found, list):
            return found if place == 0 else None
        found = found[place] if place < len(found) else None
    return found


def value(node: Node, values: Mapping[Node, float]) -> float:
    match node:
        case nodes.Number(number) | nodes.Boolean(number):
            return float(number)
        case nodes.Unary("-", operand):
            return -value(operand, values)
        case nodes.Unary("!", operand):
            return float(value(operand, values) == 0)
        case nodes.Binary(operator, left, right):
            return binary(operator, value(left, values), value(right, values))
        case nodes.Chain("&&", operands):
            return float(all(value(operand, values) != 0 for operand in operands))
        case nodes.Chain("||", operands):
            return float(any(value(operand, values) != 0 for operand in operands))
        case nodes.Chain("+", operands):
            return sum(
                (value(operand, values) for operand in operands[1:]), value(operands[0], values)
            )
        case nodes.Chain("*", operands):
            return math.prod(
                (value(operand, values) for operand in operands[-2::-1]),
                start=value(operands[-1], values),
            )
        case nodes.Conditional(condition, yes, no):
            return value(yes if value(condition, values) != 0 else no, values)
        case nodes.Call("abs", (argument,)):
            return abs(value(argument, values))
        case nodes.Call("sqrt", (argument,)):
            return math.sqrt(abs(value(argument, values)))
        case nodes.Call("min", (first, second)):
            return min(value(first, values), value(second, values))
    return float(values[node])


def binary(operator: str, left: float, right: float) -> float:
    match operator:
        case "-":
            return left - right
        case "/":
            return 0.0 if right == 0 else left / right
        case "<":
            return float(left < right)
        case ">=":
            return float(left >= right)
        case "==":
            return float(left == right)
        case "!=":
            return float(left != right)
    raise ValueError(operator)
