"""The stages of a whole-spectrum search, in order."""

from __future__ import annotations

from quarkline.engine.workflow.stage import Files, Stage
from quarkline.studies.resonance import select
from quarkline.studies.resonance.check_inputs import input_files
from quarkline.studies.resonance.layout import SelectConfig
from quarkline.studies.resonance.spectrum import figures, scan
from quarkline.studies.resonance.spectrum.config import SpectrumConfig


def select_config(config: SpectrumConfig) -> SelectConfig:
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
        range=config.scan.range,
        window=None,
        features=[],
        fraction=config.inputs.fraction,
        seed=config.seed,
    )


def stages(config: SpectrumConfig) -> list[Stage]:
    """The stages, in an order in which each follows its inputs."""
    files, sections = input_files(config.inputs), config.inputs.certified
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
            "scan",
            1,
            scan.ScanStageConfig(scan=config.scan, seed=config.seed),
            {"pairs": "select.pairs"},
            ("search",),
            scan.run,
        ),
        Stage(
            "figures",
            2,
            figures.FiguresConfig(labels=config.labels),
            {"selection": "select.selection", "search": "scan.search"},
            ("figures",),
            figures.run,
        ),
    ]
