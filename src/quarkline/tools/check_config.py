"""Check the config of an analysis with everything it names, before any work."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from quarkline.engine.core.findings import Finding
from quarkline.trexfitter.checks import check_config
from quarkline.trexfitter.parser import read_trexfitter


def trexfitter_findings(path: Path, *, replace: Mapping[str, str] | None = None) -> list[Finding]:
    """Everything that is wrong with a TRExFitter config, its files and their branches.

    Args:
        path: The config.
        replace: Values of placeholders that win over those of the replacement file.

    Raises:
        InputError: If the file itself cannot be read.
    """
    return check_config(read_trexfitter(path, replace=replace))
