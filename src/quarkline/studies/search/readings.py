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

NOMINAL = ""
"""The name of no shift."""
DATA = -1
"""Label of rows that belong to no class."""


class Reading(Config):
    """One pass over the files of a sample, nominal or with something shifted.

    Attributes:
        sample: Name of the sample.
        shift: Systematic and side whose columns, trees or files these are; "" for the nominal.
        simulated: Whether the events have weights, groups and folds.
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
    found: list[tuple[Reading, tuple[Path, ...]]] = []
    missing: dict[Path, None] = {}
    shifted = [(name, *pair) for name in names for pair in shifts_of(config, name, region)]
    for name, shift, side in [*((name, NOMINAL, None) for name in names), *shifted]:
        files = config.files_of(name, region, side)
        there = [number for number, file in enumerate(files) if is_there(file.path)]
        missing |= {file.path: None for file in files if not is_there(file.path)}
        if chosen := there[: config.inputs.max_files]:
            found.append(_reading(config, name, shift, side, files, chosen))
    readings, paths = zip(*found, strict=True) if found else ((), ())
    return Readings(tuple(readings), tuple(paths), tuple(missing))


def shifts_of(config: SearchConfig, sample: str, region: str) -> Iterator[tuple[str, Variation]]:
    """The sides of systematics that change what a model sees, by name."""
    for name, systematic in config.systematics_of(sample, region).items():
        for side, variation in systematic.sides.items() if isinstance(systematic, Varied) else ():
            if _shifts(variation):
                yield side_name(name, side), variation


def side_name(systematic: str, side: str) -> str:
    """One side of a systematic as it is part of the name of a column."""
    return f"{re.sub(r'[^0-9A-Za-z_]', '_', systematic)}_{side}"


def _shifts(variation: Variation) -> bool:
    """Whether a side changes what is in the events, and not only their weights."""
    return bool(variation.columns or variation.files.model_fields_set)


def _is_read(config: SearchConfig, sample: str, region: str) -> bool:
    return config.holds(sample, region) and config.samples[sample].role != "reference"


def _reading(
    config: SearchConfig,
    name: str,
    shift: str,
    side: Variation | None,
    files: Sequence[InputFile],
    chosen: Sequence[int],
) -> tuple[Reading, tuple[Path, ...]]:
    region = str(config.train.region)
    sample = config.samples[name]
    simulated, label = sample.role != "data", label_of(config, name)
    scales = _scales(config, name, len(files))
    beyond = config.train.beyond if label != DATA else None
    reading = Reading(
        sample=name,
        shift=shift,
        simulated=simulated,
        label=label,
        trees=[files[number].tree for number in chosen],
        scales=[scales[number] for number in chosen],
        stop=config.inputs.max_events,
        selection=str(config.selection_of(name, region)),
        beyond=str(beyond.selection) if beyond and not shift else None,
        weight=str(config.weight_of(name, region, side)),
        weights={} if shift else _weights(config, name, region),
        columns=dict(side.columns) if side else {},
    )
    return reading, tuple(files[number].path for number in chosen)


def label_of(config: SearchConfig, sample: str) -> int:
    """The number of a sample's class."""
    classes = classes_of(config, str(config.train.region), config.train.classes)
    numbers = [number for number, samples in enumerate(classes.values()) if sample in samples]
    return numbers[0] if numbers else DATA


def _scales(config: SearchConfig, name: str, files: int) -> list[float]:
    """Luminosity times the sample's own scale, for each of its files."""
    sample = config.samples[name]
    if sample.role == "data":
        return [1.0] * files
    common = config.luminosity.factor if sample.normalised_by_theory else 1.0
    own = sample.scales or [1.0]
    return [common * scale for scale in (own if len(own) == files else own[:1] * files)]


def _weights(config: SearchConfig, name: str, region: str) -> dict[str, str]:
    """The weights of variations that change nothing but the weight."""
    found: dict[str, str] = {}
    for systematic, varied in config.systematics_of(name, region).items():
        for side, variation in varied.sides.items() if isinstance(varied, Varied) else ():
            if _shifts(variation) or not (variation.weight or variation.weight_factor):
                continue
            weight = config.weight_of(name, region, variation)
            if varied.ignore_weight:
                weight = weight.without(varied.ignore_weight)
            found[side_name(systematic, side)] = str(weight)
    return found
