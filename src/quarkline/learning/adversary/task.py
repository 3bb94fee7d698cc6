"""Learning classes without learning which of two samples a row is of."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from quarkline.learning.adversary.config import (
    Adversarial,
    AdversaryConfig,
    Alternating,
    Discrepancy,
    DistanceCorrelation,
    NoAdversary,
    Reversal,
)
from quarkline.learning.adversary.losses import discrepancy, distance_correlation, log_odds
from quarkline.learning.adversary.network import DecorrelatedNetwork
from quarkline.learning.adversary.reversal import bounded_mean, reversed_gradient
from quarkline.learning.training.rows import MAIN, Rows
from quarkline.learning.training.task import Batch, Step

CONTROL = "control"
"""The stream of two samples that shall not differ; the main stream has known classes."""
CLASSIFIED = ("original_lossf", "original_acc")
JUDGED = ("adv_loss", "adv_acc")
AGAINST = ("original_adv_lossf", "original_adv_acc")
"""Loss and accuracy of the classes, of the adversary in its own step, and in the classifier's."""
TOGETHER = 1024
"""Held-out rows whose distances from each other are looked at together."""

Outputs = Mapping[str, Tensor]
Losses = Mapping[str, Tensor]


@dataclass(frozen=True)
class Decorrelation:
    """A `Task` for a `DecorrelatedNetwork`.

    Rows of the main stream are the classifier's inputs, then classes (N,), int64, and weights (N,);
    those of the control region the same with 0 for the one sample and 1 for the other. Losses are
    sums over rows of weight times loss, divided by the number of rows.

    Attributes:
        adversary: The way.
        inputs: How many tensors the classifier takes.
        epoch_rows: Rows of the main stream in an epoch, which the course of the weight counts in.
        against: The stream of the control region that the classifier's step reads.
        penalty: Weight of |w| + w^2, summed over the penalised weights.
        penalised: Their names within the classifier.
        rows_at_once: Held-out rows that are evaluated together.
        measured: Metrics of all held-out outputs, beside `validation_loss`.
    """

    adversary: AdversaryConfig
    inputs: int
    epoch_rows: int
    against: str = CONTROL
    penalty: float = 0.0
    penalised: tuple[str, ...] = ()
    rows_at_once: int | None = 4096
    measured: Callable[[Outputs], Mapping[str, float]] | None = None
    _waiting: dict[int, deque[Tensor]] = field(default_factory=dict, repr=False, compare=False)

    fused = True

    @property
    def steps(self) -> Sequence[Step]:
        """The adversary's steps if there are any, then the classifier's."""
        way, both = self.adversary, (MAIN, self.against)
        if isinstance(way, NoAdversary):
            return (Step(self._alone, part="classifier", name="classifier", notes=CLASSIFIED),)
        if isinstance(way, Reversal):
            notes = (*CLASSIFIED, *JUDGED, *AGAINST)
            return (Step(self._reversed, streams=both, name="classifier", notes=notes),)
        if not isinstance(way, Alternating):
            return (
                Step(
                    self._apart,
                    part="classifier",
                    streams=both,
                    name="classifier",
                    notes=CLASSIFIED,
                ),
            )
        learns = [
            Step(
                partial(self._adversary, number=number),
                part="adversary",
                streams=(CONTROL,),
                name="adversary",
                notes=JUDGED,
            )
            for number in range(way.steps)
        ]
        turns = Step(
            self._against,
            part="classifier",
            streams=both,
            frozen=("adversary",),
            name="classifier",
            notes=(*CLASSIFIED, *AGAINST),
        )
        return (*learns, turns)

    def outputs(self, module: nn.Module, stream: str, rows: Rows) -> Tensor:
        """Probabilities of the classes, and on the control region the adversary's of 1 behind them.

        Returns:
            With shape (N, classes) or (N, classes + 1), float64.
        """
        network = cast("DecorrelatedNetwork", module)
        logits = network(*rows[: self.inputs])
        found = torch.softmax(logits.double(), dim=1)
        if stream == MAIN or network.adversary is None:
            return found
        odds = network.judged(torch.softmax(logits, dim=1))
        return torch.cat([found, torch.sigmoid(odds.double())[:, None]], dim=1)

    def measure(self, outputs: Outputs, rows: Mapping[str, Rows]) -> dict[str, float]:
        """The loss of the classifier's step at full weight, and what else is measured."""
        main, (label, weight) = outputs[MAIN], rows[MAIN][-2:]
        right = main.gather(1, label[:, None])[:, 0]
        loss = _mean(-right.log().clamp(min=-100.0), weight)
        if not isinstance(self.adversary, NoAdversary):
            loss += self.adversary.weight * self._held_out(outputs[CONTROL], rows[CONTROL])
        return {"validation_loss": loss, **(self.measured(outputs) if self.measured else {})}

    def _held_out(self, outputs: Tensor, rows: Rows) -> float:
        """What the classifier's step adds for the control region, at weight 1."""
        target, weight = rows[-2].double(), rows[-1].double()
        if isinstance(self.adversary, Adversarial):
            losses = functional.binary_cross_entropy(outputs[:, -1], target, reduction="none")
            return -float(bounded_mean(losses, weight, self.adversary.bound))
        odds = log_odds(outputs.clamp(min=1e-100).log())
        parts = zip(
            *(torch.split(one, TOGETHER) for one in (odds, target, weight)),
            strict=True,
        )
        return float(
            torch.stack([len(one[0]) * self._distance(*one) for one in parts]).sum()
        ) / len(odds)

    def _alone(self, module: nn.Module, batch: Batch) -> Losses:
        return self._classified(module, module(*batch[MAIN][: self.inputs]), batch[MAIN])

    def _adversary(self, module: nn.Module, batch: Batch, *, number: int) -> Losses:
        """Losses of the adversary on outputs that the classifier, with dropout, has as data."""
        rows = batch[CONTROL]
        scores = self._scores(module, rows, number)
        odds = cast("DecorrelatedNetwork", module).judged(scores)
        losses = rows[-1] * _entropy(odds, rows[-2])
        return {CONTROL: losses, **_noted(JUDGED, losses, (odds > 0) == (rows[-2] > 0))}

    def _scores(self, module: nn.Module, rows: Rows, number: int) -> Tensor:
        """Outputs for one step of the adversary: those of all steps are computed at the first.

        The classifier stands still meanwhile; each step has its own dropout.
        """
        steps = cast("Alternating", self.adversary).steps
        if not number:
            with torch.no_grad():
                repeated = [torch.cat([one] * steps) for one in rows[: self.inputs]]
                found = torch.softmax(module(*repeated), dim=1)
            for place, part in enumerate(found.chunk(steps)):
                self._waiting.setdefault(place, deque()).append(part)
        return self._waiting[number].popleft()

    def _against(self, module: nn.Module, batch: Batch) -> Losses:
        """The classifier's losses, less the adversary's."""
        ours, theirs, rows = self._together(module, batch)
        odds = cast("DecorrelatedNetwork", module).judged(torch.softmax(theirs, dim=1))
        way = cast("Alternating", self.adversary)
        losses = _entropy(odds, rows[-2])
        gain = bounded_mean(losses, rows[-1], way.bound)
        found = {self.against: -self._strength(module) * gain}
        found |= _noted(AGAINST, rows[-1] * losses, (odds > 0) == (rows[-2] > 0))
        return found | self._classified(module, ours, batch[MAIN])

    def _reversed(self, module: nn.Module, batch: Batch) -> Losses:
        """The losses of both; above the bound the classifier has no gradient of the adversary's."""
        ours, theirs, rows = self._together(module, batch)
        way = cast("Reversal", self.adversary)
        turn = torch.full((), self._strength(module), device=theirs.device)
        scores = reversed_gradient(torch.softmax(theirs, dim=1), turn)
        odds = cast("DecorrelatedNetwork", module).judged(scores)
        losses = rows[-1] * _entropy(odds, rows[-2])
        if way.bound is not None:
            turn *= losses.detach().mean() < way.bound * rows[-1].mean()
        right = (odds > 0) == (rows[-2] > 0)
        found = {self.against: losses, **_noted(JUDGED, losses, right)}
        found |= _noted(AGAINST, losses, right)
        return found | self._classified(module, ours, batch[MAIN])

    def _apart(self, module: nn.Module, batch: Batch) -> Losses:
        """The classifier's losses and the distance of its outputs in the two samples."""
        ours, theirs, rows = self._together(module, batch)
        distance = self._distance(log_odds(theirs), rows[-2].to(theirs.dtype), rows[-1])
        found = {self.against: self._strength(module) * distance}
        return found | self._classified(module, ours, batch[MAIN])

    def _distance(self, odds: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """Of outputs (N, classes) in rows of target 0 and 1; rows of negative weight count none."""
        weight = weight.clamp(min=0)
        if isinstance(self.adversary, DistanceCorrelation):
            return distance_correlation(odds.t(), target, weight).mean()
        way = cast("Discrepancy", self.adversary)
        return discrepancy(odds, target > 0, weight, widths=way.widths, unbiased=way.unbiased)

    def _together(self, module: nn.Module, batch: Batch) -> tuple[Tensor, Tensor, Rows]:
        """Logits of the main rows and of the control region from one forward, and its rows."""
        main, control = batch[MAIN], batch[self.against]
        pairs = zip(main[: self.inputs], control[: self.inputs], strict=True)
        logits = module(*(torch.cat(pair) for pair in pairs))
        ours, theirs = logits.split([len(main[-1]), len(control[-1])])
        return ours, theirs, control

    def _classified(self, module: nn.Module, logits: Tensor, rows: Rows) -> dict[str, Tensor]:
        """Losses of the classes, and the penalty; the rows count as seen."""
        network = cast("DecorrelatedNetwork", module)
        network.seen += len(logits)
        losses = rows[-1] * functional.cross_entropy(logits, rows[-2], reduction="none")
        found = _noted(CLASSIFIED, losses, logits.argmax(dim=1) == rows[-2])
        if self.penalty:
            weights = [network.classifier.get_parameter(name).flatten() for name in self.penalised]
            together = torch.cat(weights)
            losses = losses + self.penalty * (together.abs().sum() + together.square().sum())
        return {MAIN: losses, **found}

    def _strength(self, module: nn.Module) -> float:
        """The weight at this moment of a training."""
        seen = cast("DecorrelatedNetwork", module).seen
        return cast("Adversarial", self.adversary).at(float(seen) / self.epoch_rows)


def _entropy(odds: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of log-odds of a target 0 or 1, in nats."""
    return functional.binary_cross_entropy_with_logits(
        odds, target.to(odds.dtype), reduction="none"
    )


def _noted(names: tuple[str, str], losses: Tensor, right: Tensor) -> dict[str, Tensor]:
    """Mean loss and share of right rows of a batch."""
    loss, accuracy = names
    return {loss: losses.detach().mean(), accuracy: right.float().mean()}


def _mean(losses: Tensor, weight: Tensor) -> float:
    return float((weight.double() * losses).sum() / weight.double().sum())
