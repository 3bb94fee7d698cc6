"""The figures of a training under the names of upstream, each drawn from kept numbers alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from quarkline.engine.core.results import Result, result_from_json
from quarkline.engine.store.atomic import write_atomic
from quarkline.statistics.tagging import (
    OutputAgreement,
    OutputHistogram,
    TaggedShares,
    TaggerCurves,
    TaggerMerit,
)
from quarkline.statistics.tagging.outputs import CONTROL
from quarkline.studies.tagging.watch.judged import JudgedTagger
from quarkline.studies.tagging.watch.quantities import KS, WORST
from quarkline.studies.tagging.watch.record import EpochRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from quarkline.figures import Label

FORMS = ("pdf", "png", "json", "svg")
EPOCH_DPI = 100
"""Of the figures of epochs, which are many and looked at on a screen."""


@dataclass(frozen=True)
class HistoryDrawing:
    """A figure of quantities over the epochs.

    Attributes:
        y_label: What is drawn.
        curves: Names of the quantities by words of the legend.
    """

    y_label: str
    curves: Mapping[str, str]


_BOTH = ("Training", "Validation")

HISTORY: Mapping[str, HistoryDrawing] = {
    "train_adv_loss": HistoryDrawing("Adversary loss", {_BOTH[0]: "adv_loss"}),
    "test_adv_loss": HistoryDrawing("Adversary loss", {_BOTH[1]: "val_adv_loss"}),
    "adv_acc": HistoryDrawing(
        "Adversary accuracy", dict(zip(_BOTH, ("adv_acc", "val_adv_acc"), strict=True))
    ),
    "main_nn_loss": HistoryDrawing(
        "Classifier loss",
        dict(zip(_BOTH, ("original_lossf", "val_original_lossf"), strict=True)),
    ),
    "main_network_acc": HistoryDrawing(
        "Classifier accuracy",
        dict(zip(_BOTH, ("original_acc", "val_original_acc"), strict=True)),
    ),
    "train_main_adv_loss": HistoryDrawing(
        "Adversary loss in the classifier's step", {_BOTH[0]: "original_adv_lossf"}
    ),
    "test_main_adv_loss": HistoryDrawing(
        "Adversary loss in the classifier's step", {_BOTH[1]: "val_original_adv_lossf"}
    ),
    "main_adv_acc": HistoryDrawing(
        "Adversary accuracy in the classifier's step",
        dict(zip(_BOTH, ("original_adv_acc", "val_original_adv_acc"), strict=True)),
    ),
    **{
        f"ks_{output}": HistoryDrawing(
            f"Sum of K-S distances, {title} output", {"Validation": KS[output]}
        )
        for output, title in (("qcd", "QCD"), ("sig", "signal"), ("bib", "BIB"))
    },
    WORST: HistoryDrawing("Largest K-S distance", {"Validation": WORST}),
}


def epoch_figures(
    record: EpochRecord, *, label: Label, note: str = ""
) -> Iterator[tuple[str, Figure]]:
    """All figures of an epoch with their names, `003_main_sig_predictions_linear` for one.

    Figures of one kind are drawn on the same axes, one after the other, which is faster: each may
    be used until the next one is asked for.

    Args:
        record: The epoch.
        label: The line above the figures.
        note: A line of words in the frames.
    """
    from quarkline.figures.style import wiped

    frames: dict[bool, Figure] = {}
    for name, histogram in record.histograms.items():
        kind = _of_control(histogram)
        ax = wiped(frames[kind]) if kind in frames else None
        frames[kind] = _of_outputs(name, histogram, record.agreement, label=label, note=note, ax=ax)
        yield f"{record.epoch:03d}_{name}", frames[kind]


def draw_epoch(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Task: draw all figures of an epoch.

    Args:
        args: `label`, the line above the figures; `note`; `forms` of the files, of `FORMS`.
        inputs: The `record` of the epoch.
        folder: Takes the figures.

    Returns:
        Their names.
    """
    from quarkline import figures

    record, names = EpochRecord.read(inputs["record"]), []
    look = {"label": figures.Label(**args["label"]), "note": args["note"]}
    for name, figure in epoch_figures(record, **look):
        _save(figure, folder, name, args["forms"], dpi=EPOCH_DPI)
        names.append(name)
    return names


