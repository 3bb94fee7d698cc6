"""Turn pickled tables of jets of the CalRatio trainer into Parquet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import awkward as ak

from quarkline.engine.core.findings import Finding, InputError, Place, QuarklineError, Rule
from quarkline.engine.core.results import Result
from quarkline.engine.store.atomic import make_folder
from quarkline.engine.store.filekeys import file_key
from quarkline.engine.store.locks import lock
from quarkline.events.files import expand_files
from quarkline.events.pickles import read_table_pickle
from quarkline.events.sinks.parquet import ParquetSink
from quarkline.events.sources.base import record_array
from quarkline.studies.tagging.convert.task import told_of
from quarkline.studies.tagging.tables import SCHEMA, require_jets

VERSION = 1  # bump when equal pickles give another file

NAME_TAKEN = Rule(
    "QL-TAG-016",
    "every pickled table has a Parquet file of its own",
    "A table keeps the name of its pickle with another ending. Two pickles of one name need "
    "different folders, and a file that somebody else put there is not overwritten.",
)


@dataclass(frozen=True)
class ConvertedTable:
    """One pickled table.

    Attributes:
        file: The pickle.
        table: The Parquet file; "" if there is none.
        state: `converted` now, `kept` from before, or `left out`.
        rows: Number of jets.
        columns: Number of columns.
    """

    file: str
    table: str
    state: Literal["converted", "kept", "left out"]
    rows: int
    columns: int


@dataclass(frozen=True)
class JetConversion(Result, kind="jet-conversion"):
    """All pickled tables, in the order in which they were named."""

    files: tuple[ConvertedTable, ...]


@dataclass(frozen=True)
class JetConversionOutcome:
    """What the conversion of pickled tables came to.

    Attributes:
        conversion: The tables.
        failures: Pickles that could not be converted.
    """

    conversion: JetConversion
    failures: tuple[Finding, ...]


def convert_jets(
    patterns: Sequence[str],
    output: Path,
    *,
    progress: Callable[[int, int, str], None] = lambda done, total, name: None,  # noqa: ARG005
) -> JetConversionOutcome:
    """Write pickled tables of jets as Parquet, columns as they are.

    Nothing in a pickle is imported or called. Files that are there already are kept.

    Args:
        patterns: Paths or globs.
        output: Folder for `<name>.parquet`.
        progress: Told the number of pickles done, of all, and the name of the last one.

    Raises:
        InputError: If a pattern matches nothing, or two pickles would have one table.
    """
    paths = expand_files(patterns, base=Path())
    targets = {path: output / f"{path.stem}.parquet" for path in paths}
    _refuse_one_name(targets)
    make_folder(output)
    files, failures = [], []
    for done, (path, target) in enumerate(targets.items(), start=1):
        try:
            with lock(target.with_name(f"{target.name}.lock"), wait=True):
                files.append(_converted(path, target))
        except QuarklineError as error:
            failures += [item if item.place else item.at(Place(path)) for item in error.findings]
            files.append(ConvertedTable(str(path), "", "left out", 0, 0))
        progress(done, len(paths), path.name)
    return JetConversionOutcome(JetConversion(tuple(files)), tuple(failures))


def _refuse_one_name(targets: dict[Path, Path]) -> None:
    first: dict[Path, Path] = {}
    for path, target in targets.items():
        if first.setdefault(target, path) is not path:
            raise InputError(
                NAME_TAKEN.finding(
                    f"its table would be that of {first[target]}",
                    place=Place(path),
                    suggestion="convert them into different folders",
                )
            )


def _converted(path: Path, target: Path) -> ConvertedTable:
    origin = {"kind": "pickle", "version": VERSION, "pickle": file_key(path).digest}
    told = told_of(target)
    if told and told.get("origin") == origin:
        return ConvertedTable(str(path), str(target), "kept", told["rows"], told["columns"])
    if target.exists():
        raise InputError(
            NAME_TAKEN.finding(
                f"{target} is there already, and not from this pickle",
                place=Place(path),
                suggestion="move it away, or name another folder",
            )
        )
    columns = read_table_pickle(path)
    require_jets(columns, path)
    rows = len(next(iter(columns.values())))
    with ParquetSink(target, {"schema": SCHEMA, "origin": origin, "columns": len(columns)}) as sink:
        arrays = {name: ak.from_numpy(column) for name, column in columns.items()}
        sink.write(record_array(arrays, rows))
    return ConvertedTable(str(path), str(target), "converted", rows, len(columns))
