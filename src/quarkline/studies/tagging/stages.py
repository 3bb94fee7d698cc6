"""The stages of a tagging study, in order."""

from __future__ import annotations

from pathlib import Path

from quarkline.engine.core.findings import InputError, Place
from quarkline.engine.workflow.stage import Files, Stage
from quarkline.studies.tagging import figures
from quarkline.studies.tagging.analyze import stage as analyze
from quarkline.studies.tagging.build import stage as build
from quarkline.studies.tagging.build.choice import NO_FILES
from quarkline.studies.tagging.build.config import BuildInput
from quarkline.studies.tagging.build.files import files_of
from quarkline.studies.tagging.config import TaggingConfig
from quarkline.studies.tagging.convert import stage as convert
from quarkline.studies.tagging.convert import xaod_stage
from quarkline.studies.tagging.convert.config import NtupleSource
from quarkline.studies.tagging.convert.run import ntuples_of, sources_of
from quarkline.studies.tagging.export import stage as export
from quarkline.studies.tagging.features import stage as features
from quarkline.studies.tagging.simulate import samples
from quarkline.studies.tagging.simulate import stage as simulate
from quarkline.studies.tagging.train import run as train
from quarkline.studies.tagging.train.kept import check_split, states_of

Input = str | Files


def stages(config: TaggingConfig) -> list[Stage]:
    """The stages, in an order in which each follows its inputs."""
    before, built = _sources(config)
    return [
        *before,
        _features(config, built),
        _train(config, control="control" in built),
        _analyze(config),
        *_export(config),
        _figures(config),
    ]


def _sources(config: TaggingConfig) -> tuple[list[Stage], dict[str, Input]]:
    """The stages that end in built tables, and these tables."""
    if config.files is not None:
        given = {"main": config.files.main, "control": config.files.control}
        return [], {name: Files(tuple(_existing(paths))) for name, paths in given.items() if paths}
    before, tables, places = _tables(config)
    settings = build.BuildStageConfig(**config.build.model_dump(), seed=config.seed, places=places)
    outputs = build.outputs(config.build)
    stage = Stage("build", 1, settings, {"tables": tables}, outputs, build.run)
    built: dict[str, Input] = {name: f"build.{name}" for name in outputs if name != "build"}
    return [*before, stage], built


def _tables(config: TaggingConfig) -> tuple[list[Stage], Input, list[str]]:
    """The stages that end in tables of jets, the tables, and the names of those from outside."""
    if config.simulate is not None:
        simulated = _simulate(config)
        if config.simulate.write != "ntuples":
            return [simulated], "simulate.tables", []
        sources = [
            NtupleSource(name=file.name, kind=samples.KINDS[file.source], masses=file.masses)
            for file in samples.files(config.simulate)
        ]
        return [simulated, _convert(config, sources, "simulate.ntuples")], "convert.tables", []
    if config.ntuples is not None:
        found = ntuples_of(config.ntuples, config.convert, by_kind=True)
        given = Files(tuple(one.path for one in found))
        before, ntuples = _xaod(config, [one.name for one in found], given)
        return [*before, _convert(config, sources_of(found), ntuples)], "convert.tables", []
    assert config.tables is not None  # noqa: S101  (a config has one source)
    base = Path(config.tables)
    paths = list(dict.fromkeys(files_of(_named(config), base)))
    return [], Files(tuple(paths)), [_place(path, base) for path in paths]


def _xaod(config: TaggingConfig, names: list[str], files: Files) -> tuple[list[Stage], Input]:
    """The stage that makes ntuples of what is named, if it is no ntuples yet; the ntuples."""
    if config.xaod is None:
        return [], files
    settings = xaod_stage.XaodStageConfig(**config.xaod.model_dump(), names=names)
    stage = Stage("xaod", 1, settings, {"xaod": files}, ("ntuples", "made"), xaod_stage.run)
    return [stage], "xaod.ntuples"


