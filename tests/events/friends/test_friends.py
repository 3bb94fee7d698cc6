"""Friends line up with their hosts, or are refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarkline.engine.core.findings import InputError, QuarklineError, WorkError
from quarkline.events.friends import FriendSink, With, proof, with_friends
from quarkline.events.friends.read import mirrored
from quarkline.events.sinks import open_sink
from quarkline.events.sources import open_source

KEY = ("runNumber", "eventNumber")


def host_events(count: int, seed: int = 1) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    return {
        "runNumber": np.full(count, 7, np.uint32),
        "eventNumber": draw.permutation(count).astype(np.uint64) + 2**60,
        "pt": draw.exponential(30.0, count),
    }


def write_host(path: Path, events: dict[str, np.ndarray]) -> Path:
    with open_sink(path, tree="nominal") as sink:
        sink.write(ak.Array(events))
    return path


def write_friend(path: Path, host: Path, *, identity=KEY, step: int = 1000, name="score") -> Path:
    """A friend whose score is a function of the host's pt."""
    with (
        open_source(host) as source,
        FriendSink(path, source, identity=identity, producer="test") as sink,
    ):
        for chunk in source.chunks(["pt"], step=step):
            sink.write({name: np.sqrt(ak.to_numpy(chunk.array["pt"]))})
    return path


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr("quarkline.events.friends.write.BLOCK", 100)


@pytest.mark.parametrize("kind", ["root", "parquet", "h5"])
def test_a_friend_adds_its_columns(tmp_path: Path, kind: str) -> None:
    host = write_host(tmp_path / f"host.{kind}", host_events(1234))
    friend = write_friend(tmp_path / f"friend.{kind}", host)
    for by in With:
        with with_friends(open_source(host), [friend], by=by) as joined:
            assert list(joined.schema.columns) == ["runNumber", "eventNumber", "pt", "score"]
            table = joined.read(["score", "pt"])
            assert ak.to_numpy(table["score"]) == pytest.approx(np.sqrt(ak.to_numpy(table["pt"])))
            assert joined.source_id == open_source(host).source_id


@settings(deadline=None, max_examples=12)
@given(st.integers(1, 500), st.integers(1, 700))
def test_chunks_do_not_change_a_friend(tmp_path_factory, step: int, reading: int) -> None:
    folder = tmp_path_factory.mktemp("friend")
    host = write_host(folder / "host.parquet", host_events(450))
    one = write_friend(folder / "one.parquet", host, step=step)
    assert one.read_bytes() == write_friend(folder / "two.parquet", host).read_bytes()
    with with_friends(open_source(host), [one]) as joined:
        parts = [chunk.array["score"] for chunk in joined.chunks(["score"], step=reading)]
    with open_source(host) as source:
        assert np.concatenate(parts) == pytest.approx(np.sqrt(source.read(["pt"])["pt"]))


def test_a_friend_of_a_skim_is_refused_for_the_full_file_unless_joined_by_key(tmp_path) -> None:
    """The seed's silent mistake: entry i of the skim's friend beside entry i of the full file."""
    events = host_events(600)
    full = write_host(tmp_path / "full.root", events)
    kept = events["pt"] > 20
    skim = write_host(tmp_path / "skim.root", {name: x[kept] for name, x in events.items()})
    of_skim, of_full = (write_friend(tmp_path / f"f_{h.name}", h) for h in (skim, full))
    with pytest.raises(InputError, match=f"it has {kept.sum()} entries, .* has 600") as refused:
        with_friends(open_source(full), [of_skim])
    assert "join by key" in refused.value.findings[0].suggestion
    with with_friends(open_source(skim), [of_full], by=With.KEY) as joined:
        table = joined.read(["score", "pt"])
        assert ak.to_numpy(table["score"]) == pytest.approx(np.sqrt(events["pt"][kept]))
    with (
        with_friends(open_source(full), [of_skim], by=With.KEY) as joined,
        pytest.raises(WorkError, match="have none"),
    ):
        joined.read(["score"])


