"""The rows that a search trains on as the NumPy set that lq-asym's notebooks read."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np

from quarkline.engine.workflow.runs import Run
from quarkline.events.table import read_table
from quarkline.learning.export.numpy_set import EventColumns, write_numpy_set
from quarkline.learning.features.arrays import FeatureArrays
from quarkline.learning.features.spec import FeatureSpec
from quarkline.studies.search.features import read_arrays
from quarkline.studies.search.tables import Rows, read_rows, table_name


def export_numpy(run: Run, output: Path) -> tuple[Path, ...]:
    """Write the set of a run whose stage `train` is finished.

    Events follow each other class by class; those outside the region are not `selected`. The
    event number is the last column of `inputs.identity`.

    Args:
        run: A run of the study `search`.
        output: Takes the files.
    """
    trained, skim = run.record("train").config, run.record("skim")
    number = skim.config["cut"]["identity"][-1]
    tables = [skim.files["events"] / table_name(name) for name in trained["samples"]]
    arrays = run.record("features").files["arrays"]
    rows = Rows.concatenated([read_rows(table) for table in tables])
    events = EventColumns(
        rows.label,
        rows.weight,
        rows.selected,
        np.concatenate(
            [ak.to_numpy(read_table(table, [number]).array[number]) for table in tables]
        ),
    )
    return write_numpy_set(
        output,
        FeatureSpec.from_json(trained["spec"]),
        FeatureArrays.concatenated(
            [read_arrays(arrays / table_name(name, ".npz")) for name in trained["samples"]]
        ),
        events,
        trained["classes"],
    )
