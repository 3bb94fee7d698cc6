"""Reads what a pickle says without doing it: calls become inert descriptions of calls.

A pickle is a program for a small stack machine, two of whose instructions import and call whatever
the file names. The machine here knows the instructions that arrays in a dictionary need. It neither
imports nor calls: a global is its name, on an allow-list, and a call is its arguments.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from quarkline.engine.core.findings import Finding, InputError, Place, Rule

FOREIGN_GLOBAL = Rule(
    "QL-EVENTS-050",
    "a pickle names nothing but arrays",
    "A pickle can call any function of any installed package, so loading one from elsewhere runs "
    "whatever its author wanted. Pickles of events are read without unpickling: only the names "
    "that NumPy and awkward use to describe their arrays are understood, and even those are not "
    "called. A pickle that names anything else is not read. If it is your own, write its arrays "
    "as Parquet where you made it.",
)
BAD_PICKLE = Rule(
    "QL-EVENTS-051",
    "a pickle of events is whole and simple",
    "The file is cut off, is no pickle, or uses instructions that a dictionary of arrays does not "
    "need. Pickles of protocol 2 to 5 are read, which Python 3 writes.",
)

MOST_INSTRUCTIONS = 200_000  # 40 branches take about 3,000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Name:
    """Something a pickle refers to by name; one name stands for all spellings of it."""

    text: str


@dataclass(slots=True)
class Call:
    """Something a pickle would call or make.

    Attributes:
        callee: What would be called.
        args: With what.
        state: What would be stored in the outcome.
    """

    callee: Name | Call
    args: tuple[Any, ...]
    state: Any = None


OBJECT, GETATTR, ENCODE, BYTES = (Name(text) for text in ("object", "getattr", "encode", "bytes"))
NEW = Call(GETATTR, (OBJECT, "__new__"))  # how awkward 2.1 to 2.3 names what makes an array

ALLOWED = {
    "numpy.core.multiarray._reconstruct": Name("numpy.reconstruct"),
    "numpy._core.multiarray._reconstruct": Name("numpy.reconstruct"),
    "numpy.core.numeric._frombuffer": Name("numpy.frombuffer"),
    "numpy._core.numeric._frombuffer": Name("numpy.frombuffer"),
    "numpy.core.multiarray.scalar": Name("numpy.scalar"),
    "numpy._core.multiarray.scalar": Name("numpy.scalar"),
    "numpy.ndarray": Name("numpy.ndarray"),
    "numpy.dtype": Name("numpy.dtype"),
    "awkward.highlevel.Array": Name("awkward.Array"),
    "awkward._ext.NumpyForm": Name("awkward.NumpyForm"),
    "awkward._ext.ListOffsetForm": Name("awkward.ListOffsetForm"),
    "awkward._pickle.unpickle_array_schema_1": Name("awkward.unpickle"),
    "awkward._pickle.unpickle_array_schema_2": Name("awkward.unpickle"),
    "_codecs.encode": ENCODE,
    "builtins.bytes": BYTES,
    "builtins.object": OBJECT,
    "builtins.getattr": GETATTR,
    "__builtin__.bytes": BYTES,
    "__builtin__.object": OBJECT,
    "__builtin__.getattr": GETATTR,
}
"""What a pickle of arrays refers to, as NumPy 1 and 2 and awkward 1 and 2 write it."""

TABLES = ALLOWED | {
    "pandas.core.frame.DataFrame": Name("pandas.DataFrame"),
    "pandas.core.internals.managers.BlockManager": Name("pandas.BlockManager"),
    "pandas._libs.internals._unpickle_block": Name("pandas.block"),
    "pandas.core.indexes.base._new_Index": Name("pandas.new_Index"),
    "pandas.core.indexes.base.Index": Name("pandas.Index"),
    "pandas.core.indexes.range.RangeIndex": Name("pandas.RangeIndex"),
    "pandas.core.indexes.numeric.Int64Index": Name("pandas.Int64Index"),
    "pandas.core.indexes.numeric.UInt64Index": Name("pandas.UInt64Index"),
    "builtins.slice": Name("slice"),
    "__builtin__.slice": Name("slice"),
}
"""What a pickled table of pandas refers to besides, as pandas 1.3 to 2 write it."""

VALUES = frozenset(
    {
        "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT",
        "SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8",
        "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8",
    }
)  # fmt: skip
CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def inert_parts(data: bytes, path: Path, allowed: Mapping[str, Name] = ALLOWED) -> Any:
    """What a pickle describes, with every call as a `Call`.

    Args:
        data: The pickle.
        path: Where it comes from, for findings.
        allowed: What it may name.

    Raises:
        InputError: If it is damaged, or names anything that arrays do not need.
    """
    if data[:1] != b"\x80":
        start = f"begins with {data[:16]!r}" if data else "is empty"
        raise InputError(_bad(path, f"this is no pickle of protocol 2 to 5: it {start}"))
    machine = _Machine(path, allowed)
    position = 0
    try:
        for count, (opcode, argument, at) in enumerate(pickletools.genops(data)):
            position = cast("int", at)
            if count == MOST_INSTRUCTIONS:
                raise InputError(_bad(path, f"more than {MOST_INSTRUCTIONS:,} instructions"))
            machine.step(opcode.name, argument, position)
        (value,) = machine.stack
    except (ValueError, TypeError, LookupError) as error:
        finding = _bad(path, f"cut off or contradicting itself: {error}", position)
        raise InputError(finding) from error
    if rest := len(data) - position - 1:
        raise InputError(_bad(path, f"{rest:,} bytes follow its end", position))
    return value


class _Machine:
    """The stack, the marks on it, and the memo."""

    def __init__(self, path: Path, allowed: Mapping[str, Name]) -> None:
        self.path, self.allowed = path, allowed
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any, position: int) -> None:
        """Carry out one instruction."""
        stack = self.stack
        if name in VALUES:
            stack.append(argument)
        elif name in CONSTANTS:
            stack.append(CONSTANTS[name]())
        elif name in TUPLES:
            stack.append(tuple(self._take(len(stack) - TUPLES[name])))
        elif name in _STEPS:
            _STEPS[name](self, argument)
        elif name in {"GLOBAL", "STACK_GLOBAL"}:
            stack.append(self._name(argument, position))
        elif name in {"REDUCE", "NEWOBJ"}:
            stack.append(self._call(position))
        else:
            finding = _bad(self.path, f"the instruction {name}, which arrays do not need", position)
            raise InputError(finding)

    def put(self, index: int) -> None:
        self.memo[index] = self.stack[-1]

    def get(self, index: int) -> None:
        self.stack.append(self.memo[index])

    def mark(self) -> None:
        self.marks.append(len(self.stack))

    def tuple_from_mark(self) -> None:
        self.stack.append(tuple(self._take(self.marks.pop())))

    def append(self, start: int) -> None:
        items = self._take(start)
        _expected(self.stack[-1], list).extend(items)

    def store(self, start: int) -> None:
        items = self._take(start)
        keys = [_expected(key, str) for key in items[::2]]
        _expected(self.stack[-1], dict).update(zip(keys, items[1::2], strict=True))

    def build(self) -> None:
        (state,) = self._take(len(self.stack) - 1)
        call = _expected(self.stack[-1], Call)
        if call.state is not None:
            msg = "a state is given twice"
            raise ValueError(msg)
        call.state = state

    def _take(self, start: int) -> list[Any]:
        """Everything from `start` on, removed from the stack."""
        if not 0 <= start <= len(self.stack):
            msg = "the stack is too short"
            raise ValueError(msg)
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def _name(self, argument: Any, position: int) -> Name:
        if argument is None:
            words = [_expected(word, str) for word in self._take(len(self.stack) - 2)]
        else:
            words = argument.split(" ")
        named = ".".join(words)
        if named not in self.allowed:
            raise InputError(self._foreign(f"it names `{named}`", position))
        return self.allowed[named]

    def _call(self, position: int) -> Any:
        callee, args = self._take(len(self.stack) - 2)
        _expected(args, tuple)
        if callee == BYTES and args == ():
            return b""
        if callee == ENCODE:
            text, coding = args
            if coding != "latin1":
                raise InputError(self._foreign("it calls `codecs.encode`", position))
            return _expected(text, str).encode("latin1")
        if callee == GETATTR and args != NEW.args:
            raise InputError(self._foreign("it calls `builtins.getattr`", position))
        if not isinstance(callee, Name) and callee != NEW:
            raise InputError(self._foreign("it calls what is not named", position))
        return Call(callee, args)

    def _foreign(self, what: str, position: int) -> Finding:
        return FOREIGN_GLOBAL.finding(
            f"{what}, which no array needs; nothing was imported or called",
            place=Place(file=self.path, label=f"byte {position:,}"),
            suggestion="do not load this file elsewhere unless you trust its author",
        )


_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO": lambda _, protocol: _checked_protocol(protocol),
    "FRAME": lambda _machine, _size: None,
    "STOP": lambda _machine, _nothing: None,
    "MARK": lambda machine, _: machine.mark(),
    "TUPLE": lambda machine, _: machine.tuple_from_mark(),
    "MEMOIZE": lambda machine, _: machine.put(len(machine.memo)),
    "BINPUT": lambda machine, index: machine.put(index),
    "LONG_BINPUT": lambda machine, index: machine.put(index),
    "BINGET": lambda machine, index: machine.get(index),
    "LONG_BINGET": lambda machine, index: machine.get(index),
    "APPEND": lambda machine, _: machine.append(len(machine.stack) - 1),
    "APPENDS": lambda machine, _: machine.append(machine.marks.pop()),
    "SETITEM": lambda machine, _: machine.store(len(machine.stack) - 2),
    "SETITEMS": lambda machine, _: machine.store(machine.marks.pop()),
    "BUILD": lambda machine, _: machine.build(),
}


def _checked_protocol(protocol: int) -> None:
    if not 2 <= protocol <= 5:
        msg = f"it is of protocol {protocol}"
        raise ValueError(msg)


def _expected(value: Any, kind: type[T]) -> T:
    if type(value) is not kind:
        msg = f"a {type(value).__name__} stands where a {kind.__name__} is needed"
        raise TypeError(msg)
    return value


def _bad(path: Path, what: str, position: int | None = None) -> Finding:
    label = None if position is None else f"byte {position:,}"
    return BAD_PICKLE.finding(
        what, place=Place(file=path, label=label), suggestion="copy or make the file again"
    )
