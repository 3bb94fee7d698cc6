"""Likelihoods from pyhf's workspaces: channels, modifiers, measurement, observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quarkline.engine.core.extras import missing_extra
from quarkline.engine.core.findings import InputError, Place, Rule, did_you_mean
from quarkline.statistics.likelihood.check import LENGTHS, NAMES
from quarkline.statistics.likelihood.spec import (
    BinScale,
    ChannelSpec,
    LikelihoodSpec,
    Modifier,
    NormShift,
    SampleSpec,
    Scale,
    ShapeShift,
)
from quarkline.statistics.likelihood.workspace_export import workspace_from_spec
from quarkline.statistics.likelihood.workspace_parameters import (
    ParameterSet,
    configured,
    element,
    sets_of,
)
from quarkline.statistics.likelihood.workspace_schema import schema_findings

__all__ = ["patched", "spec_from_workspace", "workspace_from_spec"]

Json = Mapping[str, Any]

PATCH = Rule(
    "QL-FIT-006",
    "a patch fits its workspace",
    "A JSON patch changes places of a workspace that must exist. It belongs to one workspace, "
    "usually the background-only one that was published with it.",
)


def spec_from_workspace(
    workspace: Json,
    *,
    measurement: str | None = None,
    patch: Sequence[Json] | None = None,
) -> LikelihoodSpec:
    """Read a workspace of pyhf (version 1.0.0 of its schema) as a likelihood.

    The meaning is pyhf's, with its interpolation codes 4 and 4p and its constraints, constants
    included. Parameters of sets with one for each bin are called `name[0]`, `name[1]`, ...; those
    of a set over several channels are counted through the channels in alphabetical order. A
    parameter of interest that no modifier uses is none: published background-only workspaces name
    that of the signals which patches add.

    Args:
        workspace: The workspace.
        measurement: Name of the measurement; the first one if None.
        patch: Operations of a JSON patch to apply first.

    Raises:
        InputError: If the workspace, the measurement or the patch is wrong.
    """
    if patch is not None:
        workspace = patched(workspace, patch)
    if findings := schema_findings(workspace):
        raise InputError(*findings)
    chosen = _measurement(workspace, measurement)
    _check(workspace["channels"])
    sets = sets_of(workspace["channels"])
    configured(sets, chosen["config"]["parameters"])
    return LikelihoodSpec(
        name=chosen["name"],
        channels=_channels(workspace, sets),
        parameters=tuple(item for each in sets.values() for item in each.parameters()),
        poi=poi if (poi := chosen["config"]["poi"]) in sets else None,
    )


def patched(workspace: Json, operations: Sequence[Json]) -> dict[str, Any]:
    """Apply the operations of a JSON patch (RFC 6902) to a copy of a workspace.

    Raises:
        InputError: If an operation does not fit, or the library that applies it is missing.
    """
    if findings := missing_extra("fit"):
        raise InputError(*findings)
    import jsonpatch
    import jsonpointer

    try:
        changed: dict[str, Any] = jsonpatch.apply_patch(dict(workspace), list(operations))
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException) as error:
        reason = PATCH.finding(
            f"the patch cannot be applied: {error}",
            suggestion="is it the patch of another workspace?",
        )
        raise InputError(reason) from error
    return changed


def _measurement(workspace: Json, name: str | None) -> Json:
    measurements: list[Json] = workspace["measurements"]
    if name is None:
        return measurements[0]
    for found in measurements:
        if found["name"] == name:
            return found
    names = [found["name"] for found in measurements]
    raise InputError(
        NAMES.finding(
            f"the workspace has no measurement `{name}`",
            suggestion=did_you_mean(name, names, what="measurements"),
        )
    )


def _check(channels: Sequence[Json]) -> None:
    """Lengths and doubles, which the schema does not look at."""
    findings = []
    for channel in channels:
        bins = len(channel["samples"][0]["data"])
        for sample in channel["samples"]:
            where = f"sample `{sample['name']}` of channel `{channel['name']}`"
            seen: set[tuple[str, str]] = set()
            for modifier in sample["modifiers"]:
                key = (modifier["type"], modifier["name"])
                place = Place(label=f"{key[0]} `{key[1]}` on {where}")
                if key in seen:
                    findings.append(NAMES.finding("it is there twice", place=place))
                seen.add(key)
                data = modifier["data"] if key[0] in ("shapesys", "staterror") else None
                if data is not None and (len(data) != bins or len(sample["data"]) != bins):
                    findings.append(
                        LENGTHS.finding(
                            f"{len(data)} errors where the channel has {bins} bins", place=place
                        )
                    )
    if findings:
        raise InputError(*findings)


def _channels(workspace: Json, sets: Mapping[str, ParameterSet]) -> tuple[ChannelSpec, ...]:
    observations = {entry["name"]: entry["data"] for entry in workspace["observations"]}
    return tuple(
        ChannelSpec(
            channel["name"],
            tuple(
                SampleSpec(
                    sample["name"],
                    tuple(map(float, sample["data"])),
                    tuple(
                        _modifier(entry, channel["name"], len(sample["data"]), sets)
                        for entry in sample["modifiers"]
                    ),
                )
                for sample in channel["samples"]
            ),
            tuple(map(float, observations[channel["name"]]))
            if channel["name"] in observations
            else None,
        )
        for channel in workspace["channels"]
    )


def _modifier(entry: Json, channel: str, bins: int, sets: Mapping[str, ParameterSet]) -> Modifier:
    name, data = entry["name"], entry["data"]
    match entry["type"]:
        case "normfactor" | "lumi":
            return Scale(name)
        case "normsys":
            return NormShift(name, float(data["hi"]), float(data["lo"]))
        case "histosys":
            up, down = map(float, data["hi_data"]), map(float, data["lo_data"])
            return ShapeShift(name, tuple(up), tuple(down))
        case _:
            first = sets[name].first_bins.get(channel, 0)
            return BinScale(tuple(element(name, first + at) for at in range(bins)))
