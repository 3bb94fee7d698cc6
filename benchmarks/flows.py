"""Flows of the resonance study against the published one: time and held-out log-likelihood.

    python benchmarks/flows.py [--published-seeds 1] [--seeds 5]

Both learn the sidebands of the built-in simulation at the published size (12,332 opposite-sign
pairs), with the same split, and are judged on 50,000 sideband events of another seed, in nats per
event of the features' own densities.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from published_maf import train_published_maf

from quarkline.engine.core.config import load_config
from quarkline.engine.workflow.run import open_analysis
from quarkline.learning.features.scaling import FeatureScale, Scaler
from quarkline.learning.models.flow import ConditionalFlow
from quarkline.learning.training.config import FitConfig
from quarkline.learning.training.fit import fit
from quarkline.studies.resonance.background import LEAST_GAIN
from quarkline.studies.resonance.config import ResonanceConfig
from quarkline.studies.resonance.events import Pairs, read_pairs
from quarkline.studies.resonance.select import select_file
from quarkline.studies.resonance.stages import select_config
from quarkline.tools.new import new
from quarkline.tools.simulate import simulate

CUSHION = 0.02


def sidebands(config: ResonanceConfig, folder: Path, seed: int, background: int) -> Pairs:
    """Opposite-sign sideband pairs of a simulated sample."""
    path = folder / f"{seed}.root"
    simulate("upsilon", path, events=background, signal=0, seed=seed)
    out = folder / f"pairs-{seed}"
    out.mkdir()
    select_file({"select": select_config(config).model_dump(), "stop": None}, {"file": path}, out)
    pairs = read_pairs(out / "pairs.parquet", config.features, config.resonance.window).searched()
    return pairs[~pairs.in_window]


class PublishedScaling:
    """The published map: min-max with a cushion, logit, standardised; and its log-Jacobian."""

    def __init__(self, features: np.ndarray) -> None:
        self.low, self.high = features.min(axis=0), features.max(axis=0) * 1.2
        self.mean, self.deviation = 0.0, 1.0
        scaled = self.forward(features)
        self.mean, self.deviation = scaled.mean(axis=0), scaled.std(axis=0)

    def unit(self, features: np.ndarray) -> np.ndarray:
        """Values in the cushioned unit interval."""
        inside = (features - self.low) / (self.high - self.low)
        return np.clip((1 - 2 * CUSHION) * inside + CUSHION, 1e-6, 1 - 1e-6)

    def forward(self, features: np.ndarray) -> np.ndarray:
        """Scaled features."""
        unit = self.unit(features)
        return (np.log(unit / (1 - unit)) - self.mean) / self.deviation

    def log_slope(self, features: np.ndarray) -> np.ndarray:
        """Log |d scaled / d feature|, summed over the features."""
        unit = self.unit(features)
        slope = (1 - 2 * CUSHION) / (self.high - self.low) / (unit * (1 - unit)) / self.deviation
        return np.log(slope).sum(axis=1)


def published(train: Pairs, held_out: Pairs, test: Pairs, seed: int) -> tuple[float, float]:
    """Seconds and test log-likelihood of one published flow, 400 epochs."""
    scaling = PublishedScaling(np.concatenate([train.features, held_out.features]))
    mean, deviation = train.mass.mean(), train.mass.std()

    def tensors(pairs: Pairs) -> tuple[torch.Tensor, torch.Tensor]:
        mass = (pairs.mass - mean) / deviation
        rows = (scaling.forward(pairs.features), mass[:, None])
        return tuple(torch.as_tensor(row, dtype=torch.float32) for row in rows)

    clock = time.perf_counter()
    flow, _ = train_published_maf(*tensors(train), *tensors(held_out), seed)
    seconds = time.perf_counter() - clock
    with torch.no_grad():
        scaled = flow.log_prob(*tensors(test)).numpy()
    return seconds, float((scaled + scaling.log_slope(test.features)).mean())


def ours(
    config: ResonanceConfig, train: Pairs, held_out: Pairs, test: Pairs, seed: int
) -> tuple[float, float, int]:
    """Seconds, test log-likelihood and epochs of one of our flows."""
    flow_config = config.background.flow
    shape = {name: getattr(flow_config, name) for name in ("transforms", "hidden", "spline_bins")}
    flow = ConditionalFlow.new(
        Scaler.fit(config.features, train.features),
        FeatureScale.fit("dimu_mass", train.mass),
        shape,
        seed=seed,
    )
    clock = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        fitted = fit(
            flow.module,
            flow.tensors(train.features, train.mass),
            flow.tensors(held_out.features, held_out.mass),
            FitConfig(
                batch_size=flow_config.batch_size,
                learning_rate=flow_config.learning_rate,
                average_decay=flow_config.average_decay,
                epochs=flow_config.max_epochs,
                patience=flow_config.patience,
                least_gain=LEAST_GAIN,
            ),
            seed=seed,
            folder=Path(folder),
        )
    seconds = time.perf_counter() - clock
    likelihood = float(flow.log_prob(test.features, test.mass).mean())
    return seconds, likelihood, len(fitted.history)


def main() -> None:
    """Print both tables and their ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--published-seeds", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = open_analysis(load_config(new("upsilon", folder=folder))).config
        sample = sidebands(config, folder, 1, 30_670)
        test = sidebands(config, folder, 2, 150_000)[:50_000]
    held = np.random.default_rng(1).random(len(sample)) < config.background.flow.validation
    train, held_out = sample[~held], sample[held]
    print(f"{len(train)} training, {len(held_out)} held-out, {len(test)} test events; one thread")
    new_flows = [ours(config, train, held_out, test, seed) for seed in range(1, options.seeds + 1)]
    for seed, (seconds, likelihood, epochs) in enumerate(new_flows, start=1):
        print(f"ours       seed {seed}: {seconds:6.1f} s  {likelihood:.4f} nats  {epochs} epochs")
    old = [published(train, held_out, test, seed) for seed in range(1, options.published_seeds + 1)]
    for seed, (seconds, likelihood) in enumerate(old, start=1):
        print(f"published  seed {seed}: {seconds:6.1f} s  {likelihood:.4f} nats  400 epochs")
    if old:
        mean_new, mean_old = np.mean(new_flows, axis=0), np.mean(old, axis=0)
        print(
            f"ratio of times {mean_old[0] / mean_new[0]:.1f}, "
            f"ours better by {mean_new[1] - mean_old[1]:.4f} nats"
        )


if __name__ == "__main__":
    main()
