"""Plans a skim: which outputs are missing or stale, and what stands against their inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from quarkline.engine.core.addresses import spelt
from quarkline.engine.core.findings import (
    Finding,
    InputError,
    Place,
    QuarklineError,
    Rule,
    Severity,
)
from quarkline.events.sinks import SINKS, open_sink
from quarkline.events.skim.config import SkimConfig
from quarkline.events.skim.inputs import Group, SkimInput, find_inputs, group_inputs
from quarkline.events.skim.outputs import Records, check_folder, config_of, ending_of, why_stale
from quarkline.events.skim.survey import (
    TreePlan,
    Wanted,
    choose_trees,
    missing_names,
    survey,
    unmatched,
    wanted_of,
)
from quarkline.events.sources.problems import SEVERAL_TREES, UNKNOWN_TREE

TRIES = 3
"""So many files of a sample are looked into before the config is blamed for what they lack."""

ONE_TABLE = Rule(
    "QL-SKIM-008",
    "only ROOT files hold several trees",
    "Parquet, HDF5 and CSV files hold one table. Where several trees are cut or copied, write "
    "ROOT, or skim tree by tree into folders of their own.",
)
LEFT_OUT = Rule(
    "QL-SKIM-009",
    "branches that cannot be read are left out",
    "They match `keep`, and hold objects that cannot be read. Drop them by name to silence this.",
    severity=Severity.WARNING,
)
OTHER_BRANCHES = Rule(
    "QL-SKIM-010",
    "files that are merged have the same branches",
    "A tree has one set of branches, each of one type. Files that are merged into one output must "
    "agree in those that are kept.",
)
MISSING_BRANCH = Rule(
    "QL-SKIM-011",
    "every file of a sample has the branches that are kept by name",
    "A branch that is named without a wildcard, and that another file of the sample has, is "
    "missing in this one.",
)
UNREADABLE_INPUT = Rule(
    "QL-SKIM-012",
    "an input can be read",
    "The file is there, and the system does not let it be read: permissions, a broken disk, or a "
    "server that does not answer.",
)


class SkimWatcher(Protocol):
    """Shows how far a skim is."""

    def update(self, done: int, total: int, name: str) -> None:
        """So many of all things are done, the last of which is `name`."""


class Unwatched:
    """Shows nothing."""

    def update(self, done: int, total: int, name: str) -> None:
        """Nothing."""


@dataclass(frozen=True)
class PlannedOutput:
    """One output.

    Attributes:
        group: Its inputs and its name.
        why: Why it is made, "" if it is complete.
        config: What of the config decides about its content.
    """

    group: Group
    why: str
    config: Mapping[str, object]


@dataclass
class Overview:
    """What was seen in the inputs of outputs that are made.

    Attributes:
        plans: The trees of each usable input.
        problems: Why an input is not usable.
        warnings: What is suspicious.
    """

    plans: dict[SkimInput, list[TreePlan]] = field(default_factory=dict)
    problems: dict[SkimInput, str] = field(default_factory=dict)
    warnings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class SkimPlan:
    """A skim before any work.

    Attributes:
        config: The config.
        outputs: All outputs, in the order of their inputs.
        pruned: Outputs of an earlier skim that are removed.
        look: What was seen in the inputs of outputs that are made.
        records: What is known of the outputs.
    """

    config: SkimConfig
    outputs: tuple[PlannedOutput, ...]
    pruned: tuple[str, ...]
    look: Overview
    records: Records

    @property
    def complete(self) -> bool:
        """Whether nothing is to be done."""
        return not self.pending and not self.pruned

    @property
    def pending(self) -> list[PlannedOutput]:
        """The outputs to make."""
        return [item for item in self.outputs if item.why]


def plan_skim(
    config: SkimConfig, *, prune: bool = False, watcher: SkimWatcher | None = None
) -> SkimPlan:
    """Find the inputs, see which outputs are missing or stale, and look into their inputs.

    Nothing is written.

    Args:
        config: The config.
        prune: Allow the folder to hold outputs that the config does not make, to be removed.
        watcher: Shown which file is looked into.

    Raises:
        InputError: If the config does not fit the files.
    """
    groups = group_inputs(config, find_inputs(config))
    records = Records(config.output)
    pruned = check_folder(config, groups, records, prune=prune)
    outputs = _states(config, groups, records)
    pending = [item.group for item in outputs if item.why]
    look = _look(config, pending, _known_good(outputs, records), watcher or Unwatched())
    for group in pending:
        _check_agreement([(item, look.plans[item]) for item in group.inputs if item in look.plans])
    return SkimPlan(config, tuple(outputs), tuple(pruned), look, records)


def _states(config: SkimConfig, groups: Sequence[Group], records: Records) -> list[PlannedOutput]:
    outputs = []
    for group in groups:
        relevant = config_of(config, group)
        why = why_stale(config.output, group, relevant, records.by_stem.get(group.stem))
        outputs.append(PlannedOutput(group, why, relevant))
    bad = {item.group.stem: _bad(records, item) for item in outputs}
    if sum(bad.values()) <= config.max_bad_files:
        return outputs
    again = "bad files to try again"
    return [
        PlannedOutput(item.group, again, item.config) if bad[item.group.stem] else item
        for item in outputs
    ]


def _bad(records: Records, item: PlannedOutput) -> int:
    """Number of bad files of a complete output."""
    if item.why:
        return 0
    return sum(bool(found.problem) for found in records.by_stem[item.group.stem].inputs)


def _known_good(outputs: Iterable[PlannedOutput], records: Records) -> set[str]:
    """Samples with a file that has been skimmed as the config says."""
    good = [item for item in outputs if not item.why]
    found = [record for item in good for record in records.by_stem[item.group.stem].inputs]
    return {item.sample for item in found if not item.problem}


def _look(
    config: SkimConfig, pending: Sequence[Group], known: set[str], watcher: SkimWatcher
) -> Overview:
    """Look into every input of the outputs to make, sample by sample."""
    inputs = [item for group in pending for item in group.inputs]
    look = Overview()
    references: dict[str, list[TreePlan]] = {}
    refused: dict[str, list[InputError]] = {}
    for number, item in enumerate(inputs, start=1):
        watcher.update(number - 1, len(inputs), f"looking into {item.name}")
        wanted = wanted_of(config, item.sample)
        first = references.get(item.sample)
        try:
            plans = _look_into(item, wanted, first)
        except QuarklineError as error:
            look.problems[item] = error.findings[0].message
            if first is None and item.sample not in known and tells_of_config(error):
                refused.setdefault(item.sample, []).append(in_file(error, item.path))
                if len(refused[item.sample]) == TRIES:
                    raise refused[item.sample][0] from error
        except OSError as error:
            look.problems[item] = f"cannot be read: {error.strerror or error}"
        else:
            look.plans[item] = plans
            if first is None:
                references[item.sample] = plans
                _check_format(config, item, plans)
                look.warnings += _warnings(item, plans)
    for sample in refused.keys() - references.keys():
        raise refused[sample][0]
    samples = config.by_sample().keys()
    if references and references.keys() == samples:
        _check_names(config, references)
    return look


def _look_into(
    item: SkimInput, wanted: Wanted, reference: Sequence[TreePlan] | None
) -> list[TreePlan]:
    if item.problem:
        raise InputError(_unreadable(item))
    plans = survey(item.path, choose_trees(item.path, wanted), wanted)
    others = {plan.tree: plan for plan in reference or ()}
    for plan in plans:
        cut = plan.tree in others and not plan.copied
        missing = missing_names(wanted, plan, others[plan.tree]) if cut else []
        if missing:
            message = f"tree `{plan.tree}` has no branch `{missing[0]}`"
            raise InputError(MISSING_BRANCH.finding(message, place=Place(item.path)))
    return plans


def tells_of_config(error: QuarklineError) -> bool:
    """Whether an error is one that a wrong config would give with every file."""
    codes = {found.code for found in error.findings}
    expressions = any(code.startswith("QL-EXPR") for code in codes)
    return expressions or bool(codes & {UNKNOWN_TREE.code, SEVERAL_TREES.code})


def in_file(error: QuarklineError, path: Path) -> InputError:
    """An error whose findings name the file."""
    places = [replace(found.place or Place(), file=path) for found in error.findings]
    pairs = zip(error.findings, places, strict=True)
    return InputError(*(found.at(place) for found, place in pairs))


def _check_names(config: SkimConfig, references: Mapping[str, Sequence[TreePlan]]) -> None:
    """Refuse globs of branches that match none in any sample."""
    branches = [plan.branches for plans in references.values() for plan in plans if not plan.copied]
    if findings := unmatched([*config.keep, *config.drop], branches):
        raise InputError(*findings)


def _check_format(config: SkimConfig, item: SkimInput, plans: Sequence[TreePlan]) -> None:
    """Refuse trees and branches that the format does not hold."""
    place = Place(item.path)
    if len(plans) > 1 and not SINKS[config.format].several:
        names = ", ".join(f"`{plan.tree}`" for plan in plans)
        finding = ONE_TABLE.finding(
            f"{len(plans)} trees for a file of the format `{config.format}`: {names}",
            place=place,
            suggestion="write `--format root`, or name one tree",
        )
        raise InputError(finding)
    path = config.output / f"{item.sample}{ending_of(config.format)}"
    sink = open_sink(path, format=config.format, compression=config.compression)
    findings = [found for plan in plans for found in sink.refusals(plan.columns.values())]
    if findings:
        raise InputError(*(found.at(place) for found in findings))


def _warnings(item: SkimInput, plans: Sequence[TreePlan]) -> list[Finding]:
    found = [finding for plan in plans for finding in plan.warnings]
    for plan in plans:
        if plan.unreadable:
            name, reason = next(iter(plan.unreadable.items()))
            rest = len(plan.unreadable) - 1
            more = f", and {rest} more" if rest else ""
            message = f"tree `{plan.tree}` goes on without `{name}`: {reason}{more}"
            found.append(LEFT_OUT.finding(message, place=Place(item.path)))
    return found


def _check_agreement(files: Sequence[tuple[SkimInput, Sequence[TreePlan]]]) -> None:
    """Refuse files of one output whose kept branches differ."""
    first: dict[str, tuple[SkimInput, TreePlan]] = {}
    for item, plans in files:
        for plan in plans:
            other, reference = first.setdefault(plan.tree, (item, plan))
            if problem := _difference(reference, plan, spelt(other.path)):
                raise InputError(
                    OTHER_BRANCHES.finding(
                        f"tree `{plan.tree}`: {problem}",
                        place=Place(item.path),
                        suggestion="drop the branch, or write one output a file: `merge: none`",
                    )
                )


def _difference(first: TreePlan, other: TreePlan, name: str) -> str | None:
    """How the kept branches of a file differ from those of the first one."""
    for branch, column in first.columns.items():
        found = other.columns.get(branch)
        if found is None:
            return f"there is no branch `{branch}`, which {name} has"
        kinds = [(c.dtype, c.depth, c.shape) for c in (column, found)]
        if kinds[0] != kinds[1]:
            shown = [f"{kind}{'[]' * depth}{list(shape) or ''}" for kind, depth, shape in kinds]
            return f"`{branch}` is {shown[1]}, and {shown[0]} in {name}"
    extra = [branch for branch in other.columns if branch not in first.columns]
    return f"there is a branch `{extra[0]}`, which {name} lacks" if extra else None


def _unreadable(item: SkimInput) -> Finding:
    return UNREADABLE_INPUT.finding(item.problem, place=Place(item.path))
