"""Studies: what the workflow needs to know of one, and where they are found."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import Field

from quarkline.engine.compute.config import ComputeConfig
from quarkline.engine.core.config import Config, ConfigFile, ConfigPath
from quarkline.engine.core.findings import Finding, InputError, Rule, did_you_mean
from quarkline.engine.core.results import Result
from quarkline.engine.workflow.samples import InputSample
from quarkline.engine.workflow.stage import Stage

UNKNOWN_STUDY = Rule(
    "QL-CONFIG-010",
    "`study:` names a known study",
    "The study decides which keys a config has and which stages run. Packages may add studies "
    "through the entry point group `quarkline.studies`.",
)

GROUP = "quarkline.studies"
NAME_PATTERN = "[A-Za-z0-9][A-Za-z0-9_.-]{0,79}"


class StudyConfig(Config):
    """The keys every study's config has."""

    schema_version: Literal[1] = Field(alias="schema", description="Version of the config format.")
    study: str = Field(description="Name of the study.")
    name: str = Field(pattern=f"^{NAME_PATTERN}$", description="Name of the runs' folder.")
    seed: int = Field(1, ge=0, description="Seed of all random numbers.")
    roots: dict[str, ConfigPath] = Field(
        default_factory=dict, description="Storage roots for `${roots.NAME}`; `runs` holds runs."
    )
    compute: ComputeConfig = Field(default_factory=ComputeConfig)


class Study(Protocol):
    """A whole analysis as a list of stages."""

    name: str
    Config: type[StudyConfig]

    def stages(self, config: Any) -> list[Stage]:
        """The stages, in an order in which each follows its inputs."""

    def checks(self, config: Any) -> list[Finding]:
        """What is wrong with the config's inputs, found without running anything."""

    def samples(self, config: Any) -> list[InputSample]:
        """What the config reads from whom: used by `cutflow` and `doctor`.

        Raises:
            InputError: If the files cannot be named.
        """

    def headline(self, results: Mapping[str, Result]) -> str:
        """The result in one sentence."""

    def report(self, run: Any) -> Path:
        """Write the report on a finished run."""


_REGISTERED: dict[str, Study] = {}


def register_study(study: Study) -> None:
    """Make a study known in this process; packages use the entry point group instead."""
    _REGISTERED[study.name] = study


def study_names() -> list[str]:
    """The names of all known studies."""
    points = importlib.metadata.entry_points(group=GROUP)
    return sorted({*_REGISTERED, *(point.name for point in points)})


def find_study(name: str) -> Study:
    """The study of that name.

    Raises:
        InputError: If there is none.
    """
    if name in _REGISTERED:
        return _REGISTERED[name]
    for point in importlib.metadata.entry_points(group=GROUP, name=name):
        return point.load()  # type: ignore[no-any-return]
    raise InputError(
        UNKNOWN_STUDY.finding(
            f"unknown study `{name}`", suggestion=did_you_mean(name, study_names(), what="studies")
        )
    )


def study_of(file: ConfigFile) -> Study:
    """The study a config file asks for.

    Raises:
        InputError: If the file names none or an unknown one.
    """
    name = file.data.get("study")
    if name is None:
        raise InputError(
            UNKNOWN_STUDY.finding(
                "the config names no study",
                suggestion=f"add `study: NAME`, one of {', '.join(study_names())}",
                place=file.place(),
            )
        )
    try:
        return find_study(str(name))
    except InputError as error:
        raise InputError(*(item.at(file.place("study")) for item in error.findings)) from error


def runs_root(config: StudyConfig) -> Path:
    """The folder of all runs: `roots.runs`, or `runs` in the current folder."""
    return config.roots.get("runs", Path("runs"))
