"""Optional dependencies: whether an extra of Quarkline is installed, and how to install it."""

from __future__ import annotations

import importlib.metadata
import re

from quarkline.engine.core.findings import Finding, Rule

MISSING_EXTRA = Rule(
    "QL-RUN-031",
    "what a study needs is installed",
    "Quarkline installs light; what only some work needs, such as torch for training, comes with "
    "an extra. The message holds the command that installs it.",
)


def missing_extra(extra: str) -> list[Finding]:
    """A finding if packages of that extra are not installed.

    Args:
        extra: Name of the extra, such as `train`.
    """
    missing = [name for name in _packages(extra) if not _installed(name)]
    if not missing:
        return []
    return [
        MISSING_EXTRA.finding(
            f"not installed: {', '.join(missing)}",
            suggestion=f'pip install "quarkline[{extra}]"',
            evidence={"extra": extra, "missing": missing},
        )
    ]


def _packages(extra: str) -> list[str]:
    requirements = importlib.metadata.requires("quarkline") or []
    marked = re.compile(rf"([\w.-]+).*\bextra\s*==\s*['\"]{re.escape(extra)}['\"]")
    return [match[1] for line in requirements if (match := marked.match(line))]


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
