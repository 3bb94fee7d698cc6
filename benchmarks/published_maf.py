"""A masked autoregressive flow of the published shape, in plain PyTorch: the yardstick for ours.

Six blocks of [MADE with 20 hidden units and tanh -> flow batch norm -> reversed order], conditional
on one number, trained as published: Adam (7.5e-4, weight decay 1e-6), batches of 256, gradient norm
clipped at 1, 400 epochs, no schedule, no early stop, best epoch by validation loss. With three
features the model has 3912 parameters.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class MaskedLinear(nn.Linear):
    """A linear layer whose connections are limited to `mask` (n_out, n_in)."""

    mask: Tensor

    def __init__(self, mask: Tensor) -> None:
        super().__init__(mask.shape[1], mask.shape[0])
        nn.init.orthogonal_(self.weight)
        nn.init.zeros_(self.bias)
        self.register_buffer("mask", mask.float())

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.mask, self.bias)


class Made(nn.Module):
    """u = (x - m) exp(-a), where m_i and a_i see only x_1 .. x_(i-1) and the condition."""

    def __init__(self, n_features: int, n_conditions: int, n_hidden: int) -> None:
        super().__init__()
        order = torch.arange(n_features)
        hidden = torch.arange(n_hidden) % max(n_features - 1, 1)
        self.first = MaskedLinear(hidden[:, None] >= order)
        self.condition = nn.Linear(n_conditions, n_hidden, bias=False)
        self.second = MaskedLinear(hidden[:, None] >= hidden)
        self.last = MaskedLinear(order.repeat(2)[:, None] > hidden)
        nn.init.orthogonal_(self.condition.weight)

    def forward(self, x: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        h = torch.tanh(self.first(x) + self.condition(condition))
        m, a = self.last(torch.tanh(self.second(h))).chunk(2, dim=-1)
        return (x - m) * torch.exp(-a), -a.sum(-1)

    def inverse(self, u: Tensor, condition: Tensor) -> Tensor:
        x = torch.zeros_like(u)
        for i in range(u.shape[-1]):
            h = torch.tanh(self.first(x) + self.condition(condition))
            m, a = self.last(torch.tanh(self.second(h))).chunk(2, dim=-1)
            x[:, i] = u[:, i] * torch.exp(a[:, i]) + m[:, i]
        return x


class FlowBatchNorm(nn.Module):
    """Normalises by the batch in training, by fixed statistics in evaluation."""

    mean: Tensor
    variance: Tensor

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.log_gamma = nn.Parameter(torch.zeros(n_features))
        self.beta = nn.Parameter(torch.zeros(n_features))
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("variance", torch.ones(n_features))
        self.keep = False

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, variance = self.mean, self.variance
        if self.training:
            mean = x.mean(0)
            variance = (x - mean).square().mean(0) + 1e-5
            if self.keep:
                self.mean, self.variance = mean, variance
        y = torch.exp(self.log_gamma) * (x - mean) / variance.sqrt() + self.beta
        return y, (self.log_gamma - 0.5 * variance.log()).sum().expand(len(x))

    def inverse(self, y: Tensor) -> Tensor:
        return (y - self.beta) * torch.exp(-self.log_gamma) * self.variance.sqrt() + self.mean


class PublishedMaf(nn.Module):
    """The published stack; features (n, d) standardised, conditions (n, c) standardised."""

    def __init__(self, n_features: int, n_conditions: int = 1, n_blocks: int = 6) -> None:
        super().__init__()
        self.mades = nn.ModuleList(Made(n_features, n_conditions, 20) for _ in range(n_blocks))
        self.norms = nn.ModuleList(FlowBatchNorm(n_features) for _ in range(n_blocks))

    def log_prob(self, x: Tensor, condition: Tensor) -> Tensor:
        total = torch.zeros(len(x))
        for made, norm in zip(self.mades, self.norms, strict=True):
            x, log_det = made(x, condition)
            total = total + log_det
            x, log_det = norm(x)
            total = total + log_det
            x = x.flip(-1)
        return total - 0.5 * (x.square() + math.log(2 * math.pi)).sum(-1)

    @torch.no_grad()
    def sample(self, condition: Tensor) -> Tensor:
        x = torch.randn(len(condition), len(self.norms[0].beta))
        for made, norm in zip(reversed(self.mades), reversed(self.norms), strict=True):
            x = made.inverse(norm.inverse(x.flip(-1)), condition)
        return x

    @torch.no_grad()
    def fix_statistics(self, x: Tensor, condition: Tensor) -> None:
        """One pass over the training set sets the statistics used in evaluation."""
        self.train()
        for norm in self.norms:
            norm.keep = True
        self.log_prob(x, condition)
        for norm in self.norms:
            norm.keep = False


def batches(n: int, size: int) -> Iterable[Tensor]:
    return torch.randperm(n).split(size)


def train_published_maf(
    x: Tensor, m: Tensor, x_val: Tensor, m_val: Tensor, seed: int, n_epochs: int = 400
) -> tuple[PublishedMaf, list[float]]:
    """Trains as published; returns the best epoch's model and the validation loss per epoch."""
    torch.manual_seed(seed)
    flow = PublishedMaf(x.shape[1], m.shape[1])
    optimizer = torch.optim.Adam(flow.parameters(), lr=7.5e-4, weight_decay=1e-6)
    losses: list[float] = []
    best = copy.deepcopy(flow.state_dict())
    for _ in range(n_epochs):
        flow.train()
        for rows in batches(len(x), 256):
            optimizer.zero_grad()
            loss = -flow.log_prob(x[rows], m[rows]).mean()
            loss.backward()
            nn.utils.clip_grad_norm_(flow.parameters(), 1.0)
            optimizer.step()
        flow.fix_statistics(x, m)
        flow.eval()
        with torch.no_grad():
            losses.append(-flow.log_prob(x_val, m_val).mean().item())
        if losses[-1] == min(losses):
            best = copy.deepcopy(flow.state_dict())
    flow.load_state_dict(best)
    return flow.eval(), losses
