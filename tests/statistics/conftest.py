"""Real dimuon spectra with published and independently converged fits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quarkline.statistics import HuntBinning, Spectrum


@dataclass(frozen=True)
class Published:
    """Events and expected results of the published analysis.

    Attributes:
        expected: The recorded and converged numbers.
        events: Columns by sign ("OS", "SS").
        before_isolation: Masses before the isolation cut.
    """

    expected: dict[str, Any]
    events: dict[str, dict[str, np.ndarray]]
    before_isolation: np.ndarray

    def spectrum(self, case: dict[str, Any]) -> Spectrum:
        """The spectra behind all cuts of a case, along the first axis."""
        events = self.events[case["tested_on"]]
        name = f"level_{case['trained_on']}_{case['poly_degree']}_{case['n_edges_sr']}"
        binning = HuntBinning(bins=case["n_bins_sr"])
        passing = [events[name] >= cut["level_min"] for cut in case["cuts"]]
        return Spectrum.stack([binning.count(events["mass"][passed]) for passed in passing])


@pytest.fixture(scope="session")
def published(data_folder: Path) -> Published:
    folder = data_folder / "upsilon_cms"
    files = {"OS": "os_events.npz", "SS": "ss_events.npz"}
    return Published(
        json.loads((folder / "expected.json").read_text()),
        {sign: _columns(folder / name) for sign, name in files.items()},
        _columns(folder / "preiso_os.npz")["mass"],
    )


def _columns(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
