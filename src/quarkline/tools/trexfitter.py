"""TRExFitter configs as they are: check, convert, plan and run them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quarkline.catalog.checks import SchemaOf, file_schema
from quarkline.engine.compute.config import ComputeConfig
from quarkline.engine.compute.executors import open_executor
from quarkline.engine.core.findings import Finding, InputError, Rule, Severity
from quarkline.engine.core.results import Result
from quarkline.engine.store.atomic import write_atomic
from quarkline.trexfitter.actions import ActionsDone, run_actions
from quarkline.trexfitter.blocks import TrexConfig
from quarkline.trexfitter.checks import check_config
from quarkline.trexfitter.command_line import CommandOptions, read_options
from quarkline.trexfitter.compare import NOT_A_JOB, Comparison, compare_folders
from quarkline.trexfitter.convert import converted
from quarkline.trexfitter.job import Job, open_job
from quarkline.trexfitter.multifit import MultiFit
from quarkline.trexfitter.parser import read_trexfitter
from quarkline.trexfitter.plan import JobPlan, plan_of
from quarkline.trexfitter.read_multifit import read_multifit
from quarkline.trexfitter.refusals import refusals
from quarkline.trexfitter.steps.work import Progress
from quarkline.trexfitter.without_effect import command_without_effect, without_effect

NOT_ONE_JOB = Rule(
    "QL-TREX-041",
    "`convert` writes one analysis",
    "A `MultiFit` names several; convert each of their configs.",
)


@dataclass(frozen=True)
class ConfigCheck(Result, kind="trexfitter-check"):
    """What a check of a config found.

    Attributes:
        config: The config.
        findings: All findings, errors first.
    """

    config: str
    findings: tuple[Mapping[str, Any], ...]

    @property
    def errors(self) -> int:
        """How many are errors."""
        return sum(item["severity"] == Severity.ERROR for item in self.findings)


def load_job(
    config: Path,
    options: str = "",
    *,
    replace: Mapping[str, str] | None = None,
    free: Sequence[str] = (),
    output: Path | None = None,
) -> Job | MultiFit:
    """Read a config with its options.

    Args:
        config: The config file.
        options: The option string.
        replace: Values of placeholders that win over those of the replacement file.
        free: Constant parameters that are fitted all the same.
        output: Folder that the job's folder is made in, instead of `OutputDir`.

    Raises:
        InputError: With all that is wrong.
    """
    read, asked = read_trexfitter(config, replace=replace), read_options(options)
    if read.of("MultiFit"):
        return read_multifit(read, asked, replace=replace, free=free, output=output)
    return open_job(read, asked, free=free, output=output)


def check(
    config: Path,
    options: str = "",
    *,
    replace: Mapping[str, str] | None = None,
    free: Sequence[str] = (),
    schema_of: SchemaOf | None = file_schema,
) -> ConfigCheck:
    """Everything that is wrong with a config and its options, found without reading events.

    Args:
        config: The config file.
        options: The option string.
        replace: Values of placeholders that win over those of the replacement file.
        free: Constant parameters that are fitted all the same.
        schema_of: Reads the columns of a tree in a file; None leaves files alone.

    Raises:
        InputError: If the config itself cannot be read.
    """
    read = read_trexfitter(config, replace=replace)
    found: list[Finding] = []
    asked = CommandOptions()
    try:
        asked = read_options(options)
    except InputError as error:
        found += error.findings
    try:
        if read.of("MultiFit"):
            read_multifit(read, asked, replace=replace, free=free)
        else:
            job = open_job(read, asked, free=free)
            found += [*job.notes, *refusals(job, "f")]
    except InputError as error:
        found += error.findings
    found += read.findings if read.of("MultiFit") else _found(read, free, schema_of)
    found += [*without_effect(read), *command_without_effect(asked)]
    order = list(Severity)
    unique = sorted(dict.fromkeys(map(_key, found)), key=lambda item: order.index(item[0]))
    by_key = {_key(finding): finding for finding in found}
    return ConfigCheck(str(config), tuple(by_key[key].as_json() for key in unique))


def _key(finding: Finding) -> tuple[Severity, str, str, str]:
    return finding.severity, finding.code, str(finding.place), finding.message


def _found(read: TrexConfig, free: Sequence[str], schema_of: SchemaOf | None) -> list[Finding]:
    """The findings of all checks, without those that `--free` answers."""
    freed = [f"`{name}` is the parameter of interest and is held constant" for name in free]
    found = check_config(read, schema_of=schema_of)
    return [item for item in found if not any(text in item.message for text in freed)]


def convert(
    config: Path,
    options: str = "",
    *,
    replace: Mapping[str, str] | None = None,
    free: Sequence[str] = (),
    output: Path | None = None,
) -> str:
    """The analysis of a config as our YAML.

    Args:
        config: The config file.
        options: The option string.
        replace: Values of placeholders that win over those of the replacement file.
        free: Constant parameters that are fitted all the same.
        output: The file that it is written to, if any.

    Raises:
        InputError: With all that is wrong.
    """
    read = read_trexfitter(config, replace=replace)
    if many := read.of("MultiFit"):
        message = f"`MultiFit: {many[0].name}` names other configs"
        raise InputError(NOT_ONE_JOB.finding(message, place=many[0].place))
    usual = ("Fit",) if read.job and read.job.text("POI") else ()
    text = converted(open_job(read, read_options(options), free=free, usual=usual))
    if output:
        write_atomic(output, text)
    return text


def compare(theirs: Path, ours: Path | None) -> Comparison:
    """What two folders of one job say, in units of the errors.

    Args:
        theirs: The folder of TRExFitter, or of somebody else.
        ours: The other one.

    Raises:
        InputError: If one is not given, or no such folder.
    """
    if ours is None:
        hint = f"write `quarkline trexfitter compare {theirs} OURS`"
        raise InputError(NOT_A_JOB.finding("only one folder is given", suggestion=hint))
    return compare_folders(theirs, ours)


def plan(job: Job | MultiFit, letters: str) -> JobPlan:
    """What the actions of a job would do; nothing is written.

    Raises:
        InputError: If a letter is no action.
    """
    return plan_of(job, letters)


def run(
    job: Job | MultiFit, letters: str, compute: ComputeConfig, *, progress: Progress | None = None
) -> ActionsDone:
    """Carry out the actions of a job.

    Args:
        job: The job.
        letters: What to do, in any order.
        compute: Where the work runs.
        progress: Told what is done now.

    Raises:
        InputError: If something is wrong with the inputs, or refused.
        WorkError: If an action failed.
    """
    if isinstance(job, Job) and (refused := refusals(job, letters)):
        raise InputError(*refused)
    executor = open_executor(compute, folder=job.folder / "Compute")
    done = run_actions(job, letters, executor=executor, progress=progress)
    missed = [one for one in without_effect(job.config) if one.severity is not Severity.NOTE]
    return replace(done, findings=(*missed, *done.findings))
