"""How far the items of job arrays are, worked out from files and the batch system's answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from quarkline.engine.compute.batch.arrays import JobArray, Member
from quarkline.engine.compute.batch.systems import Answers, BatchSystem, JobState
from quarkline.engine.compute.outcome import Failed

LOST = "its job ended without a result"


class State(StrEnum):
    """How far an item is."""

    WAITING = "waiting"  # written down, never given to the batch system
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    LOST = "lost"

    @property
    def in_flight(self) -> bool:
        """Whether the batch system still has it."""
        return self in {State.QUEUED, State.RUNNING}


@dataclass(frozen=True)
class Standing:
    """How far one item is.

    Attributes:
        member: The item.
        array: The newest array it is in.
        state: How far it is.
        reason: Why it waits, or why it failed, in one line; of one that is done, why it would be
            of no use.
        details: A traceback, or the end of the job's log.
        words: Of a lost item, the line of its log that tells most.
        held: Whether its job waits in the batch system for somebody to mend it.
    """

    member: Member
    array: JobArray
    state: State
    reason: str = ""
    details: str = ""
    words: str = ""
    held: bool = False

    @property
    def failed(self) -> Failed:
        """What to tell of an item that failed or was lost."""
        log = self.array.log(self.member.job)
        return Failed(self.member.name, f"{self.told} ({log})", self.details)

    @property
    def told(self) -> str:
        """The reason with the words of the log."""
        return f"{self.reason}: {self.words}" if self.words else self.reason


def survey(arrays: Sequence[JobArray], system: BatchSystem) -> dict[Path, Standing]:
    """How far each item is, by the folder of its files; the newest array that has it counts.

    Args:
        arrays: Arrays of one batch system, oldest first.
        system: Asked only for arrays that have unfinished items.

    Raises:
        NoAnswerError: If the system does not answer now.
    """
    newest = {member.folder: (array, member) for array in arrays for member in array.members}
    done = {folder for folder, (array, member) in newest.items() if array.has_finished(member)}
    open_arrays = _each_once(array for folder, (array, _) in newest.items() if folder not in done)
    answers = system.ask([array for array in open_arrays if not array.is_over])
    return {
        folder: Standing(member, array, State.DONE, reason="its files are not to be seen here")
        if folder in done
        else _unfinished(array, member, answers)
        for folder, (array, member) in newest.items()
    }


def close_finished(arrays: Iterable[JobArray], standings: Mapping[Path, Standing]) -> None:
    """Note which arrays are over, and remove the locks that their dead jobs hold."""
    in_flight = {one.array.name for one in standings.values() if one.state.in_flight}
    for array in arrays:
        if array.name not in in_flight and not array.is_over and array.was_submitted:
            for job in {member.job for member in array.members if not member.is_done}:
                array.free_locks(job)
            array.record_over()


def _unfinished(array: JobArray, member: Member, answers: Answers) -> Standing:
    if failure := array.failure(member):
        return Standing(member, array, State.FAILED, failure.reason, failure.details)
    answer = answers.get((array.name, member.job))
    if answer is not None:
        if answer.state is JobState.HELD:
            reason = f"held by the batch system: {answer.reason}"
            return Standing(member, array, State.FAILED, reason, held=True)
        return Standing(member, array, State(answer.state.value), answer.reason)
    if not array.was_submitted:
        return Standing(member, array, State.WAITING)
    last = array.last_lines(member.job)
    return Standing(member, array, State.LOST, LOST, last, _last_words(last))


def _last_words(log: str) -> str:
    """The line of a log that tells most: what Slurm says of the job's end, or the last one."""
    lines = log.splitlines() or ["its log is empty"]
    return next((line for line in lines if line.startswith("slurmstepd")), lines[-1])


def _each_once(arrays: Iterable[JobArray]) -> list[JobArray]:
    return list({array.name: array for array in arrays}.values())
