"""What a config reads, whatever it is a config of: an analysis, a skim, or TRExFitter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from quarkline.catalog import Catalog
from quarkline.catalog.checks.notes import note_findings
from quarkline.catalog.inputs import input_samples
from quarkline.engine.core.config import load_config, resolve_path
from quarkline.engine.core.findings import Finding, InputError
from quarkline.engine.core.yaml_file import read_yaml
from quarkline.engine.workflow.run import Analysis, open_analysis
from quarkline.engine.workflow.samples import InputSample
from quarkline.engine.workflow.study import UNKNOWN_STUDY, study_names
from quarkline.events.skim.config import SkimConfig
from quarkline.events.skim.samples import skim_checks, skim_samples
from quarkline.trexfitter import TrexConfig, read_trexfitter
from quarkline.trexfitter.checks import check_config, definition_findings, notes_about
from quarkline.trexfitter.translate import translate

Inputs: TypeAlias = Analysis | SkimConfig | TrexConfig
TREXFITTER = ".config"


def is_trexfitter(files: Sequence[str]) -> bool:
    """Whether a command is given a TRExFitter config instead of files of events."""
    return len(files) == 1 and Path(files[0]).suffix == TREXFITTER


def load_inputs(
    config: Path,
    *,
    site: Path | None = None,
    overrides: Sequence[str] = (),
    replace: Mapping[str, str] | None = None,
) -> Inputs:
    """Read and validate a config: of a study if it has `study`, of a skim if it has `output`.

    What is wrong inside a TRExFitter config is left to `checks_of`.

    Args:
        config: The YAML file, or a TRExFitter config whose name ends in `.config`.
        site: Compute and storage settings of this computer.
        overrides: `key=value` texts that win over the YAML file.
        replace: Values of placeholders that win over those of a TRExFitter replacement file.

    Raises:
        InputError: With one finding for each mistake in the config.
    """
    if config.suffix == TREXFITTER:
        return read_trexfitter(config, replace=replace)
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
    if isinstance(config, TrexConfig):
        return input_samples(translate(config).validate(Catalog))
    return config.study.samples(config.config)


def checks_of(config: Inputs) -> list[Finding]:
    """What is wrong with a config's inputs, found without reading events.

    Raises:
        InputError: If the files cannot be named.
    """
    if isinstance(config, SkimConfig):
        return skim_checks(config)
    if isinstance(config, TrexConfig):
        return check_config(config)
    return [
        *config.file.findings,
        *config.study.checks(config.config),
        *(finding for path in _parents(config.file.path) for finding in _around(config, path)),
    ]


def _parents(path: Path) -> Iterator[Path]:
    """The TRExFitter configs that a config extends, directly or not."""
    while path.suffix != TREXFITTER:
        name = read_yaml(path).data.get("extends")
        if name is None:
            return
        path = resolve_path(name)
    yield path


def _around(analysis: Analysis, parent: Path) -> list[Finding]:
    """What a TRExFitter config says beside the analysis: unused definitions, comments, README."""
    if not isinstance(analysis.config, Catalog):
        return []
    config = read_trexfitter(parent)
    notes = note_findings(analysis.config, analysis.file.place, notes_about(config))
    return [*definition_findings(config), *notes]


def is_catalog(config: Inputs) -> bool:
    """Whether the checks of a config have looked up every branch, and its files may be huge."""
    return isinstance(config, TrexConfig) or (
        not isinstance(config, SkimConfig) and isinstance(config.config, Catalog)
    )
