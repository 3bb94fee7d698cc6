"""Watching a training and drawing its figures, beside the same figures drawn in the plain way.

What the CalRatio trainer does on the critical path after each epoch: K-S tests, 12 figures of the
control region, 3 of the classes and 11 of the history. Ours keeps a record (tests with
permutations, histograms) while it trains, and draws from records afterwards. The plain way is
`pyplot` with the same binning, a new figure each, as PNG, without permutations.

    python benchmarks/tagging_watch.py [--rounds N] [--permutations N]

Validation jets are those of 21,140 main jets and 8,980 of the control region: 1,057 and 449.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from quarkline import figures
from quarkline.statistics.tagging import OUTPUTS, bin_rows
from quarkline.statistics.tagging.outputs import FINE, LINEAR
from quarkline.studies.tagging.watch.config import WatchConfig
from quarkline.studies.tagging.watch.drawings import draw_epoch, history_args, one_figure
from quarkline.studies.tagging.watch.quantities import TRAINING, WatchedJets
from quarkline.studies.tagging.watch.record import read_records, record_path
from quarkline.studies.tagging.watch.watcher import Watcher

MAIN, CONTROL, EPOCHS = 1057, 449, 30
LABEL = {"experiment": "", "text": "Simulation", "luminosity": "13 TeV"}


class Validation:
    """Validation jets by chance, and the outputs of a network for them."""

    def __init__(self, main: int = MAIN, control: int = CONTROL) -> None:
        draw = np.random.default_rng(1)
        self.main, self.control = (
            WatchedJets(
                draw.integers(0, classes, number),
                draw.lognormal(0.0, 1.0, number),
                40.0 + draw.exponential(100.0, number),
            )
            for classes, number in ((3, main), (2, control))
        )
        outputs = draw.dirichlet((1, 1, 1), main), draw.dirichlet((3, 1, 1), control)
        self.outputs = {"": outputs[0], "control": np.c_[outputs[1], draw.uniform(size=control)]}

    def watcher(self, folder: Path, permutations: int) -> Watcher:
        """What writes the records of these jets."""
        config = WatchConfig(permutations=permutations)
        return Watcher(folder, self.main, self.control, config)


def watch_epoch(watcher: Watcher, jets: Validation, number: int) -> None:
    """Write the record of an epoch: all that is done while the training waits."""
    watcher.epoch(number, None, jets.outputs, dict.fromkeys(TRAINING, 0.5))


def draw_from_record(folder: Path, number: int) -> None:
    """Draw the 15 figures of an epoch from its record, as PNG."""
    args = {"label": LABEL, "note": "", "forms": ["png"]}
    draw_epoch(args, {"record": record_path(folder, number)}, folder / "figures")


def draw_history(folder: Path) -> None:
    """Draw the 11 figures of the history from all records, as PNG."""
    for name, args in history_args(read_records(folder), None).items():
        figure = one_figure({**args, "label": LABEL, "note": "", "name": name})
        figures.save(figure, folder / "figures" / name, formats=["png"], dpi=100)


def draw_plainly(jets: Validation, folder: Path, epochs: int) -> None:
    """Draw the same 26 figures from the jets with pyplot, a new figure each."""
    folder.mkdir(exist_ok=True)
    control, main = jets.outputs["control"], jets.outputs[""]
    regions = {
        "all": np.ones(len(control), np.bool_),
        **bin_rows(jets.control.jet_pt, (0, 125, 250, 500)),
    }
    for region, rows in regions.items():
        for place, output in enumerate(OUTPUTS):
            figure, ax = plt.subplots()
            for label in (0, 1):
                chosen = rows & (jets.control.label == label)
                _plain(ax, control[chosen, place], jets.control.weight[chosen], FINE, label)
            ax.set(yscale="log", xscale="log", xlim=(2e-5, 1), ylim=(1e-3, 2), xlabel=output)
            _finish(figure, ax, folder / f"{region}_{output}.png")
    for place, output in enumerate(OUTPUTS):
        figure, ax = plt.subplots()
        for label in (0, 1, 2):
            chosen = jets.main.label == label
            _plain(ax, main[chosen, place], jets.main.weight[chosen], LINEAR, label)
        ax.set(ylim=(0, 1.2), xlabel=output)
        _finish(figure, ax, folder / f"main_{output}.png")
    for number in range(11):
        figure, ax = plt.subplots()
        for label in (0, 1):
            ax.plot(np.arange(epochs), np.full(epochs, label), label=str(label))
        ax.set(xlabel="Epoch", ylabel="Loss")
        _finish(figure, ax, folder / f"history_{number}.png")


def _plain(
    ax: mpl.axes.Axes, x: np.ndarray, weight: np.ndarray, edges: np.ndarray, label: int
) -> None:
    heights = np.histogram(x, edges, weights=weight)[0] / max(weight.sum(), 1e-9)
    errors = np.sqrt(np.histogram(x, edges, weights=weight**2)[0]) / max(weight.sum(), 1e-9)
    if label == 1:
        ax.stairs(heights, edges, fill=True, alpha=0.5, color="red", label="1")
        return
    middles = (edges[1:] + edges[:-1]) / 2
    look = {"fmt": "ok", "mfc": "w" if label else "k"}
    ax.errorbar(middles, heights, yerr=errors, label=str(label), **look)


def _finish(figure: mpl.figure.Figure, ax: mpl.axes.Axes, path: Path) -> None:
    ax.legend(title="13 TeV")
    figure.savefig(path)
    plt.close(figure)


def seconds(work: Callable[[int], None], rounds: int) -> str:
    """Median seconds of the processor and of the clock, with the range over rounds."""
    found = []
    for number in range(rounds):
        used, passed = time.process_time(), time.perf_counter()
        work(number)
        found.append((time.process_time() - used, time.perf_counter() - passed))
    words = []
    for name, values in zip(("processor", "time"), zip(*found, strict=True), strict=True):
        middle = statistics.median(values)
        words.append(f"{name} {middle:.3f} s ({min(values):.3f} to {max(values):.3f})")
    return ", ".join(words)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--permutations", type=int, default=200)
    given = parser.parse_args()
    mpl.use("agg")
    jets = Validation()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        watcher = jets.watcher(folder, given.permutations)
        for number in range(EPOCHS):
            watch_epoch(watcher, jets, number)
        draw_from_record(folder, 0)  # first use of fonts
        draw_plainly(jets, folder / "plain", EPOCHS)
        work: dict[str, Callable[[int], None]] = {
            "watch, while training": lambda number: watch_epoch(watcher, jets, number),
            "draw an epoch, later": lambda number: draw_from_record(folder, number),
            "draw the history, once": lambda _: draw_history(folder),
            "draw both in the plain way": lambda _: draw_plainly(jets, folder / "plain", EPOCHS),
        }
        print(f"an epoch, {given.permutations} permutations, load {os.getloadavg()}")
        for name, one in work.items():
            print(f"{name:26}", seconds(one, given.rounds))


if __name__ == "__main__":
    main()
