"""`--friend` on commands: which friend belongs to which file, with proof."""

from __future__ import annotations

import json
import sys

import awkward as ak
import numpy as np
import pytest

from quarkline.cli.main import main
from quarkline.events.friends import FriendSink
from quarkline.events.sinks import open_sink
from quarkline.events.sources import open_source

KEY = ("runNumber", "eventNumber")


def write_host(path, count: int, seed: int, *, above: float = 0.0) -> dict[str, np.ndarray]:
    """Events with a `pt` above a threshold, as a skim would keep them."""
    draw = np.random.default_rng(seed)
    events = {
        "runNumber": np.full(count, seed, np.uint32),
        "eventNumber": draw.permutation(count).astype(np.uint64),
        "pt": draw.exponential(30.0, count),
    }
    kept = events["pt"] > above
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_sink(path, tree="nominal") as sink:
        sink.write(ak.Array({name: values[kept] for name, values in events.items()}))
    return events


def write_friend(path, host) -> None:
    """A friend with a score of pt / 10."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        open_source(host) as source,
        FriendSink(path, source, identity=KEY, producer="test") as sink,
    ):
        sink.write({"score": ak.to_numpy(source.read(["pt"])["pt"]) / 10})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two hosts in two folders, friends in a mirror of these, and a skim of the first."""
    for number, name in enumerate(("a", "b"), start=1):
        write_host(tmp_path / "hosts" / name / "events.root", 200, number)
        host = tmp_path / "hosts" / name / "events.root"
        write_friend(tmp_path / "friends" / name / "events.root", host)
    write_host(tmp_path / "skim.root", 200, 1, above=20.0)
    write_friend(tmp_path / "skim_friend.root", tmp_path / "skim.root")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(monkeypatch, capsys, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["quarkline", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    return ended.value.code or 0, said.out, said.err


DRAW = ("draw", "hosts/a/events.root", "hosts/b/events.root", "score*10 - pt", "--json")


@pytest.mark.parametrize(
    "friends",
    [
        ("--friend", "friends"),
        ("--friend", "friends/*/events.root"),
        ("--friend", "friends/", "--friend-by", "key"),
    ],
)
def test_friends_are_found_by_folder_and_by_order(folder, monkeypatch, capsys, friends):
    code, out, err = run(monkeypatch, capsys, *DRAW, *friends)
    assert (code, err) == (0, "")
    result = json.loads(out)
    assert (result["n"], result["files"]) == (400, 2)
    assert max(abs(result["min"]), abs(result["max"])) < 1e-12


def test_every_command_reads_friends(folder, monkeypatch, capsys):
    host, friend = "hosts/a/events.root", ("--friend", "friends/a/events.root")
    code, out, _ = run(monkeypatch, capsys, "inspect", host, *friend, "--json")
    assert code == 0
    assert [column["name"] for column in json.loads(out)["columns"]] == [*KEY, "pt", "score"]
    cut = "score > 2 && pt > 50"
    code, out, _ = run(monkeypatch, capsys, "explain", cut, host, *friend, "--json")
    assert code == 0
    steps = json.loads(out)["clauses"]["steps"]
    code, out, _ = run(monkeypatch, capsys, "cutflow", host, *friend, "--select", cut, "--json")
    assert code == 0
    named = [step | {"name": ""} for step in json.loads(out)["samples"][0]["flow"]["steps"]]
    assert named == [step | {"name": ""} for step in steps]
    assert 0 < steps[1]["events"] < steps[0]["events"] < 200


def test_a_named_friend_keeps_its_columns_apart(folder, monkeypatch, capsys):
    two = ("--friend", "A=friends/a/events.root", "--friend", "B=friends/a/events.root")
    code, out, err = run(
        monkeypatch, capsys, "draw", "hosts/a/events.root", "A.score - B.score", *two, "--json"
    )
    assert (code, err) == (0, "")
    assert (json.loads(out)["n"], json.loads(out)["sum"]) == (200, 0)


def test_a_friend_of_a_skim_is_refused_for_the_full_ntuple(folder, monkeypatch, capsys):
    """The seed's silent mistake: entry i of the skim's friend beside entry i of the full file."""
    full = ("draw", "hosts/a/events.root", "score", "--friend", "skim_friend.root")
    code, out, err = run(monkeypatch, capsys, *full)
    assert (code, out) == (2, "")
    assert "QL-EVENTS-071" in err
    assert "join by key" in err
    code, _, err = run(monkeypatch, capsys, *full, "--friend-by", "key")
    assert code == 1
    assert "QL-EVENTS-074" in err


def test_a_friend_of_the_full_ntuple_is_read_beside_a_skim_by_key(folder, monkeypatch, capsys):
    skim = ("draw", "skim.root", "score*10 - pt", "--friend", "friends/a/events.root")
    code, _, err = run(monkeypatch, capsys, *skim)
    assert code == 2
    assert "QL-EVENTS-071" in err
    code, out, _ = run(monkeypatch, capsys, *skim, "--friend-by", "key", "--json")
    assert code == 0
    result = json.loads(out)
    assert 0 < result["n"] < 200
    assert max(abs(result["min"]), abs(result["max"])) < 1e-12


@pytest.mark.parametrize(
    ("friend", "words"),
    [
        ("friends/a/events.root", "QL-CHECK-015  friends/a/events.root  1 friend file for 2 files"),
        ("friends/*/none.root", "QL-EVENTS-001"),
        ("hosts", "QL-EVENTS-070"),
    ],
)
def test_what_does_not_fit_is_refused(folder, monkeypatch, capsys, friend, words):
    code, out, err = run(monkeypatch, capsys, *DRAW[:-1], "--friend", friend)
    assert (code, out) == (2, "")
    assert words in err
