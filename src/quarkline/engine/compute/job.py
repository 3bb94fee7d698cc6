"""One item of a mapped task: call a function by name, publish its folder when it is complete.

A task is an importable function `task(args, inputs, folder) -> JSON value`: `args` is a JSON
mapping, `inputs` are files to read and `folder` is where it writes files. What an interrupted
attempt left in the folder is still there at the next one, so that a training can continue; a file
that is read again must be written under another name first (`store.atomic`), or it may be cut off.
"""

from __future__ import annotations

import importlib
import json
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from quarkline.engine.compute.outcome import Cached, Done, Failed, Item, Outcome
from quarkline.engine.core.results import canonical_json
from quarkline.engine.store.atomic import publish_folder, remove_leftovers, write_atomic
from quarkline.engine.store.locks import is_mine, lock

VALUE = "value.json"

Pairs = Sequence[tuple[Item, Path]]
"""Items, each with the folder its files go to."""

Task = Callable[[Mapping[str, Any], Mapping[str, Path], Path], Any]


def task_name(function: Task) -> str:
    """The importable name `module:function` of a task.

    Raises:
        ValueError: If the function cannot be imported by name (a lambda or a closure).
    """
    name = f"{function.__module__}:{function.__qualname__}"
    if load_task(name) is not function:
        msg = f"a task must be importable by name: {name}"
        raise ValueError(msg)
    return name


def load_task(name: str) -> Task:
    """Import the function named `module:function`."""
    module, _, attribute = name.partition(":")
    function = getattr(importlib.import_module(module), attribute, None)
    if not callable(function):
        msg = f"no function `{attribute}` in module `{module}`"
        raise ValueError(msg)
    return function  # type: ignore[no-any-return]


def read_finished(item: Item, folder: Path) -> Cached | None:
    """The outcome of an item whose folder is complete."""
    value = folder / VALUE
    return Cached(item.name, json.loads(value.read_text()), folder) if value.exists() else None


def lock_of(folder: Path) -> Path:
    """The lock file of an item's folder."""
    return folder.with_name(folder.name + ".lock")


def in_order(items: Pairs, run: Callable[[Pairs], Generator[Outcome]]) -> Iterator[Outcome]:
    """The outcome of every item in the order of the items.

    Args:
        items: Items, finished or not.
        run: Gives the outcomes of the unfinished ones in their order; closed at the end.
    """
    found = [read_finished(item, folder) for item, folder in items]
    waiting = [pair for pair, done in zip(items, found, strict=True) if done is None]
    fresh = run(waiting)
    try:
        for done in found:
            yield done or next(fresh)
    finally:
        fresh.close()


def attempt(task: str, item: Item, folder: Path) -> Done | Failed:
    """Try an item once; whatever it raises is its failure."""
    try:
        return perform(task, item, folder)
    except Exception as error:
        reason = "".join(traceback.format_exception_only(error)).strip()
        return Failed(item.name, reason, traceback.format_exc())


def perform(task: str, item: Item, folder: Path) -> Done:
    """Run one item in a partial folder, kept between attempts, and publish it at the end.

    Raises:
        RuntimeError: If another process took over meanwhile, because this one was given up for
            dead.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with lock(lock_of(folder), wait=True):
        if found := read_finished(item, folder):
            return found
        partial = folder.with_name(folder.name + ".partial")
        partial.mkdir(exist_ok=True)
        remove_leftovers(partial)
        value = canonical_json(load_task(task)(item.args, item.inputs, partial))
        if not is_mine(lock_of(folder)):
            msg = "its process was given up for dead, and another one took over"
            raise RuntimeError(msg)
        write_atomic(partial / VALUE, value)
        publish_folder(partial, folder)
    return Done(item.name, json.loads(value), folder)
