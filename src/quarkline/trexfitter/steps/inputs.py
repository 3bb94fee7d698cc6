"""What earlier actions left in a job's folder, read once."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from quarkline.engine.core.findings import InputError, Rule, did_you_mean
from quarkline.engine.core.results import pretty_json
from quarkline.engine.store.atomic import write_atomic
from quarkline.statistics.likelihood.results import LikelihoodFit
from quarkline.templates.likelihood import Likelihood, fitted_samples, likelihood_of
from quarkline.templates.sets import TemplateSet
from quarkline.trexfitter.job import Job
from quarkline.trexfitter.outputs.fits import FitText, fit_of, fit_text, read_fit
from quarkline.trexfitter.outputs.layout import Layout
from quarkline.trexfitter.steps.store import read_job_templates

OTHER_FIT = Rule(
    "QL-TREX-064",
    "a fit belongs to the job's likelihood",
    "The fit in the folder has no parameter of the likelihood: it is one of another config. Fit "
    "again with action `f`, or name another file with `FitResults=`.",
)


@dataclass
class Inputs:
    """The files of a job's folder, read when they are first asked for.

    Attributes:
        job: The job.
        fits: Where its fits are.
    """

    job: Job
    fits: Layout

    @cached_property
    def templates(self) -> TemplateSet:
        """The templates, of the histograms that `n`, `h` or `b` left.

        Raises:
            InputError: If there are none, or they are of another config.
        """
        return read_job_templates(self.job)

    @cached_property
    def whole_likelihood(self) -> Likelihood:
        """The likelihood of all regions, for titles and categories."""
        catalog, templates = self.job.catalog, self.templates
        regions = [
            name
            for name, region in templates.regions.items()
            if fitted_samples(catalog, name, region).templates
        ]
        return likelihood_of(templates, catalog, regions=regions)

    @cached_property
    def likelihood(self) -> Likelihood:
        """The likelihood of the fitted regions."""
        return likelihood_of(self.templates, self.job.catalog, name=self.job.name)

    @cached_property
    def fit(self) -> LikelihoodFit:
        """The fit that `f` left, or the one of `FitResults=`.

        Raises:
            InputError: If there is none, or it is of another likelihood.
        """
        given = self.job.options.fit_results
        return self.fit_in(Path(given) if given else self.fits.fit())

    def forget(self) -> None:
        """Read histograms and what is made of them again: they have been written anew."""
        for name in ("templates", "whole_likelihood", "likelihood", "fit"):
            self.__dict__.pop(name, None)

    def keep(self, fit: LikelihoodFit) -> None:
        """Take a fit that has just been made for the one of the folder."""
        if self.job.options.fit_results is None:
            self.__dict__["fit"] = fit

    def fit_in(self, path: Path) -> LikelihoodFit:
        """The fit of a text file, with all digits if Quarkline wrote it.

        Args:
            path: The text file.

        Raises:
            InputError: If it is absent, or of another likelihood.
        """
        text = read_fit(path)
        if exact := _exact(path, text, _hidden(self.job)):
            return exact
        fit = fit_of(text, self.likelihood.spec)
        if text.lines and not fit.free:
            known = [parameter.name for parameter in self.likelihood.spec.parameters]
            name = text.lines[0].name
            message = f"{path} is no fit of this job: the likelihood has no parameter `{name}`"
            hint = did_you_mean(name, known, what="parameters")
            raise InputError(OTHER_FIT.finding(message, suggestion=hint))
        return fit


def write_fit(
    path: Path, fit: LikelihoodFit, hidden: tuple[str, ...] = (), minimum: float | None = None
) -> list[Path]:
    """Write a fit as text, and with all digits as JSON beside it.

    Args:
        path: The text file.
        fit: The fit.
        hidden: Parameters whose value is not to be seen; without JSON then.
        minimum: Minus the logarithm of the likelihood as TRExFitter counts it; None if not known.
    """
    content = fit_text(fit, hidden)
    content = content if minimum is None else replace(content, nll=minimum)
    text = write_atomic(path, str(content))
    if hidden:
        path.with_suffix(".json").unlink(missing_ok=True)
        return [text]
    return [text, write_atomic(path.with_suffix(".json"), pretty_json(fit))]


def _hidden(job: Job) -> tuple[str, ...]:
    return tuple(job.catalog.fit.hidden_parameters) if job.catalog.fit else ()


def _exact(path: Path, text: FitText, hidden: tuple[str, ...]) -> LikelihoodFit | None:
    """The fit with all digits, as long as it says the same as the text."""
    beside = path.with_suffix(".json")
    if hidden or not beside.is_file():
        return None
    try:
        fit = LikelihoodFit.from_json(json.loads(beside.read_text()))
    except (ValueError, KeyError, TypeError):
        return None
    same = str(replace(fit_text(fit), nll=text.nll)) == str(text)
    return fit if same else None
