"""What is suspicious about a config beyond its catalog: definitions that nothing uses, comments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from quarkline.catalog.catalog import Catalog
from quarkline.catalog.checks import Note, SchemaOf, check_catalog, file_schema, notes_in
from quarkline.catalog.checks.texts import expression_findings, tree_of
from quarkline.engine.core.findings import Finding, InputError, Place, Severity, WorkError
from quarkline.events.expressions import nodes
from quarkline.trexfitter.blocks import Option, TrexConfig, errors_among
from quarkline.trexfitter.lines import COMMENT_SIGNS
from quarkline.trexfitter.replacements import PREFIX, WORD, Replacements
from quarkline.trexfitter.translate import translate
from quarkline.trexfitter.validate import SCHEMA

READ_ME = "README*"


def check_config(config: TrexConfig, *, schema_of: SchemaOf | None = file_schema) -> list[Finding]:
    """Everything that can be said about a config without reading events.

    Args:
        config: The config as read.
        schema_of: Reads the columns of a tree in a file; None leaves files alone.
    """
    definitions = definition_findings(config)
    try:
        found = _checked(config, schema_of)
    except InputError as error:
        first = [*config.findings, *error.findings]
        found = [*first, *_rest(config, errors_among(first), schema_of)]
    return _without_repeats([*found, *definitions])


def _checked(config: TrexConfig, schema_of: SchemaOf | None) -> list[Finding]:
    """What translating a config and looking at its catalog and files shows."""
    file = translate(config)
    catalog = file.validate(Catalog)
    notes = notes_about(config)
    try:
        found = check_catalog(catalog, file.place, notes=notes, schema_of=schema_of)
    except WorkError as error:  # files of another computer that does not answer
        alone = check_catalog(catalog, file.place, notes=notes, schema_of=None)
        found = [*alone, *error.findings]
    return [*file.findings, *found]


def _rest(
    config: TrexConfig, errors: Sequence[Finding], schema_of: SchemaOf | None
) -> list[Finding]:
    """What is wrong besides the errors that stop the translation, so that one check tells all.

    The options with errors are left out; nothing is said about the blocks they belong to, since
    it may follow from them.
    """
    if any(error.code == SCHEMA.code for error in errors):
        return []
    wrong = {_line(error.place) for error in errors} - {None}
    lines: set[Line | None] = {None}
    blocks = []
    for block in config.blocks:
        kept = {
            name: option
            for name, option in block.options.items()
            if not _lines(option) & wrong and not WORD.search(option.raw)
        }
        if len(kept) < len(block.options):
            lines |= {_line(block.place), *(at for o in block.options.values() for at in _lines(o))}
        blocks.append(replace(block, options=kept))
    if lines == {None}:
        return []  # the errors are not those of options
    try:
        found = _checked(replace(config, blocks=tuple(blocks), findings=()), schema_of)
    except InputError as error:
        found = list(error.findings)
    return [finding for finding in found if _line(finding.place) not in lines]


Line = tuple[Path | None, int]


def _lines(option: Option) -> set[Line | None]:
    """Where an option and its value stand."""
    return {_line(option.place), _line(option.raw.place)} - {None}


def _line(place: Place | None) -> Line | None:
    return None if place is None or place.line is None else (place.file, place.line)


def definition_findings(config: TrexConfig) -> list[Finding]:
    """What is wrong with the placeholders that nothing uses."""
    return [*_unused(config.replacements), *_prefixes(config.replacements)]


def notes_about(config: TrexConfig) -> list[Note]:
    """Comments in a config and what it includes, and the README files about it."""
    return [*_comments(config), *_read_me(config)]


def _without_repeats(findings: list[Finding]) -> list[Finding]:
    kept: list[Finding] = []
    for finding in findings:
        if finding not in kept:
            kept.append(finding)
    return kept


def _unused(replacements: Replacements) -> Iterator[Finding]:
    """What is wrong with the expressions that no option uses."""
    known = Replacements(replacements.values)
    for name, value in replacements.values.items():
        if name in replacements.used:
            continue
        expanded = known.expand(value)
        tree = tree_of(expanded)
        if tree is None or not any(isinstance(node, nodes.Binary) for node in nodes.walk(tree)):
            continue  # a list of files or a folder
        label = f"placeholder `{name}`, which nothing uses"
        yield from expression_findings(expanded, label)
    used = {name for name in known.used if name not in replacements.used}
    for finding in known.findings:
        yield replace(finding, severity=Severity.WARNING if used else finding.severity)


def _prefixes(replacements: Replacements) -> Iterator[Finding]:
    """Names that begin with another, of placeholders that nothing uses yet."""
    names = sorted(replacements.values)
    for longer in names:
        shorter = next((name for name in names if longer != name and longer.startswith(name)), None)
        if shorter and longer not in replacements.used:
            yield PREFIX.finding(
                f"`{longer}` begins with `{shorter}`, which TRExFitter replaces first",
                suggestion=f"rename one of them, for example to `{shorter}_ONLY`",
                place=replacements.values[longer].place,
                severity=Severity.NOTE,
            )


def _comments(config: TrexConfig) -> Iterator[Note]:
    for path in config.files:
        for note in notes_in(path):
            if note.text.lstrip()[0] in COMMENT_SIGNS:
                yield note


def _read_me(config: TrexConfig) -> Iterator[Note]:
    """The lines of README files in the folder of the config and those up to its base."""
    folder = config.path.resolve().parent
    base = config.base.resolve()
    folders = [folder, *(item for item in folder.parents if item.is_relative_to(base))]
    for place in dict.fromkeys([*folders, base.parent]):
        for path in sorted(place.glob(READ_ME)):
            if path.is_file():
                yield from notes_in(Path(path))
