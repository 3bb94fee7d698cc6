"""What can be said about a search before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from quarkline.catalog import Catalog
from quarkline.catalog.checks import check_catalog, file_schema
from quarkline.catalog.files import is_there
from quarkline.engine.core.findings import (
    Finding,
    InputError,
    Place,
    QuarklineError,
    Rule,
    Severity,
    did_you_mean,
)
from quarkline.events.expressions import compile_expression
from quarkline.events.schema import Column, Schema
from quarkline.learning.features.reader import FeatureReader
from quarkline.studies.search.classes import class_findings, classes_of
from quarkline.studies.search.config import SearchConfig
from quarkline.studies.search.fits.checks import fit_findings
from quarkline.studies.search.places import place_of
from quarkline.studies.search.presets import read_preset
from quarkline.studies.search.readings import Reading, readings_of
from quarkline.studies.search.skim import BAD_FILES, short
from quarkline.studies.search.stages import score_columns
from quarkline.studies.search.tables import table_name

BAD_REGION = Rule(
    "QL-SEARCH-003",
    "`train.region` names a region",
    "The events of one region are trained on and evaluated. Its selection and weights are those "
    "of the catalog.",
)
EMPTY_CLASS = Rule(
    "QL-SEARCH-004",
    "a class has files",
    "None of the samples of a class has a file that is there, so there is nothing to learn about "
    "it. `inputs.allow_missing` is about files of samples that have others.",
)
NO_KEY = Rule(
    "QL-SEARCH-005",
    "files hold the columns that identify events and groups",
    "`inputs.identity` names the columns that tell events apart, in data and simulation; "
    "`inputs.group` those of what folds must not separate, in simulation. They hold whole numbers, "
    "one an event.",
)
TAKEN_NAME = Rule(
    "QL-SEARCH-006",
    "names of samples and scores are their own",
    "A friend's column of the name of a column of its host would never be read, and two samples "
    "whose names differ in special characters only would share a file.",
)


def check(config: SearchConfig) -> list[Finding]:
    """Findings on classes, names, files, expressions and features."""
    if found := check_names(config):
        return found
    schemas = Schemas(config)
    return [
        *(read_preset(config.train.preset).notes if config.train.preset else ()),
        *config.train.features.warnings(),
        *schemas.findings(),
        *check_catalog(
            _unscored(config),
            partial(place_of, config),
            schema_of=schemas.scored,
            allow_missing=config.inputs.allow_missing,
        ),
        *(_empty_classes(config) if schemas.known else ()),
        *_Files(config, schemas).findings(),
        *fit_findings(config, score_columns(config).values()),
    ]


def check_names(config: SearchConfig) -> list[Finding]:
    """Errors in the names of region, classes and samples, without which nothing can be read."""
    if found := list(_region(config)):
        return found
    train = config.train
    return [
        *class_findings(config, str(train.region), train.classes, train.signal),
        *_names(config),
    ]


def _region(config: SearchConfig) -> Iterator[Finding]:
    region = config.train.region
    if region not in config.regions:
        hint = did_you_mean(region, config.regions, what="regions")
        yield BAD_REGION.finding(
            f"there is no region `{region}`", suggestion=hint, place=region.place
        )


def _names(config: SearchConfig) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for name in config.samples:
        other = first.setdefault(table_name(name).lower(), name)
        if other != name:
            yield TAKEN_NAME.finding(
                f"samples `{other}` and `{name}` would share the file `{table_name(name)}`",
                suggestion="give one of them a name of other letters or digits",
                place=place_of(config, "samples", name),
            )


def _unscored(config: SearchConfig) -> Catalog:
    """The catalog without friends: this study makes them."""
    samples = {
        name: sample.model_copy(update={"use_friends": False})
        for name, sample in config.samples.items()
    }
    names = Catalog.model_fields
    return Catalog.model_construct(
        **{name: getattr(config, name) for name in names} | {"samples": samples}
    )


class Schemas:
    """The columns of all files, each opened once.

    Attributes:
        known: Columns of each tree of a file that can be read.
        bad: Why others cannot.
    """

    def __init__(self, config: SearchConfig) -> None:
        self.config = config
        self.known: dict[tuple[Path, str], Schema] = {}
        self.bad: dict[Path, Finding] = {}
        for reading, paths in readings_of(config).pairs:
            for path, tree in zip(paths, reading.trees, strict=True):
                self._read(path, tree)

    def _read(self, path: Path, tree: str) -> None:
        if (path, tree) in self.known or path in self.bad:
            return
        try:
            self.known[path, tree] = file_schema(path, tree)
        except QuarklineError as error:
            self.bad[path] = error.findings[0]

    def findings(self) -> list[Finding]:
        """The files that cannot be read: errors if there are more than may be left out."""
        if len(self.bad) > self.config.inputs.allow_bad_files:
            return list(self.bad.values())
        return [
            BAD_FILES.finding(
                f"left out: {item.message}", place=item.place, severity=Severity.WARNING
            )
            for item in self.bad.values()
        ]

    def scored(self, path: Path, tree: str) -> Schema:
        """The columns of a file and of the friend that it will have.

        A file that cannot be read has those of another one, so that it is said once.
        """
        if path not in self.bad and (path, tree) not in self.known:
            self.known[path, tree] = file_schema(path, tree)
        schema = self.known.get((path, tree)) or next(iter(self.known.values()), None)
        schema = schema or file_schema(path, tree)
        scores = {name: Column(name, "float32") for name in score_columns(self.config).values()}
        return replace(schema, columns={**scores, **schema.columns})


def _empty_classes(config: SearchConfig) -> Iterator[Finding]:
    region = str(config.train.region)
    classes = classes_of(config, region, config.train.classes)
    empty = [name for name, samples in classes.items() if not _has_file(config, samples)]
    if not empty:
        return
    samples = [f"`{sample}`" for name in empty for sample in classes[name]]
    rest = ", ".join(name for name in classes if name not in empty)
    yield EMPTY_CLASS.finding(
        f"{len(empty)} of {len(classes)} classes have no file: {', '.join(empty)}"
        if len(empty) > 1
        else f"class `{empty[0]}`: none of the files of {', '.join(samples)} is there",
        suggestion=f"write `train: {{classes: [{rest}]}}`, or merge classes",
        place=place_of(config, "train", "classes", empty[0]),
        evidence={"classes": empty},
    )


def _has_file(config: SearchConfig, samples: Sequence[str]) -> bool:
    files = [file for name in samples for file in config.files_of(name, str(config.train.region))]
    return any(is_there(file.path) for file in files)


class _Files:
    """Fits features, keys and cuts to every file, saying each problem once."""

    def __init__(self, config: SearchConfig, schemas: Schemas) -> None:
        self.config, self.schemas = config, schemas
        self.spec = config.train.features.spec()
        self.problems: dict[tuple[str, str], tuple[Finding, dict[Path, None]]] = {}

    def findings(self) -> Iterator[Finding]:
        """What is wrong, each problem with the files that have it."""
        fitted = cache(self._fitted)
        for reading, paths in readings_of(self.config).pairs:
            for path, tree in zip(paths, reading.trees, strict=True):
                schema = self.schemas.known.get((path, tree))
                if schema is None:
                    continue
                plain = reading.model_copy(update={"sample": "", "trees": [], "scales": []})
                key = frozenset(schema.columns.values())
                for finding in fitted(plain.model_dump_json(), key):
                    known = (finding.code, finding.message)
                    self.problems.setdefault(known, (finding, {}))[1][path] = None
        for finding, files in self.problems.values():
            more = f" and {len(files) - 1} more" if len(files) > 1 else ""
            where = f"{short(next(iter(files)))}{more}"
            yield replace(finding, message=f"{finding.message} (in {where})")

    def _fitted(self, reading: str, columns: frozenset[Column]) -> tuple[Finding, ...]:
        asked = Reading.model_validate_json(reading)
        schema = Schema({column.name: column for column in columns}, entries=0)
        found = [*self._keys(asked, schema), *self._scores(schema)]
        known = {name: text for name, text in asked.columns.items() if name in schema}
        try:
            FeatureReader.of(self.spec, schema, replaced=known)
            if asked.beyond is not None:
                compile_expression(asked.beyond, schema, label="selection of `train.beyond`")
        except InputError as error:
            found += error.findings
        return tuple(found)

    def _keys(self, reading: Reading, schema: Schema) -> Iterator[Finding]:
        inputs = self.config.inputs
        group = inputs.group if reading.simulated else []
        for key, names in (("identity", inputs.identity), ("group", group)):
            for name in names:
                column = schema.columns.get(name)
                if column is None:
                    what = f"`inputs.{key}` names `{name}`, and there is no such column"
                    hint = did_you_mean(name, schema.columns, what="columns")
                elif "int" not in column.dtype or column.depth or column.shape:
                    what = f"`inputs.{key}` names `{name}`, which holds {column.dtype}"
                    hint = "name columns of whole numbers, one an event"
                else:
                    continue
                yield NO_KEY.finding(what, suggestion=hint, place=name.place)

    def _scores(self, schema: Schema) -> Iterator[Finding]:
        for name in score_columns(self.config).values():
            if self.config.friends.write and name in schema:
                yield TAKEN_NAME.finding(
                    f"the files have a column `{name}` already",
                    suggestion="choose another `score.column`",
                    place=Place(label="score.column"),
                )
