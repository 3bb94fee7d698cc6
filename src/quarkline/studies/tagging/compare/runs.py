"""What a comparison takes of a run: histories, judged epochs and settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quarkline.studies.tagging.analyze.history import TrainingHistory
from quarkline.studies.tagging.analyze.results import Judged, JudgedEpoch


@dataclass(frozen=True)
class ComparedRun:
    """One run.

    Attributes:
        name: Name and number, as in `calratio/3`.
        histories: Of each training, whose names tell the run, too.
        kept: By training, the epochs whose weights there are.
        judged: Its epochs on test jets, by training and epoch; None before they are analysed.
        parameters: Its settings by dotted name.
    """

    name: str
    histories: Sequence[TrainingHistory]
    kept: Mapping[str, Collection[int]]
    judged: Judged | None
    parameters: Mapping[str, Any]

    def epoch(self, training: str, number: int) -> JudgedEpoch | None:
        """An epoch on test jets, if it was looked at there."""
        found = self.judged.epochs if self.judged else ()
        return next((one for one in found if (one.training, one.epoch) == (training, number)), None)


def flat(values: Any, name: str = "") -> dict[str, Any]:
    """Settings by dotted name, from maps inside maps."""
    if isinstance(values, Mapping) and values:
        parts = (flat(item, f"{name}.{key}" if name else str(key)) for key, item in values.items())
        return {key: item for part in parts for key, item in part.items()}
    return {name: values}


def differing(runs: Sequence[ComparedRun]) -> tuple[list[str], list[str]]:
    """Names of settings that differ between runs, and of those that all share.

    A setting that a run lacks is one that differs.
    """
    names = list(dict.fromkeys(name for run in runs for name in run.parameters))
    absent = object()
    same = [
        name
        for name in names
        if all(
            run.parameters.get(name, absent) == runs[0].parameters.get(name, absent) for run in runs
        )
    ]
    return [name for name in names if name not in same], same
