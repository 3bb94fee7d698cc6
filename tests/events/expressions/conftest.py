"""What the tests of expressions share: the small file behind the recorded table, and a schema."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarkline.events.schema import Column, Schema
from tests.events.expressions import record_root


@pytest.fixture(scope="session")
def small_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight events with every kind of column, as ROOT saw them."""
    return record_root.write_small(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def schema() -> Schema:
    """Columns of every kind, as of a tree `Events`."""
    columns = [
        Column("a", "float32"),
        Column("b", "float64"),
        Column("n", "int32"),
        Column("nJet", "uint32"),
        Column("flag", "bool"),
        Column("Type", "string"),
        Column("Jet_pt", "float32", depth=1, unit="GeV"),
        Column("Jet_id", "int32", depth=1),
        Column("jets.fPt", "float32", depth=1),
        Column("AuxDyn.pt", "float32", depth=1),
        Column("v", "float64", shape=(3,)),
        Column("hits", "int64", depth=2),
    ]
    metadata = {"unreadable": {"links": "values of type ElementLink"}}
    return Schema({column.name: column for column in columns}, 10, "Events", metadata)
