"""Values by plain loops over Python lists: slow, and nothing like the arrays they check."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from quarkline.events.expressions import nodes
from quarkline.events.expressions.nodes import Node

Event = Mapping[str, object]
COUNTERS = {"Iteration$", "Length$", "Entry$"}


@dataclass
class Instance:
    """One instance of an event: the numbers of its columns, and where it stands."""

    event: Event
    numbers: dict[Node, float]
    number: int = 0
    of: int = 0


@dataclass
class Cursor:
    """A column on its way to a number: what is left of its lists and of its indices."""

    node: Node
    held: object
    indices: list[Node | None]


def instances(trees: Sequence[Node], event: Event) -> list[list[float]]:
    """Values of expressions that share their instances, for one event of plain lists."""
    cursors = [cursor(node, event) for tree in trees for node in columns_of(tree)]
    found = list(looped(cursors, event))
    late = [node for tree in trees for node in columns_of(tree) if is_late(node)]
    for node in dict.fromkeys(late):
        numbered(found)
        found = [instance for instance in found if picked(node, instance)]
    numbered(found)
    return [[value(tree, instance, steps(tree)) for tree in trees] for instance in found]


def numbered(found: list[Instance]) -> None:
    for number, instance in enumerate(found):
        instance.number, instance.of = number, len(found)


def columns_of(tree: Node) -> Iterator[Node]:
    """Columns that a tree loops over, those of their indices first."""
    if isinstance(tree, nodes.Index):
        for index in tree.indices:
            if index is not None:
                yield from columns_of(index)
        yield tree
    elif isinstance(tree, nodes.Name):
        if tree.name not in COUNTERS:
            yield tree
    elif isinstance(tree, nodes.Call) and tree.function.endswith("$"):
        if tree.function == "Alt$":
            yield from columns_of(tree.arguments[1])
    elif not isinstance(tree, nodes.Method):
        for child in tree.children:
            yield from columns_of(child)


def steps(tree: Node) -> bool:
    """Whether a tree has more than one instance, or asks for their number."""
    if isinstance(tree, nodes.Name) and tree.name in {"Iteration$", "Length$"}:
        return True
    if isinstance(tree, nodes.Index):
        open_indices = [index for index in tree.indices if index is None]
        missing = DIMENSIONS.get(tree.base.name, 0) > len(tree.indices)
        return bool(open_indices) or missing or any(map(steps, filter(None, tree.indices)))
    if isinstance(tree, nodes.Name):
        return tree.name in DIMENSIONS
    if isinstance(tree, nodes.Call) and tree.function.endswith("$"):
        return tree.function == "Alt$" and steps(tree.arguments[1])
    if isinstance(tree, nodes.Method):
        return False
    return any(map(steps, tree.children))


DIMENSIONS = {"x": 1, "y": 1, "v": 1, "z": 2}


def cursor(node: Node, event: Event) -> Cursor:
    if isinstance(node, nodes.Index):
        return Cursor(node, event[node.base.name], list(node.indices))
    return Cursor(node, event[node.name], [])


def is_late(node: Node) -> bool:
    indices = node.indices if isinstance(node, nodes.Index) else ()
    names = [inner for index in indices if index for inner in nodes.walk(index)]
    return any(isinstance(inner, nodes.Name) and inner.name == "Iteration$" for inner in names)


def looped(cursors: list[Cursor], event: Event) -> Iterator[Instance]:
    """Take one element of every open list at once, down to numbers."""
    ready = [before_loop(item, event) for item in cursors]
    if any(item is None for item in ready):
        return
    opened = [item for item in ready if loops_next(item)]
    if not opened:
        instance = Instance(event, {})
        if all(is_late(item.node) or settled(item, instance) for item in ready):
            yield instance
        return
    for place in range(min(len(item.held) for item in opened)):
        yield from looped(
            [
                Cursor(item.node, item.held[place], item.indices[1:]) if item in opened else item
                for item in ready
            ],
            event,
        )


def loops_next(item: Cursor) -> bool:
    """Whether a column has a list to loop over next."""
    return isinstance(item.held, list) and (not item.indices or item.indices[0] is None)


def before_loop(item: Cursor, event: Event) -> Cursor | None:
    """Take the elements a column asks for before its next loop; None if there is none."""
    indices = item.indices
    if None not in indices and len(indices) >= DIMENSIONS.get(name_of(item.node), 0):
        return item  # no loop of its own is left: it waits for its indices
    held = item.held
    while indices and indices[0] is not None:
        at = instances([indices[0]], event)
        held = element(held, at[0][0]) if at else None
        if held is None:
            return None
        indices = indices[1:]
    return Cursor(item.node, held, indices)


def name_of(node: Node) -> str:
    return node.base.name if isinstance(node, nodes.Index) else node.name


def settled(item: Cursor, instance: Instance) -> bool:
    """Take the last elements of a column, and keep its number; False if there is none."""
    held = item.held
    for index in item.indices:
        held = element(held, value(index, instance, steps(index)))
        if held is None:
            return False
    instance.numbers[item.node] = held
    return True


def picked(node: Node, instance: Instance) -> bool:
    return settled(cursor(node, instance.event), instance)


def element(held: object, index: float) -> object:
    """An element of a list, or None; a number is its own element 0."""
    if math.isnan(index) or not -1 < index < 1e9:
        return None
    if not isinstance(held, list):
        return held if int(index) == 0 else None
    return held[int(index)] if int(index) < len(held) else None


def value(node: Node, instance: Instance, loops: bool) -> float:
    """The value of a node for one instance of a tree that loops or does not."""

    def of(inner: Node) -> float:
        return value(inner, instance, loops)

    match node:
        case nodes.Number(number) | nodes.Boolean(number):
            return float(number)
        case nodes.Name(name) if name in COUNTERS:
            by_name = {"Iteration$": instance.number, "Length$": instance.of}
            return float(by_name.get(name, instance.event.get("Entry$")))
        case nodes.Unary("-", operand):
            return -of(operand)
        case nodes.Unary("!", operand):
            return float(of(operand) == 0)
        case nodes.Cast(_, operand):
            return of(operand)
        case nodes.Method(nodes.Container(nodes.Name(name)), "size", ()):
            return float(len(instance.event[name]))
        case nodes.Binary(operator, left, right):
            return binary(operator, of(left), of(right))
        case nodes.Chain("&&", operands):
            return float(all(of(operand) != 0 for operand in operands))
        case nodes.Chain("||", operands):
            return float(any(of(operand) != 0 for operand in operands))
        case nodes.Chain("+", operands):
            return sum((of(operand) for operand in operands[1:]), of(operands[0]))
        case nodes.Chain("*", operands):
            return math.prod((of(item) for item in operands[-2::-1]), start=of(operands[-1]))
        case nodes.Chain("&" | "|" as sign, (first, second)):
            return bits(sign, of(first), of(second))
        case nodes.Conditional(condition, yes, no):
            return of(yes if of(condition) != 0 else no)
        case nodes.Call("Alt$", (primary, default)):
            rows = instances([primary], instance.event)
            number = instance.number if loops else 0
            return rows[number][0] if number < len(rows) else of(default)
        case nodes.Call(name, arguments) if name.endswith("$"):
            return reduced(name, instances(arguments, instance.event))
        case nodes.Call("abs", (argument,)):
            return abs(of(argument))
        case nodes.Call("sqrt", (argument,)):
            return math.sqrt(abs(of(argument)))
        case nodes.Call("min", (first, second)):
            return min(of(first), of(second))
    return float(instance.numbers[node])


def reduced(name: str, rows: list[list[float]]) -> float:
    kept = [row[0] for row in rows if len(row) == 1 or row[1] != 0]
    match name:
        case "Sum$":
            return float(sum(kept))
        case "Length$":
            return float(len(kept))
        case "Min$" | "MinIf$":
            return min(kept, default=0.0)
        case "Max$" | "MaxIf$":
            return max(kept, default=0.0)
    raise ValueError(name)


def bits(sign: str, left: float, right: float) -> float:
    """A bit operation on whole numbers, negative ones as unsigned of 64 bits; NaN beyond."""
    if not (-(2.0**63) <= left < 2.0**64 and -(2.0**63) <= right < 2.0**64):
        return math.nan
    first, second = int(left) % 2**64, int(right) % 2**64
    if sign == "<<":
        return float((first << second) % 2**64) if 0 <= right < 64 else math.nan
    return float(first & second if sign == "&" else first | second)


def remainder(left: float, right: float) -> float:
    """C's remainder of whole numbers; NaN beyond 63 bits."""
    if not (-(2.0**63) <= left < 2.0**63 and -(2.0**63) <= right < 2.0**63):
        return math.nan
    return math.fmod(int(left), int(right)) if int(right) else 0.0


def binary(operator: str, left: float, right: float) -> float:
    match operator:
        case "-":
            return left - right
        case "/":
            return 0.0 if right == 0 else left / right
        case "%":
            return remainder(left, right)
        case "<<":
            return bits("<<", left, right)
        case ">":
            return float(left > right)
        case "<":
            return float(left < right)
        case ">=":
            return float(left >= right)
        case "==":
            return float(left == right)
        case "!=":
            return float(left != right)
    raise ValueError(operator)
