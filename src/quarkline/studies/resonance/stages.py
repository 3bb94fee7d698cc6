"""The stages of a resonance search, in order."""

from __future__ import annotations

from typing import Any

from quarkline.engine.workflow.stage import Files, Stage
from quarkline.studies.resonance import (
    background,
    check_flows,
    classify,
    compare,
    figures,
    generate,
    hunt,
    select,
)
from quarkline.studies.resonance.calibrate.stages import calibration_stages, drawn_inputs
from quarkline.studies.resonance.check_inputs import (
    InputFile,
    background_files,
    hypotheses,
    input_files,
)
from quarkline.studies.resonance.config import ResonanceConfig, classifier_of_kind
from quarkline.studies.resonance.layout import SelectConfig, whole_files
from quarkline.studies.resonance.material import FiguresConfig
from quarkline.studies.resonance.methods import METHODS


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
    retrain = config.fit.variations.retrain and METHODS[config.background.kind].of_fit
    trained = pairs_of if retrain else pairs_of[:1]
    common = {"features": features, "window": window, "seed": seed}
    in_range = common | {"range": config.resonance.range}
    rates = config.fit.scan.rates
    given = {"background_pairs": "select-background.background_pairs"}
    given = given if config.background.files else {}
    compared = {"comparison": "compare.comparison"} if config.comparison else {}
    return [
        *_selections(config),
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
            classify.ClassifyConfig(
                **common,
                hypotheses=trained,
                method=config.background.kind,
                flows=config.background.seeds,
                classifier=config.classifier,
            ),
            {
                "pairs": "select.pairs",
                "flows": "background.flows",
                "pool": "generate.pool",
                **{name: f"generate.{name}" for name in generate.window_names(trained)},
                **(given if config.background.kind == "ideal" else {}),
            },
            ("scores", "pool_scores", "models", "classification"),
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
                retrain=retrain,
            ),
            {"pairs": "select.pairs", "scores": "classify.scores"},
            ("working_point", "scans", "variations", "sculpting"),
            hunt.run,
        ),
        *calibration_stages(config, select_config(config), in_range, given),
        *_comparison(config, in_range, given),
        Stage(
            "figures",
            2,
            FiguresConfig(
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
                "classification": "classify.classification",
                "working_point": "hunt.working_point",
                "scans": "hunt.scans",
                "variations": "hunt.variations",
                **drawn_inputs(config),
                **compared,
            },
            ("figures",),
            figures.run,
        ),
    ]


def _selections(config: ResonanceConfig) -> list[Stage]:
    """The selection of the data, and of the files of background alone if there are any."""
    data, files, sections = (
        select_config(config),
        input_files(config.inputs),
        config.inputs.certified,
    )
    certified = {"certified": Files((sections,))} if sections else {}
    stages = [
        Stage(
            "select",
            1,
            select.SelectStageConfig(
                select=data,
                stops=[file.stop for file in files],
                allow_bad_files=config.inputs.allow_bad_files,
            ),
            {"files": _paths(files)} | certified,
            ("pairs", "selection"),
            select.run,
        )
    ]
    if background := background_files(config):
        stages.append(
            Stage(
                "select-background",
                1,
                select.SelectStageConfig(
                    select=whole_files(data),
                    stops=[None] * len(background),
                    allow_bad_files=0,
                ),
                {"files": _paths(background)},
                ("background_pairs", "background_selection"),
                select.run_background,
            )
        )
    return stages


def _paths(files: list[InputFile]) -> Files:
    return Files(tuple(file.path for file in files))


def _comparison(
    config: ResonanceConfig, in_range: dict[str, Any], given: dict[str, str]
) -> list[Stage]:
    """The comparison of methods, if it is asked for."""
    if config.comparison is None:
        return []
    asked = config.comparison
    return [
        Stage(
            "compare",
            1,
            compare.CompareConfig(
                **in_range,
                hypothesis=(config.fit.degree, config.fit.bins),
                rates=config.fit.scan.rates,
                working_point=config.fit.working_point,
                flow=config.background.flow,
                flows=config.background.seeds,
                oversample=config.background.oversample,
                methods=asked.methods,
                classifiers=[
                    classifier_of_kind(kind, config.classifier) for kind in asked.classifiers
                ],
                seeds=asked.seeds,
            ),
            {"pairs": "select.pairs", **(given if "ideal" in asked.methods else {})},
            ("comparison",),
            compare.run,
        )
    ]
