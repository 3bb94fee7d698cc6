"""Distances of distributions: limits, plain loops, gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from quarkline.engine.core.rng import rng
from quarkline.learning.adversary.losses import discrepancy, distance_correlation, log_odds


def _draws(*names: str, rows: int = 60) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draw = rng(1, "adversary", *names)
    columns = draw.normal(size=(2, rows))
    return (*torch.from_numpy(columns), torch.from_numpy(draw.exponential(size=rows)))


def _plain_correlation(x: list[float], y: list[float], w: list[float]) -> float:
    """Distance correlation by loops over pairs."""
    n, total = len(x), sum(w)
    p = [value / total for value in w]

    def centred(values: list[float]) -> list[list[float]]:
        distance = [[abs(a - b) for b in values] for a in values]
        rows = [sum(p[j] * distance[i][j] for j in range(n)) for i in range(n)]
        mean = sum(p[i] * rows[i] for i in range(n))
        return [[distance[i][j] - rows[i] - rows[j] + mean for j in range(n)] for i in range(n)]

    a, b = centred(x), centred(y)

    def mean(c: list[list[float]], d: list[list[float]]) -> float:
        return sum(p[i] * p[j] * c[i][j] * d[i][j] for i in range(n) for j in range(n))

    return mean(a, b) / math.sqrt(mean(a, a) * mean(b, b))


def test_distance_correlation_of_a_plain_loop() -> None:
    x, y, weight = _draws("loop", rows=25)
    y = x**2 + 0.3 * y
    expected = _plain_correlation(x.tolist(), y.tolist(), weight.tolist())
    assert float(distance_correlation(x, y, weight)) == pytest.approx(expected, rel=1e-10)
    both = distance_correlation(torch.stack([x, y]), y, weight)
    assert both.tolist() == pytest.approx([expected, 1.0], rel=1e-10)


def test_distance_correlation_is_one_of_a_line_and_nothing_of_a_constant() -> None:
    x, _, weight = _draws("line")
    assert float(distance_correlation(x, 3 - 2 * x, weight)) == pytest.approx(1.0, abs=1e-12)
    assert float(distance_correlation(x, torch.ones_like(x), weight)) == 0.0


def test_distance_correlation_of_independent_columns_falls_with_their_length() -> None:
    values = []
    for rows in (50, 200, 800):
        x, y, weight = _draws("independent", str(rows), rows=rows)
        values.append(rows * float(distance_correlation(x, y, weight)))
    assert max(values) < 10  # N R^2 stays within bounds: R^2 goes to 0 as 1 / N
    x, y, weight = _draws("independent", "800", rows=800)
    assert float(distance_correlation(x, x**2, weight)) > 0.2  # linear correlation does not see it


def test_a_weight_is_a_number_of_equal_rows() -> None:
    x, y, _ = _draws("repeated", rows=20)
    times = (torch.arange(20) % 3 + 1).double()
    many = [column.repeat_interleave(times.long()) for column in (x, y)]
    found = distance_correlation(x, y, times)
    assert float(found) == pytest.approx(
        float(distance_correlation(*many, torch.ones_like(many[0]))), rel=1e-12
    )
    assert float(distance_correlation(x, y, 7.0 * times)) == pytest.approx(float(found), rel=1e-12)


@pytest.mark.parametrize("unbiased", [False, True])
def test_discrepancy_of_a_plain_loop(unbiased: bool) -> None:
    x, y, w = _draws("mmd", rows=20)
    rows, widths = torch.stack([x, y], dim=1), (0.5, 2.0)
    second = torch.arange(20) % 3 == 0
    sums, pairs = np.zeros((2, 2)), np.zeros((2, 2))
    for i in range(20):
        for j in range(20):
            if unbiased and i == j:
                continue
            a, b = int(second[i]), int(second[j])
            square = float((rows[i] - rows[j]) @ (rows[i] - rows[j]))
            kernel = sum(math.exp(-square / (2 * s * s)) for s in widths) / 2
            sums[a, b] += float(w[i] * w[j]) * kernel
            pairs[a, b] += float(w[i] * w[j])
    mean = sums / pairs
    expected = mean[0, 0] + mean[1, 1] - 2 * mean[0, 1]
    found = discrepancy(rows, second, w, widths=widths, unbiased=unbiased)
    assert float(found) == pytest.approx(expected, rel=1e-10)


def test_discrepancy_is_zero_of_equal_samples_and_two_of_far_ones() -> None:
    x, _, _ = _draws("equal", rows=40)
    rows, second = torch.cat([x, x])[:, None], torch.arange(80) >= 40
    one = torch.ones(80, dtype=torch.float64)
    assert float(discrepancy(rows, second, one, widths=(1.0,), unbiased=False)) == pytest.approx(
        0.0, abs=1e-12
    )
    far = torch.where(second, 1000.0, 0.0)[:, None].double()
    assert float(discrepancy(far, second, one, widths=(1.0,), unbiased=True)) == pytest.approx(2.0)


def test_unbiased_discrepancy_is_zero_on_average() -> None:
    draw = rng(1, "adversary", "unbiased")
    rows = torch.from_numpy(draw.normal(size=(400, 30, 1)))
    weight = torch.from_numpy(draw.exponential(size=(400, 30)))
    second = torch.arange(30) < 12
    told = {
        unbiased: np.array(
            [
                float(discrepancy(x, second, w, widths=(1.0,), unbiased=unbiased))
                for x, w in zip(rows, weight, strict=True)
            ]
        )
        for unbiased in (True, False)
    }
    assert abs(told[True].mean()) < 4 * told[True].std() / 20
    assert told[False].mean() > 20 * told[False].std() / 20


@pytest.mark.parametrize("absent", [0, 1])
def test_a_batch_without_one_of_the_samples_has_no_distance_and_a_finite_gradient(
    absent: int,
) -> None:
    x, y, weight = _draws("absent", rows=10)
    rows = torch.stack([x, y], dim=1).requires_grad_()
    second = torch.full((10,), bool(absent))
    mmd = discrepancy(rows, second, weight, widths=(1.0,), unbiased=True)
    both = mmd + distance_correlation(rows[:, 0], second.double(), weight)
    both.backward()
    assert both.detach().item() == 0.0
    assert rows.grad is not None
    assert torch.isfinite(rows.grad).all()


def test_gradients_of_the_distances_are_those_of_finite_differences() -> None:
    x, y, weight = _draws("gradient", rows=12)
    second = torch.arange(12) % 2 == 0
    rows = torch.stack([x, y], dim=1).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda r: discrepancy(r, second, weight, widths=(0.7, 2.0), unbiased=True), (rows,)
    )
    column = x.clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda c: distance_correlation(c, second.double(), weight), (column,)
    )


def test_log_odds_of_probabilities() -> None:
    logits = torch.tensor([[0.3, -1.0, 2.0], [1000.0, 0.0, -1000.0]], dtype=torch.float64)
    p = torch.softmax(logits[:1], dim=1)
    torch.testing.assert_close(log_odds(logits)[:1], torch.log(p / (1 - p)))
    assert log_odds(logits)[1].tolist() == [1000.0, -1000.0, -2000.0]
