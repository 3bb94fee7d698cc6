"""Many independent fits of one likelihood: here, or spread over processes with equal results.

What one of them does is an importable function `one(problem, argument)` of JSON values, which
depends on nothing else: not on its place in a chunk, and not on the fits before it. So results are
the same however the arguments are divided and wherever they are worked on.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

import numpy as np

from quarkline.engine.compute.job import Task, load_task, task_name
from quarkline.engine.compute.outcome import Done, Item
from quarkline.engine.core.results import canonical_json
from quarkline.engine.store.atomic import write_atomic
from quarkline.engine.store.keys import SHORT, content_key
from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.spec_json import spec_as_json, spec_from_json

CHUNK = 16
"""Arguments of one item: fits enough to be worth a message to another process."""


@dataclass(frozen=True)
class Problem:
    """What many fits have in common.

    Attributes:
        model: The likelihood.
        data: What is fitted, unless a fit draws its own.
        start: Where fits start, with shape (P,).
    """

    model: Model
    data: Data
    start: Floats

    def as_json(self) -> dict[str, Any]:
        """The problem as JSON values, exact to the last bit."""
        return {
            "spec": spec_as_json(self.model.spec),
            "counts": self.data.counts.tolist(),
            "measured": self.data.measured.tolist(),
            "start": self.start.tolist(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Problem:
        """The problem that `as_json` wrote."""
        model = Model(spec_from_json(data["spec"]))
        return cls(
            model,
            Data(np.array(data["counts"], dtype=float), np.array(data["measured"], dtype=float)),
            np.array(data["start"], dtype=float),
        )


One: TypeAlias = Callable[[Problem, Any], Any]
"""A fit, or a few: `one(problem, argument)`, all but the problem as JSON values without NaN."""


class Runner(Protocol):
    """What does many fits."""

    def run(self, one: One, problem: Problem, arguments: Sequence[Any]) -> list[Any]:
        """What `one` gives for every argument, in their order."""


@dataclass(frozen=True)
class InProcess:
    """Does them here, one after another.

    Attributes:
        watch: Is told how many of how many are done.
    """

    watch: Callable[[int, int], None] = lambda done, total: None  # noqa: ARG005

    def run(self, one: One, problem: Problem, arguments: Sequence[Any]) -> list[Any]:
        """What `one` gives for every argument, in their order."""
        found = []
        for number, argument in enumerate(arguments, start=1):
            found.append(one(problem, argument))
            self.watch(number, len(arguments))
        return found


class ItemMap(Protocol):
    """Runs a task on items, such as `Context.map` of a stage."""

    def __call__(self, step: str, task: Task, items: Sequence[Item]) -> Sequence[Done]:
        """The items when all are done, in their order."""


@dataclass(frozen=True)
class Spread:
    """Spreads them over processes, a chunk of arguments an item.

    Attributes:
        map: Runs the items.
        folder: Where the problem is written for them.
        chunk: Arguments of one item.
    """

    map: ItemMap
    folder: Path
    chunk: int = CHUNK

    def run(self, one: One, problem: Problem, arguments: Sequence[Any]) -> list[Any]:
        """What `one` gives for every argument, in their order."""
        text = canonical_json(problem.as_json())
        file = self.folder / f"problem-{content_key(text)[:SHORT]}.json"
        if not file.exists():
            write_atomic(file, text)
        name = task_name(cast("Task", one))
        items = [
            Item(
                f"{one.__name__}-{start}",
                {"one": name, "arguments": list(arguments[start : start + self.chunk])},
                {"problem": file},
            )
            for start in range(0, len(arguments), self.chunk)
        ]
        done = self.map(one.__name__.replace("_", "-"), do_chunk, items)
        return [value for item in done for value in item.value]


def do_chunk(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> list[Any]:  # noqa: ARG001
    """Do the fits of one item: the task that `Spread` hands out."""
    problem, one = _read(inputs["problem"]), cast("One", load_task(args["one"]))
    return [one(problem, argument) for argument in args["arguments"]]


@functools.lru_cache(maxsize=4)
def _read(file: Path) -> Problem:
    """A problem, read once in a process, as its name has a hash of its content."""
    return Problem.from_json(json.loads(file.read_text()))
