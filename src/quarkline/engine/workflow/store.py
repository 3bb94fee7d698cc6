"""The stage folders of one run name: complete ones are immutable and found by key."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from quarkline.engine.core.findings import InputError, Rule, WorkError
from quarkline.engine.core.results import Result, pretty_json, result_from_json
from quarkline.engine.store.atomic import publish_folder, remove_folder, write_atomic
from quarkline.engine.store.keys import SHORT
from quarkline.engine.store.locks import lock, remove_abandoned
from quarkline.engine.workflow.stage import Output

RECORD = "stage.json"
PROVENANCE = "provenance.json"
SCHEMA = "quarkline.stage/1"

DAMAGED = Rule(
    "QL-STORE-002",
    "a finished stage's folder is complete",
    "Somebody changed or removed files in the folder of a finished stage. Delete the folder, and "
    "the next run makes it again.",
)


@dataclass(frozen=True)
class StageRecord:
    """A finished stage.

    Attributes:
        folder: Where its files are.
        stage: Its name.
        version: Its version.
        key: Its content key.
        config: The config keys it read.
        inputs: Key of each input.
        summary: What it found, in short lines.
        described: Its outputs as they are recorded.
    """

    folder: Path
    stage: str
    version: int
    key: str
    config: Mapping[str, Any]
    inputs: Mapping[str, Any]
    summary: tuple[str, ...]
    described: Mapping[str, Mapping[str, Any]]

    @cached_property
    def outputs(self) -> Mapping[str, Output]:
        """Path of each file and value of each result, by name.

        They are read when they are asked for: a run of an older version, whose results have
        another form, can still be compared with and listed.

        Raises:
            WorkError: If files are missing or a result cannot be read.
        """
        return self._restored(self.described)

    def _restored(self, described: Mapping[str, Mapping[str, Any]]) -> dict[str, Output]:
        try:
            return {name: _restore(item, self.folder) for name, item in described.items()}
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(self.folder, str(error)) from error

    @property
    def results(self) -> dict[str, Result]:
        """The outputs that are result values."""
        return {name: out for name, out in self.outputs.items() if isinstance(out, Result)}

    @property
    def files(self) -> dict[str, Path]:
        """The outputs that are files or folders; of a study that is not known here, too."""
        paths = {name: item for name, item in self.described.items() if "result" not in item}
        return cast("dict[str, Path]", self._restored(paths))

    @property
    def provenance(self) -> dict[str, Any]:
        """How it was made, as far as that was recorded."""
        path = self.folder / PROVENANCE
        return cast("dict[str, Any]", json.loads(path.read_text())) if path.exists() else {}

    @property
    def seconds(self) -> float | None:
        """How long it took, where that was recorded."""
        return self.provenance.get("seconds")

    @property
    def items(self) -> dict[str, str]:
        """Names of the folders of the items it was made of, by `step/name`."""
        return cast("dict[str, str]", self.provenance.get("items", {}))


@dataclass(frozen=True)
class StageStore:
    """All stage folders below one folder."""

    root: Path

    def folder(self, stage: str, key: str) -> Path:
        """Where the finished stage of that key is or will be."""
        return self.root / f"{stage}-{key[:SHORT]}"

    def find(self, stage: str, key: str) -> StageRecord | None:
        """The finished stage of that key, if there is one.

        Raises:
            WorkError: If its folder is damaged.
        """
        folder = self.folder(stage, key)
        if not folder.is_dir():
            return None
        record = read_record(folder)
        if record.key != key:
            raise _damaged(folder, f"it belongs to key {record.key}")
        _ = record.outputs  # whatever is missing is found before anything runs
        return record

    @contextlib.contextmanager
    def writing(self, stage: str, key: str) -> Iterator[Path]:
        """Hold the right to write a stage; gives an empty folder for the attempt."""
        folder = self.folder(stage, key)
        partial = folder.with_name(folder.name + ".partial")
        self.root.mkdir(parents=True, exist_ok=True)
        with lock(folder.with_name(folder.name + ".lock"), wait=True):
            remove_folder(partial)
            partial.mkdir()
            try:
                yield partial
            finally:
                remove_folder(partial)

    def clear(self) -> None:
        """Remove what killed attempts left, those that nobody would take up again."""
        remove_abandoned(self.root)
        for partial in self.root.glob("*.partial"):
            with contextlib.suppress(InputError), lock(partial.with_suffix(".lock")):
                remove_folder(partial)

    def publish(
        self,
        partial: Path,
        *,
        stage: str,
        version: int,
        key: str,
        config: Mapping[str, Any],
        inputs: Mapping[str, Any],
        outputs: Mapping[str, Output],
        summary: Sequence[str],
        provenance: Mapping[str, Any],
    ) -> StageRecord:
        """Turn the attempt in `partial` into the finished stage.

        Raises:
            ValueError: If an output file lies outside the stage's folder or does not exist.
        """
        record = {
            "schema": SCHEMA,
            "stage": stage,
            "version": version,
            "key": key,
            "config": config,
            "inputs": inputs,
            "summary": list(summary),
            "outputs": {name: _describe(output, partial) for name, output in outputs.items()},
        }
        write_atomic(partial / PROVENANCE, pretty_json(provenance))
        write_atomic(partial / RECORD, pretty_json(record))
        folder = self.folder(stage, key)
        publish_folder(partial, folder)
        return read_record(folder)


def read_record(folder: Path) -> StageRecord:
    """Read a finished stage's folder.

    Raises:
        WorkError: If files are missing or unreadable.
    """
    try:
        data = json.loads((folder / RECORD).read_text())
        return StageRecord(
            folder=folder,
            stage=data["stage"],
            version=data["version"],
            key=data["key"],
            config=data["config"],
            inputs=data["inputs"],
            summary=tuple(data["summary"]),
            described=data["outputs"],
        )
    except OSError as error:
        raise _damaged(folder, f"`{RECORD}`: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, str(error)) from error


def _damaged(folder: Path, problem: str) -> WorkError:
    return WorkError(
        DAMAGED.finding(f"{folder} is damaged: {problem}", suggestion=f"delete {folder}")
    )


def _describe(output: Output, out: Path) -> dict[str, Any]:
    if isinstance(output, Result):
        return {"result": output.as_json()}
    if not output.exists():
        msg = f"a stage declared an output it did not write: {output.name}"
        raise ValueError(msg)
    return {"path": output.relative_to(out).as_posix()}


def _restore(item: Mapping[str, Any], folder: Path) -> Output:
    if "result" in item:
        return result_from_json(item["result"])
    path: Path = folder / item["path"]
    if not path.exists():
        msg = f"`{item['path']}` is missing"
        raise ValueError(msg)
    return path
