"""The parameters of a pyhf workspace: what its modifiers ask for, and a measurement changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from quarkline.engine.core.findings import InputError, Place
from quarkline.statistics.likelihood.check import LENGTHS, NAMES, NUMBERS
from quarkline.statistics.likelihood.spec import (
    Constraint,
    Gaussian,
    Parameter,
    Poisson,
    Role,
)

Json = Mapping[str, Any]

_ROLES: dict[str, Role] = {
    "histosys": "systematic",
    "lumi": "luminosity",
    "normfactor": "norm-factor",
    "normsys": "systematic",
    "shapefactor": "shape-factor",
    "shapesys": "gamma",
    "staterror": "gamma",
}
_BOUNDS = {"systematic": (-5.0, 5.0), "norm-factor": (0.0, 10.0), "shape-factor": (0.0, 10.0)}
_GAMMA_BOUNDS = (1e-10, 10.0)
# Which entries of a measurement's parameter a set has, beside inits, bounds and fixed.
_ENTRIES = {
    "normal": ("auxdata",),
    "normal with width": ("auxdata", "sigmas"),
    "poisson": ("auxdata", "factors"),
    "free": (),
}


@dataclass
class ParameterSet:
    """Parameters that share a name in a workspace.

    Attributes:
        name: The name.
        role: What they are for.
        scalar: Whether it is one parameter, named as the set.
        kind: "normal", "normal with width", "poisson" or "free": what constrains them.
        values: Properties by the schema's names, each with one entry for each parameter.
        first_bins: Index of the first parameter in each channel, of a set over several channels.
    """

    name: str
    role: Role
    scalar: bool
    kind: str
    values: dict[str, list[Any]]
    first_bins: dict[str, int] = field(default_factory=dict)

    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters as the likelihood has them."""
        values = self.values
        return tuple(
            Parameter(
                name=self.name if self.scalar else element(self.name, at),
                role=self.role,
                initial=float(values["inits"][at]),
                low=float(values["bounds"][at][0]),
                high=float(values["bounds"][at][1]),
                fixed=bool(values["fixed"][at]),
                constraint=self._constraint(at),
            )
            for at in range(len(values["inits"]))
        )

    def _constraint(self, at: int) -> Constraint | None:
        values = self.values
        match self.kind:
            case "free":
                return None
            case "poisson":
                return Poisson(float(values["factors"][at]), float(values["auxdata"][at]))
            case _:
                return Gaussian(float(values["auxdata"][at]), float(values["sigmas"][at]))


def element(name: str, at: int) -> str:
    """Name of one parameter of a set with one for each bin."""
    return f"{name}[{at}]"


def sets_of(channels: Sequence[Json]) -> dict[str, ParameterSet]:
    """The parameters that the modifiers of a workspace ask for, in the order of their use.

    Raises:
        InputError: If one name stands for different kinds of parameters.
    """
    sets: dict[str, ParameterSet] = {}
    errors = _StatisticalErrors(channels)
    for channel in channels:
        for sample in channel["samples"]:
            for modifier in sample["modifiers"]:
                asked = (
                    errors.parameter_set(modifier["name"])
                    if modifier["type"] == "staterror"
                    else _asked(modifier, sample["data"])
                )
                known = sets.setdefault(asked.name, asked)
                shared = modifier["type"] != "shapesys" or known is asked
                if not shared or known != asked:
                    raise InputError(_clash(modifier, channel, sample))
    return sets


def _clash(modifier: Json, channel: Json, sample: Json) -> Any:
    return NAMES.finding(
        f"the {modifier['type']} `{modifier['name']}` has a name that other parameters have",
        suggestion="a name stands for one parameter, or for one in each bin; rename one of them",
        place=Place(label=f"sample `{sample['name']}` of channel `{channel['name']}`"),
    )


def _asked(modifier: Json, contents: Sequence[float]) -> ParameterSet:
    """Parameters of one modifier, with pyhf's suggested values."""
    kind, name = modifier["type"], modifier["name"]
    role = _ROLES[kind]
    match kind:
        case "normsys" | "histosys":
            values = _values(1, 0.0, _BOUNDS[role], auxdata=[0.0], sigmas=[1.0])
            return ParameterSet(name, role, True, "normal", values)
        case "lumi":
            # No defaults: the measurement has to say them.
            return ParameterSet(name, role, True, "normal with width", {"fixed": [False]})
        case "normfactor":
            return ParameterSet(name, role, True, "free", _values(1, 1.0, _BOUNDS[role]))
        case "shapefactor":
            values = _values(len(contents), 1.0, _BOUNDS[role])
            return ParameterSet(name, role, False, "free", values)
        case _:
            return _shape_errors(name, np.asarray(contents, float), np.asarray(modifier["data"]))


