"""What an adversary gains and costs on simulated jets: worst K-S distance, signal efficiency.

    python benchmarks/tagging_adversary.py FOLDER [SEEDS [EPOCHS [WAY ...]]]

Jets are those of `simulate:` with the planted shift of its defaults. Each way is trained with
each seed; a line says, for test jets, the worst K-S distance of data and simulation of any output
and pT bin of the control region, and the signal efficiency at 1 % QCD efficiency. The last table
has means, their errors from the spread of the seeds, and ratios to the network alone. Trainings
that are finished in FOLDER are not repeated.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from quarkline.engine.core.config import load_config
from quarkline.engine.workflow.run import finish_stages, open_analysis
from quarkline.learning.models.artifact import load_model
from quarkline.learning.models.event_model import EventModel
from quarkline.statistics.tagging import output_agreement, signal_efficiency
from quarkline.studies.tagging.features.choice import Split
from quarkline.studies.tagging.features.folder import ScaledJets
from quarkline.studies.tagging.train.kept import MODEL
from quarkline.studies.tagging.train.run import TrainStageConfig, train_seed

JETS = {
    "signal": 12_000,
    "qcd": 12_000,
    "bib": 12_000,
    "control_simulation": 20_000,
    "control_data": 20_000,
}
CONFIG = {
    "schema": 1,
    "study": "tagging",
    "name": "adversary",
    "simulate": {"jets": JETS},
    "features": {"validation": 0.1, "test": 0.4},
    "train": {"adversary": {"kind": "none"}},
}
UPSTREAM = {"kind": "alternating", "weight": 10.0, "steps": 2, "bound": None}
WAYS: Mapping[str, Mapping[str, Any]] = {
    "none": {"kind": "none"},
    "alternating-unbounded-10": UPSTREAM,
    **{
        f"{kind}-{weight:g}": {"kind": kind, "weight": weight, "ramp": 2.0}
        for kind in ("distance-correlation", "mmd", "reversal", "alternating")
        for weight in (1.0, 3.0, 10.0, 30.0)
    },
}
USUAL = (
    *("none", "alternating-unbounded-10"),
    *(f"distance-correlation-{weight}" for weight in (1, 3, 10, 30)),
)
QCD_EFFICIENCY = 0.01


def features(folder: Path) -> dict[str, Path]:
    """The folders of the stage `features`, which is run if it is not finished."""
    overrides = [f"roots.runs={json.dumps(str(folder / 'runs'))}"]
    file = load_config(None, keys=CONFIG, overrides=overrides)
    record = finish_stages(open_analysis(file), until="features")["features"]
    return {name: record.files[name] for name in ("main", "control", "preprocess")}


def trained(
    way: str, seed: int, epochs: int, inputs: Mapping[str, Path], folder: Path
) -> dict[str, float]:
    """What one training is worth on test jets."""
    told = folder / "told.json"
    if told.exists():
        found: dict[str, float] = json.loads(told.read_text())
        return found
    config = TrainStageConfig.model_validate(
        {
            "adversary": WAYS[way],
            "fit": {"epochs": epochs, "optimiser": "nadam", "clip": 1.0},
            "watch": {"permutations": 0},
            "epoch_weights": "best",
            "seed": seed,
        }
    )
    args = config.model_dump(mode="json", exclude={"seeds", "start", "parent"}) | {"number": 0}
    clock, wall = time.process_time(), time.perf_counter()
    train_seed(args, inputs, folder)
    spent = {"processor": time.process_time() - clock, "wall": time.perf_counter() - wall}
    found = judged(load_model(folder / MODEL, EventModel), inputs, seed) | spent
    told.write_text(json.dumps(found))
    return found


def judged(model: EventModel, inputs: Mapping[str, Path], seed: int) -> dict[str, float]:
    """Worst K-S distance, what chance makes it, and signal efficiency, on test jets."""
    main, control = (ScaledJets.load(inputs[name]) for name in ("main", "control"))
    rows = {"main": main.rows(Split.TEST), "control": control.rows(Split.TEST)}
    scores = {
        name: _scores(model, jets, rows[name])
        for name, jets in (("main", main), ("control", control))
    }
    chosen = control.jets[rows["control"]]
    agreement = output_agreement(
        scores["control"],
        np.asarray(chosen.label) == 2,
        chosen.weight,
        control.momenta[rows["control"]],
        permutations=50,
        seed=seed,
    )
    known = main.jets[rows["main"]]
    found = signal_efficiency(scores["main"], known.label, known.weight, QCD_EFFICIENCY)
    return {
        "ks": agreement.worst.value,
        "chance": agreement.worst.expected,
        "efficiency": found.value,
    }


def _scores(model: EventModel, jets: ScaledJets, rows: np.ndarray[Any, Any]) -> Any:
    """Outputs for jets that are scaled already."""
    import torch

    from quarkline.studies.tagging.rows import JetRows

    zero = np.zeros(len(rows), np.int64)
    source = JetRows(jets.jets, rows, zero, zero.astype(np.float32))
    module: Any = model.predictor.module  # type: ignore[attr-defined]
    with torch.inference_mode():
        parts = [
            torch.softmax(module(*source.take(part)[:-2]), dim=1)
            for part in torch.split(torch.arange(len(rows)), 4096)
        ]
    return torch.cat(parts).numpy()


def main() -> None:
    """Train each way with each seed, and say what came of it."""
    folder, rest = Path(sys.argv[1]), sys.argv[2:]
    seeds, epochs = int(rest[0]) if rest else 5, int(rest[1]) if len(rest) > 1 else 10
    ways = rest[2:] or USUAL
    inputs = features(folder)
    found: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for seed in range(1, seeds + 1):
        for way in ways:
            one = trained(way, seed, epochs, inputs, folder / f"{way}-{epochs}-{seed}")
            found[way].append(one)
            shown = "  ".join(f"{name} {value:.4f}" for name, value in one.items())
            print(f"{way:28s} seed {seed}  {shown}", flush=True)
    alone = found.get("none") or next(iter(found.values()))
    for way, all_seeds in found.items():
        print(f"{way:28s} {_spelt(all_seeds, alone)}")


def _spelt(seeds: list[dict[str, float]], alone: list[dict[str, float]]) -> str:
    """Means and their errors, and ratios seed by seed."""
    values = {
        "worst K-S": [one["ks"] for one in seeds],
        "by chance": [one["chance"] for one in seeds],
        "efficiency": [one["efficiency"] for one in seeds],
        "K-S cut": [other["ks"] / one["ks"] for one, other in zip(seeds, alone, strict=True)],
        "relative loss": [
            1 - one["efficiency"] / other["efficiency"]
            for one, other in zip(seeds, alone, strict=True)
        ],
    }
    parts = []
    for name, column in values.items():
        error = statistics.stdev(column) / len(column) ** 0.5 if len(column) > 1 else float("nan")
        parts.append(f"{name} {statistics.mean(column):.4f} +- {error:.4f}")
    return "  ".join(parts)


if __name__ == "__main__":
    main()
