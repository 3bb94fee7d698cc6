"""Filling: from requests to histograms, wherever the work is done."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from quarkline.catalog import Catalog
from quarkline.engine.compute.executors import Executor
from quarkline.engine.compute.job import task_name
from quarkline.engine.compute.outcome import Done, Failed, Item
from quarkline.engine.core.findings import WorkError
from quarkline.engine.core.results import jsonable
from quarkline.engine.workflow.stage import Context
from quarkline.templates.fill.filled import Allowed, Filled, check_files, collect
from quarkline.templates.fill.findings import BAD_FILES
from quarkline.templates.fill.plan import Where, as_named, plan_filling
from quarkline.templates.fill.requests import HistRequest
from quarkline.templates.fill.stored import read_stored
from quarkline.templates.fill.task import fill_range


def fill(
    requests: Iterable[HistRequest],
    catalog: Catalog,
    *,
    context: Context | None = None,
    executor: Executor | None = None,
    unblind: bool = False,
    allowed: Allowed | None = None,
    where: Where = as_named,
) -> Filled:
    """Fill histograms of an analysis, each file read once for all of them.

    The result is the same to the last bit wherever and with however many workers it is made.

    Args:
        requests: The histograms; `requests_of` gives all.
        catalog: The analysis.
        context: A stage, which keeps finished work; without it everything is done anew.
        executor: What does the work of a call without a stage; None does it here.
        unblind: Whether data of blind samples and regions are read.
        allowed: Files that may be left out; None for none.
        where: Where each file of ntuples lies, with the friends that it has there.

    Raises:
        InputError: If files are missing or cannot be read, or the analysis cannot be filled.
        WorkError: If a weight is no finite number.
    """
    allowed = allowed or Allowed()
    if catalog.reads == "histograms":
        return read_stored(requests, catalog, unblind=unblind, allowed=allowed)
    plan = plan_filling(requests, catalog, unblind=unblind, where=where)
    check_files(plan.missing, plan.bad, allowed)
    if context is not None:
        return collect(plan, context.map("fill", fill_range, plan.items), allowed)
    with tempfile.TemporaryDirectory() as folder:
        return collect(plan, _worked(plan.items, executor, Path(folder)), allowed)


def _worked(items: Sequence[Item], executor: Executor | None, folder: Path) -> Iterator[Done]:
    """Outcomes of the work on items, in their order."""
    pairs = [(item, folder / str(number)) for number, item in enumerate(items)]
    if executor is None:
        for item, own in pairs:
            own.mkdir()
            yield Done(item.name, fill_range(item.args, item.inputs, own), own)
        return
    told = [(Item(item.name, jsonable(item.args), item.inputs), own) for item, own in pairs]
    for outcome in executor.map(task_name(fill_range), told):
        if isinstance(outcome, Failed):
            raise WorkError(BAD_FILES.finding(f"{outcome.name}: {outcome.reason}"))
        yield outcome
