"""Blocks of one kind and name: told apart where they cannot meet, as TRExFitter takes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, product

from quarkline.catalog.names import selects
from quarkline.catalog.written import Written
from quarkline.engine.core.findings import Finding, Rule, Severity
from quarkline.trexfitter.blocks import Block, Option

TOLD_APART = Rule(
    "QL-TREX-050",
    "blocks of one name that never meet are told apart",
    "Samples of one name in different regions, and systematics of one name on different samples or "
    "in different regions, are allowed. The later ones get a number after their name, and "
    "systematics keep one parameter. Norm factors of one name are one factor of all their samples.",
    Severity.NOTE,
)

LISTS = ("Samples", "Exclude", "DummyForSamples", "KeepNormForSamples", "DropNorm", "DropShapeIn")
"""Options that name samples, where one more changes nothing for the others."""
USES = {
    *("ReferenceSample", "ReferenceSmoothing", "ReferencePruning", "SampleUp", "SampleDown"),
    *("MultiplyBy", "DivideBy", "AddSample", "AddSamples", "SubtractSample", "SubtractSamples"),
    *("NormToSample", "SystFromSample", "CorrelateGammasWithSample", "AsimovReplacementFor"),
    *("ExcludeRegionSample", "VariableForSample", "SelectionForSample", "ScaleSamplesToData"),
    *("ScaleUp", "ScaleDown"),
}
"""Options that use a sample, so that it has to be one."""
Pairs = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class ToldApart:
    """Blocks after those of one name got names of their own.

    Attributes:
        blocks: The blocks.
        names: The further names of each name that stood more than once.
        findings: What was done.
    """

    blocks: tuple[Block, ...]
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def told_apart(blocks: Sequence[Block]) -> ToldApart:
    """Give blocks of one kind and name names of their own, where they never meet.

    Those that do meet keep their name, which is then an error.
    """
    result = ToldApart(tuple(blocks))
    for kind in ("Sample", "Systematic"):
        result = _numbered(kind, result)
    return _joined(result)


def _numbered(kind: str, before: ToldApart) -> ToldApart:
    """The blocks with numbers after the names of those of one kind that stand again."""
    groups = {
        name: group
        for name, group in _by_name(before.blocks, kind).items()
        if _never_meet(group, before.blocks) and not (kind == "Sample" and _used(name, before))
    }
    taken = {str(block.name) for block in before.blocks}
    new: dict[int, str] = {}
    names = {name: list(others) for name, others in before.names.items()}
    for name, group in groups.items():
        for block in group[1:]:
            number = next(n for n in range(2, 10**6) if f"{name}_{n}" not in taken)
            taken.add(f"{name}_{number}")
            new[id(block)] = f"{name}_{number}"
            names.setdefault(name, []).append(f"{name}_{number}")
    if not new:
        return before
    renamed = [
        _renamed(block, new[id(block)]) if id(block) in new else block for block in before.blocks
    ]
    if kind == "Sample":
        renamed = [_naming(block, names) for block in renamed]
    findings = (_note(block, new[id(block)]) for block in before.blocks if id(block) in new)
    final = {name: tuple(others) for name, others in names.items()}
    return ToldApart(tuple(renamed), final, (*before.findings, *findings))


def _by_name(blocks: Iterable[Block], kind: str) -> dict[str, list[Block]]:
    """Blocks of a kind by name, where there are several of one."""
    groups: dict[str, list[Block]] = {}
    for block in blocks:
        if block.kind == kind:
            groups.setdefault(str(block.name), []).append(block)
    return {name: group for name, group in groups.items() if len(group) > 1}


def _never_meet(group: Sequence[Block], blocks: Sequence[Block]) -> bool:
    """Whether no two blocks act on one sample in one region."""
    pairs = [_pairs(block, blocks) for block in group]
    return not any(one & other for one, other in combinations(pairs, 2))


def _pairs(block: Block, blocks: Sequence[Block]) -> Pairs:
    """The regions and samples that a block acts on; a sample is only itself."""
    regions = [str(other.name) for other in blocks if other.kind == "Region"] or ["all"]
    samples = [str(other.name) for other in blocks if other.kind == "Sample"] or ["all"]
    own = block.kind == "Sample"
    named = [str(block.name)] if own else _chosen(block, "Samples", samples)
    excluded = block.items("Exclude")
    pairs_out = block.items("ExcludeRegionSample")
    return frozenset(
        (region, sample)
        for region, sample in product(_chosen(block, "Regions", regions), named)
        if not selects(excluded, region)
        and (own or not selects(excluded, sample))
        and f"{region}:{sample}" not in pairs_out
    )


def _chosen(block: Block, option: str, names: Iterable[str]) -> list[str]:
    patterns = block.items(option) or ["all"]
    return [name for name in names if selects(patterns, name)]


def _used(name: str, told: ToldApart) -> bool:
    """Whether a sample is named where it has to be one."""
    return any(
        name in (part.strip() for item in option.items for part in item.split(":"))
        for block in told.blocks
        for option in block.options.values()
        if option.name in USES
    )


def _renamed(block: Block, name: str) -> Block:
    """The block with another name, its parameter and what is shown as before."""
    same = {"Sample": ("Title",), "Systematic": ("NuisanceParameter", "StoredName", "Title")}
    options = dict(block.options)
    for option in same[block.kind]:
        options.setdefault(option, Option(option, block.name, block.place))
    return replace(block, name=_written(name, block.name), options=options)


def _written(text: str, at: Written) -> Written:
    return Written.at(text, at.place) if at.place else Written(text)


def _list(items: Iterable[str], at: Written) -> Written:
    return _written(", ".join(f'"{item}"' for item in items), at)


def _naming(block: Block, names: Mapping[str, Sequence[str]]) -> Block:
    """The block, whose lists of samples have the further names, too."""
    options = dict(block.options)
    for option in LISTS:
        if option in options and (option != "Exclude" or block.kind != "Sample"):
            options[option] = _longer(options[option], names)
    return replace(block, options=options)


def _longer(option: Option, names: Mapping[str, Sequence[str]]) -> Option:
    items = [str(item) for item in option.items]
    more = [other for item in items for other in names.get(item, ()) if other not in items]
    if not more:
        return option
    return replace(option, raw=_list([*items, *more], option.raw))


def _joined(before: ToldApart) -> ToldApart:
    """The blocks, with one norm factor where several of one name differ in nothing but samples."""
    blocks, findings = list(before.blocks), list(before.findings)
    for group in _by_name(blocks, "NormFactor").values():
        if not all("Samples" in block.options for block in group):
            continue
        if len({_without_samples(block) for block in group}) > 1:
            continue
        first = group[0]
        samples = dict.fromkeys(str(item) for block in group for item in block.items("Samples"))
        option = first.options["Samples"]
        whole = replace(option, raw=_list(samples, option.raw))
        one = replace(first, options={**first.options, "Samples": whole})
        blocks = [
            one if block is first else block
            for block in blocks
            if block is first or not any(block is other for other in group)
        ]
        findings += [_note(block, str(block.name)) for block in group[1:]]
    return replace(before, blocks=tuple(blocks), findings=tuple(findings))


def _without_samples(block: Block) -> frozenset[tuple[str, str]]:
    options = block.options.values()
    return frozenset((o.name, str(o.value)) for o in options if o.name != "Samples")


def _note(block: Block, name: str) -> Finding:
    again = f"`{block.kind}: {block.name}` stands again"
    joined = block.kind == "NormFactor"
    what = "both are one factor" if joined else f"on others; it is called `{name}` here"
    return TOLD_APART.finding(f"{again}, {what}", place=block.place)


def with_further_names(
    patterns: Iterable[str], names: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """Names and patterns, and after each name those that blocks of that name were given."""
    for pattern in patterns:
        yield pattern
        yield from names.get(pattern, ())
