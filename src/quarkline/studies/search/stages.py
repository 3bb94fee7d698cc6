"""The stages of a search, in order."""

from __future__ import annotations

from pathlib import Path

from quarkline.catalog import Catalog
from quarkline.catalog.files import is_there
from quarkline.catalog.looks import groups, looks
from quarkline.catalog.tlatex import typeset
from quarkline.engine.workflow.stage import Files, Stage
from quarkline.events.expressions import nodes, parse
from quarkline.learning.features.spec import Feature, FeatureSpec
from quarkline.learning.models.config import NetworkConfig
from quarkline.studies.search import evaluate, features, figures, friends, skim, train
from quarkline.studies.search.classes import classes_of
from quarkline.studies.search.config import SearchConfig
from quarkline.studies.search.cut import CutConfig
from quarkline.studies.search.fits import measuring, template_figures, templates
from quarkline.studies.search.fits.parts import (
    controlled_part,
    drawn_part,
    filled_part,
    measured_part,
    with_places,
)
from quarkline.studies.search.fits.scored import (
    meanings_of,
    reads_scores,
    scored_catalog,
    scored_files,
)
from quarkline.studies.search.judge import REST, JudgedConfig, titles_of
from quarkline.studies.search.readings import NOMINAL, readings_of


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
    return [
        _skim(config),
        _features_stage(config),
        _train(config),
        _evaluate(config),
        *_friends(config),
        *_fit(config),
        _figures(config),
        *_controls(config),
    ]


def _skim(config: SearchConfig) -> Stage:
    read, inputs, train = readings_of(config), config.inputs, config.train
    cut = CutConfig(
        identity=inputs.identity_columns,
        group=inputs.group_columns,
        keep=columns_of(config),
        missing=_missing(train.features.spec()),
        fraction=inputs.fraction,
        beyond=train.beyond.fraction if train.beyond else 1.0,
        folds=train.folds,
        seed=config.seed,
    )
    return Stage(
        "skim",
        2,
        skim.SkimConfig(
            region=str(train.region),
            cut=cut,
            readings=list(read.readings),
            classes=list(classes_of(config, str(train.region), train.classes)),
            roles={name: sample.role for name, sample in config.samples.items()},
            missing=[skim.short(path) for path in read.missing],
            allow_bad_files=inputs.allow_bad_files,
            unblind=config.unblind,
        ),
        {"files": Files(tuple(path for paths in read.paths for path in paths))},
        ("events", "shifted", "skim"),
        skim.run,
    )


def _features_stage(config: SearchConfig) -> Stage:
    names = _classes(config)
    return Stage(
        "features",
        1,
        features.FeaturesStageConfig(
            spec=config.train.features.spec().as_json(),
            samples=_samples(config),
            shifts=_shifts(config),
            classes={name: list(samples) for name, samples in names.items()},
            signal=signal_of(config),
            folds=config.train.folds,
        ),
        {"events": "skim.events", "shifted": "skim.shifted"},
        ("arrays", "shifted_arrays", "features"),
        features.run,
    )


def train_config(config: SearchConfig) -> train.TrainStageConfig:
    """What the stage `train` reads of a config."""
    names = _classes(config)
    return train.TrainStageConfig(
        spec=config.train.features.spec().as_json(),
        samples=features.training_samples(names, _samples(config)),
        classes=list(names),
        signal=signal_of(config),
        model=config.train.model,
        fit=config.train.fit,
        group=config.inputs.group_columns,
        identity=config.inputs.identity_columns,
        folds=config.train.folds,
        members=config.train.members,
        seed=config.seed,
    )


def _train(config: SearchConfig) -> Stage:
    return Stage(
        "train",
        1,
        train_config(config),
        {"events": "skim.events", "arrays": "features.arrays"},
        ("model", "training"),
        train.run,
    )


