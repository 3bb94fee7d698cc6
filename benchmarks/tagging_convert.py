"""Jets of a large ntuple, ours against a loop over events and jets, ratios in one run.

    python benchmarks/tagging_convert.py [NTUPLE] [--copies 300] [--loop-events 2000]

NTUPLE is a DiVertAnalysis ntuple, whose events are repeated; without one, 100 simulated multijet
events are. Both read the same Parquet copy of
it in the same pieces, choose the same jets and make the same columns; the loop goes from event to
event and jet to jet in plain Python over NumPy values, with padded rows of a table at the end, and
does no more than `--loop-events` events, from which its rate follows. Their jets are compared.
Printed are processor times, for other work on the computer stretches the clock.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from quarkline.events.sinks import open_sink
from quarkline.studies.tagging.columns import CLUSTERS, SEGMENTS, STREAMS, TRACKS
from quarkline.studies.tagging.convert import ntuple
from quarkline.studies.tagging.convert.jets import Cuts
from quarkline.studies.tagging.convert.task import EVENTS_AT_ONCE, Wanted, convert, open_ntuple
from quarkline.studies.tagging.simulate.config import SimulateConfig
from quarkline.studies.tagging.simulate.samples import draw_events, files

Event = Mapping[str, Any]
OWNERS = {
    TRACKS.name: ntuple.TRACK_JETS,
    CLUSTERS.name: ntuple.CLUSTER_JET,
    SEGMENTS.name: ntuple.SEGMENT_JETS,
}
SORTED_BY = {TRACKS.name: "track_pT", CLUSTERS.name: "clus_pt"}
SOURCES = {
    TRACKS.name: ntuple.TRACKS,
    CLUSTERS.name: ntuple.CLUSTERS,
    SEGMENTS.name: ntuple.SEGMENTS,
}


def turned(angle: float) -> float:
    """An angle in [-pi, pi)."""
    return (angle + math.pi) % (2 * math.pi) - math.pi


def own(event: Event, stream: str, jet: int) -> list[int]:
    """The constituents of a jet of an event, the hardest first."""
    owners = event[OWNERS[stream]]
    found = [
        place
        for place, owner in enumerate(owners)
        if (jet in owner if isinstance(owner, list) else owner == jet)
    ]
    if stream in SORTED_BY:
        momenta = event[SORTED_BY[stream]]
        found.sort(key=lambda place: -momenta[place])
    return found


def row_of(event: Event, jet: int) -> dict[str, float]:
    """The padded row of one jet."""
    row = {name: event[name][jet] for name in ntuple.JETS}
    row |= {name: event[name] for name in (*ntuple.EVENT, ntuple.WEIGHT)}
    for stream in STREAMS:
        members = own(event, stream.name, jet)
        for name in SOURCES[stream.name]:
            values = [event[name][place] for place in members]
            if name in {"clus_eta", "clus_phi"} and values:
                values = [value - values[0] for value in values]
            elif name in {"track_eta", "MSeg_etaPos"}:
                values = [value - event["jet_eta"][jet] for value in values]
            elif name in {"track_phi", "MSeg_phiPos", "MSeg_phiDir"}:
                values = [value - event["jet_phi"][jet] for value in values]
            if "phi" in name:
                values = [turned(value) for value in values]
            kept = values[: stream.rows] + [0.0] * (stream.rows - len(values))
            row |= {f"{ntuple.renamed(name)}_{place}": value for place, value in enumerate(kept)}
    return row


def rows_of(event: Event, cuts: Cuts) -> Iterator[dict[str, float]]:
    """A row of each jet of an event that passes, the hardest first."""
    momenta = event["jet_pT"]
    for jet in sorted(range(len(momenta)), key=lambda jet: -momenta[jet]):
        if cuts.min_pt <= momenta[jet] < cuts.max_pt and abs(event["jet_eta"][jet]) <= 2.5:
            yield row_of(event, jet)


def by_loop(path: Path, cuts: Cuts, events: int, target: Path) -> int:
    """Write the jets of the first events, event by event; their number."""
    rows: list[dict[str, float]] = []
    with open_ntuple(path) as source:
        for chunk in source.chunks(ntuple.BRANCHES["qcd"], step=min(EVENTS_AT_ONCE, events)):
            for event in ak.to_list(chunk.array):
                rows += rows_of(event, cuts)
            break
    names = list(rows[0])
    pq.write_table(pa.table({name: [row[name] for row in rows] for name in names}), target)
    return len(rows)


def events_of(path: Path | None) -> ak.Array:
    """The events of an ntuple, or simulated ones."""
    if path is None:
        config = SimulateConfig()
        file = next(file for file in files(config) if file.source == "qcd")
        return draw_events(replace(file, jets=150), config, seed=1)[:100]
    with open_ntuple(path) as source:
        return source.read(ntuple.BRANCHES["qcd"])


def repeated(events: ak.Array, copies: int, target: Path) -> int:
    """Write events many times; their number."""
    with open_sink(target) as sink:
        for _ in range(copies):
            sink.write(events[list(ntuple.BRANCHES["qcd"])])
    return copies * len(events)


def timed(work: Any) -> tuple[Any, float, float]:
    """What some work gives, its processor time and its time in seconds."""
    clock, processor = time.perf_counter(), time.process_time()
    found = work()
    return found, time.process_time() - processor, time.perf_counter() - clock


def compare(loop: Path, ours: Path, jets: int) -> None:
    """Say whether the jets of the loop are the first of ours, column by column."""
    one, other = pq.read_table(loop), pq.read_table(ours).slice(0, jets)
    names = [name for name in one.column_names if ntuple.renamed(name) in other.column_names]
    worst = max(
        float(
            np.nanmax(
                np.abs(
                    one[name].to_numpy().astype(np.float64)
                    - other[ntuple.renamed(name)].to_numpy().astype(np.float64)
                )
                / (1 + np.abs(one[name].to_numpy().astype(np.float64)))
            )
        )
        for name in names
    )
    print(f"{jets:,} jets in {len(names)} columns agree within {worst:.1e}")


def main() -> None:
    """Repeat, convert both ways, compare."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("ntuple", type=Path, nargs="?")
    parser.add_argument("--copies", type=int, default=300)
    parser.add_argument("--loop-events", type=int, default=2000)
    options = parser.parse_args()
    cuts = Cuts(trigger_distance=None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large = folder / "large.parquet"
        events = repeated(events_of(options.ntuple), options.copies, large)
        some = min(options.loop_events, events)
        size = large.stat().st_size / 1e6
        print(f"{events:,} events, {size:.0f} MB; the loop does {some:,} of them")
        jets, processor, clock = timed(lambda: by_loop(large, cuts, some, folder / "loop.parquet"))
        slow = processor / some
        print(
            f"loop      {1e6 * slow:8.1f} us an event   {processor:6.1f} s processor, {clock:.1f} s"
        )
        for layout in ("none", "upstream"):
            wanted = Wanted("qcd", cuts, (0.0, 0.0), layout)
            target = folder / f"{layout}.parquet"
            found, processor, clock = timed(
                lambda wanted=wanted, target=target: convert(large, wanted, target)
            )
            fast = processor / events
            print(
                f"{'ours' if layout == 'none' else 'flat':<10}{1e6 * fast:8.1f} us an event   "
                f"{processor:6.1f} s processor, {clock:.1f} s: {slow / fast:.0f} times faster"
                f" ({found.rows:,} jets)"
            )
        compare(folder / "loop.parquet", folder / "upstream.parquet", jets)


if __name__ == "__main__":
    main()
