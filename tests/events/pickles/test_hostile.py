"""A hostile pickle is refused by name, and nothing it asks for happens."""

from __future__ import annotations

import functools
import operator
import os
import pickle
import random
import sys
import tracemalloc
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.events.pickles import read_pickle
from quarkline.events.pickles.parts import ALLOWED

GOOD = pickle.dumps({"Muon_pt": ak.Array([[1.5, 2.5], [], [3.5]]), "f": np.arange(3)}, protocol=4)


class Calls:
    """Pickles as a call."""

    def __init__(self, function: Callable[..., Any], *args: Any, state: Any = None) -> None:
        self.reduced = (function, args) if state is None else (function, args, state)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.reduced


def refusal(folder: Path, data: bytes) -> str:
    path = folder / "all_mu_0"
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_pickle(path)
    (finding,) = caught.value.findings
    return str(finding)


CANARY = "touched"
HOSTILE = {
    "system": (Calls(os.system, f"touch {CANARY}"), "posix.system"),
    "eval": (Calls(eval, "1"), "builtins.eval"),
    "exec": (Calls(exec, "1"), "builtins.exec"),
    "import": (Calls(__import__, "antigravity"), "builtins.__import__"),
    "open": (Calls(open, CANARY, "w"), "io.open"),
    "getattr": (Calls(getattr, np.ndarray, "tofile"), "builtins.getattr"),
    "subclasses": (Calls(getattr, object, "__subclasses__"), "builtins.getattr"),
    "load": (Calls(np.load, CANARY), "numpy.load"),
    "fromfile": (Calls(np.fromfile, CANARY), "fromfile"),
    "partial": (Calls(functools.partial, print), "functools.partial"),
    "attrgetter": (Calls(operator.attrgetter, "a"), "operator.attrgetter"),
    "simple": (Calls(types.SimpleNamespace), "types.SimpleNamespace"),
    "loads": (Calls(pickle.loads, GOOD), "ickle.loads"),
    "behavior": (Calls(ak.mixin_class), "awkward.behaviors.mixins.mixin_class"),
    "from_buffers": (Calls(ak.from_buffers), "ak_from_buffers.from_buffers"),
    "state": (Calls(np.dtype, "f8", state=Calls(os.system, "true")), "posix.system"),
    "nested": (Calls(np.dtype, Calls(os.system, "true")), "posix.system"),
}


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_call_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, protocol: int
) -> None:
    monkeypatch.chdir(tmp_path)
    value, named = HOSTILE[name]
    found = refusal(tmp_path, pickle.dumps({"Muon_pt": value}, protocol=protocol))
    assert "QL-EVENTS-050" in found
    spellings = {named, named.replace("builtins", "__builtin__")}  # Python 2's in protocol 2
    assert any(f"{spelling}`" in found for spelling in spellings)
    assert "all_mu_0  byte " in found
    assert [path.name for path in tmp_path.iterdir()] == ["all_mu_0"]
    assert "antigravity" not in sys.modules


