"""Searches for hyper-parameters: their trials, what they leave, and going on after a kill."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # workers import the toy's tasks by name

from learning_toy import Inline, ModelConfig, losses

from quarkline.cli.main import main
from quarkline.engine.compute import executors
from quarkline.engine.compute.local import LocalWorkers
from quarkline.engine.core.findings import InputError, WorkError
from quarkline.learning.training.search.result import TrialState, TuneResult
from quarkline.tools import run as load
from quarkline.tools import tune as tool

SPACE = {
    "train.model.width": {"choices": [16, 32, 64, 128]},
    "train.model.rate": {"low": 1e-4, "high": 1.0, "log": True},
}
NONE = {"kind": "none"}
DRAW = tool.draw


@pytest.fixture(autouse=True, scope="module")
def _inline() -> Iterator[None]:
    """Start no processes, which takes seconds; two tests below do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tool, "LocalWorkers", Inline)
        patch.setattr(executors, "LocalWorkers", Inline)
        patch.setattr(tool, "draw", lambda *_: [])  # takes a second; one test calls DRAW
        patch.setattr(os, "fsync", lambda _: None)  # no test here pulls the plug
        yield


def write(folder: Path, tune: Mapping[str, Any] | None, **keys: Any) -> Path:
    content: dict[str, Any] = {"schema": 1, "study": "learning-toy", "name": "toy"}
    content |= {"compute": {"workers": 1}} | keys | ({} if tune is None else {"tune": tune})
    folder.mkdir(exist_ok=True)
    lines = [f"{key}: {json.dumps(value)}\n" for key, value in content.items()]
    (folder / "toy.yaml").write_text("".join(lines))
    return folder / "toy.yaml"


def search(
    folder: Path, tune: Mapping[str, Any] | None, *overrides: str, trials: int | None = None, **keys
) -> tool.TuneOutcome:
    write(folder, tune, **keys)
    with contextlib.chdir(folder):
        analysis = load.load_analysis(Path("toy.yaml"), overrides=overrides)
        outcome = tool.tune(analysis, trials=trials, overrides=overrides)
        return tool.TuneOutcome(
            outcome.folder.absolute(),
            outcome.result,
            outcome.best.absolute(),
            [path.absolute() for path in outcome.figures],
            outcome.warnings,
        )


def last_loss(values: Mapping[str, Any]) -> float:
    model = ModelConfig(width=values["train.model.width"], rate=values["train.model.rate"])
    return losses(model, 4)[-1]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tool.TuneOutcome:
    tune = {"space": SPACE, "metric": "loss", "trials": 14, "pruning": NONE, "seed": 3}
    return search(tmp_path_factory.mktemp("search") / "a", tune)


