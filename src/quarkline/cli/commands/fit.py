"""`quarkline fit`: fit a likelihood that somebody made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quarkline.cli import options
from quarkline.cli.alike import alike_lines

if TYPE_CHECKING:
    from quarkline.engine.core.findings import Finding
    from quarkline.statistics.likelihood.results import (
        CLsLimit,
        DiscoverySignificance,
        FittedParameter,
        GoodnessOfFit,
        GroupedImpacts,
        LikelihoodFit,
        Ranking,
        ToyFits,
    )
    from quarkline.tools.fit import FitReport

MOST_ROWS = 20


def command(
    workspace: Annotated[
        str,
        typer.Argument(
            metavar="WORKSPACE",
            help="pyhf's JSON, HistFactory's XML, or an archive of published likelihoods as "
            "ARCHIVE or ARCHIVE:MEMBER.",
            show_default=False,
        ),
    ],
    patch: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="A patch beside the workspace, or of a file."),
    ] = None,
    measurement: Annotated[
        str | None, typer.Option(metavar="NAME", help="The measurement; default: the first.")
    ] = None,
    poi: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The parameter to measure; default: the measurement's."),
    ] = None,
    ranking: Annotated[
        bool, typer.Option("--ranking", help="How far each parameter moves the measured one.")
    ] = False,
    impacts: Annotated[
        bool, typer.Option("--impacts", help="What groups of parameters add to its error.")
    ] = False,
    limit: Annotated[bool, typer.Option("--limit", help="Its upper limit by CLs.")] = False,
    significance: Annotated[
        bool, typer.Option("--significance", help="How unlikely the data are without signal.")
    ] = False,
    scan: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PAR[,PAR]", help="The likelihood along a parameter, or two; repeatable."
        ),
    ] = None,
    goodness: Annotated[
        bool, typer.Option("--goodness", help="How well the model describes the data.")
    ] = False,
    toys: Annotated[
        int, typer.Option(min=0, metavar="N", help="Fit N toys; with --goodness for that, too.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Seed of the toys.")] = 1,
    root_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder from which the paths in XML count."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Folder for results.json, tables and figures."
        ),
    ] = None,
    workers: options.Workers = None,
    as_json: options.Json = False,
) -> None:
    """Fit the likelihood of WORKSPACE, and show its parameters.

    Signals of a published likelihood are chosen by name with --patch.
    """
    from quarkline.cli.progress import WorkBar
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools.fit import Wanted, fit_workspace
    from quarkline.tools.fit_figures import write_figures
    from quarkline.tools.fit_files import write_files

    wanted = Wanted(
        ranking=ranking,
        impacts=impacts,
        limit=limit,
        significance=significance,
        scans=tuple(_names(text) for text in scan or ()),
        goodness=goodness,
        toys=toys,
        seed=seed,
    )
    with WorkBar(_said, quiet=as_json) as bar:
        report = fit_workspace(
            workspace,
            wanted,
            patch=patch,
            measurement=measurement,
            poi=poi,
            root_dir=root_dir,
            workers=workers,
            watch=lambda what, done, total: bar.update(done, total, what),
        )
        if output is not None:
            bar.update(0, 1, "tables and figures")
            files = write_files(report.results, output)
            files += write_figures(report.results, output / "figures")
    if as_json:
        typer.echo(pretty_json(dict(report.results)), nl=False)
        return
    for line in lines(report):
        typer.echo(line)
    if output is not None:
        typer.echo(f"\nresults.json, {_count(len(files) - 1, 'table and figure file')} in {output}")


def _said(done: int, total: int) -> str:
    return f"{done} of {total}" if total > 1 else ""


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if len(names) > 2 or not all(names):
        message = f"--scan {text!r} is not one parameter, or two with a comma"
        raise typer.BadParameter(message)
    return names


def lines(report: FitReport) -> Iterator[str]:
    """A report as lines of text."""
    from quarkline.statistics.likelihood import results as kinds

    yield from _source_lines(report)
    yield from _fit_lines(report.fitted)
    for result in report.results.values():
        match result:
            case kinds.Ranking():
                yield from _ranking_lines(result)
            case kinds.GroupedImpacts():
                yield from _impact_lines(result)
            case kinds.CLsLimit():
                yield from _limit_lines(result)
            case kinds.DiscoverySignificance():
                yield from _significance_lines(result)
            case kinds.GoodnessOfFit():
                yield from _goodness_lines(result)
            case kinds.ToyFits():
                yield from _toy_lines(result)
    yield from _doctor_lines(report.findings)


def _source_lines(report: FitReport) -> Iterator[str]:
    spec = report.source.spec
    patch = f", patch {report.source.patch}" if report.source.patch else ""
    yield f"{report.source.name}{patch}"
    bins = sum(channel.bins for channel in spec.channels)
    samples = {sample.name for channel in spec.channels for sample in channel.samples}
    yield (
        f"{_count(len(spec.channels), 'channel')}, {_count(bins, 'bin')}, "
        f"{_count(len(samples), 'sample')}, {_count(len(report.fitted.free), 'free parameter')} of "
        f"{len(spec.parameters)}"
    )


def _fit_lines(fitted: LikelihoodFit) -> Iterator[str]:
    quality = fitted.quality
    state = "converged" if quality.converged else "DID NOT CONVERGE"
    yield f"fit {state}: -ln L = {fitted.nll:.6f}"
    if quality.note:
        yield f"   {quality.note}"
    if fitted.poi is not None:
        yield ""
        yield f"{fitted.poi} = {_with_errors(fitted.by_name[fitted.poi])}"
        if fitted.poi in quality.at_limit:
            yield "   it ended at its bound: its error is no interval"
    others = [row for row in fitted.parameters if row.name != fitted.poi and not row.fixed]
    pulls = sorted((row for row in others if row.before), key=lambda row: -abs(_pull(row)))
    yield from _free_lines([row for row in others if not row.before])
    yield from _pull_lines(pulls)


def _free_lines(rows: list[FittedParameter]) -> Iterator[str]:
    for row in rows:
        yield f"{row.name} = {_with_errors(row)}"


def _pull_lines(rows: list[FittedParameter]) -> Iterator[str]:
    if not rows:
        return
    width = max(len(row.name) for row in rows[:MOST_ROWS])
    yield ""
    yield f"{'parameter':<{width}}{'value':>10}{'error':>9}{'pull':>8}{'constraint':>12}"
    for row in rows[:MOST_ROWS]:
        share = row.error / row.before if row.before else 0.0
        yield (
            f"{row.name:<{width}}{row.value:>10.4f}{row.error:>9.4f}{_pull(row):>8.2f}{share:>12.2f}"
        )
    if rest := rows[MOST_ROWS:]:
        yield f"and {len(rest)} with pulls of at most {abs(_pull(rest[0])):.2f}"


def _ranking_lines(ranking: Ranking) -> Iterator[str]:
    shown = ranking.rows[:MOST_ROWS]
    width = max((len(row.name) for row in shown), default=0)
    yield ""
    yield f"shifts of {ranking.poi} with each parameter moved by its error"
    if ranking.note:
        yield f"   {ranking.note}"
    yield f"{'':<{width}}{'up':>10}{'down':>10}{'before fit':>14}{'':>10}"
    for row in shown:
        before = "".join(
            f"{'-' if shift is None else format(shift, '.4f'):>{space}}"
            for shift, space in ((row.up_before, 14), (row.down_before, 10))
        )
        failed = f"   failed: {', '.join(row.failed)}" if row.failed else ""
        yield f"{row.name:<{width}}{row.up:>10.4f}{row.down:>10.4f}{before}{failed}"
    if rest := ranking.rows[MOST_ROWS:]:
        yield f"and {len(rest)} with shifts of at most {rest[0].size:.2g}"


def _impact_lines(impacts: GroupedImpacts) -> Iterator[str]:
    rows = (impacts.total, impacts.statistical, *impacts.groups)
    width = max(len(row.name) for row in rows)
    yield ""
    yield f"error of {impacts.poi} by its causes"
    if impacts.note:
        yield f"   {impacts.note}"
    for row in rows:
        sides = "".join(
            "" if end is None else f"{sign}{end:.4g}".rjust(10)
            for sign, end in (("+", row.up), ("-", row.down))
        )
        yield f"{row.name:<{width}}{row.error:>10.4g}{sides}"


def _limit_lines(limit: CLsLimit) -> Iterator[str]:
    level = f"{100 * limit.level:g} %"
    yield ""
    observed = "not found" if limit.observed is None else f"{limit.observed:.4g}"
    yield f"{limit.poi} < {observed} at {level} confidence (CLs, {limit.method})"
    low2, low1, middle, high1, high2 = (
        "?" if value is None else f"{value:.4g}" for value in limit.expected
    )
    yield f"expected {middle}, 68 % in {low1} to {high1}, 95 % in {low2} to {high2}"
    if limit.note:
        yield f"   {limit.note}"


def _significance_lines(found: DiscoverySignificance) -> Iterator[str]:
    yield ""
    if found.z is not None and found.p is not None:
        yield f"significance {found.z:.3f} σ, p = {found.p:.3g}, q0 = {found.q0:.4g}"
    yield f"expected with {found.poi} = {found.expected_with:g}: {found.z_expected:.3f} σ"
    if found.note:
        yield f"   {found.note}"


def _goodness_lines(found: GoodnessOfFit) -> Iterator[str]:
    yield ""
    yield (
        f"goodness of fit: {found.statistic:.3f} for {_count(found.degrees, 'degree')} of freedom, "
        f"p = {found.p:.3g}"
    )
    if found.p_toys is not None:
        yield f"   by {found.toys:,} toys p = {found.p_toys:.3g}"


def _toy_lines(toys: ToyFits) -> Iterator[str]:
    number = len(toys.values)
    yield ""
    yield f"{number:,} toys with {toys.parameter} = {toys.truth:.4g}, {toys.failed} fits failed"
    if number:
        mean = sum(toys.values) / number
        yield f"   mean {mean:.4g}, intervals hold the truth in {100 * toys.covered:.1f} %"


def _doctor_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """The diagnosis in short."""
    if not findings:
        return
    yield ""
    yield f"the fit doctor has {_count(len(findings), 'finding')}"
    yield from alike_lines(findings)


def _pull(row: FittedParameter) -> float:
    return (row.value - row.initial) / row.before if row.before else 0.0


def _with_errors(row: FittedParameter) -> str:
    """The value and its errors; the asymmetric ones if one of them was found."""
    if row.up is None and row.down is None:
        return f"{row.value:.4g} ± {row.error:.4g}"
    up = "no upper end" if row.up is None else f"+{row.up:.4g}"
    down = "no lower end" if row.down is None else f"-{row.down:.4g}"
    return f"{row.value:.4g} ± {row.error:.4g} ({up}, {down})"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + "s" * (number != 1)
