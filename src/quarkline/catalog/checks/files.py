"""Checks of the files: those that are absent, and productions that do not go together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from quarkline.catalog.catalog import Catalog
from quarkline.catalog.checks.branches import NO_EVENTS, Branches, SchemaOf, file_schema, short
from quarkline.catalog.checks.names import PlaceOf
from quarkline.catalog.files import InputFile, is_there
from quarkline.catalog.systematics import Varied
from quarkline.engine.core.findings import Finding, Rule, Severity
from quarkline.events.files import missing_file

ABSENT = Rule(
    "QL-CATALOG-030",
    "the files of a sample are there",
    "Files that the analysis names and that are not there change its yields. Where a study says "
    "how many may be absent, more of them are an error.",
    Severity.WARNING,
)
NO_FOLDER = Rule(
    "QL-CATALOG-032",
    "the folders of an analysis are there",
    "None of the files is below the folders named. Replace the folder, for example in the "
    "replacement file, under `files` of a config that extends this one, or with `roots`.",
)
PRODUCTIONS = Rule(
    "QL-CATALOG-070",
    "samples that are compared come from one production",
    "A folder such as `p6266` in the path of a file names the derivation it comes from. Samples of "
    "different ones may lack each other's branches and differ in calibration, and a classifier "
    "learns to tell the productions apart instead of the processes.",
    Severity.NOTE,
)
SHOWN = 3
P_TAG = re.compile(r"p\d{4,5}")


def file_findings(
    catalog: Catalog,
    place: PlaceOf,
    schema_of: SchemaOf = file_schema,
    *,
    allow_missing: int | None = None,
) -> list[Finding]:
    """What is wrong with the files of each sample, and with the expressions in them.

    Args:
        catalog: The analysis.
        place: Where keys stand.
        schema_of: Reads the columns of a tree in a file; files are not opened otherwise.
        allow_missing: How many files may be absent, None if nobody says.
    """
    files = {name: _all_files(catalog, name) for name in catalog.samples}
    named = [file.path for listed in files.values() for file in listed]
    if named and not any(is_there(path) for path in named):
        return [_no_folder(catalog, place, named), *_productions(catalog, files, place)]
    found = [
        *_absent(files, place, allow_missing),
        *_absent_variations(catalog, place),
        *_productions(catalog, files, place),
    ]
    if catalog.reads == "histograms":
        return found
    return [*found, *Branches(catalog, files, schema_of).findings(place)]


def _all_files(catalog: Catalog, sample: str) -> list[InputFile]:
    """The files of a sample in any region it is in, each once."""
    regions: list[str | None] = [name for name in catalog.regions if catalog.holds(sample, name)]
    listed = [file for region in regions or [None] for file in catalog.files_of(sample, region)]
    return list(dict.fromkeys(listed))


def _no_folder(catalog: Catalog, place: PlaceOf, named: list[Path]) -> Finding:
    folders = ", ".join(f"`{folder}`" for folder in catalog.files.folders)
    return NO_FOLDER.finding(
        f"none of {len(named)} files is below {folders or 'the folders of the samples'}",
        suggestion=missing_file(named[0]).suggestion,
        place=place("files", "folders"),
    )


def _absent(
    files: Mapping[str, list[InputFile]], place: PlaceOf, allowed: int | None
) -> Iterator[Finding]:
    """Files that are not there, and samples that have none: a finding each, for all samples."""
    named = {name: list(dict.fromkeys(file.path for file in files[name])) for name in files}
    absent = {name: [path for path in named[name] if not is_there(path)] for name in named}
    whole = [name for name in named if len(absent[name]) == len(named[name])]
    partly = [name for name in named if absent[name] and name not in whole]
    count = sum(len(paths) for paths in absent.values())
    severity = Severity.ERROR if allowed is not None and count > allowed else None
    if partly:
        yield ABSENT.finding(
            _some_absent(named, absent, partly) + _allowance(allowed, count),
            suggestion="name files that are there" + _allow(allowed, count),
            place=place("samples", partly[0], "files", "names"),
            evidence={"absent": {name: [str(path) for path in absent[name]] for name in partly}},
            severity=severity,
        )
    if whole:
        excused = allowed is not None and count <= allowed and count > 0
        yield NO_EVENTS.finding(
            _none_there(named, whole) + ("" if partly else _allowance(allowed, count)),
            suggestion="name files that are there, or leave the samples out"
            + ("" if partly else _allow(allowed, count)),
            place=place("samples", whole[0], "files", "names"),
            evidence={"absent": {name: [str(path) for path in absent[name]] for name in whole}},
            severity=Severity.WARNING if excused else None,
        )


def _allow(allowed: int | None, count: int) -> str:
    return "" if allowed is None or count <= allowed else f", or write `allow_missing: {count}`"


def _allowance(allowed: int | None, count: int) -> str:
    return "" if allowed is None or count <= allowed else f"; {allowed} may be absent"


def _some_absent(
    named: Mapping[str, list[Path]], absent: Mapping[str, list[Path]], partly: list[str]
) -> str:
    gone, of = sum(map(len, absent.values())), sum(map(len, named.values()))
    if gone == len(absent[partly[0]]):
        (name,) = partly
        shown = ", ".join(short(path) for path in absent[name][:SHOWN])
        more = ", ..." if gone > SHOWN else ""
        return f"sample `{name}`: {gone} of {len(named[name])} files are not there: {shown}{more}"
    parts = [f"`{name}` {len(absent[name])} of {len(named[name])}" for name in partly]
    rest = gone - sum(len(absent[name]) for name in partly)
    parts += [f"and all {rest} of samples that have none"] if rest else []
    return f"{gone} of {of} files are not there: {', '.join(parts)}"


def _none_there(named: Mapping[str, list[Path]], whole: list[str]) -> str:
    if len(whole) == 1:
        count = len(named[whole[0]])
        what = f"none of {count} files is there" if count > 1 else "its file is not there"
        return f"sample `{whole[0]}`: {what if count else 'no file is named'}"
    return f"{len(whole)} samples have no file: {', '.join(f'`{name}`' for name in whole)}"


def _absent_variations(catalog: Catalog, place: PlaceOf) -> Iterator[Finding]:
    """Files of one side of a systematic, other than the nominal ones, that are not there."""
    gone: dict[tuple[str, str], dict[Path, None]] = {}
    for sample in catalog.samples:
        for region in catalog.regions:
            nominal = catalog.files_of(sample, region)
            for name, systematic in catalog.systematics_of(sample, region).items():
                sides = systematic.sides if isinstance(systematic, Varied) else {}
                for side, variation in sides.items():
                    other = catalog.files_of(sample, region, variation)
                    absent = _absent_beside(nominal, other)
                    gone.setdefault((name, side), {}).update(dict.fromkeys(absent))
    for (name, side), paths in gone.items():
        if paths:
            yield ABSENT.finding(
                f"systematic `{name}`, {side}: {len(paths)} file"
                + ("s are" if len(paths) > 1 else " is")
                + f" not there, such as {short(next(iter(paths)))}",
                suggestion="name files that are there, or leave the samples out of it",
                place=place("systematics", name, side),
                evidence={"absent": [str(path) for path in paths]},
            )


def _absent_beside(nominal: list[InputFile], other: list[InputFile]) -> list[Path]:
    """Files that are not there, without those whose nominal counterpart is not there either."""
    paired = nominal if len(nominal) == len(other) else other
    known = {file.path for file in nominal}
    return [
        file.path
        for file, partner in zip(other, paired, strict=True)
        if file.path not in known and not is_there(file.path)
        if partner is file or is_there(partner.path)
    ]


def _productions(
    catalog: Catalog, files: Mapping[str, list[InputFile]], place: PlaceOf
) -> Iterator[Finding]:
    """Simulated samples whose paths name different derivations."""
    samples: dict[str, list[str]] = {}
    for name, listed in files.items():
        tags = {part for file in listed for part in file.path.parts if P_TAG.fullmatch(part)}
        for tag in sorted(tags) if catalog.samples[name].role != "data" else ():
            samples.setdefault(tag, []).append(name)
    if len(samples) < 2:
        return
    said = [f"{tag} ({_some(names)})" for tag, names in sorted(samples.items())]
    fewest = min(samples.values(), key=len)
    yield PRODUCTIONS.finding(
        f"the simulation comes from {len(samples)} productions: {', '.join(said)}",
        suggestion="take all samples from one, or leave out features that differ between them",
        place=place("samples", fewest[0], "files", "names"),
        evidence={"samples": samples},
    )


def _some(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:SHOWN])
    return shown + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
