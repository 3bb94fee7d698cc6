"""Whether fits of templates are statistically right: coverage, p-values, pulls, a known truth.

    python benchmarks/fit_statistics.py [FOLDER] [--toys 1000] [--sets 50]

- Coverage of the signal's strength by toys, with many and with few events, both with parameters for
  the size of the simulation; and of one bin of few events, where it can be summed exactly.
- p-values of toys without signal, beside those of a uniform law with its atom at q0 = 0.
- FOLDER holds the leptoquark ntuples of the test data (CONTRIBUTING.md). Pseudo-data are made of
  them: every generated event counts Poisson(1) times, with all its weights, and the bins are
  Poisson counts of the sums. They are fitted with the templates of all events.
- The data there were made with a strength of 0.8. One count of the signal region, without errors of
  the simulation, is what not to do.

Bands are those that hold a binomial number in 99 % of the cases.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import uproot
from scipy.stats import binom, norm, poisson

from quarkline.catalog import Catalog
from quarkline.engine.core.rng import rng
from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood.discovery import discovery_statistic
from quarkline.statistics.likelihood.doctor import Patient
from quarkline.statistics.likelihood.fit import fit
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.signal import Signal
from quarkline.statistics.likelihood.spec import (
    BinScale,
    ChannelSpec,
    Gaussian,
    LikelihoodSpec,
    NormShift,
    Parameter,
    Poisson,
    SampleSpec,
    Scale,
)
from quarkline.statistics.likelihood.toys import toy_fits
from quarkline.templates.doctor import diagnose
from quarkline.templates.histograms import Histogram
from quarkline.templates.likelihood import likelihood_of
from quarkline.templates.sets import RegionTemplates, Template, TemplateSet

ONE_SIGMA = float(norm.cdf(1) - norm.cdf(-1))
LEVELS = (0.5, 0.1587, 0.05, 0.01)
TRUTH = 0.8
LUMINOSITY = 140068.94  # 1/pb
EDGES = {"CR": (0.0, 200.0, 400.0), "SR": (400.0, 600.0, 800.0, 1200.0)}
"""Bins of HT in GeV; the last one has what lies beyond."""
SAMPLES = {
    "lq": (545824, 545825, 545826),
    "ttH": (346343, 346344, 346345),
    "ttbar": (410470,),
    "VV": (364250, 364253, 364254, 363358),
    "Zjets": (364100, 364114, 364128, 364198, 364204, 364211),
}
COLUMNS = [
    "mcChannelNumber",
    "RunYear",
    "weight_pileup",
    "weight_mc",
    "xs",
    "totalEventsWeighted",
    "genEventID",
    "HT",
    "l2SS_1tau",
    "lep_Pt_0",
    "lep_Pt_1",
    "lep_Eta_0",
    "lep_Eta_1",
    "Mll01",
    "lep_ID_0",
    "lep_ID_1",
    "lep_isTightLH_0",
    "lep_isTightLH_1",
    "lep_isMedium_0",
    "lep_isMedium_1",
]


def main() -> None:
    """Print all figures."""
    options = arguments()
    print(f"load {os.getloadavg()[0]:.1f}")
    for name, spec in (("many events", MANY), ("few events", FEW)):
        timed(f"coverage, {name}", lambda spec=spec: coverage(spec, options.toys))
    print(f"coverage, one bin without errors, exact: {exact_coverage():.4f}")
    timed("coverage, one bin without errors", lambda: coverage(ONE, options.toys))
    for name, spec in (("many events", MANY), ("few events", FEW)):
        timed(f"p-values, {name}", lambda spec=spec: null_fractions(spec, options.toys))
    if options.folder is None:
        return
    events = read_events(options.folder)
    print(
        "signal region:", {name: round(float(total), 1) for name, total in events.yields().items()}
    )
    for by_event in (False, True):
        analysis = Analysis.of(events, by_event=by_event)
        what = "of generated events" if by_event else "of sums of squared weights"
        timed(f"pseudo-data, errors {what}", lambda a=analysis: a.pulls(events, options.sets))
        timed(f"data, errors {what}", analysis.measure)
        timed(f"expected data, errors {what}", analysis.measure_expected)
        print("the fit doctor:", *analysis.diagnosis() or ["no findings"], sep="\n   ")
    timed("pseudo-data, one count", lambda: count_pulls(events, options.sets))
    timed("data, one count", lambda: count_measurement(events))


def timed(what: str, of: Callable[[], str]) -> None:
    """Print a figure and what it cost."""
    clock, processor = time.perf_counter(), time.process_time()
    found = of()
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    print(f"{what}: {found}   ({clock:.1f} s, processor {processor:.1f} s)", flush=True)


def made(
    name: str, signal: Sequence[float], background: Sequence[float], errors: Sequence[float]
) -> LikelihoodSpec:
    """A signal over a background with an error of its yield, in bins with errors of simulation."""
    gammas = tuple(
        Parameter(f"gamma_{at}", "gamma", 1.0, 0.0, 1 + 5 * error, constraint=Poisson(error**-2))
        for at, error in enumerate(errors)
    )
    bins = (BinScale(tuple(one.name for one in gammas)),) if gammas else ()
    yields = (NormShift("k", 1.1, 0.9),) if gammas else ()
    samples = (
        SampleSpec("signal", tuple(signal), (Scale("mu"), *bins)),
        SampleSpec("background", tuple(background), (*yields, *bins)),
    )
    known = (_normal("k"),) if gammas else ()
    parameters = (Parameter("mu", "norm-factor", 1.0, 0.0, 50.0), *known, *gammas)
    return LikelihoodSpec(name, (ChannelSpec("SR", samples),), parameters, "mu")


def _normal(name: str) -> Parameter:
    return Parameter(name, "systematic", 0.0, -5.0, 5.0, constraint=Gaussian())


MANY = made("many", (10.0, 30.0, 50.0), (300.0, 200.0, 100.0), (0.03, 0.05, 0.08))
FEW = made("few", (0.5, 1.5, 3.0), (6.0, 3.0, 1.0), (0.10, 0.15, 0.25))
ONE = made("one", (3.0,), (2.0,), ())


def band(probability: float, number: int) -> tuple[float, float]:
    """Where 99 % of the binomial fractions are."""
    low, high = binom.interval(0.99, number, probability)
    return float(low / number), float(high / number)


def covered(spec: LikelihoodSpec, toys: int, *, seed: int = 1) -> tuple[float, int]:
    """Fraction of the intervals of toys with a strength of 1 that hold it, and fits that failed."""
    model = Model(spec)
    found = toy_fits(model, model.initial, toys, seed=seed)
    return found.covered, found.failed


def coverage(spec: LikelihoodSpec, toys: int) -> str:
    """How often intervals hold the truth."""
    found, failed = covered(spec, toys)
    low, high = band(ONE_SIGMA, toys)
    return f"{found:.3f} of {toys} toys, {failed} failed; for 0.683 {low:.3f} to {high:.3f}"


def exact_coverage(signal: float = 3.0, background: float = 2.0) -> float:
    """The same of one bin, by a sum over all counts: the interval is where -2 ln L falls by 1."""
    expected, covered_by = signal + background, 0.0
    for count in range(100):
        best = max(float(count), background)
        ratio = best - expected + (count * np.log(expected / best) if count else 0.0)
        covered_by += float(poisson.pmf(count, expected)) * (-2 * ratio <= 1)
    return covered_by


def null_p_values(spec: LikelihoodSpec, toys: int, *, seed: int = 2) -> Floats:
    """p-values of toys without signal; 1 where q0 is 0, which half of them should be."""
    model = Model(spec)
    values = model.initial.copy()
    values[model.index("mu")] = 0.0
    statistics = np.array(
        [
            discovery_statistic(Signal.of(model), model.toy(values, rng(seed, "null", toy)))
            for toy in range(toys)
        ]
    )
    return np.where(statistics > 1e-9, norm.sf(np.sqrt(statistics)), 1.0)


def null_fractions(spec: LikelihoodSpec, toys: int) -> str:
    """How often p-values are at most some levels; at 0.5 that is how often q0 is above 0."""
    found = null_p_values(spec, toys)
    parts = []
    for level in LEVELS:
        low, high = band(level, toys)
        parts.append(f"p <= {level:g}: {np.mean(found <= level):.3f} ({low:.3f} to {high:.3f})")
    return "; ".join(parts)


@dataclass(frozen=True, eq=False)
class Events:
    """Selected events.

    Attributes:
        sample: Sample of each row.
        generated: Which generated event it is of, counted from 0.
        weights: Expected events of each row.
        bins: Its bin among those of all regions.
        data: Counts of the data in these bins.
    """

    sample: np.ndarray
    generated: np.ndarray
    weights: Floats
    bins: np.ndarray
    data: Floats

    def yields(self) -> dict[str, float]:
        """Expected events of each sample."""
        return {name: float(self.weights[self.sample == name].sum()) for name in SAMPLES}

    def resampled(self, generator: np.random.Generator) -> Floats:
        """Weights with every generated event Poisson(1) times."""
        times = generator.poisson(1.0, self.generated.max() + 1)
        return self.weights * times[self.generated]

    def histogram(self, name: str, weights: Floats | None = None) -> Floats:
        """Sums of a sample in all bins."""
        rows = self.sample == name
        used = (self.weights if weights is None else weights)[rows]
        return np.bincount(self.bins[rows], used, len(self.data))

    def errors(self, name: str, *, by_event: bool) -> Floats:
        """Statistical errors: of the sum of squared weights, of rows or of generated events."""
        rows = np.flatnonzero(self.sample == name)
        owners = self.generated[rows] if by_event else np.arange(len(rows))
        keys = owners * len(self.data) + self.bins[rows]
        unique, at = np.unique(keys, return_inverse=True)
        sums = np.bincount(at, self.weights[rows])
        return np.sqrt(np.bincount(unique % len(self.data), sums**2, len(self.data)))


def read_events(folder: Path) -> Events:
    """The signal region's events of all files that are there."""
    sample, generated, weights, bins = [], [], [], []
    for name, numbers in SAMPLES.items():
        for number in numbers:
            for path in sorted(folder.glob(f"mc20?/p*/{number}.root")):
                rows = selected(path, COLUMNS)
                sample.append(np.full(len(rows["HT"]), name))
                generated.append(rows["mcChannelNumber"] * 10_000_000 + rows["genEventID"])
                weights.append(weight(rows))
                bins.append(bin_of(rows["HT"]))
    data = [
        bin_of(selected(path, [name for name in COLUMNS if name != "genEventID"])["HT"])
        for path in sorted(folder.glob("data/*.root"))
    ]
    number = sum(len(edges) - 1 for edges in EDGES.values())
    return Events(
        np.concatenate(sample),
        np.unique(np.concatenate(generated), return_inverse=True)[1],
        np.concatenate(weights),
        np.concatenate(bins),
        np.bincount(np.concatenate(data), minlength=number).astype(float),
    )


