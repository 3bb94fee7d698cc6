"""One likelihood of several: their channels side by side, parameters of one name shared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from quarkline.engine.core.findings import Finding, InputError, Rule
from quarkline.statistics.likelihood.spec import LikelihoodSpec, Parameter

NOT_COMBINABLE = Rule(
    "QL-TREX-067",
    "likelihoods that are combined look at different events and mean the same by a name",
    "Channels of one name in two likelihoods would count their events twice. A parameter of one "
    "name is one parameter in the combination: it has one constraint and one purpose.",
)


def combined(
    specs: Sequence[LikelihoodSpec], *, name: str = "combined", poi: str | None = None
) -> LikelihoodSpec:
    """The product of likelihoods; the auxiliary measurement of a shared parameter counts once.

    Parameters keep the order of the first likelihood that has them, with its range and value.

    Args:
        specs: The likelihoods.
        name: What the combination is called.
        poi: Parameter that is measured; the first one's if None.

    Raises:
        InputError: If channels have one name, or parameters of one name differ in what they are.
    """
    findings: list[Finding] = []
    owners: dict[str, str] = {}
    parameters: dict[str, Parameter] = {}
    for spec in specs:
        for channel in spec.channels:
            if channel.name in owners:
                both = f"{owners[channel.name]} and {spec.name}"
                message = f"channel `{channel.name}` is in {both}"
                hint = "leave it out of one, or give it another name if its events are others"
                findings.append(NOT_COMBINABLE.finding(message, suggestion=hint))
            owners[channel.name] = spec.name
        for parameter in spec.parameters:
            known = parameters.setdefault(parameter.name, parameter)
            findings += _differing(known, parameter, spec.name)
    if findings:
        raise InputError(*findings)
    channels = tuple(channel for spec in specs for channel in spec.channels)
    measured = poi or specs[0].poi
    free = {item.name for spec in specs for item in spec.parameters if not item.fixed}
    shared = (replace(item, fixed=item.name not in free) for item in parameters.values())
    return LikelihoodSpec(name, channels, tuple(shared), measured)


def _differing(known: Parameter, other: Parameter, where: str) -> list[Finding]:
    if (known.role, known.constraint) == (other.role, other.constraint):
        return []
    first, second = (f"{item.role}, {item.constraint or 'free'}" for item in (known, other))
    message = f"parameter `{known.name}` is {second} in {where}, and {first} in another"
    hint = "rename it in one, or give it the same constraint in both"
    return [NOT_COMBINABLE.finding(message, suggestion=hint)]
