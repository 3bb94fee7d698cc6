"""Two trainings of a small network that nobody trained, with records, weights and jets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from quarkline.engine.store.npy import NpyWriter
from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.features.ragged import RaggedObjects
from quarkline.learning.models.artifact import save_model
from quarkline.learning.models.config import StreamConfig, StreamNetworkConfig
from quarkline.learning.models.event_model import EventModel
from quarkline.learning.models.networks import Network, build_network
from quarkline.studies.tagging.columns import STREAMS
from quarkline.studies.tagging.features.choice import Split
from quarkline.studies.tagging.features.folder import MOMENTA, SPLIT
from quarkline.studies.tagging.jets import JetSet
from quarkline.studies.tagging.train.kept import MODEL, training_folder, write_weights
from quarkline.studies.tagging.upstream import CLASSES, INPUTS, examples
from quarkline.studies.tagging.watch.config import WatchConfig
from quarkline.studies.tagging.watch.quantities import WatchedJets
from quarkline.studies.tagging.watch.watcher import Watcher

SMALL = StreamNetworkConfig(
    streams=(StreamConfig(filters=(4,), nodes=2),), hidden=(8,), absent="zeros"
)
EPOCHS, JETS = 3, 240


@dataclass(frozen=True)
class Toy:
    """Folders as the stages `features` and `train` leave them."""

    main: Path
    control: Path
    trainings: Path


def toy(folder: Path, *, kept: tuple[int, ...] = (0, 1, 2), trainings: int = 2) -> Toy:
    """Write jets, and trainings of three epochs each."""
    made = Toy(folder / "main", folder / "control", folder / "trainings")
    write_jets(made.main, control=False)
    write_jets(made.control, control=True)
    for seed in range(trainings):
        write_training(made, seed, kept)
    return made


def write_jets(folder: Path, *, control: bool) -> None:
    """Jets whose label moves their momentum and clusters a little."""
    draw = np.random.default_rng(int(control))
    label = np.arange(JETS) % 3 if not control else 2 * (np.arange(JETS) % 2)
    streams = {}
    for stream in STREAMS:
        counts = draw.integers(0, 4, JETS)
        values = draw.normal(size=(counts.sum(), len(stream.columns)))
        values += 0.5 * np.repeat(label, counts)[:, None]
        streams[stream.name] = RaggedObjects.of(values.astype(np.float32), counts)
    mass = np.zeros((JETS, 2), np.float32)
    signal = np.flatnonzero(label == 1) if not control else np.zeros(0, np.int64)
    mass[signal] = np.where((signal % 2)[:, None], (125, 5), (600, 150))
    numbers = np.arange(JETS, dtype=np.uint64)
    jet = draw.normal(size=(JETS, 3)) + label[:, None]
    JetSet(
        jet.astype(np.float32),
        streams,
        label.astype(np.int8),
        np.ones(JETS),
        mass,
        numbers,
        numbers,
    ).save(folder)
    with NpyWriter(folder / SPLIT, np.int8) as split, NpyWriter(folder / MOMENTA, np.float32) as pt:
        split.append(np.where(numbers % 4 == 3, int(Split.TRAIN), Split.TEST).astype(np.int8))
        pt.append(draw.uniform(40, 450, JETS).astype(np.float32))


def write_training(made: Toy, seed: int, kept: tuple[int, ...]) -> None:
    """Weights at random, and records whose signal is told apart better with each epoch."""
    folder = training_folder(made.trainings, seed)
    preprocess = Preprocess.none(INPUTS)
    draw = np.random.default_rng(seed)
    label = np.repeat([0, 1, 2], 60).astype(np.int8)
    data = (np.arange(180) % 2).astype(np.int8)
    known = WatchedJets(label, np.ones(180), np.ones(180))
    region = WatchedJets(data, np.ones(180), draw.uniform(40, 450, 180))
    watcher = Watcher(folder, known, region, WatchConfig(permutations=0))
    for epoch in range(EPOCHS):
        module = build_network(SMALL, preprocess.geometry, 3, seed=10 * seed + epoch).eval()
        if epoch in kept:
            write_weights(folder, epoch, module)
        outputs = {"": _scores(draw, label, epoch + 0.2 * seed)}
        adversary = draw.uniform(0.4, 0.6, (180, 1))
        shown = _scores(draw, data, 0.4 * epoch)
        outputs["control"] = np.concatenate([shown, adversary], axis=1)
        losses = {"original_lossf": 1.0 - 0.1 * epoch, "adv_loss": 0.7, "original_acc": 0.5}
        watcher.epoch(epoch, module, outputs, losses)
    last = EventModel(SMALL, CLASSES, preprocess, Network(module), examples())
    save_model(last, folder / MODEL)


def _scores(draw: np.random.Generator, label: np.ndarray, strength: float) -> np.ndarray:
    logits = draw.normal(size=(len(label), 3))
    logits[np.arange(len(label)), label] += strength
    return torch.softmax(torch.from_numpy(logits), dim=1).numpy()
