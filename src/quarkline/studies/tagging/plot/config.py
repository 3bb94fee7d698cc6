"""The config of a comparison of training files."""

from __future__ import annotations

from pydantic import Field

from quarkline.engine.core.config import Config

COMMON = (
    *("jet_pt", "jet_eta", "jet_phi", "mcEventWeight", "MSeg_t0_1", "MSeg_etaPos_0"),
    *("clus_time_0", "clus_pt_0", "clus_phi_1", "clus_eta_1"),
    *("track_pt_0", "track_phi_1", "track_eta_1"),
)
"""Columns that are drawn of every file; those of the CalRatio trainer."""

MAIN_LABELS = {0: "multijet simulation", 1: "signal", 2: "beam-induced background"}
CONTROL_LABELS = {0: "multijet simulation", 2: "multijet data"}


class PlotConfig(Config):
    """What is drawn of training files, and what their labels are called."""

    common_plots: tuple[str | tuple[str, ...], ...] = Field(
        COMMON, description="Columns that are drawn; of a list of names the first that exists."
    )
    data_labels_main: dict[int, str] = Field(
        MAIN_LABELS, description="Names of the labels of files to train on."
    )
    data_labels_adversary: dict[int, str] = Field(
        CONTROL_LABELS, description="Names of the labels of files of the control region."
    )
    plot_every_column: bool = Field(False, description="Whether every column is drawn.")
