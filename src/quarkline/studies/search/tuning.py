"""One trial of `quarkline tune`: a training, judged by events held out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from quarkline.engine.core.rng import library_seed
from quarkline.statistics.evaluation import Bootstrap, binned_significance, scored_events
from quarkline.statistics.evaluation.binned import AUTOMATIC
from quarkline.studies.search.config import SearchConfig
from quarkline.studies.search.stages import train_config
from quarkline.studies.search.tables import table_name
from quarkline.studies.search.train import fold_data

if TYPE_CHECKING:
    from quarkline.learning.models.event_model import EventModel
    from quarkline.learning.training.classifier import ClassifierData
    from quarkline.learning.training.search.trial import Trial

PER_EPOCH = {"auc": "auc", "loss": "validation_loss"}
"""The column of `metrics.csv` that a metric follows; significance is known at the end only."""


def run_trial(config: SearchConfig, trial: Trial) -> float:
    """Train the first folds, and judge each model by the events held out of its training.

    Neither the events that a fold's model is trained on nor those of its own fold have a say, so
    that out-of-fold scores of the best values stay honest.

    Args:
        config: The config with the trial's values.
        trial: What to train, and whom to tell.

    Returns:
        The mean of the metric over the folds.
    """
    from quarkline.learning.training.classifier import train_classifier

    settings = train_config(config)
    args = settings.model_dump(mode="json")
    inputs = _inputs(settings.samples, trial)
    values = []
    for fold in range(min(trial.folds, config.train.folds)):
        data = fold_data(args | {"fold": fold}, inputs)
        model, result = train_classifier(
            config.train.model,
            config.train.fit,
            data,
            seed=library_seed(config.seed, "train", fold, 0),
            folder=trial.folder / f"fold-{fold}",
            report=_told(trial) if fold == 0 else None,
        )
        if trial.metric in PER_EPOCH:
            values.append(result.history.column(PER_EPOCH[trial.metric])[result.history.best])
        else:
            values.append(held_out_significance(model, data))
    return float(np.mean(values))


def _inputs(samples: list[str], trial: Trial) -> dict[str, Path]:
    """The tables and features of the samples that are trained on."""
    events = trial.stages["skim"].files["events"]
    arrays = trial.stages["features"].files["arrays"]
    tables = {f"events {name}": events / table_name(name) for name in samples}
    return tables | {f"arrays {name}": arrays / table_name(name, ".npz") for name in samples}


def _told(trial: Trial) -> Callable[[int, Mapping[str, float]], None] | None:
    """Tells the trial's metric of every epoch, if it is known then."""
    name = PER_EPOCH.get(trial.metric)
    if name is None:
        return None

    def report(epoch: int, metrics: Mapping[str, float]) -> None:
        trial.report(epoch, metrics[name])

    return report


def held_out_significance(model: EventModel, data: ClassifierData) -> float:
    """Binned Asimov significance of held-out events, scaled to all events of each class."""
    aside = data.validation
    label = (data.label != data.classes.index(data.signal)).astype(np.int64)
    weight = data.weight.copy()
    for side in (0, 1):
        chosen = label == side
        weight[chosen] *= weight[chosen].sum() / weight[chosen & aside].sum()
    score = model.probabilities(data.arrays[aside])[:, model.classes.index(data.signal)]
    events = scored_events(
        np.stack([score, 1 - score], axis=1),
        label[aside],
        classes=("signal", "background"),
        weight=weight[aside],
    )
    found = binned_significance(events, binnings={}, bootstrap=Bootstrap(0))
    return found.binning(AUTOMATIC).total.value
