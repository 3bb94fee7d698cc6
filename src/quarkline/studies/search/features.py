"""Stage `features`: what models are told of every row, and what is suspicious about it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from quarkline.engine.compute.outcome import Done, Item
from quarkline.engine.core.config import Config
from quarkline.engine.core.findings import Finding, Rule, Severity, WorkError
from quarkline.engine.workflow.stage import Context
from quarkline.events.sources import open_source
from quarkline.learning.features.arrays import MISSING, FeatureArrays
from quarkline.learning.features.problems import feature_problems
from quarkline.learning.features.reader import FeatureReader
from quarkline.learning.features.spec import FeatureSpec
from quarkline.learning.features.summary import summarise
from quarkline.learning.models.event_model import arrays_as_dict, arrays_from
from quarkline.studies.search.results import Features
from quarkline.studies.search.tables import Rows, read_rows, shift_folder, table_name

log = logging.getLogger(__name__)

ARRAYS = "arrays.npz"

NOTHING_LEFT = Rule(
    "QL-SEARCH-013",
    "every fold's model sees events of every class",
    "The model that scores a fold learns from the other folds. A class whose events are all in one "
    "fold is unknown to the model that scores them. Use fewer folds, loosen the selection, or "
    "merge the class with another.",
)
FOLD_WITHOUT_SIGNAL = Rule(
    "QL-SEARCH-014",
    "every fold holds signal",
    "A fold without signal says nothing about the efficiency of the model that scores it.",
    Severity.WARNING,
)
UNKNOWN_KIND = Rule(
    "QL-SEARCH-015",
    "kinds in data occur in the events that are trained on",
    "A value of a categorical feature that training does not know counts as missing.",
    Severity.WARNING,
)


class FeaturesStageConfig(Config):
    """What the features depend on.

    Attributes:
        spec: The features, as JSON values.
        samples: Samples that have files, in the order of the catalog.
        shifts: Shifted columns by sample and shift; shifts of files have none.
        classes: Names of the classes, the samples of each beside them.
        signal: Name of the signal.
        folds: Number of folds.
    """

    spec: dict[str, Any]
    samples: list[str]
    shifts: dict[str, dict[str, dict[str, str]]]
    classes: dict[str, list[str]]
    signal: str
    folds: int


def run(context: Context) -> dict[str, Any]:
    """One item a table of the skim, then a look at all of them."""
    config: FeaturesStageConfig = context.config
    tables = {("", name): context.path("events") / table_name(name) for name in config.samples}
    tables |= {
        (shift, name): context.path("shifted") / shift / table_name(name)
        for shift, samples in config.shifts.items()
        for name in samples
    }
    items = [
        Item(
            " ".join(part for part in (name, shift) if part),
            {
                "spec": config.spec,
                "columns": config.shifts[shift][name] if shift else {},
            },
            {"events": path},
        )
        for (shift, name), path in tables.items()
    ]
    done = context.map("table", read_features, items)
    for (shift, name), item in zip(tables, done, strict=True):
        target = context.out / shift_folder(shift) / table_name(name, ".npz")
        context.place(item.folder / ARRAYS, target)
    found = _features(context, config, dict(zip(tables, done, strict=True)))
    for finding in found.findings:
        log.warning("%s %s", finding["code"], finding["message"])
    warnings = [item for item in found.findings if item["severity"] == Severity.WARNING]
    context.summary(
        f"{len(found.training.features)} features of {found.training.events:,} events"
        + (f" · {len(warnings)} warnings: see the report" if warnings else "")
    )
    shifted = context.out / "shifted"
    shifted.mkdir(exist_ok=True)
    return {"arrays": context.out / "events", "shifted_arrays": shifted, "features": found}


def read_features(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Task: the features of one table, chunk by chunk.

    Args:
        args: `spec`, the features; `columns`, expressions of columns that are shifted.
        inputs: The table as `events`.
        folder: Takes the arrays.

    Returns:
        Infinite values by feature.
    """
    spec = FeatureSpec.from_json(args["spec"])
    with open_source(inputs["events"]) as source:
        reader = FeatureReader.of(spec, source.schema, replaced=args["columns"])
        columns = sorted(reader.columns)
        parts = [reader.arrays(chunk.array) for chunk in source.chunks(columns)]
    np.savez(
        folder / ARRAYS, allow_pickle=False, **arrays_as_dict(FeatureArrays.concatenated(parts))
    )
    return dict(sorted(reader.infinities.items()))


