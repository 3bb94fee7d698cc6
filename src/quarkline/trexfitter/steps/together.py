"""Several jobs fitted together or compared, `m`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from quarkline.catalog import ScanSettings
from quarkline.catalog.tlatex import typeset
from quarkline.engine.compute.executors import Executor
from quarkline.engine.core.results import pretty_json
from quarkline.statistics.likelihood.discovery import discovery
from quarkline.statistics.likelihood.doctor import Patient, examine
from quarkline.statistics.likelihood.fit import fit as fit_likelihood
from quarkline.statistics.likelihood.goodness import goodness_of_fit
from quarkline.statistics.likelihood.impacts import grouped_impacts
from quarkline.statistics.likelihood.limits import asymptotic_limit
from quarkline.statistics.likelihood.ranking import ranking
from quarkline.statistics.likelihood.results import LikelihoodFit
from quarkline.statistics.likelihood.scans import scan, scan_values, surface
from quarkline.statistics.likelihood.signal import poi_of
from quarkline.statistics.likelihood.spec_json import spec_as_json
from quarkline.statistics.likelihood.toy_limits import toy_limit
from quarkline.templates.measure.names import chosen_names
from quarkline.trexfitter.job import Job
from quarkline.trexfitter.multifit import MultiFit
from quarkline.trexfitter.outputs import limits, rankings
from quarkline.trexfitter.outputs.fits import fit_of, read_fit
from quarkline.trexfitter.outputs.layout import Layout
from quarkline.trexfitter.outputs.scans import write_scan, write_surface
from quarkline.trexfitter.steps.combination import Combination
from quarkline.trexfitter.steps.compared import draw_comparisons
from quarkline.trexfitter.steps.inputs import write_fit
from quarkline.trexfitter.steps.measured import goodness_words, interval, limit_words, seen
from quarkline.trexfitter.steps.work import Output, Progress, label_of

FORMATS = ("png",)
"""What TRExFitter writes without `ImageFormat`, which a multi-fit does not have."""


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
        self.label = label_of("", typeset(multi.label), multi.luminosity, multi.energy)
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
        start = one.start(self.multi.poi_initial)
        self._fit = fit_likelihood(
            one.model, one.data, start=start, minos=minos, strategy=self.multi.strategy
        )
        self.out.files += write_fit(self.layout.fit(), self._fit)
        poi = self._fit.by_name.get(one.spec.poi or "")
        if poi is not None and not poi.fixed:
            self.out.headlines.append(f"combined {poi.name} = {interval(self._fit, poi.name)}")
        self.out.findings += examine(Patient(one.model, one.data, self._fit))
        if self.multi.with_statistics_only:
            alone = one.statistics_fit(self._fit, minos)
            self.out.files += write_fit(self.layout.fit("_statOnly"), alone)
        if self.multi.goodness_of_fit:
            self._judge(self._fit)
        if self.multi.combined_correlations:
            self._draw_correlations(self._fit)

    def _judge(self, fit: LikelihoodFit) -> None:
        """How well all data are described."""
        one = self.combination
        with self.out.runner() as runner:
            found = goodness_of_fit(one.model, one.data, fit, runner=runner)
        path = self.layout.fit("_goodnessOfFit").with_suffix(".json")
        self.out.write(path, pretty_json(found))
        self.out.headlines.append(goodness_words(found))

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
        """Scan the combined likelihood along parameters, and over pairs of them."""
        for settings in self.multi.scans:
            names = chosen_names(settings.parameters, self.fit.free, parts=False)
            axes = [self._axis(settings, at, name) for at, name in enumerate(names)]
            if len(names) == len(settings.parameters) == 1:
                self._scan_line(names[0], axes[0])
            elif len(names) == len(settings.parameters):
                self._scan_plane((names[0], names[1]), axes)

    def _axis(self, settings: ScanSettings, at: int, name: str) -> tuple[float, ...]:
        low, high = (
            None if side is None else side[min(at, len(side) - 1)]
            for side in (settings.low, settings.high)
        )
        steps = settings.steps[min(at, len(settings.steps) - 1)]
        return scan_values(self.combination.model, self.fit, name, low=low, high=high, steps=steps)

    def _scan_line(self, name: str, values: Sequence[float]) -> None:
        from quarkline.figures.fits import plot_likelihood_scan

        one = self.combination
        with self.out.runner() as runner:
            found = scan(one.model, one.data, self.fit, name, values, runner=runner)
        self.out.files.append(write_scan(self.layout.scan(name), found))
        figure = plot_likelihood_scan(found, titles=one.titles, label=self.label)
        self.out.draw(figure, self.layout.scan(name))

    def _scan_plane(self, names: tuple[str, str], axes: Sequence[Sequence[float]]) -> None:
        from quarkline.figures.fits import plot_likelihood_surface

        one = self.combination
        with self.out.runner() as runner:
            found = surface(one.model, one.data, self.fit, names, axes[0], axes[1], runner=runner)
        self.out.files.append(write_surface(self.layout.scan(*names), found))
        figure = plot_likelihood_surface(found, titles=one.titles, label=self.label)
        self.out.draw(figure, self.layout.scan(*names))

    def rank(self) -> None:
        """Rank the parameters of the combination."""
        from quarkline.figures.fits import plot_ranking

        one = self.combination
        with self.out.runner() as runner:
            found = ranking(one.model, one.data, self.fit, parameters=self._ranked, runner=runner)
        order = tuple(parameter.name for parameter in one.spec.parameters)
        lines = rankings.ranking_lines(found, order, self.fit)
        self.out.write(self.layout.ranking(found.poi), rankings.written(lines))
        figure = plot_ranking(found, titles=one.titles, poi_title=self.poi_title, label=self.label)
        self.out.draw(figure, self.layout.figure("Ranking", end=f"_{found.poi}"))

    @property
    def _ranked(self) -> list[str]:
        """Fitted parameters; those that are measured only if they are asked for."""
        left_out = () if self.multi.ranking_includes_pois else self.multi.pois
        kept = [name for name in self.fit.free if name not in left_out]
        return [name for name in kept if name != self.combination.spec.poi]

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
        if settings.method == "toys":
            with self.out.runner() as runner:
                found = toy_limit(
                    one.model,
                    data,
                    poi=poi,
                    level=settings.level,
                    toys=settings.toys,
                    observed=observed,
                    runner=runner,
                )
        else:
            found = asymptotic_limit(
                one.model,
                data,
                poi=poi,
                level=settings.level,
                injected=settings.injected,
                observed=observed,
            )
        found = replace(found, data=one.kind)
        filed = self.multi.limit_files
        name = limits.limit_name(filed.prefix, "", found.level, blind=found.observed is None)
        path = self.layout.limits(name)
        self.out.files.append(
            limits.write_limit(path, found, best=None, label=filed.parameter, value=filed.value)
        )
        self.out.headlines.append(f"combined {limit_words(found)}")

    def significance(self) -> None:
        """Find the combined significance."""
        one, settings = self.combination, self.multi.significance
        poi, strength = poi_of(one.model, settings.poi), settings.expected_with
        data, observed = one.tested(poi, settings.data, strength)
        found = discovery(one.model, data, poi=poi, expected_with=strength, observed=observed)
        found = replace(found, data=one.kind)
        filed = self.multi.significance_files
        name = limits.significance_name(filed.prefix, "", blind=found.z is None)
        path = self.layout.significance(name)
        self.out.files.append(
            limits.write_significance(path, found, label=filed.parameter, value=filed.value)
        )
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
