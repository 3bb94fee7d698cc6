"""Stage `check-flows`: can generated background be told from data where both are known?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.compute.outcome import Done, Item
from quarkline.engine.core.config import Config
from quarkline.engine.core.results import Quantity
from quarkline.engine.core.rng import library_seed
from quarkline.engine.workflow.stage import Context
from quarkline.statistics import RocResult, ks_two_sample, roc_curve
from quarkline.studies.resonance.config import ClassifierConfig
from quarkline.studies.resonance.events import (
    Pairs,
    read_features,
    read_masses,
    read_pairs,
)
from quarkline.studies.resonance.results import FlowCheck

Floats = NDArray[np.float64]

REPETITIONS = 3
ROC_POINTS = 201
SIDES = ("both", "low", "high")


class CheckConfig(Config):
    """What the check depends on."""

    features: list[str]
    window: tuple[float, float]
    classifier: ClassifierConfig
    seed: int


@dataclass(frozen=True)
class Sidebands:
    """Data and generated events of the same masses, on one side of the window or both."""

    data: Pairs
    generated: Floats

    @classmethod
    def read(
        cls, inputs: Mapping[str, Path], features: Sequence[str], window: Any, side: str
    ) -> Sidebands:
        """Read one side."""
        pairs = read_pairs(inputs["pairs"], features, tuple(window)).searched()
        data = pairs[~pairs.in_window]
        generated = read_features(inputs["sidebands"], features)
        masses = read_masses(inputs["sidebands"])
        return cls(data[_on(side, data.mass, window)], generated[_on(side, masses, window)])


def run(context: Context) -> dict[str, Any]:
    """One item a side and repetition; and a Kolmogorov-Smirnov test of each feature."""
    config: CheckConfig = context.config
    shared = config.model_dump(mode="json")
    items = [
        Item(
            f"{side} sidebands, repetition {repetition + 1}"
            if side == "both"
            else f"{side} sideband {repetition + 1}",
            shared | {"side": side, "repetition": repetition},
            context.files("pairs", "sidebands"),
        )
        for side in SIDES
        for repetition in range(REPETITIONS)
    ]
    done = context.map("tell apart", tell_apart, items)
    areas = [_mean(done[i : i + REPETITIONS]) for i in range(0, len(done), REPETITIONS)]
    curves = np.stack([np.load(item.folder / "roc.npy") for item in done[:REPETITIONS]])
    np.save(context.out / "roc.npy", curves)
    inputs = context.files("pairs", "sidebands")
    sidebands = Sidebands.read(inputs, config.features, config.window, "both")
    tests = {
        name: ks_two_sample(sidebands.data.features[:, i], sidebands.generated[:, i])
        for i, name in enumerate(config.features)
    }
    result = FlowCheck(
        auc=areas[0],
        auc_low=areas[1],
        auc_high=areas[2],
        runs=REPETITIONS,
        ks_statistic={name: test.statistic for name, test in tests.items()},
        ks_p_value={name: test.p_value for name, test in tests.items()},
    )
    error = result.auc.up or 0.0
    context.summary(f"sideband AUC {result.auc.value:.3f} ± {error:.3f}")
    return {"flow_check": result, "roc": context.out / "roc.npy"}


def tell_apart(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Task: a classifier of data against generated events, scored out of fold."""
    curve = separation(
        Sidebands.read(inputs, args["features"], args["window"], args["side"]),
        args["classifier"],
        args["features"],
        seed=library_seed(args["seed"], "check-flows", args["side"]),
        repetition=args["repetition"],
    )
    rates = np.linspace(0.0, 1.0, ROC_POINTS)
    signal = np.interp(rates, curve.background_efficiency, curve.signal_efficiency)
    np.save(folder / "roc.npy", np.stack([rates, signal]))
    return {"auc": curve.auc.value}


def separation(
    sidebands: Sidebands,
    settings: Mapping[str, Any],
    features: Sequence[str],
    *,
    seed: int,
    repetition: int,
) -> RocResult:
    """The ROC curve of classifiers that tell data from generated events, scored out of fold.

    Args:
        sidebands: The events.
        settings: Values of the config's `classifier`.
        features: Names of the features.
        seed: Seed of partitions and classifiers.
        repetition: Number of the partition into folds.
    """
    from quarkline.learning.models.folds import Rows, family_from, fit_folds

    made = Rows.numbered(sidebands.generated)
    model = fit_folds(
        sidebands.data,
        made,
        sidebands.data,
        family_from(settings),
        features=features,
        folds=settings["folds"],
        seed=seed,
        repetition=repetition,
    )
    data = model.score(sidebands.data.features, sidebands.data.group).probability
    return roc_curve(data, model.score(made.features, made.group).probability)


def _mean(done: Sequence[Done]) -> Quantity:
    areas = np.array([item.value["auc"] for item in done])
    error = float(areas.std(ddof=1))
    return Quantity(float(areas.mean()), error, error)


def _on(side: str, mass: Floats, window: Sequence[float]) -> NDArray[np.bool_]:
    if side == "both":
        return np.ones(len(mass), dtype=bool)
    return mass < window[0] if side == "low" else mass >= window[1]
