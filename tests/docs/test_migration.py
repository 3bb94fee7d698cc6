"""Every name of the resonance study's two forerunners has a line that says where it went."""

from __future__ import annotations

import inspect
import re

import pytest

import quarkline.figures
from quarkline.studies.resonance import RESONANCE, ResonanceConfig
from quarkline.studies.resonance.paper_figures import PaperFigureGenerator
from tests.docs.pages import DOCS, LATER, code_spans, table_rows

PAGE = (DOCS / "migration-upsilon.md").read_text(encoding="utf-8")
ROWS = list(table_rows(PAGE))

CONFIG = {
    "schema": 1,
    "name": "page",
    "study": "resonance",
    "inputs": {"files": [__file__]},
    "resonance": "Upsilon",
    "features": ["dimu_pt"],
}

PLOTS = [
    "plot_mass_spectrum",
    "plot_background_fit",
    "plot_anomaly_score_distribution",
    "plot_significance",
    "plot_score_vs_mass",
    "plot_feature_distributions",
    "plot_significance_variations",
    "plot_roc_curve",
    "plot_training_losses",
]

RESONANCE_AD = {
    "scripts": """
        scripts/load_data.py scripts/define_regions.py scripts/train_cathode.py scripts/evaluate.py
        scripts/generate_figures.py""",
    "flags": "--config --seed --epochs --evaluation-results",
    "files": """
        configs/upsilon_reproduction.yaml data/precompiled_data/skimmed_data_2016H_30555/
        all_mu_{file_index} all_jet_{file_index} bump_hunt_results_seed42.pkl flow_samples.pkl
        significances_{key}.pkl train_losses.npy val_losses.npy 14618719 30555""",
    "config keys": "file_paths.working_dir file_paths.data_storage_dir training.batch_size",
    "classes": """
        resonance_ad resonance_ad.plotting.paper_figures PaperFigureGenerator DEFAULT_FEATURE_BINS
        DEFAULT_FEATURE_LABELS""",
    "plots": " ".join(PLOTS),
    "arguments": """
        save_path data_dicts data_labels feature_set kwargs_dict feature_bins feature_labels
        yscale_log significance_results fpr_thresholds fit_degrees num_bins_list n_runs train_losses
        val_losses yrange""",
    "regions": "SBL SR SBH SB SB_samples",
    "originals it names": """
        00_process_skimmed_root_files.py 05_eval_cathode.py 08_render.ipynb helpers/plotting.py
        helpers/ANODE_training_utils.py hist_all_features_dict() plot_variations()
        run_discriminator() plot_ANODE_losses()""",
}

DIMUONAD = {
    "workflow.yaml": """
        file_paths.working_dir file_paths.data_storage_dir analysis_keywords.name
        analysis_keywords.particle analysis_keywords.analysis_cuts.lower
        analysis_keywords.analysis_cuts.upper analysis_keywords.dataset_id window_definitions
        SB_left SR_left SR_right SB_right feature_sets""",
    "feature sets": "single_0 single_1 single_2 single_3 double_0 double_1 double_2 mix_0 mix_2",
    "flow config": """
        ModelType Transform num_cond_inputs num_layers num_blocks num_hidden activation pre_exp_tanh
        batch_norm batch_norm_momentum optimizer""",
    "classifier config": """
        n_estimators max_depth learning_rate subsample early_stopping_rounds""",
    "steps": "00 01 02 03 04 05 06 07 make_samples make_scripts",
    "options": """
        -start -stop -code -data_id -project_id -run_jet -run_samesign save_data bootstrap_seed
        cushion -workflow -train_samesign -bootstrap -fit -n_bins -premade_bins -win
        --use_inner_bands -peaks -fid -feats -seed -c -e -bs --verbose --no_logit -no_train -seeds
        -c_flow -c_bdt -ne -nf -run_latent -run_null -use_extra_data -n_events""",
    "simulation codes": "SM_SIM BSM_HAA BSM_XYY",
    "files": """
        precompiled_data compiled_data bootstrap0_OS_test_band_data bootstrap0_SS_test_band_data
        mass_scaler_bootstrap0 preprocessing_info_bootstrap0 configs.txt flow_epoch_<e>.par
        flow_train_losses.npy flow_val_losses.npy loss_plot.pdf bkg_fit_*
        flow_samples_bkg_fit_<d>_num_bins_<n> all_test_data_splits_* all_alt_data_splits_*
        all_scores_splits_* all_alt_scores_splits_* histogram_data feature_data significances
        fpr_thresholds full_q0""",
    "variables": """
        dimu_pt dimu_eta dimu_phi dimu_mass n_muons n_jets mu0_ip3d mu0_jetiso mu0_eta mu0_pt
        mu0_phi mu0_iso04 mumu_deltaR mumu_deltapT hardest_jet_btag hardest_jet_pt hardest_jet_eta
        hardest_jet_phi hardest_jet_mass dimujet_deltaR _samesign HLT_*""",
}


def named(cell: str) -> set[str]:
    """Every name a table cell puts in backticks, whole and in its parts."""
    words = {word for span in code_spans(cell) for word in (span, *span.split())}
    return words | {part for word in words for part in re.split(r"/|\.(?=<)|(?<=>)\.", word)}


THERE = set().union(*(named(cells[0]) for cells in ROWS))


@pytest.mark.parametrize("kind", RESONANCE_AD)
def test_every_name_of_resonance_ad_has_a_line(kind):
    missing = set(RESONANCE_AD[kind].split()) - THERE
    assert not missing


@pytest.mark.parametrize("kind", DIMUONAD)
def test_every_name_of_dimuonad_has_a_line(kind):
    missing = set(DIMUONAD[kind].split()) - THERE
    assert not missing


def test_every_line_says_where_it_went():
    assert all(len(cells) == 2 and cells[1] for cells in ROWS)


@pytest.mark.parametrize("name", PLOTS)
def test_the_nine_plots_keep_their_names(name):
    assert callable(getattr(quarkline.figures, name))
    assert callable(getattr(PaperFigureGenerator, name))


@pytest.mark.parametrize("name", RESONANCE_AD["arguments"].split())
def test_the_arguments_of_the_plots_keep_their_names(name):
    methods = [getattr(PaperFigureGenerator, plot) for plot in PLOTS]
    assert any(name in inspect.signature(method).parameters for method in methods)


def test_a_stage_that_a_line_stops_after_exists():
    config = ResonanceConfig.model_validate(CONFIG)
    stages = {stage.name for stage in RESONANCE.stages(config)}
    assert set(re.findall(r"--(?:until|only) (\S+?)[`\s]", PAGE)) <= stages


def test_what_comes_later_is_marked_as_such():
    for promise in ("F-test of the sidebands",):
        assert all(LATER in cells[1] for cells in ROWS if promise in cells[1])