def selected(path: Path, columns: Sequence[str]) -> dict[str, np.ndarray]:
    """Rows of a file in the signal region."""
    with uproot.open(path) as file:
        rows = file["nominal"].arrays(columns, library="np")
    keep = (rows["l2SS_1tau"] > 0) & (np.abs(rows["Mll01"] - 91.2e3) > 10e3)
    for at in "01":
        electron, muon = (np.abs(rows[f"lep_ID_{at}"]) == one for one in (11, 13))
        good = (electron & (rows[f"lep_isTightLH_{at}"] > 0)) | (
            muon & (rows[f"lep_isMedium_{at}"] > 0)
        )
        keep &= good & (rows[f"lep_Pt_{at}"] >= 10e3) & (np.abs(rows[f"lep_Eta_{at}"]) <= 2.5)
    return {
        name: values[keep].astype(np.int64 if "ID" in name else float)
        for name, values in rows.items()
    }


def weight(rows: dict[str, np.ndarray]) -> Floats:
    """Expected events of each row, by the expression of the public replacement file."""
    year = rows["RunYear"]
    period = np.select([year <= 2016, year == 2017], [36207.66, 44307.4], 58450.1) / 138965.16
    each = rows["weight_pileup"] * rows["weight_mc"] * rows["xs"] / rows["totalEventsWeighted"]
    return np.asarray(LUMINOSITY * period * each)


