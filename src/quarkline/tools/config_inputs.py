"""What a config reads, whatever it is a config of: an analysis, or a skim."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from quarkline.engine.core.config import load_config
from quarkline.engine.core.findings import Finding, InputError
from quarkline.engine.workflow.run import Analysis, open_analysis
from quarkline.engine.workflow.samples import InputSample
from quarkline.engine.workflow.study import UNKNOWN_STUDY, study_names
from quarkline.events.skim.config import SkimConfig
from quarkline.events.skim.samples import skim_checks, skim_samples

Inputs: TypeAlias = Analysis | SkimConfig


def load_inputs(config: Path, *, site: Path | None = None, overrides: Sequence[str] = ()) -> Inputs:
    """Read and validate a config: of a study if it has `study`, of a skim if it has `output`.

    Args:
        config: The YAML file.
        site: Compute and storage settings of this computer.
        overrides: `key=value` texts that win over the file.

    Raises:
        InputError: With one finding for each mistake in the config.
    """
    file = load_config(config, site=site, overrides=overrides)
    if "study" in file.data:
        return open_analysis(file)
    if "output" in file.data:
        return file.validate(SkimConfig)
    hint = f"add `study: NAME`, one of {', '.join(study_names())}; a skim has `output`"
    message = "the config is neither that of a study nor that of a skim"
    raise InputError(UNKNOWN_STUDY.finding(message, suggestion=hint, place=file.place()))


def samples_of(config: Inputs) -> list[InputSample]:
    """What a config reads from whom.

    Raises:
        InputError: If the files cannot be named.
    """
    if isinstance(config, SkimConfig):
        return skim_samples(config)
    return config.study.samples(config.config)


def checks_of(config: Inputs) -> list[Finding]:
    """What is wrong with a config's inputs, found without reading events.

    Raises:
        InputError: If the files cannot be named.
    """
    if isinstance(config, SkimConfig):
        return skim_checks(config)
    return config.study.checks(config.config)
