"""Turn DiVertAnalysis ntuples into tables of jets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarkline.engine.compute.config import compute_overrides
from quarkline.engine.compute.executors import open_executor
from quarkline.engine.core.config import ConfigFile, load_config
from quarkline.engine.core.findings import Finding
from quarkline.studies.tagging.convert.config import ConversionConfig
from quarkline.studies.tagging.convert.results import Conversion
from quarkline.studies.tagging.convert.run import refusals, run_conversion
from quarkline.studies.tagging.convert.upstream_config import in_our_words, is_upstreams

JOBS = ".jobs"
"""Folder for scripts and logs, if ntuples are converted by jobs of a batch system."""


@dataclass(frozen=True)
class ConversionOutcome:
    """What a conversion came to.

    Attributes:
        conversion: The ntuples and their tables.
        failures: Ntuples that were left out, if they are more than are allowed.
    """

    conversion: Conversion
    failures: tuple[Finding, ...]


def load_conversion(
    config: Path | None = None,
    *,
    keys: Mapping[str, Any] | None = None,
    compute: Mapping[str, Any] | None = None,
) -> tuple[ConversionConfig, tuple[Finding, ...]]:
    """Read the config of a conversion, ours or the CalRatio trainer's.

    Args:
        config: The YAML file; None if the keys say it all.
        keys: Values by key that win over the file; relative paths start at the working folder.
        compute: Values of the `compute` section that win over everything.

    Returns:
        The config, and a word on each key that is spelt otherwise here.

    Raises:
        InputError: With one finding for each mistake.
    """
    texts = compute_overrides(compute or {})
    words: tuple[Finding, ...] = ()
    if config is not None and is_upstreams(file := load_config(config)):
        data, words = in_our_words(file)
        read = ConfigFile(file.path, file.text, {**data, **(keys or {})}, file.places)
        return read.overridden(texts).validate(ConversionConfig), words
    return load_config(config, keys=keys or {}, overrides=texts).validate(ConversionConfig), words


def convert_ntuples(
    config: ConversionConfig,
    *,
    progress: Callable[[int, int, str], None] = lambda done, total, name: None,  # noqa: ARG005
) -> ConversionOutcome:
    """Make the tables of jets that are missing or stale.

    Several commands may run at once on the same ntuples: each table is made by one of them.

    Args:
        config: What is converted.
        progress: Told the number of ntuples done, of all, and the name of the last one.

    Raises:
        InputError: If a pattern matches nothing, two ntuples would have one table, or the tables
            cannot be written.
    """
    executor = open_executor(config.compute, folder=config.output / JOBS)
    found = run_conversion(config, executor, progress)
    return ConversionOutcome(found, tuple(refusals(found.files, config.allow_bad_files)))
