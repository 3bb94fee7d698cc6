"""How the networks were trained."""

from __future__ import annotations

from quarkline.report import Block, Figures, Results, Row, Section, Table, Text, number
from quarkline.report import result_of as value_of
from quarkline.studies.tagging.train.results import TaggingTraining

CURVES = {
    "main_nn_loss": "Loss of the classifier, of the chosen training.",
    "main_network_acc": "Accuracy of the classifier.",
    "train_adv_loss": "Loss of the adversary in training.",
    "test_adv_loss": "Loss of the adversary on validation jets: ln 2 is a guess.",
    "adv_acc": "Accuracy of the adversary.",
}


def training_section(results: Results, draw: Figures) -> Section:
    """A row a training, and the curves of the chosen one."""
    training = value_of(results, "training", TaggingTraining)
    names = list(training.trainings[0].metrics)
    rows: list[Row] = [
        [
            one.seed,
            one.best,
            len(one.kept),
            *(number(one.metrics[name][one.best], 4) for name in names),
        ]
        for one in training.trainings
    ]
    again = f", going on from {training.parent}" * bool(training.parent)
    exactly = ", as the CalRatio trainer trained" * (training.compatibility == "upstream")
    jets = ", ".join(
        f"{trained:,} jets of the set `{name}` and {held:,} to validate"
        for name, (trained, held) in training.trainings[0].jets.items()
    )
    blocks: list[Block] = [
        Text(
            f"{len(training.trainings)} trainings of `{training.model}` with "
            f"{training.parameters:,} parameters against the adversary "
            f"`{training.adversary}`{exactly}{again}: {jets}.",
            "train",
        ),
        Table(
            "trained",
            ["training", "its best epoch", "weights kept", *names],
            rows,
            "train",
            "Quantities after the epoch with the least loss.",
        ),
    ]
    blocks += [
        draw(name, words, "train")
        for name, words in CURVES.items()
        if (draw.folder / f"{name}.svg").exists()
    ]
    return Section("Training", blocks)
