"""Stage `export`: the chosen network in every format that can express it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from quarkline.engine.core.findings import InputError
from quarkline.engine.store.atomic import make_folder
from quarkline.engine.workflow.stage import Context
from quarkline.learning.models.event_model import EventModel
from quarkline.studies.tagging.export.config import ExportConfig, Format
from quarkline.studies.tagging.export.results import ExportedFormat, Exports

EXPORTS = "exports"


def run(context: Context) -> dict[str, Any]:
    """Write each format; what a format cannot express is told, and stops nothing."""
    from quarkline.learning.models.artifact import load_model, model_key

    config: ExportConfig = context.config
    folder = context.out / EXPORTS
    make_folder(folder)
    model, key = load_model(context.path("model"), EventModel), model_key(context.path("model"))
    formats = tuple(exported(model, key, name, folder / name) for name in config.formats)
    done = [one.format for one in formats if not one.reason]
    context.summary(f"as {', '.join(done)}" if done else "in no format")
    return {EXPORTS: folder, "exported": Exports(key, formats)}


def exported(model: EventModel, key: str, name: Format, folder: Path) -> ExportedFormat:
    """Write a network in one format.

    Args:
        model: The network.
        key: Its content key.
        name: The format.
        folder: Takes the files; it is not made if the format cannot express the network.

    Raises:
        WorkError: If the files do not give the network's scores.
    """
    folder.mkdir(parents=True)
    try:
        tolerance = WRITERS[name](model, key, folder)
    except InputError as error:
        folder.rmdir()
        reason = " ".join(f"{one.message} {one.suggestion or ''}".strip() for one in error.findings)
        return ExportedFormat(name, (), None, reason)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = (f"{name}/{path.relative_to(folder).as_posix()}" for path in files)
    return ExportedFormat(name, tuple(names), tolerance)


def _frugally_deep(model: EventModel, _: str, folder: Path) -> float:
    from quarkline.learning.export.frugally_deep.export import TOLERANCE, export_frugally_deep

    export_frugally_deep(model, folder)
    return TOLERANCE


def _cpp(model: EventModel, key: str, folder: Path) -> float:
    from quarkline.learning.export.cpp.export import TOLERANCE, export_cpp

    export_cpp(model, key, folder)
    return TOLERANCE


def _onnx(model: EventModel, key: str, folder: Path) -> float:
    from quarkline.learning.export.onnx import TOLERANCE, export_onnx
    from quarkline.learning.models.folded import FoldedModel

    export_onnx(FoldedModel.alone(model), key, folder)
    return TOLERANCE


WRITERS: Mapping[str, Callable[[EventModel, str, Path], float]] = {
    "frugally-deep": _frugally_deep,
    "cpp": _cpp,
    "onnx": _onnx,
}
