"""Likelihoods from files: pyhf's JSON, alone or in an archive, HistFactory's XML, and our own."""

from __future__ import annotations

import json
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from quarkline.engine.core.findings import (
    Finding,
    InputError,
    Place,
    Rule,
    Severity,
    did_you_mean,
    nearest,
)
from quarkline.statistics.likelihood.spec import LikelihoodSpec
from quarkline.statistics.likelihood.spec_json import SCHEMA, spec_from_json
from quarkline.statistics.likelihood.workspace import spec_from_workspace
from quarkline.tools.histfactory import read_xml, with_stated_errors

NOT_WORKSPACE = Rule(
    "QL-FIT-050",
    "a likelihood comes as a workspace",
    "A workspace is pyhf's JSON with `channels`, `observations` and `measurements`, the XML of a "
    "HistFactory measurement, or the specification that Quarkline writes. A patch or a patch set "
    "changes a workspace and is not one itself.",
)
WHICH_WORKSPACE = Rule(
    "QL-FIT-051",
    "an archive says which of its workspaces is meant",
    "Published likelihoods come as archives with a workspace for each region. Name the one to fit "
    "as ARCHIVE:MEMBER, or its folder as ARCHIVE:FOLDER.",
)
UNKNOWN_PATCH = Rule(
    "QL-FIT-052",
    "a patch is known by its name",
    "Signals of a published likelihood are patches of the workspace: files such as "
    "`patch.NAME.json` beside it, or entries of a patch set beside it.",
)
UNKNOWN_POI = Rule(
    "QL-FIT-053",
    "the measured parameter is one of the likelihood",
    "`--poi` measures another parameter than the workspace says: one of its parameters, by name.",
)
NOTHING_MEASURED = Rule(
    "QL-FIT-058",
    "the parameter that a measurement names is one of the likelihood",
    "Background-only workspaces of published likelihoods name the strength of signals that their "
    "patches add: without a patch they measure nothing. In any other workspace such a name is a "
    "slip, and no parameter is measured until `--poi` names one.",
    severity=Severity.NOTE,
)

LARGEST = 1 << 30  # bytes of a JSON file that are read


@dataclass(frozen=True)
class Files:
    """Files of a folder or an archive, which are read without being unpacked.

    Attributes:
        label: The folder or archive, as the user named it.
        names: Their names, relative to it.
        read: Gives the content of one.
        sign: What stands between label and name where a user names one.
    """

    label: str
    names: tuple[str, ...]
    read: Callable[[str], bytes]
    sign: str = "/"

    def named(self, name: str) -> str:
        """A file as a user names it."""
        return f"{self.label}{self.sign}{name}" if self.label != "." else name

    def json(self, name: str) -> Any:
        """A file of JSON.

        Raises:
            InputError: If it is none.
        """
        try:
            return json.loads(self.read(name))
        except (ValueError, UnicodeDecodeError, RecursionError) as error:
            message = f"not JSON: {error}"
            raise InputError(NOT_WORKSPACE.finding(message, place=self.place(name))) from error

    def place(self, name: str) -> Place:
        """Where a file is, for messages."""
        return Place(Path(self.named(name)))

    def beside(self, name: str) -> list[str]:
        """The JSON files in the folder of a file, without itself."""
        folder = PurePosixPath(name).parent
        return [
            other
            for other in self.names
            if PurePosixPath(other).parent == folder and other.endswith(".json") and other != name
        ]


