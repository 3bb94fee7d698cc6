"""Spread of the significance over classifier seeds: our ensemble against one of the published kind.

    python benchmarks/spread.py [RUN] [--seeds 6] [--members 100]

RUN is a finished run of the resonance study; without one, that of `make demo`; its pairs and its
generated background stay fixed and only the classifiers' seeds change. The published ensemble is
one partition into five folds with 100 classifiers each: up to 300 trees of depth 3 at rate 0.1 on
70 % of the events, stopped after 10 rounds without gain on the next fold, probabilities averaged
and pooled.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import cast

import lightgbm
import numpy as np

from quarkline.engine.workflow.runs import read_run
from quarkline.learning.models.folds import Rows, family_from, fit_folds, partition
from quarkline.learning.models.trees import FIXED
from quarkline.statistics import HuntBinning, Spectrum, fit_batch, threshold_at_fpr
from quarkline.studies.resonance.config import BdtConfig
from quarkline.studies.resonance.events import Pairs, read_features, read_pairs
from quarkline.studies.resonance.results import WorkingPoint

DEMO = Path("demo/runs/demo/00001")
RATES = (0.1, 0.05, 0.01)
FOLDS = 5
PUBLISHED = FIXED | {
    "objective": "binary",
    "max_depth": 3,
    "num_leaves": 8,
    "learning_rate": 0.1,
    "bagging_fraction": 0.7,
    "min_data_in_leaf": 1,
}


def ours(pairs: Pairs, templates: np.ndarray, seed: int) -> np.ndarray:
    """Scores of our ensemble: ranks averaged over repetitions with new partitions."""
    default = BdtConfig()
    window, beside = pairs[pairs.in_window], pairs[~pairs.in_window]
    ranks = []
    for repetition in range(default.ensemble):
        model = fit_folds(
            window,
            Rows.numbered(templates),
            beside,
            family_from(default.model_dump()),
            features=["x"] * templates.shape[1],
            folds=default.folds,
            seed=seed,
            repetition=repetition,
        )
        ranks.append(model.score(pairs.features, pairs.group).rank)
    return np.mean(ranks, axis=0)


def published(pairs: Pairs, templates: np.ndarray, seed: int, members: int) -> np.ndarray:
    """Scores of an ensemble of the published kind."""
    fold = partition(pairs.group, FOLDS, seed=seed, repetition=0)
    generated = np.arange(len(templates), dtype=np.uint64)
    template_fold = partition(generated, FOLDS, seed=seed, repetition=0)
    scores = np.zeros(len(pairs))

    def rows(keep: np.ndarray, keep_templates: np.ndarray) -> tuple[np.ndarray, ...]:
        data = pairs.features[pairs.in_window & keep]
        made = templates[keep_templates]
        label = np.concatenate([np.ones(len(data)), np.zeros(len(made))])
        weight = np.where(label == 1, len(made) / len(data), 1.0)
        return np.concatenate([data, made]), label, weight

    for index in range(FOLDS):
        held = (index - 1) % FOLDS
        x, y, w = rows(
            (fold != index) & (fold != held), (template_fold != index) & (template_fold != held)
        )
        x_held, y_held, w_held = rows(fold == held, template_fold == held)
        train = lightgbm.Dataset(x, y, weight=w, params=PUBLISHED, free_raw_data=False)
        stop = lightgbm.Dataset(
            x_held, y_held, weight=w_held, reference=train, params=PUBLISHED, free_raw_data=False
        )
        mine = fold == index
        for member in range(members):
            booster = lightgbm.train(
                PUBLISHED | {"seed": seed * 10_000 + index * 100 + member + 1},
                train,
                300,
                valid_sets=[stop],
                callbacks=[lightgbm.early_stopping(10, verbose=False)],
            )
            scores[mine] += booster.predict(pairs.features[mine], num_threads=1) / members
    return scores


def significances(
    pairs: Pairs, scores: np.ndarray, binning: HuntBinning, degree: int
) -> list[float]:
    """Z behind the cuts at `RATES`."""
    cuts = [threshold_at_fpr(scores[~pairs.in_window], rate) for rate in RATES]
    spectra = [binning.count(pairs.mass[scores >= cut]) for cut in cuts]
    return [float(z) for z in fit_batch(Spectrum.stack(spectra), degree).z]


def main() -> None:
    """Print mean and spread of both ensembles."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, nargs="?", default=DEMO)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--members", type=int, default=100)
    options = parser.parse_args()
    run = read_run(options.run)
    point = cast("WorkingPoint", run.results()["working_point"])
    features = json.loads((run.folder / "resolved.json").read_text())["features"]
    hunt = point.hunt
    pairs = read_pairs(run.record("select").files["pairs"], features, hunt.mass_window).searched()
    name = f"window-degree{hunt.degree}-bins{hunt.bins}"
    templates = read_features(run.record("generate").files[name], features)
    binning = HuntBinning(hunt.mass_range, hunt.mass_window, hunt.bins)
    print(
        f"Z at FPR {RATES}: mean, spread over {options.seeds} seeds with its error, seconds a seed"
    )
    for kind in ("ours", "published"):
        clock, found = time.perf_counter(), []
        for seed in range(1, options.seeds + 1):
            scores = (
                ours(pairs, templates, seed)
                if kind == "ours"
                else published(pairs, templates, seed, options.members)
            )
            found.append(significances(pairs, scores, binning, hunt.degree))
        seconds = (time.perf_counter() - clock) / options.seeds
        mean, spread = np.mean(found, axis=0), np.std(found, axis=0, ddof=1)
        error = spread / np.sqrt(2 * (options.seeds - 1))
        print(
            f"{kind:10s}",
            *(f"{m:.2f} ± {s:.2f} ({e:.2f})" for m, s, e in zip(mean, spread, error, strict=True)),
            f"  {seconds:.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
