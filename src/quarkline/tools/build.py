"""Build a training set and a control region of tables of jets."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from quarkline.engine.core.config import ConfigPath, load_config, resolve_path
from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.engine.store.atomic import atomic_path
from quarkline.studies.tagging.build.config import BuildConfig, ControlConfig
from quarkline.studies.tagging.build.files import ENDING
from quarkline.studies.tagging.build.mixture import build
from quarkline.studies.tagging.build.results import Build

THERE = Rule(
    "QL-TAG-035",
    "a build replaces no file unasked",
    "The table that would be written is there already, and somebody may be training on it.",
)
MAIN, CONTROL = "main.parquet", "control.parquet"
UPSTREAM_INPUT = {"input_file": "files", "num_events": "jets", "event_filter": "where"}
UPSTREAM = {"remove_branches": "remove", "output_file": "output", "input_files": "main"}


class BuildFile(BuildConfig):
    """A build of its own, outside a run."""

    schema_version: Literal[1] = Field(1, alias="schema", description="Version of the format.")
    control: ControlConfig | None = Field(None, description="The control region; none by default.")
    output: ConfigPath = Field(
        Path(MAIN), description="The training set; the control region is `control.parquet` beside."
    )
    seed: int = Field(1, ge=0, description="Seed of limits.")

    @model_validator(mode="after")
    def _two_tables(self) -> Self:
        if self.output.suffix != ENDING:
            msg = f"output: `{self.output.name}` does not end in `{ENDING}`, as tables do"
            raise ValueError(msg)
        if self.control is not None and self.output.name == CONTROL:
            msg = f"output: `{CONTROL}` is the control region's name; take `{MAIN}`, say"
            raise ValueError(msg)
        return self

    @model_validator(mode="before")
    @classmethod
    def _with_upstreams_names(cls, data: Any) -> Any:
        """The keys of the CalRatio trainer by their names here."""
        if not isinstance(data, Mapping):
            return data
        named = {UPSTREAM.get(name, name): value for name, value in data.items()}
        if "output_file" in data and "output" not in data:
            output = resolve_path(data["output_file"])
            pickled = isinstance(output, Path) and output.suffix == ".pkl"
            named["output"] = output.with_suffix(ENDING) if pickled else output
        elif "output" in data:
            named["output"] = data["output"]
        if isinstance(inputs := named.get("main"), list):
            named["main"] = [_input(one) for one in inputs]
        return named


@dataclass(frozen=True)
class Built:
    """What was written.

    Attributes:
        files: The tables by part, `main` and perhaps `control`.
        result: What is in them.
    """

    files: Mapping[str, Path]
    result: Build


def load_build(
    config: Path | None, *, keys: Mapping[str, Any], overrides: Sequence[str] = ()
) -> BuildFile:
    """Read and validate the config of a build.

    Args:
        config: The YAML file, with our keys or those of the CalRatio trainer; None if the keys
            say it all.
        keys: Values by key that win over the file.
        overrides: `key=value` texts that win over these.

    Raises:
        InputError: With one finding for each mistake.
    """
    return load_config(config, keys=keys, overrides=list(overrides)).validate(BuildFile)


def build_file(
    config: BuildFile,
    *,
    base: Path,
    replace: bool = False,
    progress: Callable[[str], None] = lambda name: None,  # noqa: ARG005
) -> Built:
    """Write the tables of a build, all or none of them.

    Args:
        config: What to build.
        base: What relative paths of inputs are relative to.
        replace: Whether tables that are there are replaced.
        progress: Told the name of each table that is read.

    Raises:
        InputError: If an input is no table of jets, or an output is there.
    """
    targets = {"main": config.output}
    if config.control is not None:
        targets["control"] = config.output.with_name(CONTROL)
    there = [path for path in targets.values() if path.exists()]
    if there and not replace:
        raise InputError(
            *(
                THERE.finding(
                    "the file is there", place=Place(path), suggestion="give `--replace` or `-o`"
                )
                for path in there
            )
        )
    config.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=config.output.parent) as folder:
        result = build(config, base, Path(folder), seed=config.seed, progress=progress)
        for name, path in targets.items():
            with atomic_path(path) as partial:
                (Path(folder) / f"{name}.parquet").replace(partial)
    return Built(targets, result)


def _input(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {UPSTREAM_INPUT.get(name, name): one for name, one in value.items()}
