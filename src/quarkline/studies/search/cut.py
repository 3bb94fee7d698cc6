"""The task of the skim: one range of one file through the cuts, with ids, folds and weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.config import Config
from quarkline.engine.core.findings import Finding, InputError, QuarklineError
from quarkline.engine.core.rng import uniform_per_row
from quarkline.events.cuts import Cuts, named_cuts
from quarkline.events.expressions import Batch, Entries, Expression, ResultKind, compile_expression
from quarkline.events.identity import RowIds, fold_of, group_ids
from quarkline.events.passing import passing, select_events
from quarkline.events.replaced import Replacements
from quarkline.events.schema import Schema
from quarkline.events.selection import CutFlow, count_passing, event_weights
from quarkline.events.skim.loop import steps
from quarkline.events.sources import Source, Sweep, open_source
from quarkline.events.sources.base import record_array
from quarkline.events.table import VARIATION, TableSink
from quarkline.studies.search.readings import Reading

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

TABLE = "events.parquet"


class CutConfig(Config):
    """What the rows of any sample depend on.

    Attributes:
        identity: Columns that identify an event.
        group: Columns of what folds must not separate, in simulation.
        keep: Columns that later stages read.
        missing: Values that stand for none, by column; they are not shifted.
        fraction: Of the groups, those that are kept.
        beyond: Of the groups, those whose events outside the region are kept to train on.
        folds: Number of folds.
        seed: Of the analysis.
    """

    identity: list[str]
    group: list[str]
    keep: list[str]
    missing: dict[str, list[float]]
    fraction: float
    beyond: float
    folds: int
    seed: int


def cut_range(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Task: write the rows of a range that are kept; an unreadable file is an outcome.

    Args:
        args: `cut`, a `CutConfig`; `reading`, a `Reading` without files; `tree`, `scale`, `start`
            and `stop` of the range.
        inputs: The file as `events`.
        folder: Takes the table.

    Returns:
        The `problem` that makes the file unreadable, "" if none does, the file's `source` id, the
        cut-`flow`, and the `first` entry whose weight is not finite, None if there is none.
    """
    reading, cut = Reading.model_validate(args["reading"]), CutConfig.model_validate(args["cut"])
    try:
        with open_source(inputs["events"], tree=args["tree"]) as source:
            rows = _Rows.of(source.schema, reading, cut, args["scale"])
            flow, first = _write(source, rows, args["start"], args["stop"], folder / TABLE)
            return {"problem": "", "source": source.source_id, "flow": flow, "first": first}
    except QuarklineError as error:
        return {"problem": error.findings[0].message, "source": 0, "flow": None, "first": None}


@dataclass(frozen=True)
class _Rows:
    """How the rows of one file are chosen and what they hold."""

    reading: Reading
    cut: CutConfig
    selection: Cuts
    scale: float
    beyond: Expression | None
    factor: Expression | None  # a selection that is a number, which multiplies the weight
    weights: Mapping[str, Expression]
    shifted: Replacements

    @classmethod
    def of(cls, schema: Schema, reading: Reading, cut: CutConfig, scale: float) -> _Rows:
        """Fit a reading to a file.

        Raises:
            InputError: If an expression does not fit.
        """
        numbered = cut.fraction == 1
        cut = cut.model_copy(update={"keep": [name for name in cut.keep if name in schema]})

        def bound(text: str, label: str) -> Expression:
            return compile_expression(text, schema, label=label, numbered=numbered)

        cuts = Cuts.of(schema, cuts_of(reading), f"({reading.weight}) * {scale!r}")
        beyond = reading.beyond
        return cls(
            reading,
            cut,
            cuts,
            scale,
            None if beyond is None else bound(beyond, "selection of `train.beyond`"),
            _factor(cuts),
            {name: bound(text, f"weight `{name}`") for name, text in reading.weights.items()},
            _shifted(schema, reading, cut),
        )

    @property
    def group(self) -> list[str]:
        """Columns of the group key, which folds are a function of; data have only the event's."""
        return self.cut.group if self.reading.simulated else self.cut.identity

    @property
    def decisive(self) -> list[str]:
        """Columns that say whether an event is kept, and what it weighs."""
        factors = [*self.selection.expressions, *self.weights.values()]
        factors += [self.beyond] if self.beyond else []
        names = {name for factor in factors for name in factor.columns}
        return sorted({*names, *self.group, *self.shifted.columns, *self.shifted.by_column.keys()})

    @property
    def others(self) -> list[str]:
        """Further columns of events that are kept."""
        return sorted({*self.cut.keep, *self.cut.identity} - set(self.decisive))


def _factor(cuts: Cuts) -> Expression | None:
    """The selection if it is a number; conditions that `&&` joins are none."""
    if len(cuts.by_name) != 1:
        return None
    (only,) = cuts.by_name.values()
    return None if only.kind is ResultKind.BOOLEAN or only.depth else only


