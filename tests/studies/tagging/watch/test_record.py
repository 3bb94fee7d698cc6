"""Records of epochs: what they hold, and that writing again changes no byte."""

from __future__ import annotations

import numpy as np
import pytest

from quarkline.statistics.tagging import OUTPUTS
from quarkline.studies.tagging.watch.config import WatchConfig
from quarkline.studies.tagging.watch.quantities import HISTORY, WatchedJets
from quarkline.studies.tagging.watch.record import EpochRecord, read_records, record_path
from quarkline.studies.tagging.watch.watcher import Watcher, history_quantities
from tests.studies.tagging.watch.conftest import TRAINING, outputs_of

REGIONS = ("", "lowPt_", "midPt_", "highPt_")
FIGURES = {f"main_{output}_predictions_linear" for output in OUTPUTS} | {
    f"val_adversary_{region}{output}_predictions" for region in REGIONS for output in OUTPUTS
}


def test_a_record_holds_what_every_figure_of_an_epoch_shows(watcher):
    watcher.epoch(7, None, outputs_of(7), TRAINING)
    path = watcher.folder / "epochs" / "007.npz"
    record = EpochRecord.read(path)
    assert record.epoch == 7
    assert set(record.histograms) == FIGURES
    assert record == watcher.record(7, outputs_of(7), TRAINING)
    assert [one.region for one in record.agreement.tests[:4]] == ["all", "lowPt", "midPt", "highPt"]
    assert set(record.history) <= set(HISTORY)
    assert list(record.history) == [name for name in HISTORY if name in record.history]


def test_writing_again_changes_no_byte(watcher):
    path = record_path(watcher.folder, 3)
    watcher.epoch(3, None, outputs_of(3), TRAINING)
    first = path.read_bytes()
    watcher.epoch(3, None, outputs_of(3), TRAINING)
    assert path.read_bytes() == first
    assert [one.name for one in path.parent.iterdir()] == ["003.npz"]


def test_the_order_of_jets_changes_no_quantity(watcher, main, control, tmp_path):
    mixed = np.random.default_rng(4).permutation(300)
    other = Watcher(
        tmp_path,
        *(
            WatchedJets(jets.label[mixed], jets.weight[mixed], jets.jet_pt[mixed])
            for jets in (main, control)
        ),
        watcher.config,
    )
    outputs = outputs_of(1)
    one = watcher.record(1, outputs, {})
    two = other.record(1, {name: array[mixed] for name, array in outputs.items()}, {})
    assert two.agreement == one.agreement
    assert two.history == pytest.approx(one.history, rel=1e-12)
    for name, histogram in one.histograms.items():
        for first, second in zip(histogram.parts, two.histograms[name].parts, strict=True):
            assert second.counts == pytest.approx(first.counts)


def test_quantities_are_those_of_a_plain_loop(watcher, main, control):
    outputs = outputs_of(5)
    history = watcher.record(5, outputs, {}).history
    loss = total = right = 0.0
    for scores, label, weight in zip(outputs[""], main.label, main.weight, strict=True):
        loss -= weight * np.log(float(scores[label]))
        total += weight
        right += max(range(3), key=list(scores).__getitem__) == label
    assert history["val_original_lossf"] == pytest.approx(loss / total)
    assert history["val_original_acc"] == pytest.approx(right / 300)
    loss = total = right = 0.0
    for (*_, data), label, weight in zip(
        outputs["control"], control.label, control.weight, strict=True
    ):
        loss -= weight * np.log(float(data) if label else 1 - float(data))
        total += weight
        right += (data > 0.5) == label
    for name in ("val_adv", "val_original_adv"):
        ending = "_loss" if name == "val_adv" else "_lossf"
        assert history[name + ending] == pytest.approx(loss / total, rel=1e-6)
        assert history[f"{name}_acc"] == pytest.approx(right / 300)


def test_golden_sums_stand_in_the_history(data_folder, main, tmp_path):
    file = data_folder / "calratio" / "model" / "evaluation_golden_inputs.npz"
    with np.load(file) as golden:
        control = WatchedJets(golden["cr_label"], golden["cr_weight"], golden["cr_jet_pt"] * 500)
        outputs = {"": outputs_of(0)[""], "control": golden["cr_scores"]}
    quantities = history_quantities(outputs, main, control, WatchConfig())
    assert [quantities[f"ks_{output}_hist"] for output in OUTPUTS] == pytest.approx(
        [0.546438, 0.538126, 0.896430], abs=2e-6
    )
    assert "val_adv_loss" not in quantities  # there is no adversary
    history = Watcher(tmp_path, main, control).record(0, outputs, {}).history
    assert history == quantities


def test_what_the_training_measured_goes_before(watcher):
    history = watcher.record(0, outputs_of(0), {"val_adv_loss": 0.25, "rate": 1e-3}).history
    assert history["val_adv_loss"] == 0.25
    assert list(history)[-1] == "rate"


def test_a_training_without_control_region_is_watched(tmp_path, main):
    watcher = Watcher(tmp_path, main)
    watcher.epoch(0, None, {"": outputs_of(0)[""]}, {})
    (record,) = read_records(tmp_path)
    assert record.agreement is None
    assert set(record.history) == {"val_original_lossf", "val_original_acc"}
    assert len(record.histograms) == 3


def test_outputs_that_are_no_numbers_are_kept_as_such(watcher):
    outputs = outputs_of(2)
    outputs["control"][:] = np.nan
    outputs[""][4] = np.nan
    watcher.epoch(2, None, outputs, {})
    (record,) = read_records(watcher.folder)
    assert np.isnan(record.history["ks_sig_hist"])
    assert record.agreement.test("sig").status == "outputs of 300 jets are not finite"
    assert sum(part.not_finite for part in record.histograms["main_sig_predictions_linear"].parts)


def test_nothing_given_is_changed(watcher, main, control):
    outputs = outputs_of(6)
    before = [array.copy() for array in (*outputs.values(), main.weight, control.weight)]
    watcher.epoch(6, None, outputs, {})
    after = [*outputs.values(), main.weight, control.weight]
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))


def test_records_come_in_the_order_of_the_epochs(watcher):
    for number in (2, 0, 10, 1):
        watcher.epoch(number, None, outputs_of(number), {})
    assert [record.epoch for record in read_records(watcher.folder)] == [0, 1, 2, 10]


def test_a_file_of_another_schema_is_refused(tmp_path):
    path = tmp_path / "000.npz"
    np.savez(path, about=np.frombuffer(b'{"schema": "else/1"}', dtype=np.uint8))
    with pytest.raises(ValueError, match=r"000\.npz is of schema else/1, not quarkline\.epoch/1"):
        EpochRecord.read(path)