def _evaluate_config(config: SearchConfig) -> evaluate.EvaluateStageConfig:
    names, samples = _classes(config), _samples(config)
    return evaluate.EvaluateStageConfig(
        spec=config.train.features.spec().as_json(),
        samples=samples,
        trained=features.training_samples(names, samples),
        shifts={shift: list(columns) for shift, columns in _shifts(config).items()},
        weights=_weights(config),
        column=config.score.column,
        network=isinstance(config.train.model, NetworkConfig),
        judged=JudgedConfig(
            classes=list(names),
            signal=signal_of(config),
            roles={name: config.samples[name].role for name in samples},
            titles=_shown(config),
            weights=config.train.fit.weights,
            balance=config.train.fit.balance,
            evaluate=config.evaluate,
            seed=config.seed,
        ),
    )


def _evaluate(config: SearchConfig) -> Stage:
    settings = _evaluate_config(config)
    return Stage(
        "evaluate",
        1,
        settings,
        {
            "events": "skim.events",
            "shifted": "skim.shifted",
            "arrays": "features.arrays",
            "shifted_arrays": "features.shifted_arrays",
            "model": "train.model",
        },
        evaluate.outputs(settings),
        evaluate.run,
    )


def _friends(config: SearchConfig) -> list[Stage]:
    """The scores of all files, if friends are written."""
    if not config.friends.write:
        return []
    columns = score_columns(config)
    files = scored_files(config, columns.values())
    paths = tuple(file.path for file in files)
    settings = friends.FriendsStageConfig(
        files=[
            friends.FriendFile(
                sample=file.sample,
                simulated=file.simulated,
                place=place,
                trees=list(file.trees),
                shifts={name: dict(shifted) for name, shifted in file.shifts.items()},
                hidden=list(file.hidden),
            )
            for file, place in zip(files, friends.layout(paths, config.files.folders), strict=True)
        ],
        columns=columns,
        identity=config.inputs.identity_columns,
    )
    return [
        Stage(
            "friends",
            1,
            settings,
            {"files": Files(paths), "model": "train.model"},
            ("friends", "scored"),
            friends.run,
        )
    ]


def _fit(config: SearchConfig) -> list[Stage]:
    """Templates and what is measured with them, if something is fitted."""
    if config.fit is None:
        return []
    scores = score_columns(config).values() if config.friends.write else ()
    scores = scores if reads_scores(config, scores) else ()
    catalog = scored_catalog(config, scores)
    named = with_places(catalog)
    names, paths = templates.located(meanings_of(named), meanings_of(catalog))
    there = tuple(path for path in paths if is_there(path))
    places = dict(zip(there, friends.layout(there, config.files.folders), strict=True))
    files = [
        templates.TemplateFile(
            name=str(name), there=path in places, friend=places.get(path) if scores else None
        )
        for name, path in zip(names, paths, strict=True)
    ]
    settings = templates.TemplatesStageConfig(
        job=config.name,
        catalog=filled_part(named),
        files=files,
        allow_missing=config.inputs.allow_missing,
        allow_bad_files=config.inputs.allow_bad_files,
        unblind=config.unblind,
    )
    inputs: dict[str, str | Files] = {"files": Files(there)}
    inputs |= {"friends": "friends.friends"} if scores else {}
    return [
        Stage(
            "templates",
            2,
            settings,
            inputs,
            ("templates", "made"),
            templates.run,
        ),
        _measurement(config, catalog),
    ]


def _measurement(config: SearchConfig, catalog: Catalog) -> Stage:
    settings = measuring.FitStageConfig(
        job=config.name, catalog=measured_part(catalog), unblind=config.unblind
    )
    given = catalog.fit.asimov_from if catalog.fit else None
    inputs: dict[str, str | Files] = {"templates": "templates.templates"}
    inputs |= {"asimov": Files((Path(given),))} if given else {}
    return Stage(
        "fit",
        1,
        settings,
        inputs,
        measuring.outputs(catalog),
        measuring.run,
    )


