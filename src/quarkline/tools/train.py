"""Trains taggers of jets, from a config of ours or of the CalRatio trainer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quarkline.engine.compute.config import compute_overrides
from quarkline.engine.core.config import NO_FILE, ConfigFile, load_config
from quarkline.engine.core.findings import InputError, Rule
from quarkline.engine.core.results import pretty_json
from quarkline.engine.store.atomic import write_atomic
from quarkline.engine.workflow.run import Analysis, Watcher, open_analysis
from quarkline.engine.workflow.runs import PROVENANCE, Run, list_runs
from quarkline.studies.tagging.config import SOURCES
from quarkline.studies.tagging.train.config import TrainConfig
from quarkline.studies.tagging.train.kept import STAGE, parent_states
from quarkline.studies.tagging.train.seed_keys import (
    OURS,
    SeedKeys,
    TranslatedKey,
    given_overrides,
    is_seed_config,
    translated_file,
)
from quarkline.tools.run import RunOutcome
from quarkline.tools.run import run as run_config

NO_PARENT = Rule(
    "QL-TAG-044",
    "`--continue N` names a run of the same name whose training is finished",
    "0 and above are numbers of runs, -1 is the latest run, -2 the one before. A new run goes on "
    "from the exact state of the old one, which stays as it is.",
)
NOT_TAGGING = Rule(
    "QL-TAG-045",
    "`quarkline train` trains taggers of jets",
    "It takes a config with `study: tagging`, a training config of the CalRatio trainer, or the "
    "options of that trainer. `quarkline run` runs every study, training included.",
)


@dataclass(frozen=True)
class Training:
    """A training that is about to run.

    Attributes:
        analysis: The config.
        keys: What became of the CalRatio trainer's keys; empty for a config of ours.
        parent: The run it goes on from.
    """

    analysis: Analysis
    keys: tuple[TranslatedKey, ...] = ()
    parent: Run | None = None

    @property
    def settings(self) -> str:
        """The effective config as text that is a config, too."""
        told = self.analysis.config.model_dump(mode="json", by_alias=True)
        absent = [name for name in SOURCES if told[name] is None]
        return pretty_json({key: value for key, value in told.items() if key not in absent})


def load_training(
    config: Path | None,
    *,
    keys: Mapping[str, Any],
    upstream: bool = False,
    resume: int | None = None,
    site: Path | None = None,
    overrides: Sequence[str] = (),
    compute: Mapping[str, Any] | None = None,
) -> Training:
    """Read a config of ours or of the CalRatio trainer, with that trainer's options over it.

    Args:
        config: The YAML file; None for the options alone.
        keys: Options of the CalRatio trainer by the name of its key.
        upstream: Train exactly as that trainer did.
        resume: Number of the run to go on from, or -1 for the latest.
        site: Compute and storage settings of this computer.
        overrides: `key=value` texts that win over the file.
        compute: Values of the `compute` section that win over everything.

    Raises:
        InputError: With one finding for each mistake.
    """
    file, told = _file(config, keys, upstream=upstream, site=site)
    texts = [*overrides, *compute_overrides(compute or {})]
    analysis = _tagging(file.overridden(texts))
    if resume is None:
        return Training(analysis, told)
    parent = find_parent(analysis.folder, resume)
    goes_on = f"train.start={parent.folder.absolute()}"
    return Training(_tagging(file.overridden([*texts, goes_on])), told, parent)


def _tagging(file: ConfigFile) -> Analysis:
    analysis = open_analysis(file)
    if analysis.study.name != "tagging":
        raise InputError(
            NOT_TAGGING.finding(
                f"the config is of study `{analysis.study.name}`",
                suggestion=f"quarkline run {file.path} --until train",
                place=file.place("study"),
            )
        )
    return analysis


def _file(
    config: Path | None, keys: Mapping[str, Any], *, upstream: bool, site: Path | None
) -> tuple[ConfigFile, tuple[TranslatedKey, ...]]:
    """The config of ours, and what became of the CalRatio trainer's keys."""
    file = load_config(config, site=site)
    if "study" in file.data:
        texts = given_overrides(_seed_keys(replace(file, data={}), keys), _adversary(file))
        compatible = ["train.compatibility=upstream"] if upstream else []
        return file.overridden([*texts, *compatible]), ()
    if config is not None and not is_seed_config(file.data):
        raise InputError(
            NOT_TAGGING.finding(
                "the config names no study, and has no key of the CalRatio trainer",
                suggestion="add `study: tagging`",
                place=file.place(),
            )
        )
    found, told = translated_file(_seed_keys(file, keys), file, upstream=upstream)
    return found, tuple(told.keys)


def _adversary(file: ConfigFile) -> str:
    """Kind of the adversary in a config of ours, as far as it is written like one."""
    value: Any = file.data
    for key in ("train", "adversary", "kind"):
        value = value.get(key) if isinstance(value, Mapping) else None
    return str(value or TrainConfig().adversary.kind)


def _seed_keys(file: ConfigFile, keys: Mapping[str, Any]) -> SeedKeys:
    """The CalRatio trainer's keys: those of a file, options over them.

    One of the two flags for masses, given alone, means that the other is off.
    """
    own = {key: value for key, value in file.data.items() if key not in (*OURS, "schema")}
    given = {key: value for key, value in keys.items() if value is not None}
    low, high = "include_low_mass", "include_high_mass"
    for one, other in ((low, high), (high, low)):
        if given.get(one) and other not in given:
            given[other] = False
    layered = load_config(None, keys=given)
    places = {**file.places, **layered.places}
    data = {**own, **given}
    base = file if file.path != NO_FILE.path else layered
    return replace(base, data=data, places=places).validate(SeedKeys)


def find_parent(folder: Path, number: int) -> Run:
    """The run to go on from.

    Args:
        folder: `runs/<name>`.
        number: Of the run; -1 is the latest, -2 the one before.

    Raises:
        InputError: If there is no such run, or its training is not finished.
    """
    known = list_runs(folder)
    if number < 0:
        found = known[number] if -number <= len(known) else None
    else:
        found = next((run for run in known if run.number == number), None)
    if found is None or STAGE not in found.stages:
        trained = [run.number for run in known if STAGE in run.stages]
        told = f"those of {', '.join(map(str, trained))} are" if trained else "none is"
        problem = "there is no such run" if found is None else "its training is not finished"
        raise InputError(
            NO_PARENT.finding(
                f"--continue {number}: {problem} of `{folder.name}`; {told} finished",
                suggestion=f"--continue {trained[-1]}" if trained else "train without --continue",
            )
        )
    parent_states(found.folder)
    return found


def train(
    training: Training, *, new: bool = False, verify: bool = False, watcher: Watcher | None = None
) -> RunOutcome:
    """Run the config up to its stage `train`; a run that goes on from another names it.

    Args:
        training: From `load_training`.
        new: Start a new run even if an equal one exists.
        verify: Hash large input files whole.
        watcher: Is told as stages start and end.

    Raises:
        InputError: If an input is wrong; nothing has been written.
        WorkError: If a stage failed.
    """
    outcome = run_config(training.analysis, new=new, until=STAGE, verify=verify, watcher=watcher)
    if training.parent is not None:
        name_parent(outcome.run, training.parent)
    return outcome


def name_parent(run: Run, parent: Run) -> None:
    """Write the run that a run's trainings went on from into its provenance."""
    told = {**run.provenance(), "parent": f"{parent.name}/{parent.number:05d}"}
    write_atomic(run.folder / PROVENANCE, pretty_json(told))
