"""Every figure, drawn from inputs of every kind: the laws in the tests run over all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from quarkline import figures
from quarkline.engine.core.results import Quantity
from quarkline.events.nminus1 import NMinusOne
from quarkline.figures.style import Label
from quarkline.learning.training.scan import LearningRateScan
from quarkline.statistics import (
    BumpHuntResult,
    FitStatus,
    InjectionRow,
    InjectionTest,
    MassScanResult,
    Power,
    SpectrumFit,
    SpectrumGrid,
    SpectrumScanResult,
    SpuriousRow,
    SpuriousSignal,
    TrialsFactor,
    TrialsRow,
    scan_spectrum,
    tagging,
)
from quarkline.statistics import evaluation as judged
from quarkline.statistics.tagging.outputs import CONTROL, FINE

WINDOW = (9.0, 10.6)
FEW = judged.Bootstrap(4)
KINDS = ("ordinary", "empty", "tiny", "nan", "zero")


@dataclass(frozen=True)
class Inputs:
    """Arrays of one kind: `events(n)` for one value an event, `curve(n)` for one value a point."""

    kind: str

    def events(self, low: float, high: float, count: int = 400) -> np.ndarray:
        count = {"empty": 0, "zero": 0, "tiny": 1}.get(self.kind, count)
        values = np.random.default_rng(7).uniform(low, high, count)
        if self.kind == "nan":
            values[::3] = np.nan
            values[1::7] = np.inf
        return values

    def curve(self, low: float, high: float, count: int = 12) -> np.ndarray:
        count = {"empty": 0, "tiny": 1}.get(self.kind, count)
        values = np.random.default_rng(8).uniform(low, high, count)
        if self.kind == "zero":
            values[:] = 0
        if self.kind == "nan":
            values[::2] = np.nan
        return values

    @property
    def edges(self) -> np.ndarray:
        return np.linspace(5, 16, {"empty": 1, "tiny": 2}.get(self.kind, 13))

    @property
    def spectrum(self) -> figures.FittedSpectrum:
        counts = np.round(self.curve(5, 60))
        return figures.FittedSpectrum(
            self.edges, counts, self.curve(20, 30), WINDOW, band=self.curve(1, 2), name="A", z=1.6
        )

    @property
    def fit(self) -> SpectrumFit:
        x = self.spectrum
        arrays = (x.edges, x.counts, x.expected, x.band)
        edges, counts, expected, band = (tuple(np.asarray(array).tolist()) for array in arrays)
        return SpectrumFit(edges, counts, None, expected, band, WINDOW)

    @property
    def hunt(self) -> BumpHuntResult:
        z = float(self.curve(2, 3).sum()) if self.kind != "empty" else np.nan
        status = FitStatus.CONVERGED if np.isfinite(z) else FitStatus.FAILED
        events = Quantity(10 * z, z, z, "events")
        return BumpHuntResult(
            mass_range=(5.0, 16.0),
            mass_window=WINDOW,
            bins=11,
            degree=5,
            background_shape="polynomial",
            weighted=False,
            n_window=60.0,
            n_sidebands=300.0,
            signal=events,
            background=events,
            q0=z**2,
            z_local=z,
            p_local=0.01,
            status=status,
            bound=False,
            n_toys=100,
            p_toys=Quantity(0.01, 0.01, 0.01),
            z_toys=2.3,
            p_global=0.05,
            z_global=1.6,
        )

    @property
    def scan(self) -> MassScanResult:
        z = self.curve(0, 4)
        low = np.linspace(6, 12, z.size)
        numbers = tuple(z.tolist())
        return MassScanResult(
            mass_range=(5.0, 16.0),
            step=0.8,
            bins=11,
            degree=5,
            background_shape="polynomial",
            low=tuple(low.tolist()),
            high=tuple((low + 1.6).tolist()),
            n_window=numbers,
            signal=numbers,
            signal_error=numbers,
            background=numbers,
            background_error=numbers,
            z_local=numbers,
            p_local=numbers,
            status=(FitStatus.CONVERGED,) * z.size,
            best=int(np.argmax(np.nan_to_num(z))) if z.size else 0,
            n_toys=100,
            p_global=Quantity(0.01),
            z_global=2.3,
            p_upcrossing=0.001,
            z_upcrossing=3.1,
        )

    @property
    def quantities(self) -> list[Quantity]:
        return [Quantity(value, 0.1, 0.2) for value in self.curve(0, 1).tolist()]

    @property
    def power(self) -> list[Power]:
        return [
            Power(float(place), 50, 0, quantity, quantity.value, quantity, quantity)
            for place, quantity in enumerate(self.quantities)
        ]

    @property
    def injection(self) -> InjectionTest:
        one = Quantity(1.0, 0.01, 0.01)
        spread = 0.0 if self.kind == "zero" else 6.0
        rows = tuple(
            InjectionRow(float(place), 6.0 * place, quantity, one, one, quantity, point, 0)
            for place, (quantity, point) in enumerate(zip(self.quantities, self.power, strict=True))
        )
        return InjectionTest(100.0, 900.0, spread, 500, rows, one, one)

    @property
    def spurious(self) -> SpuriousSignal:
        rows = [
            SpuriousRow(place, quantity, quantity.value, 0.1)
            for place, quantity in enumerate(self.quantities)
        ]
        return SpuriousSignal(tuple(rows), 0)

    @property
    def trials(self) -> TrialsFactor:
        rows = [
            TrialsRow(0.5 * place, 0.1, quantity, quantity, quantity)
            for place, quantity in enumerate(self.quantities)
        ]
        return TrialsFactor(25, 500, tuple(rows))

    @property
    def spectrum_scan(self) -> SpectrumScanResult:
        mass = self.events(3, 8, 3000)
        return scan_spectrum(
            SpectrumGrid((3.0, 8.0), 0.02, ((5.0, 5.4),)), mass[np.isfinite(mass)], n_toys=20
        )

    @property
    def rates(self) -> LearningRateScan:
        losses = self.curve(1, 3)
        rates = np.geomspace(1e-5, 1, losses.size) if losses.size else losses
        numbers = tuple(losses.tolist())
        return LearningRateScan(tuple(rates.tolist()), numbers, numbers, 1e-3, 1e-2, "steepest")

    @property
    def scored(self) -> judged.ScoredEvents:
        """Events of three classes; of the last there are none where values are not finite."""
        random = np.random.default_rng(9)
        count = self.events(0, 1).size
        label = random.integers(0, 2 if self.kind == "nan" else 3, count)
        score = random.dirichlet([1, 1, 1], count)
        weight = random.normal(1, 0.5, count)
        return judged.scored_events(score, label, classes=("A", "B_c", "$D"), weight=weight)

    @property
    def samples(self) -> dict[str, dict[str, judged.WeightedSample]]:
        """Values of two features in two samples."""
        events = self.scored
        return {
            name: {
                feature: judged.WeightedSample(self.events(0, 40)[rows], events.weight[rows])
                for feature in ("dimu_pt", "Max$(x)")
            }
            for name, rows in (("A", events.label == 0), ("B", events.label != 0))
        }

    @property
    def agreement(self) -> judged.Agreement:
        """Two features, or none."""
        if self.kind == "empty":
            return judged.feature_agreement({}, {})
        data = {name: judged.WeightedSample(self.events(1, 41)) for name in ("dimu_pt", "Max$(x)")}
        return judged.feature_agreement(data, self.samples, signal=("A",))

    @property
    def stack(self) -> judged.HistStack:
        """Two samples and data, the last bins hidden."""
        samples = {name: features["dimu_pt"] for name, features in self.samples.items()}
        data = judged.WeightedSample(self.events(1, 41))
        edges = np.linspace(0, 40, 11)
        return judged.hist_stack(
            "x [GeV]", samples, edges, signal=("A",), data=data, blinded=(30, 40)
        )

    @property
    def shifts(self) -> judged.ScoreShifts:
        """Both sides of a systematic, or none."""
        events = self.scored
        row = np.arange(len(events), dtype=np.uint64)
        sides = [
            judged.VariedEvents("scale", side, replace(events, weight=factor * events.weight), row)
            for side, factor in (("up", 1.1), ("down", 0.8))
        ]
        return judged.score_shifts(
            events, row, [] if self.kind == "empty" else sides, bootstrap=FEW
        )

    @property
    def importance(self) -> judged.PermutationImportance:
        """Features of any importance."""
        rows = [
            judged.FeatureImportance(f"Sum$(x{place})", quantity, quantity)
            for place, quantity in enumerate(self.quantities)
        ]
        return judged.PermutationImportance(tuple(rows), 0.9, 3.0, 5, 100)

    @property
    def attribution(self) -> judged.Attribution:
        """Features of any attribution."""
        rows = [
            judged.FeatureAttribution(f"x{place}", quantity, quantity)
            for place, quantity in enumerate(self.quantities)
        ]
        return judged.Attribution("A", tuple(rows), (), 100, 50, 0.0, 0.0)

    @property
    def correlation(self) -> judged.FeatureCorrelation:
        """Correlations of three features."""
        columns = np.column_stack([self.events(0, 1), self.events(1, 3) ** 2])
        names = () if self.kind == "empty" else ("a_b", "Max$(x)")
        values = columns[:, : len(names)]
        return judged.feature_correlation("all", names, values, self.scored.signal_score)

    @property
    def tagged(self) -> dict[str, Any]:
        """Outputs of jets of three classes, NaN for some of them."""
        known = self.events(0, 1)
        random = np.random.default_rng(11)
        scores = random.dirichlet([1, 1, 1], known.size)
        scores[~np.isfinite(known)] = np.nan
        masses = np.array([[125.0, 16.0], [600.0, 50.0], [600.0, 150.0]])
        return {
            "scores": scores,
            "label": random.integers(0, 3, known.size),
            "weight": random.lognormal(0, 1, known.size),
            "mass": masses[random.integers(0, 3, known.size)],
        }

    @property
    def outputs(self) -> tagging.OutputHistogram:
        """The signal's output."""
        jets = self.tagged
        return tagging.output_histograms(jets["scores"], jets["label"], jets["weight"])[1]

    @property
    def control(self) -> tuple[tagging.OutputHistogram, tagging.OutputKs]:
        """The signal's output in data and simulation with its test."""
        jets = self.tagged
        arrays = (jets["scores"], jets["label"] == 1, jets["weight"])
        filled = tagging.output_histograms(*arrays, names=CONTROL, edges=FINE, region="lowPt")
        pt = np.full(jets["label"].size, 50.0)
        return filled[1], tagging.output_agreement(*arrays, pt).test("sig", "lowPt")

    @property
    def columns(self) -> dict[str, np.ndarray]:
        names = ("dimu_pt", "mu0_ip3d", "my_own")
        return {name: self.events(0.001, 40) for name in names}


