"""Stage `background`: conditional flows learn the sidebands' features as a function of mass."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.config import Config
from quarkline.engine.core.results import Quantity
from quarkline.engine.core.rng import library_seed, uniform_per_row
from quarkline.engine.workflow.stage import Context
from quarkline.studies.resonance.config import FlowConfig
from quarkline.studies.resonance.events import read_pairs
from quarkline.studies.resonance.results import BackgroundModel, FlowTraining

LEAST_GAIN = 1e-3
"""In nats: what ends the training of a flow if nothing gains more."""


class BackgroundStageConfig(Config):
    """What the flows depend on."""

    features: list[str]
    window: tuple[float, float]
    flow: FlowConfig
    seeds: int
    seed: int


def run(context: Context) -> dict[str, Any]:
    """One item a flow; then their folders side by side and their histories."""
    config: BackgroundStageConfig = context.config
    args = config.model_dump(mode="json", exclude={"seeds"})
    items = [
        Item(f"flow {number}", args | {"number": number}, context.files("pairs"))
        for number in range(1, config.seeds + 1)
    ]
    done = context.map("flow", train_flow, items)
    flows = context.out / "flows"
    for number, item in enumerate(done, start=1):
        context.place(item.folder / "model", flows / f"{number}")
    trained = tuple(FlowTraining(**item.value["training"]) for item in done)
    likelihoods = np.array([flow.log_likelihood for flow in trained])
    error = likelihoods.std(ddof=1) / np.sqrt(len(trained)) if len(trained) > 1 else None
    model = BackgroundModel(
        features=tuple(config.features),
        sideband_events=done[0].value["events"],
        flows=trained,
        log_likelihood=Quantity(float(likelihoods.mean()), error, error, "nats"),
    )
    spread = "" if error is None else f" ± {error:.3f}"
    context.summary(
        f"{len(trained)} flows · held-out log-likelihood {likelihoods.mean():.3f}{spread}"
    )
    return {"flows": flows, "training": model}


def train_flow(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Task: one flow on the opposite-sign sidebands."""
    from quarkline.learning.features.scaling import FeatureScale, Scaler
    from quarkline.learning.models.artifact import save_model
    from quarkline.learning.models.flow import ConditionalFlow
    from quarkline.learning.training.config import FitConfig
    from quarkline.learning.training.fit import fit

    config = FlowConfig.model_validate(args["flow"])
    number, seed = args["number"], args["seed"]
    pairs = read_pairs(inputs["pairs"], args["features"], tuple(args["window"])).searched()
    sidebands = pairs[~pairs.in_window]
    held_out = uniform_per_row(seed, f"validation-{number}", sidebands.group) < config.validation
    train, validation = sidebands[~held_out], sidebands[held_out]
    flow = ConditionalFlow.new(
        Scaler.fit(args["features"], train.features),
        FeatureScale.fit("dimu_mass", train.mass),
        {
            "transforms": config.transforms,
            "hidden": config.hidden,
            "spline_bins": config.spline_bins,
        },
        seed=library_seed(seed, "flow", number),
    )
    fitted = fit(
        flow.module,
        flow.tensors(train.features, train.mass),
        flow.tensors(validation.features, validation.mass),
        FitConfig(
            batch_size=config.batch_size,
            learning_rate=config.learning_rate,
            average_decay=config.average_decay,
            epochs=config.max_epochs,
            patience=config.patience,
            least_gain=LEAST_GAIN,
        ),
        seed=library_seed(seed, "fit", number),
        folder=folder,
    )
    history = fitted.history
    save_model(flow, folder / "model")
    likelihood = float(flow.log_prob(validation.features, validation.mass).mean())
    training = {
        "seed": number,
        "train": history.train,
        "validation": history.validation,
        "best": history.best,
        "log_likelihood": likelihood,
    }
    return {"training": training, "events": len(sidebands)}
