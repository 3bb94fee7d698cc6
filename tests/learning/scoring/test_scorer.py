"""Scores of a table are those of its events, one by one."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest

pytest.importorskip("torch")

from quarkline.engine.core.findings import InputError
from quarkline.events.schema import Column, Schema
from quarkline.learning.models.folded import FoldedModel
from quarkline.learning.scoring.branches import Branches
from quarkline.learning.scoring.scorer import Origin, Scorer
from tests.learning.models.conftest import CLASSES, event_model, folded_model
from tests.learning.scoring.farm import events, expected, without


def schema(columns: dict) -> Schema:
    found = {
        name: Column(name, "float32", depth=1)
        if name.startswith("jets")
        else Column(name, str(values.dtype))
        for name, values in columns.items()
    }
    return Schema(found, len(columns["HT"]), "nominal", {})


@pytest.mark.parametrize("kind", ["resnet", "bdt"])
def test_simulation_is_scored_by_its_fold_and_data_by_all(kind: str) -> None:
    model, columns = folded_model(kind), events(60)
    scorer = Scorer.of(model, schema(columns))
    assert scorer.by_fold
    assert scorer.columns == columns.keys() - {"eventNumber"}
    assert scorer.score(ak.Array(columns)) == pytest.approx(expected(columns, model), abs=1e-6)
    data = without(columns, "genEventID")
    scorer = Scorer.of(model, schema(data))
    assert not scorer.by_fold
    mean = expected(columns, model, data=True)
    assert scorer.score(ak.Array(data)) == pytest.approx(mean, abs=1e-6)
    asked = Scorer.of(model, schema(columns), origin=Origin.DATA)
    assert np.array_equal(asked.score(ak.Array(columns)), scorer.score(ak.Array(data)))
    assert np.abs(mean - expected(columns, model)).max() > 0.01


def test_order_and_chunks_change_less_than_1e_6() -> None:
    model, columns = folded_model("ft-transformer"), ak.Array(events(300))
    scorer = Scorer.of(model, schema(events(300)))
    whole = scorer.score(columns)
    order = np.random.default_rng(1).permutation(300)
    assert np.abs(scorer.score(columns[order]) - whole[order]).max() < 1e-6
    parts = [scorer.score(columns[start : start + 7]) for start in range(0, 300, 7)]
    assert np.abs(np.concatenate(parts) - whole).max() < 1e-6


def test_one_model_alone_scores_every_event() -> None:
    model = FoldedModel.alone(event_model("resnet"))
    columns = events(40)
    scorer = Scorer.of(model, schema(columns))
    assert not scorer.by_fold
    assert scorer.score(ak.Array(columns)) == pytest.approx(
        expected(columns, model, data=True), abs=1e-6
    )


def test_shifted_columns_change_the_score() -> None:
    model, columns = folded_model("resnet"), events(50)
    shifted = columns | {"HT": columns["HT"] * np.float32(2)}
    scorer = Scorer.of(model, schema(columns), replaced={"HT": "HT*2"})
    assert scorer.score(ak.Array(columns)) == pytest.approx(expected(shifted, model), abs=1e-5)


def test_simulation_without_its_group_is_refused() -> None:
    columns = without(events(10), "genEventID")
    with pytest.raises(InputError, match="no column `genEventID`"):
        Scorer.of(folded_model("resnet"), schema(columns), origin=Origin.SIMULATION)


def test_branches_are_of_the_classes_asked_for() -> None:
    assert Branches.of(CLASSES, "signal", None) == Branches(("probs_lq",), (0,))
    assert Branches.of(CLASSES, "VV", "score") == Branches(("score",), (2,))
    assert Branches.of(CLASSES, "all", "p").names == ("p_lq", "p_ttH", "p_VV")
    found = Branches.of(CLASSES, "all", None).columns(np.eye(3, dtype=np.float32), "_up")
    assert found["probs_ttH_up"].tolist() == [0, 1, 0]
    with pytest.raises(InputError, match="no class `tth`") as refused:
        Branches.of(CLASSES, "tth", None)
    assert refused.value.findings[0].suggestion == "did you mean `ttH`?"
    for chosen, column in [("all", None), ("signal", None), ("signal", "a b")]:
        with pytest.raises(InputError, match="is no name for a branch"):
            Branches.of(["t#bar{t}H", "VV"], chosen, column)
