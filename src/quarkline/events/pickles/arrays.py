"""From what a pickle describes to checked arrays: a dictionary of branches."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.events.pickles.parts import Call, Name, inert_parts
from quarkline.events.sources.layout import READABLE, UnreadableError

NO_BRANCHES = Rule(
    "QL-EVENTS-052",
    "a pickle of events is a dictionary of branches",
    "Keys are branch names, values are arrays with one entry an event: numbers, or lists of "
    "numbers, of NumPy, awkward 1 or awkward 2. All branches have equally many entries. Offsets, "
    "lengths and sizes are checked before anything is built from them.",
)

DEEPEST = 3
MOST_DIMENSIONS = 8
LARGEST = 2**48
OFFSETS = {"i32": "int32", "u32": "uint32", "i64": "int64"}
NUMBER = re.compile(r"b1|[iu][1248]|f[248]")


def read_pickle(path: Path) -> dict[str, ak.Array]:
    """Read a pickled dictionary of branches without unpickling it.

    Args:
        path: The file.

    Returns:
        Array by branch, in the order of the file, all of equal length.

    Raises:
        InputError: If it names anything but arrays, is damaged, or holds something else.
    """
    data = path.read_bytes()
    value = inert_parts(data, path)
    if type(value) is not dict or not value:
        raise _refused(path, f"it holds {describe(value)}, not a dictionary of branches")
    builder = Builder(len(data))
    branches = {name: _branch(builder, name, part, path) for name, part in value.items()}
    first = next(iter(branches))
    for name, array in branches.items():
        if len(array) != len(branches[first]):
            what = f"`{name}` has {len(array):,} entries, `{first}` has {len(branches[first]):,}"
            raise _refused(path, what)
    return branches


def _branch(builder: Builder, name: str, part: Any, path: Path) -> ak.Array:
    try:
        return builder.array(part)
    except UnreadableError as error:
        raise _refused(path, f"`{name}` holds {error}") from error


def _refused(path: Path, what: str) -> InputError:
    return InputError(
        NO_BRANCHES.finding(
            what,
            place=Place(file=path),
            suggestion="write its arrays as Parquet where it was made: ak.to_parquet",
        )
    )


@dataclass(frozen=True)
class _Level:
    """One level of an awkward layout: values, or lists of the level below."""

    key: str
    dtype: np.dtype[Any]
    inner_shape: tuple[int, ...] = ()
    below: Any = None


class Builder:
    """Builds arrays from parts, of no more bytes in all than the pickle has."""

    def __init__(self, limit: int) -> None:
        self.left = limit

    def array(self, part: Any) -> ak.Array:
        """The array of one branch."""
        match part:
            case (
                Call(Name("awkward.unpickle"), (form, length, dict(buffers), *_), None)
                | Call(Name("awkward.Array"), (), (form, length, dict(buffers), *_))
                | Call(Call(), (Name("awkward.Array"),), (form, length, dict(buffers), *_))
            ):
                array = ak.Array(self._layout(form, self._integer(length), buffers, 0))
            case _:
                array = self._entries(part)
        if not ak.is_valid(array):
            msg = "lists that contradict themselves"
            raise UnreadableError(msg)
        return array

    def _entries(self, part: Any) -> ak.Array:
        """A NumPy array, one entry an event."""
        values = self.numbers(part)
        if values.ndim == 0:
            msg = "a single number"
            raise UnreadableError(msg)
        return ak.from_numpy(values)

    def _layout(self, form: Any, length: int, buffers: Mapping[str, Any], depth: int) -> Any:
        if depth > DEEPEST or length < 0:
            msg = f"lists of {length:,} entries, {depth} deep"
            raise UnreadableError(msg)
        level = _level(form)
        if level.below is None:
            values = self._buffer(buffers, level, "data", length * math.prod(level.inner_shape))
            return ak.contents.NumpyArray(values.reshape(length, *level.inner_shape))
        offsets = self._buffer(buffers, level, "offsets", length + 1).astype(np.int64, copy=False)
        content = self._layout(level.below, int(offsets[-1]), buffers, depth + 1)
        return ak.contents.ListOffsetArray(ak.index.Index64(offsets), content)

    def _buffer(
        self, buffers: Mapping[str, Any], level: _Level, kind: str, length: int
    ) -> NDArray[Any]:
        """The first `length` values of one buffer."""
        names = (f"{level.key}-{kind}", f"part0-{level.key}-{kind}")
        part = next((buffers[name] for name in names if name in buffers), None)
        if isinstance(part, bytes | bytearray):
            values = self._shaped(part, level.dtype, (len(part) // level.dtype.itemsize,), "C")
        else:
            values = self.numbers(part).reshape(-1)
        if values.dtype != level.dtype or not 0 <= length <= len(values):
            msg = f"{len(values):,} {values.dtype} {kind} where {length:,} {level.dtype} belong"
            raise UnreadableError(msg)
        return values[:length]

    def numbers(self, part: Any) -> NDArray[Any]:
        """A NumPy array of numbers.

        Raises:
            UnreadableError: If it is something else.
        """
        match part:
            case Call(
                Name("numpy.reconstruct"),
                (Name("numpy.ndarray"), (0,), b"b"),
                (1, tuple(shape), dtype, bool(fortran), raw),
            ):
                return self._shaped(raw, _dtype(dtype), shape, "F" if fortran else "C")
            case Call(
                Name("numpy.frombuffer"),
                (raw, dtype, tuple(shape), "C" | "F" as order),
                None,
            ):
                return self._shaped(raw, _dtype(dtype), shape, order)
            case _:
                msg = f"{describe(part)}, not an array of numbers"
                raise UnreadableError(msg)

    def _integer(self, part: Any) -> int:
        match part:
            case int():
                return part
            case Call(Name("numpy.scalar"), (dtype, raw), None):
                value = self._shaped(raw, _dtype(dtype), (1,), "C")
                if value.dtype.kind in "iu":
                    return int(value[0])
        msg = f"a length given by {describe(part)}"
        raise UnreadableError(msg)

    def _shaped(
        self,
        raw: Any,
        dtype: np.dtype[Any],
        shape: tuple[Any, ...],
        order: Literal["C", "F"],
    ) -> NDArray[Any]:
        """Numbers from bytes, once shape and size agree; native byte order."""
        _check_shape(shape)
        if not isinstance(raw, bytes | bytearray):
            msg = f"an array in {describe(raw)}, not in bytes"
            raise UnreadableError(msg)
        if math.prod(shape) * dtype.itemsize != len(raw):
            msg = f"an array of {math.prod(shape):,} {dtype} in {len(raw):,} bytes"
            raise UnreadableError(msg)
        self.left -= len(raw)
        if self.left < 0:
            msg = "values that stand for other branches, too"
            raise UnreadableError(msg)
        values: NDArray[Any] = np.frombuffer(raw, np.uint8 if dtype.kind == "b" else dtype)
        values = values.astype(dtype.newbyteorder("="), copy=False)
        return values.reshape(shape, order=order)


def _dtype(part: Any) -> np.dtype[Any]:
    match part:
        case Call(
            Name("numpy.dtype"),
            (str(code), bool() | 0 | 1, bool() | 0 | 1),
            (3, "<" | ">" | "|" | "=" as order, None, None, None, -1, -1, 0),
        ) if NUMBER.fullmatch(code):
            found: np.dtype[Any] = np.dtype(order + code)
            return found
    msg = "an array whose values are no numbers"
    raise UnreadableError(msg)


def _level(form: Any) -> _Level:
    """One level of a layout, as awkward 2 (a dictionary) or awkward 1 (objects) writes it."""
    match form:
        case {"class": "NumpyArray", "primitive": str(name), "form_key": str(key)}:
            shape, plain = form.get("inner_shape"), form.get("parameters")
            level = _Level(key, _primitive(name), _inner(shape))
        case {"class": "ListOffsetArray", "offsets": str(name), "form_key": str(key)}:
            plain = form.get("parameters")
            level = _Level(key, _offsets(name), below=form.get("content"))
        case Call(Name("awkward.NumpyForm"), (), (_, plain, str(key), shape, _, str(code))):
            level = _Level(key, _primitive(code), _inner(shape))
        case Call(Name("awkward.ListOffsetForm"), (), (_, plain, str(key), str(name), below)):
            level = _Level(key, _offsets(name), below=below)
        case {"class": str(name)}:
            msg = f"an awkward layout that is not read, {name[:40]}"
            raise UnreadableError(msg)
        case _:
            msg = f"an awkward array whose layout is {describe(form)}"
            raise UnreadableError(msg)
    if type(plain) is dict and "__array__" in plain:
        msg = "an awkward array of text or of a kind of its own"
        raise UnreadableError(msg)
    return level


def _primitive(name: str) -> np.dtype[Any]:
    """The type of a name (`float32`) or of a letter of the `struct` module (`f`)."""
    if name not in READABLE and not re.fullmatch(r"[?bBhHiIlLqQefd]", name):
        msg = f"values of type {name[:40]}"
        raise UnreadableError(msg)
    dtype: np.dtype[Any] = np.dtype(name)
    return dtype


def _offsets(name: str) -> np.dtype[Any]:
    if name not in OFFSETS:
        msg = f"lists with offsets of type {name[:40]}"
        raise UnreadableError(msg)
    return _primitive(OFFSETS[name])


def _inner(shape: Any) -> tuple[int, ...]:
    sizes = tuple(shape) if isinstance(shape, list | tuple) else ()
    _check_shape(sizes)
    return sizes


def _check_shape(shape: tuple[Any, ...]) -> None:
    sizes = [size for size in shape if type(size) is int and 0 <= size < LARGEST]
    if len(sizes) != len(shape) or len(shape) > MOST_DIMENSIONS:
        msg = "an array of a shape that no array has"
        raise UnreadableError(msg)


def describe(part: Any) -> str:
    """What stands where an array was looked for, in a few words."""
    if isinstance(part, Call) and isinstance(part.callee, Name):
        return f"an incomplete `{part.callee.text}`"
    if isinstance(part, Name):
        return f"the name `{part.text}`"
    return "nothing" if part is None else f"a {type(part).__name__}"
