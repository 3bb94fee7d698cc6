"""A small toy of ntuples, and the smallest search in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

pytest.importorskip("torch")

from quarkline.engine.workflow.study import register_study
from quarkline.events.sinks import open_sink
from quarkline.studies.search import SEARCH
from quarkline.tools.run import RunOutcome, load_analysis, run
from tests.farm.here import here

register_study(SEARCH)

CONFIG = """\
schema: 1
study: search
name: tiny
files: {folders: ntuples, trees: nominal}
luminosity: {value: 10}
weights: {generator: weight_mc}
samples:
  signal: {role: signal, files: {names: [mc/1a, mc/1b]}}
  top: {files: {names: mc/2}}
  other: {files: {names: mc/3}, weight: 2.0}
  data: {role: data, files: {names: data/15}}
regions:
  SR: {variable: score, selection: "pass_ == 1 && pt > 15"}
systematics:
  scale:
    kind: varied
    up: {columns: {pt: "1.2 * pt"}}
    down: {columns: {pt: "0.8 * pt"}}
  pileup: {kind: varied, up: {weight_factor: wp}, down: {weight_factor: "1 / wp"}}
inputs:
  identity: [channel, event]
  group: [channel, generated]
train:
  region: SR
  classes: {signal: signal, background: [top, other]}
  features:
    use: [pt, eta, code, mass]
    categorical: [code]
    objects: {jets: {features: [jets_pt], length: 2}}
    missing: [-99]
  model: {kind: resnet, blocks: 1, width: 8}
  fit: {epochs: 3, batch_size: 64}
  folds: 2
evaluate: {min_background: 3, replicas: 20, repetitions: 2}
seed: 3
compute: {workers: 1}
"""
CHANNELS = {"mc/1a": (1, 30.0, 400), "mc/1b": (1, 30.0, 200), "mc/2": (2, 20.0, 500)}
CHANNELS |= {"mc/3": (3, 15.0, 300), "data/15": (0, 20.0, 250)}


def toy(channel: int, scale: float, events: int, seed: int) -> dict[str, Any]:
    """Columns of one file; events of simulation come in pairs of one generated event."""
    random = np.random.default_rng(seed)
    jets = random.integers(0, 4, events)
    number = np.arange(events) + 10_000 * seed
    columns: dict[str, Any] = {
        "channel": np.full(events, channel, np.int32),
        "event": number.astype(np.uint64),
        "pt": random.exponential(scale, events).astype(np.float32) + 5,
        "eta": random.normal(size=events).astype(np.float32),
        "mass": np.where(jets > 0, random.normal(scale, 5, events), -99).astype(np.float32),
        "code": random.choice([-11, 11, 13], events).astype(np.int32),
        "pass_": (random.random(events) < 0.8).astype(np.int32),
        "weight_mc": random.choice([-0.2, 1.0], events, p=[0.1, 0.9]).astype(np.float32),
        "wp": random.normal(1, 0.1, events).astype(np.float32),
        "jets_pt": ak.unflatten(random.exponential(scale, jets.sum()).astype(np.float32), jets),
    }
    if channel:
        columns["generated"] = (number // 2).astype(np.int32)
    return columns


def write_ntuple(path: Path, columns: Mapping[str, Any], tree: str = "nominal") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_sink(path, tree=tree) as sink:
        sink.write(ak.Array(dict(columns)))
    return path


@pytest.fixture(scope="session")
def _toys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return {
        name: toy(*values, seed=number)
        for number, (name, values) in enumerate(CHANNELS.items(), start=1)
    }


@pytest.fixture
def toys(_toys: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Columns of each file, free to be changed before they are written."""
    return {name: dict(columns) for name, columns in _toys.items()}


@pytest.fixture(scope="session")
def events(tmp_path_factory: pytest.TempPathFactory, _toys: dict[str, dict[str, Any]]) -> Path:
    """A folder with `ntuples` and the config `tiny.yaml`."""
    folder = tmp_path_factory.mktemp("search")
    for name, columns in _toys.items():
        write_ntuple(folder / "ntuples" / f"{name}.root", columns)
    (folder / "tiny.yaml").write_text(CONFIG)
    return folder


def write_all(folder: Path, toys: Mapping[str, Mapping[str, Any]], config: str = CONFIG) -> Path:
    """A folder with other files than the usual ones; the path of its config."""
    for name, columns in toys.items():
        write_ntuple(folder / "ntuples" / f"{name}.root", columns)
    path = folder / "tiny.yaml"
    path.write_text(config)
    return path


@pytest.fixture(scope="session")
def finished(events: Path, tmp_path_factory: pytest.TempPathFactory) -> RunOutcome:
    """All but the figures; tests that ask for it share an xdist group, so that it runs once."""
    runs = tmp_path_factory.mktemp("finished")
    with here():
        return run(
            load_analysis(events / "tiny.yaml", overrides=[f"roots.runs={runs}"]), until="friends"
        )
