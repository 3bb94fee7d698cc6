"""Reads a config file with all it includes into blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os.path import normpath
from pathlib import Path

from quarkline.catalog.files import is_there
from quarkline.catalog.written import Written
from quarkline.engine.core.addresses import address_of
from quarkline.engine.core.findings import Finding, InputError, Rule, Severity, did_you_mean
from quarkline.trexfitter.blocks import Block, Option, TrexConfig
from quarkline.trexfitter.lines import BAD_LINE, Line, read_text, split, split_lines
from quarkline.trexfitter.repeats import told_apart
from quarkline.trexfitter.replacements import (
    Replacements,
    overridden,
    read_replacements,
    twice,
)
from quarkline.trexfitter.schema import BLOCKS, JOB_BLOCKS, MULTI_FIT_BLOCKS
from quarkline.trexfitter.validate import validate

INCLUDE_CIRCLE = Rule(
    "QL-TREX-005",
    "no file includes itself",
    "A file may include others, as long as none of them leads back to it. A config may come to "
    "1,000 files, counting those included twice, and 100 within each other.",
)
STRAY_OPTION = Rule(
    "QL-TREX-006",
    "an option belongs to a block",
    "A block begins with its kind and name, such as `Sample: ttbar`, and ends at a blank line or "
    "at the next line that is not indented.",
)
SPREAD = Rule(
    "QL-TREX-007",
    "values separated by `;` are as many as the names of their block",
    "`Region: A; B` makes two blocks, and `Label: x; y` gives one value to each. With fewer values "
    "the last one is repeated; more of them do nothing.",
    Severity.WARNING,
)

INPUTS = {f"{kind}Path{plural}" for kind in ("Ntuple", "Histo") for plural in ("", "s")}
MOST_FILES = 1000
MOST_NAMES = 1000
DEEPEST = 100


def read_trexfitter(
    path: Path, *, base: Path | None = None, replace: Mapping[str, str] | None = None
) -> TrexConfig:
    """Read a config; what is wrong with it is among its findings.

    Args:
        path: The config file.
        base: Folder that TRExFitter would be run in; by default the nearest folder at or above the
            config in which its replacement file is found, else the current folder or the nearest
            in which a folder of its inputs is found, else the folder of the config.
        replace: Values of placeholders that win over those of the replacement file.

    Raises:
        InputError: If the file itself cannot be read.
    """
    text = read_text(path)
    reader = _Reader(base or _base_of(path, text))
    reader.read_placeholders(path, text, replace or {})
    reader.include(path, text, ())
    blocks = tuple(block for group in reader.groups for block in group.finished(reader))
    told = told_apart(blocks)
    of_blocks = [*told.findings, *validate(path, told.blocks)]
    findings = [*reader.findings, *reader.placeholders.findings, *of_blocks]
    return TrexConfig(
        path,
        text,
        reader.base,
        told.blocks,
        tuple(reader.files),
        reader.placeholders,
        tuple(findings),
        told.names,
    )


def _base_of(path: Path, text: str) -> Path:
    """The folder that a config seems to be run in.

    That is the nearest one at or above the config in which its replacement file is found, else the
    current one or the nearest in which a folder of its inputs is found.
    """
    here = path.resolve().parent
    above, current = (here, *here.parents), Path.cwd()
    named = [line for line in split_lines(path, text, []) if line.text]
    for line in named:
        if line.key == "ReplacementFile":
            name = line.value.trimmed()
            found = (folder for folder in (*above, current) if is_there(folder / name))
            return next(found, here)
    inputs = [item for line in named if line.key in INPUTS for item in _relative(line.value)]
    found = (folder for folder in (current, *above) if any(_is_folder(folder, x) for x in inputs))
    return next(found, here)


def _relative(value: Written) -> list[str]:
    """The relative paths in a list of folders, without those that hold placeholders."""
    items = (item.trimmed() for item in split(value, ","))
    return [item for item in items if item and item[0] not in "/~" and "XXX" not in item]


def _is_folder(folder: Path, name: str) -> bool:
    try:
        return not address_of(name) and (folder / name).is_dir()
    except OSError:  # a name that no folder can have
        return False


@dataclass
class _Group:
    """Blocks that begin in one line, as they are read."""

    header: Line
    kind: str
    options: list[Line] = field(default_factory=list)

    @property
    def indented(self) -> bool:
        """Whether its options are indented."""
        return any(line.indented for line in self.options)

    def finished(self, reader: _Reader) -> list[Block]:
        """The blocks, with the values of each."""
        names = split(reader.placeholders.expand(self.header.value), ";")
        if len(names) > MOST_NAMES:
            what = f"`{self.kind}` has more than {MOST_NAMES:,} names"
            place = self.header.place
            reader.findings.append(SPREAD.finding(what, place=place, severity=Severity.ERROR))
            names = names[:1]
        options: list[dict[str, Option]] = [{} for _ in names]
        for line in self.options:
            for index, option in enumerate(reader.options_in(line, len(names))):
                options[index][option.name] = option
        return [
            Block(self.kind, name.trimmed(), options[index], self.header.place)
            for index, name in enumerate(names)
        ]


@dataclass
class _Reader:
    """Goes through a file and those it includes, line by line."""

    base: Path
    groups: list[_Group] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    placeholders: Replacements = field(default_factory=Replacements)

    def read_placeholders(self, path: Path, text: str, replace: Mapping[str, str]) -> None:
        """Read the replacement file that a config names."""
        found = None
        for line in split_lines(path, text, []):
            if line.text and line.key == "ReplacementFile":
                name = line.value.trimmed()
                try:
                    found = read_replacements(self.base / name, name.place)
                except InputError as error:
                    self.findings += error.findings
                    found = Replacements(unread=True)
        self.placeholders = overridden(found or Replacements(), replace)

    def include(self, path: Path, text: str, within: tuple[Path, ...]) -> None:
        """Read the lines of a file; a block does not go on beyond its end."""
        self.files.append(path)
        group: _Group | None = None
        closed = True
        for line in split_lines(path, text, self.findings):
            if not line.text:
                closed = True
            elif ":" not in line.text or not line.key or not line.value:
                self.findings.append(_no_value(line))
                group, closed = (_Group(line, line.key) if closed else group), False
            elif line.key == "INCLUDE":
                self._included(path, line, (*within, path.resolve()))
                group, closed = None, True
            elif group is None or _begins(line, group, closed=closed):
                group, closed = self._opened(line), False
            else:
                self._add(group, line)

    def _opened(self, line: Line) -> _Group:
        """The group that a line begins; one of no known kind is left out, after a finding."""
        group = _Group(line, line.key)
        if line.key in BLOCKS:
            self.groups.append(group)
        else:
            last = self.groups[-1].kind if self.groups else None
            self.findings.append(_stray(line, last))
        return group

    def _add(self, group: _Group, line: Line) -> None:
        for other in group.options:
            if other.key == line.key:
                self.findings.append(twice(f"option `{line.key}`", line.key, other.place))
        group.options.append(line)

    def options_in(self, line: Line, blocks: int) -> list[Option]:
        """The options that a line gives to each of the blocks it belongs to."""
        value = self.placeholders.expand(line.value)
        values = split(value, ";")
        while len(values) > 1 and not values[-1]:
            values.pop()
        if len(values) not in {1, blocks}:
            self.findings.append(
                SPREAD.finding(
                    f"`{line.key}` has {len(values)} values for {blocks} "
                    f"block{'s' if blocks > 1 else ''}",
                    place=line.place,
                )
            )
        repeated = [*values, *[values[-1]] * blocks]
        return [Option(str(line.key), repeated[index], line.place) for index in range(blocks)]

    def _included(self, path: Path, line: Line, within: tuple[Path, ...]) -> None:
        name = self.placeholders.expand(line.value).trimmed()
        target = _without_dots(path.parent / name)
        if len(self.files) >= MOST_FILES or len(within) >= DEEPEST:
            what = f"more than {MOST_FILES:,} files, or {DEEPEST} within each other"
            self.findings.append(INCLUDE_CIRCLE.finding(what, place=name.place))
            return
        if target.resolve() in within:
            chain = " -> ".join(item.name for item in (*within, target))
            self.findings.append(
                INCLUDE_CIRCLE.finding(f"files include each other: {chain}", place=name.place)
            )
            return
        try:
            text = read_text(target, name.place)
        except InputError as error:
            self.findings += error.findings
            return
        self.include(target, text, within)


def _without_dots(path: Path) -> Path:
    """A path without `..`, unless a link on the way makes it another file."""
    short = Path(normpath(path))
    return short if short.resolve() == path.resolve() else path


def _begins(line: Line, group: _Group, *, closed: bool) -> bool:
    """Whether a line begins a block: TRExFitter's blank line counts, and so does indentation."""
    if closed:
        return True
    if line.indented:
        return False
    if group.indented:
        return True
    known = {**JOB_BLOCKS.get(group.kind, {}), **MULTI_FIT_BLOCKS.get(group.kind, {})}
    return line.key in BLOCKS and line.key not in known


def _no_value(line: Line) -> Finding:
    if ":" not in line.text:
        what = f"`{line.text}` has no colon"
    else:
        what = f"`{line.key}` has no value" if line.key else "there is no name before the colon"
    return BAD_LINE.finding(what, place=line.place, suggestion='write `Name: "value"`')


def _stray(line: Line, last: str | None) -> Finding:
    owners = sorted(kind for kind, options in JOB_BLOCKS.items() if line.key in options)
    if owners:
        after = f"; a blank line before it ended the block `{last}`" if last in owners else ""
        return STRAY_OPTION.finding(
            f"`{line.key}` stands outside of a block{after}",
            suggestion=f"move it into a block it belongs to: {', '.join(owners)}",
            place=line.place,
        )
    return STRAY_OPTION.finding(
        f"`{line.key}` begins no block",
        suggestion=did_you_mean(line.key, BLOCKS, what="blocks"),
        place=line.place,
    )
