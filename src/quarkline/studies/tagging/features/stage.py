"""Stage `features`: chosen jets, scaled, split by event, sorted by row, memory-mapped."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import InputError, Place, Rule, WorkError
from quarkline.engine.core.results import pretty_json
from quarkline.engine.store.npy import NpyWriter
from quarkline.engine.workflow.stage import Context
from quarkline.learning.features.preprocess import Preprocess
from quarkline.studies.tagging.columns import Label
from quarkline.studies.tagging.features.choice import Choice, Split, choose, masses_for, split_of
from quarkline.studies.tagging.features.config import JetFeaturesConfig
from quarkline.studies.tagging.features.folder import MOMENTA, PREPROCESS, SPLIT
from quarkline.studies.tagging.features.results import JetCounts, JetFeatures, MassPoint
from quarkline.studies.tagging.features.scaling import (
    first_jets,
    fit_scales,
    scaled_jets,
    spec_of,
    with_masses,
)
from quarkline.studies.tagging.features.sorting import SortedJets, sorted_jets
from quarkline.studies.tagging.jets import JetSet, JetWriter
from quarkline.studies.tagging.tables import JetTable, empty, tables_in

CONTROL_LABELS = (0, 2)

MIXED = Rule(
    "QL-TAG-020",
    "all tables of jets of one training are scaled alike",
    "A network that learns from jets in GeV and others in units of 500 GeV learns which file a jet "
    "is from. Build all of them with the same scaling, main set and control region.",
)
NO_TRAINING = Rule(
    "QL-TAG-021",
    "there is signal and background to train on",
    "A network tells signal from multijets and beam-induced background. Without signal, or without "
    "any background among the events to train on, there is nothing to learn.",
)
BAD_LABEL = Rule(
    "QL-TAG-022",
    "labels are 0, 1 and 2",
    "In the main set 0 is multijets, 1 signal and 2 beam-induced background; in a control region "
    "0 is simulation and 2 data, and there is no signal.",
)


class FeaturesStageConfig(JetFeaturesConfig):
    """What the features depend on."""

    seed: int


@dataclass(frozen=True)
class _Set:
    """The main set, or the control region.

    Attributes:
        name: `main` or `control`.
        tables: Its tables.
        facts: Its jets without constituents.
        choice: What becomes of them.
    """

    name: str
    tables: tuple[JetTable, ...]
    facts: JetSet
    choice: Choice


def run(context: Context) -> dict[str, Any]:
    """Look at all jets, choose, sort them on disk, and scale them part by part."""
    config: FeaturesStageConfig = context.config
    sets = [_set(context, name, config) for name in ("main", "control")]
    first = _checked(sets)
    points, shares = _masses(sets[0])
    sorting = context.out / "sorting"
    told = {
        item.name: sorted_jets(item.tables, item.choice.kept, sorting / item.name) for item in sets
    }
    writer = _Writer(config, first, points, shares)
    preprocess = writer.fit(told["main"])
    for done, (name, parts) in enumerate(told.items()):
        context.progress.update(done, len(told), name)
        writer.write(preprocess, parts, context.out / name)
    shutil.rmtree(sorting)
    (context.out / PREPROCESS).write_text(pretty_json(preprocess.as_json()))
    found = _result(sets, first, preprocess)
    context.summary(" · ".join(f"{item.choice.kept.sum():,} jets in {item.name}" for item in sets))
    return {
        "main": context.out / "main",
        "control": context.out / "control",
        "preprocess": context.out / PREPROCESS,
        "features": found,
    }


def _set(context: Context, name: str, config: FeaturesStageConfig) -> _Set:
    tables = tables_in(context.inputs[name]) if name in context.inputs else ()
    parts = [jets for table in tables for jets in table.jets(streams=())]
    facts = JetSet.concatenated(parts) if parts else empty()
    choice = choose(facts, config, seed=config.seed, control=name == "control")
    return _Set(name, tables, facts, choice)


def _checked(sets: Sequence[_Set]) -> JetTable:
    """The first table, if all tables are scaled as it is and hold what they should.

    Raises:
        InputError: If they differ.
        WorkError: If nothing is left to train on.
    """
    main, control = sets
    train = main.facts.label[main.choice.kept & (main.choice.split == Split.TRAIN)]
    signal, background = (train == Label.SIGNAL).sum(), (train != Label.SIGNAL).sum()
    if not signal or not background:
        raise WorkError(
            NO_TRAINING.finding(
                f"{signal:,} jets of signal and {background:,} of background are left to train on, "
                f"of {len(main.facts):,} jets in the main set",
                suggestion="give more tables, or choose less with `masses`, `fraction`, "
                "`validation` and `test`",
            )
        )
    _check_labels(main, tuple(Label))
    _check_labels(control, CONTROL_LABELS)
    first = main.tables[0]
    for table in (*main.tables, *control.tables):
        if _kind(table) != _kind(first):
            raise InputError(
                MIXED.finding(
                    f"it has {_spelt(table)}; {first.path.name} has {_spelt(first)}",
                    place=Place(table.path),
                    suggestion="build both again with the same scaling",
                )
            )
    return first


def _kind(table: JetTable) -> tuple[Any, ...]:
    told = {name: value for name, value in table.scaling.items() if name != "assumed"}
    return table.layout, sorted(told.items())


def _spelt(table: JetTable) -> str:
    told = ", ".join(f"{name}: {value}" for name, value in table.scaling.items())
    return f"layout `{table.layout}` and scaling {told}"


def _check_labels(item: _Set, known: Sequence[int]) -> None:
    strange = sorted({int(label) for label in np.unique(item.facts.label)} - set(known))
    if strange:
        raise InputError(
            BAD_LABEL.finding(
                f"the set `{item.name}` has jets of label {', '.join(map(str, strange))}",
                suggestion=f"labels here are {', '.join(str(int(label)) for label in known)}",
            )
        )


def _masses(main: _Set) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Masses of signal that is trained on, rising, and its numbers of jets."""
    train = main.choice.kept & (main.choice.split == Split.TRAIN)
    own = main.facts.mass[train & (main.facts.label == Label.SIGNAL)]
    points, counts = np.unique(own, axis=0, return_counts=True)
    return points, counts.astype(np.float64)