@dataclass(frozen=True)
class Source:
    """A likelihood that was read.

    Attributes:
        name: What it was read from.
        patch: Name of its patch; None without one.
        spec: The likelihood.
        patches: Names of the patches that come with it.
        findings: What is to be said about its files.
    """

    name: str
    patch: str | None
    spec: LikelihoodSpec
    patches: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def read_likelihood(
    workspace: str,
    *,
    patch: str | None = None,
    measurement: str | None = None,
    poi: str | None = None,
    root_dir: Path | None = None,
) -> Source:
    """Read a likelihood.

    Args:
        workspace: A file of JSON or XML, an archive of published likelihoods, or ARCHIVE:MEMBER.
        patch: Name of a patch that comes with the workspace, a file with one, or FILE:NAME.
        measurement: Name of the measurement; None for the first.
        poi: The parameter to measure; None for the measurement's.
        root_dir: Folder from which the paths in XML count.

    Raises:
        InputError: If there is no such likelihood, patch, measurement or parameter.
    """
    if _path(workspace).suffix == ".xml":
        if patch is not None:
            message = f"`{workspace}` is XML, which has no patches"
            raise InputError(UNKNOWN_PATCH.finding(message))
        read = read_xml(Path(workspace), root_dir)
        spec = _spec(read.workspace, workspace, None, measurement, poi)
        stated = with_stated_errors(spec, read.errors)
        told = (*read.findings, *_unmeasured(read.workspace, measurement, stated, ()))
        return Source(workspace, None, stated, findings=told)
    found = read_json(workspace, patch)
    spec = _spec(found.content, found.name, found.operations, measurement, poi)
    unused = () if patch else found.patches
    told = tuple(_unmeasured(found.content, measurement, spec, unused))
    return Source(found.name, patch, spec, found.patches, told)


@dataclass(frozen=True)
class Json:
    """What was read of a workspace in JSON.

    Attributes:
        content: The workspace.
        name: Its file, as a user names it.
        operations: Those of the patch; None without one.
        patches: Names of the patches that come with it.
    """

    content: Any
    name: str
    operations: list[Any] | None
    patches: tuple[str, ...]


def read_json(workspace: str, patch: str | None = None) -> Json:
    """Read a workspace in JSON, and a patch.

    Args:
        workspace: A file, an archive, or ARCHIVE:MEMBER.
        patch: Name of a patch that comes with the workspace, a file with one, or FILE:NAME.

    Raises:
        InputError: If there is no such file or patch.
    """
    files, name = _files(workspace)
    beside = _Patches(files, name)
    operations = None if patch is None else _operations(beside, patch)
    return Json(files.json(name), files.named(name), operations, tuple(sorted(beside.names)))


def _spec(
    content: Any,
    name: str,
    operations: list[Any] | None,
    measurement: str | None,
    poi: str | None,
) -> LikelihoodSpec:
    if isinstance(content, Mapping) and content.get("schema") == SCHEMA:
        spec = _own(content, name)
    elif _is_workspace(content):
        spec = spec_from_workspace(dict(content), measurement=measurement, patch=operations)
    else:
        raise InputError(_not_workspace(content, name))
    return spec if poi is None else with_poi(spec, poi)


def _unmeasured(
    content: Mapping[str, Any],
    measurement: str | None,
    spec: LikelihoodSpec,
    patches: Sequence[str],
) -> Iterator[Finding]:
    """What is to be said if the measurement names no parameter of the likelihood."""
    if spec.poi is not None or "measurements" not in content:
        return
    measured = {one["name"]: one["config"]["poi"] for one in content["measurements"]}
    name = measured[measurement] if measurement else next(iter(measured.values()))
    if not name:
        return
    factors = [row.name for row in spec.parameters if row.role == "norm-factor"]
    suggestion = did_you_mean(name, factors, what="norm factors to name as --poi")
    if patches:
        suggestion = f"choose one of its {len(patches)} signals, such as --patch {patches[0]}"
    message = f"there is no parameter `{name}`, which the measurement is of: nothing is measured"
    yield NOTHING_MEASURED.finding(message, suggestion=suggestion)


