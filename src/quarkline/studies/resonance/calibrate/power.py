"""Stage `power`: pseudo-experiments with known signal through the whole chain.

A pseudo-experiment has as many pairs as the data, on average, drawn from generated background, each
at most once, and pairs of the given signal sample. It gets its own flow, generated background and
classifiers, the declared cut and the fit.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.findings import Rule, WorkError
from quarkline.engine.core.rng import library_seed, rng
from quarkline.engine.workflow.stage import Context
from quarkline.events.table import write_table
from quarkline.statistics import HuntBinning, power
from quarkline.studies.resonance.background import train_flow
from quarkline.studies.resonance.calibrate.data import CalibrationConfig, CalibrationData, Floats
from quarkline.studies.resonance.calibration_results import ChainPower
from quarkline.studies.resonance.check_inputs import BAD_FILES
from quarkline.studies.resonance.classify import train_repetition
from quarkline.studies.resonance.config import ClassifierConfig, FlowConfig, Method
from quarkline.studies.resonance.events import (
    CONTROL,
    MASS,
    Pairs,
    read_features,
    read_masses,
    read_pairs,
)
from quarkline.studies.resonance.generate import flow_inputs, generate
from quarkline.studies.resonance.hunt import Hunter
from quarkline.studies.resonance.layout import SelectConfig
from quarkline.studies.resonance.methods import BACKGROUND, method_inputs, template_files
from quarkline.studies.resonance.select import select_file

NO_SIGNAL = Rule(
    "QL-RES-030",
    "the signal sample has pairs in the window",
    "Pseudo-experiments take their signal from `calibration.power.files`, which go through the "
    "selection of the data. Without a selected pair in the window there is nothing to add.",
)
SMALL_POOL = Rule(
    "QL-RES-031",
    "the generated background is larger than the data",
    "A pseudo-experiment takes every generated event at most once, because an event that is there "
    "twice would be learned in one fold and recognised in another.",
)


class PowerStageConfig(CalibrationConfig):
    """What the pseudo-experiments depend on."""

    select: SelectConfig
    method: Method
    flow: FlowConfig
    oversample: float
    classifier: ClassifierConfig
    working_point: float
    strengths: list[float]
    experiments: int


def run(context: Context) -> dict[str, Any]:
    """Select the signal, then one item a pseudo-experiment."""
    config: PowerStageConfig = context.config
    events = len(CalibrationData(context).pairs)
    files = [
        Item(path.name, _selection(config), {"file": path}) for path in context.inputs["files"]
    ]
    selected = context.map("signal", select_file, files)
    if bad := [item for item in selected if item.value["problem"]]:
        raise WorkError(
            *(BAD_FILES.finding(f"{item.name}: {item.value['problem']}") for item in bad)
        )
    signal = {
        f"signal-{number}": item.folder / "pairs.parquet"
        for number, item in enumerate(selected, start=1)
    }
    shared = config.model_dump(mode="json", exclude={"select", "strengths", "experiments"}) | {
        "events": events
    }
    given = context.files("pool", *(name for name in (BACKGROUND,) if name in context.inputs))
    items = [
        Item(
            f"{strength:g} events, experiment {number}",
            shared | {"strength": strength, "number": number},
            given | signal,
        )
        for strength in config.strengths
        for number in range(1, config.experiments + 1)
    ]
    done = context.map("experiment", experiment, items)
    found = np.array([[item.value["z"], item.value["z_inclusive"]] for item in done], dtype=float)
    z = found.reshape(len(config.strengths), config.experiments, 2)
    by_strength = list(zip(config.strengths, z, strict=True))
    result = ChainPower(
        rate=config.working_point,
        events=float(events),
        chain=tuple(power(strength, part[:, 0]) for strength, part in by_strength),
        inclusive=tuple(power(strength, part[:, 1]) for strength, part in by_strength),
    )
    context.summary(
        " · ".join(
            f"{item.injected:g} events: Z = {item.z_mean.value:.1f}" for item in result.chain
        )
    )
    return {"power": result}


def _selection(config: PowerStageConfig) -> dict[str, Any]:
    """What the selection of a whole file of signal takes."""
    return {"select": config.select.model_dump(mode="json"), "stop": None}


def experiment(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Task: one pseudo-experiment; its significance behind the cut and without one."""
    seed = library_seed(args["seed"], "power", f"{args['strength']:g}", args["number"])
    work = folder / "work"
    work.mkdir(exist_ok=True)
    pairs = work / "pairs.parquet"
    write_pairs(pairs, drawn(args, inputs, rng(seed, "events")), args["features"])
    own = {**args, "seed": seed}
    rank = chain(own, inputs, pairs, work)
    events = read_pairs(pairs, args["features"], tuple(args["window"]))
    degree, bins = args["hypothesis"]
    hunter = Hunter(events, HuntBinning(tuple(args["range"]), tuple(args["window"]), bins), degree)
    _, hunts = hunter.behind(rank, [args["working_point"], 1.0])
    shutil.rmtree(work)
    return dict(zip(("z", "z_inclusive"), hunts.z.tolist(), strict=True))


