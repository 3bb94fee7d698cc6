"""The features and labels of a finished run as lq-asym's folder of NumPy arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import InputError, Rule
from quarkline.engine.workflow.runs import Run
from quarkline.events.table import read_table
from quarkline.learning.export.numpy_set import EventColumns, write_numpy_set
from quarkline.learning.features.arrays import FeatureArrays
from quarkline.learning.features.spec import FeatureSpec
from quarkline.studies.search.features import read_arrays
from quarkline.studies.search.results import Features
from quarkline.studies.search.tables import Rows, read_rows, table_name

EVENT_NUMBER = "eventNumber"
STAGES = ("skim", "features")

NO_FEATURES = Rule(
    "QL-EXPORT-004",
    "the NumPy set is made of a search's features",
    "The arrays hold the rows that the stage `features` of a run of the study `search` has read. "
    "`quarkline list` shows runs and their studies.",
)


def export_numpy(run: Run, folder: Path) -> tuple[Path, ...]:
    """Write the rows that a run trains on as `write_numpy_set` does.

    Rows follow each other by class and sample as the config lists them, within a sample as in the
    skim's table. Data and samples of no class are left out.

    Args:
        run: A run of the study `search`.
        folder: Takes the arrays.

    Returns:
        The files.

    Raises:
        InputError: If it is another study's run, or its features are not finished.
        WorkError: If the run's files are damaged.
    """
    _check(run)
    skim, features = (run.record(stage) for stage in STAGES)
    classes = _classes(features.results["features"])
    names = _samples(features.config, classes)
    arrays = [read_arrays(features.files["arrays"] / table_name(name, ".npz")) for name in names]
    tables = [skim.files["events"] / table_name(name) for name in names]
    rows = Rows.concatenated([read_rows(table) for table in tables])
    number = event_number_column(skim.config["cut"]["identity"])
    numbers = np.concatenate([_column(table, number) for table in tables])
    return write_numpy_set(
        folder,
        FeatureSpec.from_json(features.config["spec"]),
        FeatureArrays.concatenated(arrays),
        EventColumns(rows.label, rows.weight, rows.selected, numbers),
        classes,
    )


def event_number_column(identity: Sequence[str]) -> str:
    """The column that is the event's number: `eventNumber`, or else the last of the identity."""
    return EVENT_NUMBER if EVENT_NUMBER in identity else identity[-1]


def _check(run: Run) -> None:
    if run.study != "search":
        _refuse(run, f"is of the study `{run.study}`", "name a run of the study `search`")
    for stage in STAGES:
        if stage not in run.stages:
            config = "quarkline run CONFIG --until features"
            _refuse(run, f"has no finished stage `{stage}`", f"make it: `{config}`")


def _refuse(run: Run, what: str, hint: str) -> None:
    raise InputError(NO_FEATURES.finding(f"run {run.folder} {what}", suggestion=hint))


def _classes(features: object) -> tuple[str, ...]:
    """The classes in their order, which the stage's config, with its sorted keys, has lost."""
    if not isinstance(features, Features):
        msg = f"{type(features).__name__} instead of features"
        raise TypeError(msg)
    return features.classes


def _samples(config: Mapping[str, Any], classes: Sequence[str]) -> list[str]:
    """The samples that are trained on, as the config lists them."""
    read = config["samples"]
    return [name for label in classes for name in config["classes"][label] if name in read]


def _column(table: Path, name: str) -> NDArray[Any]:
    return np.asarray(ak.to_numpy(read_table(table, [name]).array[name]))
