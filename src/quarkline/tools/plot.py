"""Compare training files: what is in them, and how their columns are distributed."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from quarkline.engine.core.config import Config, ConfigPath, load_config
from quarkline.engine.core.findings import InputError, Rule
from quarkline.engine.store.atomic import make_folder
from quarkline.report import Document, write_document, write_markdown
from quarkline.studies.tagging.plot.config import PlotConfig
from quarkline.studies.tagging.plot.contents import NamedTable
from quarkline.studies.tagging.plot.report import compare_files
from quarkline.studies.tagging.tables import open_jets
from quarkline.tools.input_files import input_files

NAMES = Rule(
    "QL-TAG-070",
    "files that are compared have names of their own",
    "`quarkline plot signal=a.parquet background=b.parquet` calls them `signal` and `background` "
    "in legends and tables. A file without a name is `file_0`, `file_1` and so on by its place.",
)


class _InputFile(Config):
    """A file with its name in legends."""

    input_file: ConfigPath
    legend_name: str = Field(min_length=1)


class ReportingConfig(PlotConfig):
    """The YAML of `quarkline plot --config`, whose keys are those of the CalRatio trainer."""

    input_files: tuple[_InputFile, ...] = ()
    output_report: ConfigPath = Path("reports/report.md")


@dataclass(frozen=True)
class Written:
    """A report on disk.

    Attributes:
        markdown: As Markdown, with its pictures beside it.
        html: As one HTML file.
        headline: What it says in one sentence.
    """

    markdown: Path
    html: Path
    headline: str


def plot_config(config: Path | None) -> ReportingConfig:
    """The settings of a YAML file, or the usual ones.

    Raises:
        InputError: With one finding for each mistake.
    """
    return load_config(config).validate(ReportingConfig) if config else ReportingConfig()


def plot(
    files: Sequence[str],
    *,
    config: ReportingConfig | None = None,
    output: Path | None = None,
    every_column: bool = False,
) -> Written:
    """Write a report that compares training files.

    Args:
        files: Paths, or `NAME=PATH`; none takes those of the config.
        config: What is drawn.
        output: The Markdown file; the HTML file stands beside it. Default: the config's.
        every_column: Draw every column, not only the common ones.

    Raises:
        InputError: If a file is missing, is no table of jets, or a name comes twice.
    """
    config = config or ReportingConfig()
    named = named_files(files) or {item.legend_name: item.input_file for item in config.input_files}
    if not named:
        raise InputError(
            NAMES.finding("no file is named", suggestion="write quarkline plot main=main.parquet")
        )
    tables = [NamedTable(name, open_jets(path)) for name, path in named.items()]
    if every_column:
        config = config.model_copy(update={"plot_every_column": True})
    place = output or config.output_report
    make_folder(place.parent)
    with tempfile.TemporaryDirectory() as folder:
        return written(compare_files(tables, config, Path(folder)), place)


def written(document: Document, place: Path) -> Written:
    """Write a report as Markdown at `place`, and as HTML beside it."""
    markdown = write_markdown(document, place.with_suffix(".md"))
    html = write_document(document, place.with_suffix(".html"))
    return Written(markdown, html, document.headline)


def named_files(texts: Sequence[str]) -> Mapping[str, Path]:
    """Files by name, from texts such as `NAME=PATH` or `PATH`.

    Raises:
        InputError: If a name comes twice, or a file is not there.
    """
    found: dict[str, Path] = {}
    for number, text in enumerate(texts):
        name, sign, path = text.partition("=")
        if not sign or "/" in name:
            name, path = f"file_{number}", text
        if name in found:
            raise InputError(
                NAMES.finding(f"two files are called `{name}`", suggestion="give each its own name")
            )
        (found[name],) = input_files([path])
    return found