def drawn(
    args: Mapping[str, Any], inputs: Mapping[str, Path], generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """Masses (N,) and features (N, F) of the pairs of one pseudo-experiment.

    Raises:
        WorkError: If the pool is too small, or no signal lies in the window.
    """
    masses, features = read_masses(inputs["pool"]), read_features(inputs["pool"], args["features"])
    background = generator.poisson(args["events"])
    if background > len(masses):
        raise WorkError(
            SMALL_POOL.finding(
                f"a pseudo-experiment of {background:,} pairs needs more than the {len(masses):,} "
                "generated ones",
                suggestion=f"background: {{pool: {10 * background}}}",
            )
        )
    chosen = generator.choice(len(masses), background, replace=False)
    added = added_signal(args, inputs, generator)
    return (
        np.concatenate([masses[chosen], added.mass]),
        np.concatenate([features[chosen], added.features]),
    )


def added_signal(
    args: Mapping[str, Any], inputs: Mapping[str, Path], generator: np.random.Generator
) -> Pairs:
    """Pairs of the signal sample: a Poisson number with the wanted mean in the window.

    What the sample has beside the window comes in addition. Pairs are taken once each while there
    are enough of them.
    """
    sample = read_signal(inputs, args["features"], tuple(args["window"]))
    inside = int(sample.in_window.sum())
    if not inside:
        low, high = args["window"]
        raise WorkError(
            NO_SIGNAL.finding(
                f"none of {len(sample):,} selected signal pairs lies in {low:g} to {high:g} GeV",
                suggestion="give `calibration.power.files` a sample of the resonance searched for",
            )
        )
    number = generator.poisson(args["strength"] * len(sample) / inside)
    if number > len(sample):
        raise WorkError(
            NO_SIGNAL.finding(
                f"{args['strength']:g} events in the window take {number:,} signal pairs, and "
                f"{len(sample):,} are selected",
                suggestion="lower `calibration.power.strengths`, or give more signal files",
            )
        )
    return sample[generator.choice(len(sample), number, replace=False)]


def read_signal(
    inputs: Mapping[str, Path], features: Sequence[str], window: tuple[float, float]
) -> Pairs:
    """The selected pairs of all signal files."""
    parts = [
        read_pairs(path, features, window).searched()
        for name, path in inputs.items()
        if name.startswith("signal-")
    ]
    return Pairs(
        mass=np.concatenate([part.mass for part in parts]),
        features=np.concatenate([part.features for part in parts]),
        group=np.concatenate([part.group for part in parts]),
        control=np.concatenate([part.control for part in parts]),
        window=window,
    )


def write_pairs(path: Path, events: tuple[Floats, Floats], features: Sequence[str]) -> None:
    """Write masses (N,) and features (N, F) as a table of pairs, each its own event."""
    mass, values = events
    columns = {
        MASS: mass,
        CONTROL: np.zeros(len(mass), dtype=bool),
        "_group": np.arange(len(mass), dtype=np.int64),
    }
    write_table(path, columns | {name: values[:, i] for i, name in enumerate(features)})


def chain(args: Mapping[str, Any], inputs: Mapping[str, Path], pairs: Path, work: Path) -> Floats:
    """The score of each pair, from a flow and classifiers trained on these pairs alone."""
    flow, window = work / "flow", work / "window"
    for folder in (flow, window):
        folder.mkdir(exist_ok=True)
    train_flow({**args, "number": 1}, {"pairs": pairs}, flow)
    flows = [flow / "model"]
    generate({**args, "kind": "window"}, {"pairs": pairs, **flow_inputs(flows)}, window)
    files = template_files(inputs, window / "events.parquet")
    ranks = []
    for repetition in range(args["classifier"]["ensemble"]):
        folder = work / f"repetition-{repetition}"
        folder.mkdir(exist_ok=True)
        read = {"pairs": pairs, **method_inputs(args["method"], repetition, files, flows)}
        train_repetition({**args, "repetition": repetition}, read, folder)
        ranks.append(np.load(folder / "pairs.npy", allow_pickle=False)[0])
    return np.asarray(np.mean(ranks, axis=0))
