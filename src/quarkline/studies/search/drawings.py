"""The figures of a search: each is drawn from one result, by one function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from quarkline.engine.core.results import Result, result_from_json
from quarkline.engine.store.atomic import write_atomic
from quarkline.events.selection import CutFlow
from quarkline.learning.training.scan import LearningRateScan
from quarkline.statistics.evaluation.binned import AUTOMATIC
from quarkline.studies.search.results import Skim, Training

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from quarkline.statistics.evaluation import HistStack


@dataclass(frozen=True)
class Drawing:
    """One figure.

    Attributes:
        function: Name of the function in `quarkline.figures`.
        result: Name of the result that it draws.
        of: What of the result it takes; the result itself by default. None draws nothing.
    """

    function: str
    result: str
    of: Callable[[Any], Any] = lambda result: result


METRICS = ("train_loss", "validation_loss", "auc", "accuracy", "learning_rate", "gradient_norm")
"""Those that are drawn; the report's table and the files `metrics.csv` have all."""


def _metrics(training: Training) -> dict[str, dict[str, list[float]]]:
    """Metrics by fold and member."""
    several = len({fold.member for fold in training.folds}) > 1
    return {
        f"fold {fold.fold + 1}" + (f", member {fold.member + 1}" if several else ""): {
            name: fold.metrics[name] for name in METRICS if name in fold.metrics
        }
        for fold in training.folds
    }


def _scan(training: Training) -> LearningRateScan | None:
    return training.folds[0].scan


def _flows(skim: Skim) -> dict[str, CutFlow]:
    """The cut-flow of each sample with the cuts of the first one."""
    flows = {sample.name: sample.flow for sample in skim.samples if sample.flow.steps}
    names = {sample: [step.name for step in flow.steps] for sample, flow in flows.items()}
    first = next(iter(names.values()), [])
    return {sample: flow for sample, flow in flows.items() if names[sample] == first}


STACK = "score"
DRAWINGS: Mapping[str, Drawing] = {
    STACK: Drawing("plot_stack", "stack"),
    "binned_significance": Drawing(
        "plot_binned_significance", "binned", lambda result: result.binning(AUTOMATIC)
    ),
    "significance_scan": Drawing("plot_significance_scan", "scan"),
    "yields": Drawing("plot_yields", "scan"),
    "roc_curves": Drawing("plot_roc_curves", "roc"),
    "signal_roc": Drawing("plot_signal_roc", "roc"),
    "confusion_matrix": Drawing("plot_confusion_matrix", "confusion"),
    "confusion_signal": Drawing("plot_confusion_matrix", "confusion_binary"),
    "overtraining": Drawing("plot_overtraining", "overtraining"),
    "calibration": Drawing("plot_calibration", "calibration"),
    "training": Drawing("plot_training_metrics", "training", _metrics),
    "learning_rate": Drawing(
        "plot_learning_rate_scan", "training", lambda item: item.folds[0].scan
    ),
    "importance": Drawing("plot_importance", "permutation"),
    "attribution": Drawing("plot_attribution", "gradients"),
    "systematics": Drawing("plot_score_shifts", "systematics"),
    "agreement": Drawing("plot_agreement", "agreement"),
    "correlation_signal": Drawing("plot_correlation", "correlation_signal"),
    "correlation_background": Drawing("plot_correlation", "correlation_background"),
    "cut_flow": Drawing("plot_cut_flow", "skim", _flows),
}
"""Figures by name; those whose result is absent are not drawn."""

INPUT = "input_"
"""What the names of the figures of features begin with."""


def draw(args: Mapping[str, Any], _: Mapping[str, Path], folder: Path) -> Any:
    """Task: draw one figure.

    Args:
        args: `name` of the figure; `result` as JSON; `label`, the line above it; `fills`, number
            of the fill and colour given by sample of a stack.
        folder: Takes the figure in every form.
    """
    from quarkline import figures

    name, result = args["name"], result_from_json(args["result"])
    label = figures.Label(**args["label"])
    if name.startswith(INPUT) or name == STACK:
        figure = figures.plot_stack(
            cast("HistStack", result), colors=colours(args["fills"]), label=label
        )
    else:
        figure = _drawn(name, result, label)
    figures.save(figure, folder / name)
    write_atomic(folder / f"{name}.svg", figures.to_svg(figure))
    return None


def _drawn(name: str, result: Result, label: Any) -> Figure:
    from quarkline import figures

    drawing = DRAWINGS[name]
    function: Callable[..., Figure] = getattr(figures, drawing.function)
    return function(drawing.of(result), label=label)


def colours(fills: Mapping[str, tuple[int, str | None]]) -> dict[str, str]:
    """The colour of each sample: the one it is given, or the usual one of its place."""
    from quarkline.figures.style import fills as usual_fills

    usual = usual_fills(1 + max((number for number, _ in fills.values()), default=0))
    return {name: given or usual[number].color for name, (number, given) in fills.items()}
