"""An epoch of the CalRatio trainer's network and procedure, and the same in Keras, in turn.

21,140 jets and 8,980 of a control region, of which 90 % train, in 50 batches: two steps of the
adversary on a batch of the control region, then one of the classifier. Only the training is
timed, not the reading or the figures. Batches of both sides take turns, so that what else runs on
the computer slows both.

    python benchmarks/tagging_epoch.py --keras PYTHON [--jets FILE] [--rounds N] [--threads N]

PYTHON is an interpreter with TensorFlow 2.13; without it only our side is measured. FILE is an
npz with arrays `constit`, `track`, `MSeg` and `jet` of real jets and the `source` of each, which
are drawn from in the shares of the trainer's files; without it objects are random numbers, as many
as real jets have on average.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
MAIN, CONTROL, SPLITS = 19_026, 8_082, 50
SHAPES = {"constit": (30, 12), "track": (20, 10), "MSeg": (30, 6), "jet": (3,)}
OBJECTS = {"constit": 10.4, "track": 5.0, "MSeg": 3.7}
"""Mean numbers of objects in 192 real jets of all kinds."""
SHARES = ({"sig": 0.09, "cr": 0.38, "bib": 0.53}, {"cr": 1.0})
"""Sources of main jets and of those of the control region."""
CHUNK = 10
"""Batches that one side trains in a row."""


def main() -> None:
    """Measure both sides and print seconds an epoch."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keras", help="interpreter with TensorFlow 2.13")
    parser.add_argument("--jets", help="npz of real jets")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    sides = {"ours": sys.executable, **({"Keras": given.keras} if given.keras else {})}
    workers = {
        name: worker(python, name, given.threads, given.jets) for name, python in sides.items()
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for _ in range(given.rounds):
        for name, process in workers.items():
            times[name] += chunk(process)
    print(f"{given.threads} threads, {given.rounds * CHUNK} batches each, load {os.getloadavg()}")
    for name, found in times.items():
        print(f"{name:6}", described(found))
    if given.keras:
        for number, what in enumerate(("processor", "time")):
            ours, theirs = ([row[number] for row in times[name]] for name in ("ours", "Keras"))
            print(f"Keras / ours, {what}: {ratio(theirs, ours)}")
    else:
        print("Keras: not measured, since no `--keras PYTHON` was given")
    for process in workers.values():
        process.communicate()


def worker(python: str, name: str, threads: int, jets: str | None) -> subprocess.Popen[str]:
    """A process that trains a chunk for each line it is sent."""
    file = HERE / ("tagging_epoch_keras.py" if name == "Keras" else "tagging_epoch_ours.py")
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "TF_CPP_MIN_LOG_LEVEL": "3"}
    process = subprocess.Popen(
        [python, str(file), str(threads), jets or ""],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    chunk(process)  # tracing, and first use of memory
    return process


def chunk(process: subprocess.Popen[str]) -> list[tuple[float, float]]:
    """Seconds of the processor and of the clock for each batch of a chunk."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError
    process.stdin.write("go\n")
    process.stdin.flush()
    line = process.stdout.readline()
    while line and not line.startswith("["):
        line = process.stdout.readline()
    return [(used, passed) for used, passed in json.loads(line)]


def serve(step: object) -> None:
    """In a worker: train the next batches for each line that comes in."""
    batch = 0
    for _ in sys.stdin:
        found = []
        for _ in range(CHUNK):
            used, passed = time.process_time(), time.perf_counter()
            step(batch % SPLITS)  # type: ignore[operator]
            found.append((time.process_time() - used, time.perf_counter() - passed))
            batch += 1
        print(json.dumps(found), flush=True)


def jets(file: str) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Arrays of the main jets and of the control region, and which of these pads it."""
    draw = np.random.default_rng(1)
    numbers = zip((MAIN, CONTROL), SHARES, strict=True)
    parts = [_drawn(draw, number, shares, file) for number, shares in numbers]
    return parts[0], parts[1], np.pad(np.arange(CONTROL), (0, MAIN - CONTROL), mode="symmetric")


def _drawn(
    draw: np.random.Generator, number: int, shares: dict[str, float], file: str
) -> list[np.ndarray]:
    if file:
        with np.load(file) as held:
            wanted = draw.choice(list(shares), number, p=list(shares.values()))
            rows = np.empty(number, np.int64)
            for name in shares:
                own = wanted == name
                rows[own] = draw.choice(np.flatnonzero(held["source"] == name), own.sum())
            return [held[name][rows].clip(-20, 20).astype(np.float32) for name in SHAPES]
    arrays = []
    for name, shape in SHAPES.items():
        values = draw.normal(size=(number, *shape)).astype(np.float32)
        if name in OBJECTS:
            there = np.arange(shape[0]) < draw.poisson(OBJECTS[name], number)[:, None]
            values *= there[:, :, None]
        arrays.append(values)
    return arrays


def described(times: list[tuple[float, float]]) -> str:
    """Seconds an epoch: quartiles over batches."""
    words = []
    for name, values in zip(("processor", "time"), zip(*times, strict=True), strict=True):
        low, middle, high = (SPLITS * value for value in statistics.quantiles(values, n=4))
        words.append(f"{name} {middle:.2f} s an epoch (quartiles {low:.2f} to {high:.2f})")
    return ", ".join(words)


def ratio(theirs: list[float], ours: list[float]) -> str:
    """Ratio of medians, and the range of it over chunks that followed each other."""
    pairs = [
        statistics.median(theirs[start : start + CHUNK])
        / statistics.median(ours[start : start + CHUNK])
        for start in range(0, len(ours), CHUNK)
    ]
    low, _, high = statistics.quantiles(pairs, n=4)
    whole = statistics.median(theirs) / statistics.median(ours)
    return f"{whole:.2f} (quartiles of neighbours {low:.2f} to {high:.2f})"


if __name__ == "__main__":
    main()
