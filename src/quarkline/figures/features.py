"""Features: their names, units and bins, and their distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from quarkline.figures.pieces import (
    filled,
    finite,
    linear_y,
    log_axis,
    log_y,
    per_bin,
    plain_text,
    poisson_error,
    say_empty,
)
from quarkline.figures.style import Canvas, Label, canvas, ordered_looks, panels, panels_size
from quarkline.figures.tables import Array, Table, bins, values


@dataclass(frozen=True, eq=False)
class FeatureStyle:
    """How a feature is drawn.

    Attributes:
        label: Name and unit of its axis.
        edges: Bin edges with shape (n + 1,); None where the data decide.
        log_edges: Bin edges on a logarithmic axis, for features that span decades.
    """

    label: str
    edges: Array | None = None
    log_edges: Array | None = None

    @property
    def log_x(self) -> bool:
        """Whether the axis is logarithmic."""
        return self.log_edges is not None

    def cells(self, arrays: Sequence[Array]) -> Array:
        """The edges to draw with: logarithmic before linear before the range of the data."""
        if self.log_edges is not None:
            return self.log_edges
        return self.edges if self.edges is not None else _spanning(arrays)


def _linear(low: float, high: float, count: int = 60) -> Array:
    return np.linspace(low, high, count)


def _muon(index: int, name: str) -> dict[str, FeatureStyle]:
    def about(what: str) -> str:
        return f"{name} muon {what}"

    return {
        f"mu{index}_pt": FeatureStyle(about(r"$p_\mathrm{T}$ [GeV]"), _linear(0, 50)),
        f"mu{index}_eta": FeatureStyle(about(r"$\eta$"), _linear(-3, 3)),
        f"mu{index}_phi": FeatureStyle(about(r"$\phi$ [rad]"), _linear(-3.2, 3.2)),
        f"mu{index}_ip3d": FeatureStyle(
            about(r"$IP_\mathrm{3D}$ [cm]"), _linear(0, 0.25), np.geomspace(1e-4, 1, 60)
        ),
        f"mu{index}_iso04": FeatureStyle(
            about(r"$I_\mathrm{rel}$ ($\Delta R < 0.4$)"), _linear(0, 1)
        ),
        f"mu{index}_jetiso": FeatureStyle(about(r"$I_\mathrm{jet}$"), _linear(0, 8)),
    }


FEATURES: Mapping[str, FeatureStyle] = {
    "dimu_mass": FeatureStyle(r"$m_{\mu\mu}$ [GeV]", _linear(0, 120)),
    "dimu_pt": FeatureStyle(r"$p_\mathrm{T}^{\mu\mu}$ [GeV]", _linear(0, 150)),
    "dimu_eta": FeatureStyle(r"$\eta^{\mu\mu}$", _linear(-6, 6)),
    "dimu_phi": FeatureStyle(r"$\phi^{\mu\mu}$ [rad]", _linear(-3.2, 3.2)),
    "mumu_deltaR": FeatureStyle(r"$\Delta R(\mu, \mu)$", _linear(0, 2)),
    "mumu_deltapT": FeatureStyle(r"$\Delta p_\mathrm{T}(\mu, \mu)$ [GeV]", _linear(0, 100)),
    **_muon(0, "Leading"),
    **_muon(1, "Subleading"),
    "n_muons": FeatureStyle("Number of tight muons", _linear(0, 10, 11)),
    "n_jets": FeatureStyle("Number of jets", _linear(0, 10, 11)),
    "hardest_jet_pt": FeatureStyle(r"Hardest jet $p_\mathrm{T}$ [GeV]", _linear(0, 300)),
    "hardest_jet_eta": FeatureStyle(r"Hardest jet $\eta$", _linear(-3, 3)),
    "hardest_jet_phi": FeatureStyle(r"Hardest jet $\phi$ [rad]", _linear(-3.2, 3.2)),
    "hardest_jet_mass": FeatureStyle(r"Hardest jet mass [GeV]", _linear(0, 300)),
    "hardest_jet_btag": FeatureStyle("Hardest jet b-tag score", _linear(0, 1)),
    "dimujet_deltaR": FeatureStyle(r"$\Delta R(\mu\mu, \mathrm{jet})$", _linear(0, 2)),
}
"""The features of dimuon events; the bins are those of the published analysis's control plots,
the logarithmic ones those of its paper."""


def feature_style(name: str) -> FeatureStyle:
    """Label and bins of a feature; a feature of the user's own gets its name and its range."""
    return FEATURES.get(name) or FeatureStyle(plain_text(name))


