"""A small simulated sample, and the smallest analysis of it."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")

from matplotlib.figure import Figure

from quarkline.tools.run import RunOutcome, load_analysis, run
from quarkline.tools.simulate import simulate
from tests.farm.here import here

CONFIG = """\
schema: 1
study: resonance
name: tiny
inputs:
  files: "events/*.root"
  tree: Events
  trigger: HLT_TrkMu15_DoubleTrkMu5NoFiltersNoVtx
pair:
  cuts: "mu0_pt >= 17 && mu1_pt >= 8 && mu0_iso04 >= 0.55 && mu1_iso04 >= 0.55"
resonance: Upsilon
features: [dimu_pt, mu0_ip3d, mu1_ip3d]
background:
  flow: {hidden: [16], max_epochs: 3}
  seeds: 2
  pool: 4000
classifier: {folds: 3, ensemble: 2, trees: 10}
comparison: {methods: [cwola, lacathode], seeds: 2}
fit:
  working_point: 0.05
  scan: {start: 1, stop: 0.02, points: 5}
  toys: 40
  variations: {degrees: [3, 5], bins: [11], retrain: true}
calibration:
  injection: {strengths: [0, 2, 5], toys: 200}
  reweighting: {toys: 300}
seed: 3
compute: {workers: 1}
"""


def write_config(folder: Path, text: str = CONFIG) -> Path:
    path = folder / "tiny.yaml"
    path.write_text(text)
    return path


@pytest.fixture(scope="session")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `events/*.root`: two files of one simulated sample."""
    folder = tmp_path_factory.mktemp("simulated")
    simulate("upsilon", folder / "events", events=9000, signal=150, seed=5, files=2)
    return folder


@contextlib.contextmanager
def one_form() -> Iterator[None]:
    """Render figures as SVG alone, which takes a third of the time; a slow test renders all."""
    save = importlib.import_module("quarkline.figures.save")  # its function has the same name
    rendered = save._rendered

    def only_svg(fig: Figure, kind: str, dpi: float | None = None) -> bytes:
        return rendered(fig, kind, dpi) if kind == "svg" else kind.encode()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(save, "_rendered", only_svg)
        yield


@pytest.fixture(scope="session")
def finished(events: Path) -> RunOutcome:
    """The finished analysis; tests that ask for it share an xdist group, so that it runs once."""
    overrides = [f"roots.runs={events / 'runs'}"]
    with here(), one_form():
        return run(load_analysis(write_config(events), overrides=overrides))
