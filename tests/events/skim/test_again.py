"""A skim that is run again does only what is missing or stale."""

from __future__ import annotations

import os
import shutil
import time

import pytest

from quarkline.engine.core.findings import InputError
from quarkline.engine.store.locks import lock
from quarkline.tools.skim import plan_outputs, skim
from tests.events.skim.farm import Here, config_of, contents, write_ntuple

CUT = "jets_pt > 60"


@pytest.fixture
def farm(ntuples, tmp_path):
    """A copy of the ntuples that may be changed."""
    for name in ("mc20a/1.root", "mc20a/3.root", "mc20d/7.root"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ntuples / name, tmp_path / "in" / name)
    return tmp_path / "in"


@pytest.fixture
def again(farm, tmp_path):
    """Skims the copy, and tells which items were worked on and what was made."""

    def again(*, prune=False, output="out", **keys):
        here = Here()
        config = config_of(farm, tmp_path / output, **{"select": CUT} | keys)
        outcome = skim(config, executor=here, prune=prune)
        assert outcome.failures == ()
        return here.worked, outcome.made

    return again


def test_a_second_run_does_nothing(again, tmp_path):
    worked, made = again()
    assert len(worked) == 6
    assert set(made.values()) == {"new"}
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    assert again() == ([], {})
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == before


@pytest.mark.parametrize("merge", ["none", "all"])
def test_an_output_that_was_deleted_or_changed_is_made_again(again, tmp_path, merge):
    again(merge=merge)
    before = contents(tmp_path / "out")
    name = "mc20a/3" if merge == "none" else "skim"
    path = tmp_path / "out" / f"{name}.root"
    path.unlink()
    worked, made = again(merge=merge)
    assert made == {name: f"{name}.root is gone"}
    assert len(worked) == (2 if merge == "none" else 4)
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    assert again(merge=merge)[1] == {name: f"{name}.root has changed"}
    assert contents(tmp_path / "out") == before


def test_an_input_that_changed_is_skimmed_again(again, farm):
    again()
    write_ntuple(farm / "mc20a" / "1.root", 44, 99)
    worked, made = again()
    assert made == {"mc20a/1": "1 of 1 inputs are new or have changed"}
    assert [name.split()[1] for name in worked[:1]] == ["mc20a/1.root"]


def test_a_new_input_is_added(again, farm):
    again()
    write_ntuple(farm / "mc20d" / "8.root", 44, 8)
    assert again()[1] == {"mc20d/8": "new"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"select": "jets_pt > 61"}, "other samples"),
        ({"drop": ["flag"]}, "other drop"),
        ({"max_events": 10}, "other max_events"),
    ],
)
def test_another_config_makes_other_outputs(again, tmp_path, change, why):
    again()
    before = contents(tmp_path / "out")
    assert set(again(**change)[1].values()) == {why}
    again()
    assert contents(tmp_path / "out") == before


def test_what_does_not_change_the_outputs_redoes_nothing(again):
    again()
    for key in ({"retries": 3}, {"task_size": "1kB"}, {"max_bad_files": 5}):
        assert again(**key) == ([], {})


def test_a_skim_continues_where_it_was_moved_to(again, farm, tmp_path):
    again()
    (tmp_path / "elsewhere").mkdir()
    shutil.move(tmp_path / "out", tmp_path / "elsewhere" / "skim")
    shutil.move(farm, tmp_path / "elsewhere" / "in")
    here = Here()
    base = tmp_path / "elsewhere"
    outcome = skim(config_of(base / "in", base / "skim", select=CUT), executor=here)
    assert (here.worked, outcome.made, outcome.complete) == ([], {}, 3)


def test_a_finished_skim_and_its_copy_hold_every_event_once(again, tmp_path):
    again()
    out, copy = tmp_path / "out", tmp_path / "copy"
    shutil.copytree(out, copy)
    for folder in (out, copy):
        files = [path for path in folder.rglob("*") if path.is_file()]
        events = [path for path in files if path.suffix in {".root", ".parquet"}]
        assert len(events) == 3
        assert all(path.stat().st_nlink == 1 for path in files)
    shutil.rmtree(out)
    shutil.move(copy, out)
    assert again() == ([], {})


class TestOneFolder:
    """An output folder holds one skim and nothing of anybody else."""

    def test_outputs_that_the_config_does_not_make(self, again, tmp_path):
        again()
        before = contents(tmp_path / "out")
        with pytest.raises(InputError, match="3 outputs that this skim does not make") as error:
            again(merge="all")
        assert "--prune" in error.value.findings[0].suggestion
        assert contents(tmp_path / "out") == before
        again(merge="all", prune=True)
        assert [p.name for p in (tmp_path / "out").rglob("*.root")] == ["skim.root"]

    def test_a_file_of_somebody_else_is_never_replaced(self, again, tmp_path):
        mine = tmp_path / "out" / "mc20a" / "3.root"
        mine.parent.mkdir(parents=True)
        mine.write_text("mine")
        with pytest.raises(InputError, match="the file exists"):
            again()
        assert mine.read_text() == "mine"

    def test_fewer_pieces_leave_none_behind(self, again, tmp_path):
        again(merge="all", max_size="10kB", compression="none")
        assert len(list((tmp_path / "out").glob("skim_*.root"))) > 1
        again(merge="all", compression="none")
        assert [path.name for path in (tmp_path / "out").glob("*.root")] == ["skim.root"]

    def test_inputs_do_not_lie_in_it(self, ntuples, here):
        with pytest.raises(InputError, match="lies in the output folder"):
            skim(config_of(ntuples, ntuples), executor=here)

    def test_a_second_client_waits_for_the_first(self, farm, tmp_path, caplog):
        """The lock is another thread's here; a wait is told."""
        import threading

        out = tmp_path / "out"
        (out / ".quarkline").mkdir(parents=True)
        config = config_of(farm, out, select=CUT)
        done = []
        client = threading.Thread(target=lambda: done.append(skim(config, executor=Here())))
        with lock(out / ".quarkline" / "skim.lock"):
            client.start()
            time.sleep(0.5)
            assert not done
            assert not list(out.rglob("*.root"))
        client.join(60)
        assert len(done[0].made) == 3
        assert "waiting for" in caplog.text


def test_a_plan_writes_nothing_and_says_why(again, farm, tmp_path):
    config = config_of(farm, tmp_path / "out", select=CUT)
    assert [state.why for state in plan_outputs(config)[0]] == ["new"] * 3
    assert not (tmp_path / "out").exists()
    again()
    os.utime(farm / "mc20a" / "1.root")
    assert [state.why for state in plan_outputs(config)[0]] == [""] * 3


def test_parts_that_were_finished_before_a_kill_are_used(farm, tmp_path, monkeypatch):
    """The client dies while the outputs are written; the ranges are not cut again."""
    config = config_of(farm, tmp_path / "out", select=CUT)

    class Dies(Here):
        def map(self, task, items, *, retries=0):
            if task.endswith("write_output"):
                raise KeyboardInterrupt
            return super().map(task, items, retries=retries)

    with pytest.raises(KeyboardInterrupt):
        skim(config, executor=Dies())
    here = Here()
    skim(config, executor=here)
    assert here.worked == ["mc20a/1", "mc20a/3", "mc20d/7"]
