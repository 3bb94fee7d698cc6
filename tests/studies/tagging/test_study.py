"""The whole study on few simulated jets: workers and the way jets come in change nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from quarkline.engine.workflow.study import register_study
from quarkline.studies.tagging import TAGGING
from quarkline.studies.tagging.features.results import JetFeatures
from quarkline.tools.new import new
from quarkline.tools.run import RunOutcome, load_analysis, run
from tests.farm.here import here

register_study(TAGGING)
pytestmark = pytest.mark.xdist_group("tagging-study")

JETS = {"signal": 600, "qcd": 600, "bib": 600, "control_simulation": 400, "control_data": 400}
REST = """\
features: {validation: 0.2, test: 0.2}
train:
  model: {kind: lstm-streams, absent: zeros, streams: [{filters: [4], nodes: 2}], hidden: [8]}
  adversary: {kind: distance-correlation, weight: 1}
  fit: {epochs: 2, batch_size: 256}
watch: {permutations: 20}
"""
SOURCE = f"""\
simulate:
  jets: {json.dumps(JETS)}
  masses: [{{mH: 125, mS: 5, lifetime: 0.4}}, {{mH: 600, mS: 150, lifetime: 2}}]
  write: both
"""
KINDS = {
    "signal/mH125_mS5": "sig, llp_mH: 125, llp_mS: 5",
    "signal/mH600_mS150": "sig, llp_mH: 600, llp_mS: 150",
    "qcd/": "qcd",
    "bib/": "bib",
    "control-simulation/": "qcd",
    "control-data/": "data",
}
"""What ntuples hold, by how their paths begin."""


def go(folder: Path, source: str, *, workers: int = 1, until: str = "analyze") -> RunOutcome:
    """A run with these jets in its own folder."""
    folder.mkdir(exist_ok=True)
    config = folder / "study.yaml"
    config.write_text(f"schema: 1\nstudy: tagging\nname: small\nseed: 4\n{source}{REST}")
    analysis = load_analysis(
        config, overrides=[f"compute.workers={workers}", f"roots.runs={folder / 'runs'}"]
    )
    with here():
        return run(analysis, until=until)


def outputs(outcome: RunOutcome, stage: str) -> Path:
    """The folder of a stage of a run."""
    (found,) = (outcome.run.folder.parent / "stages").glob(f"{stage}-*")
    return found


def told(outcome: RunOutcome) -> dict[str, Any]:
    """The results of a run, as they stand in its file."""
    text = (outcome.run.folder / "results.json").read_text()
    found: dict[str, Any] = json.loads(text)["results"]
    return found


def learned(outcome: RunOutcome) -> dict[str, Any]:
    """Its results without those that tell of files."""
    return {
        name: result
        for name, result in told(outcome).items()
        if name not in {"simulated", "conversion", "build"}
    }


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> RunOutcome:
    return go(tmp_path_factory.mktemp("simulated"), SOURCE)


def test_every_simulated_jet_is_built_split_and_judged(simulated: RunOutcome) -> None:
    features = simulated.run.results()["features"]
    assert isinstance(features, JetFeatures)
    jets = told(simulated)["simulated"]["jets"]
    main = sum(jets[name] for name in ("signal", "qcd", "bib"))
    assert main >= 1800
    by_split = {
        part: sum(one.jets for one in features.counts if one.set == part)
        for part in ("main", "control")
    }
    assert by_split == {"main": main, "control": jets["control-data"] + jets["control-simulation"]}
    assert {(point.mH, point.mS) for point in features.masses} == {(125, 5), (600, 150)}
    tested = sum(one.jets for one in features.counts if (one.set, one.split) == ("main", "test"))
    assert 0 < tested == sum(told(simulated)["judged"]["jets"].values())


def test_tables_of_a_simulation_are_taken_as_its_own(simulated: RunOutcome, tmp_path: Path) -> None:
    tables = outputs(simulated, "simulate") / "tables"
    again = go(tmp_path, f"tables: {tables}\n")
    assert learned(again) == learned(simulated)


@pytest.mark.slow
def test_two_workers_find_what_one_does(simulated: RunOutcome, tmp_path: Path) -> None:
    again = go(tmp_path, SOURCE, workers=2)
    assert told(again) == told(simulated)


@pytest.mark.slow
def test_ntuples_of_a_simulation_have_the_jets_of_its_tables(
    simulated: RunOutcome, tmp_path: Path
) -> None:
    ntuples = outputs(simulated, "simulate") / "ntuples"
    lines = [
        f'  - {{files: "{ntuples}/{start}*.root", kind: {kind}, folder: {start.split("/")[0]}}}'
        for start, kind in KINDS.items()
    ]
    again = go(tmp_path, "\n".join(["ntuples:", *lines, ""]), until="features")
    assert told(again)["features"] == told(simulated)["features"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_shipped_config_goes_from_simulation_to_export_and_report(tmp_path: Path) -> None:
    config = new("calratio", "mine", folder=tmp_path)
    small = {name: jets // 2 for name, jets in JETS.items()}
    overrides = [
        f"roots.runs={tmp_path / 'runs'}",
        f"simulate.jets={json.dumps(small)}",
        "train.fit.epochs=2",
        "train.model={kind: lstm-streams, absent: skipped, hidden: [8]}",
        "draw.forms=[png]",
    ]
    outcome = run(load_analysis(config, overrides=overrides))
    assert outcome.run.complete
    assert outcome.headline is not None
    assert "worst K-S" in outcome.headline
    assert outcome.report is not None
    assert "roc_curve_atlas_rej_bib__None" in outcome.report.read_text()
    exported = {one["format"]: one["files"] for one in told(outcome)["exported"]["formats"]}
    assert exported["cpp"]
    assert exported["onnx"]
