"""HistFactory's XML with its ROOT files as a workspace, by way of pyhf."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree as ET

from quarkline.engine.core.findings import InputError, Place, Rule

BAD_XML = Rule(
    "QL-FIT-054",
    "HistFactory's XML can be read with its files",
    "The XML of a measurement names the XML of its channels, and these name ROOT files, all by "
    "paths from one folder: the one where hist2workspace was run. Without --root-dir it is looked "
    "for at the XML file, in the folder above, and in the current one.",
)


def read_xml(path: Path, root_dir: Path | None = None) -> dict[str, Any]:
    """The measurement as a workspace in pyhf's format.

    Args:
        path: XML of the measurement, with the root element `Combination`.
        root_dir: Folder from which its paths count; None to look for it.

    Raises:
        InputError: If it is something else, or a file is missing.
    """
    from pyhf import readxml

    folder = _root_dir(path, _inputs(path)) if root_dir is None else root_dir
    try:
        readxml.clear_filecache()
        return cast("dict[str, Any]", readxml.parse(path, folder, track_progress=False))
    except (OSError, KeyError, ValueError, RuntimeError, ET.ParseError) as error:
        reason = error.args[0] if isinstance(error, KeyError) else error
        message = f"cannot be read from {folder}: {reason}"
        suggestion = "name the folder from which its paths count as --root-dir DIR"
        raise InputError(
            BAD_XML.finding(message, suggestion=suggestion, place=Place(path))
        ) from error


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


def _root_dir(path: Path, inputs: list[str]) -> Path:
    """The folder from which all channels are found; that of the XML if there is none."""
    return next((folder for folder in _folders(path) if _all_in(folder, inputs)), path.parent)


def _folders(path: Path) -> Iterator[Path]:
    yield path.parent
    yield path.absolute().parent.parent
    yield Path.cwd()


def _all_in(folder: Path, inputs: list[str]) -> bool:
    return all((folder / name).is_file() for name in inputs)
