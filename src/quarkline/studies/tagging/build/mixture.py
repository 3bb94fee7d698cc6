"""Mixes tables of jets into a training set and a control region."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import Finding, Rule, WorkError
from quarkline.studies.tagging.build.block import JetBlock, block_of, common_columns
from quarkline.studies.tagging.build.choice import Chosen, choose
from quarkline.studies.tagging.build.config import BuildConfig, BuildInput
from quarkline.studies.tagging.build.files import JetSink, files_of
from quarkline.studies.tagging.build.results import Build, BuiltClass, BuiltInput
from quarkline.studies.tagging.build.scaling import scaled, scaled_as_upstream
from quarkline.studies.tagging.build.weights import binned, effective, matched_weights
from quarkline.studies.tagging.columns import Label
from quarkline.studies.tagging.tables import WEIGHT

Floats = NDArray[np.float64]

ROWS = 16_384
"""Jets that are scaled at a time: padded they take some 6 kB each, in several copies."""
SIMULATION, DATA = 0, 2
"""Labels in a control region."""
NO_WEIGHT = Rule(
    "QL-TAG-034",
    "simulation and data of a control region both weigh something",
    "The simulation's weights are scaled to the sum of the data's, which must not be 0 or less on "
    "either side.",
)


@dataclass
class Part:
    """Tables that are written one after the other, and the weights of their jets.

    Attributes:
        name: `main`, `simulation` or `data`.
        chosen: The jets of each table.
        label: The label that all of them get; None leaves it.
        factors: What multiplies the weight of each jet, table by table.
    """

    name: str
    chosen: list[Chosen]
    label: int | None = None
    factors: list[Floats] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.factors = [np.ones(len(one.label)) for one in self.chosen]

    def kept(self, of: Callable[[Chosen], NDArray[Any]]) -> NDArray[Any]:
        """A quantity of all jets that are taken."""
        return np.concatenate([np.zeros(0), *(of(one)[one.kept] for one in self.chosen)])

    @property
    def weight(self) -> Floats:
        """Weights of the jets that are taken, with their factors."""
        pairs = zip(self.chosen, self.factors, strict=True)
        return np.concatenate(
            [np.zeros(0), *((one.weight * factor)[one.kept] for one, factor in pairs)]
        )

    @property
    def labels(self) -> NDArray[np.int64]:
        """Labels of the jets that are taken."""
        own = self.kept(lambda one: one.label).astype(np.int64)
        return own if self.label is None else np.full(len(own), self.label)

    def multiply(self, factors: Floats, where: NDArray[np.bool_]) -> None:
        """Multiply the weights of some of the jets that are taken, in order."""
        every = np.ones(len(where))
        every[where] = factors
        start = 0
        for one, own in zip(self.chosen, self.factors, strict=True):
            count = int(one.kept.sum())
            own[one.kept] *= every[start : start + count]
            start += count


def build(
    config: BuildConfig,
    base: Path,
    out: Path,
    *,
    seed: int,
    progress: Callable[[str], None] = lambda name: None,  # noqa: ARG005
) -> Build:
    """Choose, weigh, scale and write jets, some thousand at a time.

    Args:
        config: What to build.
        base: What relative paths of inputs are relative to.
        out: A folder, which gets `main.parquet` and `control.parquet`.
        seed: Seed of limits.
        progress: Told the name of each table that is written.

    Raises:
        InputError: If an input is no table of jets, or cannot be mixed with the others.
        WorkError: If a control region has no weight on a side.
    """
    odd: list[Finding] = []

    def part(name: str, inputs: Sequence[BuildInput], label: int | None = None) -> Part:
        chosen = []
        for one in inputs:
            found, findings = choose(one, files_of(one.files, base), config, seed=seed)
            chosen += found
            odd.extend(findings)
        return Part(name, chosen, label)

    main = part("main", config.main)
    _flatten(main, config)
    sets = {"main": [main]}
    if config.control is not None:
        simulation = part("simulation", config.control.simulation, SIMULATION)
        data = part("data", config.control.data, DATA)
        _match(simulation, data, config)
        sets["control"] = [simulation, data]
    for name, parts in sets.items():
        _write(out / f"{name}.parquet", parts, config, progress)
    return _result(sets, config, odd)


def _flatten(main: Part, config: BuildConfig) -> None:
    """Weigh each class so that its momenta are as wanted."""
    if config.flatten == "none":
        return
    momenta, weight, labels = main.kept(lambda one: one.momenta), main.weight, main.labels
    signal = labels == Label.SIGNAL
    edges = config.pt_edges
    wanted = (
        binned(momenta[signal], weight[signal], edges)
        if config.flatten == "signal"
        else np.diff(edges)
    )
    for label in np.unique(labels):
        own = labels == label
        main.multiply(matched_weights(momenta[own], weight[own], wanted, edges), own)


def _match(simulation: Part, data: Part, config: BuildConfig) -> None:
    """Give the simulation the momenta of data, and their sum of weights."""
    assert config.control is not None  # noqa: S101
    momenta, everything = simulation.kept(lambda one: one.momenta), np.ones(len(simulation.weight))
    if config.control.match_pt:
        wanted = binned(data.kept(lambda one: one.momenta), data.weight, config.pt_edges)
        factors = matched_weights(momenta, simulation.weight, wanted, config.pt_edges)
        simulation.multiply(factors, everything > 0)
    if config.control.normalise:
        sums = {part.name: float(part.weight.sum()) for part in (simulation, data)}
        if min(sums.values()) <= 0:
            empty = min(sums, key=sums.__getitem__)
            raise WorkError(
                NO_WEIGHT.finding(
                    f"the weights of {empty} in the control region sum up to {sums[empty]:g}",
                    suggestion="give other tables, or `normalise: false`",
                )
            )
        simulation.multiply(everything * sums["data"] / sums["simulation"], everything > 0)


def _write(
    path: Path, parts: Sequence[Part], config: BuildConfig, progress: Callable[[str], None]
) -> None:
    flat = config.scaling == "upstream"
    tables = [one.table for part in parts for one in part.chosen]
    columns = common_columns(tables, decay=parts[0].name == "main")
    with JetSink(path, scaling_of(config), flat=flat, remove=config.remove) as sink:
        for part in parts:
            for one, factors in zip(part.chosen, part.factors, strict=True):
                progress(one.table.path.name)
                for block in _blocks(one, factors, part.label, config):
                    sink.write(block.only(columns))


def _blocks(
    chosen: Chosen, factors: Floats, label: int | None, config: BuildConfig
) -> Iterator[JetBlock]:
    """The jets of a table that are taken, scaled and weighed; an empty block if there are none."""
    start = 0
    for batch in chosen.table.batches(rows=ROWS):
        stop = start + len(batch["label"])
        block = block_of(chosen.table, batch)[chosen.kept[start:stop]]
        own = factors[start:stop][chosen.kept[start:stop]]
        start = stop
        weight = block.values.get(WEIGHT, np.ones(len(block))) * own
        labels = block.values["label"] if label is None else np.full(len(block), label)
        yield _scaled(block, chosen, config).having(**{WEIGHT: weight, "label": labels})


def _scaled(block: JetBlock, chosen: Chosen, config: BuildConfig) -> JetBlock:
    if config.scaling == "none" or chosen.table.scaling["kind"] != "none":
        return block
    scale = scaled_as_upstream if config.scaling == "upstream" else scaled
    return scale(block, config.min_jet_pt, config.max_jet_pt)


def scaling_of(config: BuildConfig) -> dict[str, str | float]:
    """What a built table says about its scaling."""
    if config.scaling == "none":
        return {"kind": "none"}
    return {"kind": config.scaling, "min_pt": config.min_jet_pt, "max_pt": config.max_jet_pt}


def _result(sets: dict[str, list[Part]], config: BuildConfig, odd: Sequence[Finding]) -> Build:
    inputs = tuple(
        BuiltInput(part.name, one.table.path.name, one.table.rows, one.counts)
        for parts in sets.values()
        for part in parts
        for one in part.chosen
    )
    return Build(
        inputs,
        tuple(one for name, parts in sets.items() for one in _classes(name, parts)),
        scaling_of(config),
        tuple(_told(odd)),
    )


def _told(odd: Sequence[Finding]) -> Iterator[str]:
    """Warnings, each once with the names of its tables; where they are is not part of a result."""
    tables: dict[tuple[str, str, str], list[str]] = {}
    for finding in odd:
        place = finding.place.file if finding.place else None
        key = (finding.code, finding.message, finding.suggestion or "")
        tables.setdefault(key, []).extend([Path(place).name] if place else [])
    for (code, message, suggestion), names in tables.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        table = f"{names[0]}{more}: " if names else ""
        yield f"{code}  {table}{message}" + (f"; {suggestion}" if suggestion else "")


def _classes(name: str, parts: Sequence[Part]) -> Iterator[BuiltClass]:
    labels = np.concatenate([part.labels for part in parts])
    weight = np.concatenate([part.weight for part in parts])
    for label in np.unique(labels):
        own = weight[labels == label]
        yield BuiltClass(name, int(label), len(own), float(own.sum()), effective(own))
