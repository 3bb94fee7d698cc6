"""Stage `compare`: several methods on the same events, everything trained from several seeds.

A seed has its own flows, generated events and classifiers, as a run with that seed would have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np

from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.config import Config
from quarkline.engine.core.results import Quantity
from quarkline.engine.workflow.stage import Context
from quarkline.learning.models.folds import Floats
from quarkline.statistics import HuntBinning
from quarkline.studies.resonance.background import train_flow
from quarkline.studies.resonance.classify import averaged, repetition_item, train_repetition
from quarkline.studies.resonance.config import (
    BdtConfig,
    ClassifierConfig,
    FlowConfig,
    Method,
    MlpConfig,
)
from quarkline.studies.resonance.events import Pairs, read_pairs
from quarkline.studies.resonance.generate import flow_inputs, generate
from quarkline.studies.resonance.hunt import Hunter, control_scan, passing_against_failing
from quarkline.studies.resonance.methods import method_inputs, method_name, template_files
from quarkline.studies.resonance.results import ComparedMethod, ComparedPoint, Comparison


class CompareConfig(Config):
    """What the comparison depends on."""

    features: list[str]
    range: tuple[float, float]
    window: tuple[float, float]
    hypothesis: tuple[int, int]
    rates: list[float]
    working_point: float
    flow: FlowConfig
    flows: int
    oversample: float
    methods: list[Method]
    classifiers: list[ClassifierConfig]
    seeds: int
    seed: int

    @property
    def training_seeds(self) -> list[int]:
        """The seeds that everything is trained from."""
        return list(range(self.seed, self.seed + self.seeds))


@dataclass(frozen=True)
class SeedMaterial:
    """What the classifiers of one seed read beside the pairs.

    Attributes:
        seed: The seed.
        flows: Folders of its flows.
        window: Its generated events in the window.
    """

    seed: int
    flows: Sequence[Path]
    window: Path


def run(context: Context) -> dict[str, Any]:
    """Flows of all seeds, their generated events, all classifiers; then the hunts."""
    config: CompareConfig = context.config
    everything = read_pairs(context.path("pairs"), config.features, config.window)
    binning = HuntBinning(config.range, config.window, config.hypothesis[1])
    judge = Judge(config, everything, Hunter(everything.searched(), binning, config.hypothesis[0]))
    ranks = _ranks(context, _material(context))
    methods = tuple(
        judge.compared(method, classifier, of_seeds)
        for (method, classifier), of_seeds in ranks.items()
    )
    means = [
        mean_over_seeds([point.hunt.z_local for point in item.working_point]) for item in methods
    ]
    context.summary(
        " · ".join(
            f"{method_name(item)} {mean.value:.1f} ± {mean.up:.1f}"
            for item, mean in zip(methods, means, strict=True)
        )
    )
    seeds, rates = tuple(config.training_seeds), tuple(config.rates)
    return {"comparison": Comparison(seeds, rates, config.working_point, methods)}


def _material(context: Context) -> list[SeedMaterial]:
    """Flows and generated events of every seed."""
    config: CompareConfig = context.config
    seeds, pairs = config.training_seeds, context.files("pairs")
    shared = config.model_dump(mode="json", include={"features", "window"})
    flow = shared | {"flow": config.flow.model_dump(mode="json")}
    asked = [
        Item(f"flow {number} of seed {seed}", flow | {"seed": seed, "number": number}, pairs)
        for seed, number in product(seeds, range(1, config.flows + 1))
    ]
    trained = context.map("flow", train_flow, asked)
    folders = iter([item.folder / "model" for item in trained])
    flows = [list(islice(folders, config.flows)) for _ in seeds]
    window = shared | {
        "range": config.range,
        "kind": "window",
        "hypothesis": config.hypothesis,
        "oversample": config.oversample,
    }
    made = context.map(
        "generate",
        generate,
        [
            Item(f"window of seed {seed}", window | {"seed": seed}, pairs | flow_inputs(own))
            for seed, own in zip(seeds, flows, strict=True)
        ],
    )
    windows = [item.folder / "events.parquet" for item in made]
    return [SeedMaterial(*parts) for parts in zip(seeds, flows, windows, strict=True)]


def _ranks(
    context: Context, material: Sequence[SeedMaterial]
) -> dict[tuple[str, str], list[Floats]]:
    """Score of every pair by method and kind of classifier, one array a seed."""
    config: CompareConfig = context.config
    asked = list(product(config.methods, config.classifiers, material))
    items = [
        _item(context, method, classifier, of_seed, repetition)
        for method, classifier, of_seed in asked
        for repetition in range(classifier.ensemble)
    ]
    done = iter(context.map("repetition", train_repetition, items))
    ranks: dict[tuple[str, str], list[Floats]] = {}
    for method, classifier, _ in asked:
        repetitions = list(islice(done, classifier.ensemble))
        ranks.setdefault((method, classifier.kind), []).append(averaged(repetitions, "pairs")[0])
    return ranks


def _item(
    context: Context,
    method: Method,
    classifier: BdtConfig | MlpConfig,
    material: SeedMaterial,
    repetition: int,
) -> Item:
    files = template_files(context.inputs, material.window)
    shared = context.config.model_dump(mode="json", include={"features", "window"})
    return repetition_item(
        f"{method} {classifier.kind} of seed {material.seed}, repetition {repetition + 1}",
        shared | {"method": method, "seed": material.seed},
        classifier,
        repetition,
        context.files("pairs") | method_inputs(method, repetition, files, material.flows),
    )


@dataclass(frozen=True)
class Judge:
    """The hunts that every method's scores go through."""

    config: CompareConfig
    everything: Pairs
    hunter: Hunter

    def compared(self, method: str, classifier: str, ranks: Sequence[Floats]) -> ComparedMethod:
        """One method's significances, from its scores of all pairs, one array a seed."""
        searched = ~self.everything.control
        scans = [self.hunter.scan(method, rank[searched], self.config.rates) for rank in ranks]
        z = [[point.z_local for point in scan.points] for scan in scans]
        points = [
            self.point(seed, rank)
            for seed, rank in zip(self.config.training_seeds, ranks, strict=True)
        ]
        return ComparedMethod(
            method=method,
            classifier=classifier,
            z=tuple(tuple(of_seed) for of_seed in z),
            mean=tuple(mean_over_seeds(at_rate) for at_rate in zip(*z, strict=True)),
            working_point=tuple(points),
        )

    def point(self, seed: int, rank: Floats) -> ComparedPoint:
        """The declared working point of one seed's scores."""
        rate, score = self.config.working_point, rank[~self.everything.control]
        test = passing_against_failing(self.hunter, score, rate)
        return ComparedPoint(
            seed=seed,
            hunt=self.hunter.scan("classifier", score, [rate]).points[0],
            control=control_scan(self.hunter, self.everything, rank, [rate]).points[0],
            ks_statistic=test.statistic,
            ks_p_value=test.p_value,
        )


def mean_over_seeds(values: Sequence[float]) -> Quantity:
    """The mean with its standard error."""
    error = float(np.std(values, ddof=1) / np.sqrt(len(values)))
    return Quantity(float(np.mean(values)), error, error)
