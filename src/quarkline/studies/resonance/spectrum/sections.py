"""The report of a whole-spectrum search."""

from __future__ import annotations

import math
from pathlib import Path

from quarkline.engine.core.results import Quantity
from quarkline.engine.workflow.runs import Run
from quarkline.report import (
    Block,
    Cell,
    Figures,
    Page,
    Results,
    Row,
    Section,
    Table,
    Text,
    number,
    result_of,
    write_page,
)
from quarkline.statistics import BestWindow, SpectrumScanResult
from quarkline.studies.resonance.results import Selection
from quarkline.studies.resonance.sections.parts import signs, without_unit
from quarkline.studies.resonance.spectrum.results import SpectrumSearch

FOUND = 5.0  # local significance from which a known resonance counts as found

WINDOW_COLUMNS = (
    "from [GeV]",
    "to [GeV]",
    "known",
    "in the window",
    "signal",
    "background",
    "Z local",
    "p local",
    "p of the sidebands",
    "window",
)


def headline(results: Results) -> str:
    """The best window outside known resonances, and those found, in one sentence."""
    search = result_of(results, "search", SpectrumSearch)
    _, control = signs(results)
    found = [known.name for known in search.known if known.z_local >= FOUND]
    parts = [
        f"best unknown window {_best(search.scan)}",
        f"{control} {_best(search.control)}",
        "found: " + (", ".join(found) or "no known resonance"),
    ]
    return " · ".join(parts)


def write_report(run: Run) -> Path:
    """Write the page of a finished run."""
    results = run.results()
    draw = Figures(run.record("figures").files["figures"])
    page = Page(
        headline=headline(results),
        figure=draw(
            "spectrum",
            "The whole spectrum and the local backgrounds; below, the p-value of each window. "
            "Shaded intervals serve no window as sideband. Where there is no line below, no "
            "window was searched.",
            "scan",
        ),
        sections=[
            _result_section(results),
            _control_section(results, draw),
            _selection_section(results, draw),
        ],
    )
    return write_page(page, run)


def _best(scan: SpectrumScanResult) -> str:
    """The candidate of a scan, as a headline says it."""
    best = scan.candidate
    if best is None:
        return "none"
    z = best.best_z_global
    corrected = "" if z is None else f", {z:.1f} σ global"
    return f"{_place(scan, best)}: Z = {best.z_local:.1f} σ local{corrected}"


def _place(scan: SpectrumScanResult, best: BestWindow) -> str:
    return f"{scan.low[best.index]:.4g} to {scan.high[best.index]:.4g} GeV"


def _result_section(results: Results) -> Section:
    search = result_of(results, "search", SpectrumSearch)
    _, control = signs(results)
    known: list[Row] = [
        [
            item.name,
            number(item.mass, 5),
            number(without_unit(item.signal)),
            number(without_unit(item.background)),
            number(item.z_local),
            number(item.z_control),
            item.status,
        ]
        for item in search.known
    ]
    blocks: list[Block] = [
        Text(
            f"Windows of {2.8 * search.scan.resolution:.2%} start at every quarter of their width; "
            f"{search.scan.searched:,} of {len(search.scan.low):,} were searched. Each has a "
            f"polynomial of degree {search.scan.degree} in ln m of its own, fitted to the cells "
            "beside it.",
            "scan",
        ),
        Text(_worth(search.scan), "scan"),
        *_unsearched(search.scan),
    ]
    if known:
        columns = [
            "resonance",
            "mass [GeV]",
            "signal",
            "background",
            "Z local",
            f"Z local, {control}",
            "window",
        ]
        caption = "Known resonances, each in the window centred closest to its mass."
        blocks.append(Table("known", columns, known, "scan", caption))
    blocks.append(_peaks(search.scan, "peaks"))
    blocks.append(_windows(search.scan, "windows"))
    return Section("Result", blocks)


