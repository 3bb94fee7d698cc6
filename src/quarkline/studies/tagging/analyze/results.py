"""What an epoch is worth on jets that were neither trained on nor chose it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quarkline.engine.core.results import Quantity, Result
from quarkline.report import number
from quarkline.statistics.tagging import KsSummary, TaggedShares


@dataclass(frozen=True)
class WorkingPoint:
    """What one efficiency costs in the other.

    Attributes:
        at: The efficiency that is asked for.
        value: What comes with it.
    """

    at: float
    value: Quantity


@dataclass(frozen=True)
class JudgedEpoch:
    """One epoch on the test jets.

    Attributes:
        training: Which training it is of.
        epoch: Its number.
        reasons: Why it is looked at.
        metrics: What the training's history says of it.
        auc: Area of signal against QCD and a tenth of BIB.
        rejections: Rejection of QCD and a tenth of BIB at efficiencies of the signal.
        efficiencies: Signal efficiency at efficiencies of QCD.
        shares: Efficiencies by (m_H, m_S) and false positives, of the largest output.
        best_merit: Largest S/sqrt(B).
        worst_ks: Largest K-S distance of data and simulation, of any output and pT bin; None
            without a control region.
    """

    training: str
    epoch: int
    reasons: tuple[str, ...]
    metrics: Mapping[str, float]
    auc: Quantity
    rejections: tuple[WorkingPoint, ...]
    efficiencies: tuple[WorkingPoint, ...]
    shares: TaggedShares
    best_merit: float
    worst_ks: KsSummary | None

    @property
    def name(self) -> str:
        """Training and epoch as one word, as commands take it."""
        return f"{self.training}/{self.epoch}"


@dataclass(frozen=True)
class Judged(Result, kind="tagging-judged"):
    """The epochs that were looked at, on one set of test jets.

    Attributes:
        jets: Test jets by class.
        control: Jets of the control region by kind.
        epochs: The chosen one first.
    """

    jets: Mapping[str, int]
    control: Mapping[str, int]
    epochs: tuple[JudgedEpoch, ...]

    @property
    def chosen(self) -> JudgedEpoch:
        """The epoch that the choice took."""
        return self.epochs[0]

    @property
    def text(self) -> str:
        """What the chosen epoch is worth, in one sentence."""
        best = self.chosen
        several = len({one.training for one in self.epochs}) > 1
        epoch = f"epoch {best.epoch}" + f" of training {best.training}" * several
        parts = [
            *(
                f"signal efficiency {spelt(one.value)} at {one.at:.3g} of QCD"
                for one in best.efficiencies[:1]
            ),
            *(
                f"rejection {spelt(one.value)} at {one.at:.3g} of signal"
                for one in best.rejections[:1]
            ),
            *([f"worst K-S {best.worst_ks.value:.3f}"] if best.worst_ks else []),
        ]
        return f"{epoch}: " + " · ".join(parts)


def spelt(quantity: Quantity) -> str:
    """A value with two digits of its larger error."""
    return number(quantity).text
