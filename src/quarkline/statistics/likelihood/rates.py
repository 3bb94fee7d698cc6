"""Expected counts of a laid out likelihood, and their first and second derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from quarkline.statistics.arrays import Floats, Indices
from quarkline.statistics.likelihood.interpolation import Curves
from quarkline.statistics.likelihood.layout import Layout

# Stands for a factor of 0 where products are differentiated: dividing a product by one of its
# factors then gives the product of the others, also if two factors are 0.
TINY = 1e-100


@dataclass(frozen=True, eq=False)
class RatePoint:
    """The rates at one point, with what their derivatives are made of.

    Attributes:
        expected: Expected counts, with shape (B,).
        slots: All factors, with 0 replaced, with shape (P + U + 1,).
        norms: The norm factors and their derivatives.
        steps: The shape steps and their derivatives.
        product: Product of all factors of each cell, with shape (N,).
        shifted: Contents with shapes added, with shape (N,).
    """

    expected: Floats
    slots: Floats
    norms: Curves
    steps: Curves
    product: Floats
    shifted: Floats


class Rates:
    """Expected counts as a function of the parameters.

    A cell's rate is (nominal + sum of shapes x steps) x product of factors. Shapes are one sparse
    matrix, factors one product for each block and one gather for each layer, so that no loop runs
    over samples, systematics or bins.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._blocks = int(layout.block_of[-1]) + 1
        self._starts = np.flatnonzero(np.diff(layout.factor_blocks, prepend=-1))
        self._shapes_of = csr_array(layout.shapes.T.tocsr())
        self._slot_parameters = np.concatenate(
            [np.arange(layout.parameters), layout.norms.parameters, [layout.parameters]]
        )
        self._step_parameters = np.tile(layout.steps.parameters, 2)
        self._second = _SecondOrder(layout, self._blocks)

    def cells(self, values: Floats) -> Floats:
        """Expected counts of all cells, with shape (N,)."""
        layout = self.layout
        slots = np.concatenate([values, layout.norms.at(values), [1.0]])
        shifted = layout.nominal + layout.shapes @ layout.steps.at(values)
        return np.asarray(shifted * self._product(slots))

    def expected(self, values: Floats) -> Floats:
        """Expected counts, with shape (B,)."""
        return np.bincount(self.layout.bin_of, self.cells(values), self.layout.bins)

    def point(self, values: Floats) -> RatePoint:
        """The rates, ready for derivatives."""
        layout = self.layout
        norms, steps = layout.norms.curves(values), layout.steps.curves(values)
        slots = np.concatenate([values, norms.value, [1.0]])
        slots[slots == 0.0] = TINY
        shifted = layout.nominal + layout.shapes @ steps.value
        product = self._product(slots)
        expected = np.bincount(layout.bin_of, shifted * product, layout.bins)
        return RatePoint(expected, slots, norms, steps, product, shifted)

    def _product(self, slots: Floats) -> Floats:
        blocks = np.multiply.reduceat(slots[self.layout.factors], self._starts)
        product = blocks[self.layout.block_of]
        for layer in self.layout.layers:
            product *= slots[layer]
        return np.asarray(product)

    def pulled_back(self, point: RatePoint, slopes: Floats) -> Floats:
        """Gradient of a function of the expected counts, with shape (P,).

        Args:
            point: Where.
            slopes: Its derivatives by the expected counts, with shape (B,).
        """
        layout = self.layout
        by_shift = slopes[layout.bin_of] * point.product
        by_log = by_shift * point.shifted
        size = len(point.slots)
        by_block = np.bincount(layout.block_of, by_log, self._blocks)
        by_slot = np.bincount(layout.factors, by_block[layout.factor_blocks], size)
        for layer in layout.layers:
            by_slot += np.bincount(layer, by_log, size)
        parts = by_slot * _log_slopes(point, layout.parameters)
        gradient = np.bincount(self._slot_parameters, parts, layout.parameters + 1)[:-1]
        by_step = (self._shapes_of @ by_shift) * point.steps.slope
        return gradient + np.bincount(self._step_parameters, by_step, layout.parameters)

    def jacobian(self, point: RatePoint) -> Floats:
        """Derivatives of the expected counts, with shape (B, P)."""
        return self._second.jacobian(point)

    def curvature(self, point: RatePoint, slopes: Floats) -> Floats:
        """Sum over bins of `slopes` times second derivatives of the rates, with shape (P, P)."""
        return self._second.curvature(point, slopes)


def _log_slopes(point: RatePoint, parameters: int) -> Floats:
    """Derivative of the logarithm of every slot by its parameter; 0 for the slot of 1."""
    return np.concatenate([np.ones(parameters), point.norms.slope, [0.0]]) / point.slots


class _GroupedSum:
    """Sums of the rows of the shapes over groups of cells, as a dense table."""

    def __init__(self, shapes: csr_array, group_of: Indices, groups: int) -> None:
        entries = shapes.tocoo()
        kept = group_of[entries.row] < groups
        row, data = entries.row[kept], entries.data[kept]
        flat = group_of[row] * shapes.shape[1] + entries.col[kept]
        order = np.argsort(flat, kind="stable")
        self._row, self._data, flat = row[order], data[order], flat[order]
        self._starts = np.flatnonzero(np.diff(flat, prepend=-1))
        self._flat = flat[self._starts]
        self._shape = (groups, shapes.shape[1])

    def __call__(self, weights: Floats) -> Floats:
        table = np.zeros(self._shape)
        if len(self._flat):
            table.ravel()[self._flat] = np.add.reduceat(
                self._data * weights[self._row], self._starts
            )
        return table