def bin_of(energies: Floats) -> np.ndarray:
    """Bin of HT, in MeV, among those of all regions; the last one has what lies beyond."""
    edges = np.unique(np.concatenate(list(EDGES.values())))
    return np.clip(np.digitize(energies / 1e3, edges) - 1, 0, len(edges) - 2)


@dataclass(frozen=True, eq=False)
class Analysis:
    """Templates of events, with the likelihood of them."""

    catalog: Catalog
    templates: TemplateSet
    model: Model

    @classmethod
    def of(cls, events: Events, *, by_event: bool) -> Analysis:
        """A control and a signal region, with errors of the simulation and no others."""
        roles = {name: {"role": "signal"} if name == "lq" else {} for name in SAMPLES}
        catalog = Catalog.model_validate(
            {
                "reads": "histograms",
                "poi": "mu",
                "samples": {**roles, "data": {"role": "data"}},
                "regions": {"CR": {"role": "control"}, "SR": {"role": "signal"}},
                "norm_factors": {"mu": {"samples": ["lq"], "min": -5, "max": 20}},
                "fit": {},
            }
        )
        regions, first = {}, 0
        for region, edges in EDGES.items():
            part = slice(first, first + len(edges) - 1)
            known = {}
            for name in SAMPLES:
                errors = events.errors(name, by_event=by_event)[part]
                filled = Histogram.of(np.array(edges), events.histogram(name)[part], errors)
                known[name] = Template(filled, filled)
            counts = events.data[part]
            data = Histogram.of(np.array(edges), counts, np.sqrt(counts))
            regions[region] = RegionTemplates(np.array(edges), known, data)
            first = part.stop
        templates = TemplateSet(regions)
        return cls(catalog, templates, Model(likelihood_of(templates, catalog).spec))

    def fitted(self, data: Data, truth: float) -> tuple[float, float, bool]:
        """Best strength, its error, and whether its interval holds the truth."""
        found = fit(self.model, data)
        held = fit(self.model, data, start=found.values, fixed={"mu": truth}, covariance=False)
        row = found.by_name["mu"]
        return row.value, row.error, bool(2 * (held.nll - found.nll) <= 1)

    def pulls(self, events: Events, sets: int, *, seed: int = 3) -> str:
        """Fits of pseudo-data."""
        return said(self.fits_of_sets(events, sets, seed=seed))

    def fits_of_sets(
        self, events: Events, sets: int, *, seed: int = 3
    ) -> list[tuple[float, float, bool]]:
        """The same as numbers."""
        measured = self.model.data.measured
        return [
            self.fitted(Data(counts, measured), TRUTH)
            for counts in pseudo_data(events, sets, seed=seed)
        ]

    def measure(self) -> str:
        """The fit of the data."""
        value, error, _ = self.fitted(self.model.data, TRUTH)
        return f"{value:.3f} ± {error:.3f}, {(value - TRUTH) / error:+.2f} errors from {TRUTH}"

    def measure_expected(self) -> str:
        """The fit of what is expected."""
        values = self.model.initial.copy()
        values[self.model.index("mu")] = TRUTH
        value, error, _ = self.fitted(self.model.asimov(values), TRUTH)
        return f"{value:.3f} ± {error:.3f}"

    def diagnosis(self) -> list[str]:
        """What the fit doctor says about the fit of the data."""
        patient = Patient(self.model, self.model.data, fit(self.model))
        found = diagnose(self.templates, self.catalog, patient)
        return [f"{one.code} {one.message}" for one in found]


