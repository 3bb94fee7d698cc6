"""What can be said about the inputs of a resonance search before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from quarkline.engine.core.findings import (
    Finding,
    InputError,
    Place,
    QuarklineError,
    Rule,
    Severity,
    did_you_mean,
)
from quarkline.events.expressions import compile_expression
from quarkline.events.files import expand_files
from quarkline.events.luminosity import CertifiedSections
from quarkline.events.schema import Schema
from quarkline.events.sources import open_source
from quarkline.statistics import HuntBinning, hunt_model
from quarkline.studies.resonance.config import InputsConfig, ResonanceConfig
from quarkline.studies.resonance.layout import (
    SECTION,
    SelectConfig,
    layout,
    pair_names,
    pair_schema,
    whole_files,
)

MISSING_TRIGGER = Rule(
    "QL-RES-002",
    "trigger flags are columns of the files",
    "A trigger that a file does not store would otherwise count as never fired, and the file's "
    "events would silently be lost.",
)
MISSING_BRANCH = Rule(
    "QL-RES-008",
    "the files hold what the config uses",
    "Pairs are built from the collection's `pt`, `eta`, `phi` and `charge`, events are identified "
    "by the columns of `inputs.identity`, and a feature or cut needs the columns it is made of.",
)
BAD_FILES = Rule(
    "QL-RES-006",
    "files are readable",
    "An unreadable file means missing events. Set `inputs.allow_bad_files` to the number of files "
    "that may be left out; they are listed in the report.",
)


@dataclass(frozen=True)
class InputFile:
    """One input file and how many of its events are read."""

    path: Path
    stop: int | None


def input_files(inputs: InputsConfig) -> list[InputFile]:
    """The files to read, within `max_files` and `max_events`.

    Raises:
        InputError: If a file is missing.
    """
    paths = expand_files(
        [str(path) for path in inputs.files],
        base=Path(),
        files_from=inputs.files_from,
        remote=inputs.remote,
    )
    paths = paths[: inputs.max_files]
    if inputs.max_events is None:
        return [InputFile(path, None) for path in paths]
    chosen, left = [], inputs.max_events
    for path in paths:
        if left <= 0:
            break
        with open_source(path, tree=inputs.tree) as source:
            entries = source.schema.entries
        chosen.append(InputFile(path, min(left, entries)))
        left -= entries
    return chosen


def power_files(config: ResonanceConfig) -> list[InputFile]:
    """The files of signal for pseudo-experiments, all their events; none if none are asked for.

    Raises:
        InputError: If a file is missing.
    """
    asked = config.calibration.power
    return _whole_files(config, asked.files if asked else [])


def background_files(config: ResonanceConfig) -> list[InputFile]:
    """The files of background alone, all their events; none if no method needs them.

    Raises:
        InputError: If a file is missing.
    """
    return _whole_files(config, config.background.files)


def _whole_files(config: ResonanceConfig, files: Sequence[Path]) -> list[InputFile]:
    if not files:
        return []
    everything = {"files": files, "max_files": None, "max_events": None}
    return input_files(config.inputs.model_copy(update=everything))


def check(config: ResonanceConfig, select: SelectConfig) -> list[Finding]:
    """Findings on files, columns, expressions and binnings."""
    try:
        simulated = [*power_files(config), *background_files(config)]
    except InputError as error:
        return [*_check_binnings(config), *error.findings]
    return [
        *_check_binnings(config),
        *check_events(config.inputs, select),
        *_check_files(simulated, config.inputs, whole_files(select), 0),
    ]


def check_events(inputs: InputsConfig, select: SelectConfig) -> list[Finding]:
    """Findings on files of events, their columns, and the expressions on these."""
    try:
        files = input_files(inputs)
        if inputs.certified:
            CertifiedSections.read(inputs.certified)
    except InputError as error:
        return list(error.findings)
    return _check_files(files, inputs, select, inputs.allow_bad_files)


def _check_files(
    files: Sequence[InputFile], inputs: InputsConfig, select: SelectConfig, allowed: int
) -> list[Finding]:
    """Findings on the first file that lacks something, or on all that cannot be read."""
    bad: list[Finding] = []
    for file in files:
        try:
            with open_source(file.path, tree=inputs.tree) as source:
                schema = source.schema
        except QuarklineError as error:
            bad += error.findings
            continue
        if found := _check_schema(schema, select, file.path):
            return found
    return _bad_files(bad, allowed)


def _check_binnings(config: ResonanceConfig) -> list[Finding]:
    findings: list[Finding] = []
    for degree, bins in hypotheses(config):
        try:
            binning = HuntBinning(config.resonance.range, config.resonance.window, bins)
            hunt_model(binning, degree)
        except InputError as error:
            findings += error.findings
    return findings


def hypotheses(config: ResonanceConfig) -> list[tuple[int, int]]:
    """Degree and bins of the nominal fit, then of all variations."""
    nominal = (config.fit.degree, config.fit.bins)
    variations = config.fit.variations
    varied = [(degree, bins) for degree in variations.degrees for bins in variations.bins]
    return list(dict.fromkeys([nominal, *varied]))


def _bad_files(bad: Sequence[Finding], allowed: int) -> list[Finding]:
    if len(bad) > allowed:
        return list(bad)
    return [
        BAD_FILES.finding(f"left out: {item.message}", place=item.place, severity=Severity.WARNING)
        for item in bad
    ]


def _check_schema(schema: Schema, select: SelectConfig, path: Path) -> list[Finding]:
    """Findings on the first file that does not hold what the config uses."""
    findings = [
        MISSING_TRIGGER.finding(
            f"there is no trigger flag `{name}`",
            suggestion=did_you_mean(name, _flags(schema), what="trigger flags"),
            place=Place(path),
        )
        for name in select.trigger
        if name not in schema
    ]
    prefix = f"{select.objects}_"
    sections = SECTION if select.certified else ()
    needed = [
        *select.identity,
        *sections,
        *(prefix + name for name in ("pt", "eta", "phi", "charge")),
    ]
    findings += [
        MISSING_BRANCH.finding(
            f"there is no column `{name}`",
            suggestion=did_you_mean(name, schema.columns, what="columns"),
            place=Place(path),
        )
        for name in dict.fromkeys(needed)
        if name not in schema
    ]
    return findings or _check_expressions(schema, select, path)


def _flags(schema: Schema) -> list[str]:
    return [name for name, column in schema.columns.items() if column.dtype == "bool"]


def _check_expressions(schema: Schema, select: SelectConfig, path: Path) -> list[Finding]:
    try:
        names = pair_names(layout(schema, select))
        cuts = compile_expression(select.cuts, pair_schema(names)) if select.cuts else None
    except InputError as error:
        return list(error.findings)
    unknown = [name for name in select.features if name not in names]
    findings = [
        MISSING_BRANCH.finding(
            f"feature `{name}` cannot be made from the columns of the files",
            suggestion=did_you_mean(name, names, what="features"),
            place=Place(path),
        )
        for name in unknown
    ]
    return [*findings, *(cuts.warnings if cuts else ())]
