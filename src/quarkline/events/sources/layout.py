"""From the forms of nested arrays to flat lists of named columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import awkward as ak

from quarkline.events.schema import Column

INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
READABLE = frozenset({"bool", "float16", "float32", "float64", *INTEGERS})


class UnreadableError(Exception):
    """A form that no column can hold; the message says what it is."""


@dataclass(frozen=True)
class Member:
    """Where a column's values are: a stored unit (branch, array) and the path of fields in it."""

    unit: str
    path: tuple[str, ...] = ()

    def take(self, array: ak.Array) -> ak.Array:
        """The column's values, from the array read for its unit."""
        return array[self.path] if self.path else array


def columns_of(
    name: str, unit: str, form: Any, *, title: str = "", unit_of_values: str = ""
) -> list[tuple[Column, Member]]:
    """The columns a stored unit holds: one, or one for each member of its objects.

    Members of objects are spelt with dots, as in ROOT: `jetp4.fP.fX`.

    Raises:
        UnreadableError: If nothing in the unit can be a column.
    """
    leaves = list(_leaves(form, (), 0, ()))
    if not leaves:
        msg = "an object without readable members"
        raise UnreadableError(msg)
    return [
        (
            Column(
                ".".join([name.rstrip("."), *path]) if path else name,
                dtype,
                depth,
                shape,
                unit_of_values,
                title,
            ),
            Member(unit, path),
        )
        for path, dtype, depth, shape in leaves
    ]


Leaf = tuple[tuple[str, ...], str, int, tuple[int, ...]]


def _leaves(form: Any, path: tuple[str, ...], depth: int, shape: tuple[int, ...]) -> Iterator[Leaf]:
    """Walk down to the values, counting variable-length levels and collecting fixed ones."""
    if form.parameter("__array__") in {"string", "bytestring"}:
        yield path, "string", depth, shape
    elif isinstance(form, ak.forms.NumpyForm):
        if form.primitive not in READABLE:
            msg = f"values of type {form.primitive}"
            raise UnreadableError(msg)
        yield path, form.primitive, depth, (*shape, *form.inner_shape)
    elif isinstance(form, ak.forms.RegularForm):
        yield from _leaves(form.content, path, depth, (*shape, form.size))
    elif form.is_list:
        if shape:
            msg = "lists inside arrays of fixed length"
            raise UnreadableError(msg)
        yield from _leaves(form.content, path, depth + 1, shape)
    elif form.is_option:
        yield from _leaves(form.content, path, depth, shape)
    elif form.is_record and not form.is_tuple:
        for field in form.fields:
            yield from _leaves(form.content(field), (*path, field), depth, shape)
    else:
        msg = f"values of type {form.type}"
        raise UnreadableError(msg)
