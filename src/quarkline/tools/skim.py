"""Skim files of events: cut and thin them into files of the same layout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarkline.engine.compute.config import ComputeConfig, compute_overrides
from quarkline.engine.compute.executors import Executor, open_executor
from quarkline.engine.core.config import load_config
from quarkline.engine.core.findings import Finding
from quarkline.events.skim.config import SkimConfig
from quarkline.events.skim.outputs import HIDDEN
from quarkline.events.skim.plan import SkimWatcher, Unwatched, plan_skim
from quarkline.events.skim.results import SkimResult
from quarkline.events.skim.run import run_skim


@dataclass(frozen=True)
class OutputState:
    """An output of a plan: its name and why it would be made, "" if it is complete."""

    output: str
    why: str


@dataclass(frozen=True)
class SkimOutcome:
    """What a skim came to.

    Attributes:
        output: Its folder.
        result: What was found, by sample and file; None if something failed.
        made: Why an output was made now, by output.
        complete: Number of outputs that needed nothing.
        removed: Outputs of an earlier skim that were removed.
        bad: Why an input was left out, by its path below the base folder.
        warnings: What is suspicious about the config.
        failures: What failed; empty if the skim is complete.
    """

    output: Path
    result: SkimResult | None
    made: Mapping[str, str]
    complete: int
    removed: tuple[str, ...]
    bad: Mapping[str, str]
    warnings: tuple[Finding, ...]
    failures: tuple[Finding, ...]


def load_skim(
    config: Path | None = None,
    *,
    site: Path | None = None,
    keys: Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
    compute: Mapping[str, Any] | None = None,
) -> SkimConfig:
    """Read and validate the config of a skim.

    Args:
        config: The YAML file; None if the keys say it all.
        site: Compute and storage settings of this computer.
        keys: Values by key that win over the file; relative paths start at the working folder.
        overrides: `key=value` texts that win over these.
        compute: Values of the `compute` section that win over everything.

    Raises:
        InputError: With one finding for each mistake.
    """
    texts = [*overrides, *compute_overrides(compute or {})]
    return load_config(config, site=site, keys=keys or {}, overrides=texts).validate(SkimConfig)


def plan_outputs(
    config: SkimConfig, *, prune: bool = False, watcher: SkimWatcher | None = None
) -> tuple[list[OutputState], list[Finding]]:
    """What a skim would make and why, and what is suspicious; nothing is written.

    Raises:
        InputError: If the config does not fit the files.
    """
    found = plan_skim(config, prune=prune, watcher=watcher)
    states = [OutputState(item.group.stem, item.why) for item in found.outputs]
    return states, list(_once(found.look.warnings))


def skim(
    config: SkimConfig,
    *,
    compute: ComputeConfig | None = None,
    executor: Executor | None = None,
    prune: bool = False,
    watcher: SkimWatcher | None = None,
) -> SkimOutcome:
    """Make what is missing or stale of a skim.

    Args:
        config: The config.
        compute: Where the work runs, instead of what the config says.
        executor: What runs the work, instead of one that is opened for `compute`.
        prune: Remove outputs of an earlier skim that the config does not make.
        watcher: Shown how far the skim is.

    Returns:
        The outcome. Bad files and failed outputs are told in `failures`, not raised.

    Raises:
        InputError: If the config does not fit the files; nothing has been written.
    """
    watcher = watcher or Unwatched()
    found = plan_skim(config, prune=prune, watcher=watcher)
    jobs = config.output / HIDDEN / "jobs"
    runner = executor or open_executor(compute or config.compute, folder=jobs)
    done = run_skim(found, runner, watcher)
    return SkimOutcome(
        output=config.output,
        result=done.result,
        made=done.made,
        complete=done.complete,
        removed=done.removed,
        bad=done.bad,
        warnings=tuple(_once(found.look.warnings)),
        failures=done.failures,
    )


def _once(findings: Iterable[Finding]) -> Iterable[Finding]:
    """Findings that say the same of several samples only once."""
    return {(found.code, found.message): found for found in findings}.values()