def test_the_first_entry_that_differs_is_named_with_both_values(tmp_path: Path) -> None:
    events = host_events(500)
    friend = write_friend(tmp_path / "friend.root", write_host(tmp_path / "a.root", events))
    swapped = {name: values.copy() for name, values in events.items()}
    swapped["eventNumber"][[333, 334]] = swapped["eventNumber"][[334, 333]]
    other = write_host(tmp_path / "b.root", swapped)
    first, second = events["eventNumber"][[333, 334]]
    with with_friends(open_source(other), [friend]) as joined:
        joined.read(["score"], 0, 300)  # the blocks before are the same
        with pytest.raises(WorkError) as refused:
            joined.read(["score"], 310, 320)  # in the block of the swapped ones
    finding = refused.value.findings[0]
    assert finding.evidence["entry"] == 333
    assert f"entry 333 is (runNumber 7, eventNumber {second}) in {other}" in finding.message
    assert f"(runNumber 7, eventNumber {first}) in the friend" in finding.message
    with with_friends(open_source(other), [friend], by=With.KEY) as joined:
        by_key = ak.to_numpy(joined.read(["score"])["score"])
    expected = np.sqrt(events["pt"])
    expected[[333, 334]] = expected[[334, 333]]
    assert by_key == pytest.approx(expected)


def test_without_identity_columns_the_hosts_content_is_the_proof(tmp_path: Path) -> None:
    host = write_host(tmp_path / "a.root", host_events(50))
    friend = write_friend(tmp_path / "friend.root", host, identity=())
    copy = tmp_path / "elsewhere.root"
    copy.write_bytes(host.read_bytes())
    with with_friends(open_source(copy), [friend]) as joined:
        assert len(joined.read(["score"])) == 50
    other = write_host(tmp_path / "b.root", host_events(50, seed=2))
    with pytest.raises(InputError, match="it was made for another file"):
        with_friends(open_source(other), [friend])
    with pytest.raises(InputError, match="names no columns that identify an event"):
        with_friends(open_source(host), [friend], by=With.KEY)


def test_a_format_without_place_for_the_proof_is_refused(tmp_path: Path) -> None:
    host = write_host(tmp_path / "a.root", host_events(50))
    with pytest.raises(InputError, match="no place for the proof"):
        write_friend(tmp_path / "friend.csv", host)


def test_other_files_are_no_friends(tmp_path: Path) -> None:
    events = host_events(50)
    host = write_host(tmp_path / "a.root", events)
    plain = write_host(tmp_path / "plain.root", {"score": events["pt"]})
    with pytest.raises(InputError, match="does not say whose friend it is"):
        with_friends(open_source(host), [plain])
    friend = write_friend(tmp_path / "friend.root", host)
    with pytest.raises(InputError, match="there is a column `score` in the host or another"):
        with_friends(open_source(host), [friend, friend])


def test_a_friend_does_not_hide_columns_of_its_host(tmp_path: Path) -> None:
    host = write_host(tmp_path / "a.root", host_events(50))
    with pytest.raises(InputError, match="the host has a column `pt`, too"):
        write_friend(tmp_path / "friend.root", host, name="pt")
    assert not (tmp_path / "friend.root").exists()


def test_a_friend_is_as_long_as_its_host_or_is_not_there(tmp_path: Path) -> None:
    host = write_host(tmp_path / "a.root", host_events(50))
    with open_source(host) as source, pytest.raises(ValueError, match="49 rows for a host of 50"):  # noqa: SIM117
        with FriendSink(tmp_path / "f.root", source, identity=KEY, producer="x") as sink:
            sink.write({"score": np.zeros(49)})
    assert not (tmp_path / "f.root").exists()


@pytest.mark.parametrize(
    ("identity", "what"),
    [
        (("runNumber", "evenNumber"), "there is no column `evenNumber`"),
        (("pt",), "`pt` is no flat integer column: float64"),
    ],
)
def test_identity_columns_are_integers_of_the_host(tmp_path: Path, identity, what: str) -> None:
    host = write_host(tmp_path / "a.root", host_events(50))
    with pytest.raises(InputError, match=what):
        write_friend(tmp_path / "friend.root", host, identity=identity)


def test_events_used_twice_need_a_further_column_to_be_joined_by_key(tmp_path: Path) -> None:
    events = host_events(50)
    events["eventNumber"][10] = events["eventNumber"][20]
    host = write_host(tmp_path / "a.root", events)
    friend = write_friend(tmp_path / "friend.root", host)
    with with_friends(open_source(host), [friend]) as joined:
        assert len(joined.read(["score"])) == 50
    with (
        with_friends(open_source(host), [friend], by=With.KEY) as joined,
        pytest.raises(WorkError, match="is in the friend more than once"),
    ):
        joined.read(["score"])


def test_a_changed_value_of_a_friends_own_identity_is_damage(tmp_path: Path) -> None:
    host = write_host(tmp_path / "a.root", host_events(150))
    with open_source(host) as source:
        sink = FriendSink(tmp_path / "f.root", source, identity=KEY, producer="x")
        with sink:
            sink.write({"score": np.zeros(150)})
            sink._hashes[0] = "0" * 16
    with (
        with_friends(open_source(host), [tmp_path / "f.root"]) as joined,
        pytest.raises(QuarklineError, match="does not fit its own entries 0 to 100"),
    ):
        joined.read(["score"])


