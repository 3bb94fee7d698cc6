"""Which columns of a file a selection reads, and the names its expressions may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from quarkline.engine.core.config import Config
from quarkline.events.expressions import Expression, compile_expression
from quarkline.events.schema import Column, Schema
from quarkline.studies.resonance.pairs import (
    JET_VARIABLES,
    JETS,
    LEPTON_VARIABLES,
    jet_variables,
    pair_variables,
    unit,
)

SECTION = ("run", "luminosityBlock")
"""Columns that say which luminosity section an event is of."""


class SelectConfig(Config):
    """What the pairs of one file depend on; without a window the whole range is searched."""

    tree: str | None
    identity: list[str]
    trigger: list[str]
    certified: bool
    objects: str
    require: str | None
    sign: Literal["opposite", "same"]
    cuts: str | None
    range: tuple[float, float]
    window: tuple[float, float] | None
    features: list[str]
    fraction: float
    seed: int


def whole_files(select: SelectConfig) -> SelectConfig:
    """The same selection for files of simulation: all events, of no luminosity section."""
    return select.model_copy(update={"fraction": 1.0, "certified": False})


@dataclass(frozen=True)
class Layout:
    """Which columns of a file are read, and the expressions on them.

    Attributes:
        objects: The lepton collection.
        leptons: Branch of each lepton variable the file has.
        jets: Branch of each jet variable, empty if the file has no jets.
        require: Selection of single leptons.
        flags: Trigger and identity columns, and those that certified sections are looked up by.
    """

    objects: str
    leptons: Mapping[str, str]
    jets: Mapping[str, str]
    require: Expression | None
    flags: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        """All columns to read."""
        required = [
            f"{self.objects}_{name}" for name in (self.require.columns if self.require else ())
        ]
        charge = f"{self.objects}_charge"
        return [*self.flags, *self.leptons.values(), *self.jets.values(), *required, charge]


def layout(schema: Schema, config: SelectConfig) -> Layout:
    """Work out what to read.

    Raises:
        InputError: If `require` does not fit the collection's variables.
    """
    prefix = f"{config.objects}_"
    leptons = {
        name: prefix + branch
        for name, branch in LEPTON_VARIABLES.items()
        if prefix + branch in schema or name in {"pt", "eta", "phi"}
    }
    jets = {name: f"{JETS}_{branch}" for name, branch in JET_VARIABLES.items()}
    complete = all(branch in schema for branch in jets.values())
    require = config.require and compile_expression(config.require, member_schema(schema, prefix))
    section = SECTION if config.certified else ()
    flags = tuple(dict.fromkeys((*config.identity, *config.trigger, *section)))
    return Layout(config.objects, leptons, jets if complete else {}, require or None, flags)


def member_schema(schema: Schema, prefix: str) -> Schema:
    """The columns of one collection under their own names: `Muon_pt` as `pt`."""
    columns = {
        name.removeprefix(prefix): Column(
            name.removeprefix(prefix), column.dtype, column.depth, column.shape, column.unit
        )
        for name, column in schema.columns.items()
        if name.startswith(prefix) and column.depth == 1
    }
    return Schema(columns, schema.entries, schema.tree)


def pair_schema(names: Sequence[str], entries: int = 0) -> Schema:
    """The columns a pair selection may use."""
    return Schema({name: Column(name, "float64", unit=unit(name)) for name in names}, entries)


def pair_names(found: Layout) -> list[str]:
    """The pair variables that a file's columns give, without computing them."""
    one = np.ones((1, 2))
    names = list(pair_variables(dict.fromkeys(found.leptons, one), 0.1))
    if found.jets:
        names += list(
            jet_variables(
                {"dimu_eta": one[:, 0], "dimu_phi": one[:, 0]},
                dict.fromkeys(found.jets, one[:, 0]),
            )
        )
    return [*names, "n_leptons", *(["n_jets"] if found.jets else [])]