def _shape_errors(name: str, contents: Any, errors: Any) -> ParameterSet:
    """Poisson counts that leave each bin its relative error; none where there is no error."""
    valid = (contents > 0) & (errors > 0)
    taus = np.ones(len(contents))
    taus[valid] = contents[valid] ** 2 / errors[valid] ** 2
    values = _values(
        len(taus), 1.0, _GAMMA_BOUNDS, auxdata=taus.tolist(), factors=taus.tolist()
    ) | {"fixed": (~valid).tolist()}
    return ParameterSet(name, "gamma", False, "poisson", values)


def _values(
    size: int, initial: float, bounds: tuple[float, float], **more: list[Any]
) -> dict[str, list[Any]]:
    return {
        "inits": [initial] * size,
        "bounds": [bounds] * size,
        "fixed": [False] * size,
        **more,
    }


class _StatisticalErrors:
    """Sets of `staterror`: errors of a bin are of the sum of all samples that share the name."""

    def __init__(self, channels: Sequence[Json]) -> None:
        self._sets: dict[str, ParameterSet] = {}
        contents: dict[str, dict[str, Any]] = {}
        squares: dict[str, dict[str, Any]] = {}
        for channel in sorted(channels, key=lambda each: str(each["name"])):
            for sample in channel["samples"]:
                data = np.asarray(sample["data"], dtype=np.float64)
                for modifier in sample["modifiers"]:
                    if modifier["type"] != "staterror":
                        continue
                    here = contents.setdefault(modifier["name"], {})
                    there = squares.setdefault(modifier["name"], {})
                    here[channel["name"]] = here.get(channel["name"], 0.0) + data
                    square = np.asarray(modifier["data"], dtype=np.float64) ** 2
                    there[channel["name"]] = there.get(channel["name"], 0.0) + square
        for name, sums in contents.items():
            self._sets[name] = _total_errors(name, sums, squares[name])

    def parameter_set(self, name: str) -> ParameterSet:
        return self._sets[name]


def _total_errors(name: str, contents: dict[str, Any], squares: dict[str, Any]) -> ParameterSet:
    first_bins, start = {}, 0
    for channel, data in contents.items():
        first_bins[channel] = start
        start += len(data)
    total = np.concatenate(list(contents.values()))
    square = np.concatenate(list(squares.values()))
    relative = np.sqrt(np.divide(square, total**2, out=np.zeros_like(total), where=total > 0))
    fixed = relative == 0.0
    widths = np.where(fixed, 1.0, relative)
    values = _values(
        len(total), 1.0, _GAMMA_BOUNDS, auxdata=[1.0] * len(total), sigmas=widths.tolist()
    ) | {"fixed": fixed.tolist()}
    return ParameterSet(name, "gamma", False, "normal with width", values, first_bins)


def configured(sets: Mapping[str, ParameterSet], parameters: Sequence[Json]) -> None:
    """Put what a measurement says about parameters into their sets.

    Raises:
        InputError: If a length is wrong, an entry does not belong there, or one is missing.
    """
    for entry in parameters:
        if entry["name"] in sets:
            _configure(sets[entry["name"]], entry)
    for each in sets.values():
        needed = ("inits", "bounds", *_ENTRIES[each.kind])
        if missing := [key for key in needed if key not in each.values]:
            raise InputError(
                NUMBERS.finding(
                    f"the measurement does not say its {', '.join(missing)}",
                    place=Place(label=f"parameter `{each.name}`"),
                )
            )


def _configure(target: ParameterSet, entry: Json) -> None:
    place = Place(label=f"parameter `{target.name}` of the measurement")
    size = len(target.values["fixed"])
    for key, given in entry.items():
        if key == "name":
            continue
        if key == "fixed":
            target.values["fixed"] = [given] * size
            continue
        if key not in ("inits", "bounds", *_ENTRIES[target.kind]):
            raise InputError(NAMES.finding(f"it has no {key}", place=place))
        if len(given) != size:
            raise InputError(
                LENGTHS.finding(f"{len(given)} {key} for {size} parameters", place=place)
            )
        if key == "bounds" and any(len(pair) != 2 for pair in given):
            raise InputError(LENGTHS.finding("bounds are pairs, [low, high]", place=place))
        target.values[key] = list(given)
