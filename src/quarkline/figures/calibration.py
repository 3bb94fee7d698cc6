"""Calibrations: injected signal, power, spurious signal by degree, and the trials factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from quarkline.engine.core.results import Quantity
from quarkline.figures.pieces import floats, integer_ticks, log_axis, say_empty, set_labels
from quarkline.figures.style import BLUE, GREY, ORANGE, RED, Label, Look, canvas, looks, with_lower
from quarkline.figures.tables import Array, Table, points, values
from quarkline.statistics.injection import InjectionTest
from quarkline.statistics.power import Power
from quarkline.statistics.significance import ONE_SIGMA, binomial_interval
from quarkline.statistics.spurious import SpuriousSignal
from quarkline.statistics.trials import TrialsFactor

IN_SIGMA = r"Injected signal [$\sigma_0$]"
EVENTS = "Injected signal in the window [events]"
_DEMAND = 0.2
"""A common limit on the spurious signal over its statistical error."""
_APART = 0.06
"""How far points of neighbouring curves stand apart."""


def plot_injection(
    tests: Mapping[str, InjectionTest],
    *,
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw mean fitted against injected signal, and the coverage of the 68.3 % intervals below.

    Signals are in units of the standard deviation of the fitted signal without any injected, so
    that tests of different size share the axes. The band is where 68.27 % of the toys may be found
    by chance, in 68.3 % of the cases.

    Args:
        tests: Injection tests by name.
        ax: Two axes, one for the signal and one for the coverage, instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style, layout=with_lower) as frame:
        for place, (name, test) in enumerate(tests.items()):
            look = looks(len(tests))[place]
            shift = _APART * (place - (len(tests) - 1) / 2)
            injected = floats([row.strength for row in test.rows])
            fitted, error = _in_units([row.fitted for row in test.rows], test.spread)
            slope = f"slope {test.slope.value:.3f} $\\pm$ {test.slope.up or 0.0:.3f}"
            words = f"{name}: {slope}, $\\sigma_0$ = {test.spread:.3g} events"
            frame.main.errorbar(injected + shift, fitted, error, label=words, **_marks(look))
            coverage, sides = _with_errors([row.coverage for row in test.rows])
            if frame.lower is not None:
                frame.lower.errorbar(injected + shift, coverage, sides, **_marks(look))
            tag = {"selection": name}
            columns = (
                values("Mean fitted signal", fitted, error=error, qualifiers=tag),
                values("Coverage", coverage, error=sides, qualifiers=tag),
            )
            frame.tables.append(Table(f"Injection: {name}", (points(IN_SIGMA, injected),), columns))
        strengths = floats([row.strength for test in tests.values() for row in test.rows])
        high = strengths.max(initial=1.0) + 0.4
        frame.main.plot([-0.4, high], [-0.4, high], color=GREY, linewidth=1.2, zorder=0.5)
        frame.main.set_xlim(-0.4, high)
        frame.main.set_ylim(-0.8, 1.3 * high)
        if frame.lower is not None:
            _coverage_band(frame.lower, max((test.n_toys for test in tests.values()), default=0))
        if strengths.size:
            frame.main.legend(loc="upper left")
        else:
            say_empty(frame.main, "no injections")
        set_labels(frame, IN_SIGMA, r"Mean fitted signal [$\sigma_0$]", "Coverage")
    return frame.figure


def plot_power(
    curves: Mapping[str, Sequence[Power]],
    *,
    x_label: str = EVENTS,
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw how often a search reaches 3 and 5 standard deviations, and the mean significance below.

    Args:
        curves: Power at rising strengths, by name.
        x_label: What the strengths are, with their unit.
        ax: Two axes, for fractions and mean significance, instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style, layout=with_lower) as frame:
        for look, (name, curve) in zip(looks(len(curves)), curves.items(), strict=True):
            injected = floats([point.injected for point in curve])
            evidence, three = _with_errors([point.evidence for point in curve])
            discovery, five = _with_errors([point.discovery for point in curve])
            mean, error = _with_errors([point.z_mean for point in curve])
            line = {"linestyle": "-", "linewidth": 1.2}
            frame.main.errorbar(injected, evidence, three, **_marks(look) | line)
            line = {"linestyle": "--", "linewidth": 1.2, "markerfacecolor": "white"}
            frame.main.errorbar(injected, discovery, five, **_marks(look) | line)
            if frame.lower is not None:
                frame.lower.errorbar(injected, mean, error, **_marks(look))
            tag = {"selection": name}
            columns = (
                values("Fraction with Z >= 3", evidence, error=three, qualifiers=tag),
                values("Fraction with Z >= 5", discovery, error=five, qualifiers=tag),
                values("Mean significance", mean, error=error, qualifiers=tag),
            )
            frame.tables.append(Table(f"Power: {name}", (points(x_label, injected),), columns))
        frame.main.set_ylim(0.0, 1.45)
        frame.main.axhline(1.0, color=GREY, linewidth=0.8, linestyle=":", zorder=0.5)
        if any(len(curve) for curve in curves.values()):
            frame.main.legend(handles=_power_legend(list(curves)), loc="upper left", ncols=2)
        else:
            say_empty(frame.main, "no pseudo-experiments")
        if frame.lower is not None:
            frame.lower.set_ylim(bottom=0.0)
        set_labels(frame, x_label, "Fraction of experiments", "Mean $Z$")
    return frame.figure


def plot_spurious_signal(
    tests: Mapping[str, SpuriousSignal],
    *,
    template_errors: Mapping[str, Sequence[float]] | None = None,
    degree: int | None = None,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the signal each degree finds in background, over its statistical error.

    Args:
        tests: Spurious signals by name of the selection.
        template_errors: What the size of each template leaves open, in events, for each row.
        degree: The nominal degree, to mark.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style) as frame:
        found = [0.0]
        for place, (name, test) in enumerate(tests.items()):
            look = looks(len(tests))[place]
            shift = _APART * (place - (len(tests) - 1) / 2)
            degrees = floats([row.degree for row in test.rows])
            ratio = floats([row.ratio for row in test.rows])
            spread = floats([row.signal.up or np.nan for row in test.rows])
            open_ = floats((template_errors or {}).get(name, np.zeros(spread.size))) / spread
            frame.main.errorbar(degrees + shift, ratio, open_, label=name, **_marks(look))
            found += [*(ratio - open_)[np.isfinite(ratio)], *(ratio + open_)[np.isfinite(ratio)]]
            column = values(
                "Spurious signal over its statistical error",
                ratio,
                error=open_,
                source="template",
                qualifiers={"selection": name},
            )
            frame.tables.append(Table(f"Spurious: {name}", (points("Degree", degrees),), (column,)))
        frame.main.axhspan(-_DEMAND, _DEMAND, color=GREY, alpha=0.25, linewidth=0, zorder=0)
        frame.main.axhline(0.0, color=GREY, linewidth=0.8, zorder=0.5)
        if degree is not None:
            frame.main.axvline(degree, color="black", linewidth=1, linestyle=":", zorder=0.5)
        known = floats(found)[np.isfinite(floats(found))]
        low, high = min(known.min(), -_DEMAND), max(known.max(), _DEMAND)
        frame.main.set_ylim(low - 0.15 * (high - low), high + 0.45 * (high - low))
        integer_ticks(frame.main.xaxis)
        if any(test.rows for test in tests.values()):
            handles, _ = frame.main.get_legend_handles_labels()
            band = frame.main.fill_between(
                [], [], [], color=GREY, alpha=0.25, label=f"Within {_DEMAND:g} $\\sigma$"
            )
            frame.main.legend(handles=[*handles, band], loc="upper right")
        else:
            say_empty(frame.main, "no degrees")
        set_labels(
            frame, "Degree of the polynomial", r"Spurious signal [$\sigma$ of the fitted signal]"
        )
    return frame.figure


def plot_trials_factor(
    result: TrialsFactor,
    *,
    z_observed: float | None = None,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the trials factor and the effective number of trials against local significance.

    Args:
        result: What toys say.
        z_observed: The largest local significance of the data.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style) as frame:
        z = floats([row.z for row in result.rows])
        reached = floats([row.p_global.value for row in result.rows]) > 0
        curves = (
            ("$p$ global / $p$ local", [row.factor for row in result.rows], Look(BLUE, "-", "o")),
            ("Effective trials", [row.effective for row in result.rows], Look(ORANGE, "--", "s")),
        )
        columns = []
        for name, quantities, look in curves:
            number, error = _with_errors(quantities)
            drawn = np.where(reached, number, np.nan)
            open_ = {"markerfacecolor": "none"}
            frame.main.errorbar(z, drawn, error, label=name, **_marks(look) | open_)
            columns.append(values(name.replace("$", ""), number, error=error))
        if reached.any():
            frame.main.axhline(
                result.hunts,
                color=GREY,
                linestyle="--",
                linewidth=1.2,
                label=f"Number of cuts: {result.hunts}",
            )
            if z_observed is not None and np.isfinite(z_observed):
                frame.main.axvline(
                    z_observed,
                    color=RED,
                    linestyle=":",
                    linewidth=1.6,
                    label=f"Data, $Z$ = {z_observed:.1f}",
                )
            frame.main.legend(loc="upper left", ncols=2)
        else:
            say_empty(frame.main, "no toys")
        high = max([result.hunts, *floats([row.factor.value for row in result.rows]), 2.0])
        log_axis(frame.main, "y", 0.5, high**1.5 if np.isfinite(high) else 100.0)
        frame.main.set_xlim(0.0, max(5.2, 1.05 * (z_observed or 0.0)))
        set_labels(frame, "Largest local significance $Z$ [$\\sigma$]", "Number of trials")
        table = (points("Largest local significance", z),)
        frame.tables.append(Table("Trials factor", table, tuple(columns)))
    return frame.figure


def _marks(look: Look) -> dict[str, Any]:
    return {
        "color": look.color,
        "marker": look.marker,
        "linestyle": "none",
        "markersize": 6,
        "elinewidth": 1.4,
    }


def _with_errors(quantities: Sequence[Quantity]) -> tuple[Array, Array]:
    """Values (n,) and their distances down and up (2, n); zero where unknown."""
    down, up = (
        floats([getattr(quantity, side) or 0.0 for quantity in quantities])
        for side in ("down", "up")
    )
    return floats([quantity.value for quantity in quantities]), np.stack([down, up])


def _in_units(quantities: Sequence[Quantity], unit: float) -> tuple[Array, Array]:
    number, error = _with_errors(quantities)
    scale = unit if unit > 0.0 else np.nan
    return number / scale, np.nan_to_num(error / scale)


def _coverage_band(ax: Axes, toys: int) -> None:
    """The wanted coverage, and where it may be found by chance."""
    if toys:
        low, high = (float(end) for end in binomial_interval(ONE_SIGMA * toys, toys))
        ax.axhspan(low, high, color=GREY, alpha=0.3, linewidth=0, zorder=0)
    ax.axhline(ONE_SIGMA, color=GREY, linewidth=1, zorder=0.5)
    ax.set_ylim(0.58, 0.78)


def _power_legend(names: Sequence[str]) -> list[Line2D]:
    """Colours for the selections, lines for the thresholds."""
    colours = [
        Line2D([], [], color=look.color, marker=look.marker, linestyle="none", label=name)
        for look, name in zip(looks(len(names)), names, strict=True)
    ]
    lines = [
        Line2D([], [], color="black", linestyle="-", label=r"$Z \geq 3$"),
        Line2D([], [], color="black", linestyle="--", label=r"$Z \geq 5$ (open)"),
    ]
    return [*colours, *lines]
