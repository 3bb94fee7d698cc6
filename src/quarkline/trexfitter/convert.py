"""A config as our YAML, with comments that say where it came from."""

from __future__ import annotations

import io
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from quarkline.engine.core.config import ConfigFile
from quarkline.engine.core.findings import Place
from quarkline.trexfitter.job import Job

COMMENTED = ("samples", "regions", "systematics", "norm_factors", "shape_factors")
WIDTH = 100
SHORT = 12
"""Lists of no more items than this stand in one line."""


def converted(job: Job) -> str:
    """The analysis of a job as a config in YAML, equal to the job's catalog when it is read.

    Args:
        job: The job; what its options change is part of the text.
    """
    data: dict[str, Any] = _changed(job.catalog)
    text = io.StringIO()
    yaml = YAML()
    yaml.width = WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(_document(data, job), text)
    return f"{_head(job)}\n{text.getvalue()}"


def _head(job: Job) -> str:
    lines = [
        f"The job `{job.config.job.name if job.config.job else job.name}` of TRExFitter, from",
        *(f"  {path}" for path in dict.fromkeys(job.config.files)),
        "",
        "A study takes it as its parent: `extends: this-file.yaml`.",
    ]
    return "\n".join(f"# {line}".rstrip() for line in lines)


def _changed(value: Any) -> Any:
    """A model as a map of the keys that differ from their defaults; `kind` always stands."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {
            name: _changed(item)
            for name, field in fields.items()
            if (item := getattr(value, name)) != field.get_default(call_default_factory=True)
            or name == "kind"
        }
    if isinstance(value, Mapping):
        return {str(name): _changed(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_changed(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, str) else value


def _document(data: Mapping[str, Any], job: Job) -> CommentedMap:
    """The keys with the place of each part's block as a comment."""
    document: CommentedMap = _styled(data)
    for key in COMMENTED:
        for name in data.get(key, {}):
            place = _place_of(job.file, key, name)
            if place and place.file:
                where = f"{_short(place.file, job.config.base)}:{place.line}"
                document[key].yaml_set_comment_before_after_key(name, before=where, indent=2)
    return document


def _place_of(file: ConfigFile, *at: str) -> Place | None:
    return file.places.get(at)


def _short(path: Path, base: Path) -> str:
    whole = path.resolve()
    return str(whole.relative_to(base)) if whole.is_relative_to(base) else str(path)


def _styled(value: Any) -> Any:
    """Maps and lists as the writer takes them; short lists of plain values in one line."""
    if isinstance(value, Mapping):
        return CommentedMap({name: _styled(item) for name, item in value.items()})
    if isinstance(value, list):
        listed = CommentedSeq([_styled(item) for item in value])
        if len(value) <= SHORT and not any(isinstance(item, dict | list) for item in value):
            listed.fa.set_flow_style()
        return listed
    return DoubleQuotedScalarString(value) if isinstance(value, str) else value
