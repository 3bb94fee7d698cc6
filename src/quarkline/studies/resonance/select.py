"""From events to pairs: reads files, picks the pair of each event, and counts what is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.config import Config
from quarkline.engine.core.findings import Place, QuarklineError, Rule, WorkError
from quarkline.engine.core.rng import uniform_per_row
from quarkline.engine.workflow.stage import Context
from quarkline.events.expressions import Expression, compile_expression
from quarkline.events.identity import duplicate_events, group_ids
from quarkline.events.sources import Chunk, Source, open_source
from quarkline.events.table import TableMetadata, read_table, write_table
from quarkline.studies.resonance.check_inputs import BAD_FILES
from quarkline.studies.resonance.events import CONTROL, MASS, SAME_SIGN, SIGN_NAMES
from quarkline.studies.resonance.layout import Layout, SelectConfig, layout, pair_names, pair_schema
from quarkline.studies.resonance.pairs import jet_variables, pair_variables, unit
from quarkline.studies.resonance.particles import pdg_mass
from quarkline.studies.resonance.results import Selection, SelectionStep

LEPTON_MASS = {"Muon": "mu-", "Electron": "e-"}

NAN_MASS = Rule(
    "QL-RES-003",
    "every selected pair has a mass",
    "A transverse momentum, angle or mass that is not a number would silently leave the "
    "histograms. Find out why the file holds it, or exclude it with a cut on the leptons.",
)
EMPTY_SELECTION = Rule(
    "QL-RES-004",
    "the selection keeps events",
    "No pair of the searched sign is left. The cut-flow in the message shows the step that "
    "removed them.",
)
EMPTY_SIDEBAND = Rule(
    "QL-RES-005",
    "both sidebands hold events",
    "The background is learned and fitted on both sides of the window. Without events on one "
    "side there is nothing to interpolate.",
)


class SelectStageConfig(Config):
    """What the selection depends on.

    Attributes:
        select: What the pairs of one file depend on.
        stops: Entry to stop before, for each file; None reads all.
        allow_bad_files: Unreadable files that may be left out.
    """

    select: SelectConfig
    stops: list[int | None]
    allow_bad_files: int


def run(context: Context) -> dict[str, Any]:
    """Stage `select`: one item a file, then one table of pairs and the cut-flow."""
    config: SelectStageConfig = context.config
    select = config.select
    paths: Sequence[Path] = context.inputs["files"]
    args = select.model_dump(mode="json")
    items = [
        Item(path.name, {"select": args, "stop": stop}, {"file": path})
        for path, stop in zip(paths, config.stops, strict=True)
    ]
    done = context.map("file", select_file, items)
    bad = {item.name: item.value["problem"] for item in done if item.value["problem"]}
    _check_bad_files(bad, config.allow_bad_files)
    good = [item for item in done if not item.value["problem"]]
    tables = [read_table(item.folder / "pairs.parquet") for item in good]
    pairs = ak.concatenate([table.array for table in tables])
    steps = _add_steps([item.value["steps"] for item in good])
    selection = _selection(pairs, steps, len(good), bad, select)
    _check_selection(selection, select)
    path = context.out / "pairs.parquet"
    write_table(path, pairs, tables[0].metadata)
    last, (searched, control) = steps[-1], SIGN_NAMES[select.sign]
    context.summary(
        f"{last.searched:,} pairs of {searched} · {last.control:,} of {control} · "
        f"{steps[0].searched:,} events"
    )
    return {"pairs": path, "selection": selection}


def select_file(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Task: the pairs of one file; an unreadable file is an outcome, not an error."""
    config = SelectConfig.model_validate(args["select"])
    try:
        with open_source(inputs["file"], tree=config.tree) as source:
            steps, columns = _select(source, config, args["stop"])
    except QuarklineError as error:
        if any(finding.code == NAN_MASS.code for finding in error.findings):
            raise
        return {"problem": str(error.findings[0]), "steps": []}
    units = {name: text for name in columns if (text := unit(name))}
    write_table(folder / "pairs.parquet", columns, TableMetadata(units=units))
    return {"problem": "", "steps": steps}


@dataclass
class _Counter:
    """Counts what is left after each step; the control apart, once there are pairs."""

    steps: list[list[Any]]

    def add(self, name: str, kept: NDArray[np.bool_], control: NDArray[np.bool_] | None) -> None:
        if control is None:
            self.steps.append([name, int(kept.sum()), None])
        else:
            self.steps.append([name, int((kept & ~control).sum()), int((kept & control).sum())])


def _select(
    source: Source, config: SelectConfig, stop: int | None
) -> tuple[list[list[Any]], dict[str, NDArray[Any]]]:
    found = layout(source.schema, config)
    cuts = compiled_cuts(config.cuts, found)
    parts = [
        _select_chunk(chunk, found, cuts, config, source) for chunk in _limited(source, found, stop)
    ]
    steps = [
        [name, *_sums([part[0][i] for part in parts])] for i, (name, _, _) in enumerate(parts[0][0])
    ]
    columns = {name: np.concatenate([part[1][name] for part in parts]) for name in parts[0][1]}
    return steps, columns


def compiled_cuts(text: str | None, found: Layout) -> tuple[Expression, ...]:
    """The pair selection, one expression a clause, so that the cut-flow shows each."""
    return compile_expression(text, pair_schema(pair_names(found))).clauses if text else ()


