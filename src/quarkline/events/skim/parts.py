"""The ranges of a skim as items: each is cut by itself, and named by what it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarkline.engine.compute.outcome import Item
from quarkline.engine.store.keys import content_key
from quarkline.engine.store.remote import file_size
from quarkline.events.skim.config import SkimConfig
from quarkline.events.skim.inputs import Group, SkimInput
from quarkline.events.skim.outputs import SHORT, VERSION
from quarkline.events.skim.survey import TreePlan, Wanted, wanted_of


@dataclass(frozen=True, eq=False)
class SkimPart:
    """One range of one tree of an input: the item that cuts it, and where its events go."""

    source: SkimInput
    tree: str
    item: Item
    folder: Path


def parts_of(
    config: SkimConfig, group: Group, plans: Mapping[SkimInput, Sequence[TreePlan]], items: Path
) -> list[SkimPart]:
    """The ranges of an output's usable inputs, in order.

    Args:
        config: The config.
        group: The inputs of the output.
        plans: The trees of each usable input.
        items: Folder of all items.
    """
    parts = []
    for source in group.inputs:
        wanted = wanted_of(config, source.sample)
        size = file_size(source.path) if source in plans else 0
        for plan in plans.get(source, ()):
            for start, stop in plan.ranges:
                args = _args(source, size, plan, wanted) | {"start": start, "stop": stop}
                name = f"{source.sample}: {source.name} {plan.tree} [{start}, {stop})"
                folder = items / content_key({"version": VERSION, **args})[:SHORT]
                item = Item(name, args, {"events": source.path})
                parts.append(SkimPart(source, plan.tree, item, folder))
    return parts


def _args(source: SkimInput, size: int, plan: TreePlan, wanted: Wanted) -> dict[str, Any]:
    return {
        "digest": source.digest,
        "size": size,
        "tree": plan.tree,
        "keep": list(plan.columns),
        "cuts": [] if plan.copied else [[name, text] for name, text in wanted.cuts.items()],
        "weight": None if plan.copied else wanted.weight,
        "sums": [] if plan.copied else [[name, text] for name, text in wanted.sums.items()],
    }
