"""Templates to ROOT files, under the names that TRExFitter gives them.

A file holds the histograms of one region, `<job>_<region>_histos.root`, or of all of them. What
histograms cannot say is in a text `quarkline_<region>`; files without it, such as TRExFitter's own,
are read by the names of the analysis.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from quarkline.catalog import Catalog, Independent
from quarkline.templates.drafts import Where
from quarkline.templates.histograms import Array, Histogram, between_zeros
from quarkline.templates.root_histograms import write_histograms
from quarkline.templates.sets import RegionTemplates, Shift, Template, TemplateSet

LEFT_OUT = -1.0
"""What TRExFitter writes into bins that are left out."""
TINY = 1e-6
"""Content and error of negative bins in the histograms that HistFactory reads."""
SIDES = ("Up", "Down")


def histogram_file(folder: Path, job: str, region: str | None = None, suffix: str = "") -> Path:
    """The file of a region, or of all regions."""
    part = f"_{region}" if region else ""
    return folder / f"{job}{part}_histos{suffix}.root"


def write_templates(
    templates: TemplateSet,
    catalog: Catalog,
    folder: Path,
    job: str,
    *,
    split: bool = True,
    suffix: str = "",
) -> list[Path]:
    """Write templates as TRExFitter's `Histograms` folder has them.

    Args:
        templates: The templates.
        catalog: Their analysis.
        folder: Where to; it is made.
        job: Name of the job.
        split: Whether each region has a file.
        suffix: End of the names of the files.

    Returns:
        The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[Path, list[str]] = {}
    for region in templates.regions:
        path = histogram_file(folder, job, region if split else None, suffix)
        files.setdefault(path, []).append(region)
    for path, regions in files.items():
        stored = [_Stored(catalog, region, templates.regions[region]) for region in regions]
        histograms = chain.from_iterable(one.counted() for one in stored)
        texts = ((f"quarkline_{one.name}", json.dumps(one.rest())) for one in stored)
        write_histograms(path, histograms, texts)
    return list(files)


def stored_name(catalog: Catalog, systematic: str) -> str:
    """Name of a systematic in the names of histograms."""
    return catalog.systematics[systematic].stored_name or systematic


def last_of(observed: Mapping[str, Histogram]) -> str:
    """The data sample whose histogram stands for all of them."""
    return list(observed)[-1]


class _Stored:
    """What is written of a region."""

    def __init__(self, catalog: Catalog, name: str, region: RegionTemplates) -> None:
        self.catalog, self.name, self.region = catalog, name, region
        self.where = Where(catalog, name, [])
        self.kept = np.delete(np.arange(len(region.edges) - 1), list(region.dropped))
        self.regular_edges = np.linspace(0, 1, len(self.kept) + 1)
        self.uncounted: list[str] = []

    def counted(self) -> Iterator[tuple[str, Histogram]]:
        """The same as `histograms`; names without a number of entries are kept for the text."""
        for name, histogram in self.histograms():
            if histogram.entries is None:
                self.uncounted.append(name)
            yield name, histogram

    def histograms(self) -> Iterator[tuple[str, Histogram]]:
        """All histograms with their names."""
        for sample, template in self.region.templates.items():
            start = f"{self.name}_{sample}"
            yield from self._with_regular(start, template.nominal)
            yield f"{start}_orig", template.filled
            for systematic, shift in template.shifts.items():
                key = f"{start}_{stored_name(self.catalog, systematic)}"
                yield from self._shift(key, systematic, template, shift)
            if self.catalog.samples[sample].separate_mc_statistics:
                yield from self._statistics(f"{start}_stat_{sample}", template)
        for sample, filled in self.region.observed.items():
            data = self.region.data if sample == last_of(self.region.observed) else None
            yield from self._with_regular(f"{self.name}_{sample}", data or filled)
            yield f"{self.name}_{sample}_orig", filled

    def _shift(
        self, key: str, systematic: str, template: Template, shift: Shift
    ) -> Iterator[tuple[str, Histogram]]:
        sides = (shift.up, shift.down)
        filled = (shift.filled_up, shift.filled_down)
        norms = (shift.norm_up, shift.norm_down)
        shapes = (shift.shape_up, shift.shape_down)
        independent = isinstance(self.catalog.systematics[systematic], Independent)
        for at, side in enumerate(SIDES):
            own = f"{key}_{side}"
            yield own, self._marked(sides[at])
            yield f"{own}_orig", filled[at] or template.filled.scaled(1 + norms[at])
            if independent:
                yield f"{own}_regBin", self._regular(sides[at])
            elif (shape := shapes[at]) is not None:
                yield from self._with_regular(f"{key}_Shape_{side}", _as_shape(sides[at], shape))
        if independent:
            yield f"{key}_Up_Var_regBin", self._relative(template.nominal, shift.up)

    def _statistics(self, key: str, template: Template) -> Iterator[tuple[str, Histogram]]:
        """Statistical errors that have parameters of their own, as a systematic of each bin."""
        for side, sign in zip(SIDES, (1, -1), strict=True):
            for end, histogram in (("", template.nominal), ("_orig", template.filled)):
                shifted = histogram.contents + sign * histogram.errors
                yield f"{key}_{side}{end}", _as_shape(histogram, shifted)
        up = _as_shape(template.nominal, template.nominal.contents + template.nominal.errors)
        yield f"{key}_Up_Var_regBin", self._relative(template.nominal, up)

    def _with_regular(self, name: str, histogram: Histogram) -> Iterator[tuple[str, Histogram]]:
        yield name, self._marked(histogram)
        yield f"{name}_regBin", self._regular(histogram)

    def _marked(self, histogram: Histogram) -> Histogram:
        """A histogram with -1 in the bins that are left out."""
        if not self.region.dropped:
            return histogram
        sums = histogram.sums.copy()
        sums[[at + 1 for at in self.region.dropped]] = LEFT_OUT
        return replace(histogram, sums=sums)

    def _regular(self, histogram: Histogram) -> Histogram:
        """The bins of the fit between 0 and 1, as HistFactory reads them."""
        contents, errors = histogram.contents[self.kept], histogram.errors[self.kept]
        negative = contents < 0
        contents[negative] = errors[negative] = TINY
        return Histogram.of(self.regular_edges, contents, errors)

    def _relative(self, nominal: Histogram, side: Histogram) -> Histogram:
        """Absolute relative shifts of the bins of the fit."""
        regular, shifted = self._regular(nominal).contents, self._regular(side).contents
        shifts = np.divide(
            np.abs(shifted - regular), regular, out=np.zeros_like(regular), where=regular != 0
        )
        return Histogram.of(self.regular_edges, shifts, np.zeros_like(shifts))

    def rest(self) -> dict[str, Any]:
        """What histograms do not say."""
        return {
            "dropped": list(self.region.dropped),
            "uncounted": self.uncounted,
            "observed": list(self.region.observed),
            "samples": {
                sample: {
                    "guessed": list(template.guessed),
                    "systematics": list(self.where.systematics_of(sample)),
                    "shifts": {name: _rest_of(shift) for name, shift in template.shifts.items()},
                }
                for sample, template in self.region.templates.items()
            },
        }


def _as_shape(histogram: Histogram, contents: Array) -> Histogram:
    sums = between_zeros(contents)
    return Histogram(histogram.edges, sums, histogram.squares, histogram.entries)


def _rest_of(shift: Shift) -> dict[str, Any]:
    return {
        "filled": shift.filled_up is not None,
        "norm": [shift.norm_up, shift.norm_down],
        "kept": [shift.norm_kept, shift.shape_kept],
        "bad": list(shift.bad),
        "reason": shift.reason,
    }
