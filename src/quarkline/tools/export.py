"""Export what a run made to files of other programs."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from quarkline.engine.core.extras import missing_extra
from quarkline.engine.core.findings import InputError, Rule, did_you_mean
from quarkline.engine.store.atomic import make_folder
from quarkline.engine.workflow.runs import find_run
from quarkline.learning.models.artifact import load_model, model_key, read_description
from quarkline.learning.models.event_model import EventModel
from quarkline.learning.models.folded import FoldedModel
from quarkline.tools.models import RUNS, find_model

if TYPE_CHECKING:
    from quarkline.tools.taggers import Tagger

GROUP = "quarkline.exports"
"""Entry points of other packages: functions as those in `EXPORTS`."""

UNKNOWN_EXPORT = Rule(
    "QL-EXPORT-003",
    "an export has a format that is written",
    "`onnx` is a trained network with its preprocessing, a file for each fold. `cpp` and "
    "`frugally-deep` are one recurrent network for C++ programs. `numpy` is the features, labels "
    "and weights of a search, an array a file. Other packages may add formats through the entry "
    "point group `quarkline.exports`.",
)
SEVERAL = Rule(
    "QL-EXPORT-009",
    "a C++ export holds one model",
    "A set of folds has a model for each fold, and which one scores an event depends on the event. "
    "`cpp` and `frugally-deep` take one model, so each fold is exported by itself.",
)


@dataclass(frozen=True)
class Exported:
    """What was exported.

    Attributes:
        files: The files that were written.
        headline: What they are, in one sentence.
    """

    files: tuple[Path, ...]
    headline: str


Exporter = Callable[[str, Path, Path], Exported]
"""Exports a run, given as text, to a folder; the last argument is the folder of all runs."""


def export(run: str, format: str, output: Path, *, root: Path = RUNS) -> Exported:  # noqa: A002
    """Export what a run made.

    Args:
        run: A run, or for models a stage, fold, folder or key as `find_model` takes them.
        format: A name in `EXPORTS`, or one that another package brings.
        output: Takes the files.
        root: Folder of all runs.

    Raises:
        InputError: If there is no such run or format, or the run has nothing of that kind.
        WorkError: If the export does not agree with what it was made from.
    """
    if missing := missing_extra("train"):
        raise InputError(*missing)
    return _exporter(format)(run, output, root)


def _onnx(text: str, output: Path, root: Path) -> Exported:
    """A trained network as ONNX files."""
    from quarkline.learning.export.onnx import TOLERANCE, export_onnx

    tagger = _of_an_epoch(text, root)
    if tagger is None:
        found = find_model(text, root)
        place, key = found.place, model_key(found.folder)
        alone = read_description(found.folder)["kind"] == EventModel.kind
        if alone:
            model = FoldedModel.alone(load_model(found.folder, EventModel))
        else:
            model = load_model(found.folder, FoldedModel)
    else:
        model, place, key = FoldedModel.alone(tagger.model), tagger.place, tagger.key
    make_folder(output)
    files = export_onnx(model, key, output)
    return Exported(
        tuple(files),
        f"{len(files)} networks of {place}, which ONNX Runtime computes as torch does, "
        f"within {TOLERANCE:g}",
    )


def _frugally_deep(text: str, output: Path, root: Path) -> Exported:
    """A recurrent network as JSON for frugally-deep."""
    from quarkline.learning.export.frugally_deep.export import TOLERANCE, export_frugally_deep

    found = _one_network(text, root)
    make_folder(output)
    files = export_frugally_deep(found.model, output)
    return Exported(
        tuple(files),
        f"the network of {found.place} for frugally-deep 0.15 (keras2) and 0.20 (keras3), "
        f"read again and computed as torch does, within {TOLERANCE:g}",
    )


def _cpp(text: str, output: Path, root: Path) -> Exported:
    """A recurrent network as a C++ header."""
    from quarkline.learning.export.cpp.export import export_cpp

    found = _one_network(text, root)
    make_folder(output)
    files = export_cpp(found.model, found.key, output)
    return Exported(
        tuple(files),
        f"the network of {found.place} as a C++ header, and a program that compares it with torch: "
        f"c++ -std=c++11 -O2 {files[-1].name} -o test_model && ./test_model",
    )


def _of_an_epoch(text: str, root: Path) -> Tagger | None:
    """The network of a tagging run, of an epoch of it, or of Keras's weights; None if another."""
    from quarkline.tools.taggers import is_tagger, load_tagger

    return load_tagger(text, root) if is_tagger(text, root) else None


def _one_network(text: str, root: Path) -> Tagger:
    """A model that is no set of folds."""
    from quarkline.tools.taggers import Tagger

    if tagger := _of_an_epoch(text, root):
        return tagger
    found = find_model(text, root)
    if read_description(found.folder)["kind"] != EventModel.kind:
        raise InputError(
            SEVERAL.finding(
                f"{found.place} is a set of several models",
                suggestion=f"name one of its folds, as in `{text}/0`, or export to `onnx`",
            )
        )
    return Tagger(load_model(found.folder, EventModel), found.place, model_key(found.folder))


def _numpy(text: str, output: Path, root: Path) -> Exported:
    """The features of a search as NumPy arrays."""
    from quarkline.studies.search.numpy_set import export_numpy

    run = find_run(text, root)
    files = export_numpy(run, output)
    return Exported(files, f"features of {run.name}/{run.number:05d} as NumPy arrays")


EXPORTS: Mapping[str, Exporter] = {
    "cpp": _cpp,
    "frugally-deep": _frugally_deep,
    "numpy": _numpy,
    "onnx": _onnx,
}
"""What can be exported, by the name of the format."""


def _exporter(name: str) -> Exporter:
    if name in EXPORTS:
        return EXPORTS[name]
    points = {point.name: point for point in importlib.metadata.entry_points(group=GROUP)}
    if name in points:
        return points[name].load()  # type: ignore[no-any-return]
    raise InputError(
        UNKNOWN_EXPORT.finding(
            f"there is no export to `{name}`",
            suggestion=did_you_mean(name, {*EXPORTS, *points}, what="formats"),
        )
    )