def _worth(scan: SpectrumScanResult) -> str:
    """What the best window is worth, in words."""
    best = scan.candidate
    if best is None:
        return "No window outside the masked intervals could be searched."
    text = (
        f"The most significant of {best.windows:,} windows outside the masked intervals is "
        f"{_place(scan, best)} with Z = {best.z_local:.2f} local (p = {best.p_local:.2g})."
    )
    if best.p_global is None or best.z_global is None or best.z_upcrossing is None:
        return text
    factor = best.trials_factor
    trials = "" if factor is None else f"; the trials factor is {factor:.0f}"
    return (
        f"{text} {best.n_exceeding:,} of {best.n_toys:,} background-only toys reach it somewhere, "
        f"which is Z = {best.z_global:.2f} global; upcrossings bound it at "
        f"Z = {best.z_upcrossing:.2f}{trials}."
    )


def _unsearched(scan: SpectrumScanResult) -> list[Block]:
    """Where no background describes the sidebands."""
    if not (places := scan.misfits()):
        return []
    stretches = ", ".join(f"{low:.4g} to {high:.4g}" for low, high in places)
    return [
        Text(
            "Windows that no background describes were not searched: there is a threshold, an edge "
            f"of the spectrum or an unmasked peak beside those in {stretches} GeV.",
            "scan",
        )
    ]


def _peaks(scan: SpectrumScanResult, name: str) -> Table:
    rows = [_row(scan, index) for index in scan.peaks()]
    caption = "Windows of at least 3 standard deviations; of overlapping ones the best."
    return Table(name, WINDOW_COLUMNS, rows, "scan", caption)


def _windows(scan: SpectrumScanResult, name: str) -> Table:
    rows = [_row(scan, index) for index in range(len(scan.low))]
    return Table(name, WINDOW_COLUMNS, rows, "scan", "Every window.", folded=True)


def _row(scan: SpectrumScanResult, index: int) -> Row:
    """One window in WINDOW_COLUMNS."""
    return [
        number(scan.low[index], 5),
        number(scan.high[index], 5),
        "yes" if scan.known[index] else "",
        number(int(scan.n_window[index])),
        _with_error(scan.signal[index], scan.signal_error[index]),
        _with_error(scan.background[index], scan.background_error[index]),
        number(scan.z_local[index]),
        number(scan.p_local[index]),
        number(scan.p_sidebands[index]),
        str(scan.status[index]),
    ]


def _with_error(value: float, error: float) -> Cell:
    return number(Quantity(value, error, error) if math.isfinite(error) else value)


def _control_section(results: Results, draw: Figures) -> Section:
    search = result_of(results, "search", SpectrumSearch)
    _, control = signs(results)
    return Section(
        f"{control.capitalize()} as control",
        [
            Text(f"The same scan in pairs of {control}. {_worth(search.control)}", "scan"),
            *_unsearched(search.control),
            draw("control", f"Pairs of {control}.", "scan"),
            _peaks(search.control, "control-peaks"),
            _windows(search.control, "control-windows"),
        ],
    )


def _selection_section(results: Results, draw: Figures) -> Section:
    selection = result_of(results, "selection", Selection)
    searched, control = signs(results)
    rows: list[Row] = [
        [step.name, step.searched, "" if step.control is None else number(step.control)]
        for step in selection.steps
    ]
    repeated = f"{selection.duplicates} rows repeat an event's identity"
    blocks: list[Block] = [Text(f"{selection.files} files were read; {repeated}.", "select")]
    if selection.bad_files:
        listed = [[name, reason] for name, reason in selection.bad_files.items()]
        blocks.append(Table("bad-files", ["file", "why"], listed, "select", "Files left out."))
    columns = ["step", f"events, then {searched}", control]
    caption = "Cut-flow. Until a pair is chosen, events are counted once."
    blocks.append(Table("cut-flow", columns, rows, "select", caption))
    return Section("Selection", [*blocks, draw("cut_flow", "The same as a figure.", "select")])