def plot_feature_distributions(
    selections: Mapping[str, Mapping[str, ArrayLike]],
    *,
    features: Sequence[str] | None = None,
    styles: Mapping[str, FeatureStyle] | None = None,
    lines: Mapping[str, Mapping[str, Any]] | None = None,
    log: bool = True,
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the distribution of each feature after each selection, a panel a feature.

    Args:
        selections: Values of each feature by selection, such as a region or `FPR 1 %`; tightest
            last.
        features: Which to draw, in this order; by default those of the first selection.
        styles: Labels and bins that replace the known ones.
        lines: Matplotlib properties of a selection's steps that replace the usual ones.
        log: Whether the y axes are logarithmic.
        ax: Axes to draw on, one a feature.
        label: The line above the figure.
        style: Name of a style.
    """
    names = list(features if features is not None else next(iter(selections.values()), {}))
    count = max(len(names), 1)
    layout, size = panels(count), panels_size(count)
    with canvas(ax, label=label, style=style, layout=layout, size=size) as frame:
        if not names:
            say_empty(frame.main, "no features")
        for axes, name in zip(frame.axes, names, strict=False):
            known = (styles or {}).get(name) or feature_style(name)
            arrays = {
                selection: finite(frame, columns[name]) for selection, columns in selections.items()
            }
            _draw_feature(frame, axes, name, known, arrays, lines=lines or {}, log=log)
        if frame.main.get_legend_handles_labels()[0]:
            frame.main.legend(loc="upper right")
    return frame.figure


def _draw_feature(
    frame: Canvas,
    ax: Axes,
    name: str,
    known: FeatureStyle,
    arrays: Mapping[str, Array],
    *,
    lines: Mapping[str, Mapping[str, Any]],
    log: bool,
) -> None:
    edges = known.cells(list(arrays.values()))
    histograms = {selection: filled(array, edges) for selection, array in arrays.items()}
    for (selection, counts), look in zip(
        histograms.items(), ordered_looks(len(histograms)), strict=True
    ):
        ax.stairs(
            counts,
            edges,
            **{"color": look.color, "linestyle": look.linestyle, "linewidth": 1.6}
            | dict(lines.get(selection, {})),
            label=f"{selection} ({arrays[selection].size:,})",
        )
        column = values(
            "Events", counts, error=poisson_error(counts), qualifiers={"selection": selection}
        )
        frame.tables.append(Table(f"{name}, {selection}", (bins(known.label, edges),), (column,)))
    everything = np.concatenate([*histograms.values(), np.empty(0)])
    if not everything.any():
        say_empty(ax)
    feature_axes(ax, None, known, edges)
    if log:
        log_y(ax, everything, headroom=0.3)
    else:
        linear_y(ax, everything, headroom=0.3)


def feature_axes(main: Axes, lower: Axes | None, known: FeatureStyle, edges: Array) -> None:
    """Scale and name the axes of a feature's panel, with its x axis named on the lower one."""
    if known.log_x:
        log_axis(main, "x", edges[0], edges[-1])
    else:
        main.set_xlim(edges[0], edges[-1])
    main.set_ylabel("Events / bin" if known.log_x else per_bin(edges, known.label))
    (lower or main).set_xlabel(known.label)


def _spanning(arrays: Sequence[Array]) -> Array:
    """Bins over the range of the data, without the outermost 0.1 % on either side."""
    everything = np.concatenate([*arrays, np.empty(0)])
    if everything.size == 0:
        return _linear(0, 1)
    low, high = np.quantile(everything, [0.001, 0.999])
    if high - low <= 1e-12 * max(1.0, abs(high)):
        return _linear(low - 0.5, low + 0.5)
    return _linear(low, high)
