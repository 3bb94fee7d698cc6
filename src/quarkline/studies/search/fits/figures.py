"""Figures of a fit: each is drawn from its results and what the catalog says about looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quarkline.catalog import Catalog
from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.results import Result, result_from_json
from quarkline.engine.store.atomic import write_atomic
from quarkline.statistics.likelihood.results import LikelihoodFit
from quarkline.studies.search.fits.results import Expected, Measurement, Scans

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from quarkline.figures import Label


@dataclass(frozen=True)
class _Drawn:
    """A figure to be drawn: its name, what draws it, and the results that it takes."""

    name: str
    kind: str
    results: tuple[Result, ...]


def figure_items(
    results: Mapping[str, Result], catalog: Catalog, label: Mapping[str, str]
) -> list[Item]:
    """The figures of a fit, each an item of `draw_of_fit`.

    Args:
        results: Results by name.
        catalog: Titles and looks.
        label: The line above figures.
    """
    measured = results.get("measurement")
    titles = dict(measured.titles) if isinstance(measured, Measurement) else {}
    shared = {
        "catalog": catalog.model_dump(mode="json"),
        "titles": titles,
        "label": dict(label),
    }
    return [
        Item(
            drawn.name,
            {"kind": drawn.kind, "results": [one.as_json() for one in drawn.results]} | shared,
        )
        for drawn in _wanted(results)
    ]


def _wanted(results: Mapping[str, Result]) -> Iterator[_Drawn]:
    expected, fit = results.get("expected"), results.get("fit")
    if isinstance(expected, Expected):
        for before, after in zip(expected.before, expected.after, strict=True):
            yield _Drawn(f"prefit_{before.region}", "region", (before,))
            yield _Drawn(f"postfit_{after.region}", "region", (after, before))
        yield _Drawn("prefit_summary", "summary", (expected,))
        yield _Drawn("postfit_summary", "summary-after", (expected,))
        yield _Drawn("composition", "pies", (expected,))
    if isinstance(fit, LikelihoodFit):
        roles = {fit.by_name[name].role for name in fit.free}
        kinds = {"systematic": "pulls", "norm-factor": "norm_factors", "gamma": "gammas"}
        yield from (_Drawn(kind, kind, (fit,)) for role, kind in kinds.items() if role in roles)
        if len(fit.covariance) > 1:
            yield _Drawn("correlations", "correlations", (fit,))
    for name, kind in {"ranking": "ranking", "impacts": "impacts", "toys": "toys"}.items():
        if name in results:
            yield _Drawn(name, kind, (results[name],))
    if "limit" in results:
        yield _Drawn("limit", "limit", (results["limit"],))
        yield _Drawn("cls", "cls", (results["limit"],))
    if isinstance(scans := results.get("scans"), Scans):
        for scan in scans.lines:
            yield _Drawn(f"scan_{scan.parameter}", "scan", (scan,))
        for surface in scans.surfaces:
            yield _Drawn(f"scan_{'_'.join(surface.parameters)}", "surface", (surface,))


def draw_of_fit(args: Mapping[str, Any], _: Mapping[str, Path], folder: Path) -> Any:
    """Task: draw one figure of a fit.

    Args:
        args: `kind`, the name of what draws it; its `results` as JSON; the `catalog` with titles
            and looks, `titles` of parameters, and `label`, the line above it.
        folder: Takes the figure as `figure`, in every form.
    """
    from quarkline import figures

    catalog = Catalog.model_validate(args["catalog"])
    results = [result_from_json(one) for one in args["results"]]
    drawing = _Drawing(catalog, args["titles"], figures.Label(**args["label"]))
    function: Callable[..., Figure] = getattr(drawing, args["kind"].replace("-", "_"))
    figure = function(*results)
    figures.save(figure, folder / "figure")
    write_atomic(folder / "figure.svg", figures.to_svg(figure))
    return None


class _Drawing:
    """One method for each kind of figure."""

    def __init__(self, catalog: Catalog, titles: Mapping[str, str], label: Label) -> None:
        from quarkline.figures.fits.analysis import parameter_titles

        self.catalog, self.label = catalog, label
        self.titles = parameter_titles(catalog, titles)

    @property
    def poi_title(self) -> str:
        poi = self.catalog.poi or ""
        return self.titles.get(poi, poi)

    def region(self, now: Any, before: Any = None) -> Figure:
        from quarkline.figures.fits.analysis import draw_region

        earlier = before if self.catalog.drawing.before_over_after else None
        return draw_region(self.catalog, now, before=earlier, label=self.label)

    def summary(self, expected: Expected) -> Figure:
        from quarkline.figures.fits.analysis import draw_summary

        return draw_summary(self.catalog, expected.before, label=self.label)

    def summary_after(self, expected: Expected) -> Figure:
        from quarkline.figures.fits.analysis import draw_summary

        before = expected.before if self.catalog.drawing.before_over_after else ()
        return draw_summary(self.catalog, expected.after, before=before, label=self.label)

    def pies(self, expected: Expected) -> Figure:
        from quarkline.figures.fits.analysis import draw_pies

        return draw_pies(self.catalog, expected.before, label=self.label)

    def pulls(self, fit: LikelihoodFit) -> Figure:
        from quarkline.figures.fits import plot_pulls

        return plot_pulls(fit, titles=self.titles, label=self.label)

    def norm_factors(self, fit: LikelihoodFit) -> Figure:
        from quarkline.figures.fits import plot_norm_factors

        return plot_norm_factors(fit, titles=self.titles, label=self.label)

    def gammas(self, fit: LikelihoodFit) -> Figure:
        from quarkline.figures.fits import plot_gammas

        return plot_gammas(fit, titles=self.titles, label=self.label)

    def correlations(self, fit: LikelihoodFit) -> Figure:
        from quarkline.figures.fits import plot_parameter_correlation

        bins = self.catalog.drawing.correlations_of_bins
        names = [name for name in fit.free if bins or fit.by_name[name].role != "gamma"]
        return plot_parameter_correlation(
            fit,
            threshold=self.catalog.drawing.correlation_threshold,
            parameters=names,
            titles=self.titles,
            label=self.label,
        )

    def ranking(self, found: Any) -> Figure:
        from quarkline.figures.fits import plot_ranking

        most = self.catalog.ranking.most if self.catalog.ranking else 20
        return plot_ranking(
            found, most=most, titles=self.titles, poi_title=self.poi_title, label=self.label
        )

    def impacts(self, found: Any) -> Figure:
        from quarkline.figures.fits import plot_grouped_impacts

        return plot_grouped_impacts(found, poi_title=self.poi_title, label=self.label)

    def limit(self, found: Any) -> Figure:
        from quarkline.figures.fits import plot_limits

        return plot_limits(found, poi_title=self.poi_title, label=self.label)

    def cls(self, found: Any) -> Figure:
        from quarkline.figures.fits import plot_cls

        return plot_cls(found, poi_title=self.poi_title, label=self.label)

    def scan(self, found: Any) -> Figure:
        from quarkline.figures.fits import plot_likelihood_scan

        return plot_likelihood_scan(found, titles=self.titles, label=self.label)

    def surface(self, found: Any) -> Figure:
        from quarkline.figures.fits import plot_likelihood_surface

        return plot_likelihood_surface(found, titles=self.titles, label=self.label)

    def toys(self, found: Any) -> Figure:
        from quarkline.figures.fits import plot_toy_fits

        return plot_toy_fits(found, titles=self.titles, label=self.label)
