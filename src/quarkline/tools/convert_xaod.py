"""Make ntuples of xAOD files with a program that is not ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarkline.engine.core.config import load_config
from quarkline.engine.core.findings import Finding
from quarkline.studies.tagging.convert.xaod import (
    MadeNtuples,
    XaodConfig,
    failures,
    make_ntuples,
)


@dataclass(frozen=True)
class XaodOutcome:
    """What the program came to.

    Attributes:
        made: The ntuples.
        failures: Files of which none could be made.
    """

    made: MadeNtuples
    failures: tuple[Finding, ...]


def convert_xaod(
    config: Path | None = None,
    *,
    keys: Mapping[str, Any] | None = None,
    progress: Callable[[int, int, str], None] = lambda done, total, name: None,  # noqa: ARG005
) -> XaodOutcome:
    """Run a program on xAOD files, keep its log, and check that it left ntuples.

    Args:
        config: The YAML file; None if the keys say it all.
        keys: Values by key that win over the file; relative paths start at the working folder.
        progress: Told the number of files done, of all, and the name of the last one.

    Raises:
        InputError: With one finding for each mistake in the config or its files.
    """
    settings = load_config(config, keys=keys or {}).validate(XaodConfig)
    made = make_ntuples(settings, progress)
    return XaodOutcome(made, tuple(failures(made.files)))
