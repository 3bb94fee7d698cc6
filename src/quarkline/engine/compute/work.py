"""What a batch job runs: `python -m quarkline.engine.compute.work FOLDER INDEX`."""

from __future__ import annotations

import logging
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from quarkline.engine.compute.batch.arrays import JobArray, Member, read_array
from quarkline.engine.compute.order import Order
from quarkline.engine.compute.outcome import Failed

log = logging.getLogger(__name__)


class EndedError(SystemExit):
    """The batch system told this job to end."""


def main() -> int:
    """Do the items of one job; the exit code says whether all are finished."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    signal.signal(signal.SIGTERM, _end)
    array, job = read_array(Path(sys.argv[1])), int(sys.argv[2])
    array.free_locks(job)  # of its earlier start, if the batch system has started it anew elsewhere
    array.record_start(job)
    done = [_do(array, member, order) for member, order in array.orders(job)]
    return 0 if all(done) else 1


def _do(array: JobArray, member: Member, order: Order) -> bool:
    started = time.monotonic()
    log.info("%s: starts", member.name)
    try:
        outcome = order.carry_out()
    except EndedError:
        log.info("%s: ended by the batch system", member.name)
        raise
    except SystemExit as error:
        outcome = Failed(member.name, f"its process ended with code {error.code}", "")
    seconds = time.monotonic() - started
    if isinstance(outcome, Failed):
        log.info("%s: failed after %.1f s\n%s", member.name, seconds, outcome.details)
        array.record_failure(member, outcome)
        return False
    array.record_finish(member)
    log.info("%s: done in %.1f s", member.name, seconds)
    return True


def _end(number: int, _: FrameType | None) -> None:
    """Unwind, so that locks are given back."""
    raise EndedError(128 + number)


if __name__ == "__main__":
    sys.exit(main())
