"""The plan of a run: the key of every stage, what would run, and why."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quarkline.engine.core.addresses import spelt
from quarkline.engine.core.findings import InputError, Rule, did_you_mean
from quarkline.engine.store.filekeys import file_key
from quarkline.engine.store.keys import content_key, stage_key
from quarkline.engine.workflow.runs import History
from quarkline.engine.workflow.stage import Files, Stage, check_stages
from quarkline.engine.workflow.store import StageRecord, StageStore

UNKNOWN_STAGE = Rule(
    "QL-RUN-001",
    "`--only` and `--until` name a stage of the study",
    "The stages of a study are listed by `quarkline plan`.",
)
INPUT_NOT_READY = Rule(
    "QL-RUN-002",
    "`--only` finds the inputs of its stage finished",
    "`--only` runs one stage and nothing before it. Run its inputs first, or use `--until`.",
)
NO_INPUT_FILE = Rule(
    "QL-RUN-010",
    "every input file can be read",
    "The plan needs the content of every input file. The file is not there, or may not be read.",
)
OTHER_CONTENT = Rule(
    "QL-STORE-003",
    "a large file known by its ends has the content it had",
    "Very large files are known by their size, first and last MiB. `--verify` hashed all of one "
    "and found other content than an earlier run did, so the results do not belong together. Give "
    "the changed file another name and use that name in the config of a new analysis.",
)


@dataclass(frozen=True)
class PlannedStage:
    """One stage of a plan.

    Attributes:
        stage: The stage.
        key: Its content key.
        inputs: Key of each input.
        record: The finished stage, if there is one.
        why: Why it is cached or has to run, in a few words.
        seconds: How long it took when it last ran, for an estimate.
        weak: Input files known by a part of their content only.
        verified: Hash of all bytes of those files by weak key, where it was asked for.
    """

    stage: Stage
    key: str
    inputs: Mapping[str, Any]
    record: StageRecord | None
    why: str
    seconds: float | None
    weak: tuple[str, ...] = ()
    verified: Mapping[str, str] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """`cached` or `run`."""
        return "run" if self.record is None else "cached"


@dataclass(frozen=True)
class Plan:
    """The stages of a run in order; `wanted` are those that this run is asked for."""

    stages: Sequence[PlannedStage]
    wanted: frozenset[str]
    by_name: Mapping[str, PlannedStage] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {item.stage.name: item for item in self.stages})

    @property
    def identity(self) -> str:
        """Equal for runs of equal configs: the keys of all stages."""
        return content_key({item.stage.name: item.key for item in self.stages})


def make_plan(
    stages: Sequence[Stage],
    store: StageStore,
    *,
    history: History | None = None,
    only: str | None = None,
    until: str | None = None,
    verify: bool = False,
) -> Plan:
    """Work out every stage's key and whether it has to run.

    Args:
        stages: The study's stages.
        store: Where finished stages are.
        history: Earlier runs, to say what changed.
        only: Run this stage alone.
        until: Run up to and including this stage.
        verify: Hash large input files whole and compare with what earlier runs verified.

    Raises:
        InputError: If `only` or `until` names no stage, `only` lacks its inputs, or an input file
            cannot be read or is not the one it was.
    """
    check_stages(stages)
    wanted = _wanted([stage.name for stage in stages], only, until)
    planned: dict[str, PlannedStage] = {}
    for stage in stages:
        planned[stage.name] = _plan_stage(stage, planned, store, history or History(), verify)
    plan = Plan(list(planned.values()), wanted)
    if only is not None:
        _check_inputs_ready(plan.by_name[only], plan)
    return plan


def _wanted(names: list[str], only: str | None, until: str | None) -> frozenset[str]:
    for option, name in (("--only", only), ("--until", until)):
        if name is not None and name not in names:
            raise InputError(
                UNKNOWN_STAGE.finding(
                    f"`{option} {name}` names no stage",
                    suggestion=did_you_mean(name, names, what="stages"),
                )
            )
    if only is not None:
        return frozenset({only})
    return frozenset(names if until is None else names[: names.index(until) + 1])


def _check_inputs_ready(item: PlannedStage, plan: Plan) -> None:
    missing = [f"`{name}`" for name in item.stage.parents if plan.by_name[name].record is None]
    if missing:
        raise InputError(
            INPUT_NOT_READY.finding(
                f"stage `{item.stage.name}` needs {', '.join(missing)} first",
                suggestion=f"use --until {item.stage.name}",
            )
        )


def _plan_stage(
    stage: Stage,
    planned: Mapping[str, PlannedStage],
    store: StageStore,
    history: History,
    verify: bool,
) -> PlannedStage:
    files = {
        name: [_read_key(path, history, verify) for path in source.paths]
        for name, source in stage.inputs.items()
        if isinstance(source, Files)
    }
    inputs: dict[str, Any] = {}
    for name, source in stage.inputs.items():
        if isinstance(source, str):
            parent, _, output = source.partition(".")
            inputs[name] = f"{planned[parent].key}/{output}"
        else:
            inputs[name] = [file.digest for file in files[name]]
    key = stage_key(stage.name, stage.version, stage.values, inputs)
    record = store.find(stage.name, key)
    previous = history.records.get(stage.name)
    if record is not None:
        why = "same config, code and inputs"
    elif store.folder(stage.name, key).name in history.folders:
        why = "its output is gone"
    else:
        why = _why(stage, inputs, planned, previous) if previous else "not run yet"
    weak = [file for group in files.values() for file in group if file.weak]
    return PlannedStage(
        stage=stage,
        key=key,
        inputs=inputs,
        record=record,
        why=why,
        seconds=previous.seconds if previous else None,
        weak=tuple(spelt(file.path) for file in weak),
        verified={file.digest: file.verified for file in weak if file.verified},
    )


@dataclass(frozen=True)
class _File:
    """An input file with its key, and the hash of all its bytes if that was asked for."""

    path: Path
    digest: str
    weak: bool
    verified: str | None


def _read_key(path: Path, history: History, verify: bool) -> _File:
    try:
        key = file_key(path)
        if not key.weak:
            return _File(path, file_key(path, verify=verify).digest, weak=False, verified=None)
        full = _hash_whole(path) if verify else None
    except OSError as error:
        raise InputError(
            NO_INPUT_FILE.finding(f"cannot read input file `{path}`: {error.strerror or error}")
        ) from error
    if full and history.verified.get(key.digest, full) != full:
        raise InputError(OTHER_CONTENT.finding(f"`{path}` is not the file it was"))
    return _File(path, key.digest, weak=True, verified=full)


def _hash_whole(path: Path) -> str:
    """The hash of all bytes, which does not replace the key that stages know the file by."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, hashlib.blake2b).hexdigest()


def _why(
    stage: Stage,
    inputs: Mapping[str, Any],
    planned: Mapping[str, PlannedStage],
    previous: StageRecord,
) -> str:
    """What is different from when the stage last ran."""
    if previous.version != stage.version:
        return f"stage version {previous.version} -> {stage.version}"
    why = _changes(previous.config, stage.values)
    for name, source in stage.inputs.items():
        if previous.inputs.get(name) == inputs[name]:
            continue
        if isinstance(source, Files):
            why.append(f"files of `{name}` changed")
        else:
            parent = source.partition(".")[0]
            verb = "changed" if planned[parent].record else "will change"
            why.append(f"input `{parent}` {verb}")
    return "; ".join(dict.fromkeys(why)) or "its inputs have other names"


def _changes(old: Any, new: Any, at: str = "") -> list[str]:
    """The differences of two configs as `path old -> new`."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = sorted({*old, *new})
        parts = [_changes(old.get(key), new.get(key), f"{at}.{key}".lstrip(".")) for key in keys]
        return [change for part in parts for change in part]
    return [] if old == new else [f"{at} {_short(old)} -> {_short(new)}"]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 32 else text[:29] + "..."
