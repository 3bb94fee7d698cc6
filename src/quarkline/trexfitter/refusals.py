"""What actions of a job cannot be carried out, and why."""

from __future__ import annotations

from collections.abc import Iterator

from quarkline.engine.core.findings import Finding, Rule
from quarkline.templates.refusals import hidden_scales, placed, refused
from quarkline.trexfitter.blocks import errors_among
from quarkline.trexfitter.job import Job
from quarkline.trexfitter.letters import WRONG_INPUTS, ordered

EXPRESSION = Rule(
    "QL-TREX-038",
    "norm factors of a fit are parameters of their own",
    "`Expression` makes a norm factor a formula of others. Likelihoods here know no formulas, so "
    "whatever needs one is refused; figures and tables before the fit are not.",
)
OF_TEMPLATES = set("nhbwdpa")
OF_FIGURES = set("dp")
OF_LIKELIHOOD = set("wfxrlsip")


def refusals(job: Job, letters: str) -> list[Finding]:
    """What the actions ask for that is refused; nothing if all of them can be carried out.

    Raises:
        InputError: If a letter is no action.
    """
    wanted = set(ordered(letters))
    found = list(_wrong_inputs(job, wanted))
    if wanted & OF_TEMPLATES:
        found += placed(refused(job.catalog), job.file)
    if wanted & OF_FIGURES:
        found += placed(hidden_scales(job.catalog), job.file)
    if wanted & OF_LIKELIHOOD:
        found += [*errors_among(job.notes), *_expressions(job)]
    return found


def _wrong_inputs(job: Job, wanted: set[str]) -> Iterator[Finding]:
    reads = {"n": "ntuples", "h": "histograms"}
    for letter in sorted(wanted & set(reads)):
        if job.catalog.reads != reads[letter]:
            other = next(key for key, value in reads.items() if value == job.catalog.reads)
            yield WRONG_INPUTS.finding(
                f"`{letter}` reads {reads[letter]}, and the config has {job.catalog.reads}",
                suggestion=f"give `{other}` instead of `{letter}`",
                place=job.file.place("reads"),
            )


def _expressions(job: Job) -> Iterator[Finding]:
    for name, factor in job.catalog.norm_factors.items():
        used = any(factor.scales(sample) for sample in job.catalog.samples)
        if factor.expression and used:
            yield EXPRESSION.finding(
                f"norm factor `{name}` is the formula `{factor.expression}`",
                suggestion=f"leave it out with `Exclude={name}`, or give only n, h, b, d, a",
                place=job.file.place("norm_factors", name, "expression"),
            )
