"""The figure of the choice of an epoch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quarkline.engine.store.atomic import write_atomic
from quarkline.studies.tagging.analyze.choose import Choice

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from quarkline.figures import Label


def draw_choice(choice: Choice, place: Path, *, label: Label | None = None) -> None:
    """Draw all epochs and the choice among them, in every form."""
    from quarkline import figures

    names = dict.fromkeys(item.training for item in choice.candidates)
    of = {name: [item for item in choice.candidates if item.training == name] for name in names}
    figure = figures.plot_choice(
        {
            _legend(name): ([item.ks for item in items], [item.performance for item in items])
            for name, items in of.items()
        },
        front=[(item.ks, item.performance) for item in choice.front],
        chosen=(choice.chosen.ks, choice.chosen.performance),
        limit=choice.limit,
        x_label="Worst K-S distance" if choice.ks == "worst" else "Sum of K-S distances",
        y_label=choice.performance,
        label=label,
    )
    save_all(figure, place)


def _legend(training: str) -> str:
    """Trainings of one run have numbers only; those of several tell the run."""
    return f"training {training}" if training.isdigit() else training


def save_all(figure: Figure, place: Path) -> None:
    """Save a figure in every form that a report takes."""
    from quarkline import figures

    figures.save(figure, place)
    write_atomic(place.with_name(f"{place.name}.svg"), figures.to_svg(figure))


CHOICE = "choice"


def draw_choice_item(args: Mapping[str, Any], _: Mapping[str, Path], folder: Path) -> Any:
    """Task: draw the choice.

    Args:
        args: `choice` as JSON; `label`, the line above the figure.
        folder: Takes the figure in every form.
    """
    from quarkline.figures import Label

    label = Label(**args["label"])
    draw_choice(Choice.from_json(args["choice"]), folder / CHOICE, label=label)
    return None
