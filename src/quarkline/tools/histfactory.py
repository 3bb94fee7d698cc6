"""HistFactory's XML with its ROOT files as a workspace, by way of pyhf."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree as ET

from quarkline.engine.core.findings import Finding, InputError, Place, Rule, Severity
from quarkline.statistics.likelihood.spec import Gaussian, LikelihoodSpec, Parameter, Poisson

BAD_XML = Rule(
    "QL-FIT-054",
    "HistFactory's XML can be read with its files",
    "The XML of a measurement names the XML of its channels, and these name ROOT files, all by "
    "paths from one folder: the one where hist2workspace was run. Without --root-dir it is looked "
    "for at the XML file, in the folder above, and in the current one.",
)

MOVED = Rule(
    "QL-FIT-057",
    "ROOT files of XML are where it says",
    "XML holds the paths of ROOT files on the computer that wrote it. One that is not there is "
    "taken from the folder of the XML, where an export has it, by the longest part of its path "
    "that is found there.",
    Severity.NOTE,
)


@dataclass(frozen=True)
class MeasurementXml:
    """What HistFactory's XML says.

    Attributes:
        workspace: The measurement as a workspace in pyhf's format.
        errors: How channels treat the statistics of their simulation, by name.
        findings: Files that were taken from elsewhere.
    """

    workspace: dict[str, Any]
    errors: Mapping[str, StatErrors]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class StatErrors:
    """What the XML of a channel says about the statistics of its simulation.

    Attributes:
        poisson: Whether they are constrained by counts, as TRExFitter has it.
        threshold: Relative error below which a bin has no parameter of its own.
    """

    poisson: bool
    threshold: float


def read_xml(path: Path, root_dir: Path | None = None) -> MeasurementXml:
    """The measurement as a workspace in pyhf's format, and what that does not tell.

    Args:
        path: XML of the measurement, with the root element `Combination`.
        root_dir: Folder from which its paths count; None to look for it.

    Raises:
        InputError: If it is something else, or a file is missing.
    """
    from pyhf import readxml

    inputs = _inputs(path)
    folder = _root_dir(path, inputs) if root_dir is None else root_dir
    try:
        moved = _moved(path, folder, inputs)
        mounts = [(new.parent, old.parent) for old, new in moved.items()]
        readxml.clear_filecache()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of what pyhf validates with
            workspace = readxml.parse(path, folder, mounts, track_progress=False)
        found = cast("dict[str, Any]", workspace)
        return MeasurementXml(found, _stat_errors(folder, inputs), _told(path, moved))
    except (OSError, KeyError, ValueError, RuntimeError, ET.ParseError) as error:
        reason = error.args[0] if isinstance(error, KeyError) else error
        message = f"cannot be read from {folder}: {reason}"
        suggestion = "name the folder from which its paths count as --root-dir DIR"
        raise InputError(
            BAD_XML.finding(message, suggestion=suggestion, place=Place(path))
        ) from error


def with_stated_errors(spec: LikelihoodSpec, errors: Mapping[str, StatErrors]) -> LikelihoodSpec:
    """The likelihood with gammas as the XML states them, which pyhf's format cannot.

    A count that came out as tau has the relative error tau^(-1/2). Bins below the threshold keep
    their gamma at 1.

    Args:
        spec: The likelihood, whose gammas are called as pyhf calls them.
        errors: What the XML says, by channel.
    """
    stated = {f"staterror_{channel}[": rule for channel, rule in errors.items()}
    rows = []
    for row in spec.parameters:
        rule = next((rule for name, rule in stated.items() if row.name.startswith(name)), None)
        rows.append(row if rule is None else _gamma(row, rule))
    return replace(spec, parameters=tuple(rows))


def _gamma(row: Parameter, rule: StatErrors) -> Parameter:
    if not isinstance(row.constraint, Gaussian):
        return row
    width = row.constraint.width
    if width < rule.threshold:
        return replace(row, fixed=True, constraint=None)
    return replace(row, constraint=Poisson(width**-2.0)) if rule.poisson else row


def _stat_errors(folder: Path, inputs: list[str]) -> dict[str, StatErrors]:
    """The `StatErrorConfig` of each channel that has one; what it leaves out is as in pyhf."""
    found = {}
    for name in inputs:
        channel = ET.parse(folder / name).getroot()  # noqa: S314
        config = channel.find("StatErrorConfig")
        if config is not None:
            poisson = config.get("ConstraintType", "").casefold() == "poisson"
            threshold = float(config.get("RelErrorThreshold", "0"))
            found[channel.get("Name", "")] = StatErrors(poisson, threshold)
    return found


def _inputs(path: Path) -> list[str]:
    """The paths of the channels' XML."""
    try:
        root = ET.parse(path).getroot()  # noqa: S314  expat refuses exploding entities
    except (OSError, ET.ParseError) as error:
        raise InputError(BAD_XML.finding(str(error), place=Place(path))) from error
    inputs = [(item.text or "").strip() for item in root.iter("Input")]
    if root.tag != "Combination" or not inputs:
        message = f"the XML of a `{root.tag}`, not of a measurement"
        suggestion = "give the file with `<Combination>`, which names the channels as `<Input>`"
        raise InputError(BAD_XML.finding(message, suggestion=suggestion, place=Place(path)))
    return inputs


def _moved(path: Path, folder: Path, inputs: list[str]) -> dict[Path, Path]:
    """Where ROOT files are that are not where the XML says, as far as they are found."""
    named = {
        Path(name)
        for channel in inputs
        for element in ET.parse(folder / channel).getroot().iter()  # noqa: S314
        if (name := element.get("InputFile"))
    }
    bases = dict.fromkeys(item.absolute() for item in (folder, path.parent))
    found = {}
    for old in sorted(named):
        if not (folder / old).is_file():
            tails = (Path(*old.parts[at:]) for at in range(len(old.parts)))
            places = (base / tail for tail in tails if not tail.is_absolute() for base in bases)
            new = next((place for place in places if place.is_file()), None)
            found |= {old: new} if new else {}
    return found


def _told(path: Path, moved: Mapping[Path, Path]) -> tuple[Finding, ...]:
    return tuple(
        MOVED.finding(f"`{old}` is not there, and `{new}` is read", place=Place(path))
        for old, new in moved.items()
    )


def _root_dir(path: Path, inputs: list[str]) -> Path:
    """The folder from which all channels are found; that of the XML if there is none."""
    return next((folder for folder in _folders(path) if _all_in(folder, inputs)), path.parent)


def _folders(path: Path) -> Iterator[Path]:
    yield path.parent
    yield path.absolute().parent.parent
    yield Path.cwd()


def _all_in(folder: Path, inputs: list[str]) -> bool:
    return all((folder / name).is_file() for name in inputs)