def with_poi(spec: LikelihoodSpec, poi: str) -> LikelihoodSpec:
    """The likelihood with another measured parameter.

    Raises:
        InputError: If it has no such parameter.
    """
    names = [parameter.name for parameter in spec.parameters]
    if poi not in names:
        factors = [row.name for row in spec.parameters if row.role == "norm-factor"]
        known = names if nearest(poi, names) else factors
        suggestion = did_you_mean(poi, known, what="norm factors")
        message = f"there is no parameter `{poi}` to measure"
        raise InputError(UNKNOWN_POI.finding(message, suggestion=suggestion))
    return replace(spec, poi=poi)


def _own(content: Mapping[str, Any], name: str) -> LikelihoodSpec:
    try:
        return spec_from_json(content)
    except ValueError as error:
        message = f"a damaged specification: {error}"
        raise InputError(NOT_WORKSPACE.finding(message, place=Place(Path(name)))) from error


def _not_workspace(content: Any, name: str) -> Finding:
    """What a file is instead of a workspace."""
    if _is_patch(content):
        message, suggestion = "a patch, not a workspace", "give the workspace, and this as --patch"
    elif isinstance(content, Mapping) and "patches" in content:
        message = "a patch set, not a workspace"
        suggestion = "give the workspace, and the name of one of these patches as --patch"
    else:
        keys = ", ".join(sorted(content)[:8]) if isinstance(content, Mapping) else ""
        message = "no workspace" + (f": its keys are {keys}" if keys else "")
        suggestion = "a workspace has `channels`, `observations`, `measurements` and `version`"
    return NOT_WORKSPACE.finding(message, suggestion=suggestion, place=Place(Path(name)))


def _files(workspace: str) -> tuple[Files, str]:
    """The files around a workspace, and its name among them."""
    path = _path(workspace)
    member = workspace.removeprefix(str(path)).removeprefix(":") if path != Path(workspace) else ""
    if not path.exists():
        message = f"`{path}` does not exist"
        near = did_you_mean(path.name, _likelihoods_in(path.parent), what="likelihoods")
        raise InputError(NOT_WORKSPACE.finding(message, suggestion=near))
    if path.is_dir():
        return (files := _folder(path)), _chosen(files, member)
    if tarfile.is_tarfile(path):
        return (files := _archive(path)), _chosen(files, member)
    return _folder(path.parent), path.name


def _path(workspace: str) -> Path:
    """The file or archive of a name that may have a member's name behind it."""
    whole, (file, _, _) = Path(workspace), workspace.rpartition(":")
    return whole if whole.exists() or not file or not Path(file).exists() else Path(file)


def _likelihoods_in(folder: Path) -> list[str]:
    paths = folder.iterdir() if folder.is_dir() else []
    return [path.name for path in paths if path.name.endswith((".json", ".xml", ".gz", ".tar"))]


def _folder(path: Path) -> Files:
    names = tuple(sorted(file.name for file in path.iterdir() if file.is_file()))
    return Files(str(path), names, lambda name: (path / name).read_bytes())


def _archive(path: Path) -> Files:
    try:
        with tarfile.open(path) as archive:
            sizes = {row.name: row.size for row in archive.getmembers() if row.isfile()}
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        message = f"a damaged archive: {error}"
        suggestion = "download it again"
        finding = NOT_WORKSPACE.finding(message, suggestion=suggestion, place=Place(path))
        raise InputError(finding) from error

    def read(name: str) -> bytes:
        if sizes[name] > LARGEST:
            message = f"{name} has {sizes[name]:,} bytes, which is more than a likelihood takes"
            raise InputError(NOT_WORKSPACE.finding(message, place=Place(path)))
        with tarfile.open(path) as archive:
            member = archive.extractfile(name)
            return b"" if member is None else member.read()

    return Files(str(path), tuple(sorted(sizes)), read, ":")


