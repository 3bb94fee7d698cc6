"""Networks against boosted trees, and what each fix of LQ-asym's network brings, on ntuples.

    python benchmarks/search_models.py NTUPLES [--seeds 1 2 3 4 5] [--only NAME ...]

Every model is trained out of fold by the `leptoquark` example, with its features and folds; a seed
changes folds, weights and batches. Printed are the AUC of the signal and the significance of the
automatic bins of its score (Asimov, in quadrature; with the statistics of the simulation and
without), as mean and standard error over the seeds, and their difference to the first model on
equal seeds. The spread over seeds knows nothing of the sample itself: its error stands in reports.
`plain` is `seed_network.py`, judged alike.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from seed_network import CLASSES, out_of_fold

from quarkline.statistics.evaluation import (
    Bootstrap,
    binned_significance,
    roc_curves,
    scored_events,
)
from quarkline.tools.new import new
from quarkline.tools.run import load_analysis, run

TREES = (
    "train.model={kind: bdt, trees: 1000, leaves: 6, learning_rate: 0.056, min_leaf: 4, l2: 3.35, "
    "feature_fraction: 0.609, subsample: 0.877}"
)
"""The best held-out loss of ten random choices, with folds of another seed."""
FIT = (
    "train.fit={batch_size: 256, epochs: 60, learning_rate: 0.001, schedule: {kind: one-cycle}, "
    "average_decay: 0.99, patience: 60, weights: %s, balance: %s}"
)
NETWORK = (
    "train.model={kind: resnet, blocks: 3, width: 128, dropout: 0.3, missing: %s, objects: %s, "
    "categories: embed}"
)
TRANSFORMER = "train.model={kind: ft-transformer, blocks: 2, width: 32, heads: 4, dropout: 0.2}"
PLAIN = "plain"
EVERY = ("learned", "attention")
MODELS: dict[str, list[str]] = {
    "trees": [TREES, FIT % ("none", "none")],
    "trees, weights": [TREES, FIT % ("signed", "classes")],
    "resnet": [NETWORK % EVERY, FIT % ("none", "none")],
    "resnet, weights": [NETWORK % EVERY, FIT % ("signed", "none")],
    "resnet, weights, balanced": [NETWORK % EVERY, FIT % ("signed", "classes")],
    "resnet, missing as mean": [NETWORK % ("mean", "attention"), FIT % ("none", "none")],
    "resnet, jets by place": [NETWORK % ("learned", "slots"), FIT % ("none", "none")],
    "resnet, three members": [NETWORK % EVERY, FIT % ("none", "none"), "train.members=3"],
    "transformer": [TRANSFORMER, FIT % ("none", "none")],
    PLAIN: [],
}
CHEAP = ["evaluate.importance_events=50", "evaluate.repetitions=2", "evaluate.replicas=0"]

Figures = tuple[float, float, float]


def judged(config: Path, overrides: list[str]) -> Figures:
    """AUC and both significances of one training of the example."""
    outcome = run(load_analysis(config, overrides=[*CHEAP, *overrides]), until="evaluate")
    results = outcome.run.results()
    bins = results["binned"].binning("automatic")
    return results["quoted"].auc.value, bins.total.value, bins.total_uncertain.value


def judged_plain(ntuples: Path, seed: int) -> Figures:
    """The same of the plain network."""
    scores, label, weight = out_of_fold(ntuples, seed)
    rest = np.repeat(((1 - scores) / (len(CLASSES) - 1))[:, None], len(CLASSES) - 1, axis=1)
    events = scored_events(
        np.concatenate([scores[:, None], rest], axis=1),
        label,
        classes=tuple(CLASSES),
        signal="lq",
        weight=weight,
    )
    none = Bootstrap(0, seed)
    auc = roc_curves(events, bootstrap=none).of_signal.auc.value
    bins = binned_significance(events, bootstrap=none).binning("automatic")
    return auc, bins.total.value, bins.total_uncertain.value


def main() -> None:
    """Train and judge every model with every seed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ntuples", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--only", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--runs", type=Path, help="folder of the runs, to go on with")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.runs or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "leptoquark.yaml"
        if not config.exists():
            new("leptoquark", folder=folder)
        common = [f"roots.ntuples={given.ntuples.resolve()}", f"roots.runs={folder / 'runs'}"]
        first: np.ndarray | None = None
        for name in given.only:
            found = np.array(
                [
                    judged_plain(given.ntuples, seed)
                    if name == PLAIN
                    else judged(config, [*common, f"seed={seed}", *MODELS[name]])
                    for seed in given.seeds
                ]
            )
            first = found if first is None else first
            show(name, found, found - first)


def show(name: str, found: np.ndarray, difference: np.ndarray) -> None:
    """Print the means with standard errors, and each seed's figures."""
    error = np.sqrt(max(len(found), 1))
    cells = [
        f"{m:.4f} ± {e:.4f} ({d:+.4f} ± {f:.4f})"
        for m, e, d, f in zip(
            found.mean(axis=0),
            found.std(axis=0, ddof=1) / error,
            difference.mean(axis=0),
            difference.std(axis=0, ddof=1) / error,
            strict=True,
        )
    ]
    print(f"{name:26s} {'  '.join(cells)}", flush=True)
    print(json.dumps({name: np.round(found, 5).tolist()}), flush=True)


if __name__ == "__main__":
    main()
