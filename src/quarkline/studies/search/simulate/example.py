"""What `quarkline simulate leptoquark` writes: the files of a folder, and the events of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.rng import rng
from quarkline.studies.search.simulate.detector import Columns, coarse, detect
from quarkline.studies.search.simulate.processes import KINDS, PROCESSES, Process
from quarkline.studies.search.simulate.truth import Draws, Truth, draw_truth

TREE = "nominal"
NEGATIVE = True
DEFAULT_EVENTS = 120_000
LUMINOSITY = 140_068.94
"""Integrated luminosity in inverse pb that the yields are for."""
SHARES = {"mc20a": 36_207.66, "mc20d": 44_307.4, "mc20e": 58_450.1}
"""Luminosities of the campaigns, in the calibration of the weight expression of the ntuples."""
YEARS = {"mc20a": (2015, 2016), "mc20d": (2017,), "mc20e": (2018,)}
RUNS = {"mc20a": 284_500, "mc20d": 300_000, "mc20e": 310_000}
DATA = {
    2015: (276_262, 0.024),
    2016: (297_730, 0.236),
    2017: (325_713, 0.319),
    2018: (348_885, 0.421),
}
"""Run and share of the events of each year of data."""
SIGNAL_STRENGTH = 0.8
"""Of the leptoquarks in data, relative to their cross-sections."""
LEAST_SHARE = 3
BLOCK = 40_000
"""Entries of a data set drawn at a time: bounds the memory, and is part of what a seed means."""
PASSES = 1.9
"""Mean number of entries of a generated event."""
WEIGHT_WIDTH = 0.45
IN_MEV = (
    *("Mll01", "MLepAllMet", "HT", "HT_jets", "HT_lep", "HT_taus", "met_met", "tau_Pt_0"),
    *("lep_Pt_0", "lep_E_0", "lep_Pt_1", "lep_E_1", "jets_pt", "jets_e"),
)
UNITS = {"xs": "pb"} | dict.fromkeys(IN_MEV, "MeV")


@dataclass(frozen=True)
class SimulatedFile:
    """One file of the layout.

    Attributes:
        name: Its path below the folder.
        sample: The sample that it belongs to.
        events: Number of its events.
        blocks: Draws them in blocks, at least one, be it empty.
    """

    name: str
    sample: str
    events: int
    blocks: partial[Iterator[ak.Array]]


def files(events: int, seed: int, *, negative: float = 0.0) -> list[SimulatedFile]:
    """The files of the folder.

    Args:
        events: Simulated events in all; data are as many as the luminosity gives.
        seed: Equal seeds, numbers and fractions give equal events.
        negative: Fraction of the events of ttH, ttbar and VV that have a negative weight.
    """
    listed, first = [], 1
    for process, counts in zip(PROCESSES, _counts(events), strict=True):
        for campaign, n in zip(SHARES, counts, strict=True):
            name = f"{campaign}/{process.folder}/{process.number}.root"
            fraction = negative if process.corrected else 0.0
            mixed = partial(_simulated, process, campaign, counts, seed, first, fraction)
            listed.append(SimulatedFile(name, process.sample, n, mixed))
            first += n
    return listed + [_data_file(year, seed) for year in DATA]


def next_steps(folder: Path) -> tuple[str, ...]:
    """What to type once the files are there."""
    run = f"quarkline run leptoquark.yaml --set roots.ntuples={folder}"
    return "quarkline new leptoquark", run


def beside(files: Sequence[SimulatedFile]) -> Mapping[str, str]:  # noqa: ARG001
    """Texts that are written beside the files: none."""
    return {}


def units(columns: list[str]) -> Mapping[str, str]:
    """Units of those columns that have one."""
    return {name: UNITS[name] for name in columns if name in UNITS}


def _counts(events: int) -> list[list[int]]:
    """Entries of each file: of each data set those of its campaigns; they add up to `events`."""
    shares = np.array([max(process.share, LEAST_SHARE) for process in PROCESSES], np.float64)
    parts = np.outer(shares / shares.sum(), np.array([*SHARES.values()]) / sum(SHARES.values()))
    ends = np.rint(events * np.cumsum(parts)).astype(np.int64)
    counts = np.diff(ends, prepend=0).reshape(parts.shape)
    return [[int(n) for n in row] for row in counts]


def _cut(n: int, blocks: int, number: int) -> int:
    """Where the block of that number begins."""
    return n * number // blocks


def _simulated(
    process: Process, campaign: str, counts: Sequence[int], seed: int, first: int, negative: float
) -> Iterator[ak.Array]:
    """Events of one file; generated events are shared with the files of the other campaigns."""
    place, total = list(SHARES).index(campaign), sum(counts)
    n, blocks = counts[place], max(1, -(-total // BLOCK))
    pool = max(1, round(total / blocks / PASSES))
    for number in range(blocks):
        start, stop = (_cut(n, blocks, end) for end in (number, number + 1))
        names = ("leptoquark", process.number, number)
        truth = _generated(process, pool, partial(rng, seed, *names))
        draws: Draws = partial(rng, seed, *names, campaign)
        rows = draws("passes").integers(0, pool, stop - start)
        seen = truth.take(rows)
        columns = {
            "eventNumber": np.arange(first + start, first + stop, dtype=np.uint64),
            "runNumber": np.full(len(rows), RUNS[campaign], np.uint32),
            "mcChannelNumber": np.full(len(rows), process.number, np.int32),
            "RunYear": _years(campaign, len(rows), draws("year")),
            **_weights(process, n, seen, draws("weight"), negative),
            **detect(seen, draws, simulated=True),
            "genEventID": (number * pool + rows + 1).astype(np.int32),
        }
        yield _record(columns)


def _generated(process: Process, n: int, draws: Draws) -> Truth:
    fractions = np.array(process.kinds) / sum(process.kinds)
    return draw_truth(process, draws("kind").choice(len(KINDS), n, p=fractions), draws)


def _years(campaign: str, n: int, draw: np.random.Generator) -> NDArray[np.int32]:
    years = YEARS[campaign]
    chances = [DATA[year][1] for year in years]
    return draw.choice(np.array(years, np.int32), n, p=np.array(chances) / sum(chances))


def _weights(
    process: Process,
    n: int,
    truth: Truth,
    draw: np.random.Generator,
    negative: float,
) -> Columns:
    """Weights whose sums over the file are its share of the yields, on average.

    Negative ones are as large as the others, and all are raised to keep the sum.
    """
    fractions = np.array(process.kinds) / sum(process.kinds)
    each = np.array(process.yields) / fractions  # weight of an event if all were of its kind
    spread = draw.gamma(WEIGHT_WIDTH**-2, WEIGHT_WIDTH**2, len(truth.kind))
    sign = np.where(draw.random(len(truth.kind)) < negative, -1.0, 1.0) / (1 - 2 * negative)
    return {
        "weight_mc": coarse(sign * spread * each[truth.kind] / each.max()),
        "weight_pileup": coarse(np.clip(draw.normal(1, 0.12, len(truth.kind)), 0.5, 1.5)),
        "xs": np.full(len(truth.kind), process.cross_section, np.float32),
        "totalEventsWeighted": np.full(
            len(truth.kind), process.cross_section * LUMINOSITY * max(n, 1) / each.max()
        ),
    }


def _data_file(year: int, seed: int) -> SimulatedFile:
    """A year of data: of each process a Poisson number of same-sign events with a tau."""
    number = rng(seed, "leptoquark", "data", year)
    counts = [
        [
            int(number.poisson(DATA[year][1] * _strength(item) * item.yields[kind]))
            for kind in (3, 4)
        ]
        for item in PROCESSES
    ]
    total = sum(map(sum, counts))
    name = f"data/data{year % 100}.root"
    return SimulatedFile(name, "data", total, partial(_data, year, counts, seed))


def _strength(process: Process) -> float:
    return SIGNAL_STRENGTH if process.sample == "lq" else 1.0


def _data(year: int, counts: Sequence[Sequence[int]], seed: int) -> Iterator[ak.Array]:
    parts = []
    for process, (false, real) in zip(PROCESSES, counts, strict=True):
        draws: Draws = partial(rng, seed, "leptoquark", "data", year, process.number)
        kind = np.repeat(np.array([3, 4], np.int64), [false, real])
        parts.append(_record(detect(draw_truth(process, kind, draws), draws, simulated=False)))
    events = ak.concatenate(parts)
    n = len(events)
    order = rng(seed, "leptoquark", "data", year, "order").permutation(n)
    mixed = ak.to_packed(events[order])
    ones = {"weight_mc": 1.0, "weight_pileup": 1.0, "xs": 1.0}
    yield _record(
        {
            "eventNumber": np.arange(n, dtype=np.uint64) + np.uint64(10**9 + 10**6 * (year % 100)),
            "runNumber": np.full(n, DATA[year][0], np.uint32),
            "mcChannelNumber": np.zeros(n, np.int32),
            "RunYear": np.full(n, year, np.int32),
            **{name: np.full(n, value, np.float32) for name, value in ones.items()},
            "totalEventsWeighted": np.ones(n),
            **{name: mixed[name] for name in mixed.fields},
        }
    )


def _record(columns: Columns) -> ak.Array:
    return ak.zip(dict(columns), depth_limit=1)
