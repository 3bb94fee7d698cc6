"""What a classifier is trained against, and in which space, by method."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quarkline.engine.core.rng import rng
from quarkline.learning.models.folds import Floats, Grouped, Rows
from quarkline.studies.resonance.events import Pairs, read_features, read_masses, read_pairs
from quarkline.studies.resonance.results import Classification, ComparedMethod

TEMPLATES = "templates"
FLOW = "flow"


@dataclass(frozen=True)
class Problem:
    """Everything one repetition may learn from, in the space its classifier sees.

    Attributes:
        args: The task's `features`, `window`, `seed` and `repetition`.
        inputs: The task's files.
        searched: The pairs that are searched.
    """

    args: Mapping[str, Any]
    inputs: Mapping[str, Path]
    searched: Pairs


def _generated(problem: Problem) -> Grouped:
    return Rows.numbered(read_features(problem.inputs[TEMPLATES], problem.args["features"]))


def _beside(problem: Problem) -> Grouped:
    return problem.searched[~problem.searched.in_window]


def _given(problem: Problem) -> Grouped:
    window = problem.searched.window
    pairs = read_pairs(problem.inputs[TEMPLATES], problem.args["features"], window).searched()
    return pairs[pairs.in_window]


def _noise(problem: Problem) -> Grouped:
    """As many events of noise as are generated in the window, new ones in each repetition."""
    shape = (len(read_masses(problem.inputs[TEMPLATES])), len(problem.args["features"]))
    generator = rng(problem.args["seed"], "noise", problem.args["repetition"])
    return Rows.numbered(generator.standard_normal(shape))


@dataclass(frozen=True)
class Method:
    """One way to get background to learn against.

    Attributes:
        title: Name in figures and tables.
        against: What data in the window are told from, in words.
        templates: Reads or makes that background.
        source: Which file it comes from: "window" for generated events, "background" for the
            given sample, None for the pairs themselves.
        latent: Whether events are seen as the noise that a flow makes them of.
        of_fit: Whether the background depends on the degree and bins of the fit.
    """

    title: str
    against: str
    templates: Callable[[Problem], Grouped]
    source: str | None
    latent: bool = False
    of_fit: bool = False


METHODS: Mapping[str, Method] = {
    "cathode": Method(
        "CATHODE", "events that the flows generate there", _generated, "window", of_fit=True
    ),
    "cwola": Method("CWoLa", "data in the sidebands", _beside, None),
    "ideal": Method("Ideal", "a given sample of background there", _given, "background"),
    "lacathode": Method(
        "LaCATHODE", "noise, in the latent space of a flow", _noise, "window", latent=True
    ),
}
"""Every method by its name in a config, after CATHODE (arXiv:2109.00546), CWoLa hunting
(arXiv:1805.02664) and LaCATHODE (arXiv:2210.14924)."""

CLASSIFIER_NAMES = {"bdt": "BDT", "mlp": "MLP"}
"""Every kind of classifier as figures and tables show it."""


def method_name(item: ComparedMethod | Classification) -> str:
    """A method and its classifier as tables show them: `CATHODE, BDT`."""
    return f"{METHODS[item.method].title}, {CLASSIFIER_NAMES[item.classifier]}"


BACKGROUND = "background_pairs"
"""Input of the stages and items that read the given sample of background."""


def template_files(inputs: Mapping[str, Any], window: Path) -> dict[str, Path]:
    """The file of each `Method.source` there is; `window` holds the generated events."""
    return {"window": window} | ({"background": inputs[BACKGROUND]} if BACKGROUND in inputs else {})


def method_inputs(
    name: str, repetition: int, files: Mapping[str, Path], flows: Sequence[Path]
) -> dict[str, Path]:
    """The files that one repetition of a method reads beside the pairs.

    Args:
        name: The method.
        repetition: Its number; repetitions in latent space take turns with the flows.
        files: The file of each `Method.source`.
        flows: Folders of the trained flows.
    """
    method = METHODS[name]
    templates = {TEMPLATES: files[method.source]} if method.source else {}
    return templates | ({FLOW: flows[repetition % len(flows)]} if method.latent else {})


def seen(features: Floats, mass: Floats, inputs: Mapping[str, Path]) -> Floats:
    """Features as the classifier sees them: as they are, or as a flow's noise; shape (N, F)."""
    if FLOW not in inputs:
        return features
    from quarkline.learning.models.artifact import load_model
    from quarkline.learning.models.flow import ConditionalFlow

    return load_model(inputs[FLOW], ConditionalFlow).latent(features, mass)


def seen_pairs(pairs: Pairs, inputs: Mapping[str, Path]) -> Pairs:
    """Pairs with their features as the classifier sees them."""
    return replace(pairs, features=seen(pairs.features, pairs.mass, inputs))


def seen_names(features: Sequence[str], inputs: Mapping[str, Path]) -> list[str]:
    """Names of the features as the classifier sees them."""
    return [f"noise_{name}" for name in features] if FLOW in inputs else list(features)
