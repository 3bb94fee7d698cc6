"""Distances of weighted distributions that a gradient can go through."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

SMALLEST = 1e-12
"""Distance variances below it are those of a constant."""


def distance_correlation(first: Tensor, second: Tensor, weight: Tensor) -> Tensor:
    """Squared distance correlation of columns with one: 0 of independent ones, 1 of linear ones.

    With |x_i - x_j| centred in rows and columns by weighted means to A_ij, and B_ij likewise, it is
    <A B> / sqrt(<A A> <B B>), where <> is the mean over pairs with weights w_i w_j. It is 0 where
    a column is constant. Needs memory for N^2 numbers.

    Args:
        first: With shape (..., N), of any number of columns.
        second: With shape (N,).
        weight: Of the rows, not negative, with shape (N,); their scale does not matter.

    Returns:
        Of each first column, with shape (...).

    References:
        Szekely, Rizzo and Bakirov, Ann. Statist. 35 (2007) 2769; with weights Kasieczka and Shih,
        arXiv:2001.05310.
    """
    share = weight / weight.sum().clamp(min=SMALLEST)
    one, two = (_centred(column, share) for column in (first, second))
    product = (one * two) @ share @ share
    squares = (one.square() @ share @ share) * (two.square() @ share @ share)
    there = squares > SMALLEST**2
    return torch.where(there, product / torch.where(there, squares, 1.0).sqrt(), 0.0)


def _centred(column: Tensor, share: Tensor) -> Tensor:
    """Distances (..., N, N), centred in rows and columns by means with these shares."""
    distance = (column[..., :, None] - column[..., None, :]).abs()
    row = distance @ share
    return distance - row[..., :, None] - row[..., None, :] + (row @ share)[..., None, None]


def discrepancy(
    rows: Tensor, second: Tensor, weight: Tensor, *, widths: Sequence[float], unbiased: bool
) -> Tensor:
    """Squared maximum mean discrepancy of two weighted samples, in nothing's unit.

    It is <k>_11 + <k>_22 - 2 <k>_12, where <k>_ab is the mean of the kernel over pairs of a row of
    sample a and one of b with weights w_i w_j, and the kernel the mean of the Gaussians
    exp(-|x_i - x_j|^2 / (2 s^2)) over the widths s.

    Args:
        rows: With shape (N, F).
        second: Whether a row is of the second sample, with shape (N,), bool.
        weight: Of the rows, not negative, with shape (N,); the scale of a sample does not matter.
        widths: Of the Gaussians.
        unbiased: Leave a row's pair with itself out, so that the mean over equal samples is 0; a
            value may then be negative.

    Returns:
        One number; 0 where a sample has too few rows.

    References:
        Gretton et al., JMLR 13 (2012) 723.
    """
    square = (rows[:, None] - rows).square().sum(dim=2)
    kernel = torch.stack([(square / (-2.0 * width**2)).exp() for width in widths]).mean(dim=0)
    shares = [weight * one for one in (~second, second)]
    totals = [share.sum() for share in shares]
    within, pairs = [], []
    for share, total in zip(shares, totals, strict=True):
        own = share.square()
        pairs.append(total.square() - own.sum() if unbiased else total.square())
        value = share @ kernel @ share
        within.append(value - (own * kernel.diagonal()).sum() if unbiased else value)
    between, both = shares[0] @ kernel @ shares[1], totals[0] * totals[1]
    least = SMALLEST * (totals[0] + totals[1]).square()
    there = torch.stack([*pairs, both]).min() > least
    safe = [torch.where(there, value, 1.0) for value in (*pairs, both)]
    found = within[0] / safe[0] + within[1] / safe[1] - 2.0 * between / safe[2]
    return torch.where(there, found, 0.0)


def log_odds(logits: Tensor) -> Tensor:
    """log(p / (1 - p)) of each class from its logits (N, classes), without overflow.

    K-S distances see ranks alone. Log-odds keep them, and spread outputs that crowd at 0 and 1.
    """
    columns = logits.unbind(dim=1)
    others = [torch.stack([*columns[:at], *columns[at + 1 :]]) for at in range(len(columns))]
    odds = [one - rest.logsumexp(0) for one, rest in zip(columns, others, strict=True)]
    return torch.stack(odds, dim=1)
