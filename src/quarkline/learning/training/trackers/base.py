"""What every tracker can do, and the pieces they share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

ELSEWHERE = frozenset({"compute", "roots", "tracking"})
"""Sections of a config that say where it runs, not what; they may change while a run goes on."""


class Row(NamedTuple):
    """One line of metrics.

    Attributes:
        step: The epoch.
        values: Finite numbers by name.
    """

    step: int
    values: dict[str, float]


@dataclass(frozen=True)
class TrackedRun:
    """A run as trackers name it.

    Attributes:
        study: Name of the study.
        folder: `runs/<name>/<NNNNN>`.
    """

    study: str
    folder: Path

    @property
    def analysis(self) -> str:
        """Name of the analysis."""
        return self.folder.absolute().parent.name

    @property
    def title(self) -> str:
        """Name and number."""
        return f"{self.analysis}-{self.folder.name}"


class Tracker(Protocol):
    """Shows one run. Every method may be called again with the same content and changes nothing."""

    identity: str
    """By which a later process continues the same run."""
    durable: ClassVar[bool]
    """Whether what was sent outlives a kill at once, not only after `finish`."""

    def rows(self, series: str, rows: Sequence[Row]) -> None:
        """Show further lines of metrics of a training."""

    def figure(self, name: str, image: Path) -> None:
        """Show a figure, a PNG file."""

    def artifact(self, name: str, path: Path) -> None:
        """Keep a file or folder, such as a model."""

    def config(self, written: Path, resolved: Path) -> None:
        """Show the config as written (YAML) and resolved (JSON)."""

    def results(self, values: Mapping[str, float]) -> None:
        """Show the numbers of the results."""

    def finish(self, well: bool, /) -> None:
        """Send what is waiting and let go of the run."""


def settings(resolved: Path) -> dict[str, Any]:
    """The sections of a resolved config that say what is done."""
    content = json.loads(resolved.read_text())
    return {key: value for key, value in content.items() if key not in ELSEWHERE}


def flat_settings(resolved: Path) -> dict[str, str]:
    """The same as texts by dotted key; lists are JSON."""
    return dict(_flat(settings(resolved), ()))


def _flat(value: Any, at: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _flat(item, (*at, key))
    else:
        yield ".".join(at), value if isinstance(value, str) else json.dumps(value)


def numbers(value: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, float]]:
    """The single numbers of JSON results by path; lists are left out.

    Args:
        value: JSON value.
        at: Its path.
    """
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key != "version":
                yield from numbers(item, (*at, key))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield "/".join(at), float(value)
