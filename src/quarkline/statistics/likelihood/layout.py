"""A likelihood laid out as flat arrays: one entry for each bin of each sample of each channel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from quarkline.statistics.arrays import Floats, Indices
from quarkline.statistics.likelihood.interpolation import SHAPE_CODES, NormFactors, ShapeSteps
from quarkline.statistics.likelihood.spec import (
    BinScale,
    ChannelSpec,
    LikelihoodSpec,
    Modifier,
    NormShift,
    SampleSpec,
    Scale,
    ShapeShift,
)

_NormKey = tuple[int, float, float, int]


@dataclass(frozen=True, eq=False)
class Layout:
    """The arrays of a likelihood.

    N cells are the bins of all samples, channel by channel and sample by sample; M blocks are the
    samples of the channels; B bins are those of the channels. Factors have slots: first the P
    parameters themselves, then U norm factors, then one that is always 1.

    Attributes:
        parameters: P.
        bins: B.
        nominal: Contents, with shape (N,).
        bin_of: Bin of each cell.
        block_of: Block of each cell.
        norms: The norm factors.
        factors: Slots of the factors of whole blocks, block after block, at least one for each.
        factor_blocks: Block of each of these.
        layers: Slots of the factors of single cells, each with shape (N,).
        steps: The functions by which shapes are added, 2 Q of them.
        shapes: What is added for each of them, with shape (N, 2 Q).
    """

    parameters: int
    bins: int
    nominal: Floats
    bin_of: Indices
    block_of: Indices
    norms: NormFactors
    factors: Indices
    factor_blocks: Indices
    layers: tuple[Indices, ...]
    steps: ShapeSteps
    shapes: csr_array


def layout_of(spec: LikelihoodSpec) -> Layout:
    """Lay out a likelihood whose names and lengths have been checked."""
    return _Builder(spec).layout()


class _Builder:
    def __init__(self, spec: LikelihoodSpec) -> None:
        self._index = {parameter.name: at for at, parameter in enumerate(spec.parameters)}
        self._spec = spec
        self._norms: dict[_NormKey, int] = {}
        self._steps: dict[tuple[int, int], int] = {}
        self._factors: list[int] = []
        self._factor_blocks: list[int] = []
        self._layers: list[list[tuple[int, tuple[str | None, ...]]]] = []
        self._rows: list[Indices] = []
        self._columns: list[Indices] = []
        self._odd: list[Floats] = []
        self._even: list[Floats] = []

    def layout(self) -> Layout:
        nominal, bin_of, block_of = [], [], []
        cell = 0
        for block, (first_bin, sample) in enumerate(_blocks(self._spec.channels)):
            size = len(sample.contents)
            nominal.append(np.asarray(sample.contents, dtype=np.float64))
            bin_of.append(np.arange(first_bin, first_bin + size))
            block_of.append(np.full(size, block))
            layer = 0
            for modifier in sample.modifiers:
                if isinstance(modifier, BinScale):
                    self._bin_scale(layer, cell, modifier)
                    layer += 1
                else:
                    self._modify(modifier, block, cell, nominal[-1])
            cell += size
        cells = np.concatenate(nominal)
        blocks = len(nominal)
        return Layout(
            parameters=len(self._index),
            bins=sum(channel.bins for channel in self._spec.channels),
            nominal=cells,
            bin_of=np.concatenate(bin_of),
            block_of=np.concatenate(block_of),
            norms=self._norm_factors(),
            layers=tuple(self._layer(entries, len(cells)) for entries in self._layers),
            steps=self._shape_steps(),
            shapes=self._shapes(len(cells)),
            **self._block_factors(blocks),
        )

    def _modify(self, modifier: Modifier, block: int, cell: int, nominal: Floats) -> None:
        match modifier:
            case Scale(name):
                self._factors.append(self._index[name])
                self._factor_blocks.append(block)
            case NormShift(name, up, down, code):
                norm = self._norms.setdefault((self._index[name], up, down, code), len(self._norms))
                self._factors.append(len(self._index) + norm)
                self._factor_blocks.append(block)
            case ShapeShift(name, up_contents, down_contents, code_name):
                key = (self._index[name], SHAPE_CODES.index(code_name))
                step = self._steps.setdefault(key, len(self._steps))
                high, low = np.asarray(up_contents), np.asarray(down_contents)
                self._rows.append(np.arange(cell, cell + len(nominal)))
                self._columns.append(np.full(len(nominal), step))
                self._odd.append((high - low) / 2)
                self._even.append((high + low) / 2 - nominal)

    def _bin_scale(self, layer: int, cell: int, modifier: BinScale) -> None:
        if layer == len(self._layers):
            self._layers.append([])
        self._layers[layer].append((cell, modifier.parameters))

    @property
    def _one(self) -> int:
        return len(self._index) + len(self._norms)

    def _layer(self, entries: list[tuple[int, tuple[str | None, ...]]], cells: int) -> Indices:
        slots = np.full(cells, self._one)
        for cell, names in entries:
            for at, name in enumerate(names, cell):
                if name is not None:
                    slots[at] = self._index[name]
        return slots

    def _norm_factors(self) -> NormFactors:
        columns = np.array(list(self._norms), dtype=np.float64).reshape(-1, 4).T
        parameters, up, down, codes = columns
        return NormFactors(parameters.astype(np.intp), up, down, codes.astype(np.intp))

    def _shape_steps(self) -> ShapeSteps:
        pairs = np.array(list(self._steps), dtype=np.intp).reshape(-1, 2)
        return ShapeSteps(pairs[:, 0], pairs[:, 1])

    def _shapes(self, cells: int) -> csr_array:
        pairs = len(self._steps)
        if not pairs:
            return csr_array((cells, 0))
        step, row = np.concatenate(self._columns), np.concatenate(self._rows)
        contents = np.concatenate([*self._odd, *self._even])
        places = (np.tile(row, 2), np.concatenate([step, step + pairs]))
        table = csr_array((contents, places), shape=(cells, 2 * pairs))
        table.eliminate_zeros()
        return table

    def _block_factors(self, blocks: int) -> dict[str, Indices]:
        without = np.setdiff1d(np.arange(blocks), self._factor_blocks)
        of_block = np.concatenate([np.array(self._factor_blocks, dtype=np.intp), without])
        slots = np.concatenate(
            [np.array(self._factors, dtype=np.intp), np.full(len(without), self._one)]
        )
        order = np.argsort(of_block, kind="stable")
        return {"factors": slots[order], "factor_blocks": of_block[order]}


def _blocks(channels: tuple[ChannelSpec, ...]) -> Iterator[tuple[int, SampleSpec]]:
    first_bin = 0
    for channel in channels:
        for sample in channel.samples:
            yield first_bin, sample
        first_bin += channel.bins
