"""The stages of a search, in order."""

from __future__ import annotations

from quarkline.engine.workflow.stage import Files, Stage
from quarkline.events.expressions import nodes, parse
from quarkline.learning.features.spec import Feature, FeatureSpec
from quarkline.studies.search import skim
from quarkline.studies.search.classes import classes_of
from quarkline.studies.search.config import SearchConfig
from quarkline.studies.search.cut import CutConfig
from quarkline.studies.search.readings import readings_of


def columns_of(config: SearchConfig) -> list[str]:
    """The columns that features are made of, and those that shifted ones are."""
    spec = config.train.features.spec()
    texts = [feature.expression for feature in _features(spec)]
    for reading in readings_of(config).readings:
        texts += [*reading.columns, *reading.columns.values()]
    return sorted({name for text in texts for name in _names(text)})


def _features(spec: FeatureSpec) -> list[Feature]:
    inner = [feature for group in spec.objects for feature in group.features]
    return [*spec.continuous, *spec.categorical, *inner]


def _names(text: str) -> set[str]:
    """Names in an expression that may be columns."""
    found = {node.name for node in nodes.walk(parse(text)) if isinstance(node, nodes.Name)}
    return {name for name in found if not name.endswith("$")}


def _missing(spec: FeatureSpec) -> dict[str, list[float]]:
    """The values that stand for none, by the column they are in."""
    found: dict[str, dict[float, None]] = {}
    for feature in _features(spec):
        for name in _names(feature.expression):
            found.setdefault(name, {}).update(dict.fromkeys(feature.missing))
    return {name: list(values) for name, values in found.items() if values}


def stages(config: SearchConfig) -> list[Stage]:
    """The stages, in an order in which each follows its inputs."""
    return [_skim(config)]


def _skim(config: SearchConfig) -> Stage:
    read, inputs, train = readings_of(config), config.inputs, config.train
    cut = CutConfig(
        identity=inputs.identity,
        group=inputs.group or inputs.identity,
        keep=columns_of(config),
        missing=_missing(train.features.spec()),
        fraction=inputs.fraction,
        beyond=train.beyond.fraction if train.beyond else 1.0,
        folds=train.folds,
        seed=config.seed,
    )
    return Stage(
        "skim",
        1,
        skim.SkimConfig(
            region=str(train.region),
            cut=cut,
            readings=list(read.readings),
            classes=list(classes_of(config, str(train.region), train.classes)),
            roles={name: sample.role for name, sample in config.samples.items()},
            missing=[skim.short(path) for path in read.missing],
            allow_bad_files=inputs.allow_bad_files,
        ),
        {"files": Files(tuple(path for paths in read.paths for path in paths))},
        ("events", "shifted", "skim"),
        skim.run,
    )
