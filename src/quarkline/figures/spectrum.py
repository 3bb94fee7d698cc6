"""Mass spectra: events, background fit with its band, pulls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from quarkline.figures.pieces import (
    DATA,
    MASS,
    centres,
    filled,
    finite,
    floats,
    integer_ticks,
    log_y,
    mark_masses,
    mark_window,
    per_bin,
    poisson_error,
    say_empty,
    set_labels,
    set_range,
)
from quarkline.figures.style import (
    BLUE,
    ORANGE,
    RED,
    Canvas,
    Label,
    Look,
    canvas,
    ordered_looks,
    with_lower,
)
from quarkline.figures.tables import Array, Table, bins, values
from quarkline.statistics.hunt import SpectrumFit

_FIT = r"sideband fit $\pm\ 1\sigma$"


@dataclass(frozen=True)
class FittedSpectrum:
    """A binned mass spectrum with the background fitted to its sidebands.

    Attributes:
        edges: Bin edges with shape (n + 1,), across sidebands and window.
        counts: Events in each bin, with shape (n,).
        expected: The fitted background in each bin, with shape (n,); NaN where there is no fit.
        window: Signal window [low, high); its bins took no part in the fit.
        band: One standard deviation of `expected`, with shape (n,).
        error: Standard deviation of weighted `counts`, with shape (n,); None for plain counts.
        name: Words for the legend, such as `FPR 1 %`.
        z: Local significance in the window.
    """

    edges: ArrayLike
    counts: ArrayLike
    expected: ArrayLike
    window: tuple[float, float]
    band: ArrayLike | None = None
    error: ArrayLike | None = None
    name: str = "Data"
    z: float | None = None

    @property
    def title(self) -> str:
        """The name with the significance."""
        has_z = self.z is not None and np.isfinite(self.z)
        return f"{self.name},  $Z$ = {self.z:.1f}" if has_z else self.name

    @property
    def count_error(self) -> Array:
        """Distances down and up of the counts, with shape (2, n)."""
        if self.error is None:
            return poisson_error(floats(self.counts))
        return np.stack([floats(self.error)] * 2)

    @property
    def deviation(self) -> Array:
        """The fit's one standard deviation, with shape (n,); zero where no band is known."""
        counts = floats(self.counts)
        return np.zeros_like(counts) if self.band is None else floats(self.band)

    @property
    def pulls(self) -> Array:
        """(counts - expected) / error, the error on the side of the fit and with the fit's own."""
        difference = floats(self.counts) - floats(self.expected)
        down, up = self.count_error
        error = np.hypot(np.where(difference > 0, down, up), self.deviation)
        pulls = np.full_like(difference, np.nan)
        np.divide(difference, error, out=pulls, where=error > 0)
        return pulls

    @classmethod
    def of(cls, fit: SpectrumFit, *, name: str = "Data", z: float | None = None) -> Self:
        """A fitted spectrum of the statistics floor, with a name and its significance."""
        return cls(
            fit.edges, fit.counts, fit.expected, fit.window, fit.band, fit.error, name=name, z=z
        )

    def table(self, mass_label: str) -> Table:
        """The drawn values."""
        tag = {"selection": self.name}
        dependent = [
            values("Events", self.counts, error=self.count_error, qualifiers=tag),
            values(
                "Fitted background",
                self.expected,
                error=None if self.band is None else self.deviation,
                source="fit",
                qualifiers=tag,
            ),
            values("Pull", self.pulls, qualifiers=tag),
        ]
        return Table(f"Spectrum, {self.name}", (bins(mass_label, self.edges),), tuple(dependent))


def plot_mass_spectrum(
    mass: ArrayLike,
    *,
    edges: ArrayLike,
    window: tuple[float, float] | None = None,
    masses: Mapping[str, float] | None = None,
    mass_label: str = MASS,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the mass histogram with the sidebands and the signal window told apart.

    Args:
        mass: Masses of the events, with shape (N,).
        edges: Bin edges with shape (n + 1,).
        window: Signal window [low, high).
        masses: Known masses to mark, by name.
        mass_label: Name and unit of the x axis.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style) as frame:
        cells = floats(edges)
        counts = filled(finite(frame, mass), cells)
        inside = _inside(cells, window)
        for name, chosen, colour in (
            ("Sidebands", ~inside, BLUE),
            ("Signal window", inside, ORANGE),
        ):
            if chosen.any():
                drawn_counts = np.where(chosen, counts, 0.0)
                frame.main.stairs(
                    drawn_counts, cells, fill=True, color=colour, alpha=0.45, label=name
                )
        frame.main.errorbar(
            centres(cells), counts, yerr=poisson_error(counts), label="Data", **DATA
        )
        if not counts.any():
            say_empty(frame.main)
        mark_masses(frame.main, masses)
        set_range(frame.main, cells)
        log_y(frame.main, counts, footroom=6)
        set_labels(frame, mass_label, per_bin(cells, mass_label))
        frame.main.legend(loc="upper right", title=f"{counts.sum():,.0f} events")
        column = values("Events", counts, error=poisson_error(counts))
        frame.tables.append(Table("Mass spectrum", (bins(mass_label, cells),), (column,)))
    return frame.figure


