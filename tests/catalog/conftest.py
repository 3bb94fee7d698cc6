"""A small analysis in YAML."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from quarkline.catalog import Catalog
from quarkline.engine.core.config import ConfigFile, load_config

SMALL = """\
files: {folders: ntuples, trees: nominal, friends: friends}
selection: "quality != 0"
weights: {generator: "weight_mc * xs", pileup: weight_pileup}
luminosity: {value: 140068.94}
poi: mu
samples:
  lq: {role: signal, files: {names: [a/1, d/1]}, use_friends: true}
  ttbar:
    files: {names: a/2}
    weight: 1.2
    selection: "truth == 6"
    use_friends: true
  data: {role: data, files: {names: data15}, use_friends: true}
regions:
  SR:
    variable: score
    binning: {kind: uniform, bins: 5, low: 0, high: 1}
    selection: "score >= 0.2"
  CR: {role: control, variable: pt / 1e3, selection: "score < 0.2", weight: sf}
norm_factors:
  mu: {samples: lq, min: -1, max: 5}
systematics:
  lumi: {kind: normalisation, up: 0.01, down: -0.01}
  scale:
    kind: varied
    samples: [tt*]
    exclude: CR
    up: {weight_factor: up / nominal}
    down: {weight: other, files: {names: a/2_down}}
"""


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., ConfigFile]:
    def load(text: str = SMALL, name: str = "small.yaml") -> ConfigFile:
        path = tmp_path / name
        path.write_text(text)
        return load_config(path)

    return load


@pytest.fixture
def small(load) -> Catalog:
    return load().validate(Catalog)
