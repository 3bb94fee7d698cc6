"""Scores of a million events in friends, against reading the branches and the bare network.

    python benchmarks/scoring.py FILE... --features LIST.yaml [--categorical LIST.yaml]
        [--objects jets_pt ...] [--events 1000000] [--files 5] [--model '{"kind": "resnet"}']

The events of FILE are repeated into ntuples (zlib), with event numbers of their own. The model has
five folds of random weights, and the preprocessing of each is fitted to the events; how long a
network takes does not depend on its weights. Timed on one thread, in processor and clock time:

- reading: the branches of the features and of the group, chunk by chunk, and nothing else;
- network: the logits of as many events, in batches, of tensors that are there already;
- scoring: what `quarkline score` does for each file, from the ntuple to the friend.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import awkward as ak
import numpy as np
import torch
from pydantic import TypeAdapter

from quarkline.engine.compute.threads import limit_this_process
from quarkline.engine.store.filekeys import file_key
from quarkline.events.expressions import Batch
from quarkline.events.sinks import open_sink
from quarkline.events.sources import open_source
from quarkline.events.sources.base import record_array
from quarkline.learning.features.config import FeaturesConfig
from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.features.reader import FeatureReader
from quarkline.learning.features.spec import FeatureSpec
from quarkline.learning.models.artifact import model_key, save_model
from quarkline.learning.models.config import ModelConfig
from quarkline.learning.models.event_model import EventModel
from quarkline.learning.models.folded import FoldedModel
from quarkline.learning.models.networks import BATCH, Network, build_network
from quarkline.learning.scoring.branches import Branches
from quarkline.learning.scoring.fold_key import FoldKey, Origin
from quarkline.learning.scoring.run import ScoreRequest
from quarkline.learning.scoring.scorer import Scorer
from quarkline.learning.scoring.tasks import STEP_ROWS, score_file

GROUP = ("mcChannelNumber", "genEventID")
IDENTITY = ("runNumber", "eventNumber")
FOLDS = 5
CLASSES = ("lq", "ttH", "ttbar", "VV", "Zjets")


def main() -> None:
    """Repeat the events, then time the three."""
    options = arguments()
    limit_this_process(1)
    torch.set_num_threads(1)
    print(f"load before: {os.getloadavg()[0]:.1f}")
    spec = features(options)
    with tempfile.TemporaryDirectory(dir=options.work) as name:
        folder = Path(name)
        files = replicate(options, spec, folder)
        model = untrained(options, spec, files[0])
        save_model(model, folder / "model")
        for _ in range(options.repeat):
            compare(model, files, folder)
    print(f"load after: {os.getloadavg()[0]:.1f}")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+", type=Path)
    parser.add_argument("--features", required=True)
    parser.add_argument("--categorical", default=[])
    parser.add_argument("--objects", default=[], nargs="*")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, default=5)
    parser.add_argument("--model", type=json.loads, default={"kind": "resnet"})
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--work", type=Path, default=None, help="folder for large files")
    return parser.parse_args()


def features(options: argparse.Namespace) -> FeatureSpec:
    """What the model sees."""
    objects = {"objects": {"features": options.objects, "length": 6}} if options.objects else {}
    said = {
        "use": options.features,
        "categorical": options.categorical,
        "objects": objects,
        "missing": [-99, -999],
    }
    return FeaturesConfig.model_validate(said).spec()


def replicate(options: argparse.Namespace, spec: FeatureSpec, folder: Path) -> list[Path]:
    """Files with the events of the given ones in random order, over and over."""
    parts = []
    for path in options.sources:
        with open_source(path) as source:
            names = columns_of(spec, path)
            parts.append(source.read(names))
    events = ak.concatenate(parts)
    draw, files = np.random.default_rng(1), []
    for number in range(options.files):
        count = options.events // options.files
        path = folder / f"{number}.root"
        with open_sink(path, tree="nominal", compression="zlib:1") as sink:
            for start in range(0, count, STEP_ROWS):
                rows = draw.integers(0, len(events), min(STEP_ROWS, count - start))
                sink.write(renumbered(ak.to_packed(events[rows]), number * count + start))
        files.append(path)
    size = sum(path.stat().st_size for path in files)
    branches = len(columns_of(spec, files[0]))
    print(f"{options.events:,} events, {branches} branches, {size / 1e6:.0f} MB")
    return files


def renumbered(events: ak.Array, first: int) -> ak.Array:
    """Events with numbers of their own; about three of them were generated together."""
    count = len(events)
    own = {
        "eventNumber": np.arange(first, first + count, dtype=np.uint64),
        "genEventID": (np.arange(first, first + count) // 3).astype(np.int32),
    }
    columns = {name: events[name] for name in events.fields} | own
    arrays = {
        name: column if isinstance(column, ak.Array) else ak.from_numpy(column)
        for name, column in columns.items()
    }
    return record_array(arrays, count)


def columns_of(spec: FeatureSpec, path: Path) -> list[str]:
    """The branches of features, group and identity."""
    with open_source(path) as source:
        return sorted(FeatureReader.of(spec, source.schema).columns | {*GROUP, *IDENTITY})


def untrained(options: argparse.Namespace, spec: FeatureSpec, path: Path) -> FoldedModel:
    """A model of random weights."""
    config = TypeAdapter(ModelConfig).validate_python(options.model)
    with open_source(path) as source:
        reader = FeatureReader.of(spec, source.schema)
        arrays = reader.arrays(source.read(sorted(reader.columns), 0, 20_000))
    preprocess = Preprocess.fit(spec, arrays)

    def fold(number: int) -> tuple[EventModel]:
        module = build_network(config, preprocess.geometry, len(CLASSES), seed=number).eval()
        return (EventModel(config, CLASSES, preprocess, Network(module), arrays[:32]),)

    return FoldedModel(tuple(map(fold, range(FOLDS))), GROUP, IDENTITY, 1, "0" * 32)


def compare(model: FoldedModel, files: list[Path], folder: Path) -> None:
    """Time reading, network and scoring, and print how much more the whole takes."""
    reading = timed("reading", lambda: read(model, files))
    network = timed("network", network_of(model, files))
    scoring = timed("scoring", lambda: score(model, files, folder))
    for kind, number in (("processor", 0), ("clock", 1)):
        ratio = scoring[number] / (reading[number] + network[number])
        print(f"  scoring takes {ratio:.2f} of reading and network ({kind} time)")


def timed(name: str, work: Callable[[], object]) -> tuple[float, float]:
    """Print what some work takes; its seconds of processor and clock."""
    processor, clock = time.process_time(), time.perf_counter()
    work()
    taken = time.process_time() - processor, time.perf_counter() - clock
    print(f"{name:10} {taken[0]:7.2f} s of processor {taken[1]:7.2f} s by the clock")
    return taken


def read(model: FoldedModel, files: list[Path]) -> None:
    """Read what scoring needs, as it reads it."""
    for path in files:
        with open_source(path) as source:
            key = FoldKey.of(model, source, Origin.SIMULATION)
            names = sorted(Scorer.of(model, source.schema, key).columns)
            for _ in source.chunks(names, step=STEP_ROWS):
                pass


def network_of(model: FoldedModel, files: list[Path]) -> Callable[[], object]:
    """The network on tensors of as many events as the files have."""
    member = model.members[0][0]
    with open_source(files[0]) as source:
        reader = FeatureReader.of(model.spec, source.schema)
        entries = source.schema.entries
        batch = Batch(source.read(sorted(reader.columns), 0, min(entries, 20 * BATCH)))
        tensors = member.preprocess.tensors(reader.arrays(batch))
    module = member.predictor.module

    def batches() -> Iterator[tuple[torch.Tensor, ...]]:
        for _ in files:
            for start in range(0, entries, BATCH):
                at = start % (len(tensors[0]) - BATCH + 1) if len(tensors[0]) > BATCH else 0
                count = min(BATCH, entries - start)
                yield tuple(tensor[at : at + count] for tensor in tensors)

    def run() -> None:
        with torch.inference_mode():
            for inputs in batches():
                torch.softmax(module(*inputs), dim=1)

    return run


def score(model: FoldedModel, files: list[Path], folder: Path) -> None:
    """Make the friend of each file, as a worker does."""
    key = model_key(folder / "model")
    request = ScoreRequest(folder / "model", key, Branches.of(model.classes, "signal", None))
    for path in files:
        item = request.item(path.name, path, file_key(path).digest)
        score_file(item.args, item.inputs, folder)


if __name__ == "__main__":
    main()
