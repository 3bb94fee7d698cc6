"""Checks of friend trees: who reads them, and where they lie."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from quarkline.catalog.catalog import Catalog
from quarkline.catalog.checks.names import PlaceOf
from quarkline.engine.core.findings import Finding, Rule, Severity

NOT_ALL = Rule(
    "QL-CATALOG-020",
    "the samples of a region read friends together",
    "Where a region draws or cuts on a column of the friends, a sample without friends has no such "
    "column. It would be left out or stop the work.",
    Severity.WARNING,
)
TREE_FOLDER = Rule(
    "QL-CATALOG-021",
    "the folder of friends has no part for the tree",
    "Friends have the names of the files they belong to, below the folder of friends. A last part "
    "of that folder which is the name of the tree is a leftover of another layout: friends written "
    "here lie without it.",
    Severity.NOTE,
)


def friend_findings(catalog: Catalog, place: PlaceOf) -> list[Finding]:
    """What is wrong with the friends."""
    return [*_without(catalog, place), *_folders(catalog, place)]


def _without(catalog: Catalog, place: PlaceOf) -> Iterator[Finding]:
    told: set[str] = set()
    for region in catalog.regions:
        inside = [name for name in catalog.samples if catalog.holds(name, region)]
        having = [name for name in inside if catalog.samples[name].use_friends]
        for name in inside:
            if not having or name in having or name in told:
                continue
            told.add(name)
            yield NOT_ALL.finding(
                f"sample `{name}` reads no friends, and {len(having)} others in region "
                f"`{region}` do",
                suggestion="set `use_friends: true` (`UseFriend: TRUE`)",
                place=place("samples", name),
            )


def _folders(catalog: Catalog, place: PlaceOf) -> Iterator[Finding]:
    for folder in catalog.files.friends:
        path = Path(folder)
        if path.name in catalog.files.trees:
            yield TREE_FOLDER.finding(
                f"the folder of friends ends in `{path.name}`, the name of the tree",
                suggestion=f"name the folder above it, `{path.parent}`",
                place=place("files", "friends"),
            )
