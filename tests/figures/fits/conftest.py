"""Results of fits of every kind: ordinary ones, empty ones, and some with numbers missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from quarkline.catalog.drawing import Drawing
from quarkline.figures import fits
from quarkline.figures.style import Label
from quarkline.statistics.likelihood.results import (
    CLsLimit,
    FitQuality,
    FittedParameter,
    GroupedImpacts,
    GroupImpact,
    LikelihoodFit,
    LikelihoodScan,
    LikelihoodSurface,
    LimitPoint,
    RankedParameter,
    Ranking,
    ToyFits,
)
from quarkline.templates.histograms import Histogram
from quarkline.templates.predictions import PredictedSample, RegionPrediction
from quarkline.templates.sets import RegionTemplates, Shift, Template, TemplateSet

KINDS = ("ordinary", "empty", "missing")
TITLES = {"ttb": "t#bar{t} + #geq1b", "mu": "#mu(t#bar{t}H)", "JES": "Jet energy scale, #eta_{det}"}


@dataclass(frozen=True)
class Results:
    """Results of one kind."""

    kind: str

    @property
    def count(self) -> int:
        return 0 if self.kind == "empty" else 4

    def numbers(self, low: float, high: float, count: int | None = None) -> tuple[float, ...]:
        drawn = np.random.default_rng(3).uniform(low, high, self.count if count is None else count)
        if self.kind == "missing":
            drawn[::2] = np.nan
        return tuple(drawn.tolist())

    def region(self, name: str = "SR_1", *, after: bool = False) -> RegionPrediction:
        contents = {"ttH": self.numbers(1, 5, 4), "ttb": self.numbers(20, 40, 4)}
        if self.kind == "empty":
            contents = dict.fromkeys(contents, (0.0,) * 4)
        samples = tuple(
            PredictedSample(
                key, "signal" if key == "ttH" else "background", numbers, numbers,
                float(np.nansum(numbers)), 1.0,
            )
            for key, numbers in contents.items()
        )  # fmt: skip
        total = np.sum(list(contents.values()), axis=0)
        return RegionPrediction(
            name, after, (0.0, 50.0, 100.0, 200.0, 400.0), samples, tuple(total.tolist()),
            tuple((0.1 * total).tolist()), float(np.nansum(total)), float(0.1 * np.nansum(total)),
            (27.0, 0.0, 31.0, 120.0) if self.kind != "empty" else None, (3,), 5.2, 4, 0.27,
        )  # fmt: skip

    @property
    def fit(self) -> LikelihoodFit:
        values, errors = self.numbers(-1, 1), self.numbers(0.4, 1)
        pulled = [
            FittedParameter(f"NP_{place}", "systematic", value, error, error, 0.8, 0.0, 1.0)
            for place, (value, error) in enumerate(zip(values, errors, strict=True))
        ]
        gammas = [
            FittedParameter(
                f"gamma_stat_SR_1_bin_{place}", "gamma", 1 + value / 20, 0.03, None, None, 1.0, 0.04
            )
            for place, value in enumerate(values)
        ]  # fmt: skip
        free = [
            FittedParameter("mu", "norm-factor", value, 0.4, 0.42, 0.38, 1.0, None)
            for value in values[1:2]
        ]
        every = (*pulled, *gammas, *free)
        widths = np.array([parameter.error for parameter in every])
        covariance = np.outer(widths, widths) * (0.3 + 0.7 * np.eye(len(every)))
        return LikelihoodFit(
            "mu", every, tuple(it.name for it in every), tuple(map(tuple, covariance.tolist())),
            42.0, FitQuality(True, 0.0, 1, ("Minuit",)),
        )  # fmt: skip

    @property
    def region_templates(self) -> RegionTemplates:
        edges = np.array([0.0, 50.0, 100.0, 200.0, 400.0])
        templates = {}
        for name, size in (("ttH", 5.0), ("ttb", 50.0)):
            contents = np.zeros(4) if self.kind == "empty" else size * np.array([4, 3, 2, 1])
            nominal = Histogram.of(edges, contents, 0.1 * contents)
            up, down = (
                Histogram.of(edges, contents * (1 + sign * np.array([0.1, 0, 0.05, 0.2])), contents)
                for sign in (1, -1)
            )
            one = Shift(up, down, up, down, 0.07, -0.07, up.contents, down.contents)
            shifts = {
                "JES": one,
                "JER": replace(one, norm_kept=False, filled_up=None, filled_down=None),
                "lumi": replace(one, shape_up=None, shape_down=None),
                "PDF": replace(one, norm_kept=False, shape_kept=False),
            }
            shifts = {} if self.kind == "empty" else shifts
            if name == "ttH":
                shifts.pop("lumi", None)
            templates[name] = Template(nominal, nominal, shifts)
        data = Histogram.of(edges, np.array([210.0, 150, 0, 60]), np.zeros(4))
        return RegionTemplates(edges, templates, None if self.kind == "missing" else data)

    @property
    def templates(self) -> TemplateSet:
        return TemplateSet({"SR_1": self.region_templates, "CR": self.region_templates})

    @property
    def toys(self) -> ToyFits:
        numbers = self.numbers(0.5, 1.5, 40 if self.count else 0)
        return ToyFits("mu", 1.0, numbers, self.numbers(0.3, 0.4, len(numbers)), 2, 0.68)

    @property
    def ranking(self) -> Ranking:
        rows = [
            RankedParameter(
                f"NP_{place}", "systematic", value, 0.9, 1.0 if place else None, -0.3, 0.2,
                -0.35 if place else None, 0.25 if place else None, ("up",) if place == 2 else (),
            )
            for place, value in enumerate(self.numbers(-1, 1))
        ]  # fmt: skip
        return Ranking("mu", 0.6, 0.4, tuple(rows))

    @property
    def impacts(self) -> GroupedImpacts:
        errors = self.numbers(0, 0.3)
        groups = [
            GroupImpact(f"Group {place}", (), error, error, 0.9 * error)
            for place, error in enumerate(errors)
        ]
        one = GroupImpact("total", (), 0.5, 0.52, 0.48)
        return GroupedImpacts("mu", one, one, tuple(groups))

    @property
    def scan(self) -> LikelihoodScan:
        places = np.linspace(-3, 3, 13 if self.count else 0)
        heights: list[float | None] = (places**2).tolist()
        if self.kind == "missing":
            heights[::3] = [None] * len(heights[::3])
        return LikelihoodScan("mu", tuple((1 + places / 2).tolist()), tuple(heights), 1.0)

    @property
    def surface(self) -> LikelihoodSurface:
        x = tuple(np.linspace(-3, 3, 13 if self.count else 0).tolist())
        rows = tuple(tuple(a**2 + b**2 for b in x) for a in x)
        if self.kind == "missing":
            rows = tuple((None, *row[1:]) for row in rows)
        return LikelihoodSurface(("mu", "NP_1"), x, x, rows, (0.0, 0.0))

    @property
    def limit(self) -> CLsLimit:
        hole = None if self.kind == "missing" else 1.2
        slopes = np.array([3, 2, 1.5, 1, 0.7])
        points = [
            LimitPoint(value, hole and float(np.exp(-value)), tuple(np.exp(-value * slopes)))
            for value in np.linspace(0.1, 3, 10 if self.count else 0).tolist()
        ]  # fmt: skip
        expected = (0.5, 0.7, 1.0, 1.4, hole) if self.count else (None,) * 5
        return CLsLimit(
            "mu", 0.95, hole if self.count else None, expected, None, None, tuple(points),
            "asymptotic", True,
        )  # fmt: skip


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Every kind of result in turn."""
    return request.param


