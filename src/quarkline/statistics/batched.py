"""Small linear algebra over many spectra at once: the batch is the last, contiguous axis.

Arrays of the batch have shape (rows, N). Symmetric systems are kept as the rows of their upper
triangle, so every step is one NumPy call on (a few rows, N) and no loop runs over spectra.
"""

from __future__ import annotations

import numpy as np

from quarkline.statistics.arrays import Floats

Triangle = list[Floats]

# OpenBLAS starts its own threads above 2^18 multiplications; ours already share the cores.
_SINGLE_THREAD = 2**18


def multiply(matrix: Floats, columns: Floats) -> Floats:
    """`matrix @ columns`, in column blocks small enough that BLAS stays in one thread.

    Args:
        matrix: With shape (a, b).
        columns: With shape (b, N).
    """
    block = max(16, _SINGLE_THREAD // matrix.size)
    product = np.empty((matrix.shape[0], columns.shape[1]))
    for start in range(0, columns.shape[1], block):
        part = slice(start, start + block)
        np.matmul(matrix, columns[:, part], out=product[:, part])
    return product


def pair_products(matrix: Floats) -> Floats:
    """Products of two columns for each row, as the upper triangle row by row.

    Args:
        matrix: With shape (m, k).

    Returns:
        With shape (k (k + 1) / 2, m): applied to weights (m, N) it gives the packed
        `matrix.T @ diag(weights) @ matrix` of every spectrum.
    """
    first, second = np.triu_indices(matrix.shape[1])
    return np.ascontiguousarray((matrix[:, first] * matrix[:, second]).T)


def triangle(packed: Floats, size: int) -> Triangle:
    """Views of the rows of a packed upper triangle: row j has shape (size - j, N)."""
    starts = np.cumsum([0, *range(size, 0, -1)])
    return [packed[starts[j] : starts[j + 1]] for j in range(size)]


def factorise(rows: Triangle) -> Triangle:
    """Turn a symmetric positive definite matrix into D and L^T of L D L^T, in place.

    Afterwards row j holds d_j followed by the multipliers of the rows below it. A matrix that is
    not positive definite shows in the solution, as NaN or a direction that does not descend.
    """
    for j, row in enumerate(rows):
        multipliers = row[1:] / row[0]
        for i in range(j + 1, len(rows)):
            rows[i] -= multipliers[i - j - 1] * row[i - j :]
        row[1:] = multipliers
    return rows


def solve(factors: Triangle, right: Floats) -> Floats:
    """Solve L D L^T x = right for every spectrum, in place.

    Args:
        factors: From `factorise`.
        right: Right hand sides, with shape (k, N).
    """
    for j, row in enumerate(factors):
        right[j + 1 :] -= row[1:] * right[j]
    for j in reversed(range(len(factors))):
        right[j] /= factors[j][0]
        right[j] -= (factors[j][1:] * right[j + 1 :]).sum(axis=0)
    return right
