"""Coverage, p-values and pulls of fits, by the functions of benchmarks/fit_statistics.py."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

PATH = Path(__file__).parents[2] / "benchmarks" / "fit_statistics.py"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fit_statistics", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fit_statistics"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def events(made: ModuleType, data_folder: Path):
    return made.read_events(data_folder / "lq_ntuples")


@pytest.mark.parametrize("name", ["MANY", "FEW"])
def test_intervals_cover(made: ModuleType, name: str) -> None:
    covered, failed = made.covered(getattr(made, name), 600)
    low, high = made.band(made.ONE_SIGMA, 600)
    assert low <= covered <= high
    assert failed < 6


def test_coverage_of_one_bin_is_the_exact_sum(made: ModuleType) -> None:
    covered, _ = made.covered(made.ONE, 600)
    low, high = made.band(made.exact_coverage(), 600)
    assert low <= covered <= high


def test_p_values_without_signal_are_uniform_beside_their_atom(made: ModuleType) -> None:
    found = made.null_p_values(made.MANY, 600)
    for level in made.LEVELS:
        low, high = made.band(level, 600)
        assert low <= np.mean(found <= level) <= high, level


def test_p_values_of_few_events_are_never_too_small(made: ModuleType) -> None:
    """More than half of the toys have q0 = 0, as the median of few events is below their mean."""
    found = made.null_p_values(made.FEW, 600)
    assert np.mean(found == 1.0) > 0.5
    for level in made.LEVELS:
        assert np.mean(found <= level) <= made.band(level, 600)[1], level


def test_yields_are_those_of_the_description(events) -> None:
    expected = {"lq": 132.4, "ttH": 117.6, "ttbar": 824.5, "VV": 933.0, "Zjets": 220.5}
    assert events.yields() == pytest.approx(expected, abs=0.05)
    assert events.data.sum() == 2152


def test_errors_are_those_of_the_description(made: ModuleType, events) -> None:
    """Bins have less than all of the errors of generated events, which also correlate bins."""
    rows = {"lq": (4.2, 5.1), "ttH": (6.8, 8.7), "ttbar": (69.2, 86.5), "VV": (70.7, 104.5)}
    for name, (by_row, by_event) in rows.items():
        plain, grouped = (
            np.sqrt(np.square(events.errors(name, by_event=choice)).sum())
            for choice in (False, True)
        )
        assert plain == pytest.approx(by_row, abs=0.05)
        assert by_row < grouped < by_event


@pytest.mark.parametrize("by_event", [False, True])
def test_pseudo_data_of_the_ntuples_are_fitted_right(
    made: ModuleType, events, by_event: bool
) -> None:
    fits = made.Analysis.of(events, by_event=by_event).fits_of_sets(events, 50)
    pulls = [(value - made.TRUTH) / error for value, error, _ in fits]
    assert abs(np.mean(pulls)) < 3 / np.sqrt(50)
    low, high = made.band(made.ONE_SIGMA, 50)
    assert low <= np.mean([holds for *_, holds in fits]) <= high


@pytest.mark.parametrize("by_event", [False, True])
def test_the_known_truth_of_the_data_is_found(made: ModuleType, events, by_event: bool) -> None:
    analysis = made.Analysis.of(events, by_event=by_event)
    value, error, _ = analysis.fitted(analysis.model.data, made.TRUTH)
    assert abs(value - made.TRUTH) < 2 * error
    assert error < 0.15
    assert analysis.diagnosis() == []


def test_one_count_without_errors_of_simulation_does_not_cover(made: ModuleType, events) -> None:
    """The counterexample that the description of the ntuples warns of."""
    sets = made.pseudo_data(events, 50)
    fits = [made.one_count(events, float(counts.sum())) for counts in sets]
    assert np.mean([holds for *_, holds in fits]) < made.band(made.ONE_SIGMA, 50)[0]
