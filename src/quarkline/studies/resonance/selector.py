"""The selection applied to events: triggers, leptons, the pair, its cuts, and counts of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import Place, Rule, WorkError
from quarkline.engine.core.rng import uniform_per_row
from quarkline.events.expressions import Expression, compile_expression
from quarkline.events.identity import group_ids
from quarkline.events.luminosity import CertifiedSections
from quarkline.events.schema import Schema
from quarkline.events.sources import Chunk
from quarkline.studies.resonance.events import CONTROL, MASS, SAME_SIGN
from quarkline.studies.resonance.layout import (
    SECTION,
    Layout,
    SelectConfig,
    layout,
    pair_names,
    pair_schema,
)
from quarkline.studies.resonance.pairs import jet_variables, pair_variables
from quarkline.studies.resonance.particles import pdg_mass

Step = list[Any]
"""Name of a step, what is left of the searched sign (of all events before pairing), and of the
control (None before pairing)."""

LEPTON_MASS = {"Muon": "mu-", "Electron": "e-"}

NAN_MASS = Rule(
    "QL-RES-003",
    "every selected pair has a mass",
    "A transverse momentum, angle or mass that is not a number would silently leave the "
    "histograms. Find out why the file holds it, or exclude it with a cut on the leptons.",
)


@dataclass(frozen=True)
class Selector:
    """What is asked of the events of one file.

    Attributes:
        config: The selection.
        found: The columns it reads.
        cuts: The pair selection, one expression a clause, so that the cut-flow shows each.
        sections: Certified luminosity sections; None keeps all.
    """

    config: SelectConfig
    found: Layout
    cuts: tuple[Expression, ...]
    sections: CertifiedSections | None

    @classmethod
    def of(cls, schema: Schema, config: SelectConfig, sections: CertifiedSections | None) -> Self:
        """The selection for a file with these columns."""
        found, text = layout(schema, config), config.cuts
        names = pair_schema(pair_names(found))
        return cls(config, found, compile_expression(text, names).clauses if text else (), sections)

    def select(self, chunk: Chunk, path: Path) -> tuple[list[Step], dict[str, NDArray[Any]]]:
        """The cut-flow and the selected pairs of one chunk of the file at `path`."""
        config, count = self.config, _Counter([])
        events = chunk.array
        entry = np.arange(chunk.start, chunk.start + len(events), dtype=np.uint64)
        origin = np.full(len(events), chunk.source_id, dtype=np.uint64)
        kept = np.ones(len(events), dtype=bool)
        if config.fraction < 1:
            kept = uniform_per_row(config.seed, "fraction", origin, entry) < config.fraction
        count.add("events read", kept, None)
        for name, passed in self._event_steps(events):
            kept = kept & passed
            count.add(name, kept, None)
        chosen = np.flatnonzero(kept)
        events, entry, origin = events[chosen], entry[chosen], origin[chosen]
        variables, same = _pairs(events, self.found, config)
        _refuse_nan(variables, entry, path)
        control = same == (config.sign == "opposite")
        kept = np.ones(len(events), dtype=bool)
        for name, passed in self._pair_steps(variables):
            kept = kept & passed
            count.add(name, kept, control)
        identity = {name: ak.to_numpy(events[name])[kept] for name in config.identity}
        columns = {
            "_source": origin[kept],
            "_entry": entry[kept],
            "_object": np.zeros(kept.sum(), dtype=np.uint16),
            "_group": group_ids(identity),
        }
        signs = {SAME_SIGN: same[kept], CONTROL: control[kept]}
        selected = {name: values[kept].astype(_stored(name)) for name, values in variables.items()}
        return count.steps, columns | identity | signs | selected

    def _event_steps(self, events: ak.Array) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        config = self.config
        if self.sections is not None:
            place = [ak.to_numpy(events[name]) for name in SECTION]
            yield "certified luminosity section", self.sections.contains(*place)
        if config.trigger:
            fired = [np.asarray(events[name], dtype=bool) for name in config.trigger]
            yield " or ".join(config.trigger), np.logical_or.reduce(fired)
        enough = ak.to_numpy(ak.sum(_passing(events, self.found), axis=1) >= 2)
        yield f"two {config.objects} with {config.require}" if config.require else "a pair", enough

    def _pair_steps(
        self, variables: Mapping[str, NDArray[np.float64]]
    ) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        mass = variables[MASS]
        yield "a pair with mass and momentum", np.isfinite(mass) & (variables["dimu_pt"] > 0)
        for cut in self.cuts:
            yield cut.text, np.asarray(cut.evaluate(variables), dtype=np.float64) != 0
        low, high = self.config.range
        yield f"{low:g} <= mass < {high:g} GeV", (mass >= low) & (mass < high)
        if self.config.features:
            finite = [np.isfinite(variables[name]) for name in self.config.features]
            yield "all features are numbers", np.logical_and.reduce(finite)


@dataclass
class _Counter:
    """Counts what is left after each step; the control apart, once there are pairs."""

    steps: list[list[Any]]

    def add(self, name: str, kept: NDArray[np.bool_], control: NDArray[np.bool_] | None) -> None:
        if control is None:
            self.steps.append([name, int(kept.sum()), None])
        else:
            self.steps.append([name, int((kept & ~control).sum()), int((kept & control).sum())])


def _stored(variable: str) -> type[np.floating[Any]]:
    """Single precision holds what files give; the mass is hunted in, so it keeps its double."""
    return np.float64 if variable == MASS else np.float32


def _passing(events: ak.Array, found: Layout) -> ak.Array:
    """Which leptons of each event pass the requirement."""
    if found.require is None:
        return ak.ones_like(events[found.leptons["pt"]], dtype=bool)
    members = {name: events[f"{found.objects}_{name}"] for name in found.require.columns}
    return found.require.evaluate(members) != 0


def _pairs(
    events: ak.Array, found: Layout, config: SelectConfig
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.bool_]]:
    """Variables of the pair of the first two passing leptons, and whether it is same-sign."""
    passing = _passing(events, found)
    leptons = {name: _first_two(events[branch], passing) for name, branch in found.leptons.items()}
    charge = _first_two(events[f"{found.objects}_charge"], passing)
    variables = pair_variables(leptons, pdg_mass(LEPTON_MASS[config.objects]))
    variables["n_leptons"] = ak.to_numpy(ak.sum(passing, axis=1)).astype(np.float64)
    if found.jets:
        pt = events[found.jets["pt"]]
        order = ak.argmax(pt, axis=1, keepdims=True)
        hardest = {name: _only(events[branch][order]) for name, branch in found.jets.items()}
        variables |= jet_variables(variables, hardest)
        variables["n_jets"] = ak.to_numpy(ak.num(pt)).astype(np.float64)
    return variables, charge[:, 0] * charge[:, 1] > 0


def _first_two(values: ak.Array, passing: ak.Array) -> NDArray[np.float64]:
    pairs = ak.to_regular(values[passing][:, :2]) if len(values) else np.zeros((0, 2))
    return np.asarray(ak.to_numpy(pairs), dtype=np.float64).reshape(-1, 2)


def _only(values: ak.Array) -> NDArray[np.float64]:
    filled = ak.fill_none(ak.firsts(values), np.nan)
    return np.asarray(ak.to_numpy(filled), dtype=np.float64)


def _refuse_nan(
    variables: Mapping[str, NDArray[np.float64]], entry: NDArray[np.uint64], path: Path
) -> None:
    inputs = ("mu0_pt", "mu1_pt", "mu0_eta", "mu1_eta", "mu0_phi", "mu1_phi")
    bad = ~np.logical_and.reduce([np.isfinite(variables[name]) for name in inputs])
    if not bad.any():
        return
    first = int(np.argmax(bad))
    shown = ", ".join(f"{name} = {variables[name][first]:g}" for name in inputs)
    raise WorkError(
        NAN_MASS.finding(
            f"{bad.sum()} pairs have no mass; the first is entry {entry[first]}: {shown}",
            suggestion='exclude them, for example with `pair.require: "tightId && pt > 0"`',
            place=Place(path),
        )
    )


def add_counts(rows: Sequence[Step]) -> tuple[int, int | None]:
    """One step of several chunks or files, added up."""
    control = [row[2] for row in rows]
    return sum(row[1] for row in rows), None if None in control else sum(control)