def pseudo_data(events: Events, sets: int, *, seed: int = 3) -> list[Floats]:
    """Counts of all bins, of events that are drawn anew, with the signal at its truth."""
    strengths = np.where(events.sample == "lq", TRUTH, 1.0)
    found = []
    for number in range(sets):
        generator = rng(seed, "pseudo-data", number)
        weights = events.resampled(generator) * strengths
        expected = np.bincount(events.bins, weights, len(events.data))
        found.append(generator.poisson(expected).astype(float))
    return found


def said(fits: Sequence[tuple[float, float, bool]]) -> str:
    """Pulls and coverage of some fits."""
    pulls = np.array([(value - TRUTH) / error for value, error, _ in fits])
    inside = np.mean([holds for _, _, holds in fits])
    low, high = band(ONE_SIGMA, len(fits))
    most = 3 / np.sqrt(len(fits))
    return (
        f"{len(fits)} sets, mean pull {pulls.mean():+.3f} (below {most:.3f}), width "
        f"{pulls.std(ddof=1):.3f}, covered {inside:.3f} ({low:.3f} to {high:.3f})"
    )


def one_count(events: Events, count: float) -> tuple[float, float, bool]:
    """The strength from one count, whose background is taken for exact."""
    yields = events.yields()
    signal = yields.pop("lq")
    value = (count - sum(yields.values())) / signal
    error = float(np.sqrt(count) / signal)
    return value, error, abs(value - TRUTH) <= error


def count_pulls(events: Events, sets: int) -> str:
    """The same pseudo-data, counted."""
    return said([one_count(events, float(one.sum())) for one in pseudo_data(events, sets)])


def count_measurement(events: Events) -> str:
    """The data, counted, with the error it does not know of."""
    value, error, _ = one_count(events, float(events.data.sum()))
    errors = [events.errors(name, by_event=True) for name in SAMPLES if name != "lq"]
    simulation = float(np.sqrt(np.sum(np.square(errors)))) / events.yields()["lq"]
    return (
        f"{value:.3f} ± {error:.3f}; the simulation's error of about {simulation:.2f} is left out"
    )


def arguments() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--toys", type=int, default=1000)
    parser.add_argument("--sets", type=int, default=50)
    return parser.parse_args()


if __name__ == "__main__":
    main()