def _shifted(schema: Schema, reading: Reading, cut: CutConfig) -> Replacements:
    """Shifted columns as they fit a file."""
    findings: list[Finding] = []
    found = Replacements.of(schema, reading.columns, findings)
    if findings:
        raise InputError(*findings)
    known = {
        name: replace(item, missing=tuple(cut.missing.get(name, ())))
        for name, item in found.by_column.items()
    }
    return Replacements(found.schema, known)


def cuts_of(reading: Reading) -> dict[str, str]:
    """The cuts of the region by name, as a cut-flow lists them."""
    return {} if reading.selection == "1" else named_cuts([reading.selection])


def _write(
    source: Source, rows: _Rows, start: int, stop: int, target: Path
) -> tuple[CutFlow, int | None]:
    """Write the rows of a range; their cut-flow, and the first entry with a broken weight."""
    flow: CutFlow | None = None
    broken: int | None = None
    sweep = source.sweep()
    with TableSink(target) as sink:
        for first, last in steps(start, stop):
            part, table = _step(source, sweep, rows, first, last)
            flow = part if flow is None else flow + part
            bad = np.flatnonzero(~np.isfinite(ak.to_numpy(table["_weight"])))
            if bad.size and broken is None:
                broken = int(table["_entry"][bad[0]])
            sink.write(table)
    if flow is None:
        msg = f"no steps in entries [{start}, {stop})"
        raise ValueError(msg)
    return replace(flow, weight=rows.reading.weight), broken


def _step(
    source: Source, sweep: Sweep, rows: _Rows, first: int, last: int
) -> tuple[CutFlow, ak.Array]:
    """The cut-flow of some entries, and the columns of those that are kept."""
    table = sweep.read(rows.decisive, first, last)
    entries = np.arange(first, last)
    if rows.cut.fraction < 1:
        inside = _share(_groups(table, rows), "fraction", rows.cut.fraction, rows.cut.seed)
        entries = entries[inside]
        table = record_array({name: table[name][inside] for name in table.fields}, len(entries))
    batch = rows.shifted.applied(Batch(table, Entries(first, source.schema.entries)))
    passed = passing(batch, list(rows.selection.by_name.values()))
    flow = count_passing(batch, rows.selection.by_name, passed, weight=rows.selection.weight)
    selected = passed.so_far[-1] if passed.so_far else np.ones(len(entries), np.bool_)
    kept = selected | _beyond(batch, table, rows, selected)
    taken = sweep.take(rows.others, entries[kept])
    names = dict.fromkeys([*rows.cut.identity, *rows.cut.keep])
    values = {name: table[name][kept] if name in table.fields else taken[name] for name in names}
    own = _reserved(batch, table, rows, selected)
    ids = RowIds(
        source.source_id,
        source.schema.tree,
        entries[kept].astype(np.uint64),
        np.zeros(int(kept.sum()), np.uint16),
    )
    columns = ids.columns() | {name: array[kept] for name, array in own.items()} | values
    return flow, record_array(columns, int(kept.sum()))


def _beyond(batch: Batch, table: ak.Array, rows: _Rows, selected: Mask) -> Mask:
    """Which events outside the region are kept to train on."""
    if rows.beyond is None:
        return np.zeros(len(selected), np.bool_)
    found = select_events(batch, rows.beyond) & ~selected
    return found & _share(_groups(table, rows), "beyond", rows.cut.beyond, rows.cut.seed)


def _reserved(
    batch: Batch, table: ak.Array, rows: _Rows, selected: Mask
) -> dict[str, NDArray[Any]]:
    """Group, fold, label, weights, and whether an event is in the region."""
    number = len(selected)
    scale = _weight_scale(batch, rows, selected)
    nominal = rows.selection.weight
    weight = np.ones(number) if nominal is None else event_weights(batch, nominal)
    varied = {
        VARIATION + name: event_weights(batch, item) * scale * rows.scale
        for name, item in rows.weights.items()
    }
    return {
        "_group": _groups(table, rows),
        "_fold": fold_of(_key(table, rows.group), seed=rows.cut.seed, folds=rows.cut.folds),
        "_label": np.full(number, rows.reading.label, np.int64),
        "_weight": weight * scale,
        **varied,
        "_selected": selected,
    }


def _weight_scale(batch: Batch, rows: _Rows, selected: Mask) -> Floats:
    """What the selection multiplies the weight of a selected event with, as in ROOT."""
    if rows.factor is None:
        return np.ones(len(selected))
    return np.where(selected, event_weights(batch, rows.factor), 1.0)


def _groups(table: ak.Array, rows: _Rows) -> NDArray[np.int64]:
    return group_ids(_key(table, rows.group))


def _key(table: ak.Array, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    return {name: ak.to_numpy(table[name]) for name in names}


def _share(groups: NDArray[np.int64], name: str, fraction: float, seed: int) -> Mask:
    """Which groups belong to a fraction of all."""
    return uniform_per_row(seed, name, groups.view(np.uint64)) < fraction
