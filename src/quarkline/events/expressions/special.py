"""Special functions of SciPy, loaded when one is computed."""

from __future__ import annotations

from collections.abc import Callable

from quarkline.events.expressions.arithmetic import Values


def special(name: str) -> Callable[..., Values]:
    """A function of `scipy.special` by name."""

    def compute(*arguments: Values) -> Values:
        import scipy.special

        found: Values = getattr(scipy.special, name)(*arguments)
        return found

    return compute
