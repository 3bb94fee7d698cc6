"""Tables of what each pulled parameter does to a sample (`BuildPullTable`), for LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from quarkline.statistics.likelihood.model import Model
from quarkline.statistics.likelihood.results import LikelihoodFit
from quarkline.statistics.likelihood.spec import (
    ChannelSpec,
    LikelihoodSpec,
    NormShift,
    Parameter,
    SampleSpec,
    ShapeShift,
)
from quarkline.templates.histograms import Array

LEAST_NORM, LEAST_SHAPE = 0.01, 0.03
"""Smaller changes of a yield, and of a bin, are left out."""


@dataclass(frozen=True)
class PullRow:
    """What the fitted value of a parameter does to a sample.

    Attributes:
        parameter: Its name.
        change: Relative change of the yield, or of a bin.
        bin_: The bin, counted from 1; None for the yield.
    """

    parameter: str
    change: float
    bin_: int | None = None

    @property
    def tex(self) -> str:
        """The row in LaTeX."""
        name = self.parameter.replace("_", "-")
        what = f"norm {name}" if self.bin_ is None else f"shape {name} bin {self.bin_}"
        return rf"{what} & {100 * self.change:.2g} \% \\"


def pull_rows(sample: SampleSpec, fit: LikelihoodFit, *, shapes: bool) -> list[PullRow]:
    """Changes of a sample by the fitted values: of its yield, then of its bins.

    Args:
        sample: The sample in the likelihood.
        fit: The fit.
        shapes: Whether changes of bins are listed.
    """
    norms = list(_norms(sample, fit))
    return [*norms, *(_shapes(sample, fit) if shapes else ())]


def _norms(sample: SampleSpec, fit: LikelihoodFit) -> Iterator[PullRow]:
    for one in sample.modifiers:
        if isinstance(one, NormShift):
            change = float(_changes((1.0,), one, fit)[0])
            if abs(change) > LEAST_NORM:
                yield PullRow(one.parameter, change)


def _shapes(sample: SampleSpec, fit: LikelihoodFit) -> list[PullRow]:
    rows = [
        PullRow(one.parameter, float(change), bin_)
        for one in sample.modifiers
        if isinstance(one, ShapeShift)
        for bin_, change in enumerate(_changes(sample.contents, one, fit), start=1)
        if abs(change) > LEAST_SHAPE
    ]
    return sorted(rows, key=lambda row: row.bin_ or 0)


def _changes(
    contents: Sequence[float], modifier: NormShift | ShapeShift, fit: LikelihoodFit
) -> Array:
    """Relative changes of the bins by one modifier at the fitted value; 0 in empty bins."""
    fitted = fit.by_name.get(modifier.parameter)
    alone = Parameter(modifier.parameter, "systematic", 0.0, -np.inf, np.inf)
    samples = (SampleSpec("sample", tuple(contents), (modifier,)),)
    spec = LikelihoodSpec("pull", (ChannelSpec("region", samples),), (alone,))
    moved = Model(spec).expected(np.array([fitted.value if fitted else 0.0]))
    nominal = np.array(contents)
    return np.divide(moved, nominal, out=np.ones_like(nominal), where=nominal != 0) - 1


def pull_tex(region: str, samples: Mapping[str, Sequence[PullRow]]) -> str:
    """The table of a region.

    Args:
        region: What it is called in LaTeX.
        samples: Rows by what the sample is called in LaTeX.
    """
    lines = [
        r"\documentclass[10pt]{article}",
        r"\usepackage{siunitx}",
        r"\usepackage{xcolor}",
        r"\usepackage[margin=0.1in,landscape,papersize={210mm,100mm}]{geometry}",
        r"\begin{document}",
        r"\begin{tabular}{|lr|}",
        r"\hline\hline",
        rf"\multicolumn{{2}}{{|c|}}{{{region}}} \\",
    ]
    for title, rows in samples.items():
        lines += [r"\hline", rf"{{\color{{blue}}{{$\rightarrow \,$ {title}}}}} & \\"]
        lines += [row.tex for row in rows]
    lines += [r"\hline\hline", r"\end{tabular}", r"\end{document}"]
    return "\n".join(lines) + "\n"
