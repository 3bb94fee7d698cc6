"""What is read of each sample: its files, cuts, weights, and what systematics change about them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from quarkline.catalog import InputFile, Variation, Varied
from quarkline.catalog.files import is_there
from quarkline.engine.core.config import Config
from quarkline.studies.search.classes import classes_of
from quarkline.studies.search.config import SearchConfig
from quarkline.studies.search.fits.blind import seen_selection

NOMINAL = ""
"""The name of no shift."""
DATA = -1
"""Label of rows that belong to no class."""


class Reading(Config):
    """One pass over the files of a sample, nominal or with something shifted.

    Attributes:
        sample: Name of the sample.
        shift: Systematic and side whose columns, trees or files these are; "" for the nominal.
        simulated: Whether the events have weights, and groups that their folds hang on.
        label: Number of the class, -1 if it is in none.
        trees: Tree of each file.
        scales: Factor of the weights of each file.
        stop: Events to read, of all files together; None reads all.
        selection: The region's cut.
        beyond: A looser cut for events to train on; None trains on the region's.
        weight: Weight of an event, before the scale.
        weights: Weight of each variation that changes nothing else, by name.
        columns: Shifted columns, as expressions of the columns of the file.
    """

    sample: str
    shift: str
    simulated: bool
    label: int
    trees: list[str]
    scales: list[float]
    stop: int | None
    selection: str
    beyond: str | None
    weight: str
    weights: dict[str, str]
    columns: dict[str, str]


@dataclass(frozen=True)
class Readings:
    """All readings, each with its files.

    Attributes:
        readings: In the order of the catalog, nominal ones first.
        paths: Files of each.
        missing: Files of the catalog that are not there.
    """

    readings: tuple[Reading, ...]
    paths: tuple[tuple[Path, ...], ...]
    missing: tuple[Path, ...]

    @property
    def pairs(self) -> Iterator[tuple[Reading, tuple[Path, ...]]]:
        """Each reading with its files."""
        return zip(self.readings, self.paths, strict=True)


def readings_of(config: SearchConfig) -> Readings:
    """What a config reads; samples without files that are there are left out."""
    region = str(config.train.region)
    names = [name for name in config.samples if _is_read(config, name, region)]
    sides = [side for name in names for side in _sides(config, name, region) if side.shifts]
    found: list[tuple[Reading, tuple[Path, ...]]] = []
    missing: dict[Path, None] = {}
    passes: list[tuple[str, _Side | None]] = [(name, None) for name in names]
    for name, side in [*passes, *((side.sample, side) for side in sides)]:
        files = config.files_of(name, region, side.variation if side else None)
        there = [number for number, file in enumerate(files) if is_there(file.path)]
        missing |= {file.path: None for file in files if not is_there(file.path)}
        if chosen := there[: config.inputs.max_files]:
            found.append(_reading(config, name, side, files, chosen))
    readings, paths = zip(*found, strict=True) if found else ((), ())
    return Readings(tuple(readings), tuple(paths), tuple(missing))


@dataclass(frozen=True)
class _Side:
    """One side of a systematic of a sample."""

    sample: str
    name: str
    systematic: Varied
    variation: Variation

    @property
    def shifts(self) -> bool:
        """Whether it changes what is in the events, and not only their weights."""
        return bool(self.variation.columns or self.variation.files.model_fields_set)

    @property
    def weighs(self) -> bool:
        """Whether it changes the weights and nothing else."""
        weights = self.variation.weight or self.variation.weight_factor
        return bool(weights) and not self.shifts

    def weight(self, config: SearchConfig) -> str:
        """The weight of an event on this side."""
        ignored, region = self.systematic.ignore_weight, str(config.train.region)
        return str(config.weight_of(self.sample, region, self.variation, ignored=ignored))


def _sides(config: SearchConfig, sample: str, region: str) -> Iterator[_Side]:
    for name, systematic in config.systematics_of(sample, region).items():
        if isinstance(systematic, Varied):
            for side, variation in systematic.sides.items():
                yield _Side(sample, side_name(name, side), systematic, variation)


def side_name(systematic: str, side: str) -> str:
    """One side of a systematic as it is part of the name of a column."""
    return f"{re.sub(r'[^0-9A-Za-z_]', '_', systematic)}_{side}"


def _shifts(variation: Variation) -> bool:
    """Whether a side changes what is in the events, and not only their weights."""
    return bool(variation.columns or variation.files.model_fields_set)


def _is_read(config: SearchConfig, name: str, region: str) -> bool:
    """Whether a sample is read; data that are blinded are not."""
    sample = config.samples[name]
    hidden = sample.role == "reference" or config.hides(name, region)
    return config.holds(name, region) and not hidden


def _reading(
    config: SearchConfig,
    name: str,
    side: _Side | None,
    files: Sequence[InputFile],
    chosen: Sequence[int],
) -> tuple[Reading, tuple[Path, ...]]:
    region = str(config.train.region)
    label, scales = label_of(config, name), config.scales_of(name, files)
    beyond = config.train.beyond if label != DATA and side is None else None
    nominal = config.weight_of(name, region)
    weights = [item for item in _sides(config, name, region) if item.weighs and side is None]
    reading = Reading(
        sample=name,
        shift=side.name if side else NOMINAL,
        simulated=config.samples[name].role != "data",
        label=label,
        trees=[files[number].tree for number in chosen],
        scales=[scales[number] for number in chosen],
        stop=config.inputs.max_events,
        selection=str(seen_selection(config, name, region, [config.score.column])),
        beyond=str(beyond.selection) if beyond else None,
        weight=side.weight(config) if side else str(nominal),
        weights={item.name: item.weight(config) for item in weights},
        columns=dict(side.variation.columns) if side else {},
    )
    return reading, tuple(files[number].path for number in chosen)


def label_of(config: SearchConfig, sample: str) -> int:
    """The number of a sample's class."""
    classes = classes_of(config, str(config.train.region), config.train.classes)
    numbers = [number for number, samples in enumerate(classes.values()) if sample in samples]
    return numbers[0] if numbers else DATA
