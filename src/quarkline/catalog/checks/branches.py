"""Checks of expressions against the columns of the files that they are evaluated in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from quarkline.catalog.catalog import Catalog
from quarkline.catalog.checks.names import PlaceOf
from quarkline.catalog.checks.texts import varied_texts, written_at
from quarkline.catalog.files import InputFile, is_there
from quarkline.catalog.systematics import Variation, Varied
from quarkline.catalog.written import Written
from quarkline.engine.core.findings import Finding, InputError, Place, Rule, did_you_mean
from quarkline.events.expressions import compile_expression
from quarkline.events.friends.proof import OTHER_HOST
from quarkline.events.schema import Column, Schema
from quarkline.events.sources import open_source

NO_FRIENDS = Rule(
    "QL-CATALOG-033",
    "a file has its friends",
    "A sample reads friends, and files of it have none below the folder of friends. Score the "
    "files first, or name the folder the friends are in.",
)
NO_SUCH_COLUMN = Rule(
    "QL-CATALOG-071",
    "a shifted column is one that the files hold",
    "`columns` of a systematic gives columns other values. A name that no file has shifts nothing, "
    "and the systematic would show no effect.",
)
NO_EVENTS = Rule(
    "QL-CATALOG-031",
    "a sample has events",
    "None of the files of a sample is there, or their trees hold no events. It would count as a "
    "process that does not exist.",
)

SchemaOf = Callable[[Path, str], Schema]
_Key = tuple[str, str, Place]


def file_schema(path: Path, tree: str) -> Schema:
    """The columns of a tree in a file.

    Raises:
        InputError: If it cannot be read.
    """
    with open_source(path, tree=tree) as source:
        return source.schema


def short(path: Path) -> str:
    """The end of a path, by which it is known."""
    return "/".join(path.parts[-3:])


@dataclass
class Branches:
    """Fits the expressions of every sample in every region, and of its variations, to its files.

    Attributes:
        catalog: The analysis.
        files: The files of each sample, each once.
        schema_of: Reads the columns of a tree in a file.
    """

    catalog: Catalog
    files: Mapping[str, list[InputFile]]
    schema_of: SchemaOf
    schemas: dict[InputFile, Schema | None] = field(default_factory=dict)
    problems: dict[_Key, Finding] = field(default_factory=dict)
    where: dict[_Key, dict[Path, None]] = field(default_factory=dict)
    fitted: dict[tuple[frozenset[Column], str], tuple[Finding, ...]] = field(default_factory=dict)

    def findings(self, place: PlaceOf) -> list[Finding]:
        """What is wrong, each problem once with the number of files that have it."""
        empty = []
        alone: list[Path] = []
        for sample in self.catalog.samples:
            files = [file for file in self.files[sample] if is_there(file.path)]
            alone += [file.path for file in files if _is_alone(file)]
            entries = [schema.entries for file in files if (schema := self._schema(file))]
            if entries and not any(entries):
                several = f"the trees of its {len(files)} files hold no events"
                what = several if len(files) > 1 else "its file holds no events"
                at = place("samples", sample, "files")
                empty.append(NO_EVENTS.finding(f"sample `{sample}`: {what}", place=at))
            for region in self.catalog.regions:
                if self.catalog.holds(sample, region):
                    self._fit(sample, region, place)
        found = [*empty, *(self._counted(key) for key in self.problems)]
        if alone:
            found.insert(0, _no_friends(self.catalog, place, list(dict.fromkeys(alone))))
        return found

    def _fit(self, sample: str, region: str, place: PlaceOf) -> None:
        texts = {
            f"weight of sample `{sample}`": self.catalog.weight_of(sample, region),
            f"selection of region `{region}`": self.catalog.selection_of(sample, region),
            f"variable of region `{region}`": self.catalog.variable_of(sample, region),
        }
        given = {label: text for label, text in texts.items() if text}
        for file, schema in self._readable(self.catalog.files_of(sample, region)):
            self._note_all(file, schema, given)
        for name, systematic in self.catalog.systematics_of(sample, region).items():
            sides = systematic.sides if isinstance(systematic, Varied) else {}
            for side, variation in sides.items():
                files = self.catalog.files_of(sample, region, variation)
                for file, schema in self._readable(files):
                    self._note_all(file, schema, dict(varied_texts(name, side, variation)))
                    at = ("systematics", name, side, "columns")
                    self._note(file, tuple(_not_there(schema, variation, place, at)))

    def _readable(self, files: list[InputFile]) -> Iterator[tuple[InputFile, Schema]]:
        """The files that are there with the friends they need, and their columns."""
        for file in files:
            if is_there(file.path) and not _is_alone(file) and (schema := self._schema(file)):
                yield file, schema

    def _note_all(self, file: InputFile, schema: Schema, texts: Mapping[str, Written]) -> None:
        for label, text in texts.items():
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
        files = f"in {short(paths[0])}" + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
        return replace(finding, message=f"{finding.message} ({files})")

    def _schema(self, file: InputFile) -> Schema | None:
        """The columns of a file and of its friends that are there; None if it cannot be read."""
        if file not in self.schemas:
            self.schemas[file] = self._read(file)
        return self.schemas[file]

    def _read(self, file: InputFile) -> Schema | None:
        try:
            schema = self.schema_of(file.path, file.tree)
            columns: Mapping[str, Column] = dict(schema.columns)
            for friend in file.friends:
                if is_there(friend):
                    other = self.schema_of(friend, file.tree)
                    self._note(file, tuple(_other_length(friend, other, schema)))
                    columns = {**other.columns, **columns}
        except InputError as error:
            self._note(file, error.findings)
            return None
        return replace(schema, columns=columns)


def _is_alone(file: InputFile) -> bool:
    """Whether a file should have friends and has none."""
    return bool(file.friends) and not any(is_there(friend) for friend in file.friends)


def _no_friends(catalog: Catalog, place: PlaceOf, paths: list[Path]) -> Finding:
    folders = ", ".join(f"`{folder}`" for folder in catalog.files.friends)
    return NO_FRIENDS.finding(
        f"{len(paths)} files have no friend below {folders}, the first is {short(paths[0])}",
        suggestion="their expressions cannot be checked until the friends are there",
        place=place("files", "friends"),
        evidence={"files": [str(path) for path in paths]},
    )


def _other_length(friend: Path, schema: Schema, host: Schema) -> Iterator[Finding]:
    if schema.entries != host.entries:
        yield OTHER_HOST.finding(
            f"the friend {short(friend)} has {schema.entries:,} entries and its file "
            f"{host.entries:,}",
            suggestion="it was made from other events, such as a skim: score the files again",
            place=Place(friend),
        )


def _not_there(
    schema: Schema, variation: Variation, place: PlaceOf, at: tuple[str, ...]
) -> Iterator[Finding]:
    for name in variation.columns:
        if name not in schema:
            yield NO_SUCH_COLUMN.finding(
                f"there is no column `{name}` to shift",
                suggestion=did_you_mean(name, schema.columns, what="columns"),
                place=place(*at, name),
            )
