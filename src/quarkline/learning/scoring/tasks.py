"""The work on one file: its events' scores into a friend, chunk by chunk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import QuarklineError, Rule, WorkError
from quarkline.engine.store.filekeys import FileKey, file_key, source_id
from quarkline.engine.store.remote import file_size
from quarkline.events.expressions import Batch, Entries, Expression, compile_expression
from quarkline.events.friends import FriendSink
from quarkline.events.passing import passing
from quarkline.events.schema import Column
from quarkline.events.sources import Source, open_source
from quarkline.learning.scoring.branches import Branches
from quarkline.learning.scoring.fold_key import FoldKey, Origin
from quarkline.learning.scoring.scorer import Classifier, Scorer

STEP_ROWS = 100_000
USUAL_IDENTITY = ("runNumber", "eventNumber", "mcChannelNumber", "run", "luminosityBlock", "event")
"""Columns that identify an event, by the names that ATLAS and CMS give them."""

CHANGED = Rule(
    "QL-SCORE-004",
    "an input stays as it is while it is scored",
    "The file has another size than when its content key was made, so its scores could belong to "
    "other events. Run the command again.",
)


class UnusableFileError(Exception):
    """A file cannot be scored; the message says why and what to do, in one line."""


def score_file(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Write the friend of one file.

    Args:
        args: `model`, its key; `runtime`, `torch` or `onnx`; `digest` and `size` of the file;
            `trees`, none for the only one; `branches`, names and class numbers; `origin`;
            `identity`, columns or None for the usual ones; `ending` of the friend; `variations`,
            replaced columns by what their scores' names end in; `hidden`, if any, selections of
            events without a score.
        inputs: The file as `events` and the model's folder as `model`.
        folder: Takes the friend.

    Returns:
        Of the friend its `name`, `entries` by tree, `size` and `digest`; of the events their
        `origin`, the columns of the `key` of their folds, and the number of `infinities` by
        feature. Of several trees, the key of the first that is scored by row if any is.
    """
    try:
        return _score_file(args, inputs, folder)
    except QuarklineError as error:
        raise UnusableFileError(_in_one_line(error)) from error