def read_arrays(path: Path) -> FeatureArrays:
    """The features of a sample, as the stage wrote them."""
    with np.load(path, allow_pickle=False) as found:
        return arrays_from(found)


def training_samples(classes: Mapping[str, Sequence[str]], samples: Sequence[str]) -> list[str]:
    """The samples that are trained on, class by class and by name within a class.

    So the events of a training do not depend on the order of the catalog.
    """
    return [name for names in classes.values() for name in sorted(names) if name in samples]


def _features(
    context: Context, config: FeaturesStageConfig, done: Mapping[tuple[str, str], Done]
) -> Features:
    """The features of the events that are trained on, and what is suspicious."""
    spec = FeatureSpec.from_json(config.spec)
    names = training_samples(config.classes, config.samples)
    folder, tables = context.out / "events", context.path("events")
    arrays = FeatureArrays.concatenated(
        [read_arrays(folder / table_name(name, ".npz")) for name in names]
    )
    rows = Rows.concatenated([read_rows(tables / table_name(name)) for name in names])
    errors = list(_lonely_classes(rows, config))
    if errors:
        raise WorkError(*errors)
    infinities = _infinities(done[("", name)] for name in names)
    others = [name for name in config.samples if name not in names]
    findings = [
        *_folds_without_signal(rows, config),
        *feature_problems(spec, arrays, infinities=infinities, fold=rows.fold),
        *(
            finding
            for name in others
            for finding in _unknown_kinds(
                name, spec, arrays, read_arrays(folder / table_name(name, ".npz"))
            )
        ),
    ]
    return Features(
        training=summarise(spec, arrays, infinities),
        findings=tuple(finding.as_json() for finding in findings),
        events=tuple(
            tuple(
                int(((rows.label == label) & (rows.fold == fold)).sum())
                for fold in range(config.folds)
            )
            for label in range(len(config.classes))
        ),
        classes=tuple(config.classes),
    )


def _infinities(done: Iterator[Done]) -> Counter[str]:
    total: Counter[str] = Counter()
    for item in done:
        total.update(item.value)
    return total


def _lonely_classes(rows: Rows, config: FeaturesStageConfig) -> Iterator[Finding]:
    for label, name in enumerate(config.classes):
        folds = np.unique(rows.fold[rows.label == label])
        if len(folds) < 2:
            events = int((rows.label == label).sum())
            yield NOTHING_LEFT.finding(
                f"class `{name}`: its {events:,} events are all in fold {folds[0]}"
                if len(folds)
                else f"class `{name}` has no events",
                suggestion="use fewer folds, loosen the selection, or merge classes",
            )


def _folds_without_signal(rows: Rows, config: FeaturesStageConfig) -> Iterator[Finding]:
    signal = (rows.label == list(config.classes).index(config.signal)) & rows.selected
    for fold in range(config.folds):
        if not (signal & (rows.fold == fold)).any():
            yield FOLD_WITHOUT_SIGNAL.finding(
                f"fold {fold} holds no event of `{config.signal}`",
                suggestion="use fewer folds: `train.folds`",
            )


def _unknown_kinds(
    sample: str, spec: FeatureSpec, known: FeatureArrays, arrays: FeatureArrays
) -> Iterator[Finding]:
    for column, feature in enumerate(spec.categorical):
        own = arrays.categorical[:, column]
        new = ~np.isin(own, known.categorical[:, column]) & (own != MISSING)
        if new.any():
            values = ", ".join(str(value) for value in np.unique(own[new])[:5])
            yield UNKNOWN_KIND.finding(
                f"sample `{sample}`: feature `{feature.name}` has values that training does not "
                f"know in {int(new.sum()):,} of {len(own):,} events: {values}",
            )
