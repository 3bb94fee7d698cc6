"""A likelihood's specification as JSON, exact to the last bit, and back."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, cast

from quarkline.statistics.likelihood.spec import (
    BinScale,
    ChannelSpec,
    Constraint,
    Gaussian,
    LikelihoodSpec,
    Modifier,
    NormShift,
    Parameter,
    Poisson,
    SampleSpec,
    Scale,
    ShapeShift,
)

SCHEMA = "quarkline.likelihood/1"

MODIFIERS: Mapping[str, type[Modifier]] = {
    "scale": Scale,
    "bin-scale": BinScale,
    "norm-shift": NormShift,
    "shape-shift": ShapeShift,
}
CONSTRAINTS: Mapping[str, type[Constraint]] = {"gaussian": Gaussian, "poisson": Poisson}


def spec_as_json(spec: LikelihoodSpec) -> dict[str, Any]:
    """A specification as JSON values; bounds that are infinite become null.

    Args:
        spec: The specification.
    """
    return {
        "schema": SCHEMA,
        "name": spec.name,
        "poi": spec.poi,
        "parameters": [_parameter_as_json(parameter) for parameter in spec.parameters],
        "channels": [_channel_as_json(channel) for channel in spec.channels],
    }


def spec_from_json(data: Mapping[str, Any]) -> LikelihoodSpec:
    """The specification that `spec_as_json` wrote.

    Raises:
        ValueError: If it is something else; the message names the first thing that does not fit.
    """
    if (found := data.get("schema")) != SCHEMA:
        msg = f"expected schema {SCHEMA!r}, found {found!r}"
        raise ValueError(msg)
    try:
        return LikelihoodSpec(
            name=data["name"],
            channels=tuple(_channel(channel) for channel in data["channels"]),
            parameters=tuple(_parameter(parameter) for parameter in data["parameters"]),
            poi=data["poi"],
        )
    except KeyError as error:
        msg = f"`{error.args[0]}` is missing or unknown"
        raise ValueError(msg) from error
    except (TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error


def _parameter_as_json(parameter: Parameter) -> dict[str, Any]:
    """A parameter; its fields are those of the dataclass."""
    fields = _fields(parameter)
    return fields | {
        "low": _finite(parameter.low),
        "high": _finite(parameter.high),
        "constraint": _tagged(parameter.constraint, CONSTRAINTS),
    }


def _parameter(data: Mapping[str, Any]) -> Parameter:
    low, high, constraint = data["low"], data["high"], data["constraint"]
    fields = dict(data) | {
        "low": -math.inf if low is None else low,
        "high": math.inf if high is None else high,
        "constraint": None if constraint is None else _untagged(constraint, CONSTRAINTS),
    }
    return Parameter(**fields)


def _channel_as_json(channel: ChannelSpec) -> dict[str, Any]:
    samples = [
        {
            "name": sample.name,
            "contents": list(sample.contents),
            "modifiers": [_tagged(modifier, MODIFIERS) for modifier in sample.modifiers],
        }
        for sample in channel.samples
    ]
    counts = None if channel.data is None else list(channel.data)
    return {"name": channel.name, "samples": samples, "data": counts}


def _channel(data: Mapping[str, Any]) -> ChannelSpec:
    samples = tuple(
        SampleSpec(
            sample["name"],
            tuple(sample["contents"]),
            tuple(cast("Modifier", _untagged(item, MODIFIERS)) for item in sample["modifiers"]),
        )
        for sample in data["samples"]
    )
    counts = data["data"]
    return ChannelSpec(data["name"], samples, None if counts is None else tuple(counts))


def _tagged(value: Any, kinds: Mapping[str, Any]) -> dict[str, Any] | None:
    """A value of several classes as its fields and the name of its class."""
    if value is None:
        return None
    kind = next(name for name, cls in kinds.items() if type(value) is cls)
    return {"kind": kind, **_fields(value)}


def _untagged(data: Mapping[str, Any], kinds: Mapping[str, Any]) -> Any:
    fields = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in data.items()
        if name != "kind"
    }
    return kinds[data["kind"]](**fields)


def _fields(value: Any) -> dict[str, Any]:
    """The fields of a dataclass, tuples as lists, as JSON has them."""
    found = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    return {name: list(x) if isinstance(x, tuple) else x for name, x in found.items()}


def _finite(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None
