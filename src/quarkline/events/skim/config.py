"""What a skim is: the keys of its config, which are also the options of the command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ByteSize, Field, model_validator

from quarkline.engine.compute.config import ComputeConfig
from quarkline.engine.core.config import Config, ConfigPath
from quarkline.engine.core.findings import InputError
from quarkline.events.cuts import named_cuts
from quarkline.events.sinks.compression import parse_compression

PLAIN_SAMPLE = "skim"
"""Name of the sample of files that are given without one."""


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _as_text(value: Any) -> Any:
    """YAML reads `weight: 1` as a number."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _compression(text: str) -> str:
    try:
        parse_compression(text)
    except InputError as error:
        raise ValueError(_in_one_line(error)) from error
    return text


def _in_one_line(error: InputError) -> str:
    finding = error.findings[0]
    return ": ".join(part for part in (finding.message, finding.suggestion) if part)


def _cuts_by_name(written: Any) -> Any:
    """Cuts by name from `NAME: EXPR` or `EXPR`, one or a list of them, or a map."""
    items = written if isinstance(written, list | tuple) else [written]
    for item in items:
        if not isinstance(item, str | Mapping):
            msg = f"a cut is a text such as `two leptons: total_leptons == 2`, not {item!r}"
            raise ValueError(msg)
    try:
        return named_cuts(items)
    except InputError as error:
        raise ValueError(_in_one_line(error)) from error


NamedCuts = Annotated[dict[str, str], BeforeValidator(_cuts_by_name)]
Texts = Annotated[list[str], BeforeValidator(_as_list)]
Weight = Annotated[str, BeforeValidator(_as_text)]
Paths = Annotated[list[ConfigPath], BeforeValidator(_as_list)]
Size = Annotated[ByteSize, Field(gt=0)]


class SampleConfig(Config):
    """Files with one meaning."""

    files: Paths = Field(default_factory=list, description="Files, globs or addresses.")
    files_from: ConfigPath | None = Field(
        None, description="A text file with further files, one a line."
    )
    tree: Texts | None = Field(None, description="Trees to cut, instead of the common ones.")
    weight: Weight | None = Field(
        None, description="Weight of an event, instead of the common one; data may say 1."
    )
    select: NamedCuts = Field(default_factory=dict, description="Cuts before the common ones.")


class SkimConfig(Config):
    """A skim: which events and branches of which files, written how and where."""

    schema_version: Literal[1] = Field(alias="schema", description="Version of the config format.")
    roots: dict[str, ConfigPath] = Field(
        default_factory=dict, description="Storage roots for `${roots.NAME}`."
    )
    output: ConfigPath = Field(description="Folder that the skim is written to.")
    samples: dict[str, SampleConfig] = Field(
        default_factory=dict, description="Samples by name; or `files` alone."
    )
    files: Paths = Field(
        default_factory=list, description="Files, globs or addresses, as one sample `skim`."
    )
    files_from: ConfigPath | None = Field(
        None, description="A text file with further files, one a line."
    )
    base: ConfigPath | None = Field(
        None,
        description="Folder below which outputs mirror the inputs; default: the deepest one that "
        "holds them all.",
    )
    tree: Texts | None = Field(
        None, description="Trees to cut, names or globs; default: the only one."
    )
    copy_tree: Texts = Field(
        default_factory=list, description="Trees to copy whole, names or globs."
    )
    select: NamedCuts = Field(
        default_factory=dict, description="Cuts in order, `NAME: EXPR` or `EXPR`."
    )
    weight: Weight | None = Field(None, description="Weight of an event; default: 1.")
    sums: dict[str, Weight] = Field(
        default_factory=dict, description="Further sums before any cut, expression by name."
    )
    keep: Texts = Field(default_factory=lambda: ["*"], description="Branches to keep, as globs.")
    drop: Texts = Field(default_factory=list, description="Branches to drop of these, as globs.")
    format: Literal["root", "rntuple", "parquet", "hdf5", "csv"] = Field(
        "root", description="Format of the outputs."
    )
    compression: Annotated[str, BeforeValidator(_compression)] | None = Field(
        None, description="`zstd:5`, `lz4:4`, `zlib:1` or `none`; default: the format's own."
    )
    max_size: Size | None = Field(
        None, description="Target size of a file, such as 2GB; more goes to NAME_2 and so on."
    )
    merge: Literal["none", "sample", "all"] = Field(
        "none", description="What shares an output: nothing, a sample's files, or all."
    )
    max_bad_files: int = Field(
        0, ge=0, description="Go on without this many files that cannot be used."
    )
    max_events: int | None = Field(
        None, ge=1, description="Look at this many events of each file only."
    )
    task_size: Size = Field(
        ByteSize(100_000_000), description="Larger files are worked on in several tasks."
    )
    retries: int = Field(1, ge=0, description="How often a failed task is tried again.")
    compute: ComputeConfig = Field(default_factory=ComputeConfig)

    @model_validator(mode="after")
    def _some_files(self) -> SkimConfig:
        plain = bool(self.files or self.files_from)
        if plain == bool(self.samples):
            msg = "no files are named: give `files`, `files_from` or `samples`"
            if plain:
                msg = "give either `samples` or `files`"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _cuts_apart(self) -> SkimConfig:
        for name, sample in self.samples.items():
            if twice := sample.select.keys() & self.select.keys():
                msg = f"sample `{name}` has a cut `{min(twice)}`, and all samples have one, too"
                raise ValueError(msg)
        return self

    def by_sample(self) -> dict[str, SampleConfig]:
        """The samples, plain files as one."""
        if self.samples:
            return self.samples
        return {PLAIN_SAMPLE: SampleConfig(files=self.files, files_from=self.files_from)}
