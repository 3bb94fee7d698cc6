"""Stage `build`: one table of the training set and one of the control region."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from quarkline.engine.workflow.stage import Context
from quarkline.studies.tagging.build.config import BuildConfig
from quarkline.studies.tagging.build.mixture import build


class BuildStageConfig(BuildConfig):
    """What the built tables depend on.

    Attributes:
        seed: Seed of limits.
        places: Names of the tables, with folders, if they are files from outside.
    """

    seed: int
    places: list[str]


def run(context: Context) -> dict[str, Any]:
    """Mix the tables of the input: a folder, or files, which are found by their names."""
    config: BuildStageConfig = context.config
    given = context.inputs["tables"]
    with tempfile.TemporaryDirectory() as folder:
        base = given if isinstance(given, Path) else _linked(given, config.places, Path(folder))
        found = build(
            config,
            base,
            context.out,
            seed=config.seed,
            progress=lambda name: context.progress.update(0, 1, name),
        )
    jets = " · ".join(f"{one.jets:,} of label {one.label} in {one.part}" for one in found.classes)
    context.summary(f"{jets} jets")
    outputs: dict[str, Any] = {"main": context.out / "main.parquet", "build": found}
    if config.control is not None:
        outputs["control"] = context.out / "control.parquet"
    return outputs


def outputs(config: BuildConfig) -> tuple[str, ...]:
    """Names of the stage's outputs."""
    return ("main", *(("control",) if config.control is not None else ()), "build")


def _linked(paths: tuple[Path, ...], places: list[str], folder: Path) -> Path:
    """A folder in which files have the names that the config finds them by."""
    for path, place in zip(paths, places, strict=True):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).symlink_to(path.absolute())
    return folder
