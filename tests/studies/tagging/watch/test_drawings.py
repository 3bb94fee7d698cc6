"""Figures of a training: their names, and that faster drawing changes no byte."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from quarkline import figures
from quarkline.engine.workflow.stage import Context
from quarkline.figures.save import figure_json
from quarkline.statistics.tagging import OUTPUTS
from quarkline.studies.tagging.watch.config import DrawConfig, WatchConfig
from quarkline.studies.tagging.watch.drawings import (
    HISTORY,
    draw_epoch,
    epoch_figures,
    final_args,
    history_args,
    one_figure,
)
from quarkline.studies.tagging.watch.judged import JudgedJets, judged_tagger
from quarkline.studies.tagging.watch.record import read_records, record_path
from quarkline.studies.tagging.watch.stage import draw_training
from tests.studies.tagging.watch.conftest import TRAINING, outputs_of

LABEL = {"experiment": "ATLAS", "text": "Simulation", "luminosity": "139 fb$^{-1}$ (13 TeV)"}
LOOK = {"label": LABEL, "note": "High-$E_T$ training"}


@pytest.fixture
def judged(main, control):
    outputs = outputs_of(9)
    mass = np.where(main.label[:, None] == 1, [[125.0, 16.0]] * 150 + [[600.0, 50.0]] * 150, 0.0)
    return judged_tagger(
        JudgedJets(outputs[""], main, mass),
        JudgedJets(outputs["control"][:, :3], control, np.zeros((300, 2))),
        WatchConfig(permutations=9),
    )


def _words(figure):
    legends = [ax.get_legend() for ax in figure.axes if ax.get_legend()]
    found = [text.get_text() for legend in legends for text in legend.get_texts()]
    return " ".join([*found, *(text.get_text() for ax in figure.axes for text in ax.texts)])


def test_figures_of_an_epoch_have_the_published_names(watcher):
    record = watcher.record(4, outputs_of(4), {})
    names = [name for name, _ in epoch_figures(record, label=figures.Label())]
    assert len(names) == 15
    assert {name[:4] for name in names} == {"004_"}
    assert "004_val_adversary_midPt_bib_predictions" in names
    assert "004_main_qcd_predictions_linear" in names


def test_the_control_region_shows_data_and_simulation(watcher):
    record = watcher.record(4, outputs_of(4), {})
    for name, figure in epoch_figures(record, label=figures.Label(), note="A training"):
        words = _words(figure).lower()
        assert "a training" in words
        if "adversary" in name:
            assert "data (" in words
            assert "multijet simulation (" in words
            assert "k-s 0." in words
            assert "signal (" not in words
        else:
            assert all(f"{part} (100)" in words for part in ("signal", "qcd", "bib"))
    assert "jet $p_t$ 250 to 500 gev" in words


def test_figures_on_used_axes_are_those_on_new_ones(watcher, tmp_path):
    record = watcher.record(4, outputs_of(4), {})
    names = list(record.histograms)
    alone = {}
    for name in (names[1], names[-1]):
        histogram = record.histograms[name]
        if "adversary" in name:
            test = record.agreement.test(histogram.output, histogram.region)
            figure = figures.plot_output_agreement(histogram, test, log_x=True)
        else:
            figure = figures.plot_outputs(histogram)
        alone[f"004_{name}"] = (
            figures.save(figure, tmp_path / "new", formats=["png"])[0].read_bytes(),
            figure_json(figures.drawn(figure)),
        )
    for name, figure in epoch_figures(record, label=figures.Label()):
        if name in alone:
            (path,) = figures.save(figure, tmp_path / "used", formats=["png"])
            assert (path.read_bytes(), figure_json(figures.drawn(figure))) == alone[name]


def test_figures_of_the_history_have_the_published_names(watcher):
    for number in range(3):
        watcher.epoch(number, None, outputs_of(number), TRAINING)
    args = history_args(read_records(watcher.folder), chosen=1)
    expected = {
        *("train_adv_loss", "test_adv_loss", "adv_acc", "main_nn_loss", "main_network_acc"),
        *("train_main_adv_loss", "test_main_adv_loss", "main_adv_acc"),
        *("ks_qcd", "ks_sig", "ks_bib", "ks_worst"),
    }
    assert set(HISTORY) == expected
    assert expected - set(args) == {"train_main_adv_loss"}  # this training measured none
    ks = args["ks_sig"]
    assert len(ks["curves"]["Validation"]) == len(ks["expected"]) == 3
    assert args["main_nn_loss"]["expected"] is None
    for name, given in args.items():
        figure = one_figure(json.loads(json.dumps({**given, **LOOK, "name": name})))
        assert "Chosen" in _words(figure)


def test_final_figures_have_the_published_names(judged):
    args = final_args(judged)
    assert set(args) == {
        *(
            f"{output}_predictions{kind}"
            for output in OUTPUTS
            for kind in ("", "_linear", "_half_linear")
        ),
        *(f"adv_{output}_predictions" for output in OUTPUTS),
        *("signal_llp_efficiencies", "bkg_falsePositives"),
        *("roc_curve_atlas_rej_bib__None", "roc_curve_atlas_rej_bib_cut0.0316_None"),
        *("roc_curve_atlas_rej_bib_cut0.1_None", "roc_curve_atlas_rej_bib_mH125.0_None"),
        *("roc_curve_atlas_rej_bib_mH600.0_None", "SoverB_scan__None", "SoverB_scan_QCD only_None"),
        *("SoverB_scan_BIB only_None", "SoverB_scan_mH125.0_None", "SoverB_scan_mH600.0_None"),
    }
    for name, given in args.items():
        figure = one_figure(json.loads(json.dumps({**given, **LOOK, "name": name})))
        assert figures.drawn(figure)
    scales = {
        name: one_figure({**args[name], **LOOK, "name": name}).axes[0]
        for name in ("bib_predictions", "bib_predictions_linear", "bib_predictions_half_linear")
    }
    assert [(ax.get_xscale(), ax.get_yscale()) for ax in scales.values()] == [
        ("log", "log"),
        ("linear", "linear"),
        ("linear", "log"),
    ]


def _context(folder: Path) -> Context:
    folder.mkdir()
    config = DrawConfig()
    return Context("figures", 1, config, {}, folder / "out", folder / "items")


def test_an_epoch_is_drawn_from_its_record_alone(watcher, tmp_path):
    watcher.epoch(12, None, outputs_of(12), {})
    inputs = {"record": record_path(watcher.folder, 12)}
    names = draw_epoch({**LOOK, "forms": ["json"]}, inputs, tmp_path / "drawn")
    assert sorted(f"{name}.json" for name in names) == sorted(
        path.name for path in (tmp_path / "drawn").iterdir()
    )
    assert all(name.startswith("012_") for name in names)


@pytest.mark.slow
def test_chosen_epochs_are_drawn_into_a_folder(watcher, tmp_path):
    for number in range(3):
        watcher.epoch(number, None, outputs_of(number), {})
    names = draw_training(
        _context(tmp_path / "run"),
        watcher.folder,
        1,
        None,
        label=LABEL,
        config=DrawConfig(epochs="chosen"),
        folder=tmp_path / "figures",
    )
    found = {path.name for path in (tmp_path / "figures").iterdir()}
    assert len(names) == len(set(names)) == 15 + 10
    assert {f"{name}.{form}" for name in names for form in ("pdf", "png", "json", "svg")} == found
    assert {name[:3] for name in names if name[0].isdigit()} == {"001"}


@pytest.mark.parametrize(
    ("epochs", "drawn"), [("chosen", (4,)), ("all", tuple(range(8))), (3, (0, 3, 4, 6))]
)
def test_epochs_to_draw(epochs, drawn):
    assert DrawConfig(epochs=epochs).drawn(8, 4) == drawn


def test_bad_settings_are_refused():
    with pytest.raises(ValidationError, match="every 0th epoch cannot be drawn"):
        DrawConfig(epochs=0)
    with pytest.raises(ValidationError, match="edges of jet pT rise"):
        WatchConfig(pt_edges=(0, 250, 125))
