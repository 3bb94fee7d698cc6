"""Several jobs fitted together or compared, `m`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from quarkline.engine.compute.executors import Executor
from quarkline.engine.core.results import pretty_json
from quarkline.statistics.likelihood.discovery import discovery
from quarkline.statistics.likelihood.fit import fit as fit_likelihood
from quarkline.statistics.likelihood.impacts import grouped_impacts
from quarkline.statistics.likelihood.limits import asymptotic_limit
from quarkline.statistics.likelihood.ranking import ranking
from quarkline.statistics.likelihood.results import LikelihoodFit
from quarkline.statistics.likelihood.scans import scan, scan_values
from quarkline.statistics.likelihood.signal import poi_of
from quarkline.statistics.likelihood.spec_json import spec_as_json
from quarkline.trexfitter.job import Job
from quarkline.trexfitter.multifit import MultiFit
from quarkline.trexfitter.outputs import limits, rankings
from quarkline.trexfitter.outputs.fits import fit_of, read_fit
from quarkline.trexfitter.outputs.layout import Layout
from quarkline.trexfitter.outputs.scans import write_scan
from quarkline.trexfitter.steps.combination import Combination
from quarkline.trexfitter.steps.compared import draw_comparisons
from quarkline.trexfitter.steps.inputs import write_fit
from quarkline.trexfitter.steps.measured import interval, limit_words, seen
from quarkline.trexfitter.steps.work import Output, Progress, label_of

FORMATS = ("png",)
"""What TRExFitter writes without `ImageFormat`, which a multi-fit does not have."""
PREFIX, SIGNIFICANCE_PREFIX = "myLimit", "mySignificance"


def run_together(multi: MultiFit, letters: str, executor: Executor, tell: Progress) -> Output:
    """Combine jobs if the config says so, as the letters ask; then compare them if it says so.

    Args:
        multi: The multi-fit.
        letters: Actions; of the combination `w`, `f`, `x`, `r`, `l`, `s` and `i`.
        executor: What does work in parts.
        tell: Is told what is done now.
    """
    out = Output(folder=multi.folder, executor=executor, formats=FORMATS, tell=tell)
    together = Together(multi, out)
    if multi.combine:
        for letter in letters:
            if letter in STEPS:
                tell(letter)
                STEPS[letter](together)
    if multi.compare and "m" in letters:
        draw_comparisons(multi, together.combination, out, together.label)
    return out


class Together:
    """A combination at work.

    Args:
        multi: The multi-fit.
        out: What is written.
    """

    def __init__(self, multi: MultiFit, out: Output) -> None:
        self.multi = multi
        self.out = out
        self.combination = Combination(multi)
        self.layout = Layout(multi.folder, multi.name, multi.suffix)
        self.label = label_of("", "", multi.luminosity, multi.energy)
        self._fit: LikelihoodFit | None = None

    @property
    def fit(self) -> LikelihoodFit:
        """The fit that `f` made, or left in the folder."""
        if self._fit is None:
            path = self.multi.fit_results or self.layout.fit()
            self._fit = fit_of(read_fit(path), self.combination.spec)
        return self._fit

    def write_likelihood(self) -> None:
        """Write the combined likelihood."""
        path = self.multi.folder / f"ws_combined{self.multi.suffix}.json"
        self.out.write(path, pretty_json(spec_as_json(self.combination.spec)))

    def do_fit(self) -> None:
        """Fit all jobs together."""
        one = self.combination
        names = [job.catalog.fit.minos for job in self._jobs() if job.catalog.fit]
        free = {parameter.name for parameter in one.spec.parameters if not parameter.fixed}
        minos = list(dict.fromkeys(name for some in names for name in some if name in free))
        self._fit = fit_likelihood(one.model, one.data, minos=minos)
        self.out.files += write_fit(self.layout.fit(), self._fit)
        poi = self._fit.by_name.get(one.spec.poi or "")
        if poi is not None and not poi.fixed:
            self.out.headlines.append(f"combined {poi.name} = {interval(self._fit, poi.name)}")
        if self.multi.combined_correlations:
            self._draw_correlations(self._fit)

    def _jobs(self) -> list[Job]:
        return [inputs.job for inputs in self.combination.inputs.values()]

    def _draw_correlations(self, fit: LikelihoodFit) -> None:
        from quarkline.figures.fits import plot_parameter_correlation

        names = [name for name in fit.free if fit.by_name[name].role != "gamma"]
        figure = plot_parameter_correlation(
            fit,
            threshold=self.multi.correlation_threshold,
            parameters=names,
            titles=self.combination.titles,
            label=self.label,
        )
        self.out.draw(figure, self.multi.folder / f"CorrMatrix_comb{self.multi.suffix}")

    def scan(self) -> None:
        """Scan the combined likelihood along single parameters."""
        from quarkline.figures.fits import plot_likelihood_scan

        one = self.combination
        for settings in self.multi.scans:
            if len(settings.parameters) != 1:
                continue
            name = settings.parameters[0]
            low = settings.low[0] if settings.low else None
            high = settings.high[0] if settings.high else None
            values = scan_values(
                one.model, self.fit, name, low=low, high=high, steps=settings.steps[0]
            )
            with self.out.runner() as runner:
                found = scan(one.model, one.data, self.fit, name, values, runner=runner)
            self.out.files.append(write_scan(self.layout.scan(name), found))
            figure = plot_likelihood_scan(found, titles=one.titles, label=self.label)
            self.out.draw(figure, self.layout.scan(name))

    def rank(self) -> None:
        """Rank the parameters of the combination."""
        from quarkline.figures.fits import plot_ranking

        one = self.combination
        with self.out.runner() as runner:
            found = ranking(one.model, one.data, self.fit, runner=runner)
        order = tuple(parameter.name for parameter in one.spec.parameters)
        lines = rankings.ranking_lines(found, order, self.fit)
        self.out.write(self.layout.ranking(found.poi), rankings.written(lines))
        figure = plot_ranking(found, titles=one.titles, poi_title=self.poi_title, label=self.label)
        self.out.draw(figure, self.layout.figure("Ranking", end=f"_{found.poi}"))

    @property
    def poi_title(self) -> str:
        """What the measured parameter is called."""
        poi = self.multi.pois[0] if self.multi.pois else ""
        return self.multi.poi_title[0] if self.multi.poi_title else poi

    def impacts(self) -> None:
        """Find what groups add to the error of the measured parameter."""
        one, free = self.combination, set(self.fit.free)
        groups = {
            name: kept
            for name, members in one.groups.items()
            if (kept := tuple(member for member in members if member in free))
        }
        with self.out.runner() as runner:
            found = grouped_impacts(one.model, one.data, self.fit, groups, runner=runner)
        lines = rankings.impact_lines(found)
        self.out.write(self.layout.impacts(), rankings.written(lines))

    def limit(self) -> None:
        """Find the combined upper limit."""
        one, settings = self.combination, self.multi.limit
        poi = poi_of(one.model, settings.poi)
        data, observed = one.tested(poi, settings.data, 0.0)
        found = asymptotic_limit(
            one.model,
            data,
            poi=poi,
            level=settings.level,
            injected=settings.injected,
            observed=observed,
        )
        found = replace(found, data=one.kind)
        name = limits.limit_name(PREFIX, "", found.level, blind=found.observed is None)
        self.out.files.append(limits.write_limit(self.layout.limits(name), found, best=None))
        self.out.headlines.append(f"combined {limit_words(found)}")

    def significance(self) -> None:
        """Find the combined significance."""
        one, settings = self.combination, self.multi.significance
        poi, strength = poi_of(one.model, settings.poi), settings.expected_with
        data, observed = one.tested(poi, settings.data, strength)
        found = discovery(one.model, data, poi=poi, expected_with=strength, observed=observed)
        found = replace(found, data=one.kind)
        name = limits.significance_name(SIGNIFICANCE_PREFIX, "", blind=found.z is None)
        path = self.layout.significance(name)
        self.out.files.append(limits.write_significance(path, found))
        words = "" if found.z is None else f"{found.z:.3g} sigma {seen(found)}, "
        self.out.headlines.append(f"combined: {words}{found.z_expected:.3g} sigma expected")


STEPS: Mapping[str, Callable[[Together], None]] = {
    "w": Together.write_likelihood,
    "f": Together.do_fit,
    "x": Together.scan,
    "r": Together.rank,
    "l": Together.limit,
    "s": Together.significance,
    "i": Together.impacts,
}