@pytest.mark.parametrize(("base", "target"), [("in", "out"), ("in/", "out"), ("in", "out/")])
def test_a_trailing_slash_does_not_move_a_friend(tmp_path: Path, base: str, target: str) -> None:
    """The seed's pipeline broke with one in its source folder, and without one in its target."""
    file = tmp_path / "in" / "mc20a" / "p6266" / "545824.root"
    found = mirrored(file, Path(f"{tmp_path}/{base}"), Path(f"{tmp_path}/{target}"))
    assert found == tmp_path / "out" / "mc20a" / "p6266" / "545824.root"
    with pytest.raises(ValueError, match="elsewhere"):
        mirrored(tmp_path / "elsewhere" / "x.root", Path(base), Path(target))


def test_the_hash_is_that_of_the_contract() -> None:
    rows = np.array([[1, 2], [3, -4]], np.int64)
    content = b"".join(int(v).to_bytes(8, "little", signed=True) for v in (1, 2, 3, -4))
    import hashlib

    assert proof.block_hash(rows) == hashlib.blake2b(content, digest_size=8).hexdigest()


ROOT_PROGRAM = """
import sys, ROOT
file = ROOT.TFile.Open(sys.argv[1])
tree = file.Get("nominal")
tree.AddFriend("nominal", sys.argv[2])
tree.SetEstimate(tree.GetEntries() + 10)
count = tree.Draw("score*score-pt", "", "goff")
values = [tree.GetV1()[i] for i in range(count)]
print(count, max(abs(value) for value in values))
"""


@pytest.mark.oracle
def test_root_reads_a_friend_by_add_friend(tmp_path: Path) -> None:
    pytest.importorskip("ROOT", reason="pip install ROOT", exc_type=ImportError)
    host = write_host(tmp_path / "host.root", host_events(777))
    friend = write_friend(tmp_path / "friend.root", host)
    done = subprocess.run(
        [sys.executable, "-c", ROOT_PROGRAM, str(host), str(friend)],
        capture_output=True,
        text=True,
        check=True,
    )
    count, worst = done.stdout.split()
    assert int(count) == 777
    assert float(worst) < 1e-9


@pytest.mark.parametrize("by", list(With))
def test_a_sweep_reads_what_a_reading_does(tmp_path: Path, by: With) -> None:
    host = write_host(tmp_path / "host.root", host_events(1234))
    friend = write_friend(tmp_path / "friend.root", host)
    columns = ["score", "pt", "eventNumber"]
    with with_friends(open_source(host), [friend], by=by) as joined:
        whole, sweep = joined.read(columns), joined.sweep()
        assert ak.array_equal(sweep.read(columns, 150, 420), whole[150:420])
        entries = np.array([420, 421, 777, 1233])
        assert ak.array_equal(sweep.take(["pt", "score"], entries), whole[["pt", "score"]][entries])


def test_a_sweep_refuses_a_friend_of_other_events(tmp_path: Path) -> None:
    host = write_host(tmp_path / "host.root", host_events(500))
    friend = write_friend(tmp_path / "friend.root", host)
    other = write_host(tmp_path / "other.root", host_events(500, seed=2))
    with with_friends(open_source(other), [friend]) as joined:
        sweep = joined.sweep()
        with pytest.raises(WorkError, match="in the friend"):
            sweep.take(["score"], np.array([130]))


def test_a_friend_of_another_program_is_joined_if_that_is_allowed(tmp_path: Path) -> None:
    host = write_host(tmp_path / "host.root", host_events(300))
    mine = {"pt": np.zeros(300), "score": np.arange(300.0)}
    friend = write_host(tmp_path / "friend.root", mine)
    with pytest.raises(InputError, match="does not say whose friend it is"):
        with_friends(open_source(host), [friend])
    with with_friends(open_source(host), [friend], unproved=True) as joined:
        table = joined.read(["score", "pt"], 10, 20)
        assert ak.to_list(table["score"]) == list(range(10, 20))
        assert (table["pt"] > 0).to_list() == [True] * 10  # the host's
        assert joined.schema.metadata["unproved"] == [str(friend)]
    short = write_host(tmp_path / "short.root", {"score": np.arange(299.0)})
    with pytest.raises(InputError, match="it has 299 entries"):
        with_friends(open_source(host), [short], unproved=True)