def test_decoding_tricks_are_refused(tmp_path: Path) -> None:
    import _codecs
    import codecs

    for call in (Calls(codecs.decode, b"1", "hex"), Calls(_codecs.encode, "a", "rot13")):
        assert "QL-EVENTS-050" in refusal(tmp_path, pickle.dumps({"x": call}, protocol=4))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is empty"),
        (b"no pickle\n", "it begins with b'no pickle"),
        (b"cos\nsystem\n(S'touch touched'\ntR.", "no pickle of protocol 2 to 5"),
        (pickle.dumps({"x": 1}, protocol=0), "no pickle of protocol 2 to 5"),
        (b"\x80\x63}.", "protocol 99"),
        (b"\x80\x04\x8c\x03sysQ.", "BINPERSID"),
        (b"\x80\x02Psys\n.", "PERSID"),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"\x80\x02(ios\nsystem\n.", "INST"),
        (b"\x80\x02(cos\nsystem\no.", "`os.system`"),
        (b"\x80\x05\x97.", "NEXT_BUFFER"),
        (b"\x80\x04}]\x94b.", "a dict stands where a Call is needed"),
        (b"\x80\x04}.}.", "2 bytes follow its end"),
        (b"\x80\x04}}.", "too many values"),
        (b"\x80\x04.", "not enough values"),
        (b"\x80\x04R.", "the stack is too short"),
        (b"\x80\x04t.", "pop from empty list"),
        (b"\x80\x04h\x07.", "byte 2"),
        (b"\x80\x04(cnumpy\nndarray\n}R.", "a dict stands where a tuple is needed"),
        (b"\x80\x04}(\x8c\x01xu.", "zip()"),
        (b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f.", "bytes8"),
        (b"\x80\x04\x96" + b"\xff" * 7 + b"\x7f.", "bytearray8"),
        (b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7f.", "unicode"),
        (b"\x80\x04\x8b\xff\xff\xff\x7f.", "LONG4|long4"),
    ],
)
def test_what_is_no_whole_simple_pickle_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    found = refusal(tmp_path, data)
    assert any(word in found for word in words.split("|")), found


def test_names_are_called_only_as_arrays_need_them(tmp_path: Path) -> None:
    """A call of what another call gave, such as `getattr(object, "__new__")(os)`."""
    chained = b"\x80\x04cbuiltins\ngetattr\ncbuiltins\nobject\n\x8c\x07__new__\x86R)R)R."
    assert "it calls what is not named" in refusal(tmp_path, chained)


def test_every_cut_is_refused(tmp_path: Path) -> None:
    for length in range(len(GOOD)):
        assert "QL-EVENTS-05" in refusal(tmp_path, GOOD[:length])


def test_damage_gives_a_finding_or_arrays_never_another_error(tmp_path: Path) -> None:
    random_bytes = random.Random(4)
    path = tmp_path / "x"
    outcomes = {True: 0, False: 0}
    for _ in range(2000):
        data = bytearray(GOOD)
        for _ in range(random_bytes.randint(1, 3)):
            data[random_bytes.randrange(2, len(data))] = random_bytes.randrange(256)
        path.write_bytes(data)
        try:
            branches = read_pickle(path)
        except InputError:
            outcomes[False] += 1
        else:
            outcomes[True] += 1
            assert all(ak.is_valid(array) for array in branches.values())
    assert min(outcomes.values()) > 50


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04}r\xff\xff\xff\x7f.",  # a memo of 2^31 places
        b"\x80\x04" + b"]" * 150_000 + b"a" * 149_999 + b".",  # lists in lists
        b"\x80\x04]\x94" + b"(h\x00h\x00e" * 1000 + b".",  # a list in itself, many times
        b"\x80\x04\x8c\x01x\x94" + b"h\x00" * 300_000 + b".",  # too many instructions
        b"\x80\x04(" + b"\x8c\x01x" * 30_000 + b"t\x94" + b"h\x00h\x00\x86\x94" * 500 + b".",
    ],
    ids=["memo", "nested", "cycle", "instructions", "tuples"],
)
def test_bombs_cost_little(tmp_path: Path, data: bytes) -> None:
    tracemalloc.start()
    try:
        refusal(tmp_path, data)
        assert tracemalloc.get_traced_memory()[1] < 60e6
    finally:
        tracemalloc.stop()


def test_the_allow_list_names_nothing_that_acts() -> None:
    """Pinned, so that a longer list is a decision."""
    assert {name.rpartition(".")[2] for name in ALLOWED} == {
        "_reconstruct",
        "_frombuffer",
        "scalar",
        "ndarray",
        "dtype",
        "Array",
        "NumpyForm",
        "ListOffsetForm",
        "unpickle_array_schema_1",
        "unpickle_array_schema_2",
        "encode",
        "bytes",
        "object",
        "getattr",
    }