def _figures(config: SearchConfig) -> Stage:
    results = ["skim.skim", "train.training"]
    results += [f"evaluate.{name}" for name in evaluate.outputs(_evaluate_config(config))[2:]]
    if config.fit is not None:
        results += [f"fit.{name}" for name in measuring.outputs(config) if name != "workspace"]
        results += ["templates.made", "templates.templates"]
    return Stage(
        "figures",
        4,
        figures.FiguresStageConfig(
            job=config.name,
            label=_label(config),
            fills=_fills(config),
            catalog=drawn_part(config) if config.fit else None,
            templates=controlled_part(config) if config.fit else None,
        ),
        {name.partition(".")[2]: name for name in results},
        ("figures",),
        figures.run,
    )


def _controls(config: SearchConfig) -> list[Stage]:
    """Figures of the systematics, if they are wanted: nothing else waits for them."""
    if config.fit is None or not config.drawing.control_figures:
        return []
    settings = template_figures.ControlsStageConfig(
        job=config.name, catalog=controlled_part(config), label=_label(config)
    )
    return [
        Stage(
            "controls",
            1,
            settings,
            {"templates": "templates.templates"},
            ("controls", "drawn"),
            template_figures.run,
        )
    ]


def _label(config: SearchConfig) -> dict[str, str]:
    """The line above figures."""
    energy = f"({config.labels.energy:g} TeV)" if config.labels.energy else ""
    return {
        "experiment": config.labels.experiment,
        "text": config.labels.data,
        "luminosity": f"{typeset(config.luminosity.label)} {energy}".strip(),
    }


def _fills(config: SearchConfig) -> dict[str, tuple[int, str | None]]:
    """How each sample of a stack is filled, so that it looks the same in the figures of the fit.

    Returns:
        By name in the stack, the number of its usual fill, and the colour that the config gives.
    """
    drawn, look = groups(config), looks(config)
    places = {group: number for number, group in enumerate(look)}
    return {
        shown: (places[drawn[name]], look[drawn[name]].fill)
        for name, shown in _shown(config).items()
    }


def _shown(config: SearchConfig) -> dict[str, str]:
    """What each sample is called in figures."""
    samples = _samples(config)
    return titles_of(samples, {name: typeset(config.samples[name].title) for name in samples})


def score_columns(config: SearchConfig) -> dict[int, str]:
    """The columns of scores that friends hold of unshifted events, by the class's number."""
    column, names = config.score.column, model_classes(config)
    if config.score.classes == "signal":
        return {names.index(signal_of(config)): column}
    return {number: f"{column}_{name}" for number, name in enumerate(names)}


def model_classes(config: SearchConfig) -> list[str]:
    """The classes of the model: after a second phase the signal and the rest."""
    names = list(_classes(config))
    two = config.train.fit.second_phase is not None
    return [signal_of(config), REST] if two else names


def _shifts(config: SearchConfig) -> dict[str, dict[str, dict[str, str]]]:
    """Shifted columns by shift and sample; shifts of files have none."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for reading in readings_of(config).readings:
        if reading.shift != NOMINAL:
            found.setdefault(reading.shift, {})[reading.sample] = dict(reading.columns)
    return found


def _weights(config: SearchConfig) -> list[str]:
    """The variations of weights of any sample."""
    read = readings_of(config).readings
    return list(dict.fromkeys(name for reading in read for name in reading.weights))


def _classes(config: SearchConfig) -> dict[str, tuple[str, ...]]:
    return classes_of(config, str(config.train.region), config.train.classes)


def signal_of(config: SearchConfig) -> str:
    """The name of the signal."""
    return str(config.train.signal) if config.train.signal else next(iter(_classes(config)))


def _samples(config: SearchConfig) -> list[str]:
    """The samples with files, in the order of the catalog."""
    return [item.sample for item in readings_of(config).readings if item.shift == NOMINAL]
