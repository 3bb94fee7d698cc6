"""Expected counts of a laid out likelihood, and their gradients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood.interpolation import Curves
from quarkline.statistics.likelihood.layout import Layout
from quarkline.statistics.likelihood.sums import stored, summed

# Stands for a factor of 0 where products are differentiated: dividing a product by one of its
# factors then gives the product of the others, also if two factors are 0.
TINY = 1e-100


@dataclass(frozen=True, eq=False)
class RatePoint:
    """The rates at one point, with what their derivatives are made of.

    Attributes:
        expected: Expected counts, with shape (B,).
        slots: All factors, with 0 replaced, with shape (P + U + 1,).
        log_slopes: Derivative of the logarithm of each factor by its parameter.
        norms: The norm factors and their derivatives.
        steps: The shape steps and their derivatives.
        product: Product of all factors of each cell, with shape (N,).
        shifted: Contents with shapes added, with shape (N,).
    """

    expected: Floats
    slots: Floats
    log_slopes: Floats
    norms: Curves
    steps: Curves
    product: Floats
    shifted: Floats


class Rates:
    """Expected counts as a function of the parameters.

    A cell's rate is (nominal + sum of shapes x steps) x product of factors. Shapes are one matrix,
    factors one product for each block and one gather for each layer, so that no loop runs over
    samples, systematics or bins.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._blocks = int(layout.block_of[-1]) + 1
        self._starts = np.flatnonzero(np.diff(layout.factor_blocks, prepend=-1))
        self.shapes = stored(layout.shapes)
        self._turned = (
            csr_array(self.shapes.T) if isinstance(self.shapes, csr_array) else self.shapes.T
        )
        self._slot_parameters = np.concatenate(
            [np.arange(layout.parameters), layout.norms.parameters, [layout.parameters]]
        )
        self._step_parameters = np.tile(layout.steps.parameters, 2)

    def cells(self, values: Floats) -> Floats:
        """Expected counts of all cells, with shape (N,)."""
        layout = self.layout
        slots = np.concatenate([values, layout.norms.at(values), [1.0]])
        shifted = layout.nominal + self.shapes @ layout.steps.at(values)
        return np.asarray(shifted * self._product(slots))

    def expected(self, values: Floats) -> Floats:
        """Expected counts, with shape (B,)."""
        return summed(self.layout.bin_of, self.cells(values), self.layout.bins)

    def point(self, values: Floats) -> RatePoint:
        """The rates, ready for derivatives."""
        layout = self.layout
        norms, steps = layout.norms.curves(values), layout.steps.curves(values)
        slots = np.concatenate([values, norms.value, [1.0]])
        slots[slots == 0.0] = TINY
        log_slopes = np.concatenate([np.ones(layout.parameters), norms.slope, [0.0]]) / slots
        shifted = layout.nominal + self.shapes @ steps.value
        product = self._product(slots)
        expected = summed(layout.bin_of, shifted * product, layout.bins)
        return RatePoint(expected, slots, log_slopes, norms, steps, product, shifted)

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
        by_block = summed(layout.block_of, by_log, self._blocks)
        by_slot = summed(layout.factors, by_block[layout.factor_blocks], size)
        for layer in layout.layers:
            by_slot += summed(layer, by_log, size)
        by_factor = summed(
            self._slot_parameters, by_slot * point.log_slopes, layout.parameters + 1
        )[:-1]
        by_step = (self._turned @ by_shift) * point.steps.slope
        return by_factor + summed(self._step_parameters, by_step, layout.parameters)
