"""Second-order expansions of functions of the expected counts, without forming what is zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quarkline.statistics.arrays import Floats, Indices
from quarkline.statistics.likelihood.rates import RatePoint, Rates
from quarkline.statistics.likelihood.sums import Groups, Table, dense, summed


@dataclass(frozen=True, eq=False)
class Slopes:
    """Derivatives of the expected counts: a dense table, and one with few entries for each bin.

    Attributes:
        parameters: Parameters of the dense table's columns, those of whole samples, A of them.
        wide: The dense table, with shape (B, A).
        narrow: Derivatives through the factors of single bins, with shape (B, P).
    """

    parameters: Indices
    wide: Floats
    narrow: Table

    def whole(self) -> Floats:
        """Both together, with shape (B, P)."""
        table = dense(self.narrow)
        table[:, self.parameters] += self.wide
        return table

    def squares(self, weights: Floats) -> Floats:
        """J^T diag(weights) J for the table J of both, with shape (P, P)."""
        weighted = weights[:, None] * self.wide
        turned = self.narrow.T
        square = dense(turned @ (self.narrow * weights[:, None]))
        mixed = turned @ weighted
        square[:, self.parameters] += mixed
        square[self.parameters] += mixed.T
        square[np.ix_(self.parameters, self.parameters)] += self.wide.T @ weighted
        return square


class Curvature:
    """Derivatives of the rates beyond their gradients.

    The parameters of whole samples are in dense tables over blocks or bins. Factors of single bins,
    of which there may be one for each, only meet what acts on their cells, so they stay sparse.

    Args:
        rates: The rates.
    """

    def __init__(self, rates: Rates) -> None:
        layout = rates.layout
        self._layout, self._shapes = layout, rates.shapes
        self._blocks = int(layout.block_of[-1]) + 1
        size = layout.parameters
        owners = np.concatenate([np.arange(size), layout.norms.parameters, [size]])[layout.factors]
        owned = np.flatnonzero(owners < size)
        self._factors = layout.factors[owned]
        self._parameters = np.unique(np.concatenate([owners[owned], layout.steps.parameters]))
        column = np.searchsorted(self._parameters, owners[owned])
        self._at = layout.factor_blocks[owned] * len(self._parameters) + column
        self._step_columns = np.searchsorted(self._parameters, layout.steps.parameters)
        self._parts = _without_repeats(self._step_columns)
        self._by_bin = Groups(layout.bin_of, layout.bins)
        self._by_block = Groups(layout.block_of, self._blocks)
        self._layers = [np.minimum(layer, size) for layer in layout.layers]
        self._by_layer = [Groups(layer, size + 1) for layer in self._layers]

    def slopes(self, point: RatePoint) -> Slopes:
        """Derivatives of the expected counts."""
        layout, size = self._layout, self._layout.parameters
        rate = point.product * point.shifted
        wide = self._added(self._by_bin.rows(point.product, self._shapes) * point.steps.slope)
        across = self._by_bin.across(rate, layout.block_of, self._blocks)
        wide += across @ self._by_factor(point.log_slopes)
        narrow = self._by_bin.across(np.zeros_like(rate), np.full(len(rate), size), size + 1)
        for layer, clipped in zip(layout.layers, self._layers, strict=True):
            weights = rate * point.log_slopes[layer]
            narrow = narrow + self._by_bin.across(weights, clipped, size + 1)
        return Slopes(self._parameters, wide, narrow[:, :size])

    def curvature(self, point: RatePoint, slopes: Floats) -> Floats:
        """Sum over bins of `slopes` times the second derivatives of the rates, shape (P, P)."""
        layout, size = self._layout, self._layout.parameters
        by_shift = slopes[layout.bin_of] * point.product
        by_log = by_shift * point.shifted
        factor_slopes = self._by_factor(point.log_slopes)
        shape_slopes = self._added(self._by_block.rows(by_shift, self._shapes) * point.steps.slope)
        products = shape_slopes.T @ factor_slopes
        inner = products + products.T + self._factor_bends(point, factor_slopes, by_log)
        bends = (self._shapes.T @ by_shift) * point.steps.bend
        steps = np.tile(self._step_columns, 2)
        inner[np.diag_indices(len(inner))] += summed(steps, bends, len(inner))
        outer = np.zeros((size, size))  # what is not symmetric, to be added with its transpose
        for at, layer in enumerate(layout.layers):
            slope = point.log_slopes[layer]
            outer[:, self._parameters] += self._with_layer(
                point, factor_slopes, by_shift * slope, at
            )
            for other in range(at + 1, len(layout.layers)):
                weights = by_log * slope * point.log_slopes[layout.layers[other]]
                pairs = self._by_layer[at].across(weights, self._layers[other], size + 1)
                outer += dense(pairs)[:size, :size]
        whole = outer + outer.T
        whole[np.ix_(self._parameters, self._parameters)] += inner
        return whole

    def _with_layer(
        self, point: RatePoint, factor_slopes: Floats, weights: Floats, at: int
    ) -> Floats:
        """Products of a layer's factors with what acts on whole samples, with shape (P, A)."""
        groups = self._by_layer[at]
        across = groups.across(weights * point.shifted, self._layout.block_of, self._blocks)
        shapes = self._added(groups.rows(weights, self._shapes) * point.steps.slope)
        return np.asarray((across @ factor_slopes + shapes)[:-1])

    def _factor_bends(self, point: RatePoint, factor_slopes: Floats, by_log: Floats) -> Floats:
        """Second derivatives of the products of blocks' factors, with shape (A, A)."""
        by_block = summed(self._layout.block_of, by_log, self._blocks)
        square = factor_slopes.T @ (by_block[:, None] * factor_slopes)
        bends = np.zeros_like(point.slots)
        norms = slice(self._layout.parameters, -1)
        bends[norms] = point.norms.bend / point.slots[norms]
        # A factor's own square is taken out before it is added: with a factor of 0 it is huge.
        own = self._by_factor(bends) + (factor_slopes**2 - self._by_factor(point.log_slopes**2))
        np.fill_diagonal(square, by_block @ own)
        return np.asarray(square)

    def _by_factor(self, per_slot: Floats) -> Floats:
        """Sums of a property of the factors by block and parameter, with shape (M, A)."""
        shape = (self._blocks, len(self._parameters))
        return summed(self._at, per_slot[self._factors], shape[0] * shape[1]).reshape(shape)

    def _added(self, table: Floats) -> Floats:
        """The columns of steps, with shape (G, 2 Q), added up by parameter: (G, A)."""
        pairs = len(self._step_columns)
        both = table[:, :pairs] + table[:, pairs:]
        added = np.zeros((len(table), len(self._parameters)))
        for column in self._parts:
            added[:, self._step_columns[column]] += both[:, column]
        return added


def _without_repeats(columns: Indices) -> list[Indices]:
    """Positions of columns in as few parts as there are repeats, each column once in a part."""
    order = np.argsort(columns, kind="stable")
    first = np.searchsorted(columns[order], columns[order])
    turn = np.arange(len(columns)) - first
    return [order[turn == at] for at in range(int(turn.max(initial=-1)) + 1)]
