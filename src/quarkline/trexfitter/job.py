"""One job: what a config and its options come to, and the names of its files."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from quarkline.catalog.catalog import Catalog
from quarkline.catalog.checks.names import name_findings
from quarkline.catalog.inference import FitSettings
from quarkline.catalog.written import Written
from quarkline.engine.core.config import ConfigFile
from quarkline.engine.core.findings import Finding, InputError, Place, Rule, did_you_mean
from quarkline.trexfitter.apply import apply_options, said_twice
from quarkline.trexfitter.blocks import Block, TrexConfig
from quarkline.trexfitter.command_line import CommandOptions, read_options
from quarkline.trexfitter.parser import read_trexfitter
from quarkline.trexfitter.repeats import with_further_names
from quarkline.trexfitter.translate import translate

NO_FREE = Rule(
    "QL-TREX-039",
    "`--free` names a norm factor",
    "The option fits a norm factor that the config declares constant.",
)

INFERENCE = ("Fit", "Limit", "Significance")
HISTOGRAMS = "Histograms"
FITS = "Fits"
WORKSPACES = "RooStats"


@dataclass(frozen=True)
class Filed:
    """How files of limits or significances are called, and what they are filed under.

    Attributes:
        prefix: What their names begin with.
        parameter: Name of a quantity, such as a mass.
        value: Its value.
    """

    prefix: str
    parameter: str = "parameter"
    value: float = 0.0


@dataclass(frozen=True)
class Job:
    """One job; its catalog says how it is fitted, ranked and limited, by defaults if need be.

    Attributes:
        name: Name in those of its files: the config's job, or `InputName`.
        folder: Where its results are: the job's folder below `OutputDir`.
        config: The config as read.
        file: Its keys with their places.
        catalog: The analysis, after what the options change in it.
        options: What the option string says.
        notes: What is to be said about names that nothing has, and about the options.
        limit_files: How files of limits are called.
        significance_files: How files of significances are called.
        suffix: What names of fits, figures, tables and workspaces end with.
        save_suffix: What names of histogram files end with.
        split_histograms: Whether each region has a histogram file of its own.
        input_folder: Where histogram files of an earlier job are read; None for its own.
        workspace: A workspace that is fitted instead of its own; None for its own.
        keep_pruning: Whether what was pruned before stays pruned.
        allow_missing: Whether input files that are not there are only warned of.
    """

    name: str
    folder: Path
    config: TrexConfig
    file: ConfigFile
    catalog: Catalog
    options: CommandOptions
    notes: tuple[Finding, ...] = ()
    limit_files: Filed = Filed("myLimit")
    significance_files: Filed = Filed("mySignificance")
    suffix: str = ""
    save_suffix: str = ""
    split_histograms: bool = False
    input_folder: Path | None = None
    workspace: Path | None = None
    keep_pruning: bool = False
    allow_missing: bool = False

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is suspicious about it but does not stop it."""
        return (*self.file.findings, *self.notes)

    @property
    def histograms(self) -> Path:
        """Folder that histogram files are read from."""
        return self.input_folder or self.folder / HISTOGRAMS

    def histogram_file(self, region: str, *, written: bool = False) -> Path:
        """The histogram file of a region.

        Args:
            region: Its name.
            written: Whether the file to be written is meant, whose name has the suffix.
        """
        part = f"_{region}" if self.split_histograms else ""
        return self.histograms / f"{self.name}{part}_histos{self.save_suffix * written}.root"

    @property
    def fit_file(self) -> Path:
        """The text file with the fit's result."""
        return self.folder / FITS / f"{self.name}{self.suffix}.txt"


def read_job(
    path: Path,
    options: CommandOptions | str = "",
    *,
    replace: Mapping[str, str] | None = None,
    free: Sequence[str] = (),
    output: Path | None = None,
) -> Job:
    """Read a config with its options.

    Args:
        path: The config file.
        options: The option string, or what was read of it.
        replace: Values of placeholders that win over those of the replacement file.
        free: Constant parameters that are fitted all the same.
        output: Folder that the job's folder is made in, instead of `OutputDir`.

    Raises:
        InputError: With all that is wrong.
    """
    asked = read_options(options) if isinstance(options, str) else options
    return open_job(read_trexfitter(path, replace=replace), asked, free=free, output=output)


def open_job(
    config: TrexConfig,
    options: CommandOptions,
    *,
    free: Sequence[str] = (),
    output: Path | None = None,
    usual: Collection[str] = INFERENCE,
) -> Job:
    """The job of a config that has been read.

    Args:
        config: The config.
        options: What the option string says.
        free: Constant parameters that are fitted all the same.
        output: Folder that the job's folder is made in, instead of `OutputDir`.
        usual: Blocks about the likelihood with TRExFitter's defaults where the config has none.

    Raises:
        InputError: With all that is wrong.
    """
    options = _naming(options, config)
    file = translate(config, usual=usual)
    (block,) = config.of("Job")
    name = str(block.name)
    parent = output or Path(options.output or block.text("OutputDir") or ".")
    catalog = _freed(file.validate(Catalog), free)
    named = name_findings(catalog, file.place)
    catalog, said = apply_options(
        catalog, options, lenient=bool(block.true("AllowWrongRegionSample"))
    )
    return Job(
        name=_text(block, "InputName") or name,
        folder=parent / (options.job or name),
        config=config,
        file=file,
        catalog=catalog,
        options=options,
        notes=(*named, *said, *said_twice(config, options)),
        limit_files=_filed(config, "Limit", "myLimit", options.limit_value),
        significance_files=_filed(config, "Significance", "mySignificance"),
        suffix=options.suffix or _text(block, "Suffix"),
        save_suffix=options.save_suffix or _text(block, "SaveSuffix"),
        split_histograms=bool(block.true("SplitHistoFiles")),
        input_folder=_path(block, "InputFolder"),
        workspace=_path(block, "WorkspaceFileName"),
        keep_pruning=bool(block.true("KeepPruning")),
        allow_missing=_text(block, "HistoChecks").upper() == "NOCRASH",
    )


def _naming(options: CommandOptions, config: TrexConfig) -> CommandOptions:
    """The options, in which a name means every block of that name."""
    named = {
        name: tuple(with_further_names(getattr(options, name), config.further_names))
        for name in ("samples", "systematics", "exclude", "signals")
    }
    return replace(options, **named)


def _freed(catalog: Catalog, names: Sequence[str]) -> Catalog:
    """The analysis with some constant norm factors fitted."""
    if unknown := [name for name in names if name not in catalog.norm_factors]:
        hint = did_you_mean(unknown[0], catalog.norm_factors, what="norm factors")
        message = f"there is no norm factor `{unknown[0]}`"
        place = Place(label=f"--free {unknown[0]}")
        raise InputError(NO_FREE.finding(message, suggestion=hint, place=place))
    if not names:
        return catalog
    fit = catalog.fit or FitSettings()
    freed = fit.model_copy(update={"free": [*fit.free, *names]})
    return catalog.model_copy(update={"fit": freed})


def _filed(config: TrexConfig, kind: str, prefix: str, value: float | None = None) -> Filed:
    """How files of a kind are called, from its block."""
    block = next(iter(config.of(kind)), Block(kind, Written(""), {}))
    if value is None:
        value = block.number("ParamValue") or 0.0
    prefix = _text(block, "OutputPrefixName") or prefix
    return Filed(prefix, _text(block, "ParamName") or "parameter", value)


def _text(block: Block, name: str) -> str:
    return str(block.text(name) or "")


def _path(block: Block, name: str) -> Path | None:
    value = block.text(name)
    return None if value is None else Path(value)
