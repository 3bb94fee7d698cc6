"""From nested arrays and their forms to flat lists of named columns without missing values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np

from quarkline.events.schema import Column

INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
READABLE = frozenset({"bool", "float16", "float32", "float64", *INTEGERS})


class UnreadableError(Exception):
    """A form that no column can hold; the message says what it is."""


class MissingValuesError(Exception):
    """Missing values of a type that has no NaN; the message counts them."""


@dataclass(frozen=True)
class Member:
    """Where a column's values are: a stored unit (branch, array) and the path of fields in it."""

    unit: str
    path: tuple[str, ...] = ()

    def take(self, array: ak.Array) -> ak.Array:
        """The column's values, from the array read for its unit."""
        return array[self.path] if self.path else array


def columns_of(
    name: str, form: Any, *, unit: str = "", title: str = ""
) -> list[tuple[Column, Member]]:
    """The columns stored under one name: one, or one for each member of its objects.

    Members of objects are spelt with dots, as in ROOT: `jetp4.fP.fX`.

    Args:
        name: Name of the branch or array.
        form: Its `awkward.forms.Form`.
        unit: Physical unit of its values.
        title: The format's own comment.

    Raises:
        UnreadableError: If there is something in it that no column can hold.
    """
    empty = form.is_record and not form.fields
    leaves = [] if empty else list(_leaves(form, (), 0, ()))
    if not leaves:
        msg = "an object without members"
        raise UnreadableError(msg)
    found = []
    for path, dtype, depth, shape in leaves:
        spelt = ".".join([name.rstrip("."), *path]) if path else name
        found.append((Column(spelt, dtype, depth, shape, unit, title), Member(name, path)))
    return found


Leaf = tuple[tuple[str, ...], str, int, tuple[int, ...]]


def _leaves(form: Any, path: tuple[str, ...], depth: int, shape: tuple[int, ...]) -> Iterator[Leaf]:
    """Walk down to the values, counting variable-length levels and collecting fixed ones."""
    if form.parameter("__array__") == "string":
        yield path, "string", depth, shape
    elif isinstance(form, ak.forms.NumpyForm) and form.primitive in READABLE:
        yield path, form.primitive, depth, (*shape, *form.inner_shape)
    elif isinstance(form, ak.forms.RegularForm):
        yield from _leaves(form.content, path, depth, (*shape, form.size))
    elif form.is_list and not shape and form.parameter("__array__") is None:
        yield from _leaves(form.content, path, depth + 1, shape)
    elif form.is_option:
        yield from _leaves(form.content, path, depth, shape)
    elif form.is_record and not form.is_tuple:
        for field in form.fields:
            yield from _leaves(form.content(field), (*path, field), depth, shape)
    else:
        msg = f"values of type {form.type}"
        raise UnreadableError(msg)


def without_missing(array: ak.Array) -> ak.Array:
    """The same values without option types: missing floats are NaN.

    Raises:
        MissingValuesError: If something else is missing.
    """
    return ak.transform(_fill, array)


def _fill(layout: Any, **_: Any) -> Any:
    if not layout.is_option:
        return None
    missing = np.asarray(layout.mask_as_bool(valid_when=False))
    if not missing.any():
        return ak.to_layout(without_missing(ak.Array(layout.project())))
    content = layout.content
    if not isinstance(content, ak.contents.NumpyArray) or content.dtype.kind != "f":
        msg = f"{missing.sum()} of {missing.size} values are missing in {content.form.type}"
        raise MissingValuesError(msg)
    values = np.full(missing.size, np.nan, content.dtype)
    values[~missing] = layout.project().data
    return ak.contents.NumpyArray(values)
