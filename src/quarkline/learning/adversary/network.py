"""The adversary, and a classifier together with it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from quarkline.engine.core.rng import library_seed
from quarkline.learning.models.streams import dense


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation with Keras's settings, whose running variance is the batches' own.

    torch's is the mean of the unbiased estimates, which are larger by N / (N - 1). A batch of one
    row is normalised to zero instead of being refused.
    """

    def __init__(self, features: int) -> None:
        super().__init__(features, eps=1e-3, momentum=0.01)

    def forward(self, rows: Tensor) -> Tensor:
        """Rows (N, features), normalised by the batch in training and by the past otherwise."""
        if not self.training:
            return super().forward(rows)
        with torch.no_grad():
            variance, mean = torch.var_mean(rows, dim=0, unbiased=False)
            assert self.running_mean is not None  # noqa: S101
            assert self.running_var is not None  # noqa: S101
            self.running_mean.lerp_(mean, 0.01)
            self.running_var.lerp_(variance, 0.01)
        if len(rows) == 1:
            return self.bias.expand_as(rows) + 0.0 * rows
        return functional.batch_norm(
            rows, None, None, self.weight, self.bias, training=True, eps=self.eps
        )


class Adversary(nn.Sequential):
    """Outputs of a classifier (N, classes) to the log-odds of being data, with shape (N, 1).

    Batch normalisation stands before each layer, tanh behind all but the last. With layers of 24,
    12 and 6 and three classes it has 661 numbers, of which 571 are trained.
    """

    def __init__(self, classes: int, layers: Sequence[int]) -> None:
        parts: list[nn.Module] = []
        for before, after in pairwise([classes, *layers]):
            parts += [BatchNorm(before), dense(before, after), nn.Tanh()]
        widths = [classes, *layers]
        super().__init__(*parts, BatchNorm(widths[-1]), dense(widths[-1], 1))


class DecorrelatedNetwork(nn.Module):
    """A classifier and its adversary, which share a training and nothing else.

    Attributes:
        classifier: Features in, logits out.
        adversary: Probabilities in, log-odds of being data out; None if there is none.
        seen: Rows of the main stream that the classifier has learned from, which says how far a
            training is.
    """

    seen: Tensor

    def __init__(self, classifier: nn.Module, adversary: nn.Module | None) -> None:
        super().__init__()
        self.classifier, self.adversary = classifier, adversary
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def forward(self, *inputs: Tensor) -> Tensor:
        """The classifier's logits, with shape (N, classes)."""
        logits: Tensor = self.classifier(*inputs)
        return logits

    def judged(self, probabilities: Tensor) -> Tensor:
        """The adversary's log-odds that rows (N, classes) are data, with shape (N,)."""
        assert self.adversary is not None  # noqa: S101
        odds: Tensor = self.adversary(probabilities)
        return odds[:, 0]


def new_adversary(classes: int, layers: Sequence[int], *, seed: int) -> Adversary:
    """An adversary with weights drawn from a seed, leaving torch's global state alone.

    Args:
        classes: Outputs of the classifier.
        layers: Widths of its layers.
        seed: Seed of the weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(library_seed(seed, "adversary"))
        return Adversary(classes, layers)
