"""Every shipped config of resonances runs, at reduced size."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarkline.tools.new import new, studies
from quarkline.tools.run import load_analysis, run

RESONANCE = [
    "background.flow={hidden: [8], max_epochs: 1}",
    "background.seeds=1",
    "background.pool=1000",
    "classifier={folds: 2, ensemble: 1, trees: 3}",
    "fit.working_point=0.1",
    "fit.scan={start: 1, stop: 0.1, points: 2}",
    "fit.toys=5",
    "fit.variations={degrees: [5], bins: [11]}",
    "calibration.injection.toys=20",
    "calibration.reweighting.toys=100",
]
ELSEWHERE = {"calratio", "leptoquark"}
"""Examples of other studies, whose tests run them."""
REDUCED = {"spectrum": ["scan.range=[5, 16]", "scan.toys=20"]}


@pytest.mark.slow
@pytest.mark.parametrize("example", sorted({*studies()} - ELSEWHERE))
def test_a_shipped_config_runs(example: str, events: Path, tmp_path: Path) -> None:
    (tmp_path / "nanoaod").mkdir()
    for path in sorted((events / "events").glob("*.root")):
        (tmp_path / "nanoaod" / path.name).write_bytes(path.read_bytes())
    config = new(example, "mine", folder=tmp_path)
    overrides = [f"roots.runs={tmp_path / 'runs'}", *REDUCED.get(example, RESONANCE)]
    outcome = run(load_analysis(config, overrides=overrides))
    assert outcome.run.complete
    assert outcome.run.name == "mine"
    assert outcome.figures