class _SecondOrder:
    """Tables of derivatives: the Jacobian and the curvature of the rates."""

    def __init__(self, layout: Layout, blocks: int) -> None:
        self._layout, self._blocks = layout, blocks
        size = layout.parameters
        self._by_bin = _GroupedSum(layout.shapes, layout.bin_of, layout.bins)
        self._by_block = _GroupedSum(layout.shapes, layout.block_of, blocks)
        self._by_layer = [_GroupedSum(layout.shapes, layer, size) for layer in layout.layers]
        slot_parameters = np.concatenate([np.arange(size), layout.norms.parameters, [size]])
        owners = slot_parameters[layout.factors]
        self._owned = np.flatnonzero(owners < size)
        self._used, column = np.unique(owners[self._owned], return_inverse=True)
        self._at = layout.factor_blocks[self._owned] * len(self._used) + column

    def _block_table(self, per_slot: Floats) -> Floats:
        """Sums of a property of the slots by block and used parameter, with shape (M, used)."""
        shape = (self._blocks, len(self._used))
        weights = per_slot[self._layout.factors[self._owned]]
        return np.bincount(self._at, weights, shape[0] * shape[1]).reshape(shape)

    def _per_parameter(self, table: Floats) -> Floats:
        """Add up the columns of steps, with shape (G, 2 Q), by parameter: (G, P)."""
        pairs = table.shape[1] // 2
        by_parameter = np.zeros((self._layout.parameters, len(table)))
        np.add.at(
            by_parameter, self._layout.steps.parameters, (table[:, :pairs] + table[:, pairs:]).T
        )
        return by_parameter.T

    def jacobian(self, point: RatePoint) -> Floats:
        layout = self._layout
        size = layout.parameters
        rate = point.product * point.shifted
        table = self._per_parameter(self._by_bin(point.product) * point.steps.slope)
        log_slopes = _log_slopes(point, size)
        by_block = csr_array(
            (rate, (layout.bin_of, layout.block_of)), shape=(layout.bins, self._blocks)
        )
        table[:, self._used] += by_block @ self._block_table(log_slopes)
        for layer in layout.layers:
            own = np.flatnonzero(layer < size)
            flat = layout.bin_of[own] * size + layer[own]
            weights = rate[own] * log_slopes[layer[own]]
            table += np.bincount(flat, weights, table.size).reshape(table.shape)
        return table

    def curvature(self, point: RatePoint, slopes: Floats) -> Floats:
        layout = self._layout
        size = layout.parameters
        by_shift = slopes[layout.bin_of] * point.product
        by_log = by_shift * point.shifted
        log_slopes = _log_slopes(point, size)
        block_slopes = self._block_table(log_slopes)
        half = np.zeros((size, size))  # what is not symmetric, to be added with its transpose

        shape_block = self._per_parameter(self._by_block(by_shift) * point.steps.slope)
        half[:, self._used] += shape_block.T @ block_slopes
        for at, layer in enumerate(layout.layers):
            slope = np.append(log_slopes, 0.0)[layer]
            by_layer = csr_array(
                (by_log * slope, (np.minimum(layer, size), layout.block_of)),
                shape=(size + 1, self._blocks),
            )
            half[:, self._used] += (by_layer @ block_slopes)[:-1]
            half += self._per_parameter(self._by_layer[at](by_shift * slope) * point.steps.slope)
            for other in layout.layers[at + 1 :]:
                pair = by_log * slope * log_slopes[other]
                flat = np.minimum(layer, size) * (size + 1) + np.minimum(other, size)
                square = np.bincount(flat, pair, (size + 1) ** 2).reshape(size + 1, size + 1)
                half += square[:-1, :-1]
        whole = half + half.T
        self._add_blocks(whole, point, block_slopes, by_log)
        shape_bends = (self._layout.shapes.T @ by_shift) * point.steps.bend
        diagonal = np.bincount(np.tile(layout.steps.parameters, 2), shape_bends, size)
        whole[np.diag_indices(size)] += diagonal
        return whole

    def _add_blocks(
        self, whole: Floats, point: RatePoint, block_slopes: Floats, by_log: Floats
    ) -> None:
        """Add second derivatives of the products of the factors of blocks."""
        by_block = np.bincount(self._layout.block_of, by_log, self._blocks)
        square = block_slopes.T @ (by_block[:, None] * block_slopes)
        log_slopes = _log_slopes(point, self._layout.parameters)
        bends = (
            np.concatenate([np.zeros(self._layout.parameters), point.norms.bend, [0.0]])
            / point.slots
        )
        # A factor's own square is taken out before it is added: with a factor of 0 it is huge.
        own = self._block_table(bends) + (block_slopes**2 - self._block_table(log_slopes**2))
        np.fill_diagonal(square, by_block @ own)
        whole[np.ix_(self._used, self._used)] += square