class _Writer:
    """Gives jets their masses and scales, and writes them."""

    def __init__(
        self,
        config: FeaturesStageConfig,
        table: JetTable,
        points: NDArray[np.float32],
        shares: NDArray[np.float64],
    ) -> None:
        self._config, self._table = config, table
        self._points, self._shares = points, shares

    def fit(self, parts: SortedJets) -> Preprocess:
        """Scales from the first training jets of the main set."""
        spec = spec_of(self._config.mass_inputs)
        if self._config.inputs == "as-is":
            return Preprocess.none(spec)
        train = (part[self._split(part) == Split.TRAIN] for part in parts)
        return fit_scales(spec, self._told(first_jets(train, self._config.scaled_with)))

    def write(self, preprocess: Preprocess, parts: SortedJets, folder: Path) -> None:
        """Jets as a network takes them, with what they are for and their momenta in GeV."""
        with (
            JetWriter(folder, len(preprocess.scales)) as writer,
            NpyWriter(folder / SPLIT, np.int8) as split,
            NpyWriter(folder / MOMENTA, np.float32) as momenta,
        ):
            for jets in parts:
                writer.append(scaled_jets(preprocess, self._told(jets)))
                split.append(self._split(jets))
                momenta.append(self._table.momenta(jets.jet[:, 0]))

    def _split(self, jets: JetSet) -> NDArray[np.int8]:
        return split_of(jets.event, self._config, seed=self._config.seed)

    def _told(self, jets: JetSet) -> JetSet:
        """Jets with all that a network is told."""
        masses = masses_for(jets, self._points, self._shares, seed=self._config.seed)
        return with_masses(jets, masses, self._config.mass_inputs)


def _result(sets: Sequence[_Set], table: JetTable, preprocess: Preprocess) -> JetFeatures:
    spec = preprocess.spec
    points, shares = _masses(sets[0])
    return JetFeatures(
        counts=tuple(count for item in sets for count in _counts(item)),
        masses=tuple(
            MassPoint(float(heavy), float(light), int(jets))
            for (heavy, light), jets in zip(points, shares, strict=True)
        ),
        read={item.name: len(item.facts) for item in sets},
        scaling=dict(table.scaling),
        layout=table.layout,
        inputs=(
            *(feature.name for feature in spec.continuous),
            *(
                f"{group.name}.{feature.name}"
                for group in spec.objects
                for feature in group.features
            ),
        ),
    )


def _counts(item: _Set) -> Iterator[JetCounts]:
    for split in Split:
        there = item.choice.kept & (item.choice.split == split)
        for label in np.unique(item.facts.label):
            own = there & (item.facts.label == label)
            yield JetCounts(
                item.name,
                split.name.lower(),
                int(label),
                int(own.sum()),
                float(np.sort(item.facts.weight[own]).sum()),
            )