def history_args(records: Sequence[EpochRecord], chosen: int | None) -> dict[str, dict[str, Any]]:
    """What `draw_one` takes for each figure over the epochs; those of unknown quantities are left.

    Args:
        records: The epochs in their order.
        chosen: The epoch that is used.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, drawing in HISTORY.items():
        curves = {
            words: [record.history[quantity] for record in records]
            for words, quantity in drawing.curves.items()
            if all(quantity in record.history for record in records)
        }
        if curves and records:
            args = {"curves": curves, "y_label": drawing.y_label, "chosen": chosen}
            found[name] = {"draws": "history", **args, **_by_chance(name, records)}
    return found


def final_args(judged: JudgedTagger) -> dict[str, dict[str, Any]]:
    """What `draw_one` takes for each figure of the chosen epoch on the test jets, by name."""
    found: dict[str, Result] = {}
    for fine, linear in zip(judged.fine, judged.linear, strict=True):
        found[f"{fine.output}_predictions"] = fine
        found[f"{fine.output}_predictions_linear"] = linear
        found[f"{fine.output}_predictions_half_linear"] = linear
    found |= {f"adv_{one.output}_predictions": one for one in judged.control}
    found |= {"signal_llp_efficiencies": judged.shares, "bkg_falsePositives": judged.shares}
    nothing = replace(judged.curves, cuts=(), masses=())
    for curve in judged.curves.cuts:
        part = f"cut{curve.fraction:g}" if curve.fraction else ""
        found[f"roc_curve_atlas_rej_bib_{part}_None"] = replace(nothing, cuts=(curve,))
    for curve in judged.curves.masses:
        name = f"roc_curve_atlas_rej_bib_mH{curve.mass}_None"
        found[name] = replace(nothing, masses=(curve,))
    for scan in judged.merit.curves:
        found[f"SoverB_scan_{scan.name}_None"] = TaggerMerit((scan,))
    agreement = judged.agreement
    return {
        name: {
            "draws": "result",
            "result": result.as_json(),
            "agreement": agreement.as_json() if agreement and name.startswith("adv_") else None,
        }
        for name, result in found.items()
    }


def draw_one(args: Mapping[str, Any], _: Mapping[str, Path], folder: Path) -> Any:
    """Task: draw one figure in every form.

    Args:
        args: What `history_args` or `final_args` give, with `name`, `label` and `note`.
        folder: Takes the figure.

    Returns:
        A list of its name.
    """
    _save(one_figure(args), folder, args["name"], FORMS)
    return [args["name"]]


def _save(
    figure: Figure, folder: Path, name: str, forms: Sequence[str], *, dpi: float | None = None
) -> None:
    from quarkline import figures

    plain = [form for form in forms if form != "svg"]
    figures.save(figure, folder / name, formats=plain, dpi=dpi)
    if "svg" in forms:
        write_atomic(folder / f"{name}.svg", figures.to_svg(figure))


def one_figure(args: Mapping[str, Any]) -> Figure:
    """The figure that `draw_one` saves."""
    from quarkline import figures

    label = figures.Label(**args["label"])
    if args["draws"] == "history":
        given = {name: args[name] for name in ("curves", "y_label", "chosen", "expected", "limit")}
        return figures.plot_epoch_history(**given, label=label)
    result, name = result_from_json(args["result"]), args["name"]
    if isinstance(result, OutputHistogram):
        agreement = args["agreement"] and OutputAgreement.from_json(args["agreement"])
        return _of_outputs(name, result, agreement, label=label, note=args["note"])
    if isinstance(result, TaggedShares):
        if name == "bkg_falsePositives":
            return figures.plot_false_positives(result.background, label=label)
        return figures.plot_signal_efficiencies(result.signal, label=label)
    if isinstance(result, TaggerCurves):
        return figures.plot_rejection(result, label=label)
    return figures.plot_merit(cast("TaggerMerit", result).curves[0], label=label)


def _of_control(histogram: OutputHistogram) -> bool:
    return {part.name for part in histogram.parts} == set(CONTROL.values())


def _of_outputs(
    name: str,
    histogram: OutputHistogram,
    agreement: OutputAgreement | None,
    *,
    label: Label,
    note: str,
    ax: tuple[Axes, ...] | None = None,
) -> Figure:
    """A figure of an output; the name says how."""
    from quarkline import figures

    if _of_control(histogram):
        test = None if agreement is None else agreement.test(histogram.output, histogram.region)
        return figures.plot_output_agreement(
            histogram, test, log_x=True, note=note, ax=ax, label=label
        )
    return figures.plot_outputs(
        histogram,
        log_x="linear" not in name,
        log_y_axis=not name.endswith("_predictions_linear"),
        note=note,
        ax=None if ax is None else ax[0],
        label=label,
    )


def _by_chance(name: str, records: Sequence[EpochRecord]) -> dict[str, Any]:
    """Median and 95 % of the permutations of a quantity of K-S distances, after each epoch."""
    nothing = {"expected": None, "limit": None}
    output = name.removeprefix("ks_")
    agreements = [record.agreement for record in records]
    if name == output or not all(one and one.permutations for one in agreements):
        return nothing
    sums = [
        next(one for one in (*agreement.sums, agreement.worst) if one.name == output)
        for agreement in agreements
        if agreement is not None
    ]
    return {"expected": [one.expected for one in sums], "limit": [one.limit for one in sums]}
