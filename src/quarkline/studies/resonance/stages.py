"""The stages of a resonance search, in order."""

from __future__ import annotations

from quarkline.engine.workflow.stage import Files, Stage
from quarkline.studies.resonance import (
    background,
    check_flows,
    classify,
    figures,
    generate,
    hunt,
    select,
)
from quarkline.studies.resonance.calibrate.stages import calibration_stages, drawn_inputs
from quarkline.studies.resonance.check_inputs import hypotheses, input_files
from quarkline.studies.resonance.config import ResonanceConfig
from quarkline.studies.resonance.layout import SelectConfig


def select_config(config: ResonanceConfig) -> SelectConfig:
    """The part of the config that the selection reads."""
    return SelectConfig(
        tree=config.inputs.tree,
        identity=config.inputs.identity,
        trigger=config.inputs.trigger,
        certified=config.inputs.certified is not None,
        objects=config.pair.objects,
        require=config.pair.require,
        sign=config.pair.sign,
        cuts=config.pair.cuts,
        range=config.resonance.range,
        window=config.resonance.window,
        features=config.features,
        fraction=config.inputs.fraction,
        seed=config.seed,
    )


def stages(config: ResonanceConfig) -> list[Stage]:
    """The stages, in an order in which each follows its inputs."""
    window, features, seed = config.resonance.window, config.features, config.seed
    pairs_of = hypotheses(config)
    trained = pairs_of if config.fit.variations.retrain else pairs_of[:1]
    common = {"features": features, "window": window, "seed": seed}
    in_range = common | {"range": config.resonance.range}
    files = input_files(config.inputs)
    rates = config.fit.scan.rates
    sections = config.inputs.certified
    certified = {"certified": Files((sections,))} if sections else {}
    return [
        Stage(
            "select",
            1,
            select.SelectStageConfig(
                select=select_config(config),
                stops=[file.stop for file in files],
                allow_bad_files=config.inputs.allow_bad_files,
            ),
            {"files": Files(tuple(file.path for file in files))} | certified,
            ("pairs", "selection"),
            select.run,
        ),
        Stage(
            "background",
            1,
            background.BackgroundStageConfig(
                **common, flow=config.background.flow, seeds=config.background.seeds
            ),
            {"pairs": "select.pairs"},
            ("flows", "training"),
            background.run,
        ),
        Stage(
            "generate",
            1,
            generate.GenerateConfig(
                **in_range,
                hypotheses=trained,
                oversample=config.background.oversample,
                pool=config.background.pool,
                seeds=config.background.seeds,
            ),
            {"pairs": "select.pairs", "flows": "background.flows"},
            generate.output_names(trained),
            generate.run,
        ),
        Stage(
            "check-flows",
            1,
            check_flows.CheckConfig(**common, classifier=config.classifier),
            {"pairs": "select.pairs", "sidebands": "generate.sidebands"},
            ("flow_check", "roc"),
            check_flows.run,
        ),
        Stage(
            "classify",
            1,
            classify.ClassifyConfig(**common, hypotheses=trained, classifier=config.classifier),
            {"pairs": "select.pairs", "pool": "generate.pool"}
            | {name: f"generate.{name}" for name in generate.window_names(trained)},
            ("scores", "pool_scores", "models"),
            classify.run,
        ),
        Stage(
            "hunt",
            1,
            hunt.HuntConfig(
                **in_range,
                hypotheses=pairs_of,
                rates=rates,
                working_point=config.fit.working_point,
                toys=config.fit.toys,
                retrain=config.fit.variations.retrain,
            ),
            {"pairs": "select.pairs", "scores": "classify.scores"},
            ("working_point", "scans", "variations", "sculpting"),
            hunt.run,
        ),
        *calibration_stages(config, select_config(config), in_range),
        Stage(
            "figures",
            1,
            figures.FiguresConfig(
                features=features,
                range=config.resonance.range,
                window=window,
                masses=config.resonance.marked,
                hypothesis=pairs_of[0],
                working_point=config.fit.working_point,
                labels=config.labels,
            ),
            {
                "selection": "select.selection",
                "pairs": "select.pairs",
                "training": "background.training",
                "sidebands": "generate.sidebands",
                "flow_check": "check-flows.flow_check",
                "roc": "check-flows.roc",
                "scores": "classify.scores",
                "working_point": "hunt.working_point",
                "scans": "hunt.scans",
                "variations": "hunt.variations",
                **drawn_inputs(config),
            },
            ("figures",),
            figures.run,
        ),
    ]
