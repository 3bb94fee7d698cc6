"""The likelihood of several jobs at once, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from quarkline.engine.core.findings import InputError, Rule
from quarkline.statistics.likelihood.combine import combined
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.spec import LikelihoodSpec
from quarkline.templates.measure.fits import Problem, problem_of, with_fixed
from quarkline.trexfitter.multifit import ComparedJob, MultiFit
from quarkline.trexfitter.outputs.layout import Layout
from quarkline.trexfitter.steps.inputs import Inputs

NOTHING_TO_COMBINE = Rule(
    "QL-TREX-066",
    "a combination has jobs with configs",
    "Blocks `Fit` of a multi-fit that are combined name the `ConfigFile` of their job, whose "
    "histograms are in its folder; a workspace of ROOT alone cannot be read.",
)


@dataclass
class Combination:
    """Jobs whose likelihoods are multiplied.

    Attributes:
        multi: The multi-fit.
    """

    multi: MultiFit

    @cached_property
    def inputs(self) -> dict[str, Inputs]:
        """What the jobs left in their folders, by the names of their blocks.

        Raises:
            InputError: If a job has no config, or there are none.
        """
        chosen = [one for one in self.multi.jobs if one.in_fit]
        for one in chosen:
            if one.job is None:
                message = f"`Fit: {one.name}` has no `ConfigFile`"
                raise InputError(NOTHING_TO_COMBINE.finding(message))
        if not chosen:
            raise InputError(NOTHING_TO_COMBINE.finding("no `Fit` has `UseInFit: TRUE`"))
        return {one.name: inputs_of(one) for one in chosen}

    @cached_property
    def problems(self) -> dict[str, Problem]:
        """The likelihoods of the jobs with their data, by the names of their blocks."""
        return self._problems()

    @cached_property
    def spec(self) -> LikelihoodSpec:
        """The product, with the signal held at 0 if the background alone is fitted."""
        specs = [problem.model.spec for problem in self.problems.values()]
        poi = self.multi.pois[0] if self.multi.pois else None
        whole = combined(specs, name=self.multi.name, poi=poi)
        if self.multi.hypothesis == "background" and whole.poi:
            return with_fixed(whole, {whole.poi: 0.0})
        return whole

    @cached_property
    def model(self) -> Model:
        """The product, compiled."""
        return Model(self.spec)

    @cached_property
    def data(self) -> Data:
        """Data of all jobs; auxiliary measurements as they came out."""
        return self._together(self.problems)

    def tested(self, poi: str, data: str, strength: float) -> tuple[Data, bool]:
        """The data of a limit or a significance, and whether these are tested themselves.

        Args:
            poi: Parameter of the signal.
            data: "observed" or "asimov", which looks at no data.
            strength: The signal in Asimov data.
        """
        problems = self._problems(blind=data == "asimov", strength=(poi, strength))
        return self._together(problems), any(problem.observed for problem in problems.values())

    def _problems(
        self, *, blind: bool = False, strength: tuple[str, float] | None = None
    ) -> dict[str, Problem]:
        hidden = blind or self.multi.data == "asimov"
        return {
            name: problem_of(
                one.templates, one.job.catalog, blind=hidden, strength=strength, name=name
            )
            for name, one in self.inputs.items()
        }

    def _together(self, problems: Mapping[str, Problem]) -> Data:
        counts = np.concatenate([problem.data.counts for problem in problems.values()])
        return replace(self.model.asimov(self.model.initial), counts=counts)

    @property
    def kind(self) -> str:
        """What the data are: "observed", "asimov", or "mixed" if they differ by region."""
        kinds: set[str] = {problem.sources.kind for problem in self.problems.values()}
        return kinds.pop() if len(kinds) == 1 else "mixed"

    @property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Parameters by the group whose impact is given."""
        found: dict[str, dict[str, None]] = {}
        for problem in self.problems.values():
            for group, names in problem.likelihood.groups.items():
                found.setdefault(group, {}).update(dict.fromkeys(names))
        return {group: tuple(names) for group, names in found.items()}

    @property
    def titles(self) -> Mapping[str, str]:
        """Titles of parameters."""
        problems = self.problems.values()
        return {name: text for one in problems for name, text in one.likelihood.titles.items()}


def inputs_of(compared: ComparedJob) -> Inputs:
    """What a job of a multi-fit left in its folder."""
    job = compared.job
    if job is None:
        message = f"`Fit: {compared.name}` has no `ConfigFile`"
        raise InputError(NOTHING_TO_COMBINE.finding(message))
    return Inputs(job, Layout(job.folder, job.name, compared.suffix or job.suffix))
