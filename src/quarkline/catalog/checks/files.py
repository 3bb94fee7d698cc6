"""Checks of the files: those that are absent, empty, or lack branches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from quarkline.catalog.catalog import Catalog
from quarkline.catalog.checks.names import PlaceOf
from quarkline.catalog.checks.texts import written_at
from quarkline.catalog.files import InputFile, is_there
from quarkline.catalog.written import Written
from quarkline.engine.core.findings import Finding, InputError, Place, Rule, Severity
from quarkline.events.expressions import compile_expression
from quarkline.events.files import missing_file
from quarkline.events.schema import Column, Schema
from quarkline.events.sources import open_source

ABSENT = Rule(
    "QL-CATALOG-030",
    "the files of a sample are there",
    "Files that the analysis names and that are not there change its yields. How many may be "
    "absent is for the study to say.",
    Severity.WARNING,
)
EMPTY = Rule(
    "QL-CATALOG-031",
    "a sample has events",
    "None of the files of a sample is there, or their trees hold no events. It would count as a "
    "process that does not exist.",
)
NO_FRIENDS = Rule(
    "QL-CATALOG-033",
    "a file has its friends",
    "A sample reads friends, and files of it have none below the folder of friends. Score the "
    "files first, or name the folder the friends are in.",
)
NO_FOLDER = Rule(
    "QL-CATALOG-032",
    "the folders of an analysis are there",
    "None of the files is below the folders named. Replace the folder, for example in the "
    "replacement file, under `files` of a config that extends this one, or with `roots`.",
)
SHOWN = 3

SchemaOf = Callable[[Path, str], Schema]
_Key = tuple[str, str, Place]


def file_schema(path: Path, tree: str) -> Schema:
    """The columns of a tree in a file.

    Raises:
        InputError: If it cannot be read.
    """
    with open_source(path, tree=tree) as source:
        return source.schema


def file_findings(
    catalog: Catalog, place: PlaceOf, schema_of: SchemaOf = file_schema
) -> list[Finding]:
    """What is wrong with the files of each sample, and with the expressions in them.

    Args:
        catalog: The analysis.
        place: Where keys stand.
        schema_of: Reads the columns of a tree in a file; files are not opened otherwise.
    """
    files = {name: _all_files(catalog, name) for name in catalog.samples}
    named = [file.path for listed in files.values() for file in listed]
    if named and not any(is_there(path) for path in named):
        return [_no_folder(catalog, place, named)]
    found = [item for name, listed in files.items() for item in _absent(name, listed, place)]
    if catalog.reads == "histograms":
        return found
    return [*found, *_Branches(catalog, schema_of).findings(place)]


def _all_files(catalog: Catalog, sample: str) -> list[InputFile]:
    """The files of a sample in any region it is in, each once."""
    regions: list[str | None] = [name for name in catalog.regions if catalog.holds(sample, name)]
    listed = [file for region in regions or [None] for file in catalog.files_of(sample, region)]
    return list(dict.fromkeys(listed))


def _no_folder(catalog: Catalog, place: PlaceOf, named: list[Path]) -> Finding:
    folders = ", ".join(f"`{folder}`" for folder in catalog.files.folders)
    return NO_FOLDER.finding(
        f"none of {len(named)} files is below {folders or 'the folders of the samples'}",
        suggestion=missing_file(named[0]).suggestion,
        place=place("files", "folders"),
    )


def _absent(sample: str, files: list[InputFile], place: PlaceOf) -> Iterator[Finding]:
    paths = list(dict.fromkeys(file.path for file in files))
    absent = [path for path in paths if not is_there(path)]
    if not absent and paths:
        return
    at = place("samples", sample, "files", "names")
    shown = ", ".join(_short(path) for path in absent[:SHOWN])
    rule, words = ABSENT, f"{len(absent)} of {len(paths)} files are not there"
    if len(absent) == len(paths):
        rule, words = EMPTY, f"none of {len(paths)} files is there"
    more = ", ..." if len(absent) > SHOWN else ""
    yield rule.finding(
        f"sample `{sample}`: {words}" + (f": {shown}{more}" if shown else ""),
        suggestion="name files that are there, or leave the sample out",
        place=at,
        evidence={"absent": [str(path) for path in absent]},
    )


def _is_alone(file: InputFile) -> bool:
    """Whether a file should have friends and has none."""
    return bool(file.friends) and not any(is_there(friend) for friend in file.friends)


def _no_friends(catalog: Catalog, place: PlaceOf, paths: list[Path]) -> Finding:
    folders = ", ".join(f"`{folder}`" for folder in catalog.files.friends)
    return NO_FRIENDS.finding(
        f"{len(paths)} files have no friend below {folders}, the first is {_short(paths[0])}",
        suggestion="their expressions cannot be checked until the friends are there",
        place=place("files", "friends"),
    )


def _short(path: Path) -> str:
    return "/".join(path.parts[-3:])


@dataclass
class _Branches:
    """Fits the expressions of every sample in every region to its files."""

    catalog: Catalog
    schema_of: SchemaOf
    schemas: dict[tuple[Path, str], Schema | None] = field(default_factory=dict)
    problems: dict[_Key, Finding] = field(default_factory=dict)
    where: dict[_Key, dict[Path, None]] = field(default_factory=dict)
    fitted: dict[tuple[frozenset[Column], str], tuple[Finding, ...]] = field(default_factory=dict)

    def findings(self, place: PlaceOf) -> list[Finding]:
        """What is wrong, each problem once with the number of files that have it."""
        empty = []
        alone: list[Path] = []
        for sample in self.catalog.samples:
            files = [file for file in _all_files(self.catalog, sample) if is_there(file.path)]
            alone += [file.path for file in files if _is_alone(file)]
            entries = [schema.entries for file in files if (schema := self._schema(file))]
            if entries and not any(entries):
                what = f"sample `{sample}`: the trees of its {len(files)} files hold no events"
                empty.append(EMPTY.finding(what, place=place("samples", sample, "files")))
            for region in self.catalog.regions:
                if self.catalog.holds(sample, region):
                    self._fit(sample, region)
        found = [*empty, *(self._counted(key) for key in self.problems)]
        if alone:
            found.insert(0, _no_friends(self.catalog, place, list(dict.fromkeys(alone))))
        return found

    def _fit(self, sample: str, region: str) -> None:
        texts = {
            f"weight of sample `{sample}`": self.catalog.weight_of(sample, region),
            f"selection of region `{region}`": self.catalog.selection_of(sample, region),
            f"variable of region `{region}`": self.catalog.variable_of(sample, region),
        }
        for file in self.catalog.files_of(sample, region):
            readable = is_there(file.path) and not _is_alone(file)
            schema = self._schema(file) if readable else None
            for label, text in texts.items() if schema else ():
                if text and schema:
                    self._note(file, self._errors(schema, text, label))

    def _errors(self, schema: Schema, text: Written, label: str) -> tuple[Finding, ...]:
        key = (frozenset(schema.columns.values()), str(text))
        if key not in self.fitted:
            try:
                compile_expression(text, schema, numbered=True)
                self.fitted[key] = ()
            except InputError as error:
                found = error.findings
                self.fitted[key] = tuple(written_at(item, text, label) for item in found)
        return self.fitted[key]

    def _note(self, file: InputFile, findings: tuple[Finding, ...]) -> None:
        for finding in findings:
            where = replace(finding.place or Place(), label=None)
            key = (finding.code, finding.message, where)
            self.problems.setdefault(key, finding)
            self.where.setdefault(key, {})[file.path] = None

    def _counted(self, key: _Key) -> Finding:
        finding, paths = self.problems[key], list(self.where[key])
        files = f"in {_short(paths[0])}" + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
        return replace(finding, message=f"{finding.message} ({files})")

    def _schema(self, file: InputFile) -> Schema | None:
        """The columns of a file and of its friends that are there; None if it cannot be read."""
        key = (file.path, file.tree)
        if key not in self.schemas:
            self.schemas[key] = self._read(file)
        return self.schemas[key]

    def _read(self, file: InputFile) -> Schema | None:
        try:
            schema = self.schema_of(file.path, file.tree)
            columns: Mapping[str, Column] = dict(schema.columns)
            for friend in file.friends:
                if is_there(friend):
                    columns = {**self.schema_of(friend, file.tree).columns, **columns}
        except InputError as error:
            self._note(file, error.findings)
            return None
        return replace(schema, columns=columns)
