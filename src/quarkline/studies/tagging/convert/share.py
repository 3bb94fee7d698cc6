"""Converts ntuples beside other processes that convert the same ones: each table is made once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from quarkline.engine.core.findings import InputError
from quarkline.engine.core.results import canonical_json, jsonable
from quarkline.engine.store.atomic import write_atomic
from quarkline.engine.store.locks import LOCKED, lock
from quarkline.studies.tagging.convert.results import state_of
from quarkline.studies.tagging.convert.task import Converted, Wanted, convert, told_of

NOTES = ".converted"
"""Folder for what is known of ntuples without jets."""


def share_ntuple(
    args: Mapping[str, Any],
    inputs: Mapping[str, Path],
    folder: Path,  # noqa: ARG001
) -> dict[str, Any]:
    """Task: make sure that the table of an ntuple is there, or that another process makes it.

    Args:
        args: A `Wanted` as JSON values.
        inputs: The `ntuple`, and its table as `target`.
        folder: Not used: a table goes to its place, under a temporary name until it is whole.

    Returns:
        The `state`, with a `Converted` as JSON values.
    """
    target, wanted = inputs["target"], Wanted.from_json(args)
    try:
        with lock(lock_of(target)):
            return _made(inputs["ntuple"], wanted, target)
    except InputError as error:
        if error.findings[0].code != LOCKED.code:
            raise
        return {"state": "elsewhere", **asdict(Converted(0, {}))}


def lock_of(target: Path) -> Path:
    """The lock file of a table."""
    return target.with_name(f"{target.name}.lock")


def _made(path: Path, wanted: Wanted, target: Path) -> dict[str, Any]:
    origin = jsonable(wanted.origin(path))
    if found := _known(target, origin):
        return {"state": "kept" if found.rows else _state(found), **asdict(found)}
    if why := _in_the_way(target, origin):
        return {"state": "left out", **asdict(Converted(0, {}, why))}
    for path_left in target.parent.glob(f".{target.name}.*.tmp"):  # a killed writer's
        path_left.unlink()
    found = convert(path, wanted, target)
    if not found.rows:
        target.unlink(missing_ok=True)  # a table that was made with other settings
    if not found.why and not found.rows:
        note = {"origin": origin, "events": found.events}
        write_atomic(_note(target), canonical_json(note))
    return {"state": _state(found), **asdict(found)}


def _known(target: Path, origin: Mapping[str, Any]) -> Converted | None:
    """What an earlier conversion of the same ntuple came to; None if there was none."""
    told = told_of(target)
    if told and told.get("origin") == origin:
        return Converted(told["rows"], dict(told["events"]))
    try:
        note = json.loads(_note(target).read_text())
    except (OSError, ValueError):
        return None
    same = note["origin"] == origin and not target.exists()
    return Converted(0, note["events"]) if same else None


def _in_the_way(target: Path, origin: Mapping[str, Any]) -> str:
    """Why what is there must not be replaced, "" if nothing is there or it is stale.

    A table of the same ntuple that was made with other settings is stale, and so is an empty file.
    """
    if not target.exists() or not target.stat().st_size:
        return ""
    told = told_of(target)
    if told is None:
        return f"{target} is there already, and no table of ours: move it away"
    made: Mapping[str, Any] = told.get("origin") or {}
    if made.get("ntuple") != origin["ntuple"]:
        return f"{target} is the table of another ntuple: name another folder"
    if made.get("kind") != origin["kind"]:
        return f"{target} was made of it as `{made.get('kind')}`: name another folder"
    return ""


def _note(target: Path) -> Path:
    return target.parent / NOTES / f"{target.stem}.json"


def _state(found: Converted) -> str:
    return state_of(found.rows, found.events, found.why)
