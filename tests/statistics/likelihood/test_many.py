"""Many fits: the same numbers for any workers and chunks, from specifications in a file."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf

import numpy as np
import pytest

from quarkline.engine.compute.job import perform, task_name
from quarkline.engine.compute.local import LocalWorkers, finished
from quarkline.statistics.likelihood.fit import fit
from quarkline.statistics.likelihood.goodness import goodness_of_fit
from quarkline.statistics.likelihood.impacts import grouped_impacts
from quarkline.statistics.likelihood.many import InProcess, Problem, Spread
from quarkline.statistics.likelihood.model import Model
from quarkline.statistics.likelihood.profiles import profile
from quarkline.statistics.likelihood.ranking import ranking
from quarkline.statistics.likelihood.scans import scan
from quarkline.statistics.likelihood.spec_json import spec_as_json, spec_from_json
from quarkline.statistics.likelihood.toys import toy_fits
from tests.statistics.likelihood.likelihoods import counting, mu, shapes


@pytest.fixture(scope="module")
def model():
    return Model(shapes())


@pytest.fixture(scope="module")
def fitted(model):
    return fit(model, model.data)


def everything(model, fitted, runner):
    """All that is made of many fits."""
    data = model.data
    return (
        ranking(model, data, fitted, runner=runner),
        grouped_impacts(model, data, fitted, runner=runner),
        scan(model, data, fitted, "mu", runner=runner),
        goodness_of_fit(model, data, fitted, toys=7, runner=runner),
        toy_fits(model, fitted.values, 9, runner=runner),
    )


class Here:
    """Runs items one after another, as a worker process would."""

    def __init__(self, folder):
        self.folder, self.steps = folder, []

    def __call__(self, step, task, items):
        self.steps.append((step, len(items)))
        base = self.folder / str(len(self.steps))
        return [perform(task_name(task), item, base / item.name) for item in items]


@pytest.fixture(scope="module")
def whole(model, fitted):
    return everything(model, fitted, InProcess())


@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_results_do_not_depend_on_chunks(model, fitted, whole, tmp_path, chunk):
    here = Here(tmp_path)
    assert everything(model, fitted, Spread(here, tmp_path, chunk=chunk)) == whole
    assert ("fit-toy", -(-9 // chunk)) in here.steps


@pytest.mark.slow
def test_results_do_not_depend_on_processes(model, fitted, tmp_path):
    workers = LocalWorkers(2)

    def on_workers(step, task, items):
        pairs = [(item, tmp_path / f"{step}-{item.name}") for item in items]
        return finished(list(workers.map(task_name(task), pairs)))

    spread = toy_fits(model, fitted.values, 12, runner=Spread(on_workers, tmp_path, chunk=5))
    assert spread == toy_fits(model, fitted.values, 12)


def test_progress_counts_every_fit(model, fitted):
    seen = []
    scan(model, model.data, fitted, "mu", [0.0, 1.0], runner=InProcess(lambda *x: seen.append(x)))
    assert seen == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    "spec",
    [
        counting(),
        shapes(),
        replace(shapes(), poi=None),
        counting(poi=replace(mu(), low=-inf, high=inf)),
    ],
)
def test_a_specification_survives_a_file(spec):
    again = spec_from_json(json.loads(json.dumps(spec_as_json(spec), allow_nan=False)))
    assert again == spec


def test_a_problem_survives_a_file(model, fitted):
    problem = Problem(model, model.toy(model.initial, np.random.default_rng(1)), fitted.values)
    again = Problem.from_json(json.loads(json.dumps(problem.as_json())))
    assert profile(again, {"mu": 0.7}) == profile(problem, {"mu": 0.7})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "other/1"}, "expected schema 'quarkline.likelihood/1', found 'other/1'"),
        ({"channels": None}, "not iterable"),
        ({"parameters": [{"name": "mu"}]}, "`low` is missing"),
    ],
)
def test_something_else_is_no_specification(change, message):
    with pytest.raises(ValueError, match=message):
        spec_from_json(spec_as_json(counting()) | change)


def test_an_unknown_kind_of_modifier_is_refused():
    data = spec_as_json(counting())
    data["channels"][0]["samples"][0]["modifiers"] = [{"kind": "morph", "parameter": "mu"}]
    with pytest.raises(ValueError, match="`morph` is missing or unknown"):
        spec_from_json(data)
