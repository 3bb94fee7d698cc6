"""What the methods promise: nobody scores what it learned from, and what each can and cannot do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

pytest.importorskip("torch")

from quarkline.engine.core.findings import InputError, WorkError
from quarkline.engine.core.rng import library_seed
from quarkline.events.table import write_table
from quarkline.learning.models.artifact import load_model
from quarkline.learning.models.flow import ConditionalFlow
from quarkline.learning.models.folds import ClassifierFolds, partition
from quarkline.statistics import roc_curve
from quarkline.studies.resonance.background import train_flow
from quarkline.studies.resonance.classify import train_repetition
from quarkline.studies.resonance.config import FlowConfig
from quarkline.studies.resonance.generate import flow_inputs, generate
from quarkline.studies.resonance.methods import FLOW, METHODS, TEMPLATES, method_inputs
from quarkline.tools.run import RunOutcome, load_analysis, plan, run
from quarkline.tools.simulate import simulate

from .conftest import CONFIG, write_config

pytestmark = pytest.mark.xdist_group("resonance-methods")

SHARED = {"features": ["x", "y"], "window": [9.0, 10.6], "seed": 1}
TREES = {
    "kind": "bdt",
    "folds": 4,
    "trees": 30,
    "depth": 3,
    "learning_rate": 0.1,
    "subsample": 0.7,
    "min_leaf": 30,
}
FLOW_CONFIG = FlowConfig(hidden=[16], max_epochs=12, batch_size=256)


@dataclass(frozen=True)
class Toy:
    """Background whose feature x follows the mass, and a signal at high y.

    Attributes:
        mass: In GeV, with shape (N,).
        x: Rises by one of its widths in every GeV, with shape (N,).
        y: Knows nothing of the mass in background, with shape (N,).
        signal: Which events are signal, with shape (N,).
    """

    mass: np.ndarray
    x: np.ndarray
    y: np.ndarray
    signal: np.ndarray

    @classmethod
    def drawn(cls, seed: int, background: int, signal: int) -> Toy:
        generator = np.random.default_rng(seed)
        mass = np.concatenate(
            [generator.uniform(5, 16, background), generator.normal(9.8, 0.2, signal)]
        )
        true = np.arange(background + signal) >= background
        x = mass - 10 + generator.normal(size=len(mass))
        y = generator.normal(np.where(true, 2.0, 0.0), np.where(true, 0.5, 1.0))
        return cls(mass, x, y, true)

    @property
    def group(self) -> np.ndarray:
        return np.random.default_rng(9).permutation(len(self.mass)).astype(np.uint64)

    def write(self, path: Path) -> Path:
        columns = {
            "dimu_mass": self.mass,
            "control": np.zeros(len(self.mass), dtype=bool),
            "_group": self.group.view(np.int64),
            "x": self.x,
            "y": self.y,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        write_table(path, columns)
        return path


@dataclass(frozen=True)
class Trained:
    """A toy with its flow, its generated events and a background sample."""

    folder: Path
    toy: Toy
    pairs: Path
    flow: Path
    files: Mapping[str, Path]

    def scores(self, method: str) -> np.ndarray:
        """Rank of every event by one repetition of a method."""
        inputs = {"pairs": self.pairs} | method_inputs(method, 0, self.files, [self.flow])
        return repetition(method, inputs, self.folder / method)[0]

    def auc(self, method: str) -> float:
        """How well the scores tell signal from background in the window."""
        inside = (self.toy.mass >= 9.0) & (self.toy.mass < 10.6)
        score, signal = self.scores(method), self.toy.signal
        return roc_curve(score[inside & signal], score[inside & ~signal]).auc.value


def repetition(method: str, inputs: Mapping[str, Path], folder: Path) -> np.ndarray:
    """Rank and probability of every event, with shape (2, N)."""
    if not folder.exists():
        folder.mkdir()
        args = SHARED | {"method": method, "classifier": TREES, "repetition": 0}
        train_repetition(args, inputs, folder)
    return np.load(folder / "pairs.npy")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("methods")
    toy = Toy.drawn(1, 8_000, 120)
    pairs = toy.write(folder / "pairs.parquet")
    (folder / "flow").mkdir()
    flow_args = SHARED | {"flow": FLOW_CONFIG.model_dump(mode="json"), "number": 1}
    train_flow(flow_args, {"pairs": pairs}, folder / "flow")
    flow = folder / "flow" / "model"
    args = {"range": [5.0, 16.0], "kind": "window", "hypothesis": [3, 8], "oversample": 4.0}
    generate(SHARED | args, {"pairs": pairs} | flow_inputs([flow]), folder)
    background = Toy.drawn(2, 30_000, 0).write(folder / "background" / "pairs.parquet")
    files = {"window": folder / "events.parquet", "background": background}
    return Trained(folder, toy, pairs, flow, files)


def test_the_latent_space_holds_nothing_of_the_mass(trained: Trained) -> None:
    toy = Toy.drawn(3, 8_000, 0)
    flow = load_model(trained.flow, ConditionalFlow)
    noise = flow.latent(np.stack([toy.x, toy.y], axis=1), toy.mass)
    assert np.corrcoef(toy.x, toy.mass)[0, 1] > 0.9
    for column in noise.T:
        assert stats.kstest(column, "norm").statistic < 0.03
        assert abs(np.corrcoef(column, toy.mass)[0, 1]) < 0.04
        third = np.digitize(toy.mass, [9.0, 10.6])
        assert max(abs(column[third == i].mean()) for i in range(3)) < 0.1


def test_cwola_sculpts_where_features_follow_the_mass_and_lacathode_does_not(
    trained: Trained,
) -> None:
    """Of background in the window, a tenth should pass where a tenth does beside it."""
    mass, background = trained.toy.mass, ~trained.toy.signal
    inside = (mass >= 9.0) & (mass < 10.6)
    passing = {}
    for method in ("cwola", "lacathode"):
        score = trained.scores(method)
        cut = np.quantile(score[~inside], 0.9)
        passing[method] = (score[inside & background] >= cut).mean()
    assert passing["cwola"] > 0.2
    assert 0.07 < passing["lacathode"] < 0.14


def test_ideal_is_an_upper_bound(trained: Trained) -> None:
    power = {method: trained.auc(method) for method in METHODS}
    assert power["ideal"] > 0.85
    for method in ("cathode", "lacathode", "cwola"):
        assert power[method] < power["ideal"] + 0.04  # the areas are known to 0.025
    assert power["cathode"] > power["cwola"] + 0.05


def test_sidebands_that_cwola_learned_from_do_not_score_their_own_fold(
    trained: Trained, tmp_path: Path
) -> None:
    toy = trained.toy
    inside = (toy.mass >= 9.0) & (toy.mass < 10.6)
    seed = library_seed(SHARED["seed"], "classify")
    fold = partition(toy.group, TREES["folds"], seed=seed, repetition=0)
    moved = ~inside & (fold == 2)
    other = replace(toy, y=np.where(moved, toy.y + 3.0, toy.y)).write(tmp_path / "pairs.parquet")
    first = repetition("cwola", {"pairs": trained.pairs}, tmp_path / "first")[1]
    second = repetition("cwola", {"pairs": other}, tmp_path / "second")[1]
    same = first == second
    assert same[inside & (fold == 2)].all()
    assert not same[inside & (fold != 2)].any()


def test_repetitions_in_the_latent_space_take_turns_with_the_flows() -> None:
    flows, files = [Path("a"), Path("b"), Path("c")], {"window": Path("w")}
    used = [method_inputs("lacathode", number, files, flows)[FLOW] for number in range(5)]
    assert [path.name for path in used] == ["a", "b", "c", "a", "b"]
    assert method_inputs("cathode", 0, files, flows) == {TEMPLATES: Path("w")}
    assert method_inputs("cwola", 0, files, flows) == {}


def configured(**sections: str) -> str:
    """The tiny config with another text on the first line of some sections."""
    text = CONFIG
    for name, new in sections.items():
        text = re.sub(rf"(?m)^{name}:.*$", f"{name}: {new}", text)
    return text


MISTAKES = {
    "unknown method": (
        configured(background="\n  kind: lacathod"),
        r"QL-CONFIG-004 .*`background.kind` = 'lacathod' is none .*did you mean `lacathode`",
    ),
    "ideal without files": (
        configured(background="\n  kind: ideal"),
        r"QL-CONFIG-004 .*`background`: `kind: ideal` needs `files`",
    ),
    "files without ideal": (
        configured(background="\n  kind: cwola\n  files: a.root"),
        r"QL-CONFIG-004 .*`background.files` is not read by `background.kind: cwola`",
    ),
    "ideal compared without files": (
        configured(comparison="{methods: [ideal]}"),
        r"QL-CONFIG-004 .*`comparison.methods` names `ideal`, which needs `background.files`",
    ),
    "a method twice": (
        configured(comparison="{methods: [cwola, cwola]}"),
        r"QL-CONFIG-004 .*`comparison`: `methods` names `cwola` more than once",
    ),
    "one seed has no error": (
        configured(comparison="{seeds: 1}"),
        r"QL-CONFIG-004 .*`comparison.seeds` = 1: .*greater than or equal to 2",
    ),
    "unknown classifier": (
        CONFIG.replace("classifier: {", "classifier: {kind: mpl, "),
        r"QL-CONFIG-004 .*`classifier.kind` = 'mpl' is none .*did you mean `mlp`",
    ),
    "another classifier's key": (
        CONFIG.replace("classifier: {", "classifier: {kind: mlp, "),
        r"QL-CONFIG-002 .*unknown key `trees`.*keys allowed here: average_decay, batch_size",
    ),
    "a misspelt key": (
        CONFIG.replace("trees: 10", "kind: mlp, hiden: [8]"),
        r"QL-CONFIG-002 .*unknown key `hiden`.*did you mean `hidden`",
    ),
    "a misspelt key without kind": (
        CONFIG.replace("trees: 10", "tres: 10"),
        r"QL-CONFIG-002 .*unknown key `tres`.*did you mean `trees`",
    ),
    "a name for a map": (
        CONFIG.replace("{folds: 3, ensemble: 2, trees: 10}", "mlp"),
        r"QL-CONFIG-004 .*`classifier` = 'mlp': a map of keys is needed here",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told(mistake: str, tmp_path: Path) -> None:
    text, message = MISTAKES[mistake]
    with pytest.raises(InputError, match=f"(?s){message}"):
        load_analysis(write_config(tmp_path, text))


@pytest.mark.parametrize(("written", "kind"), [("{trees: 7}", "bdt"), ("{kind: mlp}", "mlp")])
def test_a_classifier_without_kind_means_trees(written: str, kind: str, tmp_path: Path) -> None:
    text = CONFIG.replace("{folds: 3, ensemble: 2, trees: 10}", written)
    config: Any = load_analysis(write_config(tmp_path, text)).config
    assert (config.classifier.kind, config.classifier.folds) == (kind, 5)


def test_a_missing_background_file_is_seen_before_any_work(events: Path, tmp_path: Path) -> None:
    text = CONFIG.replace("background:", f"background:\n  kind: ideal\n  files: {tmp_path}/b.root")
    with pytest.raises(InputError, match=r"b\.root"):
        plan(load_analysis(write_config(events, text), overrides=[f"roots.runs={tmp_path}"]))


def test_a_background_sample_without_events_in_the_window_is_refused(
    events: Path, tmp_path: Path
) -> None:
    simulate("upsilon", tmp_path / "few.root", events=5, signal=0, seed=1)
    written = f"background:\n  kind: ideal\n  files: {tmp_path}/few.root"
    config = write_config(events, CONFIG.replace("background:", written))
    analysis = load_analysis(config, overrides=[f"roots.runs={tmp_path}"])
    with pytest.raises(WorkError, match=r"QL-RES-040.*no pair of `background.files` lies in 9 to"):
        run(analysis, only="select-background")


def test_only_cathode_is_trained_again_for_other_degrees(events: Path, tmp_path: Path) -> None:
    outputs = {}
    for method in ("cathode", "lacathode"):
        text = CONFIG.replace("background:", f"background:\n  kind: {method}")
        path = write_config(events, text)
        analysis = load_analysis(path, overrides=[f"roots.runs={tmp_path}"])
        (stage,) = [one for one in analysis.study.stages(analysis.config) if one.name == "generate"]
        outputs[method] = [name for name in stage.outputs if name.startswith("window")]
    assert outputs["cathode"] == ["window-degree5-bins11", "window-degree3-bins11"]
    assert outputs["lacathode"] == ["window-degree5-bins11"]


def test_a_latent_classifier_is_kept_with_its_flow(finished: RunOutcome, events: Path) -> None:
    text = CONFIG.replace("background:", "background:\n  kind: lacathode")
    path = write_config(events, text)
    root = finished.run.folder.parents[1]
    outcome = run(load_analysis(path, overrides=[f"roots.runs={root}"]), until="classify")
    models = outcome.run.record("classify").files["models"]
    for number in ("0", "1"):
        model = load_model(models / number, ClassifierFolds)
        assert model.features == ("noise_dimu_pt", "noise_mu0_ip3d", "noise_mu1_ip3d")
        assert load_model(models / number / FLOW, ConditionalFlow).scaler.names == (
            "dimu_pt",
            "mu0_ip3d",
            "mu1_ip3d",
        )
