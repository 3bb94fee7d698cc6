"""The inputs of a skim as samples with cuts and weights, for cut-flows and doctor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from quarkline.engine.core.findings import Finding, QuarklineError
from quarkline.engine.workflow.samples import InputSample
from quarkline.events.skim.config import SkimConfig
from quarkline.events.skim.inputs import sample_files
from quarkline.events.skim.plan import in_file, tells_of_config
from quarkline.events.skim.survey import Wanted, bind, choose_trees, wanted_of
from quarkline.events.sources import open_source


@dataclass(frozen=True)
class _Look:
    """What a file of a sample tells: columns by tree that is cut, and findings."""

    columns: dict[str, tuple[str, ...]]
    findings: tuple[Finding, ...] = ()


def skim_samples(config: SkimConfig) -> list[InputSample]:
    """The samples of a skim, one for each tree that is cut.

    Raises:
        InputError: If a file does not exist, or is named twice.
    """
    found = []
    for name, sample in config.by_sample().items():
        paths, wanted = sample_files(sample), wanted_of(config, name)
        trees = _look(paths, wanted).columns or {_only_tree(wanted): ()}
        found += [
            InputSample(
                name if len(trees) == 1 else f"{name} {tree}",
                tuple(paths),
                tree=tree or None,
                columns=columns,
                cuts=wanted.cuts,
                weight=wanted.weight,
            )
            for tree, columns in trees.items()
        ]
    return found


def skim_checks(config: SkimConfig) -> list[Finding]:
    """What is wrong or suspicious about a skim's trees and expressions.

    Raises:
        InputError: If a file does not exist, or is named twice.
    """
    return [
        finding
        for name, sample in config.by_sample().items()
        for finding in _look(sample_files(sample), wanted_of(config, name)).findings
    ]


def _look(paths: Sequence[Path], wanted: Wanted) -> _Look:
    """Look for a file that the config fits; if there is none, what the first has against it."""
    refused: tuple[Finding, ...] = ()
    for path in paths:
        try:
            return _look_into(path, wanted)
        except QuarklineError as error:
            if tells_of_config(error):
                refused = refused or tuple(in_file(error, path).findings)
    return _Look({}, refused)


def _look_into(path: Path, wanted: Wanted) -> _Look:
    columns: dict[str, tuple[str, ...]] = {}
    findings: list[Finding] = []
    for tree, copied in choose_trees(path, wanted).items():
        if copied:
            continue
        with open_source(path, tree=tree or None) as source:
            cuts = bind(source.schema, wanted.cuts, wanted.weight, wanted.sums)
            kept = {name for name in wanted.keep if name in source.schema}
        columns[tree] = tuple(sorted(cuts.columns | kept))
        findings += cuts.warnings
    return _Look(columns, tuple(findings))


def _only_tree(wanted: Wanted) -> str:
    return wanted.trees[0] if wanted.trees and len(wanted.trees) == 1 else ""
