"""Stage `generate`: background events from the flows, in the window, beside it and everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.config import Config
from quarkline.engine.core.findings import Rule, WorkError
from quarkline.engine.core.rng import rng
from quarkline.engine.workflow.stage import Context
from quarkline.events.table import write_table
from quarkline.statistics import HuntBinning, fit_batch, hunt_model
from quarkline.studies.resonance.events import MASS, Pairs, read_pairs

Floats = NDArray[np.float64]

GRID = 4001
"""Points on which a density of masses is tabulated for drawing; the steps are below 3 MeV."""

NO_BACKGROUND = Rule(
    "QL-RES-007",
    "the sidebands fix the background in the window",
    "Generated background needs a positive expectation in the window, from a converged fit of the "
    "sidebands. Use a lower degree, or keep more events.",
)


class GenerateConfig(Config):
    """What the generated background depends on."""

    features: list[str]
    range: tuple[float, float]
    window: tuple[float, float]
    hypotheses: list[tuple[int, int]]
    oversample: float
    pool: int
    seeds: int
    seed: int


def hypothesis_name(degree: int, bins: int) -> str:
    """File name of what belongs to one degree and number of bins."""
    return f"degree{degree}-bins{bins}"


def run(context: Context) -> dict[str, Any]:
    """One item a set of events: one a hypothesis in the window, the sidebands, and the pool."""
    config: GenerateConfig = context.config
    shared = config.model_dump(mode="json", include={"features", "range", "window", "seed"})
    flows = [context.path("flows") / str(number) for number in range(1, config.seeds + 1)]
    inputs = context.files("pairs") | flow_inputs(flows)
    nominal = list(config.hypotheses[0])
    window = [
        Item(
            f"window {hypothesis_name(*pair)}",
            shared | {"kind": "window", "hypothesis": list(pair), "oversample": config.oversample},
            inputs,
        )
        for pair in config.hypotheses
    ]
    other = [
        Item("sidebands", shared | {"kind": "sidebands", "hypothesis": nominal}, inputs),
        Item(
            "pool", shared | {"kind": "pool", "hypothesis": nominal, "events": config.pool}, inputs
        ),
    ]
    done = context.map("generate", generate, [*window, *other])
    names = window_names(config.hypotheses)
    outputs = {
        name: context.place(item.folder / "events.parquet", context.out / f"{name}.parquet")
        for name, item in zip([*names, "sidebands", "pool"], done, strict=True)
    }
    context.summary(
        f"{done[0].value['events']:,} background events in the window, "
        f"{done[0].value['expected']:,.0f} expected"
    )
    return outputs


def window_names(hypotheses: Sequence[tuple[int, int]]) -> list[str]:
    """The outputs that hold background in the window, one a hypothesis."""
    return [f"window-{hypothesis_name(*pair)}" for pair in hypotheses]


def output_names(hypotheses: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """All outputs of the stage."""
    return (*window_names(hypotheses), "sidebands", "pool")


def generate(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Task: one set of generated events."""
    window = tuple(args["window"])
    pairs = read_pairs(inputs["pairs"], args["features"], window).searched()
    kind = args["kind"]
    generator = rng(args["seed"], "generate", kind, *args["hypothesis"])
    expected, masses = _masses(kind, args, pairs, generator)
    features = _features(masses, inputs, generator)
    columns = {MASS: masses} | {name: features[:, i] for i, name in enumerate(args["features"])}
    write_table(folder / "events.parquet", columns)
    return {"events": len(masses), "expected": expected}


def _masses(
    kind: str, args: Mapping[str, Any], pairs: Pairs, generator: np.random.Generator
) -> tuple[float, Floats]:
    """Expected background events and the masses to generate features for."""
    if kind == "sidebands":
        masses = pairs.mass[~pairs.in_window]
        return float(len(masses)), masses
    binning = HuntBinning(tuple(args["range"]), tuple(args["window"]), args["hypothesis"][1])
    low, high = args["window"] if kind == "window" else args["range"]
    grid = np.linspace(low, high, GRID)
    density = background_density(pairs.mass, binning, args["hypothesis"][0], grid)
    expected = float(np.trapezoid(density, grid))
    if expected <= 0:
        raise WorkError(NO_BACKGROUND.finding("the sidebands' fit expects no background events"))
    count = args["events"] if kind == "pool" else round(args["oversample"] * expected)
    return expected, draw(grid, density, count, generator)


def background_density(mass: Floats, binning: HuntBinning, degree: int, at: Floats) -> Floats:
    """The sidebands' fit in events per GeV at masses `at`, with shape (N,); never negative.

    Raises:
        WorkError: If the fit is not certified.
    """
    fit = fit_batch(binning.count(mass), degree)
    if fit.failed:
        raise WorkError(NO_BACKGROUND.finding("the fit of the sidebands did not converge"))
    values = hunt_model(binning, degree).shape.values(at) @ fit.coefficients
    return np.asarray(np.maximum(values, 0.0) / binning.width)


def draw(grid: Floats, density: Floats, count: int, generator: np.random.Generator) -> Floats:
    """Draw `count` values from a density given on a grid, by inverting its integral."""
    steps = (density[1:] + density[:-1]) / 2 * np.diff(grid)
    cumulative = np.concatenate([[0.0], np.cumsum(steps)])
    return np.asarray(np.interp(generator.random(count) * cumulative[-1], cumulative, grid))


def _features(masses: Floats, inputs: Mapping[str, Path], generator: np.random.Generator) -> Floats:
    """Features for each mass; the flows take turns, so that each serves an equal share."""
    from quarkline.learning.models.artifact import load_model
    from quarkline.learning.models.flow import ConditionalFlow

    folders = [path for name, path in inputs.items() if name.startswith("flow-")]
    flows = [load_model(folder, ConditionalFlow) for folder in folders]
    features = np.empty((len(masses), len(flows[0].scaler.scales)))
    for index, flow in enumerate(flows):
        features[index :: len(flows)] = flow.sample(masses[index :: len(flows)], generator)
    return features


def flow_inputs(flows: Sequence[Path]) -> dict[str, Path]:
    """The folders of trained flows as inputs of an item, in order."""
    return {f"flow-{number}": folder for number, folder in enumerate(flows, start=1)}
