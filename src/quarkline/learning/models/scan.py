"""Several LSTMs in one go, while they are trained on a processor.

Step t of an LSTM is z = A s, where s are its inputs x_t, its states h_(t-1), and a 1 that its
constants belong to. LSTMs of fewer inputs or nodes are filled up with zeros, which stay zero. All
sequences end at the last step. Before one begins, all of s is zero, which leaves its states zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from quarkline.learning.models.lstm import Lstm

sigmoid_backward, tanh_backward = torch.ops.aten.sigmoid_backward, torch.ops.aten.tanh_backward
"""dy y (1 - y) and dy (1 - y^2)."""

GATES = (0, 1, 3, 2)
"""Order i, f, o, g of the gates here, as places in the order of `Lstm`."""


@dataclass(frozen=True)
class Sequences:
    """Inputs of one LSTM.

    Attributes:
        rows: With shape (R, F).
        order: The row of each step of each sequence, with shape (L, N), each row once; R where a
            sequence has not begun.
    """

    rows: Tensor
    order: Tensor


def last_states(lstms: Sequence[Lstm], sequences: Sequence[Sequences], kept: float) -> Tensor:
    """States of all LSTMs after their last steps, side by side, with shape (N, nodes of all).

    Args:
        lstms: The LSTMs.
        sequences: Their inputs.
        kept: Share of the inputs that dropout kept, by which they are divided.
    """
    orders, rows = [each.order for each in sequences], [each.rows for each in sequences]
    ends = _Scan.apply(_matrices(lstms, kept), orders, *rows)  # type: ignore[no-untyped-call]
    parts = [end[: lstm.nodes] for end, lstm in zip(ends, lstms, strict=True)]
    return torch.cat(parts).t()


def _matrices(lstms: Sequence[Lstm], kept: float) -> Tensor:
    """A of each LSTM, with shape (LSTMs, 4 * nodes, inputs + nodes + 1)."""
    inputs, nodes = max(lstm.weight.shape[1] for lstm in lstms), max(one.nodes for one in lstms)
    return torch.stack([_matrix(lstm, kept, inputs, nodes) for lstm in lstms])


def _matrix(lstm: Lstm, kept: float, inputs: int, nodes: int) -> Tensor:
    """A of one LSTM, filled up to this number of inputs and nodes."""
    more_inputs, more_nodes = inputs - lstm.weight.shape[1], nodes - lstm.nodes
    from_inputs = functional.pad(lstm.weight / kept, (0, more_inputs))
    from_states = functional.pad(lstm.recurrent, (0, more_nodes))
    matrix = torch.cat([from_inputs, from_states, lstm.bias[:, None]], dim=1)
    gates = torch.stack([matrix.chunk(4)[gate] for gate in GATES])
    return functional.pad(gates, (0, 0, 0, more_nodes)).flatten(0, 1)


class _Scan(torch.autograd.Function):
    """c = s(f) c + s(i) tanh(g), h = s(o) tanh(c), and their slopes, step by step.

    With dh and dc of what a step puts out: dc += dh s(o) (1 - tanh(c)^2); the slopes of s(i),
    s(f), s(o) and tanh(g) are dc tanh(g), dc c_(t-1), dh tanh(c) and dc s(i); for the step before,
    dc s(f), and dh is what A' dz has in the rows of states. Tensors have shape (L, LSTMs, ..., N).
    """

    @staticmethod
    def forward(ctx: Any, matrices: Tensor, orders: list[Tensor], *rows: Tensor) -> Tensor:
        steps, number = max(len(order) for order in orders), orders[0].shape[1]
        lstms, nodes = len(matrices), matrices.shape[1] // 4
        width = matrices.shape[2] - nodes - 1
        seen = matrices.new_zeros(steps, lstms, matrices.shape[2], number)
        for own, order, each in zip(seen.unbind(1), orders, rows, strict=True):
            start, features = steps - len(order), each.shape[1]
            filled = functional.pad(each, (0, 0, 0, 1))
            ordered = filled.index_select(0, order.flatten()).view(*order.shape, features)
            own[start:, :features] = ordered.transpose(1, 2)
            own[start:, -1] = order < len(each)
        gates = matrices.new_empty(steps, lstms, 4 * nodes, number)
        cells = matrices.new_zeros(steps + 1, lstms, nodes, number)
        ends = matrices.new_empty(lstms, nodes, number)
        outputs = [*seen[1:, :, width:-1], ends]
        views = zip(seen, gates, gates[:, :, : 3 * nodes], *_gates(gates), outputs, strict=True)
        for t, (before, gate, soft, i, f, o, g, output) in enumerate(views):
            torch.bmm(matrices, before, out=gate)
            soft.sigmoid_()
            cell = torch.mul(f, cells[t], out=cells[t + 1]).addcmul_(i, g.tanh_())
            torch.mul(o, cell.tanh(), out=output)
        ctx.save_for_backward(matrices, seen, gates, cells)
        ctx.orders, ctx.shapes = orders, [each.shape for each in rows]
        return ends

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        matrices, seen, gates, cells = ctx.saved_tensors
        nodes = cells.shape[2]
        slopes, total = torch.empty_like(seen), torch.zeros_like(matrices)
        dz, dc = torch.empty_like(gates[0]), torch.zeros_like(slope)
        (di,), (df,), (do,), (dg,) = _gates(dz[None])
        dsoft, back = dz[:, : 3 * nodes], matrices.transpose(1, 2)
        views = (seen.transpose(2, 3), gates[:, :, : 3 * nodes], *_gates(gates), slopes, cells)
        steps = list(zip(*(view.unbind() for view in views), cells[1:], strict=False))
        for before, soft, i, f, o, g, after, old, cell in reversed(steps):
            bent = cell.tanh()
            torch.mul(slope, bent, out=do)
            dc += tanh_backward(slope * o, bent)
            torch.mul(dc, g, out=di)
            torch.mul(dc, old, out=df)
            torch.mul(dc, i, out=dg)
            sigmoid_backward(dsoft, soft, grad_input=dsoft)
            tanh_backward(dg, g, grad_input=dg)
            total.baddbmm_(dz, before)
            torch.bmm(back, dz, out=after)
            dc *= f
            slope = after[:, -nodes - 1 : -1]
        parts = zip(slopes.unbind(1), ctx.orders, ctx.shapes, strict=True)
        return total, None, *(_by_row(*part) for part in parts)


def _gates(gates: Tensor) -> tuple[Tensor, ...]:
    """i, f, o and g of gates (L, LSTMs, 4 * nodes, N), each with shape (L, LSTMs, nodes, N)."""
    found: tuple[Tensor, ...] = torch.chunk(gates, 4, dim=2)
    return found


def _by_row(slopes: Tensor, order: Tensor, shape: Sequence[int]) -> Tensor:
    """Slopes of the rows from those (T, F, N) of steps, of which the last L count."""
    begun = (order.flatten() < shape[0]).nonzero()[:, 0]
    places = torch.empty(shape[0], dtype=torch.int64)
    places[order.flatten()[begun]] = begun
    own = slopes[len(slopes) - len(order) :, : shape[1]].transpose(1, 2).flatten(0, 1)
    return own.index_select(0, places)
