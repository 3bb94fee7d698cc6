"""The work on one file: its events' scores into a friend, chunk by chunk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import QuarklineError, Rule, WorkError
from quarkline.engine.store.filekeys import FileKey, file_key, source_id
from quarkline.engine.store.remote import file_size
from quarkline.events.expressions import Batch, Entries
from quarkline.events.friends import FriendSink
from quarkline.events.sources import Source, open_source
from quarkline.learning.scoring.branches import Branches
from quarkline.learning.scoring.scorer import Classifier, Origin, Scorer

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
            `tree`, None for the only one; `branches`, names and class numbers; `origin`;
            `identity`, columns or None for the usual ones; `ending` of the friend; `variations`,
            replaced columns by what their scores' names end in.
        inputs: The file as `events` and the model's folder as `model`.
        folder: Takes the friend.

    Returns:
        Of the friend its `name`, `entries` by tree, `size` and `digest`; of the events whether
        they were scored `by_fold`, and the number of `infinities` by feature.
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
    with open_source(path, tree=args["tree"]) as source:
        source.source_id = source_id(FileKey(args["digest"]))
        scorers = {
            suffix: Scorer.of(
                model,
                source.schema,
                origin=Origin(args["origin"]),
                replaced=replaced,
                device=_device(),
            )
            for suffix, replaced in args["variations"].items()
        }
        write_friend(
            friend,
            source,
            scorers,
            Branches(tuple(args["branches"]["names"]), tuple(args["branches"]["numbers"])),
            identity=_identity(args["identity"], source),
            producer=f"model {args['model']}",
        )
        infinities: Counter[str] = Counter()
        for scorer in scorers.values():
            infinities |= scorer.reader.infinities
        return {
            "name": friend.name,
            "entries": {source.schema.tree or "": source.schema.entries},
            "size": friend.stat().st_size,
            "digest": file_key(friend).digest,
            "by_fold": next(iter(scorers.values())).by_fold,
            "infinities": dict(infinities),
        }


def write_friend(
    path: Path,
    source: Source,
    scorers: Mapping[str, Scorer],
    branches: Branches,
    *,
    identity: tuple[str, ...],
    producer: str,
) -> None:
    """Write scores of every event of a table beside it, in bounded memory.

    Args:
        path: The friend.
        source: The table, open.
        scorers: How events are scored, by what the names of the branches then end in.
        branches: Which scores are written.
        identity: The table's columns that identify an event.
        producer: What makes the scores.
    """
    needed = sorted(frozenset().union(*(scorer.columns for scorer in scorers.values())))
    with FriendSink(path, source, identity=identity, producer=producer) as sink:
        for chunk in source.chunks(needed, step=STEP_ROWS):
            columns: dict[str, NDArray[np.float32]] = {}
            for suffix, scorer in scorers.items():
                entries = Entries(chunk.start, source.schema.entries)
                found = scorer.score(Batch(chunk.array, entries))
                columns |= branches.columns(found, suffix)
            sink.write(columns)


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
