"""What stage `figures` does for the watched trainings: items that are drawn in parallel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quarkline.engine.compute.outcome import Done, Item
from quarkline.engine.workflow.stage import Context
from quarkline.studies.tagging.watch.config import DrawConfig
from quarkline.studies.tagging.watch.drawings import (
    FORMS,
    draw_epoch,
    draw_one,
    final_args,
    history_args,
)
from quarkline.studies.tagging.watch.judged import JudgedTagger
from quarkline.studies.tagging.watch.record import read_records, record_path


def draw_training(
    context: Context,
    training: Path,
    chosen: int,
    judged: JudgedTagger | None,
    *,
    label: Mapping[str, str],
    config: DrawConfig,
    folder: Path,
) -> list[str]:
    """Draw the figures of a training into a folder; each item is kept for the next run.

    Args:
        context: Of the stage.
        training: Folder of the training, with `epochs/NNN.npz`.
        chosen: The epoch that is used, from 0.
        judged: What its network is worth on the test jets; None without.
        label: The line above the figures: `experiment`, `text` and `luminosity`.
        config: Which epochs are drawn, and how.
        folder: Takes the figures.

    Returns:
        Their names.
    """
    look = {"label": dict(label), "note": config.note}
    single = _single_items(training, chosen, judged, look)
    done = context.map("figure", draw_one, single)
    done += context.map("epoch", draw_epoch, _epoch_items(training, chosen, config, look))
    return [name for item in done for name in _placed(context, item, folder)]


def _single_items(
    training: Path, chosen: int, judged: JudgedTagger | None, look: Mapping[str, Any]
) -> list[Item]:
    drawn = history_args(read_records(training), chosen)
    drawn |= final_args(judged) if judged else {}
    return [Item(name, {**args, **look, "name": name}) for name, args in drawn.items()]


def _epoch_items(
    training: Path, chosen: int, config: DrawConfig, look: Mapping[str, Any]
) -> list[Item]:
    """An epoch an item; the chosen one comes in all forms. A continued training lacks the first."""
    known = {record.epoch for record in read_records(training)}
    return [
        Item(
            f"epoch {epoch}",
            {**look, "forms": list(FORMS if epoch == chosen else config.forms)},
            {"record": record_path(training, epoch)},
        )
        for epoch in config.drawn(max(known) + 1, chosen)
        if epoch in known
    ]


def _placed(context: Context, item: Done, folder: Path) -> list[str]:
    """Put the files of an item into the stage's folder."""
    names: list[str] = item.value
    for path in sorted(item.folder.iterdir()):
        if path.suffix.removeprefix(".") in FORMS and path.stem in names:
            context.place(path, folder / path.name)
    return names
