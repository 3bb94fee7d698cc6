"""What runs again, what is reused, and what a person is told about it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace

import pytest
from bench import Bench
from toy import Total, Toy, ToyConfig

from quarkline.engine.core.findings import InputError, WorkError
from quarkline.engine.store import filekeys
from quarkline.engine.store.locks import lock
from quarkline.engine.workflow.runs import find_run, list_runs, read_results
from quarkline.engine.workflow.stage import Stage

ALL = ["half", "half", "half", "numbers", "square", "square", "square", "squares", "total"]


def codes(error: pytest.ExceptionInfo[InputError] | pytest.ExceptionInfo[WorkError]) -> list[str]:
    return [finding.code for finding in error.value.findings]


def test_a_run_writes_its_folder(bench: Bench) -> None:
    outcome = bench.run()
    assert bench.done() == ALL
    assert outcome.run.folder.absolute() == bench.runs / "00001"
    assert (outcome.run.state, outcome.run.complete, outcome.warnings) == ("done", True, [])
    assert outcome.report == outcome.run.folder / "report.html"
    results = read_results(bench.runs / "00001" / "results.json")
    assert isinstance(results["total"], Total)
    assert outcome.headline == f"total = {results['total'].total.value:.3f}"
    assert (bench.runs / "00001" / "config.yaml").read_text() == bench.file.read_text()


def test_results_hold_nothing_but_the_results(ran: Bench) -> None:
    text = (ran.runs / "00001" / "results.json").read_text()
    data = json.loads(text)
    assert data.keys() == {"schema", "study", "results"}
    assert data["results"]["total"].keys() == {"kind", "version", "total", "noise"}
    assert str(ran.folder) not in text


def test_an_equal_config_resumes_the_newest_run_and_does_nothing(ran: Bench) -> None:
    before = ran.contents()
    ran.run()
    assert ran.done() == []
    assert ran.contents() == before
    attempts = find_run("bench", ran.runs.parent).provenance()["attempts"]
    assert [attempt["ran"] for attempt in attempts] == [["numbers", "squares", "total"], []]


def test_a_changed_config_gets_a_new_number_and_reuses_equal_stages(ran: Bench) -> None:
    outcome = ran.run("power=3")
    assert outcome.run.number == 2
    assert ran.done() == [step for step in ALL if step != "numbers"]
    outcome = ran.run()  # the first config again
    assert outcome.run.number == 1
    assert ran.done() == []


def test_new_starts_another_run_of_the_same_stages(ran: Bench) -> None:
    assert ran.run(new=True).run.number == 2
    assert ran.done() == []
    first, second = ((ran.runs / name / "results.json").read_bytes() for name in ("00001", "00002"))
    assert first == second
    assert ran.run().run.number == 2  # the newest of the equal ones


def test_until_stops_and_the_next_run_goes_on(bench: Bench) -> None:
    outcome = bench.run(until="numbers")
    assert bench.done() == ["numbers"]
    assert (outcome.run.complete, outcome.headline, outcome.report) == (False, None, None)
    assert outcome.run.state == "unfinished"
    outcome = bench.run()
    assert outcome.run.number == 1
    assert "numbers" not in bench.done()


def test_only_runs_one_stage(bench: Bench) -> None:
    bench.run(until="squares")
    bench.done()
    assert bench.run(only="total").run.complete
    assert bench.done() == ["total"]


def test_only_refuses_a_stage_whose_inputs_are_missing(bench: Bench) -> None:
    with pytest.raises(InputError, match="stage `total` needs `squares` first") as error:
        bench.run(only="total")
    assert codes(error) == ["QL-RUN-002"]
    assert not bench.runs.exists()


@pytest.mark.parametrize("option", ["only", "until"])
def test_unknown_stages_are_told_with_a_near_miss(bench: Bench, option: str) -> None:
    with pytest.raises(InputError, match=r"did you mean `squares`\?") as error:
        bench.run(**{option: "square"})
    assert codes(error) == ["QL-RUN-001"]


def test_an_item_is_shared_by_stages_with_different_keys(ran: Bench) -> None:
    (ran.folder / "c.txt").write_text("4\n")
    ran.run("inputs=[a.txt, b.txt, c.txt]")
    # the noise is drawn in one go, so that the first three numbers stay what they were
    assert ran.done() == ["half", "numbers", "square", "squares", "total"]


def test_a_moved_folder_redoes_nothing(ran: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = ran.folder.parent / "elsewhere"
    shutil.copytree(ran.folder, elsewhere)
    shutil.rmtree(ran.folder)
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("QUARKLINE_CACHE", str(elsewhere / "cache"))  # another computer
    moved = Bench(elsewhere, ran.config)
    monkeypatch.setenv("TOY_TRACE", str(moved.trace))
    outcome = moved.run()
    assert moved.done() == []
    assert (outcome.run.number, outcome.run.complete) == (1, True)


def test_results_do_not_depend_on_the_number_of_workers(ran: Bench) -> None:
    def stages() -> dict[str, bytes | None]:
        return {name: data for name, data in ran.contents().items() if "stages/" in name}

    one = stages()
    shutil.rmtree(ran.runs)
    ran.run(compute={"workers": 3})
    assert stages() == one


def test_why_a_stage_runs(ran: Bench) -> None:
    def whys(*overrides: str) -> list[str]:
        return [item.why for item in ran.plan(*overrides).values()]

    assert whys("name=other") == ["not run yet"] * 3
    assert whys() == ["same config, code and inputs"] * 3
    assert whys("power=3") == [
        "same config, code and inputs",
        "power 2 -> 3",
        "input `squares` will change",
    ]
    assert whys("seed=6") == [
        "seed 5 -> 6",
        "input `numbers` will change",
        "seed 5 -> 6; input `squares` will change",
    ]
    assert whys("labels=[a, b]")[2] == 'labels [] -> ["a", "b"]'
    (ran.folder / "a.txt").write_text("7\n")
    assert whys()[0] == "files of `files` changed"
    (ran.folder / "a.txt").write_text("1 2\n")
    shutil.rmtree(next(ran.runs.glob("stages/total-*")))
    assert whys()[2] == "its output is gone"


def test_a_stage_version_is_a_reason_to_run(ran: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = Toy.stages

    def newer(study: Toy, config: ToyConfig) -> list[Stage]:
        numbers, *others = stages(study, config)
        return [replace(numbers, version=2), *others]

    monkeypatch.setattr(Toy, "stages", newer)
    why = [item.why for item in ran.plan().values()]
    assert why[:2] == ["stage version 1 -> 2", "input `numbers` will change"]


def test_a_plan_writes_nothing(bench: Bench) -> None:
    bench.plan()
    assert not bench.runs.parent.exists()


def test_a_plan_estimates_from_the_last_time(ran: Bench) -> None:
    assert ran.plan("name=other")["squares"].seconds is None
    seconds = ran.plan("power=3")["squares"].seconds
    assert seconds is not None
    assert seconds > 0


def test_damaged_stages_are_told(ran: Bench) -> None:
    (next(ran.runs.glob("stages/numbers-*")) / "numbers.json").unlink()
    with pytest.raises(
        WorkError, match=r"`numbers.json` is missing\n   delete .*numbers-"
    ) as error:
        ran.plan()
    assert codes(error) == ["QL-STORE-002"]


def test_damaged_stages_of_other_configs_do_not_matter(ran: Bench) -> None:
    (next(ran.runs.glob("stages/squares-*")) / "stage.json").write_text("{")
    assert ran.plan("power=3")["squares"].why == "not run yet"


def test_a_missing_input_is_one_finding(bench: Bench) -> None:
    (bench.folder / "a.txt").unlink()
    with pytest.raises(InputError, match="there is no input") as error:
        bench.run()
    assert codes(error) == ["QL-TOY-001"]
    assert not bench.runs.parent.exists()


def test_an_unreadable_input_is_one_finding(bench: Bench) -> None:
    (bench.folder / "a.txt").unlink()
    (bench.folder / "a.txt").mkdir()
    with pytest.raises(InputError, match=r"cannot read input file `.*a.txt`") as error:
        bench.run()
    assert codes(error) == ["QL-RUN-010"]


def test_a_run_that_is_locked_is_refused(ran: Bench) -> None:
    before = ran.contents()
    with (
        lock(ran.runs / "00001" / ".lock"),
        pytest.raises(InputError, match="00001 is in use by process") as error,
    ):
        ran.run()
    assert codes(error) == ["QL-STORE-001"]
    assert ran.contents() == before
    assert list_runs(ran.runs)[0].state == "done"


def test_a_lock_of_a_dead_process_does_not_stop_a_run(
    ran: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    path = ran.runs / "00001" / ".lock"
    with lock(path):
        holder = json.loads(path.read_text())
    dead = subprocess.Popen(["true"])
    dead.wait()
    path.write_text(json.dumps(holder | {"pid": dead.pid}))
    assert list_runs(ran.runs)[0].state == "done"
    ran.run()
    assert f"left by process {dead.pid}" in caplog.text
    assert not path.exists()


def test_leftovers_of_killed_attempts_are_cleared(ran: Bench) -> None:
    before = ran.contents()
    dead = subprocess.Popen(["true"])
    dead.wait()
    with lock(ran.runs / "x.lock"):
        holder = json.loads((ran.runs / "x.lock").read_text()) | {"pid": dead.pid}
    stages, items, run = ran.runs / "stages", ran.runs / "items", ran.runs / "00001"
    (stages / "numbers-0123456789ab.partial").mkdir()
    (stages / "numbers-0123456789ab.partial" / "half").write_text("x")
    for path in (
        stages / "numbers-0123456789ab.lock",
        stages / ".numbers-0123456789ab.lock.abc.claim",
        items / "squares-0123456789ab.lock",
        run / "..lock.abc.claim",
    ):
        path.write_text(json.dumps(holder))
    (run / ".results.json.abc.tmp").write_text("{")
    ran.run()
    assert ran.contents() == before


def test_provenance_tells_when_and_where_but_no_secrets(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2-token")
    bench.run()
    stages = list(bench.runs.glob("stages/*/provenance.json"))
    run = json.loads((bench.runs / "00001" / "provenance.json").read_text())
    assert len(stages) == 3
    for data in (run["attempts"][0], *(json.loads(path.read_text()) for path in stages)):
        assert {"quarkline", "python", "libraries", "host", "time", "ended"} <= data.keys()
    for path in bench.runs.rglob("*"):
        assert path.is_dir() or b"hunter2-token" not in path.read_bytes()


def test_large_files_are_known_by_their_ends_and_verified_on_demand(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filekeys, "WHOLE_FILE_LIMIT", 2)
    monkeypatch.setattr(filekeys, "ENDS", 2)
    file = bench.folder / "a.txt"
    file.write_text("12 34 5\n")
    os.utime(file, (1e9, 1e9))  # old enough for its key to be remembered
    weak = bench.plan()
    assert weak["numbers"].weak == ("a.txt",)
    assert weak["numbers"].verified == {}
    verified = bench.plan(verify=True)
    assert len(verified["numbers"].verified) == 1
    assert verified["total"].key == weak["total"].key == bench.plan()["total"].key
    bench.run(until="numbers", verify=True)
    file.write_text("12 99 5\n")  # same size, same ends
    assert bench.plan()["numbers"].state == "cached"
    with pytest.raises(InputError, match=r"`a.txt` is not the file it was") as error:
        bench.plan(verify=True)
    assert codes(error) == ["QL-STORE-003"]
