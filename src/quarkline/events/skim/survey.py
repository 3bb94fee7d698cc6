"""Looks into an input before any work: its trees, the branches that stay, and its ranges."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import has_magic
from pathlib import Path

from quarkline.engine.core.findings import Finding, InputError, Place, Rule, did_you_mean
from quarkline.engine.store.remote import file_size
from quarkline.events.cuts import Cuts
from quarkline.events.expressions import Expression, nodes
from quarkline.events.expressions.check import NO_ENTRY
from quarkline.events.expressions.places import place_in
from quarkline.events.schema import Column, Schema
from quarkline.events.selection import check_weight
from quarkline.events.skim.config import SkimConfig
from quarkline.events.skim.loop import ROW_IDS
from quarkline.events.skim.results import WEIGHT
from quarkline.events.sources import Source, list_trees, open_source
from quarkline.events.sources.problems import NO_TREE, SEVERAL_TREES, UNKNOWN_TREE, TreeInfo

OVER_FILES = ("Entry$", "Entries$")
FEWEST_ROWS = 10_000  # a smaller range is not worth a task

NO_BRANCHES = Rule(
    "QL-SKIM-003",
    "a tree that is skimmed has branches",
    "A tree without branches was written by a job that never filled it. There is nothing to cut, "
    "and its number of entries means nothing.",
)
UNKNOWN_BRANCHES = Rule(
    "QL-SKIM-004",
    "what is kept and dropped names branches",
    "`keep` and `drop` hold names of branches as `quarkline inspect FILE` lists them, or globs of "
    "them (`lep_*`). One that matches no branch of any sample is most often a spelling mistake.",
)


@dataclass(frozen=True)
class Wanted:
    """What a skim asks of the files of a sample.

    Attributes:
        trees: Names or globs of the trees to cut; None for the only one.
        copied: Names or globs of trees to copy whole.
        cuts: Cuts by name, in order.
        weight: Weight of an event, None for 1.
        sums: Further sums by name.
        keep: Globs of branches to keep.
        drop: Globs of branches to drop of these.
        task_size: Bytes of a file that one task reads.
        max_events: Events of a file to look at, None for all.
    """

    trees: tuple[str, ...] | None
    copied: tuple[str, ...]
    cuts: Mapping[str, str]
    weight: str | None
    sums: Mapping[str, str]
    keep: tuple[str, ...]
    drop: tuple[str, ...]
    task_size: int
    max_events: int | None


@dataclass(frozen=True)
class TreePlan:
    """One tree of a file: what is written of it, and in which ranges it is worked on.

    Attributes:
        tree: Its name, "" where the format has none.
        copied: Whether it is copied whole.
        columns: The columns that are written, in their order.
        counters: Name of the counter by column of lists.
        ranges: First entry and end of each range.
        unreadable: Reason by branch that would be kept if it could be read.
        branches: All branches of the tree.
        warnings: What is suspicious about the expressions.
    """

    tree: str
    copied: bool
    columns: Mapping[str, Column]
    counters: Mapping[str, str]
    ranges: tuple[tuple[int, int], ...]
    unreadable: Mapping[str, str]
    branches: tuple[str, ...]
    warnings: tuple[Finding, ...] = ()


def wanted_of(config: SkimConfig, sample: str) -> Wanted:
    """What a skim asks of the files of a sample."""
    own = config.by_sample()[sample]
    trees = own.tree or config.tree
    return Wanted(
        trees=None if trees is None else tuple(trees),
        copied=tuple(config.copy_tree),
        cuts={**own.select, **config.select},
        weight=config.weight if own.weight is None else own.weight,
        sums=dict(config.sums),
        keep=tuple(config.keep),
        drop=tuple(config.drop),
        task_size=int(config.task_size),
        max_events=config.max_events,
    )


def choose_trees(path: Path, wanted: Wanted) -> dict[str, bool]:
    """The trees of a file that are written, and whether they are copied whole.

    Raises:
        InputError: If one that is asked for does not exist, or cannot be read.
    """
    listing = {info.name: info for info in list_trees(path)}
    copied = _named(path, wanted.copied, listing)
    rest = [name for name in listing if name not in copied]
    if wanted.trees is not None:
        cut = _named(path, wanted.trees, listing)
    elif len(rest) == 1:
        cut = rest
    else:
        raise InputError(_not_one(path, rest))
    chosen = {name: name in copied for name in listing if name in {*cut, *copied}}
    for name in chosen:
        if problem := listing[name].problem:
            raise InputError(NO_TREE.finding(f"`{name}` is {problem}", place=Place(path)))
    return dict(sorted(chosen.items(), key=lambda item: item[1]))  # those that are cut first


def survey(path: Path, trees: Mapping[str, bool], wanted: Wanted) -> list[TreePlan]:
    """Look into the chosen trees of a file.

    Raises:
        InputError: If a tree has no branches, or an expression or a name does not fit it.
    """
    size = file_size(path)
    plans = []
    for name, copied in trees.items():
        with open_source(path, tree=name or None) as source:
            plans.append(_plan(source, name, copied, wanted, size))
    return plans


def bind(
    schema: Schema, cuts: Mapping[str, str], weight: str | None, sums: Mapping[str, str]
) -> Cuts:
    """Fit a skim's expressions to a table.

    Args:
        schema: The table's columns.
        cuts: Cuts by name, in order.
        weight: Weight of an event, None for 1.
        sums: Further sums by name.

    Raises:
        InputError: With all that is wrong with them.
    """
    found = Cuts.of(schema, cuts, weight, sums)
    if findings := [finding for item in found.expressions for finding in _counted(item)]:
        raise InputError(*findings)
    for expression in weights_of(found).values():
        check_weight(expression)
    return found


def weights_of(cuts: Cuts) -> dict[str, Expression]:
    """What is summed before any cut, by name: the weight first."""
    return ({WEIGHT: cuts.weight} if cuts.weight else {}) | dict(cuts.sums)


def _counted(expression: Expression) -> list[Finding]:
    """Numbers that count over several files, which a skim has in no order."""
    return [
        NO_ENTRY.finding(
            f"`{node.name}` counts over all files, and a skim cuts each by itself",
            place=place_in(expression.text, node.span),
            suggestion=f"`Local{node.name}` counts in the file",
        )
        for node in nodes.walk(expression.tree)
        if isinstance(node, nodes.Name) and node.name in OVER_FILES
    ]


def missing_names(wanted: Wanted, plan: TreePlan, reference: TreePlan) -> list[str]:
    """Branches that are kept by name, and that a file lacks while another one has them."""
    exact = [name for name in wanted.keep if name in reference.columns]
    return [name for name in exact if name not in plan.columns]


def unmatched(patterns: Sequence[str], schemas: Iterable[Sequence[str]]) -> list[Finding]:
    """What is wrong with patterns that match a branch in none of some tables."""
    names = list(dict.fromkeys(name for schema in schemas for name in (*schema, *ROW_IDS)))
    return [
        UNKNOWN_BRANCHES.finding(
            f"`{pattern}` matches no branch",
            suggestion=did_you_mean(pattern, names, what="branches"),
            evidence={"pattern": pattern},
        )
        for pattern in patterns
        if not any(_matches(name, [pattern]) for name in names)
    ]


def _plan(source: Source, name: str, copied: bool, wanted: Wanted, size: int) -> TreePlan:
    schema = source.schema
    unreadable = schema.metadata.get("unreadable")
    refused = dict(unreadable) if isinstance(unreadable, Mapping) else {}
    if not schema.columns and not refused:
        finding = NO_BRANCHES.finding(f"tree `{name}` has no branches", place=Place(source.path))
        raise InputError(finding)
    cuts = Cuts({}) if copied else bind(schema, wanted.cuts, wanted.weight, wanted.sums)
    keep = wanted.keep if not copied else ("*",)
    drop = wanted.drop if not copied else ()
    columns = {key: schema[key] for key in _matching(schema.columns, keep, drop)}
    if not copied:
        made = [key for key in ROW_IDS if key not in schema and not _matches(key, drop)]
        columns |= {key: Column(key, "uint16" if key == "_object" else "uint64") for key in made}
    entries = schema.entries
    if wanted.max_events is not None and not copied:
        entries = min(entries, wanted.max_events)
    return TreePlan(
        tree=name,
        copied=copied,
        columns=columns,
        counters=_counters(schema, columns),
        ranges=_ranges(source, entries, size, wanted.task_size),
        unreadable={key: refused[key] for key in _matching(refused, keep, drop)},
        branches=(*schema.columns, *refused),
        warnings=cuts.warnings,
    )


def _ranges(source: Source, entries: int, size: int, target: int) -> tuple[tuple[int, int], ...]:
    """Ranges of about `target` bytes of the file, cut where its blocks end."""
    pieces = max(1, min(math.ceil(size / target), entries // FEWEST_ROWS))
    ideal = [entries * number // pieces for number in range(1, pieces)]
    inner = {source.boundary(entry) for entry in ideal}
    ends = sorted({end for end in inner if 0 < end < entries} | {entries})
    return tuple(zip([0, *ends[:-1]], ends, strict=True))


def _counters(schema: Schema, columns: Mapping[str, Column]) -> dict[str, str]:
    """Counters as the file has them; a column of lists without one gets one of its own."""
    stored = schema.metadata.get("counters")
    named = stored if isinstance(stored, Mapping) else {}
    counters = {}
    for name, column in columns.items():
        if column.depth:
            own = f"n{name}"
            counters[name] = str(named.get(name, f"{own}_" if own in columns else own))
    return counters


def _matching(names: Iterable[str], keep: Sequence[str], drop: Sequence[str]) -> list[str]:
    return [name for name in names if _matches(name, keep) and not _matches(name, drop)]


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(name == pattern or fnmatchcase(name, pattern) for pattern in patterns)


def _named(path: Path, patterns: Sequence[str], listing: Mapping[str, TreeInfo]) -> list[str]:
    """The trees that names or globs mean, each of which must mean one at least."""
    found: dict[str, None] = {}
    for pattern in patterns:
        hits = [name for name in listing if _matches(name, [pattern])]
        if not hits:
            what = f"no tree matches `{pattern}`" if has_magic(pattern) else f"no tree `{pattern}`"
            finding = UNKNOWN_TREE.finding(
                f"there is {what}",
                place=Place(path),
                suggestion=did_you_mean(pattern, listing, what="trees"),
            )
            raise InputError(finding)
        found.update(dict.fromkeys(hits))
    return list(found)


def _not_one(path: Path, names: Sequence[str]) -> Finding:
    if not names:
        return NO_TREE.finding("there is no tree to cut in this file", place=Place(path))
    shown = ", ".join(f"`{name}`" for name in names)
    return SEVERAL_TREES.finding(
        f"the file holds {len(names)} trees: {shown}",
        place=Place(path),
        suggestion="name those to cut (`--tree NAME`) and those to copy whole (`--copy-tree NAME`)",
    )
