"""What a `MultiFit` config says: the jobs that are compared or combined, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from quarkline.catalog.inference import LimitSettings, ScanSettings, SignificanceSettings
from quarkline.engine.core.findings import Finding
from quarkline.trexfitter.blocks import TrexConfig
from quarkline.trexfitter.command_line import CommandOptions
from quarkline.trexfitter.job import Job


@dataclass(frozen=True)
class ComparedJob:
    """One job of a multi-fit.

    Attributes:
        name: Name of its block.
        label: Its name in figures.
        job: The job; None if only files of it are named.
        suffix: Suffix of its files that are read.
        workspace: Its workspace; None for the job's own.
        fit_results: File with its fit's result; None for the job's own.
        limits: File with its limits; None for the job's own.
        poi: Name of the measured parameter in it; None for the job's own.
        in_fit: Whether it is part of the combination.
        in_comparison: Whether it is part of comparisons.
    """

    name: str
    label: str
    job: Job | None
    suffix: str = ""
    workspace: Path | None = None
    fit_results: Path | None = None
    limits: Path | None = None
    poi: str | None = None
    in_fit: bool = True
    in_comparison: bool = True


@dataclass(frozen=True)
class MultiFit:
    """Several jobs that are compared or combined.

    Attributes:
        name: Its name.
        folder: Where its results are.
        config: The config as read.
        options: What the option string says.
        jobs: The jobs, in order.
        pois: Measured parameters.
        combine: Whether the jobs are fitted together.
        compare: Whether they are compared.
        compare_pois: Whether the measured parameters are compared.
        compare_pulls: Whether nuisance parameters are compared.
        compare_limits: Whether limits are compared.
        combined_correlations: Whether the correlation matrix of the combination is drawn.
        statistics_only: Whether only statistical errors are shown.
        with_statistics_only: Whether statistical errors are shown beside the total.
        show_observed: Whether observed limits are shown.
        show_total_only: Whether statistical and systematic errors are not told apart.
        suffix: What names of its files end with.
        label: Text below the experiment's name.
        luminosity: Text for the luminosity.
        energy: Centre-of-mass energy with its unit.
        combined_label: Name of the combination in figures.
        limit_title: Title of the axis of limits.
        limit_max: Highest limit of the axis; None to let it follow.
        poi_title: Title of each measured parameter.
        poi_label: What the measured parameter is called.
        poi_ranges: Range of the axis of each measured parameter.
        poi_precision: Digits of each measured parameter, as written.
        poi_nominal: Value of the standard model.
        poi_asimov: Value in Asimov data.
        poi_initial: Where fits begin.
        data: "observed" or "asimov".
        hypothesis: "signal+background" or "background".
        categories: Categories of nuisance parameters compared in figures of their own.
        parameters: File with the nuisance parameters that are compared.
        scans: Scans of the combined likelihood.
        limit: Limit of the combination.
        significance: Significance of the combination.
        goodness_of_fit: Whether the saturated model is compared.
        ranking_includes_pois: Whether measured norm factors are ranked.
        fit_results: File with the combination's result.
        limits: File with the combination's limits.
        background_suffix: Suffix of background-only fits that give the Asimov data.
        correlation_threshold: Parameters without a larger correlation are left out.
        signal_over_background: Whether S/B of all regions is drawn.
        signal_title: Name of the signal in that figure.
    """

    name: str
    folder: Path
    config: TrexConfig
    options: CommandOptions
    jobs: tuple[ComparedJob, ...]
    pois: tuple[str, ...] = ()
    combine: bool = False
    compare: bool = False
    compare_pois: bool = True
    compare_pulls: bool = True
    compare_limits: bool = True
    combined_correlations: bool = False
    statistics_only: bool = False
    with_statistics_only: bool = False
    show_observed: bool = False
    show_total_only: bool = False
    suffix: str = ""
    label: str = ""
    luminosity: str = ""
    energy: str = ""
    combined_label: str = "Combined"
    limit_title: str = "95% CL limit on XXX"
    limit_max: float | None = None
    poi_title: tuple[str, ...] = ()
    poi_label: str = "#mu"
    poi_ranges: tuple[tuple[float, float], ...] = ()
    poi_precision: tuple[str, ...] = ()
    poi_nominal: float = 1.0
    poi_asimov: float = 1.0
    poi_initial: float = 1.0
    data: str = "observed"
    hypothesis: str = "signal+background"
    categories: tuple[str, ...] = ()
    parameters: Path | None = None
    scans: tuple[ScanSettings, ...] = ()
    limit: LimitSettings = field(default_factory=LimitSettings)
    significance: SignificanceSettings = field(default_factory=SignificanceSettings)
    goodness_of_fit: bool = False
    ranking_includes_pois: bool = False
    fit_results: Path | None = None
    limits: Path | None = None
    background_suffix: str = ""
    correlation_threshold: float = 0.0
    signal_over_background: bool = False
    signal_title: str = "signal"

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is suspicious about it and its jobs but does not stop it."""
        found = [*self.config.findings]
        for one in self.jobs:
            found += [item for item in (one.job.findings if one.job else ()) if item not in found]
        return tuple(found)
