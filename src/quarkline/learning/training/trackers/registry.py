"""The trackers by kind, and whether what they need is installed."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable
from typing import cast

from quarkline.engine.core.extras import MISSING_EXTRA
from quarkline.engine.core.findings import Finding
from quarkline.learning.training.trackers.base import TrackedRun, Tracker
from quarkline.learning.training.trackers.config import TrackerConfig

NEEDS = {
    "tensorboard": ("tensorboard",),
    "mlflow": ("mlflow", "sqlalchemy", "alembic"),
    "wandb": ("wandb",),
}
"""The packages that each kind imports; its module here has the kind's name."""


def missing_packages(configs: Iterable[TrackerConfig]) -> list[Finding]:
    """A finding for each tracker whose packages are not installed."""
    findings = []
    for config in configs:
        missing = [name for name in NEEDS[config.kind] if importlib.util.find_spec(name) is None]
        if missing:
            findings.append(
                MISSING_EXTRA.finding(
                    f"tracking with `{config.kind}` needs {', '.join(missing)}, not installed here",
                    suggestion='pip install "quarkline[tracking]"',
                    evidence={"extra": "tracking", "missing": missing},
                )
            )
    return findings


def open_tracker(config: TrackerConfig, run: TrackedRun, identity: str | None) -> Tracker:
    """The tracker of a run: a new one, or the one an earlier process of this run opened.

    Args:
        config: What to open.
        run: The run it shows.
        identity: `Tracker.identity` of the earlier process.
    """
    module = importlib.import_module(f"quarkline.learning.training.trackers.{config.kind}")
    return cast("Tracker", module.TRACKER(config, run, identity))
