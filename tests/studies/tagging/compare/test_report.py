"""The comparison of runs: what is chosen, shown, bold, and set differently."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.engine.core.results import Quantity, result_from_json
from quarkline.report import Document, Table, write_document, write_markdown
from quarkline.studies.tagging.analyze.blocks import best_bold
from quarkline.studies.tagging.analyze.config import AnalyzeConfig
from quarkline.studies.tagging.analyze.history import TrainingHistory, choose_epoch, read_history
from quarkline.studies.tagging.analyze.measure import judged_epoch
from quarkline.studies.tagging.analyze.results import Judged, JudgedEpoch
from quarkline.studies.tagging.compare.report import compare_runs
from quarkline.studies.tagging.compare.runs import ComparedRun, differing, flat
from quarkline.studies.tagging.watch.config import WatchConfig
from quarkline.studies.tagging.watch.judged import JudgedJets, judged_tagger
from quarkline.studies.tagging.watch.quantities import WatchedJets
from quarkline.studies.tagging.watch.record import EpochRecord, record_path

KEYS = ("original_lossf", "original_adv_lossf", "adv_loss")


def history(name: str, losses: list[float], ks: list[float]) -> TrainingHistory:
    size = len(losses)
    metrics = {key: [0.7] * size for key in (*KEYS, *(f"val_{key}" for key in KEYS))}
    metrics |= {
        f"ks_{output}_hist": [value / 3 for value in ks] for output in ("qcd", "sig", "bib")
    }
    metrics |= {"val_original_lossf": losses, "original_lossf": [loss - 0.1 for loss in losses]}
    metrics |= {"ks_worst": ks, "val_original_adv_lossf": [0.1 * n for n in range(size)]}
    return TrainingHistory(name, tuple(range(size)), metrics)


def judged(training: str, epoch: int, strength: float) -> JudgedEpoch:
    """Scores of a softmax whose output of the own class grows with `strength`."""
    draw = np.random.default_rng(epoch)
    label = np.repeat([0, 1, 2], 200).astype(np.int8)
    logits = draw.normal(size=(600, 3))
    logits[np.arange(600), label] += strength
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    mass = np.zeros((600, 2))
    mass[200:300], mass[300:400] = (125, 5), (600, 150)
    main = JudgedJets(scores, WatchedJets(label, np.ones(600), np.ones(600)), mass)
    is_data = (np.arange(600) % 2 == 0).astype(np.int8)
    control = JudgedJets(
        scores, WatchedJets(is_data, np.ones(600), draw.uniform(40, 400, 600)), 0 * mass
    )
    tagger = judged_tagger(main, control, WatchConfig(permutations=0))
    return judged_epoch(training, epoch, main, tagger, AnalyzeConfig())


@pytest.fixture(scope="module")
def runs() -> list[ComparedRun]:
    first = history("toy/1", [0.9, 0.7, 0.5, 0.4], [0.02, 0.06, 0.2, 0.5])
    second = history("toy/2", [0.9, 0.65, 0.6, 0.55], [0.02, 0.05, 0.09, 0.3])
    found = Judged(
        {"QCD": 200, "signal": 200, "BIB": 200},
        {"simulation": 300, "data": 300},
        (judged("toy/2", 2, 2.0), judged("toy/2", 1, 1.0)),
    )
    settings = {"train": {"epochs": 4, "adversary": {"weight": 10}}, "seed": 1}
    other = {"train": {"epochs": 4, "adversary": {"weight": 1}, "hidden": [512, 64]}, "seed": 1}
    return [
        ComparedRun("toy/1", [first], {"toy/1": range(4)}, None, flat(settings)),
        ComparedRun("toy/2", [second], {"toy/2": range(4)}, found, flat(other)),
    ]


@pytest.fixture(scope="module")
def document(runs: list[ComparedRun], tmp_path_factory: pytest.TempPathFactory) -> Document:
    """The comparison, with figures made and not drawn."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("analyze.drawing", "compare.report"):
            patch.setattr(f"quarkline.studies.tagging.{module}.save_all", undrawn)
        return compare_runs(runs, AnalyzeConfig(), tmp_path_factory.mktemp("figures"))


def undrawn(_: object, place: Path) -> None:
    for suffix, content in {"svg": "<svg/>", "pdf": "%PDF", "png": "PNG", "json": "{}"}.items():
        place.with_name(f"{place.name}.{suffix}").write_text(content)


def table(document: Document, name: str) -> Table:
    blocks = [block for section in document.sections for block in section.blocks]
    return next(one for one in blocks if isinstance(one, Table) and one.name == name)


def test_the_choice_is_among_all_runs_and_says_why(document: Document) -> None:
    assert document.headline.startswith("`toy/2/2`: best val_original_lossf (0.6) of the 5 of 8")


