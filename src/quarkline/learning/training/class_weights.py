"""Weights of events in a classifier's loss: the events' own, and the balance of the classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import InputError, Rule
from quarkline.learning.training.config import TrainingConfig

Weights = NDArray[np.float64]

NO_EVENTS = Rule(
    "QL-TRAIN-014",
    "every class has events to learn from, and the signal some to judge by",
    "A class without training events cannot be learned, and an empty one would shift the numbers "
    "of all others. The held-out events pick the best epoch, so they need signal and background.",
)
NO_WEIGHT = Rule(
    "QL-TRAIN-015",
    "the weights of every class add up to more than zero",
    "The loss is a mean over events with their weights, and so is a class's part of it. Negative "
    "weights are allowed event by event, but a class whose weights add up to zero or less has no "
    "density to learn, and minimising its loss would push the scores away from it.",
)
BAD_WEIGHT = Rule(
    "QL-TRAIN-016",
    "event weights are finite",
    "One weight that is NaN or infinite makes the loss of its batch so, and all scores with it.",
)


def loss_weights(
    label: NDArray[np.int64],
    weight: Weights,
    validation: NDArray[np.bool_],
    *,
    classes: Sequence[str],
    signal: str,
    config: TrainingConfig,
) -> Weights:
    """Weights for the loss, with mean 1 over the training events.

    The factors of the classes follow from the training events alone and hold for all events.

    Args:
        label: Class of each event, with shape (N,).
        weight: The events' own weights, which may be negative, with shape (N,).
        validation: Which events are held out, with shape (N,).
        classes: Names of the classes.
        signal: The name of one of them.
        config: `weights` and `balance`.

    Raises:
        InputError: If a class lacks events, a weight is not finite, or weights add up to nothing.
    """
    _check_events(label, validation, classes, signal)
    if bad := int((~np.isfinite(weight)).sum()):
        raise InputError(
            BAD_WEIGHT.finding(
                f"{bad} of {len(weight)} events have weights that are not finite",
                suggestion="`quarkline doctor` names their files and branches",
            )
        )
    own = {"none": np.ones_like(weight), "absolute": np.abs(weight), "signed": weight}
    chosen = own[config.weights].astype(np.float64)
    kept, number = label[~validation], len(classes)
    totals: Weights = np.bincount(kept, chosen[~validation], minlength=number).astype(np.float64)
    _check_totals(totals, classes, config)
    factors = _shares(totals, classes.index(signal), config) / totals
    balanced: Weights = chosen * factors[label]
    balanced /= balanced[~validation].mean()
    held_out = float(balanced[validation].sum())
    if held_out <= 0:
        msg = f"the held-out events have a total weight of {held_out:.4g}"
        raise _no_weight(msg, config)
    return balanced


def _shares(totals: Weights, signal: int, config: TrainingConfig) -> Weights:
    """The total weight each class gets."""
    if config.balance == "classes":
        return np.ones_like(totals)
    if config.balance == "signal":
        shares: Weights = totals / (totals.sum() - totals[signal])
        shares[signal] = 1.0
        return shares
    return totals


def _check_events(
    label: NDArray[np.int64], validation: NDArray[np.bool_], classes: Sequence[str], signal: str
) -> None:
    numbers = np.bincount(label[~validation], minlength=len(classes))
    lacking = [name for name, number in zip(classes, numbers, strict=True) if not number]
    if lacking:
        msg = f"no training events of class {_named(lacking)}"
        raise _no_events(
            msg,
            dict(zip(classes, numbers.tolist(), strict=True)),
        )
    held_out = label[validation] == classes.index(signal)
    if not held_out.any() or held_out.all():
        side = f"`{signal}`" if not held_out.any() else "background"
        msg = f"no {side} among the {len(held_out)} held-out events"
        raise _no_events(
            msg,
            {"signal": int(held_out.sum()), "background": int((~held_out).sum())},
        )


def _check_totals(totals: Weights, classes: Sequence[str], config: TrainingConfig) -> None:
    bad = [(name, total) for name, total in zip(classes, totals, strict=True) if total <= 0]
    if bad:
        shown = ", ".join(f"`{name}` {total:.4g}" for name, total in bad)
        msg = f"total weight of the training events of {shown}"
        raise _no_weight(msg, config)


def _no_events(message: str, numbers: dict[str, Any]) -> InputError:
    return InputError(
        NO_EVENTS.finding(
            message,
            suggestion="leave the class out, merge it with another, or loosen `train.beyond`",
            evidence=numbers,
        )
    )


def _no_weight(message: str, config: TrainingConfig) -> InputError:
    return InputError(
        NO_WEIGHT.finding(
            f"{message} (`weights: {config.weights}`)",
            suggestion="write `weights: absolute` or `weights: none`, or merge small classes",
        )
    )


def _named(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
