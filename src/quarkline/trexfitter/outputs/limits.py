"""ROOT files with limits and significances: one entry each, as TRExFitter leaves them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import uproot
from scipy.stats import norm

from quarkline.engine.core.findings import InputError, Place
from quarkline.engine.store.atomic import atomic_path
from quarkline.statistics.likelihood.results import CLsLimit, DiscoverySignificance, LimitPoint
from quarkline.trexfitter.outputs.text import UNREADABLE, missing

LIMITS, SIGNIFICANCE = "stats", "p0"
"""Names of the trees."""
NOT_FOUND = -1.0
"""What stands where there is no number, such as the observed limit without data."""
LIMIT_BRANCHES = tuple(
    f"exp_upperlimit{place}" for place in ("_minus2", "_minus1", "", "_plus1", "_plus2")
)
MEDIAN = 2
"""Place of the median among what is expected at -2, -1, 0, 1, 2 standard deviations."""


def limit_name(prefix: str, suffix: str, level: float, *, blind: bool) -> str:
    """Name of a file with limits, such as `myLimit_BLIND_CL95.root`."""
    return f"{prefix}{suffix}{'_BLIND' * blind}_CL{100 * level:2.0f}.root"


def significance_name(prefix: str, suffix: str, *, blind: bool) -> str:
    """Name of a file with significances, such as `mySignificance_p0.root`."""
    return f"{prefix}{suffix}{'_BLIND' * blind}_p0.root"


def write_limit(
    path: Path,
    limit: CLsLimit,
    *,
    best: float | None,
    label: str = "parameter",
    value: float = 0.0,
) -> Path:
    """Write a limit: tree `stats` with one entry.

    Args:
        path: The file.
        limit: The limit.
        best: Best value of the limited parameter in data; None without data.
        label: What the signal is told apart by, such as a mass: the name of a branch.
        value: Its value.
    """
    tested = _tested(limit)
    branches: dict[str, float | None] = {
        label: value,
        "CLb_med": 0.5,
        "pb_med": 0.5,
        "CLs_med": tested.expected[MEDIAN] if tested else None,
        "CLsplusb_med": tested.expected[MEDIAN] / 2 if tested else None,
        "CLs_obs": tested.observed if tested else None,
        "obs_upperlimit": limit.observed,
        "inj_upperlimit": limit.injected,
        **dict(zip(LIMIT_BRANCHES, limit.expected, strict=True)),
        "fit_status": 0.0 if limit.complete else 1.0,
        "mu_hat_obs": best,
        "mu_hat_exp": 0.0,
    }
    return _write(path, LIMITS, branches)


def _tested(limit: CLsLimit) -> LimitPoint | None:
    """The tested value next to the limit."""
    found = limit.observed if limit.observed is not None else limit.expected[MEDIAN]
    if not limit.points or found is None:
        return None
    return min(limit.points, key=lambda point: abs(point.value - found))


def read_limit(path: Path) -> CLsLimit:
    """Read a limit, ours or TRExFitter's; numbers below zero were not found.

    Raises:
        InputError: If it is absent, or not such a file.
    """
    found = _read(path, LIMITS, (*LIMIT_BRANCHES, "obs_upperlimit"), made_by="l")
    expected = tuple(_positive(found[name]) for name in LIMIT_BRANCHES)
    return CLsLimit(
        poi="",
        level=0.95,
        observed=_positive(found["obs_upperlimit"]),
        expected=expected,
        injected=_positive(found.get("inj_upperlimit", NOT_FOUND)),
        injected_value=None,
        points=(),
        method="asymptotic",
        complete=found.get("fit_status", 0.0) == 0.0,
    )


def _positive(value: float) -> float | None:
    return value if value > 0 else None


def write_significance(
    path: Path, found: DiscoverySignificance, *, label: str = "parameter", value: float = 0.0
) -> Path:
    """Write a significance: tree `p0` with one entry.

    Args:
        path: The file.
        found: The significance.
        label: What the signal is told apart by, such as a mass: the name of a branch.
        value: Its value.
    """
    branches: dict[str, float | None] = {
        label: value,
        "obs_sig": 0.0 if found.z is None else found.z,
        "obs_pval": 0.5 if found.p is None else found.p,
        "med_sig": found.z_expected,
        "med_pval": float(norm.sf(found.z_expected)),
        "inj_sig": 0.0,
        "inj_pval": 0.5,
        "med_q0": found.z_expected**2,
        "inj_q0": 0.0,
    }
    return _write(path, SIGNIFICANCE, branches)


def _write(path: Path, tree: str, branches: Mapping[str, float | None]) -> Path:
    columns = {
        name: np.array([NOT_FOUND if value is None else value], dtype=np.float32)
        for name, value in branches.items()
    }
    with atomic_path(path) as temporary, uproot.recreate(temporary) as file:
        file.mktree(tree, dict.fromkeys(columns, np.float32))
        file[tree].extend(columns)
    return path


def _read(path: Path, tree: str, needed: tuple[str, ...], *, made_by: str) -> dict[str, float]:
    try:
        with uproot.open(path) as file:
            values = {
                name: float(column[0]) for name, column in file[tree].arrays(library="np").items()
            }
    except FileNotFoundError:
        raise missing(path, made_by) from None
    except (OSError, ValueError, KeyError, IndexError) as error:
        message = f"{path} holds no tree `{tree}` with an entry: {error}"
        raise InputError(UNREADABLE.finding(message, place=Place(path))) from error
    if absent := [name for name in needed if name not in values]:
        message = f"the tree `{tree}` has no branch {', '.join(f'`{name}`' for name in absent)}"
        raise InputError(UNREADABLE.finding(message, place=Place(path)))
    return values
