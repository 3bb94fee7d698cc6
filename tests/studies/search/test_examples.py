"""The shipped config, on toy ntuples and on those of PYTHIA; and the real TRExFitter config."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError, Severity
from quarkline.events.friends import with_friends
from quarkline.events.sources import open_source
from quarkline.studies.search.config import SearchConfig
from quarkline.studies.search.fits.results import Measurement
from quarkline.studies.search.results import Skim
from quarkline.tools.new import new
from quarkline.tools.run import RunOutcome, load_analysis, plan, run
from quarkline.tools.simulate import simulate

pytestmark = pytest.mark.xdist_group("search")

SMALL = (
    "train.folds=2",
    "train.fit.epochs=2",
    "train.model={kind: resnet, blocks: 1, width: 8}",
    "evaluate={replicas: 10, repetitions: 2, importance_events: 300}",
)
REAL = """\
schema: 1
study: search
name: real
extends: {config}
files: {{folders: {ntuples}}}
inputs:
  identity: [mcChannelNumber, eventNumber]
  group: [mcChannelNumber, genEventID]
  allow_missing: 249
train:
  region: lep-pt-0
  classes: [lq, ttH, ttbar, VV, Zjets]
  preset: {lq}/ml/configs/resnets/resnet-6.yaml
  features:
    use: {lq}/data_processing/features/training_features.yaml
    categorical: {lq}/data_processing/features/categorical.yaml
    missing: {lq}/data_processing/features/invalid.yaml
    objects: {{jets: {{features: {lq}/data_processing/features/array.yaml, length: 6}}}}
score: {{column: probs_lq}}
"""
YIELDS = {
    "lq": (2548, 132.4, 5.1),
    "ttH": (474, 117.6, 8.7),
    "ttbar": (580, 824.5, 86.5),
    "VV": (247, 933.0, 104.5),
    "Zjets": (74, 220.5, 30.3),
}
"""Rows, expected events and error by generated event, as the ntuples' README has them."""


TRUE_STRENGTH = 0.8
"""Strength of the signal in the data of the ntuples, as their README has it."""


def skim_of(outcome: RunOutcome) -> Skim:
    skim = outcome.run.results()["skim"]
    assert isinstance(skim, Skim)
    return skim


@pytest.fixture(scope="module")
def ntuples(data_folder: Path) -> Path:
    return data_folder / "lq_ntuples"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_example_runs_on_simulated_toys(tmp_path: Path) -> None:
    simulate("leptoquark", tmp_path / "lq_ntuples", events=24_000, seed=2)
    config = new("leptoquark", "mine", folder=tmp_path)
    overrides = [f"roots.runs={tmp_path / 'runs'}", *SMALL]
    outcome = run(load_analysis(config, overrides=overrides))
    assert outcome.run.complete
    assert outcome.headline is not None
    assert outcome.headline.startswith("mu_lq = ")
    assert "at 95 % CL" in outcome.headline
    assert {"postfit_SR.pdf", "ranking.pdf", "limit.pdf"} <= {path.name for path in outcome.figures}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_example_goes_from_ntuples_to_fit_friends_and_report(
    ntuples: Path, tmp_path: Path
) -> None:
    config = new("leptoquark", "mine", folder=tmp_path)
    overrides = [f"roots.runs={tmp_path / 'runs'}", f"roots.ntuples={ntuples}", *SMALL]
    overrides += [f"roots.friends={tmp_path / 'friends'}", "train.model={kind: bdt}"]
    outcome = run(load_analysis(config, overrides=overrides))
    strength = outcome.run.results()["measurement"]
    assert isinstance(strength, Measurement)
    assert strength.poi is not None
    assert abs(strength.poi.value - TRUE_STRENGTH) < 2 * strength.poi.error
    assert strength.poi.error < 0.3
    found = {sample.name: sample for sample in skim_of(outcome).samples}
    for name, (rows, expected, error) in YIELDS.items():
        assert found[name].selected == rows
        assert found[name].yield_.value == pytest.approx(expected, rel=2e-3)
        assert found[name].yield_.up == pytest.approx(error, rel=2e-2)
    assert found["data"].selected == 2152
    hosts = sorted(ntuples.rglob("*.root"))
    for host in hosts:
        friend = tmp_path / "friends" / host.relative_to(ntuples)
        with open_source(host, tree="nominal") as source:
            score = np.asarray(with_friends(source, [friend]).read(["score"])["score"])
        assert ((score >= 0) & (score <= 1)).all()


@pytest.mark.slow
def test_the_real_config_of_the_fit_is_trained_on_as_it_is(
    data_folder: Path, tmp_path: Path
) -> None:
    lq = data_folder / "lq"
    path = tmp_path / "real.yaml"
    path.write_text(
        REAL.format(
            config=lq / "trex-fitter" / "configs" / "training.config",
            ntuples=data_folder / "lq_ntuples",
            lq=lq,
        )
    )
    overrides = [f"roots.runs={tmp_path / 'runs'}", "train.fit.epochs=1", "train.folds=2"]
    analysis = load_analysis(path, overrides=overrides)
    _, warnings = plan(analysis)
    assert all(item.severity is not Severity.ERROR for item in warnings)
    told = {item.code: item.message for item in warnings}
    assert "249 of 300 files are not there" in told["QL-CATALOG-030"]
    outcome = run(analysis, until="train")
    found = {sample.name: sample for sample in skim_of(outcome).samples}
    assert set(found) == set(YIELDS)
    for name, (rows, expected, _) in YIELDS.items():
        assert found[name].selected == rows
        assert found[name].yield_.value == pytest.approx(expected, rel=1e-3)
    assert len(skim_of(outcome).missing) == 249


@pytest.mark.slow
def test_published_presets_are_settings_of_the_search_or_are_refused(
    data_folder: Path, tmp_path: Path
) -> None:
    lq = data_folder / "lq"
    path = tmp_path / "real.yaml"
    text = REAL.format(
        config=lq / "trex-fitter" / "configs" / "training.config",
        ntuples=data_folder / "lq_ntuples",
        lq=lq,
    )
    path.write_text(text)
    refused = {}
    for preset in sorted((lq / "ml" / "configs").glob("*/*.yaml")):
        try:
            analysis = load_analysis(path, overrides=[f"train.preset={preset}"])
        except InputError as error:
            refused[preset.stem] = {item.code for item in error.findings}
        else:
            assert isinstance(analysis.config, SearchConfig)
            assert analysis.config.train.fit.learning_rate == "find"
    assert {"resnet-nan-w", "resnet-50-drop"} <= set(refused)
    told = set().union(*refused.values())
    assert told <= {"QL-PRESET-001", "QL-PRESET-002", "QL-CONFIG-002", "QL-FEATURES-005"}
