"""Looks at the validation jets after each epoch and keeps a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.statistics.tagging import (
    OUTPUTS,
    OutputAgreement,
    OutputHistogram,
    bin_rows,
    output_agreement,
    output_histograms,
)
from quarkline.statistics.tagging.outputs import CONTROL, FINE, LINEAR
from quarkline.studies.tagging.watch.config import WatchConfig
from quarkline.studies.tagging.watch.quantities import (
    WatchedJets,
    adversary_quantities,
    ks_quantities,
    main_quantities,
    ordered,
)
from quarkline.studies.tagging.watch.record import EpochRecord, record_path

MAIN_STREAM, CONTROL_STREAM = "", "control"
"""Names of the streams of a training."""
Outputs = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Watcher:
    """Writes `epochs/NNN.npz` below the folder of a training: a `Watch` of `fit`.

    Attributes:
        folder: Of the training.
        main: The validation jets of the main stream.
        control: Those of the control region; None for a training without one.
        config: What is measured.
        seed: Seed of the permutations, equal in each epoch.
    """

    folder: Path
    main: WatchedJets
    control: WatchedJets | None = None
    config: WatchConfig = field(default_factory=WatchConfig)
    seed: int = 1

    def epoch(
        self,
        number: int,
        module: object,  # noqa: ARG002
        outputs: Outputs,
        metrics: Mapping[str, float],
    ) -> None:
        """Write the record of an epoch; the same bytes when called again.

        Args:
            number: The epoch, from 0.
            module: The network, which is not needed.
            outputs: Of the validation jets by stream: of the main stream the probabilities of the
                classes, with shape (N, 3); of the control region the same and, in a fourth
                column, the adversary's probability of data, if there is an adversary.
            metrics: What the training measured. They go before what is worked out here.
        """
        self.record(number, outputs, metrics).write(record_path(self.folder, number))

    def record(self, number: int, outputs: Outputs, metrics: Mapping[str, float]) -> EpochRecord:
        """What `epoch` writes."""
        histograms = main_histograms(outputs[MAIN_STREAM], self.main)
        found = main_quantities(outputs[MAIN_STREAM], self.main)
        agreement = None
        if self.control is not None:
            scores = outputs[CONTROL_STREAM][:, : len(OUTPUTS)]
            histograms |= control_histograms(scores, self.control, self.config)
            agreement = control_agreement(scores, self.control, self.config, seed=self.seed)
            found |= ks_quantities(agreement) | _of_adversary(outputs, self.control)
        return EpochRecord(number, ordered({**found, **metrics}), agreement, histograms)


def history_quantities(
    outputs: Outputs, main: WatchedJets, control: WatchedJets | None, config: WatchConfig
) -> dict[str, float]:
    """The quantities of upstream's history that validation jets give, without permutations.

    Args:
        outputs: As `Watcher.epoch` takes them.
        main: The validation jets of the main stream.
        control: Those of the control region; None for a training without one.
        config: Bins and compatibility of the K-S tests.
    """
    found = main_quantities(outputs[MAIN_STREAM], main)
    if control is not None:
        scores = outputs[CONTROL_STREAM][:, : len(OUTPUTS)]
        quick = config.model_copy(update={"permutations": 0})
        found |= ks_quantities(control_agreement(scores, control, quick, seed=1))
        found |= _of_adversary(outputs, control)
    return ordered(found)


def _of_adversary(outputs: Outputs, control: WatchedJets) -> dict[str, float]:
    shown = outputs[CONTROL_STREAM]
    if shown.shape[1] == len(OUTPUTS):
        return {}
    return adversary_quantities(shown[:, len(OUTPUTS)], control)


def control_agreement(
    scores: NDArray[Any], jets: WatchedJets, config: WatchConfig, *, seed: int
) -> OutputAgreement:
    """K-S tests of the outputs on the control region.

    Args:
        scores: Outputs, with shape (N, 3).
        jets: The jets, data with label 1.
        config: Bins, permutations and compatibility.
        seed: Seed of the permutations.
    """
    return output_agreement(
        scores,
        jets.label == 1,
        jets.weight,
        jets.jet_pt,
        edges=config.pt_edges,
        permutations=config.permutations,
        seed=seed,
        lost_boundaries=config.compatibility == "upstream",
    )


def main_histograms(scores: NDArray[Any], jets: WatchedJets) -> dict[str, OutputHistogram]:
    """The figures of the three classes by name, without the number of the epoch."""
    filled = output_histograms(scores, jets.label, jets.weight, edges=LINEAR)
    return {f"main_{one.output}_predictions_linear": one for one in filled}


def control_histograms(
    scores: NDArray[Any], jets: WatchedJets, config: WatchConfig
) -> dict[str, OutputHistogram]:
    """The figures of the control region by name, without the number of the epoch."""
    regions = {"all": np.ones(jets.label.size, np.bool_)} | bin_rows(jets.jet_pt, config.pt_edges)
    found: dict[str, OutputHistogram] = {}
    for region, rows in regions.items():
        filled = output_histograms(
            scores[rows],
            jets.label[rows],
            jets.weight[rows],
            names=CONTROL,
            edges=FINE,
            region=region,
        )
        part = "" if region == "all" else f"{region}_"
        found |= {f"val_adversary_{part}{one.output}_predictions": one for one in filled}
    return found
