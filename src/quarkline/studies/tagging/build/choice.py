"""Which jets of some tables are taken: those that pass, and of them so many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import Finding, InputError, Place, Rule, Severity
from quarkline.engine.core.rng import uniform_per_row
from quarkline.events.expressions import Expression, compile_expression
from quarkline.events.schema import Column, Schema
from quarkline.studies.tagging.build.config import BuildConfig, BuildInput
from quarkline.studies.tagging.tables import WEIGHT, JetTable, open_jets
from quarkline.studies.tagging.tables import Column as Values

NO_FILES = Rule(
    "QL-TAG-030",
    "every path of a build names a table of jets",
    "Jets are taken from Parquet files: a file, all of a folder, or those that a pattern names. "
    "Other files are not looked at.",
)
TOO_FEW = Rule(
    "QL-TAG-031",
    "there are as many jets as are asked for",
    "A limit of jets is more than pass in all of its files; all of them are taken.",
    severity=Severity.WARNING,
)
OLD_FILE = Rule(
    "QL-TAG-032",
    "masses have their names of today",
    "Early tables call the masses `mH` and `mS`. They are read as `llp_mH` and `llp_mS`.",
    severity=Severity.WARNING,
)
SCALED = Rule(
    "QL-TAG-033",
    "tables are scaled once",
    "Scaling a table that is scaled already gives values that mean nothing, and so does a mixture "
    "of scales. A table that has the scaling and the range of the build is taken as it is; so is, "
    "with `scaling: upstream`, one of the CalRatio trainer, which does not tell its range.",
    severity=Severity.WARNING,
)
EMPTY = Rule(
    "QL-TAG-036",
    "every input of a build gives jets",
    "No jet of an input has a momentum in range and passes. What is built lacks what the input "
    "stands for.",
    severity=Severity.WARNING,
)
OUTCOMES = ("kept", "momentum", "filtered", "limit")
"""What becomes of a jet: taken, outside the range of momenta, not passing, more than asked for."""


@dataclass(frozen=True)
class Chosen:
    """The jets of one table that are taken.

    Attributes:
        table: The table.
        outcome: What becomes of each jet, as a place in `OUTCOMES`, with shape (N,).
        label: Labels of the jets, with shape (N,).
        weight: Their weights, with shape (N,).
        momenta: Their momenta in GeV, with shape (N,).
    """

    table: JetTable
    outcome: NDArray[np.int8]
    label: NDArray[np.int64]
    weight: NDArray[np.float64]
    momenta: NDArray[np.float64]

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which jets are taken, with shape (N,)."""
        return np.asarray(self.outcome == 0)

    @property
    def counts(self) -> dict[str, int]:
        """Number of jets by what became of them."""
        found = Counter(OUTCOMES[place] for place in self.outcome.tolist())
        return {name: found[name] for name in OUTCOMES}


def choose(
    given: BuildInput, files: Sequence[Path], config: BuildConfig, *, seed: int
) -> tuple[list[Chosen], list[Finding]]:
    """The jets of an input that are taken, and what is odd about it.

    A limit takes jets by numbers drawn for their row ids, so that the order of files is of no
    account.

    Args:
        given: The input.
        files: Its tables.
        config: Range of momenta and scaling.
        seed: Seed of the limit.

    Raises:
        InputError: If a file is no table of jets, is scaled already, or the expression does not
            fit it.
    """
    found: list[Chosen] = []
    draws: list[NDArray[np.float64]] = []
    odd: list[Finding] = []
    for path in files:
        table = open_jets(path)
        odd += _odd(table, config)
        compiled = None
        if given.where is not None:
            compiled = compile_expression(given.where, _schema(table), label="where")
            odd += compiled.warnings
        one, drawn = _passing(table, compiled, config, seed)
        found.append(one)
        draws.append(drawn)
    if given.jets is not None:
        available = sum(int(one.kept.sum()) for one in found)
        if available < given.jets:
            odd.append(_too_few(given, available))
        _limit(found, draws, given.jets)
    if given.jets != 0 and not any(one.kept.any() for one in found):
        odd.append(_empty(given))
    return found, odd


