"""Data that nobody is to see: which events they are, and how other regions do without them."""

from __future__ import annotations

from collections.abc import Collection

from quarkline.catalog import Region, Written
from quarkline.catalog.written import conjunction
from quarkline.events.cuts import named_cuts
from quarkline.events.expressions import nodes, parse
from quarkline.studies.search.config import SearchConfig


def hidden_selections(config: SearchConfig, sample: str) -> list[Written]:
    """Selections of the blind regions of a data sample; none in a run that says why."""
    if config.samples[sample].role != "data":
        return []
    return [
        config.selection_of(sample, region)
        for region in config.regions
        if config.holds(sample, region) and config.hides(sample, region)
    ]


def unscored_selections(
    config: SearchConfig, sample: str, columns: Collection[str]
) -> list[Written]:
    """Selections of the data events that get no score; none in a run that says why.

    With the events of blind regions those of no open region go, or the number of events without a
    score would tell how many there are in the blind ones.

    Args:
        config: The config.
        sample: Name of the sample.
        columns: Columns of scores, which the selections of open regions are taken without.
    """
    hidden = hidden_selections(config, sample)
    open_ = [
        _without_scores(config.selection_of(sample, region), columns)
        for region in config.regions
        if config.holds(sample, region) and not config.hides(sample, region)
    ]
    if not hidden:
        return []
    return [*hidden, Written(f"!({' || '.join(f'({text})' for text in open_) or '1 == 0'})")]


def _without_scores(text: Written, columns: Collection[str]) -> str:
    cuts = [cut for cut in named_cuts([str(text)]).values() if not names_any(cut, columns)]
    return " && ".join(f"({cut})" for cut in cuts) or "1 == 1"


def names_any(text: str, columns: Collection[str]) -> bool:
    """Whether an expression names one of some columns."""
    tree = parse(text)
    return any(node.name in columns for node in nodes.walk(tree) if isinstance(node, nodes.Name))


def seen_selection(
    config: SearchConfig, sample: str, region: str, columns: Collection[str]
) -> Written:
    """The cut on a sample in a region, without data of blind regions that cut on no score.

    Args:
        config: The config.
        sample: Name of the sample.
        region: Name of the region.
        columns: Columns of scores.
    """
    hidden = hidden_selections(config, sample)
    plain = [Written(f"!({text})") for text in hidden if not names_any(text, columns)]
    return conjunction([config.selection_of(sample, region), *plain])


def seen_region(config: SearchConfig, name: str, scores: Collection[str]) -> Region:
    """A region whose data are not those of blind regions; hidden events have no score.

    Args:
        config: The config.
        name: Name of the region.
        scores: Columns of scores that are read; none if none are.
    """
    region = config.regions[name]
    instead: dict[str, Written] = {}
    for sample in config.samples:
        if config.hides(sample, name) or not (hidden := hidden_selections(config, sample)):
            continue
        left = [Written(f"{column} == {column}") for column in list(scores)[:1]]
        left = left or [Written(f"!({text})") for text in hidden]
        own = region.selection_for.get(sample, region.selection)
        instead[sample] = conjunction(text for text in (own, *left) if text)
    return region.model_copy(update={"selection_for": region.selection_for | instead})
