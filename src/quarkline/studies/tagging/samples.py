"""What a tagging study reads from outside."""

from __future__ import annotations

from pathlib import Path

from quarkline.engine.workflow.samples import InputSample
from quarkline.engine.workflow.stage import Files
from quarkline.studies.tagging.config import TaggingConfig
from quarkline.studies.tagging.convert import ntuple
from quarkline.studies.tagging.convert.run import ntuples_of
from quarkline.studies.tagging.stages import stages


def input_samples(config: TaggingConfig) -> list[InputSample]:
    """Ntuples by the folder of their tables, or tables by what they are for.

    Raises:
        InputError: If the files cannot be named.
    """
    if config.ntuples is None:
        given = [item for stage in stages(config) for item in stage.inputs.items()]
        return [
            InputSample(name, source.paths, identity=ntuple.EVENT)
            for name, source in given
            if isinstance(source, Files)
        ]
    found: dict[str, list[Path]] = {}
    for one in ntuples_of(config.ntuples, config.convert, by_kind=True):
        found.setdefault(Path(one.name).parent.as_posix(), []).append(one.path)
    return [
        InputSample(name, tuple(paths), tree=ntuple.TREE, identity=ntuple.EVENT)
        for name, paths in found.items()
    ]
