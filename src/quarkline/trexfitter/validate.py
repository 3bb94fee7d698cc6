"""Compares blocks with the schema: unknown names, and values that are not of their kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from quarkline.engine.core.findings import Finding, Place, Rule, did_you_mean
from quarkline.trexfitter.blocks import Block, Option
from quarkline.trexfitter.replacements import WORD
from quarkline.trexfitter.schema import JOB_BLOCKS, MULTI_FIT_BLOCKS, Kind

UNKNOWN_OPTION = Rule(
    "QL-TREX-020",
    "every option is one of its block",
    "An option that nothing reads is most often misspelt, or belongs to another block.",
)
BAD_OPTION = Rule(
    "QL-TREX-021",
    "a value is of the kind that its option asks for",
    "The message names the value and what is allowed.",
)
NO_JOB = Rule(
    "QL-TREX-022",
    "a config has one `Job` or `MultiFit`, and no two blocks of one kind and name",
    "A file without `Job` is a part that other configs include. A block that stands twice would "
    "count its events twice.",
)
UNFILLED = Rule(
    "QL-TREX-023",
    "no placeholder of another program is left",
    "`{name}` in names, paths and expressions is a placeholder that a script fills before "
    "TRExFitter reads the config. Read the filled config instead.",
)

SCHEMA = Rule(
    "QL-TREX-024",
    "a config describes an analysis, not the language",
    "A schema lists every option with the kind of its value. It has the form of a config, but "
    "there is nothing to read with it.",
)

BAD_NAME = Rule(
    "QL-TREX-051",
    "a name can be part of the names of files and histograms",
    "Names of jobs, regions, samples and systematics are parts of the names of folders, files and "
    "histograms, in which `/` begins a folder. An empty name is none.",
)

NAMED = {"Job", "MultiFit", "Region", "Sample", "NormFactor", "ShapeFactor", "Systematic"}
NOT_READ = {"Unfolding", "UnfoldingSample", "UnfoldingSystematic", "TruthSample"}
"""Blocks that are refused, whatever they say."""
KINDS_IN_SCHEMAS = {"string", "float", "int", "TRUE/FALSE"}
BRACES = re.compile(r"\{[A-Za-z]\w*(:\w+)?\}")
Schema = Mapping[str, Mapping[str, Kind]]


def validate(path: Path, blocks: Sequence[Block]) -> list[Finding]:
    """What is wrong with the blocks of a config, each on its own and together."""
    if schemas := [block for block in blocks if _describes_kinds(block)]:
        return [SCHEMA.finding("the file is a schema of the language", place=schemas[0].place)]
    many = any(block.kind == "MultiFit" for block in blocks)
    schema = MULTI_FIT_BLOCKS if many else JOB_BLOCKS
    return [
        *_jobs(path, blocks),
        *_repeated(blocks),
        *_said_once(finding for block in blocks for finding in _block(block, schema)),
    ]


def _said_once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, those about one unknown option of one kind of block as one."""
    groups: dict[tuple[str, object], list[Finding]] = {}
    for at, finding in enumerate(findings):
        alike = finding.message if finding.code == UNKNOWN_OPTION.code else at
        groups.setdefault((finding.code, alike), []).append(finding)
    for first, *others in groups.values():
        more = f", here and {len(others):,} times more" if others else ""
        yield replace(first, message=f"{first.message}{more}")


def _describes_kinds(block: Block) -> bool:
    values = [option.value for option in block.options.values()]
    return len(values) > 2 and sum(value in KINDS_IN_SCHEMAS for value in values) > len(values) / 2


def _jobs(path: Path, blocks: Sequence[Block]) -> Iterator[Finding]:
    heads = [block for block in blocks if block.kind in {"Job", "MultiFit"}]
    if not heads:
        yield NO_JOB.finding(
            "there is no `Job` block",
            suggestion="name the config that includes this file",
            place=Place(path),
        )
    for block in heads[1:]:
        yield NO_JOB.finding(f"`{block.kind}: {block.name}` is a second job", place=block.place)


def _repeated(blocks: Sequence[Block]) -> Iterator[Finding]:
    first: dict[tuple[str, str], Block] = {}
    for block in blocks:
        other = first.setdefault((block.kind, block.name), block)
        if other is not block and block.kind not in {"Job", "MultiFit"}:
            yield NO_JOB.finding(
                f"`{block.kind}: {block.name}` stands twice, first in {other.place}",
                suggestion="rename or delete one of them",
                place=block.place,
            )


def _block(block: Block, schema: Schema) -> Iterator[Finding]:
    if block.kind not in schema:
        yield UNKNOWN_OPTION.finding(
            f"a config with `MultiFit` has no block `{block.kind}`", place=block.place
        )
        return
    if BRACES.search(block.name):
        yield _unfilled(block.name, block.name.place)
    if block.kind in NAMED and ("/" in block.name or not block.name.strip()):
        yield BAD_NAME.finding(
            f"`{block.kind}: {block.name}` is no name for files and histograms",
            suggestion="give it a name without `/`",
            place=block.name.place or block.place,
        )
    for option in block.options.values() if block.kind not in NOT_READ else ():
        kind = schema[block.kind].get(option.name)
        if kind is None:
            yield _unknown(block, option, schema)
        elif not kind.label and BRACES.search(option.raw):
            yield _unfilled(option.raw, option.raw.place)
        elif not kind.free and not kind.takes(option.items) and not WORD.search(option.raw):
            yield _bad(option, kind)


def _unknown(block: Block, option: Option, schema: Schema) -> Finding:
    owners = [kind for kind, options in schema.items() if option.name in options]
    hint = f"it is an option of {', '.join(owners)}"
    if not owners:
        hint = did_you_mean(option.name, schema[block.kind], what=f"options of {block.kind}")
    return UNKNOWN_OPTION.finding(
        f"`{option.name}` is no option of {block.kind}", suggestion=hint, place=option.place
    )


def _bad(option: Option, kind: Kind) -> Finding:
    hint = f"give {kind.words}"
    if kind.choices:
        hint = did_you_mean(option.value, kind.choices, what="values")
    return BAD_OPTION.finding(
        f"`{option.name}: {option.value}` is not {kind.words}",
        suggestion=hint,
        place=option.raw.place or option.place,
    )


def _unfilled(text: str, place: Place | None) -> Finding:
    braces = sorted({match[0] for match in BRACES.finditer(text)})
    return UNFILLED.finding(
        f"{', '.join(f'`{item}`' for item in braces)} is not filled",
        suggestion="run the script that fills the template, and give the result",
        place=place,
    )
