"""What `quarkline simulate calratio` writes: ntuples of each kind of jets, and of the control."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import awkward as ak
import numpy as np

from quarkline.studies.tagging.convert import ntuple
from quarkline.studies.tagging.convert.table import UNITS
from quarkline.studies.tagging.simulate import samples
from quarkline.studies.tagging.simulate.config import JetNumbers, SimulateConfig

TREE = ntuple.TREE
CONFIG = "convert.yaml"
NEGATIVE = False
DEFAULT_EVENTS = 60_000
SHARES = {"signal": 3, "qcd": 3, "bib": 2, "control_simulation": 1, "control_data": 1}
"""Of the jets of all, in tenths."""


@dataclass(frozen=True)
class SimulatedNtuple:
    """One file of the folder.

    Attributes:
        file: What it holds.
        config: How it is drawn.
        seed: With which seed.
    """

    file: samples.SimulatedFile
    config: SimulateConfig
    seed: int

    @property
    def name(self) -> str:
        """Its path below the folder."""
        return f"{self.file.name}.root"

    @property
    def sample(self) -> str:
        """What its events are."""
        return self.file.source

    @property
    def events(self) -> None:
        """Only the drawing tells how many events give that many jets."""

    def blocks(self) -> Iterator[ak.Array]:
        """Draws its events."""
        yield samples.draw_events(self.file, self.config, self.seed)


def files(events: int, seed: int, *, negative: float = 0.0) -> list[SimulatedNtuple]:  # noqa: ARG001
    """The files of the folder.

    Args:
        events: Jets of all files together, about.
        seed: Equal seeds and numbers give equal events.
        negative: None of the weights can be.
    """
    ends = np.rint(events * np.cumsum([0, *SHARES.values()]) / sum(SHARES.values())).astype(int)
    numbers = dict(zip(SHARES, np.diff(ends).tolist(), strict=True))
    config = SimulateConfig(jets=JetNumbers(**numbers))
    return [SimulatedNtuple(file, config, seed) for file in samples.files(config)]


def next_steps(folder: Path) -> tuple[str, ...]:
    """What to type once the files are there."""
    return (f"quarkline convert divertanalysis --config {folder / CONFIG}",)


def beside(files: Sequence[SimulatedNtuple]) -> Mapping[str, str]:
    """A config of the converter for the files."""
    unique = {(item.file.source, item.file.sample): item.file for item in files}
    text = "schema: 1\noutput: tables\nntuples:\n"
    for (source, sample), file in unique.items():
        keys = {"files": f"{source}/{sample}_*.root", "kind": samples.KINDS[source]}
        heavy, light = file.masses
        keys |= {"llp_mH": f"{heavy:g}", "llp_mS": f"{light:g}"} if file.point else {}
        inner = ", ".join(f"{key}: {value}" for key, value in keys.items())
        text += f"- {{{inner}, folder: {source}}}\n"
    return {CONFIG: text}


def units(columns: list[str]) -> Mapping[str, str]:
    """Units of those columns that have one."""
    known = {name: UNITS.get(ntuple.renamed(name)) for name in columns}
    return {name: unit for name, unit in known.items() if unit}
