"""Which branches scores are written to, and what they are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import InputError, Rule, did_you_mean

ALL = "all"
SIGNAL = "signal"

BRANCH_NAME = Rule(
    "QL-SCORE-002",
    "a score has a branch with a name that selections can use",
    "Branches are called by letters, digits and underscores, so that ROOT and selections read "
    "them as one name. The probability of one class is written to a branch of the name given, "
    "those of all classes to branches `<name>_<class>`.",
)
UNKNOWN_CLASS = Rule(
    "QL-SCORE-003",
    "scores are those of classes that the model knows",
    "Write `all`, `signal` for the first class, or the name of a class.",
)


@dataclass(frozen=True)
class Branches:
    """Names of branches by the number of the class whose probability they hold.

    Attributes:
        names: Branch of each chosen class.
        numbers: Number of each chosen class.
    """

    names: tuple[str, ...]
    numbers: tuple[int, ...]

    @classmethod
    def of(cls, classes: Sequence[str], chosen: str, column: str | None) -> Branches:
        """The branches of some classes.

        Args:
            classes: All classes of the model; the first is the signal.
            chosen: `all`, `signal`, or one of them.
            column: Name of the branch, for `all` what its names begin with; None is
                `probs_<class>`, or `probs`.

        Raises:
            InputError: If there is no such class, or a branch would have no proper name.
        """
        if chosen == ALL:
            names = [f"{column or 'probs'}_{name}" for name in classes]
            return cls._checked(names, range(len(classes)))
        name = classes[0] if chosen == SIGNAL else chosen
        if name not in classes:
            raise InputError(
                UNKNOWN_CLASS.finding(
                    f"the model has no class `{name}`",
                    suggestion=did_you_mean(name, [*classes, ALL, SIGNAL], what="classes"),
                )
            )
        return cls._checked([column or f"probs_{name}"], [classes.index(name)])

    @classmethod
    def _checked(cls, names: Sequence[str], numbers: Sequence[int]) -> Branches:
        findings = [
            BRANCH_NAME.finding(
                f"`{name}` is no name for a branch",
                suggestion="name the branch as --column NAME, and score one class at a time",
            )
            for name in names
            if not (name.isidentifier() and name.isascii())
        ]
        if findings:
            raise InputError(*findings)
        return cls(tuple(names), tuple(numbers))

    def columns(
        self, probabilities: NDArray[np.float32], suffix: str
    ) -> dict[str, NDArray[np.float32]]:
        """Branches by name from probabilities (N, classes); a suffix tells variations apart."""
        return {
            f"{name}{suffix}": np.ascontiguousarray(probabilities[:, number])
            for name, number in zip(self.names, self.numbers, strict=True)
        }
