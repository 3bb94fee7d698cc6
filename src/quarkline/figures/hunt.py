"""The bump hunt's own figures: one window, and the window slid over the mass range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quarkline.engine.core.results import Quantity
from quarkline.figures.pieces import (
    HALO,
    MASS,
    floats,
    mark_masses,
    mark_window,
    say_empty,
    set_labels,
)
from quarkline.figures.scans import p_value_axis
from quarkline.figures.spectrum import FittedSpectrum, draw_fit, finish_spectra
from quarkline.figures.style import BLUE, ORANGE, RED, Label, Look, canvas, with_lower
from quarkline.figures.tables import Column, Table, intervals, values, words
from quarkline.statistics.batch import FitStatus
from quarkline.statistics.hunt import BumpHuntResult, SpectrumFit
from quarkline.statistics.scan import MassScanResult
from quarkline.statistics.significance import p_from_z

_GLOBAL_LOOKS = ((BLUE, "--"), (ORANGE, "-."))
_NAME_ROWS = 2  # lines of a legend as high as the name of a resonance


def plot_hunt(
    result: BumpHuntResult,
    spectrum: SpectrumFit,
    *,
    masses: Mapping[str, float] | None = None,
    mass_label: str = MASS,
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw a bump hunt: spectrum, sideband fit with its band, window, pulls, and what was found.

    Args:
        result: What was found.
        spectrum: The spectrum and its fit, in bins over sidebands and window.
        masses: Known masses to mark, by name.
        mass_label: Name and unit of the x axis.
        ax: Axes to draw on: one, or two for spectrum and pulls.
        label: The line above the figure.
        style: Name of a style.
    """
    fitted = FittedSpectrum.of(spectrum)
    with canvas(ax, label=label, style=style, layout=with_lower) as frame:
        draw_fit(frame, fitted, Look(RED, "-", "o"))
        finish_spectra(frame, [fitted], fitted, masses, mass_label)
        frame.main.text(
            0.035,
            0.95,
            "\n".join(_found(result)),
            transform=frame.main.transAxes,
            va="top",
            fontsize="x-small",
            linespacing=1.35,
            path_effects=HALO,
        )
        found = (
            _column("Signal", result.signal),
            _column("Background", result.background),
            values("Significance", result.z_local),
            values("p-value", result.p_local),
        )
        low, high = result.mass_window
        frame.tables.append(Table("Hunt", (intervals(mass_label, low, high),), found))
    return frame.figure


def plot_scan(
    result: MassScanResult,
    *,
    masses: Mapping[str, float] | None = None,
    mass_label: str = MASS,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the local p-value of each window of a scan, and the global p-value of the best one.

    Args:
        result: The scan.
        masses: Known masses to mark, by name.
        mass_label: Name and unit of the x axis.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    low, high, z = floats(result.low), floats(result.high), floats(result.z_local)
    centre = (low + high) / 2
    found = np.isfinite(z).any()
    lines = _global_lines(result)
    with canvas(ax, label=label, style=style) as frame:
        p = p_from_z(z)
        frame.main.plot(centre, p, "-o", color="black", label="Local, by window")
        if found:
            best = result.best
            frame.main.plot(
                centre[best],
                p[best],
                "o",
                color="black",
                markersize=13,
                markerfacecolor="none",
                linestyle="",
                label=f"Best window {low[best]:g} to {high[best]:g}: $Z$ = {z[best]:.1f} local",
            )
            mark_window(frame.main, (low[best], high[best]))
        else:
            say_empty(frame.main, "no windows")
        for (name, p_global), (colour, line) in zip(lines.items(), _GLOBAL_LOOKS, strict=False):
            frame.main.axhline(p_global, color=colour, linestyle=line, label=name)
        frame.main.set_xlim(*result.mass_range)
        rows = 2 + len(lines) + (_NAME_ROWS if masses else 0)
        free = p_value_axis(frame.main, z, legend_rows=rows)
        mark_masses(frame.main, masses, foot=free * (1 - _NAME_ROWS / rows))
        set_labels(frame, mass_label, "$p$-value")
        frame.main.legend(loc="lower right")
        columns = (values("Local p-value", p), values("Local significance", z))
        frame.tables.append(Table("Scan", (intervals(mass_label, low, high),), columns))
        names, global_p = words("p-value of the best window", list(lines)), list(lines.values())
        frame.tables.append(Table("Best window", (names,), (values("Global p-value", global_p),)))
    return frame.figure


def _global_lines(result: MassScanResult) -> dict[str, float]:
    """Global p-values of the best window, by how they were found."""
    lines = {}
    if result.p_global is not None and result.z_global is not None:
        used = result.n_toys - result.n_toys_failed
        sign = ">" if result.n_exceeding == 0 else "="
        lines[f"Global, {used:,} toys: $Z$ {sign} {result.z_global:.1f}"] = result.p_global.value
    if result.p_upcrossing is not None and result.z_upcrossing is not None:
        lines[f"Global, upcrossings: $Z$ = {result.z_upcrossing:.1f}"] = result.p_upcrossing
    return lines


def _found(result: BumpHuntResult) -> list[str]:
    """What the hunt found, a line a number."""
    if result.status is FitStatus.FAILED:
        return ["The fit did not converge"]
    lines = [
        f"$Z$ = {result.z_local:.2f} local",
        f"$S$ = {_number(result.signal)}",
        f"$B$ = {_number(result.background)}",
    ]
    if result.status is FitStatus.DEGENERATE:
        lines.append("Sidebands do not fix $B$")
    if result.z_toys is not None:
        used = result.n_toys - result.n_toys_failed
        sign = ">" if result.n_toys_exceeding == 0 else "="
        lines.append(f"$Z$ {sign} {result.z_toys:.2f} by {used:,} toys")
    if result.z_global is not None:
        lines.append(f"$Z$ = {result.z_global:.2f} global")
    return lines


def _number(quantity: Quantity) -> str:
    """A number with two digits of its error, or four digits without one."""
    if not quantity.up or not np.isfinite(quantity.up):
        return f"{quantity.value:.4g}"
    digits = max(1 - int(np.floor(np.log10(quantity.up))), 0)
    return f"{quantity.value:.{digits}f} $\\pm$ {quantity.up:.{digits}f}"


def _column(name: str, quantity: Quantity) -> Column:
    sides = [np.nan if side is None else side for side in (quantity.down, quantity.up)]
    return values(name, quantity.value, error=np.array([sides]).T, source="fit")