def plot_background_fit(
    spectrum: FittedSpectrum,
    *,
    masses: Mapping[str, float] | None = None,
    mass_label: str = MASS,
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw one spectrum with its background fit, band and pulls.

    Args:
        spectrum: The binned spectrum and its fit.
        masses: Known masses to mark, by name.
        mass_label: Name and unit of the x axis.
        ax: Axes to draw on: one, or two for spectrum and pulls.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style, layout=with_lower) as frame:
        draw_fit(frame, spectrum, Look(RED, "-", "o"))
        finish_spectra(frame, [spectrum], spectrum, masses, mass_label)
    return frame.figure


def plot_spectra(
    spectra: Sequence[FittedSpectrum],
    *,
    pulls_of: int = -1,
    masses: Mapping[str, float] | None = None,
    mass_label: str = MASS,
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the spectra at several cuts with their fits, loosest first.

    Args:
        spectra: The binned spectra and their fits.
        pulls_of: Which one the lower panel shows; by default the last.
        masses: Known masses to mark, by name.
        mass_label: Name and unit of the x axis.
        ax: Axes to draw on: one, or two for spectra and pulls.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style, layout=with_lower) as frame:
        for spectrum, look in zip(spectra, ordered_looks(len(spectra)), strict=True):
            draw_fit(frame, spectrum, look, several=True)
        shown = spectra[pulls_of] if spectra else None
        finish_spectra(frame, spectra, shown, masses, mass_label)
    return frame.figure


def plot_control(
    searched: FittedSpectrum,
    control: FittedSpectrum,
    *,
    masses: Mapping[str, float] | None = None,
    mass_label: str = MASS,
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the pairs that are searched and their control, pairs of the other sign, after one cut.

    The lower panel shows the pulls of the control.

    Args:
        searched: Pairs that are searched, and their fit.
        control: Pairs of the other sign, and their fit.
        masses: Known masses to mark, by name.
        mass_label: Name and unit of the x axis.
        ax: Axes to draw on: one, or two for spectra and pulls.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style, layout=with_lower) as frame:
        for spectrum, look in zip((searched, control), ordered_looks(2), strict=True):
            draw_fit(frame, spectrum, look, several=True)
        finish_spectra(frame, [searched, control], control, masses, mass_label)
    return frame.figure


def draw_fit(frame: Canvas, spectrum: FittedSpectrum, look: Look, *, several: bool = False) -> None:
    """Draw the counts, the fitted background and its band of one spectrum on the main panel.

    Empty bins have no place on a logarithmic axis; their pulls are drawn.
    """
    counts = floats(spectrum.counts)
    expected, deviation = floats(spectrum.expected), spectrum.deviation
    if counts.size == 0:
        return
    middle = centres(floats(spectrum.edges))
    points = {**DATA, "color": look.color if several else "black", "fmt": look.marker}
    frame.main.errorbar(
        middle,
        np.where(counts > 0, counts, np.nan),
        yerr=spectrum.count_error,
        label=spectrum.title,
        **points,
    )
    frame.main.plot(
        middle,
        expected,
        color=look.color,
        linestyle=look.linestyle,
        label=None if several else f"S{_FIT[1:]}",
    )
    frame.main.fill_between(
        middle, expected - deviation, expected + deviation, color=look.color, alpha=0.3, linewidth=0
    )


def finish_spectra(
    frame: Canvas,
    spectra: Sequence[FittedSpectrum],
    shown: FittedSpectrum | None,
    masses: Mapping[str, float] | None,
    mass_label: str,
) -> None:
    """Draw the pulls, window and known masses; set axes, legend and tables."""
    everything = [floats(spectrum.counts) for spectrum in spectra]
    edges = floats(shown.edges) if shown else np.empty(0)
    if not sum(counts.sum() for counts in everything):
        say_empty(frame.main)
    if shown is not None:
        draw_pulls(frame.lower, shown, name=len(spectra) > 1)
        for ax in frame.axes:
            mark_window(ax, shown.window)
        frame.tables.extend(spectrum.table(mass_label) for spectrum in spectra)
    mark_masses(frame.main, masses)
    set_range(frame.main, edges)
    log_y(frame.main, np.concatenate([*everything, np.empty(0)]), footroom=6 if masses else 3)
    set_labels(frame, mass_label, per_bin(edges, mass_label), "Pull")
    if frame.main.get_legend_handles_labels()[0]:
        frame.main.legend(
            loc="upper right",
            ncols=2 if len(spectra) > 3 else 1,
            title=f"Points: data; lines: {_FIT}" if len(spectra) > 1 else None,
        )


def draw_pulls(ax: Axes | None, spectrum: FittedSpectrum, *, name: bool) -> None:
    """Draw the pulls of a spectrum on a lower panel."""
    if ax is None:
        return
    pulls = spectrum.pulls
    good = np.abs(pulls[np.isfinite(pulls)])
    reach = max(3.5, 1.15 * good.max()) if good.size else 3.5
    ax.axhspan(-1, 1, color=RED, alpha=0.15, linewidth=0)
    ax.axhline(0, color=RED, linewidth=1)
    if pulls.size:
        ax.plot(centres(floats(spectrum.edges)), pulls, "o", color="black", markersize=3.5)
    ax.set_ylim(-reach, reach)
    integer_ticks(ax.yaxis)
    if name:
        ax.text(
            0.99,
            0.95,
            spectrum.name,
            transform=ax.transAxes,
            ha="right",
            va="top",
            fontsize="xx-small",
        )


def _inside(edges: Array, window: tuple[float, float] | None) -> NDArray[np.bool_]:
    middle = centres(edges)
    if window is None:
        return np.zeros(middle.shape, dtype=bool)
    return (middle >= window[0]) & (middle < window[1])
