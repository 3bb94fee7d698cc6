"""Methods compared at their smallest: complete, and nobody else's numbers change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quarkline.engine.core.results import Quantity
from quarkline.studies.resonance.compare import mean_over_seeds
from quarkline.studies.resonance.results import Comparison, Scans, WorkingPoint
from quarkline.tools.run import RunOutcome, load_analysis, run
from quarkline.tools.simulate import simulate

from .conftest import CONFIG, write_config

pytestmark = pytest.mark.xdist_group("resonance-run")


@pytest.fixture
def comparison(finished: RunOutcome) -> Comparison:
    found = finished.run.results()["comparison"]
    assert isinstance(found, Comparison)
    return found


def test_every_method_has_every_seed_and_rate(comparison: Comparison) -> None:
    assert comparison.seeds == (3, 4)
    assert [(item.method, item.classifier) for item in comparison.methods] == [
        ("cwola", "bdt"),
        ("lacathode", "bdt"),
    ]
    for item in comparison.methods:
        z = np.array(item.z)
        assert z.shape == (2, len(comparison.rates))
        assert [mean.value for mean in item.mean] == pytest.approx(z.mean(axis=0))
        assert [mean.up for mean in item.mean] == pytest.approx(abs(z[0] - z[1]) / 2)
        assert [point.seed for point in item.working_point] == [3, 4]
        assert all(0 <= point.ks_p_value <= 1 for point in item.working_point)
        assert z[0, 1:].tolist() != z[1, 1:].tolist(), "another seed trains something else"


def test_without_a_cut_all_methods_are_the_hunt_of_the_analysis(
    comparison: Comparison, finished: RunOutcome
) -> None:
    scans = finished.run.results()["scans"]
    assert isinstance(scans, Scans)
    inclusive = scans.scans[0].points[0].z_local
    assert {z[0] for item in comparison.methods for z in item.z} == {inclusive}


def test_the_declared_rate_passes_in_every_hunt(comparison: Comparison) -> None:
    for item in comparison.methods:
        for point in item.working_point:
            assert point.hunt.rate == comparison.working_point == 0.05
            beside = point.hunt.events - point.hunt.n_window
            assert 0.045 < beside / 3156 < 0.055


def test_the_report_shows_the_methods(finished: RunOutcome) -> None:
    assert finished.report is not None
    page = finished.report.read_text()
    assert ">Methods</h2>" in page
    assert "LaCATHODE, BDT" in page
    assert "noise, in the latent space of a flow" in page


def test_a_run_is_compared_with_itself(finished: RunOutcome, events: Path, tmp_path: Path) -> None:
    """The run's seed gives what the run quotes for its method; `ideal` joins with files."""
    simulate("upsilon", tmp_path / "background.root", events=3000, signal=0, seed=6)
    text = CONFIG.replace("methods: [cwola, lacathode]", "methods: [cathode, ideal]")
    text = text.replace("background:", f"background:\n  files: {tmp_path}/background.root")
    root = finished.run.folder.parents[1]
    path = write_config(events, text)
    analysis = load_analysis(path, overrides=[f"roots.runs={root}"])
    for stage in ("select-background", "compare"):
        outcome = run(analysis, only=stage)
    found, quoted = outcome.run.results()["comparison"], finished.run.results()["working_point"]
    assert isinstance(found, Comparison)
    assert isinstance(quoted, WorkingPoint)
    cathode, ideal = found.methods
    assert cathode.working_point[0].hunt.z_local == pytest.approx(quoted.hunt.z_local)
    assert cathode.working_point[0].control.z_local == pytest.approx(quoted.control.z_local)
    assert ideal.method == "ideal"
    assert ideal.working_point[0].hunt.z_local != cathode.working_point[0].hunt.z_local


@pytest.mark.slow
def test_networks_are_the_same_whatever_the_workers(events: Path, tmp_path: Path) -> None:
    text = CONFIG.replace("seeds: 2}", "classifiers: [mlp], seeds: 2}")
    path = write_config(events, text)
    found = []
    for workers in (1, 2):
        analysis = load_analysis(
            path,
            overrides=[f"roots.runs={tmp_path / str(workers)}"],
            compute={"workers": workers},
        )
        for stage in ("select", "compare"):
            outcome = run(analysis, only=stage)
        found.append(outcome.run.results()["comparison"])
    assert found[0] == found[1]
    assert {item.classifier for item in found[0].methods} == {"mlp"}


def test_the_error_is_that_of_the_mean() -> None:
    mean = mean_over_seeds([1.0, 2.0, 3.0, 6.0])
    error = np.std([1, 2, 3, 6], ddof=1) / 2
    assert mean == Quantity(3.0, pytest.approx(error), pytest.approx(error))
