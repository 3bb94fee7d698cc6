"""The plan of a run: the key of every stage, what would run, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quarkline.engine.core.findings import InputError, Rule, did_you_mean
from quarkline.engine.store.filekeys import FileKey, file_key
from quarkline.engine.store.keys import content_key, stage_key
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
    """

    stage: Stage
    key: str
    inputs: Mapping[str, Any]
    record: StageRecord | None
    why: str
    seconds: float | None
    weak: tuple[str, ...] = ()

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
    previous: Mapping[str, StageRecord] | None = None,
    only: str | None = None,
    until: str | None = None,
    verify: bool = False,
) -> Plan:
    """Work out every stage's key and whether it has to run.

    Args:
        stages: The study's stages.
        store: Where finished stages are.
        previous: Stages of the newest run, to say what changed.
        only: Run this stage alone.
        until: Run up to and including this stage.
        verify: Hash large input files whole.

    Raises:
        InputError: If `only` or `until` names no stage, or `only` lacks its inputs.
    """
    check_stages(stages)
    wanted = _wanted([stage.name for stage in stages], only, until)
    planned: dict[str, PlannedStage] = {}
    for stage in stages:
        planned[stage.name] = _plan_stage(
            stage, planned, store, (previous or {}).get(stage.name), verify
        )
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
    previous: StageRecord | None,
    verify: bool,
) -> PlannedStage:
    file_keys = {
        name: [file_key(path, verify=verify) for path in files.paths]
        for name, files in stage.inputs.items()
        if isinstance(files, Files)
    }
    inputs = {
        name: _input_key(name, source, file_keys, planned) for name, source in stage.inputs.items()
    }
    config = stage.config.model_dump(mode="json", by_alias=True)
    key = stage_key(stage.name, stage.version, config, inputs)
    record = store.find(stage.name, key)
    return PlannedStage(
        stage=stage,
        key=key,
        inputs=inputs,
        record=record,
        why=_why(stage, config, inputs, planned, record, previous),
        seconds=previous.seconds if previous else None,
        weak=tuple(_weak_files(stage, file_keys)),
    )


def _input_key(
    name: str,
    source: str | Files,
    file_keys: Mapping[str, Sequence[FileKey]],
    planned: Mapping[str, PlannedStage],
) -> Any:
    if isinstance(source, Files):
        return [key.digest for key in file_keys[name]]
    parent, _, output = source.partition(".")
    return f"{planned[parent].key}/{output}"


def _weak_files(stage: Stage, file_keys: Mapping[str, Sequence[FileKey]]) -> list[str]:
    return [
        str(path)
        for name, source in stage.inputs.items()
        if isinstance(source, Files)
        for path, key in zip(source.paths, file_keys[name], strict=True)
        if key.weak
    ]


def _why(
    stage: Stage,
    config: Mapping[str, Any],
    inputs: Mapping[str, Any],
    planned: Mapping[str, PlannedStage],
    record: StageRecord | None,
    previous: StageRecord | None,
) -> str:
    if record is not None:
        return "same config, code and inputs"
    if previous is None:
        return "not run yet"
    if previous.version != stage.version:
        return f"stage version {previous.version} -> {stage.version}"
    changes = _changes(previous.config, config)
    changes += [
        f"input `{parent}` will change"
        for parent in stage.parents
        if planned[parent].record is None or _input_changed(parent, stage, inputs, previous)
    ]
    changes += [
        f"files of `{name}` changed"
        for name, source in stage.inputs.items()
        if isinstance(source, Files) and previous.inputs.get(name) != inputs[name]
    ]
    return "; ".join(changes) or "its output is gone"


def _input_changed(
    parent: str, stage: Stage, inputs: Mapping[str, Any], previous: StageRecord
) -> bool:
    return any(
        previous.inputs.get(name) != inputs[name]
        for name, source in stage.inputs.items()
        if isinstance(source, str) and source.partition(".")[0] == parent
    )


def _changes(old: Any, new: Any, at: str = "") -> list[str]:
    """The differences of two configs as `path old -> new`."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = sorted({*old, *new})
        parts = [_changes(old.get(key), new.get(key), f"{at}.{key}".lstrip(".")) for key in keys]
        return [change for part in parts for change in part]
    return [] if old == new else [f"{at} {_short(old)} -> {_short(new)}"]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 32 else text[:29] + "..."
