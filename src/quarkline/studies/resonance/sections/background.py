"""The flows, and whether their events look like data."""

from __future__ import annotations

from quarkline.report import Figures, Results, Row, Section, Table, Text, number, result_of
from quarkline.studies.resonance.results import BackgroundModel, FlowCheck
from quarkline.studies.resonance.sections.parts import without_unit


def background_section(results: Results, draw: Figures) -> Section:
    """Trainings of the flows, and generated events against data beside the window."""
    model = result_of(results, "training", BackgroundModel)
    check = result_of(results, "flow_check", FlowCheck)
    flows: list[Row] = [
        [
            flow.seed,
            len(flow.validation),
            flow.best + 1,
            flow.validation[flow.best],
            flow.log_likelihood,
        ]
        for flow in model.flows
    ]
    tests: list[Row] = [
        [name, check.ks_statistic[name], number(check.ks_p_value[name])]
        for name in check.ks_statistic
    ]
    areas: list[Row] = [
        ["both", number(check.auc)],
        ["lower", number(check.auc_low)],
        ["upper", number(check.auc_high)],
    ]
    return Section(
        "Background model",
        [
            Text(
                f"{len(model.flows)} conditional flows learned the features of "
                f"{model.sideband_events:,} sideband events as a function of mass; "
                f"held-out log-likelihood {number(without_unit(model.log_likelihood)).text} "
                f"nats an event.",
                "background",
            ),
            Table(
                "flows",
                ["flow", "epochs", "kept", "validation loss", "log-likelihood [nats]"],
                flows,
                "background",
                "Trainings.",
            ),
            draw(
                "training_losses",
                "Losses per epoch, with 5-epoch moving averages; the kept epochs are marked.",
                "background",
            ),
            Text(
                "Generated events are compared with data in the sidebands, where both are known. A "
                "classifier that sees the features but not the mass, scored out of fold, "
                "should not "
                "tell them apart.",
            ),
            Table(
                "auc",
                ["sidebands", "area under the ROC curve"],
                areas,
                "check-flows",
                "0.5 is indistinguishable.",
            ),
            Table(
                "ks",
                ["feature", "K-S distance", "p-value"],
                tests,
                "check-flows",
                "Kolmogorov-Smirnov tests.",
            ),
            draw("flow_check", "Sideband data and generated events.", "check-flows"),
            draw("roc_curve", "ROC curves of the classifier, one a repetition.", "check-flows"),
        ],
    )