def _named(config: TaggingConfig) -> list[str]:
    """All paths that the build names."""
    inputs: list[BuildInput] = [*config.build.main]
    if config.build.control is not None:
        inputs += [*config.build.control.simulation, *config.build.control.data]
    return [text for one in inputs for text in one.files]


def _place(path: Path, base: Path) -> str:
    """A table's name below the folder of tables.

    Raises:
        InputError: If it is not below.
    """
    try:
        return path.relative_to(base).as_posix()
    except ValueError:
        raise InputError(
            NO_FILES.finding(
                f"the table is not below `tables: {base}`",
                place=Place(path),
                suggestion="name a folder above all tables, and tables relative to it",
            )
        ) from None


def _existing(paths: list[Path]) -> list[Path]:
    """Built tables, by path or pattern.

    Raises:
        InputError: If one is not there.
    """
    return files_of([str(path) for path in paths], Path())


def _simulate(config: TaggingConfig) -> Stage:
    assert config.simulate is not None  # noqa: S101  (asked before)
    settings = simulate.SimulateStageConfig(**config.simulate.model_dump(), seed=config.seed)
    return Stage("simulate", 1, settings, {}, simulate.outputs(config.simulate), simulate.run)


def _convert(config: TaggingConfig, sources: list[NtupleSource], given: Input) -> Stage:
    settings = convert.ConvertStageConfig(**config.convert.model_dump(), sources=sources)
    outputs = ("tables", "conversion")
    return Stage("convert", 1, settings, {"ntuples": given}, outputs, convert.run)


def _features(config: TaggingConfig, built: dict[str, Input]) -> Stage:
    settings = features.FeaturesStageConfig(**config.features.model_dump(), seed=config.seed)
    outputs = ("main", "control", "preprocess", "features")
    return Stage("features", 1, settings, dict(built), outputs, features.run)


def _train(config: TaggingConfig, *, control: bool) -> Stage:
    parent = config.train.start
    settings = train.TrainStageConfig(
        **config.train.model_dump(exclude={"start"}),
        seed=config.seed,
        watch=config.watch,
        parent="" if parent is None else "/".join(Path(parent).parts[-2:]),
    )
    names = ("main", "preprocess", *(("control",) if control else ()))
    inputs: dict[str, Input] = {name: f"features.{name}" for name in names}
    if parent is not None:
        inputs["start"] = Files(states_of(Path(parent), config.train.seeds))
        split = {name: getattr(config.features, name) for name in ("validation", "test")}
        check_split(Path(parent), {"seed": config.seed, **split})
    outputs = ("trainings", "model", "training")
    return Stage("train", 1, settings, inputs, outputs, train.run)


def _analyze(config: TaggingConfig) -> Stage:
    settings = analyze.AnalyzeStageConfig(
        **config.analyze.model_dump(), watch=config.watch, seed=config.seed
    )
    inputs: dict[str, Input] = {
        "main": "features.main",
        "control": "features.control",
        "trainings": "train.trainings",
    }
    return Stage("analyze", 1, settings, inputs, analyze.OUTPUTS, analyze.run)


def _export(config: TaggingConfig) -> list[Stage]:
    if not config.export.formats:
        return []
    inputs: dict[str, Input] = {"model": "analyze.model"}
    return [Stage("export", 1, config.export, inputs, ("exports", "exported"), export.run)]


def _figures(config: TaggingConfig) -> Stage:
    labels = config.labels
    settings = figures.FiguresStageConfig(
        label={
            "experiment": labels.experiment,
            "text": labels.data,
            "luminosity": labels.luminosity,
        },
        draw=config.draw,
    )
    inputs: dict[str, Input] = {
        "choice": "analyze.choice",
        "tagger": "analyze.tagger",
        "trainings": "train.trainings",
    }
    return Stage("figures", 1, settings, inputs, (figures.FIGURES,), figures.run)
