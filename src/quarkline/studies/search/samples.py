"""The inputs of a search as samples with cuts and weights, for cut-flows and doctor."""

from __future__ import annotations

from quarkline.engine.workflow.samples import InputSample
from quarkline.studies.search.config import SearchConfig
from quarkline.studies.search.cut import cuts_of
from quarkline.studies.search.readings import NOMINAL, Reading, readings_of
from quarkline.studies.search.stages import columns_of


def input_samples(config: SearchConfig) -> list[InputSample]:
    """The samples of the region, each once for every tree that its files are read from.

    A factor that belongs to single files of a sample is that of its first file.
    """
    return [
        InputSample(
            reading.sample,
            paths,
            tree=reading.trees[0],
            columns=tuple(columns_of(config)),
            cuts=cuts_of(reading),
            weight=_weight(reading),
            identity=tuple(config.inputs.identity_columns),
        )
        for reading, paths in readings_of(config).pairs
        if reading.shift == NOMINAL
    ]


def _weight(reading: Reading) -> str | None:
    return f"({reading.weight}) * {reading.scales[0]!r}" if reading.simulated else None
