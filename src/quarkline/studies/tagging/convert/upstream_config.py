"""The CalRatio trainer's own config of its converter, and what its keys mean here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field

from quarkline.engine.core.config import Config, ConfigFile, ConfigPath
from quarkline.engine.core.findings import Finding, Rule, Severity
from quarkline.studies.tagging.convert import ntuple

MARK = "input_files"
"""The key that tells such a config from ours."""

SPELT_OTHERWISE = Rule(
    "QL-TAG-010",
    "keys of the CalRatio trainer are understood",
    "A config of the trainer's converter is read as it is. Its keys have other names here, and "
    "lists of branches and new names of columns are fixed, so that every table has the same "
    "columns. A key that the trainer would have ignored without a word is an error.",
    Severity.NOTE,
)


class UpstreamFiles(Config):
    """Ntuples of one kind, in the trainer's words."""

    input_file: ConfigPath = Field(description="Path or glob: `files`.")
    data_type: Literal["sig", "qcd", "bib"] = Field("sig", description="`kind`.")
    output_dir: str | None = Field(None, description="`folder`.")
    llp_mH: float | None = Field(None, ge=0, description="`llp_mH`.")  # noqa: N815
    llp_mS: float | None = Field(None, ge=0, description="`llp_mS`.")  # noqa: N815


class UpstreamConvertConfig(Config):
    """The trainer's converter, in its own words."""

    input_files: list[UpstreamFiles] = Field(min_length=1, description="`ntuples`.")
    output_path: ConfigPath | None = Field(None, description="`output`.")
    min_jet_pt: float | None = Field(None, ge=0, description="`min_jet_pt`.")
    max_jet_pt: float | None = Field(None, gt=0, description="`max_jet_pt`.")
    llp_mH: float | None = Field(None, ge=0, description="Of files that name none.")  # noqa: N815
    llp_mS: float | None = Field(None, ge=0, description="Of files that name none.")  # noqa: N815
    signal_branches: list[str] | None = Field(None, description="Fixed here.")
    qcd_branches: list[str] | None = Field(None, description="Fixed here.")
    bib_branches: list[str] | None = Field(None, description="Fixed here.")
    rename_branches: dict[str, str] | None = Field(None, description="Fixed here.")


def is_upstreams(file: ConfigFile) -> bool:
    """Whether a config is one of the trainer's converter."""
    return MARK in file.data


def in_our_words(file: ConfigFile) -> tuple[dict[str, Any], tuple[Finding, ...]]:
    """The keys of a trainer's config as ours, and a word on each that is spelt otherwise.

    Raises:
        InputError: If a key is not the trainer's, or has a wrong value.
    """
    config = file.validate(UpstreamConvertConfig)
    ntuples = [
        {
            "files": [str(item.input_file)],
            "kind": item.data_type,
            "folder": item.output_dir or "",
            "llp_mH": item.llp_mH if item.llp_mH is not None else config.llp_mH or 0.0,
            "llp_mS": item.llp_mS if item.llp_mS is not None else config.llp_mS or 0.0,
        }
        for item in config.input_files
    ]
    given: dict[str, Any] = {
        "ntuples": ntuples,
        "output": config.output_path and str(config.output_path),
        "min_jet_pt": config.min_jet_pt,
        "max_jet_pt": config.max_jet_pt,
    }
    data = {name: value for name, value in given.items() if value is not None}
    return data, tuple(_words(config, file))


def _words(config: UpstreamConvertConfig, file: ConfigFile) -> Iterator[Finding]:
    yield SPELT_OTHERWISE.finding(
        "`input_files` is `ntuples` here, `input_file` is `files`, `data_type` is `kind`, "
        "`output_dir` is `folder` and `output_path` is `output`",
        place=file.place(MARK),
    )
    for kind, key in (("sig", "signal"), ("qcd", "qcd"), ("bib", "bib")):
        given = getattr(config, f"{key}_branches")
        if given is not None:
            yield SPELT_OTHERWISE.finding(
                f"`{key}_branches` {_differs(given, ntuple.BRANCHES[kind])}",  # type: ignore[index]
                place=file.place(f"{key}_branches"),
            )
    if config.rename_branches is not None:
        yield SPELT_OTHERWISE.finding(
            f"`rename_branches` {_renames(config.rename_branches)}",
            place=file.place("rename_branches"),
        )


def _differs(given: list[str], read: tuple[str, ...]) -> str:
    more = [name for name in given if name not in read]
    less = [name for name in read if name not in given]
    told = [
        f"{words}: {', '.join(f'`{name}`' for name in names)}"
        for words, names in (("not read", more), ("read all the same", less))
        if names
    ]
    return "has no effect, the branches are fixed; " + ("; ".join(told) or "these are they")


def _renames(given: Mapping[str, str]) -> str:
    other = [f"`{old}: {new}`" for old, new in given.items() if _today(old) != new]
    what = f"not done: {', '.join(other)}" if other else "these are done"
    return f"has no effect, the names of columns are fixed; {what}"


def _today(name: str) -> str:
    known = {"nn_jet_index": "jet_jetIndex", ntuple.CLUSTER_JET: "clus_jetIndex"}
    return known.get(name, ntuple.renamed(name))
