"""Histograms that are there already: those of every folder, file and name are added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from quarkline.catalog import Automatic, Catalog, InputFile
from quarkline.catalog.files import is_there
from quarkline.engine.core.findings import Finding, InputError, Place, QuarklineError, did_you_mean
from quarkline.events.sources.problems import opening
from quarkline.events.sources.root_file import open_root
from quarkline.templates.binning import BETWEEN
from quarkline.templates.fill.bins import Bins
from quarkline.templates.fill.filled import (
    Allowed,
    Filled,
    check_files,
    instead,
    without_files,
)
from quarkline.templates.fill.findings import NO_HISTOGRAM
from quarkline.templates.fill.plan import seen
from quarkline.templates.fill.requests import HistRequest
from quarkline.templates.fill.task import told
from quarkline.templates.histograms import Array, Histogram


def read_stored(
    requests: Iterable[HistRequest],
    catalog: Catalog,
    *,
    unblind: bool = False,
    allowed: Allowed,
) -> Filled:
    """Read the histograms of an analysis of histograms.

    Args:
        requests: The histograms.
        catalog: The analysis.
        unblind: Whether data of blind samples and regions are read.
        allowed: Files that may be left out.

    Raises:
        InputError: If files are missing or cannot be read, or a histogram is not in its file or
            does not fit the others.
    """
    meanings, hidden = seen(requests, catalog, unblind=unblind)
    files = [file for meaning in meanings.values() for file in meaning.files]
    reader = _Reader()
    reader.read(dict.fromkeys(files))
    missing = tuple(dict.fromkeys(file.path for file in files if not is_there(file.path)))
    check_files(missing, reader.bad, allowed)
    histograms: dict[HistRequest, Histogram] = {}
    for request, meaning in meanings.items():
        pairs = zip(meaning.files, meaning.scales, strict=True)
        read = [reader.found[file].scaled(scale) for file, scale in pairs if file in reader.found]
        if read:
            histograms[request] = _in_bins(request, _added(request, read), catalog)
    _fill_gaps(histograms, meanings)
    lacking = without_files(meanings, {*missing, *reader.bad})
    findings = instead(histograms, lacking)
    return Filled(histograms, missing, reader.bad, hidden, tuple(findings))


def _fill_gaps(
    histograms: dict[HistRequest, Histogram], meanings: Mapping[HistRequest, Any]
) -> None:
    """Give samples without files empty histograms, in the bins of others of the region."""
    edges = {request.region: found.edges for request, found in histograms.items()}
    for request in meanings:
        if request not in histograms and request.region in edges:
            histograms[request] = Histogram.empty(edges[request.region])


def _added(request: HistRequest, found: list[Histogram]) -> Histogram:
    """The sum of the histograms of all files.

    Raises:
        InputError: If they have different bins.
    """
    total = found[0]
    try:
        for other in found[1:]:
            total = total + other
    except ValueError as error:
        finding = NO_HISTOGRAM.finding(f"{request}: {error}", suggestion="use the same bins")
        raise InputError(finding) from error
    return total


def _in_bins(request: HistRequest, histogram: Histogram, catalog: Catalog) -> Histogram:
    """A histogram in the bins of its region, if that has some; automatic ones are found later.

    Raises:
        InputError: If an edge lies within a bin.
    """
    binning = catalog.regions[request.region].binning
    if binning is None or isinstance(binning, Automatic):
        return histogram
    bins = Bins.of(binning)
    try:
        return histogram.merged(bins.edges) if bins else histogram
    except ValueError as error:
        hint = f"change the bins of `{request.region}`, or leave them out to keep those of the file"
        raise InputError(BETWEEN.finding(f"{request}: {error}", suggestion=hint)) from error


class _Reader:
    """Reads histograms, each file opened once."""

    def __init__(self) -> None:
        self.found: dict[InputFile, Histogram] = {}
        self.bad: dict[Path, str] = {}

    def read(self, files: Iterable[InputFile]) -> None:
        """Read histograms of files that are there.

        Raises:
            InputError: If a file has no such histogram.
        """
        by_path: dict[Path, list[InputFile]] = {}
        for file in files:
            by_path.setdefault(file.path, []).append(file)
        findings: list[Finding] = []
        for path, wanted in by_path.items():
            if not is_there(path):
                continue
            try:
                with open_root(path) as opened:
                    for file in wanted:
                        self._read(opened, file, findings)
            except QuarklineError as error:
                self.bad[path] = told(error)
        if findings:
            raise InputError(*findings)

    def _read(self, opened: Any, file: InputFile, findings: list[Finding]) -> None:
        kinds = opened.classnames(cycle=False)
        kind = kinds.get(file.tree, "")
        if not kind.startswith(("TH1", "TProfile")) or kind == "TProfile":
            names = [name for name, kind in kinds.items() if kind.startswith("TH1")]
            what = f"`{file.tree}` is a {kind}" if kind else f"there is no histogram `{file.tree}`"
            hint = did_you_mean(file.tree, names, what="histograms")
            place = Place(file.path)
            findings.append(NO_HISTOGRAM.finding(what, suggestion=hint, place=place))
            return
        with opening(file.path):
            self.found[file] = _histogram(opened[file.tree])


def _histogram(stored: Any) -> Histogram:
    """A histogram of a ROOT file; without sums of squares its errors are the contents' roots."""
    sums = np.asarray(stored.values(flow=True), np.float64)
    variances = stored.variances(flow=True)
    squares: Array = np.abs(sums) if variances is None else np.asarray(variances, np.float64)
    entries = int(stored.member("fEntries"))
    return Histogram(np.asarray(stored.axis().edges(), np.float64), sums, squares, entries)