class TestTrials:
    def test_each_has_the_value_of_its_config(self, searched: tool.TuneOutcome) -> None:
        trials = searched.result.trials
        assert [trial.number for trial in trials] == list(range(14))
        for trial in trials:
            assert trial.value == pytest.approx(last_loss(trial.parameters), rel=1e-12)
            assert (trial.state, trial.epochs) == (TrialState.COMPLETE, 4)

    def test_the_best_has_the_least_loss(self, searched: tool.TuneOutcome) -> None:
        found = [last_loss(trial.parameters) for trial in searched.result.trials]
        assert searched.result.best == found.index(min(found))

    def test_the_better_direction_is_the_metrics(self, tmp_path: Path) -> None:
        result = search(tmp_path, {"grid": {"train.model.width": [16, 64, 32]}}).result
        assert (result.direction, result.best) == ("maximize", 1)
        lowest = {"grid": {"train.model.width": [16, 64, 32]}, "direction": "minimize"}
        assert search(tmp_path, lowest).result.best == 0

    def test_a_grid_is_all_combinations(self, tmp_path: Path) -> None:
        grid = {"train.model.width": [16, 64], "train.model.rate": [0.1, 0.01, 0.001]}
        result = search(tmp_path, {"grid": grid, "metric": "loss"}).result
        found = [tuple(trial.parameters.values()) for trial in result.trials]
        assert sorted(found) == sorted(
            (rate, width) for width in [16, 64] for rate in [0.1, 0.01, 0.001]
        )
        assert result.best_trial.parameters == {"train.model.width": 64, "train.model.rate": 0.01}

    def test_whole_ranges_and_maps_as_choices(self, tmp_path: Path) -> None:
        space = {
            "train.epochs": {"low": 2, "high": 6, "step": 2},
            "train.model": {"choices": [{"width": 64}, {"width": 32, "rate": 0.5}]},
        }
        tune = {"space": space, "metric": "loss", "trials": 6, "pruning": NONE}
        for trial in search(tmp_path, tune).result.trials:
            epochs, model = trial.parameters["train.epochs"], trial.parameters["train.model"]
            assert trial.epochs == epochs in {2, 4, 6}
            assert trial.value == losses(ModelConfig(**model), epochs)[-1]

    def test_a_later_stage_is_prepared_once_and_an_earlier_one_for_each_value(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TOY_TRACE", str(tmp_path / "trace.txt"))
        search(tmp_path, {"grid": {"train.model.width": [16, 64, 32]}})
        assert (tmp_path / "trace.txt").read_text().split("\n").count("features") == 1
        result = search(tmp_path, {"grid": {"features.scale": [1.0, 2.0, 3.0]}}).result
        assert (tmp_path / "trace.txt").read_text().split("\n").count("features") == 3
        one, two, three = (trial.value for trial in result.trials)
        assert (two, three) == (2 * one, 3 * one)


class TestSameSeedSameTrials:
    def test_again_in_another_folder(self, searched: tool.TuneOutcome, tmp_path: Path) -> None:
        tune = {"space": SPACE, "metric": "loss", "trials": 14, "pruning": NONE, "seed": 3}
        assert search(tmp_path / "b", tune).result == searched.result

    def test_in_two_goes(self, searched: tool.TuneOutcome, tmp_path: Path) -> None:
        tune = {"space": SPACE, "metric": "loss", "trials": 5, "pruning": NONE, "seed": 3}
        assert len(search(tmp_path, tune).result.trials) == 5
        assert search(tmp_path, tune, trials=14).result == searched.result

    def test_another_seed_other_trials(self, searched: tool.TuneOutcome, tmp_path: Path) -> None:
        tune = {"space": SPACE, "metric": "loss", "trials": 3, "pruning": NONE, "seed": 4}
        found = [trial.parameters for trial in search(tmp_path, tune).result.trials]
        assert found != [trial.parameters for trial in searched.result.trials[:3]]

    def test_a_grid_has_the_same_table_from_two_processes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tune = {"grid": {"train.model.width": [16, 64, 32, 13]}, "metric": "loss"}
        one = search(tmp_path / "one", tune)
        monkeypatch.setattr(tool, "LocalWorkers", LocalWorkers)
        two = search(tmp_path / "two", tune, compute={"workers": 2})
        assert (one.folder / "trials.csv").read_text() == (two.folder / "trials.csv").read_text()


class TestPruning:
    def test_median(self, tmp_path: Path) -> None:
        grid = {"train.model.width": [64, 32, 16, 128]}
        tune = {
            "grid": grid,
            "metric": "loss",
            "pruning": {"kind": "median", "warm_up": 2, "trials": 2},
        }
        trials = search(tmp_path, tune).result.trials
        # 64 < 32 and 128 < 16 in loss: worse than the median of those before is 16 alone and,
        # against 64 and 32, 128, which is as bad as 32
        assert [trial.state for trial in trials] == ["complete", "complete", "pruned", "pruned"]
        assert [trial.epochs for trial in trials] == [4, 4, 3, 3]
        assert trials[2].value == losses(ModelConfig(width=16), 4)[2]

    def test_hyperband(self, tmp_path: Path) -> None:
        tune = {
            "space": SPACE,
            "metric": "loss",
            "trials": 12,
            "pruning": {"kind": "hyperband", "warm_up": 1},
        }
        result = search(tmp_path, tune, train={"epochs": 9}).result
        assert result.count(TrialState.PRUNED) > 0
        assert result.count(TrialState.FAILED) == 0
        assert result.best_trial.epochs == 9


class TestFailures:
    def test_a_failed_trial_is_told_and_the_rest_goes_on(self, tmp_path: Path) -> None:
        result = search(tmp_path, {"grid": {"train.model.width": [13, 64]}}).result
        failed, other = result.trials
        assert (failed.state, failed.value, failed.reason) == (
            "failed",
            None,
            "RuntimeError: no luck",
        )
        assert (other.state, result.best) == ("complete", 1)

    def test_values_that_do_not_go_together(self, tmp_path: Path) -> None:
        grid = {"train.model": [{"kind": "a"}], "train.model.width": [16, 32]}
        with pytest.raises(InputError, match=r"`train\.model` holds `train\.model\.width`"):
            search(tmp_path, {"grid": grid})

    def test_all_failed(self, tmp_path: Path) -> None:
        with pytest.raises(WorkError) as caught:
            search(tmp_path, {"grid": {"train.model.width": [13]}})
        message = str(caught.value).splitlines()[0]
        assert message == (
            "QL-TUNE-003  none of 1 trials was completed; "
            "the first failed with: RuntimeError: no luck"
        )


class TestRefusals:
    @pytest.mark.parametrize(
        ("tune", "expected"),
        [
            (None, "QL-TUNE-001"),
            ({"grid": {"train.model.widht": [1]}}, "did you mean `width`?"),
            ({"grid": {"train.model.width": [16, 0]}}, "`train.model.width` = 0"),
            (
                {"space": {"train.model.rate": {"low": 0.0, "high": 1.0}}},
                "`train.model.rate` = 0.0",
            ),
            ({"grid": {"seed": [1]}, "metric": "lose"}, "did you mean `loss`?"),
            ({"grid": {"seed": [1]}, "space": SPACE}, "give either `space` or `grid`"),
            ({"grid": {"seed": []}}, "`grid` has no values for `seed`"),
            ({"grid": {"seed": [1, 1]}}, "1 stands twice"),
            ({"space": {"seed": {"low": 1}}}, "give either `choices`, or both"),
            ({"space": {"seed": {"low": 3, "high": 1}}}, "`low` = 3 is not below `high` = 1"),
            ({"space": {"seed": {"low": 0, "high": 1, "log": True}}}, "begins above 0"),
        ],
        ids=str,
    )
    def test_before_any_work(self, tmp_path: Path, tune: Any, expected: str) -> None:
        with pytest.raises(InputError) as caught:
            search(tmp_path, tune)
        assert expected in str(caught.value)
        assert not (tmp_path / "runs").exists()

    def test_an_unknown_key_points_into_the_file(self, tmp_path: Path) -> None:
        with pytest.raises(InputError) as caught:
            search(tmp_path, {"grid": {"train.model.widht": [1]}})
        (finding,) = caught.value.findings
        assert (finding.code, finding.place.line) == ("QL-CONFIG-002", 5)


class TestFiles:
    def test_the_best_config_runs(self, tmp_path: Path) -> None:
        tune = {"grid": {"train.model.width": [16, 64]}, "metric": "loss"}
        outcome = search(tmp_path, tune, "train.model.rate=0.02", "train.folds=1")
        with contextlib.chdir(tmp_path):
            done = load.run(load.load_analysis(outcome.best))
            score = done.run.results()["score"]
        assert score.significance.value == losses(ModelConfig(width=64, rate=0.02), 4)[-1]

    def test_the_table(self, searched: tool.TuneOutcome) -> None:
        with (searched.folder / "trials.csv").open() as file:
            rows = list(csv.DictReader(file))
        for row, trial in zip(rows, searched.result.trials, strict=True):
            assert float(row["loss"]) == trial.value
            assert json.loads(row["train.model.width"]) == trial.parameters["train.model.width"]
        written = json.loads((searched.folder / "tune.json").read_text())
        assert TuneResult.from_json(written) == searched.result

    def test_figures(self, searched: tool.TuneOutcome, tmp_path: Path) -> None:
        figures = DRAW(searched.result, tmp_path)
        assert [path.name for path in figures] == ["history.pdf", "slices.pdf", "importance.pdf"]
        tables = json.loads(figures[0].with_suffix(".json").read_text())["tables"]
        best = tables[2]["data"]["dependent_variables"][0]["values"]
        found = [trial.value for trial in searched.result.trials]
        assert [cell["value"] for cell in best] == [min(found[: n + 1]) for n in range(len(found))]

    def test_importance_is_of_what_matters(self, tmp_path: Path) -> None:
        grid = {"train.model.width": [16, 32, 64, 128, 256, 512], "train.folds": [1, 2, 3]}
        importance = search(tmp_path, {"grid": grid, "metric": "loss"}).result.importance
        assert importance["train.model.width"] > 0.9
        assert sum(importance.values()) == pytest.approx(1.0)


MAIN = """
import signal
import sys
sys.path.insert(0, {here!r})
import learning_toy
from quarkline.cli.main import main
if __name__ == "__main__":
    # a shell's background job ignores Ctrl-C, and passes that on to what it starts
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main()
"""


def start(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    script = folder / "main.py"
    script.write_text(MAIN.format(here=str(Path(__file__).parent)))
    return subprocess.Popen(
        [sys.executable, str(script), "tune", "toy.yaml", *arguments],
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


TUNE = {"space": SPACE, "metric": "loss", "trials": 5, "seed": 3}


class TestInterrupted:
    @pytest.mark.slow
    @pytest.mark.parametrize(("sign", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
    def test_a_search_goes_on_where_it_was(self, tmp_path: Path, sign: int, code: int) -> None:
        write(tmp_path, TUNE)
        trace = tmp_path / "trace.txt"
        process = start(tmp_path, TOY_EPOCH="0.3", TOY_TRACE=str(trace))
        wait_for(trace, lines=8)
        os.kill(process.pid, sign)
        process.communicate(timeout=60)
        assert process.returncode == code
        outcome = search(tmp_path, TUNE)
        uninterrupted = search(tmp_path / "other", TUNE)
        for name in ("trials.csv", "tune.json"):
            assert (outcome.folder / name).read_bytes() == (
                uninterrupted.folder / name
            ).read_bytes()

    def test_what_was_cut_off_is_mended(self, tmp_path: Path) -> None:
        folder = search(tmp_path, TUNE).folder
        whole = (folder / "trials.csv").read_bytes()
        journal = folder / "journal.log"
        journal.write_bytes(journal.read_bytes() + b'{"op_code": 4, "wor')
        (folder / "journal.log.lock").symlink_to(journal)
        search(tmp_path, TUNE)
        assert (folder / "trials.csv").read_bytes() == whole


def wait_for(trace: Path, lines: int, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not trace.exists() or len(trace.read_text().splitlines()) < lines:
        assert time.monotonic() < end
        time.sleep(0.05)


class TestCommand:
    @pytest.fixture
    def quarkline(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> Iterator[Callable[..., tuple[int, str, str]]]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("COLUMNS", "120")
        before = signal.getsignal(signal.SIGTERM)

        def call(*arguments: str) -> tuple[int, str, str]:
            monkeypatch.setattr(sys, "argv", ["quarkline", "tune", "toy.yaml", *arguments])
            with pytest.raises(SystemExit) as ended:
                main()
            return int(ended.value.code or 0), *capsys.readouterr()

        yield call
        signal.signal(signal.SIGTERM, before)

    def test_text_and_json(self, tmp_path: Path, quarkline: Any) -> None:
        write(tmp_path, {"grid": {"train.model.width": [16, 64, 13]}, "metric": "loss"})
        code, out, err = quarkline("--workers", "2")
        lines = [line.rstrip() for line in out.splitlines()]
        assert (code, lines[1].split()) == (0, ["trial", "loss", "epochs", "train.model.width"])
        assert [line.split() for line in lines[3:5]] == [
            ["1", "1.2500", "4", "64"],
            ["0", "3.2500", "4", "16"],
        ]
        assert lines[6:8] == ["2 complete, 1 failed", "trial 2 failed: RuntimeError: no luck"]
        assert lines[-1].startswith("next: quarkline run runs/toy/tune/")
        assert "Traceback" not in err
        (log,) = tmp_path.glob("runs/toy/tune/*/log.txt")
        assert "RuntimeError: no luck" in log.read_text()
        code, out, _ = quarkline("--json")
        assert (code, json.loads(out)["result"]["best"]) == (0, 1)

    def test_a_mistake_is_exit_code_2(self, tmp_path: Path, quarkline: Any) -> None:
        write(tmp_path, {"grid": {"train.width": [1]}})
        code, out, err = quarkline()
        assert (code, out) == (2, "")
        assert err.startswith("QL-CONFIG-002  toy.yaml:5:")

    def test_no_trial_is_exit_code_1(self, tmp_path: Path, quarkline: Any) -> None:
        write(tmp_path, {"grid": {"train.model.width": [13]}})
        code, _, err = quarkline()
        assert code == 1
        assert "QL-TUNE-003" in err
