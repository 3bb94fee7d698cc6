"""The schema of pyhf's workspaces, version 1.0.0, as types: what a workspace may hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict, TypeAdapter, ValidationError

from quarkline.engine.core.findings import Finding, Place, Rule, did_you_mean

WORKSPACE = Rule(
    "QL-FIT-005",
    "a workspace is what pyhf's schema says",
    "Workspaces are JSON files of the HistFactory format of pyhf. The message names the place in "
    "the file, counted from 0, that its schema does not allow.",
)
MOST_SHOWN = 10

Number = Annotated[float, Strict()]
Numbers = Annotated[list[Number], Field(min_length=1)]
Name = Annotated[str, Strict()]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _HistoSides(_Part):
    hi_data: Numbers
    lo_data: Numbers


class _NormSides(_Part):
    hi: Number
    lo: Number


class _HistoSys(_Part):
    name: Name
    type: Literal["histosys"]
    data: _HistoSides


class _NormSys(_Part):
    name: Name
    type: Literal["normsys"]
    data: _NormSides


class _Errors(_Part):
    name: Name
    type: Literal["shapesys", "staterror"]
    data: Numbers


class _Factor(_Part):
    name: Name
    type: Literal["normfactor", "shapefactor"]
    data: None


class _Lumi(_Part):
    name: Literal["lumi"]
    type: Literal["lumi"]
    data: None


_Modifier = Annotated[_HistoSys | _NormSys | _Errors | _Factor | _Lumi, Field(discriminator="type")]
_KINDS = ("histosys", "lumi", "normfactor", "normsys", "shapefactor", "shapesys", "staterror")


class _Sample(_Part):
    name: Name
    data: Numbers
    modifiers: list[_Modifier]


class _Channel(_Part):
    name: Name
    samples: Annotated[list[_Sample], Field(min_length=1)]


class _Parameter(_Part):
    name: Name
    inits: Numbers = Field(default_factory=list)
    bounds: Annotated[list[list[Number]], Field(min_length=1)] = Field(default_factory=list)
    auxdata: Numbers = Field(default_factory=list)
    factors: Numbers = Field(default_factory=list)
    sigmas: Numbers = Field(default_factory=list)
    fixed: Annotated[bool, Strict()] = False


class _Config(_Part):
    poi: Name
    parameters: list[_Parameter]


class _Measurement(_Part):
    name: Name
    config: _Config


class _Observation(_Part):
    name: Name
    data: Numbers


class _Workspace(_Part):
    channels: Annotated[list[_Channel], Field(min_length=1)]
    measurements: Annotated[list[_Measurement], Field(min_length=1)]
    observations: Annotated[list[_Observation], Field(min_length=1)]
    version: Literal["1.0.0"]


_ADAPTER = TypeAdapter(_Workspace)


def schema_findings(workspace: Mapping[str, Any]) -> list[Finding]:
    """What the schema does not allow in a workspace, each with its place.

    These types say what pyhf's JSON schema says, and say it in a second where a general validator
    takes a minute for a large workspace.
    """
    try:
        _ADAPTER.validate_python(workspace)
    except ValidationError as error:
        return list(_told(error))[:MOST_SHOWN]
    return []


def _told(error: ValidationError) -> Iterator[Finding]:
    for row in error.errors(include_url=False):
        *parents, last = row["loc"] or ("workspace",)
        place, suggestion = parents, None
        match row["type"]:
            case "missing":
                message = f"`{last}` is missing"
            case "extra_forbidden":
                message = f"there is no key `{last}` in the schema"
            case "union_tag_invalid":
                kind = str(row["ctx"]["tag"])
                message, place = f"pyhf has no modifier of type `{kind}`", [*parents, last]
                suggestion = did_you_mean(kind, _KINDS, what="types")
            case "union_tag_not_found":
                message, place = "`type` is missing", [*parents, last]
            case _:
                message = f"{row['msg'][0].lower()}{row['msg'][1:]}: {_shown(row['input'])}"
                place = [*parents, last]
        label = _path(place) or "workspace"
        yield WORKSPACE.finding(message, suggestion=suggestion, place=Place(label=label))


def _path(location: list[int | str]) -> str:
    """A place in the file, without the name of the modifier's type that pydantic adds."""
    text = ""
    for before, part in zip([None, *location], location, strict=False):
        if isinstance(part, int):
            text += f"[{part}]"
        elif not (isinstance(before, int) and part in _KINDS):
            text += f".{part}" if text else part
    return text


def _shown(value: object, most: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]} ..."
