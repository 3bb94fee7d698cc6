"""Features of flat events: what reading and preparing them costs beside evaluating expressions.

    python benchmarks/features.py FILE... --features LIST.yaml [--objects jets_pt ...]
        [--events 1000000] [--repeat 3]

The columns are read once and repeated up to the number of events. Timed, in processor time: every
expression evaluated by itself, `FeatureReader.arrays`, the fit of `Preprocess`, its tensors and
its matrix.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import awkward as ak

from quarkline.events.expressions import Batch, compile_expression
from quarkline.events.sources import open_source
from quarkline.learning.features.config import FeaturesConfig
from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.features.reader import FeatureReader


def timed(name: str, work: Callable[[], object], repeat: int) -> None:
    """Print the least and the largest processor time of some repetitions."""
    seconds = []
    for _ in range(repeat):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    print(f"{name:24} {min(seconds):6.2f} s  (to {max(seconds):.2f} s)")


def main() -> None:
    """Read, repeat, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--features", required=True)
    parser.add_argument("--categorical", default=[])
    parser.add_argument("--objects", default=[], nargs="*")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    objects = {"objects": {"features": options.objects, "length": 6}} if options.objects else {}
    config = FeaturesConfig.model_validate(
        {
            "use": options.features,
            "categorical": options.categorical,
            "objects": objects,
            "missing": [-99, -999],
        }
    )
    spec, parts = config.spec(), []
    for path in options.files:
        with open_source(path) as source:
            schema = source.schema
            reader = FeatureReader.of(spec, schema)
            parts.append(source.read(sorted(reader.columns)))
    events = ak.concatenate(parts)
    times = -(-options.events // len(events))
    table = ak.concatenate([events] * times)[: options.events]
    columns = {name: ak.to_packed(table[name]) for name in table.fields}
    print(f"{len(table):,} events, {len(columns)} columns")

    expressions = [compile_expression(item.expression.text, schema) for item in reader.every]

    def evaluate() -> None:
        batch = Batch(columns)
        for expression in expressions:
            expression.evaluate(batch)

    timed("expressions alone", evaluate, options.repeat)
    timed("arrays", lambda: reader.arrays(Batch(columns)), options.repeat)
    arrays = reader.arrays(Batch(columns))
    timed("fit", lambda: Preprocess.fit(spec, arrays), options.repeat)
    preprocess = Preprocess.fit(spec, arrays)
    timed("tensors", lambda: preprocess.tensors(arrays), options.repeat)
    timed("matrix", lambda: preprocess.matrix(arrays), options.repeat)
    print(f"load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