@pytest.fixture
def results() -> Callable[[str], Results]:
    """Results of a kind."""
    return Results


FIGURES: dict[str, Callable[..., Figure]] = {
    "prediction": lambda x, **o: fits.plot_prediction(
        x.region(after=True), before=x.region(), variable="H_{T} [GeV]", titles=TITLES,
        drawing=Drawing(chi2=True, yields=True, signal_line="normalised"), **o,
    ),
    "summary": lambda x, **o: fits.plot_summary(
        [x.region("SR_1"), x.region("a_region_with_a_long_name")] if x.count else [],
        titles=TITLES, **o,
    ),
    "merged": lambda x, **o: fits.plot_merged(
        [x.region("SR_1"), replace(x.region("CR"), data=None)], titles=TITLES,
        variables={"SR_1": "H_{T} [GeV]"}, drawing=Drawing(summary_signal_line="scaled"), **o,
    ),
    "pulls": lambda x, **o: fits.plot_pulls(
        x.fit, titles=TITLES, groups={"Instrumental": ["NP_1"]}, **o
    ),
    "pulls_of_two": lambda x, **o: fits.plot_pulls({"A": x.fit, "B": x.fit}, **o),
    "norm_factors": lambda x, **o: fits.plot_norm_factors(x.fit, titles=TITLES, **o),
    "gammas": lambda x, **o: fits.plot_gammas(x.fit, **o),
    "ranking": lambda x, **o: fits.plot_ranking(x.ranking, titles=TITLES, **o),
    "grouped_impacts": lambda x, **o: fits.plot_grouped_impacts(x.impacts, **o),
    "correlation": lambda x, **o: fits.plot_parameter_correlation(x.fit, titles=TITLES, **o),
    "scan": lambda x, **o: fits.plot_likelihood_scan(x.scan, titles=TITLES, **o),
    "surface": lambda x, **o: fits.plot_likelihood_surface(x.surface, titles=TITLES, **o),
    "cls": lambda x, **o: fits.plot_cls(x.limit, poi_title="#mu", **o),
    "limits": lambda x, **o: fits.plot_limits({"1l": x.limit} if x.count else {}, **o),
    "limit_series": lambda x, **o: fits.plot_limit_series(
        [500, 800][: x.count], [x.limit, x.limit][: x.count], **o
    ),
    "systematic": lambda x, **o: fits.plot_systematic(
        Results("ordinary").region_templates.templates["ttb"], "JES", variable="H_{T} [GeV]",
        titles=["Jet energy scale", "t#bar{t} + #geq1b"], **o,
    ),
    "systematic_on_total": lambda x, **o: fits.plot_systematic_on_total(
        x.region_templates, "JES", **o
    ),
    "separation": lambda x, **o: fits.plot_separation(
        x.region_templates, signal=["ttH"], background=["ttb"], title="#geq 6j", **o
    ),
    "pruning": lambda x, **o: fits.plot_pruning(x.templates, titles=TITLES, **o),
    "normalisation": lambda x, **o: fits.plot_normalisation(x.templates, titles=TITLES, **o),
    "pie_charts": lambda x, **o: fits.plot_pie_charts([x.region()][: x.count], titles=TITLES, **o),
    "signal_regions": lambda x, **o: fits.plot_signal_regions([x.region()][: x.count], **o),
    "poi_comparison": lambda x, **o: fits.plot_poi_comparison(
        {"1l": x.fit, "2l SS 1#tau": x.fit} if x.count else {}, statistical={"1l": x.fit}, **o
    ),
    "toys": lambda x, **o: fits.plot_toy_fits(x.toys, **o),
}  # fmt: skip


@pytest.fixture(params=sorted(FIGURES))
def name(request: pytest.FixtureRequest) -> str:
    """Every figure in turn."""
    return request.param


@pytest.fixture
def draw() -> Callable[..., Figure]:
    """Draw one figure from results of one kind."""

    def drawing(name: str, kind: str = "ordinary", **options: Any) -> Figure:
        label = Label("ATLAS", "Internal", "140 fb$^{-1}$ (13 TeV)")
        return FIGURES[name](Results(kind), **{"label": label, **options})

    return drawing
