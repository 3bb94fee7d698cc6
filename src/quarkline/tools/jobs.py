"""Batch jobs of a run, a skim or a submit folder: how far they are, once more, or ended."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from quarkline.engine.compute.batch.arrays import ARRAY, JobArray, list_arrays, read_array
from quarkline.engine.compute.batch.jobs import ELSEWHERE, submit
from quarkline.engine.compute.batch.registry import find_system
from quarkline.engine.compute.batch.standing import Standing, State, close_finished, survey
from quarkline.engine.compute.batch.systems import NoAnswerError, check_programs
from quarkline.engine.core.findings import InputError, Rule

NO_JOBS = Rule(
    "QL-JOBS-006",
    "jobs are shown from a folder that has records of them",
    "`quarkline jobs` takes the folder given as `--submit-dir`, the folder of a run or of a skim, "
    "or the numbered folder of one array.",
)
NO_ANSWER = Rule(
    "QL-JOBS-007",
    "the batch system answers",
    "How far unfinished jobs are, only the batch system knows. Its message stands beside; try "
    "again once it is back.",
)

PLACES = (".", "jobs", "../jobs", ".quarkline/jobs")
"""Where records are, seen from the folder a user may name."""
REASONS = 3


@dataclass(frozen=True)
class Trouble:
    """Items of an array that failed or were lost for one reason.

    Attributes:
        reason: The reason.
        items: How many items.
        first: What the first of them says.
        log: The log of the first.
    """

    reason: str
    items: int
    first: str
    log: Path


@dataclass(frozen=True)
class ArrayRow:
    """One job array in a list, with the items that no newer array has taken over.

    Attributes:
        array: The array.
        counts: Number of items by state; states without items are left out.
        troubles: Why items failed or were lost, most frequent first.
    """

    array: JobArray
    counts: Mapping[State, int]
    troubles: tuple[Trouble, ...]


def find_arrays(folder: Path) -> list[JobArray]:
    """The job arrays that belong to a folder, oldest first.

    Raises:
        InputError: If there are none.
    """
    if (folder / ARRAY).exists():
        return [read_array(folder)]
    for place in PLACES:
        home = (folder / place).resolve()
        if found := [*list_arrays(home), *_elsewhere(home)]:
            return found
    raise InputError(
        NO_JOBS.finding(
            f"no jobs are recorded in {folder}",
            suggestion="give the folder of a run that used --batch, or its --submit-dir",
        )
    )


def show(folder: Path) -> list[ArrayRow]:
    """How far the jobs of a folder are.

    Raises:
        InputError: If there are none, or the batch system cannot be asked.
    """
    by_array: dict[str, list[Standing]] = {}
    for standing in _standings(find_arrays(folder)):
        by_array.setdefault(standing.array.name, []).append(standing)
    return [_row(standings) for standings in by_array.values()]


def resume(folder: Path) -> list[JobArray]:
    """Give what failed, was lost or was never submitted to new jobs; gives their arrays.

    Raises:
        InputError: If there are none, or the batch system cannot be asked.
        WorkError: If it takes no jobs.
    """
    made = []
    by_array: dict[str, list[Standing]] = {}
    arrays = find_arrays(folder)
    standings = _standings(arrays)
    close_finished(arrays, {standing.member.folder: standing for standing in standings})
    for standing in standings:
        if standing.state in {State.FAILED, State.LOST, State.WAITING}:
            by_array.setdefault(standing.array.name, []).append(standing)
    for again in by_array.values():
        array = again[0].array
        system = find_system(array.config.kind)
        check_programs(system)
        for standing in again:
            if standing.held:
                system.cancel(array, [standing.member.job])
        orders = [array.order(standing.member) for standing in again]
        made += submit(orders, array.config, array.folder.parent, home=array.home)
    return made


def cancel(folder: Path) -> int:
    """End all jobs that wait or run; gives the number of their items.

    Raises:
        InputError: If there are none, or the batch system cannot be asked.
    """
    jobs: dict[str, set[int]] = {}
    standings = [one for one in _standings(find_arrays(folder)) if one.state.in_flight or one.held]
    arrays = {standing.array.name: standing.array for standing in standings}
    for standing in standings:
        jobs.setdefault(standing.array.name, set()).add(standing.member.job)
    for name, array in arrays.items():
        find_system(array.config.kind).cancel(array, sorted(jobs[name]))
    return len(standings)


def _elsewhere(home: Path) -> list[JobArray]:
    """The arrays of a folder whose jobs have a submit folder of their own."""
    try:
        root = Path(json.loads((home / ELSEWHERE).read_text())["submit_dir"])
    except OSError:
        return []
    return [array for array in list_arrays(root) if array.home.resolve() == home]


def _standings(arrays: Iterable[JobArray]) -> list[Standing]:
    """How far every item is; each batch system is asked only if it may still have some."""
    by_kind: dict[str, list[JobArray]] = {}
    for array in arrays:
        by_kind.setdefault(array.config.kind, []).append(array)
    found: list[Standing] = []
    for kind, same in by_kind.items():
        system = find_system(kind)
        unfinished = any(not array.has_finished(one) for array in same for one in array.members)
        if unfinished and any(not array.is_over for array in same):
            check_programs(system)
        try:
            found += survey(same, system).values()
        except NoAnswerError as error:
            raise InputError(NO_ANSWER.finding(f"{kind} does not answer: {error}")) from error
    return found


def _row(standings: list[Standing]) -> ArrayRow:
    counts = Counter(standing.state for standing in standings)
    troubled = [one for one in standings if one.state in {State.FAILED, State.LOST}]
    reasons = Counter(standing.reason for standing in troubled)
    first = {standing.reason: standing for standing in reversed(troubled)}
    ordered = {state: counts[state] for state in State if counts[state]}
    troubles = tuple(
        Trouble(reason, number, one.told, one.array.log(one.member.job))
        for reason, number in reasons.most_common(REASONS)
        for one in [first[reason]]
    )
    return ArrayRow(standings[0].array, ordered, troubles)