def _limited(source: Source, found: Layout, stop: int | None) -> Iterator[Chunk]:
    for chunk in source.chunks(found.columns):
        if stop is None or chunk.start < stop or chunk.start == 0:
            yield (
                chunk
                if stop is None
                else Chunk(chunk.array[: max(0, stop - chunk.start)], chunk.start, chunk.source_id)
            )


def _select_chunk(
    chunk: Chunk, found: Layout, cuts: Sequence[Expression], config: SelectConfig, source: Source
) -> tuple[list[list[Any]], dict[str, NDArray[Any]]]:
    """The cut-flow and the selected pairs of one chunk."""
    events = chunk.array
    entry = np.arange(chunk.start, chunk.start + len(events), dtype=np.uint64)
    origin = np.full(len(events), chunk.source_id, dtype=np.uint64)
    kept = np.ones(len(events), dtype=bool)
    count = _Counter([])
    if config.fraction < 1:
        kept = uniform_per_row(config.seed, "fraction", origin, entry) < config.fraction
    count.add("events read", kept, None)
    for name, passed in _event_steps(events, found, config):
        kept = kept & passed
        count.add(name, kept, None)
    chosen = np.flatnonzero(kept)
    events, entry, origin = events[chosen], entry[chosen], origin[chosen]
    variables, same = _pairs(events, found, config)
    _refuse_nan(variables, entry, source.path)
    control = same == (config.sign == "opposite")
    kept = np.ones(len(events), dtype=bool)
    for name, passed in _pair_steps(variables, cuts, config):
        kept = kept & passed
        count.add(name, kept, control)
    identity = {name: ak.to_numpy(events[name])[kept] for name in config.identity}
    columns = {
        "_source": origin[kept],
        "_entry": entry[kept],
        "_object": np.zeros(kept.sum(), dtype=np.uint16),
        "_group": group_ids(identity),
    }
    selected = {name: values[kept] for name, values in variables.items()}
    return count.steps, columns | identity | {
        SAME_SIGN: same[kept],
        CONTROL: control[kept],
    } | selected


def _event_steps(
    events: ak.Array, found: Layout, config: SelectConfig
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    if config.trigger:
        fired = [np.asarray(events[name], dtype=bool) for name in config.trigger]
        yield " or ".join(config.trigger), np.logical_or.reduce(fired)
    enough = ak.to_numpy(ak.sum(_passing(events, found), axis=1) >= 2)
    yield f"two {found.objects} with {config.require}" if config.require else "a pair", enough


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


def _pair_steps(
    variables: Mapping[str, NDArray[np.float64]], cuts: Sequence[Expression], config: SelectConfig
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    mass = variables[MASS]
    yield "a pair with mass and momentum", np.isfinite(mass) & (variables["dimu_pt"] > 0)
    for cut in cuts:
        yield cut.text, np.asarray(cut.evaluate(variables), dtype=np.float64) != 0
    low, high = config.range
    yield f"{low:g} <= mass < {high:g} GeV", (mass >= low) & (mass < high)
    finite = [np.isfinite(variables[name]) for name in config.features]
    yield "all features are numbers", np.logical_and.reduce(finite)


def _sums(rows: Sequence[Sequence[Any]]) -> tuple[int, int | None]:
    control = [row[2] for row in rows]
    return sum(row[1] for row in rows), None if None in control else sum(control)


def _add_steps(files: Sequence[Sequence[Sequence[Any]]]) -> list[SelectionStep]:
    names = [row[0] for row in files[0]]
    return [
        SelectionStep(name, *_sums([file[i] for file in files])) for i, name in enumerate(names)
    ]


def _check_bad_files(bad: Mapping[str, str], allowed: int) -> None:
    if len(bad) > allowed:
        raise WorkError(*(BAD_FILES.finding(f"{name}: {problem}") for name, problem in bad.items()))


def _selection(
    pairs: ak.Array,
    steps: Sequence[SelectionStep],
    files: int,
    bad: Mapping[str, str],
    config: SelectConfig,
) -> Selection:
    mass, control = ak.to_numpy(pairs[MASS]), ak.to_numpy(pairs[CONTROL])
    finding = duplicate_events({name: ak.to_numpy(pairs[name]) for name in config.identity})
    return Selection(
        sign=config.sign,
        files=files,
        bad_files=dict(bad),
        steps=tuple(steps),
        regions=_regions(mass[~control], config.window),
        regions_control=_regions(mass[control], config.window),
        duplicates=int(finding.evidence["repeated"]) if finding else 0,
    )


def _regions(mass: NDArray[np.float64], window: tuple[float, float]) -> tuple[int, int, int]:
    below, above = int((mass < window[0]).sum()), int((mass >= window[1]).sum())
    return below, len(mass) - below - above, above


def _check_selection(selection: Selection, config: SelectConfig) -> None:
    flow = "; ".join(f"{step.name}: {step.searched:,}" for step in selection.steps)
    low, inside, high = selection.regions
    if low + inside + high == 0:
        raise WorkError(
            EMPTY_SELECTION.finding(f"no {SIGN_NAMES[config.sign][0]} pair is left ({flow})")
        )
    for side, events in (("below", low), ("above", high)):
        if events == 0:
            edge = config.window[0] if side == "below" else config.window[1]
            raise WorkError(
                EMPTY_SIDEBAND.finding(
                    f"the sideband {side} {edge:g} GeV is empty ({flow})",
                    suggestion="loosen the cuts, widen `resonance.range`, or read more files",
                )
            )