def _spectrum_pair(x: Inputs, **options: Any) -> Figure:
    return figures.plot_control(x.spectrum, x.spectrum, mass_label=figures.DIMUON_MASS, **options)


def n_minus_one(contents: np.ndarray) -> NMinusOne:
    """An N-1 distribution with these contents."""
    edges = tuple(np.linspace(0, 50, len(contents) + 1).tolist())
    heights = tuple(contents.tolist())
    return NMinusOne(
        *("pt", "pt > 20", "pt", (20.0,), (">",), "GeV", edges, heights, heights, 0.0, 3.0, 0)
    )


FIGURES: dict[str, Callable[..., Figure]] = {
    "outputs": lambda x, **o: figures.plot_outputs(
        x.outputs, log_y_axis=True, note="A training", **o
    ),
    "output_agreement": lambda x, **o: figures.plot_output_agreement(*x.control, log_x=True, **o),
    "signal_efficiencies": lambda x, **o: figures.plot_signal_efficiencies(
        tagging.tagged_shares(**x.tagged).signal, **o
    ),
    "false_positives": lambda x, **o: figures.plot_false_positives(
        tagging.tagged_shares(**x.tagged).background, **o
    ),
    "rejection": lambda x, **o: figures.plot_rejection(tagging.tagger_curves(**x.tagged), **o),
    "merit": lambda x, **o: figures.plot_merit(tagging.tagger_merit(**x.tagged).curves[0], **o),
    "epoch_history": lambda x, **o: figures.plot_epoch_history(
        {"Training": x.curve(0, 1), "Validation": x.curve(0, 1)},
        "Loss",
        expected=x.curve(0, 0.2),
        limit=x.curve(0.2, 0.4),
        chosen=3,
        **o,
    ),
    "mass_spectrum": lambda x, **o: figures.plot_mass_spectrum(
        x.events(5, 16), edges=np.linspace(5, 16, 23), window=WINDOW, masses={"Z": 9.46}, **o
    ),
    "background_fit": lambda x, **o: figures.plot_background_fit(x.spectrum, **o),
    "anomaly_score_distribution": lambda x, **o: figures.plot_anomaly_score_distribution(
        {"Sidebands": x.events(0, 1), "Window": x.events(0, 1)}, cut=0.9, **o
    ),
    "spectrum_scan": lambda x, **o: figures.plot_spectrum_scan(
        x.spectrum_scan, masses={"A": 5.1, "B": 5.2, "Z": 91.2}, **o
    ),
    "significance": lambda x, **o: figures.plot_significance(
        x.edges, x.curve(-2, 4), window=WINDOW, **o
    ),
    "score_vs_mass": lambda x, **o: figures.plot_score_vs_mass(
        x.events(5, 16), x.events(0, 1), mass_edges=np.linspace(5, 16, 23), cut=0.9, **o
    ),
    "feature_distributions": lambda x, **o: figures.plot_feature_distributions(
        {"All": x.columns, "FPR 1 %": x.columns}, **o
    ),
    "significance_variations": lambda x, **o: figures.plot_significance_variations(
        np.geomspace(1, 1e-3, x.curve(0, 1).size),
        {(degree, bins): x.curve(0, degree) for degree in (3, 5, 7) for bins in (7, 11, 15)},
        window=WINDOW,
        working_point=0.01,
        envelope=tuple(x.curve(1, 5)[:2]) if x.kind in {"ordinary", "nan"} else None,
        **o,
    ),
    "injection": lambda x, **o: figures.plot_injection(
        {} if x.kind == "empty" else {"No cut": x.injection, "FPR 1 %": x.injection}, **o
    ),
    "power": lambda x, **o: figures.plot_power({"No cut": x.power, "FPR 1 %": x.power}, **o),
    "spurious_signal": lambda x, **o: figures.plot_spurious_signal(
        {"No cut": x.spurious}, template_errors={"No cut": x.curve(0, 1)}, degree=5, **o
    ),
    "trials_factor": lambda x, **o: figures.plot_trials_factor(x.trials, z_observed=3.2, **o),
    "roc_curve": lambda x, **o: figures.plot_roc_curve(
        [(np.sort(x.curve(0, 1)), np.sort(x.curve(0, 1)))] * 2, auc=Quantity(0.505, 0.004), **o
    ),
    "training_losses": lambda x, **o: figures.plot_training_losses(
        [x.curve(2, 3), x.curve(2, 3)], [x.curve(2, 3)] * 2, selected=[1, None], **o
    ),
    "learning_rate_scan": lambda x, **o: figures.plot_learning_rate_scan(x.rates, **o),
    "spectra": lambda x, **o: figures.plot_spectra([x.spectrum] * 4, pulls_of=1, **o),
    "control": _spectrum_pair,
    "p_value_scan": lambda x, **o: figures.plot_p_value_scan(
        np.geomspace(1, 1e-3, x.curve(0, 1).size),
        {"CATHODE": x.curve(0, 6), "Random cut": x.curve(0, 1)},
        working_point=0.01,
        reweighted={} if x.kind == "empty" else {"Reweighting": 6.4},
        **o,
    ),
    "method_comparison": lambda x, **o: figures.plot_method_comparison(
        np.geomspace(1, 1e-3, x.curve(0, 1).size),
        {
            (method, kind): np.stack([x.curve(0, top), x.curve(0, top + 1)])
            for top, method in enumerate(("CATHODE", "CWoLa"), start=4)
            for kind in ("bdt", "mlp")
        },
        working_point=0.01,
        **o,
    ),
    "toys": lambda x, **o: figures.plot_toys(np.maximum(x.events(-2, 3), 0), z_observed=1.5, **o),
    "p_value_calibration": lambda x, **o: figures.plot_p_value_calibration(
        x.events(0, 0.5), p_observed=0.2, **o
    ),
    "flow_check": lambda x, **o: figures.plot_flow_check(
        x.columns, x.columns, ks={"dimu_pt": 0.01}, auc=Quantity(0.51, 0.01), **o
    ),
    "sculpting": lambda x, **o: figures.plot_sculpting(
        x.events(5, 9), x.events(5, 9, 40), edges=np.linspace(5, 16, 23), window=WINDOW, **o
    ),
    "hunt": lambda x, **o: figures.plot_hunt(x.hunt, x.fit, masses={"Z": 9.46}, **o),
    "scan": lambda x, **o: figures.plot_scan(x.scan, masses={"Z": 9.46}, **o),
    "n_minus_one": lambda x, **o: figures.plot_n_minus_one(
        {}
        if x.kind == "empty"
        else {name: n_minus_one(np.abs(x.curve(1, 1e4))) for name in ("Signal", "Other")},
        **o,
    ),
    "roc_curves": lambda x, **o: figures.plot_roc_curves(
        judged.roc_curves(x.scored, bootstrap=FEW), **o
    ),
    "signal_roc": lambda x, **o: figures.plot_signal_roc(
        judged.roc_curves(x.scored, bootstrap=FEW), **o
    ),
    "confusion_matrix": lambda x, **o: figures.plot_confusion_matrix(
        judged.confusion_matrix(x.scored, bootstrap=FEW), **o
    ),
    "significance_scan": lambda x, **o: figures.plot_significance_scan(
        judged.significance_scan(x.scored, min_background=1, bootstrap=FEW), **o
    ),
    "yields": lambda x, **o: figures.plot_yields(
        judged.significance_scan(x.scored, bootstrap=FEW), **o
    ),
    "binned_significance": lambda x, **o: figures.plot_binned_significance(
        judged.binned_significance(x.scored, bootstrap=FEW).binnings[0], **o
    ),
    "overtraining": lambda x, **o: figures.plot_overtraining(
        judged.overtraining(x.scored, x.scored, bootstrap=FEW), **o
    ),
    "calibration": lambda x, **o: figures.plot_calibration(
        judged.calibration(x.scored, bootstrap=FEW), **o
    ),
    "stack": lambda x, **o: figures.plot_stack(x.stack, **o),
    "stack_pulls": lambda x, **o: figures.plot_stack(x.stack, lower="pull", log=False, **o),
    "agreement": lambda x, **o: figures.plot_agreement(x.agreement, **o),
    "importance": lambda x, **o: figures.plot_importance(x.importance, **o),
    "attribution": lambda x, **o: figures.plot_attribution(x.attribution, **o),
    "correlation": lambda x, **o: figures.plot_correlation(x.correlation, **o),
    "score_shifts": lambda x, **o: figures.plot_score_shifts(x.shifts, **o),
    "training_metrics": lambda x, **o: figures.plot_training_metrics(
        {
            f"fold {number}": {"train_loss": x.curve(0, 1), "validation_auc": x.curve(0, 1)}
            for number in range(2)
        },
        **o,
    ),
    "cut_flow": lambda x, **o: figures.plot_cut_flow(
        {
            "Data": {f"step {number}": value for number, value in enumerate(x.curve(1, 1e4))},
            "Other": {f"step {number}": value for number, value in enumerate(x.curve(1, 1e4))},
        },
        **o,
    ),
}

LABEL = Label("CMS", "Open Data", "8.7 fb$^{-1}$ (13 TeV)")


@pytest.fixture(params=sorted(FIGURES))
def name(request: pytest.FixtureRequest) -> str:
    """Every figure in turn."""
    return request.param


RENDERED = {"control", "score_vs_mass"}
"""Drawn by the fast tests that render; the others are rendered by the slow ones."""


@pytest.fixture(
    params=[
        pytest.param(name, marks=[] if name in RENDERED else pytest.mark.slow)
        for name in sorted(FIGURES)
    ]
)
def rendered(request: pytest.FixtureRequest) -> str:
    """Every figure in turn, for tests that render it."""
    return request.param


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Every kind of input in turn."""
    return request.param


@pytest.fixture
def draw() -> Callable[..., Figure]:
    """Draw one figure from inputs of one kind."""

    def drawing(name: str, kind: str = "ordinary", **options: Any) -> Figure:
        return FIGURES[name](Inputs(kind), **{"label": LABEL, **options})

    return drawing