def _passing(
    table: JetTable, compiled: Expression | None, config: BuildConfig, seed: int
) -> tuple[Chosen, NDArray[np.float64]]:
    """The jets of a table by momentum and expression, and a number drawn for each."""
    columns = sorted({"jet_pt", "label", *({WEIGHT} & table.columns.keys())})
    columns += sorted((compiled.columns if compiled else frozenset()) - set(columns))
    parts = [_part(batch, table, compiled, config) for batch in table.batches(columns)]
    empty = [np.zeros(0)] * 4
    outcome, label, weight, momenta = (
        np.concatenate(column) for column in zip(empty, *parts, strict=True)
    )
    rows = [jets.row for jets in table.jets(streams=())]
    row = np.concatenate([np.zeros(0, np.uint64), *rows])
    drawn = uniform_per_row(seed, "build", row)
    chosen = Chosen(
        table, outcome.astype(np.int8), label.astype(np.int64), weight.astype(np.float64), momenta
    )
    return chosen, drawn


def _part(
    batch: Mapping[str, Values],
    table: JetTable,
    compiled: Expression | None,
    config: BuildConfig,
) -> tuple[NDArray[np.float64], ...]:
    """Outcome, label, weight and momentum of the jets of a batch."""
    momenta = table.momenta(np.asarray(batch["jet_pt"])).astype(np.float64)
    rows = len(momenta)
    outcome = np.zeros(rows)
    if compiled is not None:
        passing = compiled.evaluate(dict(batch))
        outcome[~(np.nan_to_num(ak.to_numpy(passing)) != 0)] = OUTCOMES.index("filtered")
    if config.scaling != "upstream":
        inside = (momenta >= config.min_jet_pt) & (momenta < config.max_jet_pt)
        outcome[~inside] = OUTCOMES.index("momentum")
    weight = np.asarray(batch[WEIGHT]) if WEIGHT in batch else np.ones(rows)
    return outcome, np.asarray(batch["label"]), weight, momenta


def _limit(found: list[Chosen], draws: Sequence[NDArray[np.float64]], limit: int) -> None:
    """Let the jets with the lowest numbers pass, and no other."""
    kept = [np.flatnonzero(one.kept) for one in found]
    drawn = np.concatenate([draw[rows] for draw, rows in zip(draws, kept, strict=True)])
    place = np.concatenate([np.full(len(rows), number) for number, rows in enumerate(kept)])
    row = np.concatenate(kept)
    for beyond in np.argsort(drawn, kind="stable")[limit:]:
        found[place[beyond]].outcome[row[beyond]] = OUTCOMES.index("limit")


def _schema(table: JetTable) -> Schema:
    """The columns of a table, as expressions need them."""
    batch = next(iter(table.batches(rows=1)), {})
    columns = {name: _column(name, values) for name, values in batch.items()}
    return Schema(columns or {name: Column(name, "float64") for name in table.columns}, table.rows)


def _column(name: str, values: Values) -> Column:
    if isinstance(values, ak.Array):
        return Column(name, str(ak.flatten(values).to_numpy().dtype), 1)
    return Column(name, str(values.dtype))


def _odd(table: JetTable, config: BuildConfig) -> list[Finding]:
    """Old names, and tables that are scaled already."""
    found = []
    if "mH" in table.columns.values():
        message = "its masses are called `mH` and `mS`: an old input file?"
        found.append(OLD_FILE.finding(message, place=Place(table.path)))
    if table.scaling["kind"] != "none":
        found += _already_scaled(table, config)
    return found


def _already_scaled(table: JetTable, config: BuildConfig) -> list[Finding]:
    kind, low, high = (table.scaling[name] for name in ("kind", "min_pt", "max_pt"))
    finding = SCALED.finding(
        f"its values are scaled already ({kind}, {low:g} to {high:g} GeV)",
        place=Place(table.path),
        suggestion="give the table that it was built from, or build with "
        f"`scaling: {kind}`, `min_jet_pt: {low:g}` and `max_jet_pt: {high:g}`",
    )
    known = _range(config) == (low, high) or table.scaling.get("assumed", False)
    if kind != config.scaling or not known:
        raise InputError(finding)
    return [finding] if kind == "upstream" else []


def _range(config: BuildConfig) -> tuple[float, float]:
    return config.min_jet_pt, config.max_jet_pt


def _empty(given: BuildInput) -> Finding:
    passing = f"; not all pass `{given.where}`" if given.where else ""
    return EMPTY.finding(
        f"no jet is taken of {', '.join(given.files)}",
        suggestion=f"`quarkline inspect` shows what jets it has{passing}",
    )


def _too_few(given: BuildInput, available: int) -> Finding:
    return TOO_FEW.finding(
        f"Requested {given.jets} events, but only {available} available: all of them are taken",
        suggestion=f"give more files than {', '.join(given.files)}, or leave `jets` out",
    )