def _score_file(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    path = inputs["events"]
    if file_size(path) != args["size"]:
        message = f"{file_size(path)} bytes instead of {args['size']}"
        raise WorkError(CHANGED.finding(message))
    model = _model(inputs["model"], args["model"], args["runtime"])
    friend = folder / f"friend{args['ending']}"
    with ExitStack() as stack:
        tables = [
            _table(stack.enter_context(open_source(path, tree=tree)), model, args)
            for tree in args["trees"] or [None]
        ]
        write_friend(friend, tables, producer=f"model {args['model']}")
    keys = sorted((table.key for table in tables), key=lambda key: not key.by_row)
    infinities: Counter[str] = Counter()
    for table in tables:
        for scorer in table.scorers.values():
            infinities |= scorer.reader.infinities
    return {
        "name": friend.name,
        "entries": {
            table.source.schema.tree or "": table.source.schema.entries for table in tables
        },
        "size": friend.stat().st_size,
        "digest": file_key(friend).digest,
        "origin": keys[0].origin.value,
        "key": keys[0].columns,
        "infinities": dict(infinities),
    }


@dataclass(frozen=True)
class ScoredTable:
    """A table about to be scored.

    Attributes:
        source: The table, open.
        key: What the folds of its events are a function of.
        scorers: How its events are scored, by what the names of the branches then end in.
        branches: Which scores are written.
        identity: The table's columns that identify an event.
        hidden: Selections of events that get no score.
    """

    source: Source
    key: FoldKey
    scorers: Mapping[str, Scorer]
    branches: Branches
    identity: tuple[str, ...]
    hidden: tuple[Expression, ...] = ()

    def columns(self) -> Iterator[dict[str, NDArray[np.float32]]]:
        """The branches of the events, chunk by chunk."""
        needed = sorted(frozenset().union(*(item.columns for item in self.scorers.values())))
        deciding = {name for selection in self.hidden for name in selection.columns}
        needed = sorted({*needed, *(deciding & self.source.schema.columns.keys())})
        for chunk in self.source.chunks(needed, step=STEP_ROWS):
            entries = Entries(chunk.start, self.source.schema.entries)
            batch = Batch(chunk.array, entries)
            columns: dict[str, NDArray[np.float32]] = {}
            for suffix, scorer in self.scorers.items():
                columns |= self.branches.columns(scorer.score(batch), suffix)
            yield self._shown(batch, columns)

    def _shown(
        self, batch: Batch, columns: dict[str, NDArray[np.float32]]
    ) -> dict[str, NDArray[np.float32]]:
        """The branches, with NaN where events are hidden."""
        if not self.hidden:
            return columns
        names = {name for selection in self.hidden for name in selection.columns}
        known = {name: batch.columns[name] for name in names - columns.keys()}
        joined = Batch({**known, **columns}, batch.entries, rows=batch.rows)
        passed = [passing(joined, selection.clauses).so_far[-1] for selection in self.hidden]
        hides = np.logical_or.reduce(passed)
        return {
            name: np.where(hides, np.float32(np.nan), values) for name, values in columns.items()
        }


def _table(source: Source, model: Classifier, args: Mapping[str, Any]) -> ScoredTable:
    source.source_id = source_id(FileKey(args["digest"]))
    key = FoldKey.of(model, source, Origin(args["origin"]))
    scorers = {
        suffix: Scorer.of(model, source.schema, key, replaced=replaced, device=_device())
        for suffix, replaced in args["variations"].items()
    }
    branches = Branches(tuple(args["branches"]["names"]), tuple(args["branches"]["numbers"]))
    names = [f"{name}{suffix}" for name in branches.names for suffix in scorers]
    scores = {name: Column(name, "float32") for name in names}
    schema = replace(source.schema, columns={**source.schema.columns, **scores})
    hidden = tuple(
        compile_expression(text, schema, label="selection of a blind region", numbered=True)
        for text in args.get("hidden", ())
    )
    return ScoredTable(source, key, scorers, branches, _identity(args["identity"], source), hidden)


def write_friend(path: Path, tables: Sequence[ScoredTable], *, producer: str) -> None:
    """Write scores of every event of tables beside them, in bounded memory.

    Args:
        path: The friend.
        tables: Tables of one file; only ROOT files take several.
        producer: What makes the scores.
    """
    main, *others = tables
    with FriendSink(path, main.source, identity=main.identity, producer=producer) as sink:
        for columns in main.columns():
            sink.write(columns)
        for table in others:
            beside = FriendSink(
                path, table.source, identity=table.identity, producer=producer, beside=sink
            )
            with beside:
                for columns in table.columns():
                    beside.write(columns)


@lru_cache(maxsize=1)
def _model(place: Path, key: str, runtime: str) -> Classifier:
    """The model, loaded once a process; its key is that of its content."""
    from quarkline.learning.scoring.runtimes import load_classifier

    model, found = load_classifier(place, runtime)
    if found != key:
        msg = f"the model in {place} has changed since the work began: {found} instead of {key}"
        raise UnusableFileError(msg)
    return model


def _device() -> str:
    """The GPU that the executor lets this process see, or the CPU."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _identity(given: list[str] | None, source: Source) -> tuple[str, ...]:
    """The columns named, or those usual ones that the table has."""
    if given is not None:
        return tuple(given)
    columns = source.schema.columns
    return tuple(
        name
        for name in USUAL_IDENTITY
        if (found := columns.get(name)) and "int" in found.dtype and not found.depth
    )


def _in_one_line(error: QuarklineError) -> str:
    parts = [(finding.message, finding.suggestion) for finding in error.findings]
    return "; ".join(" ".join(": ".join(filter(None, part)).split()) for part in parts)