def test_an_epoch_without_weights_is_not_chosen(runs: list[ComparedRun]) -> None:
    histories = [history for run in runs for history in run.histories]
    kept = {"toy/1": [0, 1], "toy/2": [0, 3]}
    found = choose_epoch(histories, AnalyzeConfig(), kept)
    assert (found.chosen.training, found.chosen.epoch) == ("toy/1", 1)
    assert found.why.endswith("; the weights of 4 other epochs were not kept")


def test_without_a_control_region_the_best_performance_is_taken() -> None:
    alone = TrainingHistory("1", (0, 1, 2), {"val_original_lossf": [0.5, 0.3, 0.4]})
    found = choose_epoch([alone], AnalyzeConfig(), {"1": range(3)})
    assert (found.chosen.epoch, found.ks) == (1, "none")
    assert "without a control region" in found.why


def test_epochs_are_listed_by_loss_with_their_reasons(document: Document) -> None:
    rows = table(document, "epochs").rows
    assert [row[0] for row in rows][:4] == ["toy/1/3", "toy/1/2", "toy/2/3", "toy/2/2"]
    reasons = {row[0]: str(row[1]) for row in rows}
    assert reasons["toy/2/2"].startswith("chosen")
    assert "best against the adversary" in reasons["toy/2/3"]
    assert "least sum of K-S" in reasons["toy/1/0"]


def test_settings_that_differ_are_apart_from_those_that_do_not(runs: list[ComparedRun]) -> None:
    other, same = differing(runs)
    assert other == ["train.adversary.weight", "train.hidden"]
    assert same == ["train.epochs", "seed"]
    assert differing(runs[:1])[0] == []


def test_the_best_of_a_row_is_bold_and_ties_and_absent_values_are_not() -> None:
    values = [Quantity(0.2), None, Quantity(0.5), Quantity(float("nan")), Quantity(0.5)]
    assert [cell.strong for cell in best_bold(values)] == [False, False, True, False, True]
    assert best_bold(values, highest=False)[0].strong
    assert not any(cell.strong for cell in best_bold([Quantity(0.5), None]))
    assert not any(cell.strong for cell in best_bold([Quantity(0.5), Quantity(0.5)]))


def test_efficiencies_by_mass_have_the_stronger_network_in_bold(document: Document) -> None:
    efficiencies = table(document, "efficiencies")
    assert list(efficiencies.columns) == ["m_H [GeV]", "m_S [GeV]", "toy/2/2", "toy/2/1"]
    assert [[cell.value for cell in row[:2]] for row in efficiencies.rows] == [  # type: ignore[union-attr]
        [125, 5],
        [600, 150],
    ]
    assert all(row[2].strong and not row[3].strong for row in efficiencies.rows)  # type: ignore[union-attr]


def test_it_is_written_as_markdown_and_html(document: Document, tmp_path: Path) -> None:
    text = write_markdown(document, tmp_path / "compare.md").read_text()
    assert "| toy/2/2 | chosen" in text
    assert "number 0.](compare_figures/0001-losses.png)" in text
    assert "train.adversary.weight | 10 | 1 |" in text
    html = write_document(document, tmp_path / "compare.html").read_text()
    assert "<code>toy/2/2</code>" in html
    assert html.count("<svg") == 3


def test_measured_epochs_survive_being_written(runs: list[ComparedRun]) -> None:
    judged = runs[1].judged
    assert judged is not None
    assert result_from_json(judged.as_json()).as_json() == judged.as_json()
    assert judged.text.startswith("epoch 2: signal efficiency 0.")


def test_a_metric_that_is_not_there_is_told_with_the_nearest_one(
    runs: list[ComparedRun], tmp_path: Path
) -> None:
    config = AnalyzeConfig(performance="val_original_loss")
    with pytest.raises(InputError, match="no val_original_loss") as error:
        compare_runs(runs, config, tmp_path)
    assert "val_original_lossf" in str(error.value.findings[0].suggestion)


def test_a_history_is_that_of_the_records(tmp_path: Path) -> None:
    for epoch, loss in ((1, 0.25), (0, 0.5)):
        EpochRecord(epoch, {"train_loss": loss}, None, {}).write(record_path(tmp_path, epoch))
    found = read_history("toy/1", tmp_path)
    assert found.epochs == (0, 1)
    assert found.at(1) == {"train_loss": 0.25}
    with pytest.raises(InputError, match=r"the history of toy/1 has no K-S \(worst\)"):
        found.candidates("train_loss", "worst")
    with pytest.raises(InputError, match="toy/1 has no record of an epoch"):
        read_history("toy/1", tmp_path / "absent")