def _chosen(files: Files, member: str) -> str:
    """The workspace that is meant: the named one, the one of a folder, or the only one."""
    if member in files.names:
        return member
    below = f"{member.rstrip('/')}/" if member else ""
    jsons = [name for name in files.names if name.endswith(".json")]
    likely = [name for name in jsons if not _is_named_as_patch(name)]
    inside = [name for name in likely if name.startswith(below)]
    found = [name for name in inside if _is_workspace(files.json(name))]
    if len(found) == 1:
        return found[0]
    if not found:
        what = f"`{member}`" if member else "workspace"
        message = f"there is no {what} in it"
        ways = {name for file in likely for name in _ways_to(file)}
        near = did_you_mean(member, ways, what="files of JSON")
    else:
        message = f"it has {len(found)} workspaces"
        near = "write one of " + ", ".join(files.named(name) for name in found[:6])
    raise InputError(
        WHICH_WORKSPACE.finding(message, suggestion=near, place=Place(Path(files.label)))
    )


def _is_named_as_patch(name: str) -> bool:
    return PurePosixPath(name).name.startswith("patch")


def _ways_to(file: str) -> list[str]:
    """How a member can be named: by itself, or by its folder."""
    folder = str(PurePosixPath(file).parent)
    return [file] if folder == "." else [file, folder]


def _is_workspace(content: Any) -> bool:
    return isinstance(content, Mapping) and {"channels", "measurements"} <= content.keys()


def _is_patch(content: Any) -> bool:
    return isinstance(content, list) and all(isinstance(row, Mapping) for row in content)


@dataclass(frozen=True)
class _Patches:
    """The patches beside a workspace: files of their own, and entries of patch sets."""

    files: Files
    workspace: str

    @cached_property
    def singles(self) -> dict[str, str]:
        """Files by the patch's name."""
        names = filter(_is_named_as_patch, self.files.beside(self.workspace))
        return {
            PurePosixPath(name).name.removesuffix(".json").removeprefix("patch."): name
            for name in names
            if "patchset" not in name
        }

    @cached_property
    def entries(self) -> dict[str, list[Any]]:
        """Operations by the patch's name, of patch sets."""
        sets = [name for name in self.files.beside(self.workspace) if "patchset" in name]
        return {key: row for name in sets for key, row in _entries(self.files.json(name)).items()}

    @property
    def names(self) -> set[str]:
        return {*self.singles, *self.entries}


def _operations(beside: _Patches, patch: str) -> list[Any]:
    """The operations of a patch: a file's, one of a patch set, or one beside the workspace."""
    path = _path(patch)
    if path.is_file():
        rest = patch.removeprefix(str(path)).removeprefix(":") if path != Path(patch) else ""
        return _of_content(_folder(path.parent).json(path.name), rest, str(path))
    if patch in beside.singles:
        name = beside.singles[patch]
        return _of_content(beside.files.json(name), "", beside.files.named(name))
    if patch in beside.entries:
        return beside.entries[patch]
    raise InputError(
        UNKNOWN_PATCH.finding(
            f"there is no patch `{patch}`",
            suggestion=did_you_mean(patch, beside.names, what="patches"),
            place=beside.files.place(beside.workspace),
        )
    )


def _of_content(content: Any, name: str, file: str) -> list[Any]:
    """The operations in a file that is a patch, or a patch set with one of that name."""
    if _is_patch(content) and not name:
        return list(content)
    entries = _entries(content)
    if not name and len(entries) == 1:
        return next(iter(entries.values()))
    if name in entries:
        return entries[name]
    message = f"there is no patch `{name}`" if name else f"it holds {len(entries)} patches"
    near = did_you_mean(name, entries, what="patches")
    suggestion = near if name else f"name one as {file}:NAME; {near}"
    raise InputError(UNKNOWN_PATCH.finding(message, suggestion=suggestion, place=Place(Path(file))))


def _entries(content: Any) -> dict[str, list[Any]]:
    """The patches of a patch set by name."""
    rows = content.get("patches", []) if isinstance(content, Mapping) else []
    return {row["metadata"]["name"]: row["patch"] for row in rows}
